package bots

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"parley/adapters"
	"parley/commerce"
	"parley/conversation"
	"parley/store"
)

// People who wait for an answer that takes its time are shown that somebody writes. It is best effort: nothing waits for it, what
// does not fit is left out, and while a network asks us to wait it is not called for this either.

const (
	typingEvery = 4 * time.Second // per chat; networks show it a little longer
	typingTime  = 3 * time.Second // for one call
	typists     = 4               // calls at once
)

// typing is what is to be shown as being written.
type typing struct {
	queue chan chatOf

	mu   sync.Mutex
	last map[string]time.Time // by account and chat
}

// chatOf is a chat on an account.
type chatOf struct {
	account *account
	chat    string
}

// chatsTyped is how many chats are remembered: more at once are answered late by something worse than a missing sign.
const chatsTyped = 10_000

func newTyping() *typing { return &typing{queue: make(chan chatOf, 64), last: map[string]time.Time{}} }

// due says that a chat is to be shown it again, and notes that it was.
func (t *typing) due(c chatOf, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	name := c.account.Name + "\x00" + c.chat
	if last, ok := t.last[name]; ok && now.Sub(last) < typingEvery {
		return false
	}
	if len(t.last) >= chatsTyped {
		clear(t.last)
	}
	t.last[name] = now
	return true
}

// types has a chat shown that an answer is being written. It does not wait.
func (h *House) types(a *account, chat string) {
	c := chatOf{a, chat}
	if _, ok := a.Messenger.(adapters.Typer); !ok || !a.limits.Typing || !h.typing.due(c, h.now()) {
		return
	}
	select {
	case h.typing.queue <- c:
	default:
	}
}

// runTyping calls the networks until ctx ends.
func (h *House) runTyping(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	for range typists {
		all.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case c := <-h.typing.queue:
					if err := typed(ctx, c); err != nil {
						h.log.DebugContext(ctx, "typing not shown", "account", c.account.Name, "err", err)
					}
				}
			}
		})
	}
}

// typed makes a panic of an adapter an error.
func typed(ctx context.Context, c chatOf) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in the adapter: %v", p)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, typingTime)
	defer cancel()
	typer, ok := c.account.Messenger.(adapters.Typer)
	if !ok {
		return errors.New("the account cannot show it")
	}
	return typer.Typing(ctx, c.chat)
}

// typesWhilePaying shows the buyer of an order that somebody is at work, for as long as the provider takes.
func (h *House) typesWhilePaying(ctx context.Context, merchant commerce.MerchantID, order commerce.OrderID) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var showing sync.WaitGroup
	showing.Go(func() {
		if wait(ctx, soon) != nil {
			return // it was quick, as mostly
		}
		a, chat := h.buyersChat(ctx, merchant, order)
		for a != nil {
			h.types(a, chat)
			if wait(ctx, typingEvery) != nil {
				return
			}
		}
	})
	return func() { cancel(); showing.Wait() }
}

// buyersChat is where the outcome of an order is waited for; nil when nobody waits.
func (h *House) buyersChat(ctx context.Context, merchant commerce.MerchantID, order commerce.OrderID) (*account, string) {
	var thread int64
	err := h.store.View(ctx, func(tx *store.Tx) (err error) {
		thread, _, err = tx.Awaited(ctx, merchant, string(order))
		return err
	})
	if err != nil {
		return nil, ""
	}
	th, a, err := h.threadOf(ctx, merchant, thread)
	if err != nil || a == nil {
		return nil, ""
	}
	return a, th.Chat
}

// typesUntilSent shows somebody who waits for an answer that it is on its way, when it has to be sent once more.
func (h *House) typesUntilSent(a *account, p store.Part) {
	switch p.Class {
	case conversation.Answer, conversation.ReceiptClass, "":
		if !p.Desk && !p.Edit {
			h.types(a, p.Chat)
		}
	}
}

// wait returns early, with its error, when ctx ends.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
