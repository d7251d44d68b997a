//go:build whatsmeow && !nowhatsmeow

package linked

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"parley/adapters"
	"parley/adapters/adaptertest"
	"parley/adapters/whatsapp/linked/wafake"
	"parley/config"
)

func TestALinkedPhonePassesTheSuite(t *testing.T) {
	s := wafake.Start(t)
	var person *wafake.Person // one for all cases; each case has an account of its own
	cases := 0
	adaptertest.Run(t, adaptertest.Harness{
		Shared: true,
		Open: func(t *testing.T, env adapters.Env) *adaptertest.Line {
			cases++
			number := fmt.Sprintf("49151%08d", 100+cases)
			env.DB, env.Dialect = sqlite(t), "sqlite"
			ready, report := make(chan struct{}, 64), env.Report
			env.Report = func(state, problem string) {
				report(state, problem)
				if state == "ready" {
					ready <- struct{}{}
				}
			}
			t.Cleanup(func() { s.Allow(number) })
			settings, err := config.NewSettings(Fields(), map[string]string{"linked_api_base": s.URL()})
			if err != nil {
				t.Fatal(err)
			}
			messenger, err := New(settings, env)
			if err != nil {
				t.Fatal(err)
			}
			m := messenger.(*Messenger)
			var secrets []string
			s.Register(number, "The Shop")
			if err := m.Pair(t.Context(), "", func(code string) {
				secrets = append(secrets, code)
				if err := s.ScanQR(number, code); err != nil {
					t.Error(err)
				}
			}); err != nil {
				t.Fatal(err)
			}
			if person == nil {
				person = s.Person(ann, "Ann")
			}
			read, latest, text, before := 0, "", "", person.SawTyping()
			return &adaptertest.Line{
				Messenger: m, Chat: ann, Secrets: slices.Clip(secrets),
				Ready: func() {
					select {
					case <-ready:
					case <-time.After(20 * time.Second):
						t.Fatal("the account did not come online")
					}
				},
				Type: func(words string) { latest, text = person.Type(number, words), words },
				Sign: func() string {
					s.Wait("a sign", func() bool { return person.Sign(latest) != "" })
					return person.Sign(latest)
				},
				// A client that is asked to send again encrypts anew, under the id it had.
				Repeat: func() { person.TypeAs(number, latest, text) },
				Read: func() adaptertest.Shown {
					msg := person.Read(number, read)
					read++
					return adaptertest.Shown{Text: msg.Text}
				},
				Cut:  func() { s.Cut(number, true) },
				Drop: func() { s.Kick(number) },
				Typing: func() {
					s.Wait("Ann to see typing", func() bool { return person.SawTyping() > before })
				},
			}
		},
		Without: map[string]string{
			"choice":     "a linked phone has no buttons: choices are numbered lines",
			"blocked":    "WhatsApp does not tell a companion device who has blocked the number",
			"reordering": "WhatsApp keeps what waits for a device in one queue, in the order in which it was sent",
			"rate limit": "WhatsApp says no time with it: see TestFailedSendsSayWhatFollows",
		},
	})
}
