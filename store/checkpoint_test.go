package store

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestTheLogStaysShortHoweverLongIsWritten(t *testing.T) {
	path := t.TempDir() + "/p.db"
	s, err := Open(t.Context(), "sqlite://"+path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	var timeout int
	if err := s.checkpoints.own.Get(&timeout, `PRAGMA busy_timeout`); err != nil || timeout != 100 {
		t.Errorf("the checkpointer waits %d ms for a lock (%v), want 100: nobody may write meanwhile", timeout, err)
	}
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 2 { // who keep the log from beginning anew now and then
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				err := s.View(t.Context(), func(tx *Tx) error {
					var n int
					return tx.get(t.Context(), "count", &n, `SELECT count(*) FROM secrets WHERE name < $1`, "3")
				})
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	const group, total = 1 << 20, 160 << 20
	var longest int64
	var slowest time.Duration
	body := strings.Repeat("x", 16<<10)
	for written := 0; written < total; written += group {
		began := time.Now()
		err := s.Tx(t.Context(), func(tx *Tx) error {
			for i := range group / len(body) {
				err := tx.exec(t.Context(), "write", `INSERT INTO secrets (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
					fmt.Sprint((written*7+i)%5000), body)
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		slowest = max(slowest, time.Since(began))
		info, err := os.Stat(path + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		longest = max(longest, info.Size())
	}
	close(stop)
	readers.Wait()
	t.Logf("the log grew to %d MB; the slowest group of 1 MB took %v", longest>>20, slowest)
	if most := int64(walCap*4096 + 2*group); longest > most {
		t.Errorf("the log grew to %d MB, want at most %d", longest>>20, most>>20)
	}
}
