package store

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"parley/commerce"
	"parley/conversation"
)

// group is the conversations of turns that share a transaction. They are loaded together, and a later turn of a conversation goes on
// from what an earlier one made of it. Its methods do nothing on nil.
type group struct {
	turns   []Turn
	now     int // the turn under way
	threads map[place]*Thread
	loaded  bool                                // those of the turns to come are, so that who is missing in threads does not exist
	current *Thread                             // of the turn under way
	people  map[place]person                    // those who write in conversations that do not exist
	shown   map[string]shown                    // by id, messages whose buttons are pressed by the turns; nil when they were not looked up
	quotes  map[commerce.QuoteID]commerce.Quote // those that the buttons buy
	free    map[int64]bool                      // by key, those of them that no order has used; nil when that was not looked up
}

// place names a chat, or an address, on an account.
type place struct{ account, id string }

func chatOf(t Turn) place { return place{t.Event.Account, t.Event.Chat} }

func senderOf(t Turn) place {
	if t.Event.Sender == "" {
		return chatOf(t)
	}
	return place{t.Event.Account, t.Event.Sender}
}

// forget has all conversations loaded anew: their rows were changed behind their backs.
func (g *group) forget() {
	if g != nil {
		g.threads, g.people, g.loaded = nil, nil, false
	}
}

// saved has a conversation loaded anew for its own turn when another one's turn has written it.
func (g *group) saved(th *Thread) {
	if g != nil && th != g.current {
		g.forget()
	}
}

// changed has other conversations of a person loaded anew whose contact or address was changed, and those to come made with it.
func (g *group) changed(th *Thread) {
	if g == nil {
		return
	}
	for from, p := range g.people {
		if p.contact == th.ContactKey {
			p.who = th.Contact
			if p.key == th.AddressKey {
				p.at.State = th.Address.State
			}
			g.people[from] = p
		}
	}
	for _, other := range g.threads {
		if other != th && (other.ContactKey == th.ContactKey || other.AddressKey == th.AddressKey) {
			g.forget()
			return
		}
	}
}

// quietly runs statements that change conversations' rows in a way that the group knows of.
func (tx *Tx) quietly(fn func() error) error {
	g := tx.group
	tx.group = nil
	defer func() { tx.group = g }()
	return fn()
}

// thread is the conversation of the turn under way, locked. It, its contact and its address are made when they are new.
func (g *group) thread(ctx context.Context, tx *Tx) (*Thread, error) {
	turn := g.turns[g.now]
	if !g.loaded {
		if err := g.load(ctx, tx); err != nil {
			return nil, err
		}
	}
	th := g.threads[chatOf(turn)]
	if th == nil {
		var err error
		if th, err = g.make(ctx, tx, turn); err != nil {
			return nil, err
		}
		g.threads[chatOf(turn)] = th
	}
	if th.Merchant != turn.Merchant {
		return nil, fmt.Errorf("load conversation: %w", ErrNotFound)
	}
	if th.taken { // what runs after the commit may still look at the thread of the earlier turn
		next := *th
		th = &next
		g.threads[chatOf(turn)] = th
	}
	th.taken, g.current = true, th
	return th, nil
}

// load reads the conversations of the turn under way and those to come.
func (g *group) load(ctx context.Context, tx *Tx) error {
	g.threads, g.people = map[place]*Thread{}, map[place]person{}
	wanted := map[place]bool{}
	var chats, senders []place
	for _, t := range g.turns[g.now:] {
		if chat := chatOf(t); !wanted[chat] {
			wanted[chat] = true
			chats = append(chats, chat)
		}
	}
	rows, err := tx.threadsOf(ctx, chats)
	if err != nil {
		return err
	}
	for _, r := range rows {
		g.threads[place{r.Account, r.Chat}] = r.thread()
	}
	g.loaded = true
	tx.expected = len(chats)
	if len(rows) == len(chats) {
		return nil
	}
	for _, t := range g.turns[g.now:] {
		if g.threads[chatOf(t)] == nil {
			senders = append(senders, senderOf(t))
		}
	}
	addresses, err := tx.addressesOf(ctx, senders)
	if err != nil {
		return err
	}
	for _, a := range addresses {
		g.people[place{a.Account, a.NetworkID}] = a.person()
	}
	return nil
}

// On SQLite the places are rows of parameters, which are padded to a power of two with NULL: it equals nothing.
const (
	sqlitePlaces   = `(VALUES %s) w`
	postgresPlaces = `unnest($1::text[], $2::text[]) AS w (column1, column2)`

	lockThreads = `
	SELECT v.key
	FROM ` + postgresPlaces + `
	JOIN conversations v ON v.account = w.column1 AND v.chat = w.column2
	ORDER BY v.key
	FOR UPDATE OF v`

	selectThreadsOf = threadColumns + `,
		COALESCE((SELECT MAX(CASE WHEN p.lane = 1 THEN 2 ELSE 1 END) FROM parts p WHERE p.conversation_key = v.key AND p.state IN ('queued', 'sending')), 0) AS open
	FROM %s
	CROSS JOIN conversations v
	JOIN contacts c ON c.key = v.contact_key
	JOIN addresses a ON a.key = v.address_key
	WHERE v.account = w.column1 AND v.chat = w.column2`

	selectAddressesOf = `
	SELECT a.key, a.contact_key, a.id, a.account, a.channel, a.network_id, a.state, c.id, c.name, c.language,
		c.language_source, c.time_zone, c.time_zone_source, c.external_ids
	FROM %s
	CROSS JOIN addresses a
	JOIN contacts c ON c.key = a.contact_key
	WHERE a.account = w.column1 AND a.network_id = w.column2`
)

// threadsOf loads conversations by their chats and, on Postgres, locks them in the order of their keys. Whether a part is open is
// looked up after that: those who held the lock may have added one.
func (tx *Tx) threadsOf(ctx context.Context, chats []place) ([]threadRow, error) {
	if tx.dialect == Postgres {
		var keys []int64
		if err := tx.list(ctx, "lock conversations", &keys, lockThreads, placeArrays(chats)...); err != nil {
			return nil, err
		}
	}
	return listPlaces(ctx, tx, "load conversations", selectThreadsOf, chats, (*threadRow).scan)
}

type addressRow struct {
	Key, Contact                                             int64
	ID, Account, Channel, NetworkID                          string
	State                                                    conversation.AddressState
	ContactID                                                string
	Name, Language, LanguageSource, TimeZone, TimeZoneSource string
	External                                                 asJSON[map[string]string]
}

func (r *addressRow) scan(scan func(...any) error) error {
	return scan(&r.Key, &r.Contact, &r.ID, &r.Account, &r.Channel, &r.NetworkID, &r.State, &r.ContactID, &r.Name, &r.Language,
		&r.LanguageSource, &r.TimeZone, &r.TimeZoneSource, &r.External)
}

func (r addressRow) person() person {
	return person{key: r.Key, contact: r.Contact,
		who: conversation.Contact{ID: r.ContactID, Name: r.Name, Language: r.Language, LanguageSource: r.LanguageSource,
			TimeZone: r.TimeZone, TimeZoneSource: r.TimeZoneSource, ExternalIDs: r.External.V},
		at: conversation.Address{ID: r.ID, Account: r.Account, Channel: r.Channel, NetworkID: r.NetworkID, State: r.State}}
}

func (tx *Tx) addressesOf(ctx context.Context, senders []place) ([]addressRow, error) {
	return listPlaces(ctx, tx, "find addresses", selectAddressesOf, senders, (*addressRow).scan)
}

// mostPlaces is how many places one statement on SQLite looks for.
const mostPlaces = 64

// listPlaces lists the rows that a query finds for places, which scan reads.
func listPlaces[T any](ctx context.Context, tx *Tx, doing, query string, places []place, scan func(*T, func(...any) error) error) ([]T, error) {
	all := make([]T, 0, len(places))
	one := func(values func(...any) error) error {
		all = append(all, *new(T))
		return scan(&all[len(all)-1], values)
	}
	if tx.dialect == Postgres {
		err := tx.each(ctx, doing, one, fmt.Sprintf(query, postgresPlaces), placeArrays(places)...)
		return all, err
	}
	for len(places) > 0 {
		n := min(len(places), mostPlaces)
		size := roundUp(n)
		args := make([]any, 2*size)
		for i, p := range places[:n] {
			args[2*i], args[2*i+1] = p.account, p.id
		}
		values := fmt.Sprintf(sqlitePlaces, strings.Repeat("(?, ?), ", size-1)+"(?, ?)")
		if err := tx.each(ctx, doing, one, fmt.Sprintf(query, values), manyArgs(args)); err != nil {
			return nil, err
		}
		places = places[n:]
	}
	return all, nil
}

func placeArrays(places []place) []any {
	accounts, ids := make([]string, len(places)), make([]string, len(places))
	for i, p := range places {
		accounts[i], ids[i] = p.account, p.id
	}
	return []any{accounts, ids}
}

// make makes a conversation, and its contact and its address when the sender is new as well.
func (g *group) make(ctx context.Context, tx *Tx, turn Turn) (*Thread, error) {
	e, from, now := turn.Event, senderOf(turn), tx.now.UnixMilli()
	person, known := g.people[from]
	if !known {
		var err error
		if person, err = tx.newPerson(ctx, turn, from); err != nil {
			return nil, err
		}
		g.people[from] = person
	}
	key, err := tx.newKey(ctx, inConversations)
	if err != nil {
		return nil, err
	}
	id := tx.NewID("cnv")
	tx.add(inConversations, key, id, int64(turn.Merchant), e.Account, turn.Channel, e.Chat, person.contact, person.key, now, now)
	th := &Thread{
		Key: key, ID: id, Merchant: turn.Merchant, Account: e.Account, Channel: turn.Channel, Chat: e.Chat, Owner: Bot, Created: tx.now,
		Changed: tx.now, ContactKey: person.contact, Contact: person.who, AddressKey: person.key, Address: person.at,
	}
	th.Contact.ExternalIDs = maps.Clone(person.who.ExternalIDs)
	th.isAsRead()
	return th, nil
}

// person is an address and its contact.
type person struct {
	key, contact int64
	who          conversation.Contact
	at           conversation.Address
}

// newPerson makes an address that wrote to us, and its contact.
func (tx *Tx) newPerson(ctx context.Context, turn Turn, from place) (person, error) {
	p := person{
		who: conversation.Contact{ID: tx.NewID("con"), Name: turn.Event.SenderName, ExternalIDs: map[string]string{}},
		at:  conversation.Address{ID: tx.NewID("adr"), Account: from.account, Channel: turn.Channel, NetworkID: from.id, State: conversation.Verified},
	}
	var err error
	if p.contact, err = tx.newKey(ctx, inContacts); err != nil {
		return p, err
	}
	if p.key, err = tx.newKey(ctx, inAddresses); err != nil {
		return p, err
	}
	merchant, now := int64(turn.Merchant), tx.now.UnixMilli()
	tx.add(inContacts, p.contact, p.who.ID, merchant, p.who.Name, "", "", "", "", "{}", now)
	tx.add(inAddresses, p.key, p.at.ID, merchant, p.contact, p.at.Account, p.at.Channel, p.at.NetworkID, string(p.at.State), now)
	return p, nil
}
