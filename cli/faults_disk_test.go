package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"parley/store/storetest"
)

const (
	diskSize    = 12 << 20
	ballastSize = 5 << 20
	longNote    = 3000 // runes of each note, so that the disk is full soon
)

func TestAFullDiskRefusesWhatComesAndLosesNothing(t *testing.T) {
	disk := smallDisk(t)
	ballast := filepath.Join(disk, "ballast")
	if err := os.WriteFile(ballast, make([]byte, ballastSize), 0o600); err != nil {
		t.Fatal(err)
	}
	s := openTortured(t, program(t), "sqlite://"+filepath.Join(disk, "parley.db"), 1, 10)
	door := watchDoor(s.client)
	staff := s.shop()
	regular := staff.visit(tortureSKU).client
	chats := func() int { return fetchedBy(t, regular, staff.base+"/chat").StatusCode }
	if status := chats(); status != http.StatusOK {
		t.Fatalf("the chat answers %d", status)
	}

	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	enough := make(chan struct{})
	people := s.people(8)
	failed := make(chan error, len(people))
	var talking sync.WaitGroup
	for _, p := range people {
		talking.Go(func() { failed <- p.talksOn(ctx, enough) })
	}

	// Now and then a commit still finds a gap: the disk is full when it has not for a second.
	door.until(t, "everything to be refused", 60*time.Second, func() bool { return door.refused.Load() > 0 && door.still() > time.Second })
	taken := door.taken.Load()
	for _, path := range []string{"/healthz", "/metrics", "/widget.js"} {
		if status, body := fetched(t, staff.base+path); status != http.StatusOK {
			t.Errorf("GET %s: %d %s, want it as ever", path, status, body)
		}
	}
	if status := chats(); status != http.StatusOK {
		t.Errorf("the chat of somebody who is known answers %d, want it to open", status)
	}
	// Somebody new is to be stored: they fit into the last gap, or are told to come again.
	if resp := fetchedBy(t, http.DefaultClient, staff.base+"/chat"); resp.StatusCode != http.StatusOK && (resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "") {
		t.Errorf("the chat of somebody new answers %d with Retry-After %q", resp.StatusCode, resp.Header.Get("Retry-After"))
	}
	door.until(t, "/readyz to say that the disk is full", 5*time.Second, func() bool {
		status, why := fetched(t, staff.base+"/readyz")
		return status == http.StatusServiceUnavailable && strings.Contains(why, "disk of the database is full")
	})
	if left := staff.stock(tortureSKU); left != s.stock {
		t.Errorf("%d in stock, want %d", left, s.stock)
	}
	staff.api("PUT", "/api/v1/products/another", `{"title":"`+strings.Repeat("another ", 20)+`","description":"`+strings.Repeat("long ", 1000)+`","price":{"amount":1,"currency":"EUR"},"stock":1}`, http.StatusServiceUnavailable)
	if now := door.taken.Load(); now != taken {
		t.Errorf("%d messages were taken although the disk is full", now-taken)
	}

	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	room := time.Now()
	door.until(t, "messages to be taken again", 10*time.Second, func() bool { return door.taken.Load() >= taken+3*int64(len(people)) })
	t.Logf("%d messages filled the disk, %d calls were refused; %v after there was room again all went on", taken, door.refused.Load(), time.Since(room).Round(time.Millisecond))
	close(enough)
	talking.Wait()
	for range people {
		if err := <-failed; err != nil {
			t.Fatal(err)
		}
	}
	if status, why := fetched(t, staff.base+"/readyz"); status != http.StatusOK {
		t.Errorf("with room again /readyz says %d %s", status, why)
	}
	if again := s.settle(people); again != (repeats{}) {
		t.Errorf("%d answers and %d receipts were sent twice", again.answers, again.receipts)
	}
	for _, problem := range door.problems() {
		t.Error(problem)
	}
	s.stop()
}

// smallDisk is a file system of its own, on which not much has room.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", diskSize)); err != nil {
		storetest.Missing(t, "tmpfs", fmt.Sprintf("this machine mounts no tmpfs for us (%v), which needs root", err))
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// talksOn writes long notes, one after the other, until it is enough.
func (p *person) talksOn(ctx context.Context, enough <-chan struct{}) error {
	for {
		select {
		case <-enough:
			return nil
		default:
		}
		text := fmt.Sprintf("note %d %s", p.said, strings.Repeat("long ", longNote/5))
		if err := p.says(ctx, text, text[:20]); err != nil {
			return err
		}
	}
}

// doorWatch counts how calls are answered that senders make again and again, and notes what no caller should see.
type doorWatch struct {
	next           http.RoundTripper
	taken, refused atomic.Int64
	last           atomic.Int64 // when something was taken, in nanoseconds

	mu  sync.Mutex
	odd map[string]int
}

// watchDoor stands at the door of a client's calls.
func watchDoor(c *http.Client) *doorWatch {
	d := &doorWatch{next: c.Transport, odd: map[string]int{}}
	c.Transport = d
	return d
}

func (d *doorWatch) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := d.next.RoundTrip(r)
	switch {
	case errors.Is(err, context.Canceled):
	case err != nil:
		d.note("no answer: " + err.Error())
	case resp.StatusCode < 300:
		d.taken.Add(1)
		d.last.Store(time.Now().UnixNano())
	case resp.StatusCode == http.StatusServiceUnavailable || resp.StatusCode == http.StatusTooManyRequests:
		d.refused.Add(1)
		if resp.Header.Get("Retry-After") == "" {
			d.note(fmt.Sprintf("status %d without Retry-After", resp.StatusCode))
		}
	default:
		d.note(fmt.Sprintf("status %d", resp.StatusCode))
	}
	return resp, err
}

func (d *doorWatch) note(what string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.odd[what]++
}

func (d *doorWatch) problems() (all []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for what, n := range d.odd {
		all = append(all, fmt.Sprintf("%d calls: %s", n, what))
	}
	return all
}

// still is for how long nothing has been taken.
func (d *doorWatch) still() time.Duration { return time.Since(time.Unix(0, d.last.Load())) }

func (d *doorWatch) until(t *testing.T, what string, most time.Duration, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for began := time.Now(); !ok(); <-tick.C {
		if time.Since(began) > most {
			t.Fatalf("waited %v for %s: %d taken, %d refused, %q", most, what, d.taken.Load(), d.refused.Load(), d.problems())
		}
	}
}

// fetched gets a page.
func fetched(t *testing.T, address string) (status int, body string) {
	t.Helper()
	resp := fetchedBy(t, http.DefaultClient, address)
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, strings.TrimSpace(string(raw))
}

func fetchedBy(t *testing.T, client *http.Client, address string) *http.Response {
	t.Helper()
	resp, err := client.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}
