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

// server is the Postgres of this test process: started when first asked for, stopped by StopPostgres.
var server struct {
	once    sync.Once
	dir     string
	cmd     *exec.Cmd
	err     error
	missing string
	next    atomic.Int64
}

// PostgresURL makes an empty database and returns its URL. It skips the test, or fails it when PARLEY_REQUIRE says so, where no
// server is installed. A package that uses it ends the server in its TestMain by StopPostgres.
func PostgresURL(t testing.TB) string {
	t.Helper()
	server.once.Do(startPostgres)
	if server.missing != "" {
		Missing(t, "postgres", server.missing)
	}
	if server.err != nil {
		t.Fatal(server.err)
	}
	name := fmt.Sprintf("test%d", server.next.Add(1))
	db, err := sqlx.Open("pgx", socketURL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(context.Background(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	return socketURL(name)
}

func socketURL(database string) string {
	q := url.Values{"host": {server.dir}, "user": {"postgres"}}
	return "postgres:///" + database + "?" + q.Encode()
}

// startPostgres runs initdb and the server in a folder of its own, with a socket in it and no TCP. The server refuses to run
// as root, so root runs it as the user postgres that Debian's package made.
func startPostgres() {
	bins, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(bins) == 0 {
		server.missing = "no PostgreSQL server is installed under /usr/lib/postgresql"
		return
	}
	bin := filepath.Dir(bins[len(bins)-1])
	server.dir, server.err = os.MkdirTemp("", "parley-pg")
	if server.err != nil {
		return
	}
	var attr *syscall.SysProcAttr
	if os.Geteuid() == 0 {
		who, err := user.Lookup("postgres")
		if err != nil {
			server.missing = "there is no user postgres to run the server as"
			return
		}
		uid, _ := strconv.Atoi(who.Uid)
		gid, _ := strconv.Atoi(who.Gid)
		attr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
		if server.err = os.Chown(server.dir, uid, gid); server.err != nil {
			return
		}
	}
	data := filepath.Join(server.dir, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "-N")
	initdb.SysProcAttr, initdb.Dir = attr, server.dir
	if out, err := initdb.CombinedOutput(); err != nil {
		server.err = fmt.Errorf("initdb: %w: %s", err, out)
		return
	}
	cmd := exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-k", server.dir,
		"-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=200")
	attr2 := &syscall.SysProcAttr{Pdeathsig: syscall.SIGQUIT}
	if attr != nil {
		attr2.Credential = attr.Credential
	}
	cmd.SysProcAttr, cmd.Dir = attr2, server.dir
	if server.err = cmd.Start(); server.err != nil {
		return
	}
	server.cmd = cmd
	server.err = awaitPostgres()
}

func awaitPostgres() error {
	db, err := sqlx.Open("pgx", socketURL("postgres"))
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

// StopPostgres ends the server and removes its folder. Without a server it does nothing.
func StopPostgres() {
	if server.cmd != nil {
		_ = server.cmd.Process.Signal(syscall.SIGQUIT)
		_ = server.cmd.Wait()
	}
	if server.dir != "" {
		_ = os.RemoveAll(server.dir)
	}
}

// Main runs a package's tests and ends the Postgres they may have started: func TestMain(m *testing.M) { storetest.Main(m) }.
func Main(m *testing.M) {
	code := m.Run()
	StopPostgres()
	os.Exit(code)
}
