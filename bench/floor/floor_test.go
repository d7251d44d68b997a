package floor

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestWhatTheFloorConfirmsIsInItsLog(t *testing.T) {
	file := filepath.Join(t.TempDir(), "floor.log")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	g := newLog(f)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if err := g.append([]byte("update\n")); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(string(b), "update\n"); got != 50 {
		t.Errorf("%d of 50 confirmed updates are in the log", got)
	}
}
