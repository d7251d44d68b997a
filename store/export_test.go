package store

import "context"

// UpTo brings the schema to an earlier version, for tests of the steps after it.
func (s *Store) UpTo(ctx context.Context, version int64) error {
	p, err := s.provider()
	if err != nil {
		return err
	}
	_, err = p.UpTo(ctx, version)
	return err
}
