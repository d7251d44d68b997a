package slack

import (
	"strings"
	"testing"

	"parley/adapters/slack/workspacetest"
)

func TestAnEnvelopeIsAcknowledgedOnlyAfterItIsStored(t *testing.T) {
	srv := workspacetest.Start(t)
	b := socketBot(t, srv)
	b.hold = make(chan struct{})
	stop := b.start(t)
	srv.Connected()
	srv.Ann().Type("hello")
	b.await(t, 1)
	if got := srv.Acked(); len(got) != 0 {
		t.Errorf("acknowledged %v before it was stored", got)
	}
	close(b.hold)
	srv.Wait("the acknowledgement", func() bool { return srv.Pending() == 0 && len(srv.Acked()) == 1 })
	if err := stop(); err != nil {
		t.Error(err)
	}
	noGoroutines(t)
}

func TestWhatWasNotAcknowledgedComesAgainAfterADisconnect(t *testing.T) {
	for name, leave := range map[string]func(*workspacetest.Server){"asked to": (*workspacetest.Server).Disconnect, "cut off": (*workspacetest.Server).Drop} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			srv := workspacetest.Start(t)
			b := socketBot(t, srv)
			b.hold = make(chan struct{})
			b.start(t)
			srv.Connected()
			srv.Ann().Type("hello")
			b.await(t, 1)
			leave(srv)
			srv.Wait("another socket", func() bool { return srv.Opened() == 2 })
			b.mu.Lock()
			close(b.hold)
			b.hold = nil
			b.mu.Unlock()
			first, second := b.await(t, 1), b.await(t, 2)
			if first.ID != second.ID || first.Chat != second.Chat || first.Text != "hello" {
				t.Errorf("got %+v and %+v, want one event twice", first, second)
			}
			srv.Wait("the acknowledgement", func() bool { return srv.Pending() == 0 })
		})
	}
}

func TestAPressOverTheSocketIsAcknowledged(t *testing.T) {
	srv := workspacetest.Start(t)
	b := socketBot(t, srv)
	b.refuse = 1
	b.start(t)
	srv.Connected()
	send(t, b, "D0ANN", 7)
	srv.Ann().Press("choice 6")
	if got := b.await(t, 2); got.Value != "value-6" || got.SenderName != "ann" {
		t.Errorf("got %+v, want the value of the seventh choice", got)
	}
	srv.Wait("the acknowledgement", func() bool { return srv.Pending() == 0 && len(srv.Acked()) == 1 })
}

func TestWhatCannotBeReadIsAcknowledgedSoThatItDoesNotComeForEver(t *testing.T) {
	srv := workspacetest.Start(t)
	b := socketBot(t, srv)
	b.start(t)
	srv.Connected()
	srv.Raw(`{"envelope_id":"odd-1","type":"events_api","payload":{"type":"event_callback","event":"no object"}}`)
	srv.Raw(`{"envelope_id":"odd-2","type":"events_api","payload":"no object"}`)
	srv.Raw(`{"envelope_id":"odd-3","type":"slash_commands","payload":{"command":"/shop"}}`)
	srv.Raw(`{"envelope_id":"odd-4","type":"events_api","payload":{"type":"event_callback","event":{"type":"of_tomorrow"}}}`)
	srv.Raw(`{"envelope_id":"odd-5","type":"of_tomorrow","payload":{}}`)
	srv.Raw(`not json`)
	srv.Wait("all acknowledgements", func() bool { return strings.Join(srv.Acked(), " ") == "odd-1 odd-2 odd-3 odd-4 odd-5" })
	srv.Ann().Type("still there?")
	if got := b.await(t, 1); got.Text != "still there?" {
		t.Errorf("got %+v, want the words after", got)
	}
}

func TestARefusedAppTokenEndsRun(t *testing.T) {
	for _, code := range []string{"invalid_auth", "not_allowed_token_type"} {
		t.Run(code, func(t *testing.T) {
			srv := workspacetest.Start(t)
			srv.Fail("apps.connections.open", workspacetest.Fault{Code: code})
			b := socketBot(t, srv)
			stop := b.start(t)
			b.reported(t, "failed receive over the socket: "+code)
			if err := stop(); err == nil || !strings.Contains(err.Error(), code) {
				t.Errorf("got %v, want %s", err, code)
			}
			noGoroutines(t)
		})
	}
}

func TestASocketThatCannotBeOpenedIsTriedAgain(t *testing.T) {
	srv := workspacetest.Start(t)
	srv.Fail("apps.connections.open", workspacetest.Fault{Status: 500, Body: "<html>"})
	b := socketBot(t, srv)
	b.start(t)
	b.reported(t, "failed open the socket: Slack answered 500")
	b.reported(t, "ready")
}
