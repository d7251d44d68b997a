package slack

import (
	"cmp"
	"context"
	"sync"
	"time"

	slackgo "github.com/slack-go/slack"
)

const (
	// courtesy is how long a call may take that something better waits for: Slack wants its event taken within 3 s.
	courtesy = time.Second

	namesHold       = 24 * time.Hour // a profile may change
	namesRetry      = 10 * time.Minute
	peopleInMemory  = 10_000
	scopeOfProfiles = "users:read"
)

// member is what a profile tells of somebody.
type member struct {
	name   string // as the workspace shows it; "" when Slack did not tell
	locale string // "de-DE"; "" when Slack did not tell
	until  time.Time
}

// members are the profiles that were asked for.
type members struct {
	mu    sync.Mutex
	known map[string]member
}

// member asks who somebody is: an event brings no more than an id. Without an answer in time, or without the scope, they stay
// nameless for a while.
func (m *Messenger) member(ctx context.Context, id string) member {
	now := m.now()
	m.members.mu.Lock()
	known, ok := m.members.known[id]
	m.members.mu.Unlock()
	if ok && now.Before(known.until) {
		return known
	}
	ctx, cancel := context.WithTimeout(ctx, courtesy)
	defer cancel()
	user, err := m.api.user(ctx, id)
	if err != nil {
		known.until = now.Add(namesRetry) // an old name is better than none
		m.log.InfoContext(ctx, "slack does not tell a member's name, which takes the scope "+scopeOfProfiles, "problem", err)
	} else {
		known = member{
			name:   cmp.Or(line(user.Profile.DisplayName), line(user.Profile.RealName), line(user.RealName), line(user.Name)),
			locale: user.Locale, until: now.Add(namesHold),
		}
	}
	m.members.mu.Lock()
	defer m.members.mu.Unlock()
	if m.members.known == nil || len(m.members.known) >= peopleInMemory {
		m.members.known = map[string]member{}
	}
	m.members.known[id] = known
	return known
}

func (a *api) user(ctx context.Context, id string) (user *slackgo.User, err error) {
	err = a.do(ctx, func(ctx context.Context, c *slackgo.Client) error {
		user, err = c.GetUserInfoContext(ctx, id)
		return err
	})
	return user, err
}
