package store

import (
	"context"
	"time"
)

// UpTo brings the schema to an earlier version, for tests of the steps after it.
func (s *Store) UpTo(ctx context.Context, version int64) error {
	p, err := s.provider()
	if err != nil {
		return err
	}
	_, err = p.UpTo(ctx, version)
	return err
}

// SettleIn sets after how long a node asks others for its share of the leases.
func (n *Node) SettleIn(d time.Duration) { n.settle = d }

// AskForShare asks as a node of this process would, and says whether there was anything to ask for.
func (s *Store) AskForShare(ctx context.Context, names []string) (bool, error) {
	return s.askForShare(ctx, names, 1)
}
