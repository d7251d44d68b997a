// Package shop sets up Parley as an operator does, the built program with a config in a folder, and drives it over REST.
package shop

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"parley/bench/child"
)

// Program is a built parley.
type Program struct{ Path string }

// Build builds Parley from its own module, as its users do.
func Build(ctx context.Context, path string) (Program, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "parley").Output()
	if err != nil {
		return Program{}, fmt.Errorf("find parley's module: %w; run this in the checkout, as go run -C bench", err)
	}
	return build(ctx, strings.TrimSpace(string(out)), ".", path)
}

// BuildOwn builds a command of the bench's own module.
func BuildOwn(ctx context.Context, pkg, path string) (Program, error) {
	return build(ctx, ".", pkg, path)
}

func build(ctx context.Context, dir, pkg, path string) (Program, error) {
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-trimpath", "-o", path, pkg)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return Program{}, fmt.Errorf("build %s: %w\n%s", pkg, err, out)
	}
	return Program{path}, nil
}

// Account is a bot on the sink.
type Account struct {
	Name  string
	Token string
}

// Secret is what Telegram would show with each update.
const Secret = "bench-secret"

// Path is the account's webhook.
func (a Account) Path() string { return "/hooks/" + a.Name }

// Shop is an installation: a folder with a config. It can be started and stopped.
type Shop struct {
	Name     string
	Dir      string
	Database string // its URL
	Accounts []Account
	Env      []string // beside the path

	program Program
	key     string
	running *child.Process
}

// Setup says what is to be installed.
type Setup struct {
	Name     string
	Dir      string // is made
	Database string // "" means SQLite in the folder
	API      string // where the sink is
	Accounts []Account
	Bot      fs.FS // the flows; nil means the built-in shop bot
	Webchat  bool  // an account named chat
}

// Install writes the folder.
func Install(program Program, s Setup) (*Shop, error) {
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return nil, err
	}
	if s.Database == "" {
		s.Database = "sqlite://" + filepath.Join(s.Dir, "parley.db")
	}
	if s.Bot != nil {
		if err := os.CopyFS(filepath.Join(s.Dir, "bot"), s.Bot); err != nil {
			return nil, fmt.Errorf("write the bench's bot: %w", err)
		}
	}
	if err := os.WriteFile(filepath.Join(s.Dir, "parley.yaml"), []byte(configOf(s)), 0o600); err != nil {
		return nil, err
	}
	return &Shop{Name: s.Name, Dir: s.Dir, Database: s.Database, Accounts: s.Accounts, program: program}, nil
}

func configOf(s Setup) string {
	var b strings.Builder
	fmt.Fprintf(&b, "database: %q\nweb:\n  addr: 127.0.0.1:0\n  trusted_proxies: [127.0.0.1]\nmerchants:\n  - name: bench\n    title: Bench\n    currency: EUR\n    mode: test\n", s.Database)
	if s.Bot != nil {
		b.WriteString("    bot: bot\n")
	}
	b.WriteString("    accounts:\n")
	for _, a := range s.Accounts {
		fmt.Fprintf(&b, "      - name: %s\n        adapter: telegram\n        token: %q\n        mode: webhook\n        webhook_url: https://bench.example%s\n"+
			"        webhook_secret: %s\n        api_base: %s\n", a.Name, a.Token, a.Path(), Secret, s.API)
		b.WriteString(unpaced)
	}
	if s.Webchat {
		b.WriteString("      - name: chat\n        adapter: webchat\n")
	}
	b.WriteString("    payments:\n      - name: pretend\n        provider: test\n")
	return b.String()
}

// unpaced takes the networks' limits off, which the sink does not have.
const unpaced = "        pace: {account: 0, chat: 0, group: 0}\n"

var serving = regexp.MustCompile(`msg=serving addr=([0-9.]+:[0-9]+)`)

// Start starts the program and waits until it is ready. It says how long that took.
func (s *Shop) Start(ctx context.Context) (time.Duration, error) {
	cmd := exec.CommandContext(context.WithoutCancel(ctx), s.program.Path, "serve") // until Stop
	cmd.Dir, cmd.Env = s.Dir, s.environ()
	began := time.Now()
	p, err := child.Start(s.Name, cmd, serving)
	if err != nil {
		return 0, err
	}
	s.running = p
	for {
		status, _, err := s.request(ctx, "GET", "/readyz", nil)
		if err == nil && status == http.StatusOK {
			return time.Since(began), nil
		}
		if time.Since(began) > time.Minute {
			return 0, fmt.Errorf("%s did not become ready (%d, %w):\n%s", s.Name, status, err, p.Said())
		}
		time.Sleep(time.Millisecond)
	}
}

func (s *Shop) environ() []string {
	return append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.Dir}, s.Env...)
}

// Stop ends the program in order.
func (s *Shop) Stop() error {
	if s.running == nil {
		return nil
	}
	p := s.running
	s.running = nil
	return p.Stop()
}

// Kill ends the program at once.
func (s *Shop) Kill() {
	if s.running != nil {
		s.running.Kill()
		s.running = nil
	}
}

// PID is the program's process.
func (s *Shop) PID() int { return s.running.PID() }

// Addr is where it serves.
func (s *Shop) Addr() string { return s.running.Addr }

// Said is the end of its log.
func (s *Shop) Said() string { return s.running.Said() }

// Command runs another command of the program in the folder and returns what it printed.
func (s *Shop) Command(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, s.program.Path, args...)
	cmd.Dir, cmd.Env = s.Dir, s.environ()
	out, err := cmd.Output()
	if err != nil {
		var failed *exec.ExitError
		if errors.As(err, &failed) {
			return "", fmt.Errorf("parley %s: %w: %s", args[0], err, failed.Stderr)
		}
		return "", fmt.Errorf("parley %s: %w", args[0], err)
	}
	return strings.TrimSpace(string(out)), nil
}

// Call does one REST request with a key for everything and reads the answer into out, if there is one.
func (s *Shop) Call(ctx context.Context, method, path string, in, out any) error {
	if s.key == "" {
		key, err := s.Command(ctx, "key", "new", "bench", "-scope", "*")
		if err != nil {
			return err
		}
		s.key = key
	}
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	if in == nil {
		body = nil
	}
	status, answer, err := s.request(ctx, method, path, body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if status >= 300 {
		return fmt.Errorf("%s %s: %d: %s", method, path, status, answer)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(answer, out)
}

var client = &http.Client{Timeout: 2 * time.Minute}

func (s *Shop) request(ctx context.Context, method, path string, body []byte) (int, []byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, "http://"+s.running.Addr+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if s.key != "" {
		r.Header.Set("Authorization", "Bearer "+s.key)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	resp, err := client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	return resp.StatusCode, answer, err
}

// Product puts a product on the shelf or changes it.
func (s *Shop) Product(ctx context.Context, sku string, price int64, stock int) error {
	return s.Call(ctx, "PUT", "/api/v1/products/"+sku, map[string]any{
		"title": "The lamp " + sku, "price": map[string]any{"amount": price, "currency": "EUR"}, "stock": stock,
	}, nil)
}
