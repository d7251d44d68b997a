package store

import (
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
)

// SQLite moves what was committed from its log into the file at some commit, which then takes up to a second when the file is large.
// The checkpointer does that beside the writer, from a connection of its own. While much is written it never quite gets to
// the end of the log, which would grow for ever: when it is long, the writer is held up for the little that is left, and
// begins the log anew in the place it has. The log is a file of pages, so figures are in pages of 4 KB.
const (
	checkpointPages = 500                   // how much is left in the log before it is moved; more at a time holds up commits for longer
	restartPages    = walCap / 2            // from what length on the log is to begin anew
	walCap          = 16_384                // 64 MB, which the log stays below
	keptLog         = 4 << 20               // bytes that the log may keep while nothing happens
	checkpointPause = 10 * time.Millisecond // between looks at the log
	quietAfter      = time.Second           // without a commit: then all is moved
	fullPause       = 20 * time.Millisecond // between tries to move while the disk is full
)

type checkpointer struct {
	write, own *sqlx.DB
	path       string
	commits    chan struct{} // somebody has committed
	full       chan struct{} // somebody found the disk full
	stop       context.CancelFunc
	ended      chan struct{}
}

func startCheckpointer(write *sqlx.DB, dsn, path string) (*checkpointer, error) {
	// While it waits for readers nobody may write, so it does not wait for long.
	dsn = strings.Replace(dsn, "busy_timeout(10000)", "busy_timeout(100)", 1)
	own, err := openRemembering(dsn+"&_pragma=wal_autocheckpoint(0)", false)
	if err != nil {
		return nil, err
	}
	own.SetMaxOpenConns(1)
	ctx, stop := context.WithCancel(context.Background())
	c := &checkpointer{write: write, own: own, path: path, commits: make(chan struct{}, 1), full: make(chan struct{}, 1), stop: stop, ended: make(chan struct{})}
	go c.run(ctx)
	return c, nil
}

// committed tells that there may be work. It is called after each commit, also on nil.
func (c *checkpointer) committed() {
	if c != nil {
		nudge(c.commits)
	}
}

// diskFull tells that somebody could not write. What the log holds is then moved, at once and until it is, before anything else is
// written: a log that is moved begins anew in the place it has, and would else take the room that somebody makes.
func (c *checkpointer) diskFull() {
	if c != nil {
		nudge(c.full)
	}
}

// close ends the work and waits.
func (c *checkpointer) close() error {
	c.stop()
	<-c.ended
	return c.own.Close()
}

func (c *checkpointer) run(ctx context.Context) {
	defer close(c.ended)
	quiet := time.NewTimer(quietAfter)
	defer quiet.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-quiet.C:
			c.tidy(ctx)
			continue
		case <-c.full:
			if p, err := c.restart(ctx); err != nil || p.Busy != 0 {
				nudge(c.full)
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(fullPause):
			}
			continue
		case <-c.commits:
		}
		quiet.Reset(quietAfter)
		c.move(ctx)
		select {
		case <-ctx.Done():
			return
		case <-time.After(checkpointPause):
		}
	}
}

// pages are the log's length, and how much of it was moved.
type pages struct {
	Busy  int
	Log   int
	Moved int `db:"checkpointed"`
}

// move does what is due. An error, a full disk say, is met by the writer too, who tells: here it is tried again after the next commit.
func (c *checkpointer) move(ctx context.Context) {
	p, err := checkpoint(ctx, c.own, "NOOP")
	long := p.Log >= restartPages
	if err == nil && (p.Log-p.Moved >= checkpointPages || long) { // of a long one, so that the writer is held up for less
		p, err = checkpoint(ctx, c.own, "PASSIVE")
	}
	if err == nil && long {
		_, _ = c.restart(ctx)
	}
}

// restart holds up the writer until all is moved, so that the next commit begins the log anew. A reader who is at it for long, a
// backup, keeps the log growing meanwhile.
func (c *checkpointer) restart(ctx context.Context) (p pages, err error) {
	conn, err := c.write.Connx(ctx)
	if err != nil {
		return p, err
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.ExecContext(ctx, "PRAGMA busy_timeout(50)"); err != nil { // ms that readers are waited for
		return p, err
	}
	p, err = checkpoint(ctx, conn, "RESTART")
	_, back := conn.ExecContext(context.WithoutCancel(ctx), "PRAGMA busy_timeout(10000)")
	return p, errors.Join(err, back)
}

// tidy moves the rest, and gives back the place of a long log.
func (c *checkpointer) tidy(ctx context.Context) {
	if info, err := os.Stat(c.path + "-wal"); err == nil && info.Size() > keptLog {
		_, _ = checkpoint(ctx, c.own, "TRUNCATE")
		return
	}
	_, _ = checkpoint(ctx, c.own, "PASSIVE")
}

func checkpoint(ctx context.Context, on sqlx.QueryerContext, mode string) (p pages, err error) {
	err = sqlx.GetContext(ctx, on, &p, "PRAGMA wal_checkpoint("+mode+")")
	return p, err
}
