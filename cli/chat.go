package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"parley/conversation"
	"parley/conversation/effect"
	"parley/conversation/flow"
)

type chatCmd struct {
	Flow     string `placeholder:"NAME" help:"Begin in this flow instead of with a greeting."`
	Bot      string `placeholder:"DIR" help:"Talk to the flows in this folder instead of the built-in bot."`
	Language string `placeholder:"LANG" help:"The language to be spoken to in, until you write another: en or de."`
}

// Help is shown by parley chat -help.
func (chatCmd) Help() string {
	return `The bot answers from its flows; a sample product stands in for the shop, nothing is stored and no money moves.

Type as a shopper would; a number picks a choice. A line that begins with ! makes something happen:
!price_below, !back_in_stock and !offer_accepted as if the shop had raised it, !returned after a person was asked for.
An empty line does nothing, the end of the input (Ctrl-D) ends it.`
}

// Run talks until the input ends.
func (c chatCmd) Run(w *world) error {
	set, err := c.load(w)
	if err != nil {
		return err
	}
	if c.Language != "" && set.Speaks(c.Language) == "" {
		return usagef("the bot does not speak %q; use %s", c.Language, strings.Join(set.Languages, " or "))
	}
	talk := &rehearsedTalk{set: set, shop: newRehearsal(time.Now), out: w.stdout, now: time.Now}
	talk.session.Language = set.Speaks(c.Language)
	first, err := talk.opening(c.Flow)
	if err != nil {
		return err
	}
	fmt.Fprintln(w.stdout, "(a rehearsal: nothing is stored, no money moves; parley chat -help says what else you can type)")
	if err := talk.step(first); err != nil {
		return err
	}
	lines := bufio.NewScanner(w.stdin)
	lines.Buffer(nil, 1<<20)
	for talk.prompt(); lines.Scan(); talk.prompt() {
		line := strings.TrimSpace(lines.Text())
		if line == "" {
			continue
		}
		if err := talk.hear(line); err != nil {
			return err
		}
	}
	fmt.Fprintln(w.stdout)
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read what you type: %w", err)
	}
	return nil
}

func (c chatCmd) load(w *world) (*flow.Set, error) {
	bot := builtIn()
	if c.Bot != "" {
		if !isFolder(c.Bot) {
			return nil, usagef("there is no folder %s", c.Bot)
		}
		bot = folder(c.Bot)
	}
	set, found := bot.load(nil)
	if set == nil {
		found.print(w.stderr)
		return nil, errReported
	}
	return set, nil
}

// rehearsedTalk is one conversation with the rehearsal shop.
type rehearsedTalk struct {
	set     *flow.Set
	shop    *rehearsal
	session conversation.Session
	out     io.Writer
	now     func() time.Time
	human   bool // handed off: the bot is silent
}

// opening is the event to begin with: the chat is opened, or what begins the flow happens.
func (t *rehearsedTalk) opening(name string) (conversation.Event, error) {
	if name == "" {
		return conversation.Event{Kind: conversation.Start}, nil
	}
	f := t.set.Flow(name)
	if f == nil {
		return conversation.Event{}, usagef("the bot has no flow %q; it has %s", name, flowNames(t.set))
	}
	if len(f.Begins) == 0 {
		return conversation.Event{}, usagef("nothing begins the flow %q by itself (it has no starts_on); begin one that leads there", name)
	}
	return t.happening(f.Begins[0].Event)
}

// hear takes a line that was typed.
func (t *rehearsedTalk) hear(line string) error {
	if event, ok := strings.CutPrefix(line, "!"); ok {
		return t.happen(strings.TrimSpace(event))
	}
	if t.human {
		fmt.Fprintln(t.out, "(a person of the shop reads this; the bot is silent until !returned)")
		return nil
	}
	return t.step(conversation.Event{Kind: conversation.Text, Text: line})
}

// happen raises an event that begins a flow.
func (t *rehearsedTalk) happen(name string) error {
	if name == "returned" {
		t.human = false
		return t.step(conversation.Event{Kind: conversation.Returned})
	}
	if _, ok := t.set.Begin(name); !ok {
		fmt.Fprintf(t.out, "(nothing begins on %q)\n", name)
		return nil
	}
	event, err := t.happening(name)
	if err != nil {
		return err
	}
	return t.step(event)
}

// happening is an event with the facts the shop would send along.
func (t *rehearsedTalk) happening(name string) (conversation.Event, error) {
	event := conversation.Event{Kind: conversation.Trigger, Name: name, Vars: t.shop.product()}
	if !slices.ContainsFunc(flow.Triggers, func(w flow.Word) bool { return w.Name == name }) {
		return event, nil
	}
	var err error
	event.Vars, err = t.shop.happening(name)
	return event, err
}

// mostSteps ends a rehearsal whose effects answer each other for ever; the compiler refuses such flows.
const mostSteps = 50

var errEndless = errors.New("the flow asks for one effect after another without end")

// step lets the bot take an event and then the outcomes of what it asks for.
func (t *rehearsedTalk) step(first conversation.Event) error {
	events := []conversation.Event{first}
	for n := 0; len(events) > 0; n++ {
		if n == mostSteps {
			return errEndless
		}
		next, effects, err := conversation.Step(t.set, t.session, events[0], t.now())
		if err != nil {
			return fmt.Errorf("step on %s: %w", events[0].Kind, err)
		}
		t.session, events = next, events[1:]
		for _, e := range effects {
			t.show(e)
			outcome, vars, err := t.shop.answer(e)
			if err != nil {
				return err
			}
			if outcome != "" {
				events = append(events, conversation.Event{Kind: conversation.Outcome, Name: outcome, Vars: vars, Context: &conversation.Context{
					Flow: next.Flow, Hash: next.Hash, State: next.State, Vars: next.Vars,
				}})
			}
		}
	}
	return nil
}

// show prints what a shopper would see, and in brackets what the shop would notice.
func (t *rehearsedTalk) show(e effect.Effect) {
	switch e := e.(type) {
	case effect.Say:
		fmt.Fprintf(t.out, "\n%s\n", e.Text)
		for i, choice := range e.Choices {
			fmt.Fprintf(t.out, "  %d. %s\n", i+1, choice.Label)
		}
	case effect.HandOff:
		t.human = true
		fmt.Fprintln(t.out, "(handed to a person of the shop)")
	case effect.Stop:
		fmt.Fprintln(t.out, "(no more messages to this address)")
	case effect.Remind:
		fmt.Fprintf(t.out, "(moves on by itself after %s)\n", brief(e.After))
	}
}

// brief is 24h rather than 24h0m0s.
func brief(d time.Duration) string {
	s := d.String()
	if d%time.Minute == 0 {
		s = strings.TrimSuffix(s, "0s")
	}
	if d%time.Hour == 0 {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func (t *rehearsedTalk) prompt() { fmt.Fprint(t.out, "> ") }
