package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// patience is how long a test waits for what it expects to see.
const patience = 20 * time.Second

// browser is a real Chromium, which other tests use too.
type browser struct {
	t   *testing.T
	ctx context.Context
}

func openBrowser(t *testing.T) *browser {
	t.Helper()
	return &browser{t, chromium(t)}
}

// person is a window of somebody with cookies of their own.
func (b *browser) person() *tab {
	b.t.Helper()
	return newTab(b.ctx, b.t, chromedp.WithNewBrowserContext())
}

// tab is a page that a person looks at. What the page's scripts complain about fails the test when it ends.
type tab struct {
	document
	mu         sync.Mutex
	complaints []string
}

// tattle makes a page tell of what its Content-Security-Policy refused.
const tattle = `document.addEventListener("securitypolicyviolation", (e) => console.error("CSP refused", e.effectiveDirective, e.blockedURI, e.sourceFile, e.lineNumber));`

func newTab(parent context.Context, t *testing.T, opts ...chromedp.ContextOption) *tab {
	t.Helper()
	tab := &tab{}
	ctx, closeTab := chromedp.NewContext(parent, append(opts, chromedp.WithListener(tab.listen))...)
	tab.document = document{t: t, mouse: ctx, world: func() (context.Context, runtime.ExecutionContextID, error) { return ctx, 0, nil }}
	t.Cleanup(func() {
		closeTab()
		tab.mu.Lock()
		defer tab.mu.Unlock()
		for _, c := range tab.complaints {
			t.Errorf("the page complains: %s", c)
		}
	})
	// The tab lives as long as the context of the first step, so that one has no deadline.
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("open a window: %v", err)
	}
	tab.do("prepare a window",
		call(page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: tattle}),
		call(emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}),
	)
	return tab
}

func (t *tab) listen(event any) {
	var said string
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		said = e.ExceptionDetails.Text
		if x := e.ExceptionDetails.Exception; x != nil {
			said += " " + x.Description
		}
	case *runtime.EventConsoleAPICalled:
		if e.Type != runtime.ConsoleAPICalledTypeError {
			return
		}
		for _, arg := range e.Args {
			said += string(arg.Value) + " "
		}
	case *log.EventEntryAdded:
		if e.Entry.Level != log.EntryLevelError || e.Entry.Source == log.EntrySourceNetwork {
			return
		}
		said = e.Entry.Text
	default:
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.complaints = append(t.complaints, said)
}

// open goes to an address and waits until it has loaded.
func (t *tab) open(address string) {
	t.t.Helper()
	t.do("open "+address, chromedp.Navigate(address))
}

// withoutScripts is a browser in which JavaScript is switched off.
func (t *tab) withoutScripts() *tab {
	t.t.Helper()
	t.do("switch scripts off", call(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}))
	return t
}

// opened is the window that a press opens beside this one.
func (t *tab) opened(press func()) *tab {
	t.t.Helper()
	this := chromedp.FromContext(t.mouse).Target.TargetID
	found := chromedp.WaitNewTarget(t.mouse, func(i *target.Info) bool { return i.OpenerID == this })
	press()
	select {
	case id := <-found:
		return newTab(t.mouse, t.t, chromedp.WithTargetID(id))
	case <-time.After(patience):
		t.t.Fatal("no window was opened")
		return nil
	}
}

// document is what scripts and eyes see of a page: that of a tab, or that of a frame in it.
type document struct {
	t     *testing.T
	mouse context.Context // the tab: it has the mouse and the keys
	world func() (context.Context, runtime.ExecutionContextID, error)
	frame string // the expression of the frame's element in the tab; "" for the tab's own document
}

func (d *document) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.mouse, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		d.t.Fatalf("%s: %v", what, err)
	}
}

// look evaluates an expression; an error is mostly a page that is just being left.
func look[T any](d *document, expression string) (value T, err error) {
	in, world, err := d.world()
	if err != nil {
		return value, err
	}
	ctx, cancel := context.WithTimeout(in, patience)
	defer cancel()
	raw, err := chromedp.Run(ctx, chromedp.Evaluate[[]byte](expression, func(p *runtime.EvaluateParams) { p.ContextID = world }))
	if err != nil {
		return value, err
	}
	return value, json.Unmarshal(raw, &value)
}

// see waits until an expression is truthy and returns it.
func see[T any](d *document, what, expression string) T {
	d.t.Helper()
	var last string
	tick := time.NewTicker(15 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		<-tick.C
		raw, err := look[json.RawMessage](d, expression)
		if err != nil {
			last = err.Error()
			continue
		}
		if last = string(raw); last == "null" || last == "false" || last == `""` || last == "0" || last == "" {
			continue
		}
		var value T
		if err := json.Unmarshal(raw, &value); err != nil {
			d.t.Fatalf("%s: %v", what, err)
		}
		return value
	}
	shown, err := look[string](d, "location.href + '\\n' + document.body.innerText")
	d.t.Fatalf("waited for %s; the last look gave %s. The page shows (%v):\n%s", what, last, err, shown)
	panic("unreachable")
}

// shows waits until the words can be read.
func (d *document) shows(words string) {
	d.t.Helper()
	see[bool](d, fmt.Sprintf("the words %q", words), "document.body.innerText.includes("+quote(words)+")")
}

// read is the text of an element.
func (d *document) read(css string) string {
	d.t.Helper()
	return see[string](d, "the text of "+css, fmt.Sprintf("document.querySelector(%s)?.innerText", quote(css)))
}

// press clicks with the mouse on an element, once it is there, enabled, at rest and not covered.
func (d *document) press(element string) {
	d.t.Helper()
	type point struct{ X, Y float64 }
	find := fmt.Sprintf(`(() => {
		const e = %s;
		if (!e || e.disabled) return null;
		e.scrollIntoView({ block: "nearest", behavior: "instant" });
		const r = e.getClientRects()[0], inSight = (r) => r.bottom > 0 && r.top < innerHeight;
		if (!r || [...document.images].some((i) => !i.complete && inSight(i.getBoundingClientRect()))) return null;
		const x = r.left + r.width / 2, y = r.top + r.height / 2;
		const top = e.getRootNode().elementFromPoint(x, y);
		return top && e.contains(top) ? { X: x, Y: y } : null;
	})()`, element)
	at := see[point](d, element, find)
	for still := 0; still < 4; still++ { // what arrives just now moves what is there already
		if again := see[point](d, element, find); again != at {
			at, still = again, 0
		}
	}
	if d.frame != "" {
		top := &document{t: d.t, mouse: d.mouse, world: func() (context.Context, runtime.ExecutionContextID, error) { return d.mouse, 0, nil }}
		offset := see[point](top, "the frame", fmt.Sprintf(`(() => { const r = %s.getBoundingClientRect(); return { X: r.left, Y: r.top }; })()`, d.frame))
		at.X, at.Y = at.X+offset.X, at.Y+offset.Y
	}
	d.do("press "+element, chromedp.MouseClickXY(at.X, at.Y))
}

// write replaces what a field holds, as by keyboard.
func (d *document) write(css, text string) {
	d.t.Helper()
	d.press(one(css))
	d.do("write into "+css, chromedp.KeyEvent("a", chromedp.KeyModifiers(chromedp.ModifierCtrl)), call(input.InsertText, input.InsertTextParams{Text: text}))
}

// one is the expression of the first element that matches.
func one(css string) string { return "document.querySelector(" + quote(css) + ")" }

// having is the expression of the last element that matches and has these words.
func having(css, words string) string {
	return fmt.Sprintf("[...document.querySelectorAll(%s)].findLast((e) => e.textContent.includes(%s))", quote(css), quote(words))
}

// call is a command of the browser's protocol as a step.
func call[P, R any](command cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, command, params)
		return err
	})
}

// quote writes a string as JavaScript.
func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// openDemo opens the demo shop as the command demo does, in a folder of the test's own.
func openDemo(t *testing.T) *shop {
	t.Helper()
	yaml := strings.Replace(demoConfig, "sqlite://parley.db", "sqlite://"+filepath.Join(t.TempDir(), "parley.db"), 1)
	s := openShopAs(t, yaml, &demoPages{shelves: shelves()})
	if err := stock(t.Context(), s.in); err != nil {
		t.Fatal(err)
	}
	return s
}
