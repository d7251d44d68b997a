package store

import (
	"context"
	"fmt"
	"time"
)

// AddParts queues the parts of a message in their order. due may be in the future; the zero time is at once, and is kept as 0: the
// instants of transactions that run side by side on Postgres are not in the order of their commits, so that "now" would still be
// ahead for some.
//
// With handOver the first part may be claimed right away, for this process to send it from memory after the commit; it is
// returned then. That is done only where nothing else of the conversation can be on its way, so that order holds, and where it is known
// when the contact wrote last, or the message is a campaign's: then that is not told, and the network must not need it. Else nil is
// returned, and all parts wait in the table.
func (tx *Tx) AddParts(ctx context.Context, th *Thread, m Message, parts []Part, due time.Time, handOver bool) (handed *Part, err error) {
	now, lane := tx.now.UnixMilli(), LaneOf(m.Class)
	for i, p := range parts {
		key, err := tx.newKey(ctx, inParts)
		if err != nil {
			return nil, fmt.Errorf("queue part: %w", err)
		}
		state, attempts, claimedBy := Queued, int64(0), ""
		if i == 0 && handOver && due.IsZero() && !th.Open && (!th.heard.IsZero() || lane == Campaigns) {
			state, attempts, claimedBy = Sending, 1, tx.process
			handed = &Part{
				Key: key, Thread: th.Key, Merchant: th.Merchant, MessageKey: m.Key, MessageID: m.ID, Author: m.Author, Class: m.Class,
				Account: th.Account, Chat: th.Chat, Text: p.Text, Choices: p.Choices, Image: p.Image, Attempts: 1,
				AddressKey: th.AddressKey, Written: tx.now, Language: th.Contact.Language, Heard: th.heard, Desk: th.DeskOf != 0, Lane: lane,
			}
		}
		tx.add(inParts, key, m.Key, th.Key, th.Account, int64(i), p.Text, choicesText(p.Choices), p.Image, string(state), attempts,
			ms(due), now, claimedBy, int64(lane))
	}
	if len(parts) > 0 {
		th.Open, th.Held = true, th.Held || due.After(tx.now)
		tx.group.saved(th)
	}
	return handed, nil
}
