// Package storetest opens stores for tests, on SQLite always and on a Postgres that it starts by itself, and holds the checks
// that a store passes on both.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"go.uber.org/goleak"

	"parley/store"
)

// Required says that PARLEY_REQUIRE names a part, so that a test which misses it fails instead of being skipped.
func Required(part string) bool {
	return slices.Contains(strings.Split(os.Getenv("PARLEY_REQUIRE"), ","), part)
}

// Missing skips the test with a sentence, or fails it when PARLEY_REQUIRE names the part.
func Missing(t testing.TB, part, why string) {
	t.Helper()
	if Required(part) {
		t.Fatalf("%s is required by PARLEY_REQUIRE, but %s", part, why)
	}
	t.Skipf("skipped: %s; install it, or see `make doctor`", why)
}

// Each runs a test on every database: SQLite always, Postgres where Debian's server is installed.
func Each(t *testing.T, test func(t *testing.T, open func(t *testing.T) *store.Store)) {
	t.Run("sqlite", func(t *testing.T) { test(t, SQLite) })
	t.Run("postgres", func(t *testing.T) {
		PostgresURL(t) // skips here, once, when there is none
		test(t, Postgres)
	})
}

// SQLite opens an empty store in a file of the test's own folder.
func SQLite(t *testing.T) *store.Store {
	t.Helper()
	return opened(t, "sqlite://"+filepath.Join(t.TempDir(), "parley.db"))
}

// Postgres opens an empty store in a database of its own.
func Postgres(t *testing.T) *store.Store {
	t.Helper()
	return opened(t, PostgresURL(t))
}

func opened(t *testing.T, dsn string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), dsn, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// shared is the Postgres of this test process: started when first asked for, stopped by StopPostgres.
var shared struct {
	once    sync.Once
	server  *Server
	missing string
	err     error
	next    atomic.Int64
}

// PostgresURL makes an empty database and returns its URL. It skips the test, or fails it when PARLEY_REQUIRE says so, where no
// server is installed. A package that uses it ends the server in its TestMain by StopPostgres.
func PostgresURL(t testing.TB) string {
	t.Helper()
	shared.once.Do(func() { shared.server, shared.missing, shared.err = newServer() })
	found(t, shared.missing, shared.err)
	name := fmt.Sprintf("test%d", shared.next.Add(1))
	if err := shared.server.create(name); err != nil {
		t.Fatal(err)
	}
	return shared.server.URL(name)
}

func found(t testing.TB, missing string, err error) {
	t.Helper()
	if missing != "" {
		Missing(t, "postgres", missing)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// StopPostgres ends the server and removes its folder. Without a server it does nothing.
func StopPostgres() {
	if shared.server != nil {
		shared.server.remove()
	}
}

// Server is a Postgres in a folder of its own, with a socket in it and no TCP.
type Server struct {
	dir, bin string
	as       *syscall.Credential // whom it runs as; nil for us
	cmd      *exec.Cmd           // nil while it is down
}

// OwnServer starts a Postgres for one test, which may Crash and Start it, with one empty database.
func OwnServer(t testing.TB) (server *Server, url string) {
	t.Helper()
	server, missing, err := newServer()
	if server != nil {
		t.Cleanup(server.remove)
	}
	found(t, missing, err)
	if err := server.create("own"); err != nil {
		t.Fatal(err)
	}
	return server, server.URL("own")
}

// newServer runs initdb and the server. The server refuses to run as root, so root runs it as the user postgres that Debian's
// package made. missing says that no server is installed.
func newServer() (s *Server, missing string, err error) {
	bins, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(bins) == 0 {
		return nil, "no PostgreSQL server is installed under /usr/lib/postgresql", nil
	}
	s = &Server{bin: filepath.Dir(bins[len(bins)-1])}
	if os.Geteuid() == 0 {
		who, err := user.Lookup("postgres")
		if err != nil {
			return nil, "there is no user postgres to run the server as", nil
		}
		uid, _ := strconv.Atoi(who.Uid)
		gid, _ := strconv.Atoi(who.Gid)
		s.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	if s.dir, err = os.MkdirTemp("", "parley-pg"); err != nil {
		return nil, "", err
	}
	if s.as != nil {
		if err := os.Chown(s.dir, int(s.as.Uid), int(s.as.Gid)); err != nil {
			return s, "", err
		}
	}
	initdb := exec.Command(filepath.Join(s.bin, "initdb"), "-D", s.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "-N")
	initdb.SysProcAttr, initdb.Dir = &syscall.SysProcAttr{Credential: s.as}, s.dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return s, "", fmt.Errorf("initdb: %w: %s", err, out)
	}
	return s, "", s.Start()
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// URL is the address of a database.
func (s *Server) URL(database string) string {
	q := url.Values{"host": {s.dir}, "user": {"postgres"}}
	return "postgres:///" + database + "?" + q.Encode()
}

// Start starts the server and returns once it answers.
func (s *Server) Start() error {
	cmd := exec.Command(filepath.Join(s.bin, "postgres"), "-D", s.data(), "-k", s.dir,
		"-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=200")
	cmd.SysProcAttr, cmd.Dir = &syscall.SysProcAttr{Pdeathsig: syscall.SIGQUIT, Credential: s.as}, s.dir
	if err := cmd.Start(); err != nil {
		return err
	}
	s.cmd = cmd
	return s.await()
}

// Crash ends the server at once, as pg_ctl stop -m immediate does: nothing is written any more, and the next start recovers.
func (s *Server) Crash() {
	if s.cmd != nil {
		_ = s.cmd.Process.Signal(syscall.SIGQUIT)
		_ = s.cmd.Wait()
		s.cmd = nil
	}
}

func (s *Server) await() error {
	db, err := sqlx.Open("pgx", s.URL("postgres"))
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	for deadline := time.Now().Add(30 * time.Second); ; {
		if err = db.Ping(); err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return errors.Join(errors.New("postgres did not come up in 30 s"), err)
		}
		time.Sleep(20 * time.Millisecond) // a real process comes up in real time
	}
}

func (s *Server) create(database string) error {
	db, err := sqlx.Open("pgx", s.URL("postgres"))
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	_, err = db.ExecContext(context.Background(), "CREATE DATABASE "+database)
	return err
}

func (s *Server) remove() {
	s.Crash()
	_ = os.RemoveAll(s.dir)
}

// Main runs a package's tests, ends the Postgres and whatever else they may have started, and fails when goroutines are left behind:
// func TestMain(m *testing.M) { storetest.Main(m) }.
func Main(m *testing.M, ends ...func()) {
	code := m.Run()
	StopPostgres()
	for _, end := range ends {
		end()
	}
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, "goroutines are left behind:", err)
			code = 1
		}
	}
	os.Exit(code)
}
