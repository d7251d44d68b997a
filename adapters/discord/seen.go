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
	channels map[string]mark
	dirty    map[int]bool
}

// mark is where a channel stands.
type mark struct {
	last  uint64
	guild bool // a channel of a server, where only mentions are for us
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
			last, guild := strings.CutPrefix(m, "g")
			if id := snowflake(last); id > s.channels[channel].last {
				s.channels[channel] = mark{last: id, guild: guild}
			}
		}
		s.mu.Unlock()
	}
	return nil
}

// flush writes what changed.
func (s *seen) flush(ctx context.Context, now time.Time) error {
	s.mu.Lock()
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

func (m mark) String() string {
	if m.guild {
		return "g" + strconv.FormatUint(m.last, 10)
	}
	return strconv.FormatUint(m.last, 10)
}

// advance notes that everything of the channel up to id is stored.
func (s *seen) advance(channel string, id uint64, guild bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m, known := s.channels[channel]; known && m.last >= id {
		return
	}
	s.channels[channel] = mark{last: id, guild: guild}
	s.dirty[shardOf(channel)] = true
}

// meet notes a channel in which the bot spoke first: answers come after id. A channel that is known stays as it is.
func (s *seen) meet(channel string, id uint64, guild bool) {
	s.mu.Lock()
	_, known := s.channels[channel]
	s.mu.Unlock()
	if !known && id > 0 {
		s.advance(channel, id, guild)
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
