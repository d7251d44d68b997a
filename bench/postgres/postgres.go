// Package postgres runs Debian's server for the length of a benchmark: durable (fsync on), on a socket, in a folder of its own.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// ErrMissing says that no server is installed.
var ErrMissing = errors.New("no PostgreSQL server is installed under /usr/lib/postgresql; apt install postgresql")

// Server is a Postgres that runs.
type Server struct {
	dir string
	cmd *exec.Cmd
}

// settings are those that a shop of this size would change; what makes commits durable stays as it is shipped: on.
var settings = []string{
	"listen_addresses=", "max_connections=200", "shared_buffers=256MB", "max_wal_size=4GB", "fsync=on", "synchronous_commit=on", "full_page_writes=on",
}

// Start runs initdb and the server in a folder. As root it runs them as the user postgres, as the server demands.
func Start(ctx context.Context, dir string) (*Server, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		return nil, ErrMissing
	}
	bin := filepath.Dir(found[len(found)-1])
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	who := &syscall.SysProcAttr{}
	if os.Geteuid() == 0 {
		account, err := user.Lookup("postgres")
		if err != nil {
			return nil, ErrMissing
		}
		uid, _ := strconv.Atoi(account.Uid)
		gid, _ := strconv.Atoi(account.Gid)
		who.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(dir, uid, gid); err != nil {
			return nil, err
		}
	}
	data := filepath.Join(dir, "data")
	initdb := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "-N")
	initdb.SysProcAttr, initdb.Dir = who, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	args := []string{"-D", data, "-k", dir}
	for _, s := range settings {
		args = append(args, "-c", s)
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), filepath.Join(bin, "postgres"), args...) // until Stop
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: who.Credential, Pdeathsig: syscall.SIGQUIT}
	cmd.Dir = dir
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start postgres: %w", err)
	}
	s := &Server{dir: dir, cmd: cmd}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		conn, err := pgx.Connect(ctx, s.URL("postgres"))
		if err == nil {
			return s, conn.Close(ctx)
		}
		if time.Now().After(deadline) {
			s.Stop()
			return nil, fmt.Errorf("postgres did not come up in 30 s: %w", err)
		}
	}
}

// PID is the server's first process, whose children do the work.
func (s *Server) PID() int { return s.cmd.Process.Pid }

// URL is a database's address.
func (s *Server) URL(database string) string {
	q := url.Values{"host": {s.dir}, "user": {"postgres"}}
	return "postgres:///" + database + "?" + q.Encode()
}

// Create makes an empty database and returns its address.
func (s *Server) Create(ctx context.Context, database string) (string, error) {
	return s.URL(database), s.admin(ctx, "CREATE DATABASE "+pgx.Identifier{database}.Sanitize())
}

// Drop removes a database, with whoever is still connected.
func (s *Server) Drop(ctx context.Context, database string) error {
	return s.admin(ctx, "DROP DATABASE IF EXISTS "+pgx.Identifier{database}.Sanitize()+" WITH (FORCE)")
}

func (s *Server) admin(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return fmt.Errorf("reach postgres: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, statement)
	return err
}

// Stop ends the server.
func (s *Server) Stop() {
	_ = s.cmd.Process.Signal(syscall.SIGINT)
	_ = s.cmd.Wait()
}
