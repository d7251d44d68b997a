package store

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Backup writes a consistent copy of the database to a file that must not exist yet, while others go on writing. It holds all that
// was committed before Backup was called. On SQLite it is a database that can be used in place of the original; on Postgres, an
// archive that pg_restore reads, made by pg_dump, which must be installed. A copy that could not be completed leaves no file.
func (s *Store) Backup(ctx context.Context, dsn, file string) (err error) {
	if _, err := os.Lstat(file); err == nil {
		return fmt.Errorf("back up: %s exists already; name another file", file)
	}
	unfinished := file + ".unfinished"
	_ = os.Remove(unfinished) // what a backup that was killed has left
	defer func() {
		if err != nil {
			_ = os.Remove(unfinished)
		}
	}()
	if s.dialect == Postgres {
		err = dump(ctx, dsn, unfinished)
	} else {
		err = s.vacuumInto(ctx, unfinished)
	}
	if err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	if err := synced(unfinished); err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	if err := os.Rename(unfinished, file); err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	return synced(filepath.Dir(file))
}

// vacuumInto copies the database into a file and looks whether the copy is sound.
func (s *Store) vacuumInto(ctx context.Context, file string) error {
	// The file is made here, for its owner alone: it holds what people wrote.
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	conn, err := s.read.Connx(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.ExecContext(ctx, `PRAGMA query_only(0)`); err != nil {
		return err
	}
	_, err = conn.ExecContext(ctx, `VACUUM INTO $1`, file)
	if _, undo := conn.ExecContext(context.WithoutCancel(ctx), `PRAGMA query_only(1)`); undo != nil {
		err = errors.Join(err, undo)
	}
	if err != nil {
		return err
	}
	return checkFile(ctx, file)
}

// dump runs pg_dump. The password goes by the environment, where other users of the machine do not see it.
func dump(ctx context.Context, dsn, file string) error {
	tool, err := exec.LookPath("pg_dump")
	if err != nil {
		return errors.New("pg_dump is needed for a Postgres database and is not installed here; install the client tools of your Postgres")
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return errors.New("the postgres URL cannot be read")
	}
	env := os.Environ()
	if password, has := u.User.Password(); has {
		env = append(env, "PGPASSWORD="+password)
		u.User = url.User(u.User.Username())
	}
	cmd := exec.CommandContext(ctx, tool, "--format=custom", "--no-password", "--file="+file, "--dbname="+u.String())
	cmd.Env = env
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("pg_dump: %s: %w", strings.TrimSpace(string(out)), err)
	}
	return os.Chmod(file, 0o600)
}

// synced has a file, or a folder's list of files, survive a power cut.
func synced(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	err = f.Sync()
	return errors.Join(err, f.Close())
}
