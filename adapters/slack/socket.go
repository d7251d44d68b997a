package slack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"sync"

	slackgo "github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"parley/adapters"
)

// maxEnvelope is how big one message of the socket may be.
const maxEnvelope = 1 << 20

// listen receives over the socket until ctx ends, when it returns nil, or the library gives up. The library reconnects by
// itself, and Slack delivers again what was not acknowledged.
func (m *Messenger) listen(ctx context.Context, sink adapters.Sink) error {
	conn := &client{http: m.api.http}
	socket := socketmode.New(m.api.client(conn), socketmode.OptionReadLimit(maxEnvelope), socketmode.OptionLog(log.New(io.Discard, "", 0)))
	// What is in hand when ctx ends is still stored and acknowledged, so the socket outlives ctx a little.
	open, shut := context.WithCancel(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	defer wg.Wait()
	defer shut()
	ended := make(chan error, 1)
	wg.Go(func() { ended <- socket.RunContext(open) })
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-ended:
			return m.api.failure(ctx, err, false)
		case e := <-socket.Events:
			if err := m.happened(ctx, socket, e, sink); err != nil {
				return err
			}
		}
	}
}

// happened handles one message of the socket. An error ends the connection.
func (m *Messenger) happened(ctx context.Context, socket *socketmode.Client, e socketmode.Event, sink adapters.Sink) error {
	switch data := e.Data.(type) {
	case *slackgo.ConnectionErrorEvent:
		failed := m.api.failure(ctx, data.ErrorObj, false)
		if failed.broken() {
			return failed
		}
		m.log.WarnContext(ctx, "slack socket not open", "problem", failed, "again_in", data.Backoff)
		m.report("failed", fmt.Sprintf("open the socket: %v", failed))
		return nil
	case *slackgo.ConnectingEvent:
		if data.Attempt <= 1 && data.ConnectionCount > 0 {
			m.report("connecting", "")
		}
		return nil
	case *socketmode.ErrorBadMessage: // which the library could not read, but we may
		var request socketmode.Request
		if err := json.Unmarshal(data.Message, &request); err != nil || request.EnvelopeID == "" {
			m.log.WarnContext(ctx, "slack sent what is no envelope", "problem", m.api.redact(data.Cause.Error()))
			return nil
		}
		return m.envelope(ctx, socket, &request, sink)
	}
	switch e.Type {
	case socketmode.EventTypeHello:
		m.learn(ctx, e.Request.ConnectionInfo.AppID, "", "")
		m.report("ready", "")
	case socketmode.EventTypeEventsAPI, socketmode.EventTypeInteractive, socketmode.EventTypeSlashCommand:
		return m.envelope(ctx, socket, e.Request, sink)
	}
	return nil
}

// envelope hands what is in an envelope to the sink until it is taken, and acknowledges it then. It keeps the envelope in
// hand rather than wait for Slack's own repeat, because what comes after it must not be stored before.
func (m *Messenger) envelope(ctx context.Context, socket *socketmode.Client, request *socketmode.Request, sink adapters.Sink) error {
	for attempt := 0; ; attempt++ {
		err := m.store(ctx, request, sink)
		if err == nil {
			break
		}
		m.log.WarnContext(ctx, "slack event not stored", "envelope", request.EnvelopeID, "problem", err)
		if adapters.Wait(ctx, backoff(attempt)) != nil {
			return nil // not acknowledged: it comes again
		}
	}
	if err := socket.AckCtx(ctx, request.EnvelopeID, nil); err != nil {
		m.log.DebugContext(ctx, "slack envelope not acknowledged, it will come again", "envelope", request.EnvelopeID, "problem", err)
	}
	return nil
}

func (m *Messenger) store(ctx context.Context, request *socketmode.Request, sink adapters.Sink) error {
	ctx = context.WithoutCancel(ctx)
	var in taken
	var err error
	switch request.Type {
	case socketmode.RequestTypeEventsAPI:
		in, err = m.fromCallback(ctx, request.Payload)
	case socketmode.RequestTypeInteractive:
		in, err = m.fromInteraction(ctx, request.Payload)
	}
	if errors.Is(err, errNotOurs) {
		m.log.WarnContext(ctx, "slack sent what cannot be read", "envelope", request.EnvelopeID, "problem", err)
		return nil
	}
	if err != nil {
		return err
	}
	return m.hand(ctx, in, sink)
}

// hand gives events to the sink; once they are stored the bot follows the thread it was called into.
func (m *Messenger) hand(ctx context.Context, in taken, sink adapters.Sink) error {
	if len(in.events) == 0 {
		return nil
	}
	if err := sink(ctx, in.events); err != nil {
		return err
	}
	if in.thread != "" {
		m.joined(ctx, in.channel, in.thread)
	}
	if in.note != nil {
		m.whisper(ctx, *in.note)
	}
	return nil
}
