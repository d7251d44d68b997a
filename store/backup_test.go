package store_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"parley/store"
	"parley/store/storetest"
)

func TestABackupTakenUnderLoadHoldsAllThatWasCommittedBefore(t *testing.T) {
	s := storetest.SQLite(t)
	shop := storetest.NewShop(t, s)
	var made atomic.Int64
	writing, stop := context.WithCancel(t.Context())
	var work sync.WaitGroup
	first := make(chan struct{})
	work.Go(func() {
		for i := 0; writing.Err() == nil; i++ {
			shop.Stock(fmt.Sprint("sku-", i), 1000, 1)
			made.Store(int64(i + 1))
			if i == 20 {
				close(first)
			}
		}
	})
	<-first
	for i := range 3 {
		file := filepath.Join(t.TempDir(), fmt.Sprint("copy-", i))
		before := made.Load()
		if err := s.Backup(t.Context(), "", file); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(file)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the copy is %v, %v, want it for its owner alone", info.Mode(), err)
		}
		restored, err := store.Open(t.Context(), "sqlite://"+file, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		err = restored.View(t.Context(), func(tx *store.Tx) error {
			for n := range before {
				if _, err := tx.Product(t.Context(), shop.Merchant, fmt.Sprint("sku-", n)); err != nil {
					return fmt.Errorf("of %d products: %w", before, err)
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		_ = restored.Close()
		if err := s.Backup(t.Context(), "", file); err == nil || !strings.Contains(err.Error(), "exists already") {
			t.Errorf("got %v, want a copy that is there left alone", err)
		}
	}
	stop()
	work.Wait()
}

func TestABackupOfPostgresCanBeRestored(t *testing.T) {
	for _, tool := range []string{"pg_dump", "pg_restore"} {
		if _, err := exec.LookPath(tool); err != nil {
			storetest.Missing(t, "postgres", tool+" is not installed")
		}
	}
	dsn := storetest.PostgresURL(t)
	s, err := store.Open(t.Context(), dsn, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	shop := storetest.NewShop(t, s)
	shop.Stock("mug", 1000, 7)
	file := filepath.Join(t.TempDir(), "copy")
	if err := s.Backup(t.Context(), dsn, file); err != nil {
		t.Fatal(err)
	}
	empty := storetest.PostgresURL(t)
	if out, err := exec.CommandContext(t.Context(), "pg_restore", "--exit-on-error", "--no-owner", "--dbname="+empty, file).CombinedOutput(); err != nil {
		t.Fatalf("pg_restore: %v\n%s", err, out)
	}
	restored, err := store.Open(t.Context(), empty, store.Options{SkipMigrate: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = restored.Close() }()
	err = restored.View(t.Context(), func(tx *store.Tx) error {
		p, err := tx.Product(t.Context(), shop.Merchant, "mug")
		if err == nil && p.OnHand != 7 {
			err = fmt.Errorf("%d mugs, want 7", p.OnHand)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestWhatIsNotOurDatabaseIsRefusedAndLeftAsItWas(t *testing.T) {
	sound := filepath.Join(t.TempDir(), "sound")
	func() {
		s, err := store.Open(t.Context(), "sqlite://"+sound, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		shop := storetest.NewShop(t, s)
		for i := range 200 {
			shop.Stock(fmt.Sprint("sku-", i), 1000, 1)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}()
	healthy, err := os.ReadFile(sound)
	if err != nil {
		t.Fatal(err)
	}
	spoilt := append([]byte(nil), healthy...)
	for page := 3; page < len(spoilt)/4096; page += 4 {
		copy(spoilt[page*4096:], strings.Repeat("\xff", 64))
	}
	foreign := filepath.Join(t.TempDir(), "foreign")
	func() {
		s, err := store.Open(t.Context(), "sqlite://"+foreign, store.Options{SkipMigrate: true, SkipCheck: true})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.DB().ExecContext(t.Context(), `CREATE TABLE recipes (name TEXT)`); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}()
	another, err := os.ReadFile(foreign)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		file []byte
		says string
	}{
		{"a text", []byte(strings.Repeat("Dear diary, ", 1000)), "is not a database"},
		{"pages overwritten", spoilt, "is damaged; restore it from a backup"},
		{"a file cut in half", healthy[:len(healthy)/2/4096*4096], "is damaged; restore it from a backup"},
		{"another program's database", another, "belongs to another program (it has the tables recipes)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "parley.db")
			if err := os.WriteFile(file, c.file, 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := store.Open(t.Context(), "sqlite://"+file, store.Options{})
			if err == nil {
				_ = s.Close()
				t.Fatal("it was opened")
			}
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("it says %q, want %q in it", err, c.says)
			}
			after, err := os.ReadFile(file)
			if err != nil || string(after) != string(c.file) {
				t.Errorf("the file was changed (%v)", err)
			}
		})
	}
}

func TestAPostgresSchemaOfAnotherProgramIsRefused(t *testing.T) {
	dsn := storetest.PostgresURL(t)
	s, err := store.Open(t.Context(), dsn, store.Options{SkipMigrate: true, SkipCheck: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.DB().ExecContext(t.Context(), `CREATE TABLE orders (number INT)`); err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	if _, err := store.Open(t.Context(), dsn, store.Options{}); err == nil || !strings.Contains(err.Error(), "belongs to another program") {
		t.Errorf("got %v, want it refused", err)
	}
}
