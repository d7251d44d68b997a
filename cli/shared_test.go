package cli

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"

	"parley/adapters/adaptertest"
	"parley/store/storetest"
)

// Tests that only wait, for a network's pause or a person's window, are parallel. Those that measure, that change the working folder
// or that load the machine are not: they have it for themselves, before the others.
func TestMain(m *testing.M) {
	adaptertest.Together(4)
	storetest.Main(m, shared.close)
}

// shared is what is made once for all tests, when the first needs it.
var shared sharing

type sharing struct {
	building, browsing sync.Once

	folder   string // of the program
	path     string
	buildErr error

	chromium     context.Context
	chromiumErr  error
	closeBrowser func()
}

// program is parley, built for tests that need it as a process of its own.
func program(t *testing.T) string {
	t.Helper()
	shared.building.Do(shared.build)
	if shared.buildErr != nil {
		t.Fatal(shared.buildErr)
	}
	return shared.path
}

func (s *sharing) build() {
	if s.folder, s.buildErr = os.MkdirTemp("", "parley-program"); s.buildErr != nil {
		return
	}
	s.path = filepath.Join(s.folder, "parley")
	args := []string{"build", "-buildvcs=false", "-o", s.path}
	if raceDetected {
		args = append(args, "-race")
	}
	out, err := exec.Command("go", append(args, "parley")...).CombinedOutput()
	if err != nil {
		s.buildErr = fmt.Errorf("build parley: %w\n%s", err, out)
	}
}

// chromium is a running Chromium, in which every person has cookies of their own.
func chromium(t *testing.T) context.Context {
	t.Helper()
	var program string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			program = found
			break
		}
	}
	if program == "" {
		storetest.Missing(t, "chromium", "there is no Chromium on the path")
	}
	shared.browsing.Do(func() { shared.browse(program) })
	if shared.chromiumErr != nil {
		t.Fatalf("start the browser: %v", shared.chromiumErr)
	}
	return shared.chromium
}

func (s *sharing) browse(program string) {
	allocator, closeAllocator := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath(program), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck, chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true), chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("force-color-profile", "srgb"), chromedp.Flag("lang", "en-US"),
	)
	ctx, closeBrowser := chromedp.NewContext(allocator)
	s.chromium, s.closeBrowser = ctx, func() {
		closeBrowser()
		closeAllocator()
	}
	s.chromiumErr = chromedp.Do(ctx)
}

// close ends what was made.
func (s *sharing) close() {
	if s.closeBrowser != nil {
		s.closeBrowser()
	}
	if s.folder != "" {
		_ = os.RemoveAll(s.folder)
	}
}
