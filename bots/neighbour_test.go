package bots

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"parley/adapters"
)

// sick is a network on which nothing leaves as it should.
type sick struct {
	*network
	run  func(ctx context.Context) error
	send func(ctx context.Context, p adapters.Part) error
	try  chan struct{} // holds one for each call of Send, as far as it has room
}

func (s *sick) Run(ctx context.Context, sink adapters.Sink) error {
	if s.run != nil {
		return s.run(ctx)
	}
	return s.network.Run(ctx, sink)
}

func (s *sick) Send(ctx context.Context, p adapters.Part) (adapters.Sent, error) {
	select {
	case s.try <- struct{}{}:
	default:
	}
	return adapters.Sent{}, s.send(ctx, p)
}

// hang answers nothing for so long as a send may take, as a network that swallows packets does.
func hang(ctx context.Context, _ adapters.Part) error {
	<-ctx.Done()
	return &adapters.SendError{Consequence: adapters.Unknown, Reason: "no answer in time", Err: ctx.Err()}
}

func TestAnAccountInTroubleHoldsUpNoOther(t *testing.T) {
	refuse := func(e adapters.SendError) func(context.Context, adapters.Part) error {
		return func(context.Context, adapters.Part) error { return &e }
	}
	tests := []struct {
		name string
		sick sick
	}{
		{"throttled for a minute", sick{send: refuse(adapters.SendError{Consequence: adapters.Throttled, RetryAfter: time.Minute, Reason: "too many"})}},
		{"each chat throttled for a minute", sick{send: refuse(adapters.SendError{Consequence: adapters.Throttled, RetryAfter: time.Minute, PerChat: true, Reason: "too many"})}},
		{"its token refused", sick{send: refuse(adapters.SendError{Consequence: adapters.Broken, Reason: "token refused"})}},
		{"unreachable", sick{send: refuse(adapters.SendError{Consequence: adapters.Temporary, Reason: "no route"})}},
		{"hanging in each send", sick{send: hang}},
		{"deaf to the end of a send", sick{send: func(context.Context, adapters.Part) error {
			time.Sleep(10 * time.Minute) // in a bubble, where it takes none
			return errors.New("at last")
		}}},
		{"panicking in each send", sick{send: func(context.Context, adapters.Part) error { panic("a nil map was written to") }}},
		{"dead from the start", sick{
			run:  func(context.Context) error { return errors.New("unlinked") },
			send: refuse(adapters.SendError{Consequence: adapters.Broken, Reason: "unlinked"}),
		}},
		{"panicking as it receives", sick{run: func(context.Context) error { panic("a nil map was written to") }, send: hang}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tt.sick.network, tt.sick.try = newNetwork(chatty), make(chan struct{}, 1)
				well := []*line{newLine(), newLine()}
				mall := openMall(t, on("sick", &tt.sick), on("one", well[0]), on("two", well[1]))
				trouble := mall.at("sick", well[0])
				others := []*shop{mall.at("one", well[0]), mall.at("two", well[1])}
				for round := range 20 {
					waiting := 2
					if round == 0 {
						waiting = 10 // more than the account sends at a time
					}
					for n := range waiting {
						trouble.says(fmt.Sprint("waits", n), "help")
					}
					for _, other := range others {
						chat, began := fmt.Sprint("chat", round%3), time.Now()
						other.says(chat, "help")
						if len(other.hears(chat)) == 0 {
							t.Fatalf("round %d: nobody was answered on account %s", round, other.sinks)
						}
						tries := other.net.tries()
						if late := tries[len(tries)-1].at.Sub(began); late != 0 {
							t.Fatalf("round %d: the answer on account %s left %v late", round, other.sinks, late)
						}
					}
					passes(4 * time.Second) // in all longer than the pause, and than a send may hang
				}
				if len(tt.sick.try) == 0 {
					t.Error("nothing was sent over the account in trouble")
				}
			})
		})
	}
}
