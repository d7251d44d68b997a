package telegram

import (
	"context"
	"errors"
	"strconv"
	"sync"
)

// stateMoved and the old id is where a group went that became a supergroup.
const stateMoved = "moved:"

// moves remembers where groups went: Telegram gives a group that becomes a supergroup another id, and refuses the old one from
// then on. Whoever names the old one is carried to the new.
type moves struct {
	mu sync.Mutex
	to map[int64]int64 // 0: it is where it was
}

// firstSupergroup is the highest id that a supergroup or channel has; groups are above it and below 0.
const firstSupergroup = -1_000_000_000_000

func isGroup(chat int64) bool { return chat < 0 && chat > firstSupergroup }

// place is the id that a chat has now.
func (m *Messenger) place(ctx context.Context, chat int64) int64 {
	if !isGroup(chat) {
		return chat
	}
	m.moves.mu.Lock()
	to, known := m.moves.to[chat]
	m.moves.mu.Unlock()
	if !known {
		text, err := m.load(ctx, stateMoved+strconv.FormatInt(chat, 10))
		if err != nil {
			return chat // the old id is refused, and the refusal tells the new one
		}
		if text != "" {
			if to, err = strconv.ParseInt(text, 10, 64); err != nil {
				m.log.WarnContext(ctx, "telegram group's new id not understood", "chat", chat, "problem", err)
			}
		}
		m.moves.keep(chat, to)
	}
	if to == 0 {
		return chat
	}
	return to
}

func (s *moves) keep(chat, to int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.to == nil {
		s.to = map[int64]int64{}
	}
	s.to[chat] = to
}

// migration is Telegram's news that a group became a supergroup.
type migration struct{ from, to int64 }

// migrated reads the news, which comes once in the old group and once in the new; nil for every other message.
func migrated(msg *message) *migration {
	switch {
	case msg == nil || msg.Chat == nil:
		return nil
	case msg.MovedTo != 0:
		return &migration{msg.Chat.ID, msg.MovedTo}
	case msg.MovedFrom != 0:
		return &migration{msg.MovedFrom, msg.Chat.ID}
	}
	return nil
}

// move notes that a group has become a supergroup.
func (m *Messenger) move(ctx context.Context, chat, to int64) {
	if !isGroup(chat) || to == 0 || m.place(ctx, chat) == to {
		return
	}
	m.moves.keep(chat, to)
	m.log.InfoContext(ctx, "telegram group became a supergroup", "chat", chat, "new", to)
	if err := m.save(ctx, stateMoved+strconv.FormatInt(chat, 10), strconv.FormatInt(to, 10)); err != nil {
		m.log.WarnContext(ctx, "telegram group's new id not saved", "chat", chat, "problem", err) // a refusal will tell it again
	}
}

// at calls with the id that a chat has now, and once more when the call is told of another.
func (m *Messenger) at(ctx context.Context, chat int64, call func(chat int64) error) error {
	err := call(m.place(ctx, chat))
	var refused *callError
	if !errors.As(err, &refused) || refused.MovedTo == 0 {
		return err
	}
	m.move(ctx, chat, refused.MovedTo)
	return call(refused.MovedTo)
}
