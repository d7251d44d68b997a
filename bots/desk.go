package bots

import (
	"context"
	"fmt"
	"strings"
	"time"

	"parley/commerce"
	"parley/conversation"
	"parley/store"
)

// ElsewhereStaff is who has the word after somebody of the shop wrote from a place that does not say who they are: the
// shop's own phone.
const ElsewhereStaff = "staff"

// handOff asks for a person. The bot keeps silent until one gives the conversation back.
func (t *turn) handOff(ctx context.Context, reason string) error {
	if t.th.Owner != store.Bot {
		return nil
	}
	t.th.Owner, t.th.Reason, t.th.Waiting = store.Waiting, clean(reason), t.tx.Now()
	t.showSeen()
	if err := t.mark(ctx, "handed_off"); err != nil {
		return err
	}
	return t.tx.Event(ctx, t.m.ID, "handed_off", t.th.ID, nil)
}

// takeOver gives the word to a person of the staff; whoever has it already keeps it.
func (t *turn) takeOver(ctx context.Context, staff string) error {
	if t.th.Owner == staff {
		return nil
	}
	t.th.Owner, t.th.Waiting = staff, t.tx.Now()
	if err := t.mark(ctx, "taken "+staff); err != nil {
		return err
	}
	return t.tx.Event(ctx, t.m.ID, "taken", t.th.ID, map[string]any{"staff": staff})
}

// spokenElsewhere is staff writing from a place of their own: it stands in the transcript, and takes over.
func (t *turn) spokenElsewhere(ctx context.Context, e conversation.Event) error {
	if err := t.takeOver(ctx, ElsewhereStaff); err != nil {
		return err
	}
	_, err := t.tx.AddMessage(ctx, t.th, store.Message{Author: ElsewhereStaff, Kind: string(e.Kind), Text: clean(e.Text)}, e.ID)
	return err
}

// desk runs a change of who has the word, or what they say, on a conversation.
func (h *House) desk(ctx context.Context, merchant commerce.MerchantID, conversationID string, act func(*turn) error) error {
	return h.inbox.together(ctx, func(ctx context.Context, tx *store.Tx) error {
		th, err := tx.LockThread(ctx, merchant, conversationID)
		if err != nil {
			return err
		}
		a := h.account(th.Account)
		if a == nil || a.merchant.ID != merchant {
			return fmt.Errorf("account %s is no longer in the config: %w", th.Account, commerce.ErrConflict)
		}
		shown := func(t *turn) error { return t.shown(ctx, act(t)) }
		if err := guarded(shown, h.newTurn(a, tx, th, "")); err != nil {
			return err
		}
		return tx.SaveThread(ctx, th)
	})
}

// guarded makes a panic an error, as ApplyTurns does: a bug in one conversation must not take the shop down.
func guarded(act func(*turn) error, t *turn) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in turn: %v", p)
		}
	}()
	return act(t)
}

// Say speaks to the contact as a person of the staff, and takes the conversation over. A text that is empty or too long is a
// *commerce.Invalid. An address that blocked us, or that said stop and has not written since, cannot be written to:
// commerce.ErrConflict.
func (h *House) Say(ctx context.Context, merchant commerce.MerchantID, conversationID, staff, text string) (m store.Message, err error) {
	text = strings.TrimSpace(text)
	switch said := clean(text); {
	case said == "":
		return m, &commerce.Invalid{Field: "text", Problem: "write something first"}
	case len([]rune(text)) > longest:
		return m, &commerce.Invalid{Field: "text", Problem: fmt.Sprintf("the text is longer than %d characters", longest)}
	default:
		text = said
	}
	err = h.desk(ctx, merchant, conversationID, func(t *turn) error {
		switch t.th.Address.State {
		case conversation.Shut:
			return fmt.Errorf("the contact has blocked the bot: %w", commerce.ErrConflict)
		case conversation.Stopped:
			return fmt.Errorf("the contact wants no more messages: %w", commerce.ErrConflict)
		}
		if err := t.takeOver(ctx, staff); err != nil {
			return err
		}
		m, err = t.say(ctx, staff, conversation.Reply{Text: text, Class: conversation.Answer}, nil)
		return err
	})
	if err != nil {
		return store.Message{}, fmt.Errorf("say: %w", err)
	}
	return m, nil
}

// TakeOver gives the word to a person of the staff. Taking what another person has is a commerce.ErrConflict: two people would
// answer at once.
func (h *House) TakeOver(ctx context.Context, merchant commerce.MerchantID, conversationID, staff string) error {
	err := h.desk(ctx, merchant, conversationID, func(t *turn) error {
		if o := t.th.Owner; o != store.Bot && o != store.Waiting && o != staff {
			return fmt.Errorf("somebody else has this conversation: %w", commerce.ErrConflict)
		}
		return t.takeOver(ctx, staff)
	})
	if err != nil {
		return fmt.Errorf("take over: %w", err)
	}
	return nil
}

// Return gives a conversation back to the bot, which says so. Returning what the bot has already is not an error and changes
// nothing.
func (h *House) Return(ctx context.Context, merchant commerce.MerchantID, conversationID, staff string) error {
	err := h.desk(ctx, merchant, conversationID, func(t *turn) error { return t.giveBack(ctx, staff) })
	if err != nil {
		return fmt.Errorf("return to the bot: %w", err)
	}
	return nil
}

// giveBack gives the word to the bot, in the name of a person of the staff.
func (t *turn) giveBack(ctx context.Context, staff string) error {
	if t.th.Owner == store.Bot {
		return nil
	}
	t.th.Owner, t.th.Reason, t.th.Waiting = store.Bot, "", time.Time{}
	if err := t.mark(ctx, "returned "+staff); err != nil {
		return err
	}
	if err := t.tx.Event(ctx, t.m.ID, "returned", t.th.ID, map[string]any{"staff": staff}); err != nil {
		return err
	}
	return t.run(ctx, conversation.Event{Kind: conversation.Returned, Account: t.account.Name, Chat: t.th.Chat, At: t.tx.Now()})
}
