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

const (
	// lookAhead is how many deliveries are looked at before some of them are told: those that need not be told cost little.
	lookAhead = 256
	// looksAtOnce is how often that is done before others have their turn.
	looksAtOnce = 16
	// toldAtOnce is how many are told in one transaction, and toldBetween how many while people write: they wait for it.
	toldAtOnce  = 64
	toldBetween = 4
)

// delivering tells, by one account, those for whom its outbox has room.
type delivering struct {
	house   *House
	account *account
	lane    int64
	room    int
	under   func() error // waits for what is being told; nil when nothing is
}

// occurrence tells up to share watchers of an occurrence, and says how many deliveries it dealt with. While some are being told the
// next are looked up.
func (d *delivering) occurrence(ctx context.Context, key int64, share int) (dealt int, err error) {
	defer func() { err = errors.Join(err, d.wait()) }()
	for _, held := range []bool{true, false} {
		from := int64(0)
		for range looksAtOnce {
			some, last, told, err := d.some(ctx, commerce.DueFilter{
				Merchant: d.account.merchant.ID, Occurrence: key, Lane: d.lane, Held: held, From: from, At: d.house.now(), Limit: lookAhead,
			}, share)
			from = last + 1
			dealt, share, d.room = dealt+some, share-told, d.room-told
			if err != nil {
				return dealt, err
			}
			if some < lookAhead || share <= 0 {
				break
			}
		}
	}
	return dealt, nil
}

// wait waits for what is being told.
func (d *delivering) wait() error {
	if d.under == nil {
		return nil
	}
	err := d.under()
	d.under = nil
	return err
}

// sorted is deliveries by what is to be done about them.
type sorted struct {
	tell, gone, moved []store.Due
	night             map[time.Time][]store.Due // until when they wait
	drop              int
}

// some deals with the next deliveries of a kind: it says how many it did something about, for which watch the last of them was, and
// how many it told or is telling.
func (d *delivering) some(ctx context.Context, f commerce.DueFilter, most int) (dealt int, last int64, told int, err error) {
	var due []store.Due
	var product commerce.Product
	var o commerce.Occurrence
	waits := false
	err = d.house.store.View(ctx, func(tx *store.Tx) error {
		if o, err = tx.Occurrence(ctx, f.Merchant, f.Occurrence); err != nil {
			return err
		}
		if due, err = tx.Due(ctx, f); err != nil || len(due) == 0 {
			return err
		}
		if waits, err = tx.IsArming(ctx, o.Product, o.Event); err != nil {
			return err
		}
		product, err = tx.ProductByKey(ctx, f.Merchant, o.Product)
		return err
	})
	if errors.Is(err, store.ErrNotFound) || err == nil && (waits || len(due) == 0) {
		return 0, 0, 0, nil
	}
	if err != nil {
		return 0, 0, 0, err
	}
	s := d.sort(due, product, o)
	if err := d.spare(ctx, f, s); err != nil {
		return 0, 0, 0, err
	}
	s.tell = d.wave(s.tell, product, o)
	s.tell = s.tell[:min(len(s.tell), most)]
	dealt = len(s.gone) + len(s.moved) + s.drop
	for _, night := range s.night {
		dealt += len(night)
	}
	for len(s.tell) > 0 {
		n := min(len(s.tell), toldAtOnce)
		if d.house.inbox.isAsked() {
			n = min(n, toldBetween)
		}
		if err := d.tell(ctx, f, s.tell[:n]); err != nil {
			return dealt, 0, told, err
		}
		s.tell, dealt, told = s.tell[n:], dealt+n, told+n
	}
	return dealt, due[len(due)-1].Watch.Key, told, nil
}

func (d *delivering) sort(due []store.Due, p commerce.Product, o commerce.Occurrence) sorted {
	a, s := d.account, sorted{night: map[time.Time][]store.Due{}}
	late := p.IsLateWave(o, a.merchant.Policy, d.house.now())
	for _, each := range due {
		switch {
		case each.Why(p) != "":
			s.drop++
			continue
		case each.Account == "":
			s.gone = append(s.gone, each)
			continue
		case each.Account != a.Name:
			s.moved = append(s.moved, each)
			continue
		}
		if each.Watch.NotAtNight || late {
			morning := a.merchant.Quiet.next(d.house.now(), zoneNamed(each.TimeZone, a.merchant.TimeZone))
			if !morning.IsZero() {
				s.night[morning] = append(s.night[morning], each)
				continue
			}
		}
		s.tell = append(s.tell, each)
	}
	return s
}

// wave is who of them may be told now: where the product is scarce, the others wait where they are.
func (d *delivering) wave(tell []store.Due, p commerce.Product, o commerce.Occurrence) []store.Due {
	room := p.TellRoom(o, d.account.merchant.Policy, d.house.now())
	for i, each := range tell {
		if room -= each.Watch.Pieces(); room < 0 {
			return tell[:i]
		}
	}
	return tell
}

// spare does away with what is not told now: it is dropped, or waits elsewhere.
func (d *delivering) spare(ctx context.Context, f commerce.DueFilter, s sorted) error {
	if s.drop == 0 && len(s.gone) == 0 && len(s.moved) == 0 && len(s.night) == 0 {
		return nil
	}
	return d.house.store.Tx(ctx, func(tx *store.Tx) error {
		if s.drop > 0 {
			if _, err := commerce.DropDeliveries(ctx, tx, f); err != nil {
				return err
			}
		}
		if len(s.gone) > 0 {
			if err := tx.FinishDeliveries(ctx, commerce.DropAccount, plain(s.gone)); err != nil {
				return err
			}
		}
		for _, each := range s.moved {
			if err := tx.MoveDelivery(ctx, each.Delivery); err != nil {
				return err
			}
		}
		for morning, ds := range s.night {
			if err := tx.HoldDeliveries(ctx, plain(ds), morning); err != nil {
				return err
			}
		}
		return nil
	})
}

func plain(due []store.Due) []commerce.Delivery {
	out := make([]commerce.Delivery, len(due))
	for i, d := range due {
		out[i] = d.Delivery
	}
	return out
}

// tell has each of some deliveries told, in a turn of its own. What they have in common is read once for all of them. It waits for
// those that were told before, not for these; held ones, which are taken from the beginning each time, are told one batch at a time.
func (d *delivering) tell(ctx context.Context, f commerce.DueFilter, due []store.Due) error {
	h, a := d.house, d.account
	f.Limit, f.From = len(due), due[0].Watch.Key
	common := &shared{filter: f, account: a, loaded: map[*store.Tx]*batchOfAlerts{}}
	turns := make([]store.Turn, len(due))
	for i, each := range due {
		chat, err := d.chat(ctx, each)
		if err != nil {
			return err
		}
		turns[i] = h.internal(a, chat, each.NetworkID, func(ctx context.Context, t *turn) error {
			return t.deliver(ctx, common, each.Watch.Key)
		}, func(ctx context.Context, tx *store.Tx) error {
			return tx.HoldDeliveries(ctx, []commerce.Delivery{each.Delivery}, tx.Now().Add(afterFailure))
		})
	}
	next, err := h.inbox.submitBulk(ctx, turns)
	if err == nil {
		err, d.under = d.wait(), next
	}
	if err == nil && f.Held {
		err = d.wait()
	}
	return err
}

// chat is where a delivery is told.
func (d *delivering) chat(ctx context.Context, due store.Due) (string, error) {
	if _, several := d.account.Messenger.(adapters.Private); !several {
		return due.NetworkID, nil
	}
	var chats []string
	err := d.house.store.View(ctx, func(tx *store.Tx) (err error) {
		chats, err = tx.ChatsOfAddress(ctx, d.account.merchant.ID, due.Watch.Address)
		return err
	})
	return d.account.privately(due.NetworkID, chats), err
}

// privately is the chat in which somebody is told what they asked for. On most networks a private chat has the id of the person;
// elsewhere it is the private one of their chats, or else the one they used last.
func (a *account) privately(person string, chats []string) string {
	network, told := a.Messenger.(adapters.Private)
	for _, chat := range chats {
		if chat == person || told && network.IsPrivate(chat) {
			return chat
		}
	}
	if told && len(chats) > 0 {
		return chats[0]
	}
	return person
}

// shared is what the turns of some deliveries share: in each transaction that runs one of them, what they have in common is read once.
type shared struct {
	filter commerce.DueFilter

	account *account

	mu     sync.Mutex
	loaded map[*store.Tx]*batchOfAlerts // a group that is tried again is another transaction
}

// batchOfAlerts is what the alerts of one transaction share.
type batchOfAlerts struct {
	commerce.Batch
	window bool // the network asks when the contact wrote last, so that none may be handed over
	ahead  int  // how many of them are handed over to the outbox
}

// mayHand says that a message may be handed over.
func (b *batchOfAlerts) mayHand(o *outbox, c conversation.Class, now time.Time) bool {
	return b != nil && !b.window && store.LaneOf(c) == store.Campaigns && o.acceptsAhead(b.ahead, now)
}

// handed counts one that is.
func (b *batchOfAlerts) handed() {
	if b != nil {
		b.ahead++
	}
}

func (b *shared) in(ctx context.Context, tx *store.Tx) (*batchOfAlerts, error) {
	b.mu.Lock()
	loaded := b.loaded[tx]
	b.mu.Unlock()
	if loaded != nil {
		return loaded, nil
	}
	batch, err := commerce.LoadBatch(ctx, tx, b.filter) // without the mutex: it waits for whoever has the product
	if err != nil {
		return nil, err
	}
	loaded = &batchOfAlerts{Batch: batch, window: b.account.limits.Window > 0}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.loaded[tx] = loaded
	return loaded, nil
}

func (t *turn) deliver(ctx context.Context, common *shared, watch int64) error {
	b, err := common.in(ctx, t.tx)
	if err != nil {
		return fmt.Errorf("deliver: %w", err)
	}
	alert, err := b.Tell(ctx, t.tx, watch, t.m.Policy, t.tx.Now())
	if err != nil || alert.Repeat || alert.Dropped != "" {
		return err
	}
	t.alert, t.batch = &alert, b
	vars := t.house.watchVars(alert.Watch, alert.Product, t.th.Contact.Name)
	t.house.quote(vars, alert.Quote)
	vars["was"] = alert.Occurrence.WasPrice.String()
	if alert.Occurrence.WasPrice.IsZero() || alert.Occurrence.WasPrice.Minor <= alert.Product.Price.Minor {
		vars["was"] = ""
	}
	return t.run(ctx, conversation.Event{Kind: conversation.Trigger, Account: t.account.Name, Chat: t.th.Chat, Name: alert.Watch.Event, Vars: vars, At: t.tx.Now()})
}

func zoneOf(c conversation.Contact, otherwise *time.Location) *time.Location {
	return zoneNamed(c.TimeZone, otherwise)
}

func zoneNamed(name string, otherwise *time.Location) *time.Location {
	if name != "" {
		if z, err := time.LoadLocation(name); err == nil {
			return z
		}
	}
	return otherwise
}
