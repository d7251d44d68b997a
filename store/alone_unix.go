//go:build unix

package store

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// holdAlone takes the right to serve an SQLite file, which one process has at a time: it ends with the process, however that ends,
// or when the file that is returned is closed.
func holdAlone(path string) (*os.File, error) {
	f, err := os.OpenFile(path+"-lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return f, nil
	}
	_ = f.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, fmt.Errorf("open database: another process serves %s already; stop that one first, or use Postgres, which several can serve", path)
	}
	return nil, fmt.Errorf("open database: lock %s: %w", path, err)
}
