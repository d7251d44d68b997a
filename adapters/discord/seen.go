package discord

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	seenShards = 64
	// seenFor is how long a channel in which nothing happens is remembered.
	seenFor = 180 * 24 * time.Hour
)

// seen is the last message stored of each channel, so that what was missed can be asked for. It is kept in the account's
// state in shards, of which a message rewrites one.
type seen struct {
	load func(ctx context.Context, key string) (string, error)
	save func(ctx context.Context, key, value string) error

	mu       sync.Mutex
	opened   bool
	channels map[string]mark
	dirty    map[int]bool
}

// mark is where a channel stands.
type mark struct {
	last   uint64
	guild  bool   // a channel of a server, where only mentions are for us
	parent string // of a thread that the bot opened, where everything is for us; "" for others
}

func newSeen(load func(context.Context, string) (string, error), save func(context.Context, string, string) error) *seen {
	return &seen{load: load, save: save, channels: map[string]mark{}, dirty: map[int]bool{}}
}

// open reads the account's state.
func (s *seen) open(ctx context.Context) error {
	for shard := range seenShards {
		text, err := s.load(ctx, shardKey(shard))
		if err != nil {
			return err
		}
		if text == "" {
			continue
		}
		var kept map[string]string
		if json.Unmarshal([]byte(text), &kept) != nil {
			continue // nobody but us writes it; without it, less is asked for
		}
		s.mu.Lock()
		for channel, m := range kept {
			if at := readMark(m); at.last > s.channels[channel].last {
				s.channels[channel] = at
			}
		}
		s.mu.Unlock()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opened = true
	return nil
}

// flush writes what changed. Before the state was read it only waits: a shard is written as a whole.
func (s *seen) flush(ctx context.Context, now time.Time) error {
	s.mu.Lock()
	if !s.opened {
		s.mu.Unlock()
		return nil
	}
	changed := map[int]map[string]string{}
	for shard := range s.dirty {
		changed[shard] = map[string]string{}
	}
	for channel, m := range s.channels {
		if kept := changed[shardOf(channel)]; kept != nil && now.Sub(when(m.last)) < seenFor {
			kept[channel] = m.String()
		}
	}
	clear(s.dirty)
	s.mu.Unlock()
	for shard, kept := range changed {
		text, err := json.Marshal(kept)
		if err == nil {
			err = s.save(ctx, shardKey(shard), string(text))
		}
		if err != nil {
			s.mu.Lock()
			for shard := range changed {
				s.dirty[shard] = true
			}
			s.mu.Unlock()
			return err
		}
	}
	return nil
}

// String is 5 for direct messages, g5 in a server, t7:5 in a thread of the bot's own in channel 7.
func (m mark) String() string {
	last := strconv.FormatUint(m.last, 10)
	switch {
	case m.parent != "":
		return "t" + m.parent + ":" + last
	case m.guild:
		return "g" + last
	}
	return last
}

// readMark is the inverse of String; it gives a mark of 0 for what is none.
func readMark(text string) mark {
	if thread, ok := strings.CutPrefix(text, "t"); ok {
		parent, last, _ := strings.Cut(thread, ":")
		return mark{last: snowflake(last), guild: true, parent: parent}
	}
	last, guild := strings.CutPrefix(text, "g")
	return mark{last: snowflake(last), guild: guild}
}

// advance notes that everything of the channel up to a mark is stored.
func (s *seen) advance(channel string, to mark) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m, known := s.channels[channel]; known && m.last >= to.last {
		return
	}
	s.channels[channel] = to
	s.dirty[shardOf(channel)] = true
}

// meet notes a channel in which the bot spoke first: answers come after the mark. A channel that is known stays as it is.
func (s *seen) meet(channel string, at mark) {
	s.mu.Lock()
	_, known := s.channels[channel]
	s.mu.Unlock()
	if !known && at.last > 0 {
		s.advance(channel, at)
	}
}

// forget drops a channel that is gone.
func (s *seen) forget(channel string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.channels, channel)
	s.dirty[shardOf(channel)] = true
}

func (s *seen) mark(channel string) (mark, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, known := s.channels[channel]
	return m, known
}

// all lists the channels, the latest active first.
func (s *seen) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]string, 0, len(s.channels))
	for channel := range s.channels {
		out = append(out, channel)
	}
	slices.SortFunc(out, func(a, b string) int {
		return cmp.Or(cmp.Compare(s.channels[b].last, s.channels[a].last), strings.Compare(a, b))
	})
	return out
}

func shardKey(shard int) string { return "seen." + strconv.Itoa(shard) }

// shardOf spreads channels by the time at which they were made, of which ids have the milliseconds.
func shardOf(channel string) int { return int(snowflake(channel) >> 22 % seenShards) }

// snowflake reads an id of Discord; 0 for what is none.
func snowflake(id string) uint64 {
	n, err := strconv.ParseUint(id, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// when is the time that an id holds.
func when(id uint64) time.Time {
	if id == 0 {
		return time.Time{}
	}
	const epoch = 1420070400000 // 2015, in milliseconds
	return time.UnixMilli(int64(id>>22) + epoch).UTC()
}
