package bots

import (
	"sync"
	"sync/atomic"
	"time"

	"parley/adapters"
	"parley/conversation"
	"parley/store"
)

const (
	// senders is how many parts of an account are with its network at once, and campaignSenders how many of them may be campaigns:
	// an answer always finds a sender.
	senders         = 32
	campaignSenders = senders * 3 / 4
	// answersAhead is how many parts an account has in memory at most when an answer is taken in right after its commit, or from the
	// table. To fetch one from there costs a tenth of a turn, and later ones have to wait until that is done.
	answersAhead = 1024
	// claimedAtOnce is how many of them one look at the table takes in.
	claimedAtOnce = 4 * senders
	// campaignAhead is how many parts of campaigns an account has in memory at most, with the network or about to be: enough to keep
	// the senders at work while the next are claimed. After a crash they count as interrupted, where answers are just sent again.
	campaignAhead = 4 * senders
	// campaignWindow is how many parts of campaigns wait in the table before a fan-out pauses.
	campaignWindow = 512
)

// outbox is what an account has in memory to be sent. The table has all of it too, marked as under way, and is where it is found
// again when this process ends. Whoever knows that the table holds more wakes it; its pump (runOutbox) then claims that.
type outbox struct {
	wake    chan struct{}  // the table may hold something to send
	results chan struct{}  // something was sent, and is to be noted
	sending sync.WaitGroup // senders that are at work
	broken  bool           // it was reported that the account does not work; the pump's own
	unnoted []result       // what the last pump could not note, when it lost the account while the database was away
	// campaigns is about how many parts of campaigns are queued in the table.
	campaigns atomic.Int64
	// full says that a fan-out waits for room: the clock is to be woken when there is some.
	full atomic.Bool

	mu     sync.Mutex
	open   bool // it takes parts
	behind bool // the table holds answers that found no room here: later ones must not pass them by
	sender
	pacer  *pacer
	paused time.Time          // the network asked the whole account to wait until then
	under  map[int64]struct{} // the keys of all parts that are here, until what became of them is noted
	held   [store.Lanes]int   // how many of them there are
	queues [store.Lanes]fifo  // to be begun
	paced  []pacedPart        // to be begun in a moment
	busy   [store.Lanes]int   // at senders
	done   []result           // to be noted
	idle   chan store.Part    // to senders that have nothing to do; closed when none is to come any more
	idlers int                // how many of them are not given anything yet
}

// sender is what an outbox is started with.
type sender struct {
	send func(store.Part) result
	give func(store.Part) // puts back a part that came too late
	// counted is what a chat counts as towards the pace, and whether several people are in it.
	counted func(chat string) (bucket string, group bool)
}

// pacedPart waits for its turn.
type pacedPart struct {
	part store.Part
	at   time.Time
}

func newOutbox(p adapters.Pace) *outbox {
	return &outbox{
		wake: make(chan struct{}, 1), results: make(chan struct{}, 1), pacer: newPacer(p), under: map[int64]struct{}{},
	}
}

// start has the outbox take parts and send them, until shut. What it had when it was shut is forgotten: the table is what counts.
func (o *outbox) start(s sender) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.open, o.behind, o.sender, o.paused = true, false, s, time.Time{}
	o.idle, o.idlers = make(chan store.Part, senders), 0
	clear(o.under)
	o.held, o.busy, o.queues, o.paced, o.done = [store.Lanes]int{}, [store.Lanes]int{}, [store.Lanes]fifo{}, nil, nil
}

// setPace puts another pace in force.
func (o *outbox) setPace(p adapters.Pace) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.pacer.pace != p {
		o.pacer = newPacer(p)
	}
}

// accepts says that the first part of a message of the class may be handed over right after its commit, by take. It stays in the
// table when there is no room, the network has asked to wait, or others wait there already. It is for answers: after a crash they are
// sent again, whether or not they had left.
func (o *outbox) accepts(c conversation.Class, now time.Time) bool {
	if c != conversation.Answer && c != "" {
		return false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.open && !o.behind && len(o.under) < answersAhead && !o.paused.After(now) &&
		o.pacer.account.wait(o.pacer.pace.Account, now) == 0
}

// acceptsAhead is accepts for campaigns, of which a commit under way hands over some already: after a crash they count as interrupted, as
// those do that were claimed, so that no more wait here for a sender than could be claimed. Those in the table are not passed by.
func (o *outbox) acceptsAhead(handed int, now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	unsent := o.queues[store.Campaigns].len() + o.busy[store.Campaigns] + len(o.paced) + handed
	if !o.open || o.campaigns.Load() > 0 || o.paused.After(now) || unsent >= campaignAhead || o.held[store.Campaigns]+handed >= campaignWindow {
		return false
	}
	n, _ := o.pacer.room(store.Campaigns, handed+1, now)
	return n > handed
}

// take is given a part that its commit marked as under way. It does not wait.
func (o *outbox) take(p store.Part, now time.Time) {
	o.mu.Lock()
	if !o.open {
		give := o.give
		o.mu.Unlock()
		if give != nil {
			give(p)
		}
		return
	}
	o.admit(p, now)
	o.mu.Unlock()
}

// admit takes a part in: it is sent now, or in a moment by the account's pace, or put back until then.
func (o *outbox) admit(p store.Part, now time.Time) {
	if _, here := o.under[p.Key]; here {
		return
	}
	o.under[p.Key] = struct{}{}
	o.held[p.Lane]++
	if !o.open || o.paused.After(now) {
		o.finish(result{part: p, state: store.Queued, release: true})
		return
	}
	bucket, group := o.counted(p.Chat)
	wait, ok := o.pacer.take(p.Lane, bucket, group, now)
	switch {
	case !ok:
		o.finish(result{part: p, state: store.Queued, held: true, due: now.Add(wait)})
	case wait > 0:
		o.paced = append(o.paced, pacedPart{p, now.Add(wait)})
		nudge(o.results) // the pump minds the time
	default:
		o.queues[p.Lane].push(p)
		o.dispatch(now)
	}
}

// dispatch gives what waits to senders that are free: to those that are idle first, whose stacks have grown already.
func (o *outbox) dispatch(now time.Time) {
	for {
		p, ok := o.next(now)
		if !ok {
			return
		}
		o.sending.Add(1)
		if o.idlers > 0 {
			o.idlers--
			o.idle <- p // has room for each of them
		} else {
			go o.sendFrom(p, o.idle)
		}
	}
}

// next is the part to be begun now, if there is one and a sender is free: receipts, then answers, then campaigns within their share.
func (o *outbox) next(now time.Time) (store.Part, bool) {
	if !o.open || o.paused.After(now) || o.busy[store.Answers]+o.busy[store.Campaigns]+o.busy[store.Receipts] >= senders {
		return store.Part{}, false
	}
	for _, lane := range [...]store.Lane{store.Receipts, store.Answers, store.Campaigns} {
		if o.queues[lane].len() > 0 && (lane != store.Campaigns || o.busy[lane] < campaignSenders) {
			o.busy[lane]++
			return o.queues[lane].pop(), true
		}
	}
	return store.Part{}, false
}

// sendFrom is a sender: it sends a part and then whatever waits, and is idle when nothing does, until the outbox is shut.
func (o *outbox) sendFrom(p store.Part, idle chan store.Part) {
	for more := true; more; {
		r := o.send(p)
		now := r.at
		o.mu.Lock()
		o.busy[p.Lane]--
		o.finish(r)
		if r.pause.After(o.paused) {
			o.paused = r.pause
			o.putBack()
		}
		if r.throttled && r.pause.IsZero() {
			bucket, _ := o.counted(p.Chat)
			o.pacer.pause(bucket, r.due, now)
		}
		p, more = o.next(now)
		wait := !more && o.idle == idle // else the outbox was started anew, with senders of its own
		if wait {
			o.idlers++
		}
		o.mu.Unlock()
		if !more {
			o.sending.Done()
		}
		if wait {
			p, more = <-idle
		}
	}
}

// finish has a result noted.
func (o *outbox) finish(r result) {
	o.done = append(o.done, r)
	nudge(o.results)
}

// putBack puts what was not begun back into the table: as it was before it was claimed.
func (o *outbox) putBack() {
	for lane := range o.queues {
		for o.queues[lane].len() > 0 {
			o.finish(result{part: o.queues[lane].pop(), state: store.Queued, release: true})
		}
	}
	for _, w := range o.paced {
		o.finish(result{part: w.part, state: store.Queued, release: true})
	}
	o.paced = nil
}

// shut ends the taking; what was not begun is put back. What is with the network goes on: wait for sending.
func (o *outbox) shut() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.open {
		close(o.idle)
	}
	o.open = false
	o.putBack()
}

// beginPaced begins what has waited for its turn, and says when the next one has.
func (o *outbox) beginPaced(now time.Time) (next time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	waiting := o.paced[:0]
	for _, w := range o.paced {
		switch {
		case !w.at.After(now):
			o.queues[w.part.Lane].push(w.part)
			continue
		case next.IsZero() || w.at.Before(next):
			next = w.at
		}
		waiting = append(waiting, w)
	}
	clear(o.paced[len(waiting):])
	o.paced = waiting
	o.dispatch(now)
	return next
}

// collect adds the results that are to be noted to others.
func (o *outbox) collect(others []result) []result {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := append(others, o.done...)
	o.done = emptied(o.done)
	return all
}

// emptied is a list to be filled again, whose room is kept while it is small.
func emptied(results []result) []result {
	if cap(results) > 4*senders {
		return nil
	}
	clear(results)
	return results[:0]
}

// quota is how many parts of each lane may be claimed now, when ending of them are about to be noted; and when there will be room, if
// only the pace leaves none.
func (o *outbox) quota(ending []result, repeatable bool, now time.Time) (quota [store.Lanes]int, again time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.open {
		return quota, time.Time{}
	}
	if o.paused.After(now) {
		return quota, o.paused
	}
	free := [store.Lanes]int{store.Answers: answersAhead, store.Campaigns: campaignAhead, store.Receipts: 1}
	if repeatable {
		free[store.Receipts] = claimedAtOnce
	}
	for lane := range free {
		free[lane] -= o.held[lane]
	}
	for _, r := range ending {
		free[r.part.Lane]++
	}
	free[store.Answers] = min(free[store.Answers], claimedAtOnce)
	for lane := range store.Lanes {
		if free[lane] <= 0 {
			continue
		}
		n, wait := o.pacer.room(lane, free[lane], now)
		quota[lane] = n
		if at := now.Add(wait); n == 0 && (again.IsZero() || at.Before(again)) {
			again = at
		}
	}
	return quota, again
}

// noted forgets parts whose results are in the table.
func (o *outbox) noted(results []result) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, r := range results {
		delete(o.under, r.part.Key)
		o.held[r.part.Lane]--
	}
}

// claimed takes parts from the table in. behind says that it holds more answers than there was room for.
func (o *outbox) claimed(parts []store.Part, behind bool, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.behind = behind
	for _, p := range parts {
		if p.Lane == store.Campaigns {
			o.campaigns.Add(-1)
		}
		o.admit(p, now)
	}
}

// has says that a part is here.
func (o *outbox) has(key int64) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, here := o.under[key]
	return here
}

// room is how many parts of campaigns may be queued now.
func (o *outbox) room() int { return max(0, campaignWindow-int(o.campaigns.Load())) }

// fifo is a queue of parts.
type fifo struct {
	parts []store.Part
	first int
}

func (q *fifo) len() int { return len(q.parts) - q.first }

func (q *fifo) push(p store.Part) {
	if q.first > 0 && len(q.parts) == cap(q.parts) { // rather than grow
		n := copy(q.parts, q.parts[q.first:])
		clear(q.parts[n:])
		q.parts, q.first = q.parts[:n], 0
	}
	q.parts = append(q.parts, p)
}

func (q *fifo) pop() store.Part {
	p := q.parts[q.first]
	q.parts[q.first] = store.Part{}
	if q.first++; q.first == len(q.parts) {
		q.parts, q.first = q.parts[:0], 0
	}
	return p
}
