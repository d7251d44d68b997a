package raw

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"parley/bench/peer"
)

// Send posts messages with a bare net/http client for a while and returns how many were taken. Without a body each is a reply of
// the bench's bot, as JSON; a body is posted as it is, a form.
func Send(ctx context.Context, api string, senders int, during time.Duration, body []byte) (int64, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost, transport.MaxIdleConns = senders, senders
	client := &http.Client{Transport: transport}
	var sent atomic.Int64
	errs := make(chan error, senders)
	var wg sync.WaitGroup
	end := time.Now().Add(during)
	for i := range senders {
		wg.Go(func() {
			for n := i; time.Now().Before(end); n += senders {
				message, kind := body, "application/x-www-form-urlencoded"
				if message == nil {
					message, kind = fmt.Appendf(nil, `{"chat_id":%d,"text":%q}`, n, peer.Reply(n%5+1, n)), "application/json"
				}
				r, err := http.NewRequestWithContext(ctx, http.MethodPost, api, bytes.NewReader(message))
				if err == nil {
					r.Header.Set("Content-Type", kind)
					err = post(client, r)
				}
				if err != nil {
					errs <- err
					return
				}
				sent.Add(1)
			}
		})
	}
	wg.Wait()
	select {
	case err := <-errs:
		return 0, fmt.Errorf("send to the sink: %w", err)
	default:
		return sent.Load(), nil
	}
}

func post(client *http.Client, r *http.Request) error {
	resp, err := client.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	return nil
}
