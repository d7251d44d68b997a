package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Why a store cannot be used for a while. Who asked is not at fault, and may ask again.
var (
	// ErrUnavailable is for those who have a reason of their own to send somebody away who wants to store something.
	ErrUnavailable = errors.New("nothing can be stored at the moment")
	// ErrUnwritable comes from Ping: it can be read, but not written.
	ErrUnwritable = errors.New("the database cannot be written")
	// ErrDiskFull is an ErrUnwritable that somebody has to do something about.
	ErrDiskFull = fmt.Errorf("%w: its disk is full", ErrUnwritable)
)

// Unavailable says that what failed may succeed when it is asked for again: the database itself is at fault.
func Unavailable(err error) bool {
	return errors.Is(err, ErrUnavailable) || isUnavailable(err) || isTransient(err)
}

// staleTrouble is after what time without another one a failure to write says nothing of the present.
const staleTrouble = 10 * time.Second

// trouble remembers that the last transaction could not be written.
type trouble struct {
	mu  sync.Mutex
	err error // nil when it could
	at  time.Time
}

// note hears what became of a transaction. A failure of those who asked for it says nothing of the database.
func (t *trouble) note(err error, now time.Time) {
	if err != nil && !isUnavailable(err) {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil {
		t.err = nil
		return
	}
	t.at, t.err = now, fmt.Errorf("%w: %w", ErrUnwritable, err)
	if isDiskFull(err) {
		t.err = fmt.Errorf("%w: %w", ErrDiskFull, err)
	}
}

func (t *trouble) now(now time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now.Sub(t.at) > staleTrouble {
		return nil
	}
	return t.err
}

func isDiskFull(err error) bool {
	var pg *pgconn.PgError
	var lite *sqlite.Error
	return errors.As(err, &pg) && pg.Code == "53100" || errors.As(err, &lite) && lite.Code()&0xff == sqlite3.SQLITE_FULL
}

// Ping says whether the database answers, and whether what was last written got through.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	if err := s.read.GetContext(ctx, &one, "SELECT 1"); err != nil {
		return err
	}
	return s.trouble.now(s.now())
}
