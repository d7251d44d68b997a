//go:build whatsmeow && !nowhatsmeow

package linked

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
)

const (
	firstCodeTime = 60 * time.Second // the first QR code is valid for longer
	codeTime      = 20 * time.Second
	restartTime   = 5 * time.Second // until WhatsApp asks a new device to log in
	finishTime    = 90 * time.Second
)

// Pair links a phone. It shows the text of a QR code, and another when that has run out; with a phone number it shows eight
// letters to type on that phone. Messages that arrive meanwhile are left for Run.
func (m *Messenger) Pair(ctx context.Context, phone string, show func(code string)) error {
	container, leave, err := m.shelf.open(ctx)
	if err != nil {
		return err
	}
	defer leave()
	if d, err := m.linkedDevice(ctx, container); err != nil || d != nil {
		return err
	}
	select {
	case m.line <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-m.line }()
	if d, err := m.linkedDevice(ctx, container); err != nil || d != nil { // somebody was faster
		return err
	}
	living, die := context.WithCancel(context.WithoutCancel(ctx))
	defer die()
	p := &pairing{m: m, client: m.newClient(living, container.NewDevice()), phone: phone, show: show, heard: make(chan any, 16), done: make(chan struct{})}
	p.client.AddEventHandlerWithSuccessStatus(p.hear)
	defer p.client.Disconnect()
	defer close(p.done)
	stopped := context.AfterFunc(ctx, die)
	err = p.client.ConnectContext(living)
	stopped()
	if err != nil {
		return fmt.Errorf("reach WhatsApp: %w", err)
	}
	jid, err := p.link(ctx)
	if err != nil {
		return err
	}
	if err := m.keep(context.WithoutCancel(ctx), jid); err != nil {
		return fmt.Errorf("remember the linked phone: %w", err)
	}
	p.settle(ctx, living)
	select {
	case m.news <- struct{}{}:
	default:
	}
	return nil
}

// unlink drops what was kept.
func (m *Messenger) unlink(ctx context.Context) error { return m.keep(ctx, types.EmptyJID) }

// pairing is one attempt to link a phone.
type pairing struct {
	m      *Messenger
	client *whatsmeow.Client
	phone  string
	show   func(string)
	heard  chan any
	done   chan struct{}
	asked  bool // WhatsApp asked the new device to log in, which it may before we know that it is one
}

// hear passes on what concerns pairing, and leaves messages unconfirmed: they come again, to Run.
func (p *pairing) hear(evt any) bool {
	switch evt.(type) {
	case *events.Message, *events.Receipt, *events.HistorySync:
		return false
	}
	select {
	case p.heard <- evt:
	case <-p.done:
	}
	return true
}

// link shows codes until the phone has answered.
func (p *pairing) link(ctx context.Context) (types.JID, error) {
	var codes []string
	next := time.NewTimer(firstCodeTime) // also the time in which the first codes must come
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return types.EmptyJID, ctx.Err()
		case <-next.C:
			if len(codes) == 0 {
				return types.EmptyJID, errors.New("nobody used the code in time; start again")
			}
			if p.phone == "" {
				p.show(codes[0])
			}
			codes = codes[1:]
			next.Reset(codeTime)
		case evt := <-p.heard:
			switch e := evt.(type) {
			case *events.QR:
				if len(e.Codes) == 0 {
					return types.EmptyJID, errors.New("WhatsApp gave no codes")
				}
				if err := p.first(ctx, e.Codes[0]); err != nil {
					return types.EmptyJID, err
				}
				codes = e.Codes[1:]
				next.Reset(firstCodeTime)
			case *events.ManualLoginReconnect:
				p.asked = true
			case *events.PairSuccess:
				return e.ID, nil
			default:
				if err := failed(evt); err != nil {
					return types.EmptyJID, err
				}
			}
		}
	}
}

// first shows the first QR code, or asks for letters to type.
func (p *pairing) first(ctx context.Context, qr string) error {
	if p.phone == "" {
		p.show(qr)
		return nil
	}
	text, err := p.client.PairPhone(ctx, p.phone, true, whatsmeow.PairClientChrome, "Chrome (Linux)")
	switch {
	case errors.Is(err, whatsmeow.ErrPhoneNumberTooShort), errors.Is(err, whatsmeow.ErrPhoneNumberIsNotInternational):
		return errors.New("write the phone number with its country code, as in +49 151 23456789")
	case err != nil:
		return fmt.Errorf("ask WhatsApp for a code: %w", err)
	}
	p.show(text)
	return nil
}

// failed says why pairing cannot go on; nil for what does not concern it.
func failed(evt any) error {
	switch e := evt.(type) {
	case *events.PairError:
		return fmt.Errorf("link the phone: %w", e.Error)
	case *events.QRScannedWithoutMultidevice:
		return errors.New("the phone's WhatsApp is too old to link devices: update it")
	case *events.PairPasskeyRequest:
		return errors.New("the phone asks for a passkey, which a server does not have: turn that off in WhatsApp → Settings → Account → Passkeys, then start again")
	case *events.ClientOutdated:
		return errors.New("WhatsApp no longer takes this version of Parley: update it, or use the Cloud API")
	case *events.Disconnected:
		return errors.New("WhatsApp closed the connection before a phone was linked; start again")
	case *events.ConnectFailure:
		return fmt.Errorf("WhatsApp refuses the connection (%d %s)", int(e.Reason), e.Message)
	case *events.TemporaryBan:
		return fmt.Errorf("WhatsApp refuses the connection: %s", e)
	}
	return nil
}

// settle logs the new device in, which completes the link on the phone, and makes its keys. Should that fail, Run does it.
func (p *pairing) settle(ctx, living context.Context) {
	restart, late := time.NewTimer(restartTime), time.NewTimer(finishTime)
	defer restart.Stop()
	defer late.Stop()
	again := func() bool {
		restart.Stop()
		p.client.Disconnect()
		err := p.client.ConnectContext(living)
		if err != nil {
			p.m.log.WarnContext(ctx, "whatsapp link not completed yet", "problem", err)
		}
		return err == nil
	}
	if p.asked && !again() {
		return
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-late.C:
			return
		case <-restart.C:
			if !again() {
				return
			}
		case evt := <-p.heard:
			switch evt.(type) {
			case *events.ManualLoginReconnect:
				if !again() {
					return
				}
			case *events.Connected:
				return
			case *events.LoggedOut, *events.Disconnected:
				return
			}
		}
	}
}
