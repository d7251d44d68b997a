package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"parley/store"
)

// server is the program at work, as an operator runs it. It can be killed, stopped and started again, each time on a port of its
// own. What it writes is kept over all its lives.
type server struct {
	t              *testing.T
	path           string
	args           []string
	env            []string
	stdout, stderr output

	cmd  *exec.Cmd
	exit chan error

	mu   sync.Mutex
	base string        // where it serves now
	up   chan struct{} // closed while it serves
}

// output keeps what a process writes.
type output struct {
	mu    sync.Mutex
	text  bytes.Buffer
	wrote chan struct{} // closed at the next write
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.wrote != nil {
		close(o.wrote)
		o.wrote = nil
	}
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// next is what was written, and a channel that is closed when there is more.
func (o *output) next() (string, <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.wrote == nil {
		o.wrote = make(chan struct{})
	}
	return o.text.String(), o.wrote
}

// serving is where the program says that it serves: the demo on stdout, serve in its log.
var serving = regexp.MustCompile(`(?:Shop +http://|msg=serving addr=)([0-9.]+:[0-9]+)`)

// started starts the program and waits until it is ready. args must make it listen on port 0.
func started(t *testing.T, path string, env []string, args ...string) *server {
	t.Helper()
	s := &server{t: t, path: path, args: args, env: env, up: make(chan struct{})}
	t.Cleanup(func() {
		if s.cmd != nil {
			s.kill()
		}
		if races := s.stderr.String(); strings.Contains(races, "WARNING: DATA RACE") {
			t.Errorf("the program has a data race:\n%s", races)
		}
	})
	s.start()
	return s
}

func (s *server) start() {
	s.t.Helper()
	var said output
	s.cmd = exec.Command(s.path, s.args...)
	s.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, s.env...)
	s.cmd.Stdout, s.cmd.Stderr = io.MultiWriter(&s.stdout, &said), io.MultiWriter(&s.stderr, &said)
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	cmd, exit := s.cmd, make(chan error, 1)
	s.exit = exit
	go func() { exit <- cmd.Wait() }() // kill and stop wait for it
	patience := time.After(20 * time.Second)
	for {
		text, more := said.next()
		if found := serving.FindStringSubmatch(text); found != nil {
			s.ready("http://" + found[1])
			return
		}
		select {
		case <-more:
		case err := <-s.exit:
			s.cmd = nil
			s.t.Fatalf("the program ended at its start: %v\n%s", err, &said)
		case <-patience:
			s.t.Fatalf("the program does not say where it serves:\n%s", &said)
		}
	}
}

// ready waits until the program is, and tells those who wait for it.
func (s *server) ready(base string) {
	s.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); <-tick.C {
		resp, err := http.Get(base + "/readyz")
		if err != nil {
			continue
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			continue
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.base = base
		close(s.up)
		return
	}
	s.t.Fatalf("the program did not become ready:\n%s", &s.stderr)
}

// address waits until the program serves and says where.
func (s *server) address(ctx context.Context) (string, error) {
	for {
		s.mu.Lock()
		base, up := s.base, s.up
		s.mu.Unlock()
		if base != "" {
			return base, nil
		}
		select {
		case <-up:
		case <-ctx.Done():
			return "", fmt.Errorf("wait for the shop: %w", ctx.Err())
		}
	}
}

// down says that nobody need try any more until the next start.
func (s *server) down() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.base != "" {
		s.base, s.up = "", make(chan struct{})
	}
}

// kill ends the process as a power cut does: nothing in it runs any more.
func (s *server) kill() {
	_ = s.cmd.Process.Kill()
	s.down()
	<-s.exit
	s.cmd = nil
}

// stop asks the process to end and returns its exit code and how long it took.
func (s *server) stop() (code int, took time.Duration) {
	s.t.Helper()
	began := time.Now()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	select {
	case err := <-s.exit:
		s.down()
		s.cmd = nil
		if failed, ok := errors.AsType[*exec.ExitError](err); ok {
			return failed.ExitCode(), time.Since(began)
		}
		return 0, time.Since(began)
	case <-time.After(20 * time.Second):
		s.t.Fatalf("the program did not end within 20 s of SIGTERM:\n%s", &s.stderr)
	}
	return 0, 0
}

// as is the running program seen as a shop, to use what tests of shops use.
func (s *server) as(t *testing.T, key string) *shop {
	t.Helper()
	base, err := s.address(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return &shop{t: t, base: base, key: key}
}

// ran runs a command line that must end by itself, as a process of its own: one that serves would not.
func ran(t *testing.T, path string, env []string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, env...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if failed, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || ctx.Err() != nil) {
		t.Fatalf("%q: %v, %v\n%s", args, err, failed, &stderr)
	}
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

const processKey = "key-of-the-process-test-0123456789"

func TestTheBuiltProgramBehavesAsAProcess(t *testing.T) {
	path := program(t)
	for name, test := range map[string]func(*testing.T, string){
		"SIGTERM during traffic ends it with 0, and what was acknowledged is there afterwards": stopDuringTraffic,
		"the second start of the demo keeps its data and signs in by a new link":               startDemoTwice,
		"a database of a newer schema is refused":                                              refuseNewerSchema,
		"serve without migrations waits for parley migrate":                                    migrateByHand,
		"keys and invitations made beside a running server work in it":                         makeKeysBesideIt,
		"the database's password is not told when the database does not answer":                hidePassword,
	} {
		t.Run(name, func(t *testing.T) { test(t, path) })
	}
}

func stopDuringTraffic(t *testing.T, path string) {
	data := filepath.Join(t.TempDir(), "data")
	s := started(t, path, []string{"PARLEY_API_KEY=" + processKey}, "demo", "-addr", "127.0.0.1:0", "-data", data)
	crowd := gather(t, s, 8, "mug-harbour")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var talking sync.WaitGroup
	acks := make(chan string, 1000)
	talk, hush := context.WithCancel(ctx)
	for _, c := range crowd {
		c.acks = acks
		talking.Go(func() { // everybody talks until the shop has gone
			for i := 0; ; i++ {
				if err := c.asks(talk, fmt.Sprintf("help-%d", i), helpFrame(), helpWords); err != nil {
					return
				}
			}
		})
	}
	for range 40 {
		<-acks
	}
	code, took := s.stop()
	hush()
	talking.Wait()
	if code != 0 || took > 10*time.Second {
		t.Errorf("exit %d after %v, want 0 within 10 s; stderr:\n%s", code, took, &s.stderr)
	}
	s.start()
	for _, c := range crowd {
		c.checkHistory(ctx, t)
	}
}

func startDemoTwice(t *testing.T, path string) {
	link := regexp.MustCompile(`http://\S+/sign-in/(\S+)`)
	data := filepath.Join(t.TempDir(), "data")
	s := started(t, path, nil, "demo", "-addr", "127.0.0.1:0", "-data", data)
	key := regexp.MustCompile(`REST key +(\S+)`).FindStringSubmatch(s.stdout.String())
	if key == nil {
		t.Fatalf("the demo printed no key:\n%s", &s.stdout)
	}
	first := s.as(t, key[1])
	first.reprice("mug-harbour", 777)
	if code, _ := s.stop(); code != 0 {
		t.Fatalf("exit %d:\n%s", code, &s.stderr)
	}
	s.start()
	again := s.as(t, key[1])
	price := again.api("GET", "/api/v1/products/mug-harbour", "", http.StatusOK)["price"].(map[string]any)["amount"]
	if price != 777.0 {
		t.Errorf("after the second start the mug costs %v, want the 777 of before", price)
	}
	links := link.FindAllStringSubmatch(s.stdout.String(), -1)
	if len(links) != 2 || links[0][1] == links[1][1] {
		t.Fatalf("sign-in links %q, want two that differ", links)
	}
	resp, err := http.Get(again.base + "/sign-in/" + links[1][1])
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("the second link answers %d", resp.StatusCode)
	}
	wantNothingSecret(t, s.stderr.String(), key[1], links[0][1], links[1][1])
}

// wantNothingSecret looks for secrets in what goes to the log.
func wantNothingSecret(t *testing.T, stderr string, secrets ...string) {
	t.Helper()
	for _, secret := range secrets {
		if strings.Contains(stderr, secret) {
			t.Errorf("stderr holds the secret %q:\n%s", secret, stderr)
		}
	}
}

// shopConfig is a config in a folder of its own, which becomes the working folder.
func shopConfig(t *testing.T, yaml string) string {
	t.Helper()
	return files(t, map[string]string{"parley.yaml": yaml})
}

func TestAPortInUseIsNamedWithWhatToDo(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	addr := l.Addr().String()
	shopConfig(t, testShop("sqlite://parley.db", ""))
	for _, args := range [][]string{{"demo", "-addr", addr, "-data", "demo"}, {"serve", "-addr", addr}} {
		got := parley(t, "", args...)
		if got.code != 1 || strings.Count(got.stderr, "\n") != 1 {
			t.Errorf("%s: exit %d with stderr %q, want 1 and one line", args[0], got.code, got.stderr)
		}
		wantIn(t, "stderr of "+args[0], got.stderr, addr, "address already in use", "stop what is using it", "-addr")
	}
	if _, err := os.Stat("demo"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a demo that could not start has made its folder: %v", err)
	}
}

func TestWrongFlagsOfServersAreWrongUsage(t *testing.T) {
	for _, args := range [][]string{{"demo", "-adr", ":0"}, {"serve", "-conifg", "x"}, {"serve", "parley.yaml"}, {"migrate", "-dry"}, {"key", "new", "till"}, {"invite"}} {
		got := parley(t, "", args...)
		if got.code != 2 {
			t.Errorf("%q: exit %d with stderr %q, want 2", args, got.code, got.stderr)
		}
		wantIn(t, fmt.Sprintf("stderr of %q", args), got.stderr, "-help")
	}
}

func TestServeNamesEveryProblemOfItsConfigWithItsPlace(t *testing.T) {
	shopConfig(t, `database: mysql://db
merchants:
  - name: Demo Shop
    title: Corner Shop
    currency: EUR
    tiem_zone: Europe/Berlin
    accounts:
      - {name: chat, adapter: webcaht}
`)
	got := parley(t, "", "serve")
	if got.code != 1 {
		t.Errorf("exit %d, want 1", got.code)
	}
	wantIn(t, "stderr", got.stderr, "parley.yaml:1:11: error: ", "parley.yaml:3:11: error: ", "parley.yaml:6:5: error: ", "time_zone",
		"parley.yaml:8:31: error: ", "webchat")
	missing := parley(t, "", "serve", "-config", "nowhere.yaml")
	if missing.code != 1 {
		t.Errorf("a config that is not there: exit %d, want 1", missing.code)
	}
	wantIn(t, "stderr", missing.stderr, "nowhere.yaml")
}

func refuseNewerSchema(t *testing.T, path string) {
	eachDatabase(t, func(t *testing.T, url string) {
		shopConfig(t, testShop(url, ""))
		if got := parley(t, "", "migrate"); got.code != 0 {
			t.Fatalf("migrate: exit %d: %s", got.code, got.stderr)
		}
		db, err := store.Open(t.Context(), url, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = db.DB().ExecContext(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, $1)", true)
		if err := errors.Join(err, db.Close()); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"migrate"}, {"serve", "-addr", "127.0.0.1:0"}, {"key", "new", "till", "-scope", "*"}, {"invite", "eve@shop.example", "-role", "admin"}} {
			got := ran(t, path, nil, args...)
			if got.code != 1 || got.stdout != "" {
				t.Errorf("%q: exit %d with stdout %q, want 1 and nothing done", args, got.code, got.stdout)
			}
			wantIn(t, fmt.Sprintf("stderr of %q", args), got.stderr, "newer parley")
		}
	})
}

func migrateByHand(t *testing.T, path string) {
	eachDatabase(t, func(t *testing.T, url string) {
		shopConfig(t, "migrate: false\n"+testShop(url, ""))
		early := ran(t, path, nil, "serve", "-addr", "127.0.0.1:0")
		if early.code != 1 {
			t.Errorf("serve before migrate: exit %d, want 1", early.code)
		}
		wantIn(t, "stderr", early.stderr, "run parley migrate")
		first := parley(t, "", "migrate")
		if first.code != 0 || !strings.Contains(first.stdout, "applied") {
			t.Errorf("exit %d, stdout %q, stderr %q", first.code, first.stdout, first.stderr)
		}
		second := parley(t, "", "migrate")
		if second.code != 0 || second.stdout != "the schema is up to date\n" {
			t.Errorf("again: exit %d, stdout %q, stderr %q", second.code, second.stdout, second.stderr)
		}
	})
}

func makeKeysBesideIt(t *testing.T, path string) {
	const password, apiKeyEnv = "db-pass-4711", "PARLEY_DB_PASSWORD"
	eachDatabase(t, func(t *testing.T, url string) {
		secrets := []string{password}
		if strings.HasPrefix(url, "postgres://") {
			url += "&password=${" + apiKeyEnv + "}"
		} else {
			secrets = nil
		}
		dir := shopConfig(t, "log: debug\n"+testShop(fmt.Sprintf("%q", url), ""))
		config := filepath.Join(dir, "parley.yaml")
		s := started(t, path, []string{apiKeyEnv + "=" + password}, "serve", "-config", config, "-addr", "127.0.0.1:0")

		made := parley(t, "", apiKeyEnv+"="+password, "key", "new", "till", "-scope", "products:read", "-scope", "products:write")
		key := strings.TrimSpace(made.stdout)
		if made.code != 0 || key == "" {
			t.Fatalf("key new: exit %d, stdout %q, stderr %q", made.code, made.stdout, made.stderr)
		}
		in := s.as(t, key)
		in.product("mug", "Harbour mug", 2000, 5, "")
		in.api("GET", "/api/v1/orders", "", http.StatusForbidden)

		invited := parley(t, "", apiKeyEnv+"="+password, "invite", "eve@shop.example", "-role", "merchant")
		link := strings.TrimSpace(invited.stdout)
		if invited.code != 0 || !strings.Contains(link, "/sign-in/") {
			t.Fatalf("invite: exit %d, stdout %q, stderr %q", invited.code, invited.stdout, invited.stderr)
		}
		_, token, _ := strings.Cut(link, "/sign-in/")
		v := in.visit("mug")
		for _, want := range []int{http.StatusSeeOther, http.StatusNotFound} { // it works once
			if got := signIn(t, v.client, in.base, token); got != want && !(want == http.StatusNotFound && got == http.StatusGone) {
				t.Errorf("sign-in answers %d, want %d", got, want)
			}
		}
		if code, _ := s.stop(); code != 0 {
			t.Errorf("exit %d", code)
		}
		wantNothingSecret(t, s.stderr.String()+made.stderr+invited.stderr, append(secrets, key, token)...)
	})
}

// signIn presses the button of a sign-in link and returns the status, without following where it leads.
func signIn(t *testing.T, client *http.Client, base, token string) int {
	t.Helper()
	once := *client
	once.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := once.Post(base+"/sign-in/"+token, "application/x-www-form-urlencoded", strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

func hidePassword(t *testing.T, path string) {
	shopConfig(t, testShop("postgres://parley:${PARLEY_DB_PASSWORD}@127.0.0.1:1/parley?connect_timeout=2", ""))
	for _, args := range [][]string{{"serve", "-addr", "127.0.0.1:0"}, {"migrate"}} {
		got := ran(t, path, []string{"PARLEY_DB_PASSWORD=db-pass-4711"}, args...)
		if got.code != 1 {
			t.Errorf("%s: exit %d, want 1", args[0], got.code)
		}
		wantIn(t, "stderr of "+args[0], got.stderr, "postgres does not answer")
		wantNothingSecret(t, got.stderr+got.stdout, "db-pass-4711")
	}
}
