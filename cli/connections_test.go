package cli

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestMoreConnectionsThanAllowedWaitUntilOneEnds(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "parley.yaml")
	yaml := "web: {addr: '127.0.0.1:0', connections: 16}\n" + testShop("sqlite://"+filepath.Join(folder, "parley.db"), "")
	if err := os.WriteFile(path, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	s := started(t, program(t), nil, "serve", "-config", path)
	http.DefaultClient.CloseIdleConnections() // those that found it ready
	base, err := s.address(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	addr := strings.TrimPrefix(base, "http://")
	var open []net.Conn
	for range 16 {
		c := dial(t, addr)
		if err := alive(c); err != nil {
			t.Fatal(err)
		}
		open = append(open, c)
	}
	late := dial(t, addr)
	answered := make(chan error, 1)
	go func() { answered <- alive(late) }()
	for range 20 { // time enough for an answer
		if err := alive(open[0]); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case err := <-answered:
		t.Fatalf("the seventeenth connection was served (%v), want it to wait", err)
	default:
	}
	_ = open[1].Close()
	if err := <-answered; err != nil {
		t.Errorf("the seventeenth connection, once there was room: %v", err)
	}
}

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	return c
}

// alive asks over a connection, and leaves it open.
func alive(c net.Conn) error {
	if _, err := fmt.Fprint(c, "GET /healthz HTTP/1.1\r\nHost: shop\r\n\r\n"); err != nil {
		return err
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("healthz: %s", resp.Status)
	}
	return nil
}
