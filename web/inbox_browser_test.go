package web_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os/exec"
	"sync"
	"testing"
	"time"

	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"parley/store"
	"parley/store/storetest"
)

// browser is a real Chromium with one tab. What its console complains of fails the test.
type browser struct {
	t   *testing.T
	ctx context.Context

	mu         sync.Mutex
	complaints []string
}

func openBrowser(t *testing.T) *browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		storetest.Missing(t, "chromium", "chromium is not installed")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b := &browser{t: t, ctx: ctx}
	b.do()
	err = chromedp.Listen(ctx, func(event any) {
		b.mu.Lock()
		defer b.mu.Unlock()
		switch e := event.(type) {
		case *cdplog.EventEntryAdded:
			b.complaints = append(b.complaints, e.Entry.Text)
		case *runtime.EventExceptionThrown:
			b.complaints = append(b.complaints, e.ExceptionDetails.Text)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, c := range b.complaints {
			t.Errorf("the browser complains: %s", c)
		}
	})
	return b
}

func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// until waits for a condition in JavaScript to hold, looking again whenever the page changes.
func (b *browser) until(condition string) {
	b.t.Helper()
	script := fmt.Sprintf(`new Promise((done) => {
		const look = () => { if (%s) done(true); };
		new MutationObserver(look).observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
		look();
	})`, condition)
	_, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](script, func(p *runtime.EvaluateParams) { p.AwaitPromise = new(true) }))
	if err != nil {
		b.t.Fatalf("waiting for %s: %v", condition, err)
	}
}

func TestTheInboxRenewsItselfAndKeepsWhatIsTyped(t *testing.T) {
	o := openOffice(t)
	server := httptest.NewServer(o.handler)
	t.Cleanup(server.Close) // after the browser, which keeps a stream open
	b := openBrowser(t)
	var link string
	o.write(func(tx *store.Tx) (err error) {
		link, err = tx.AddSignIn(t.Context(), o.ours.merchant, o.ours.admin.ID, time.Hour)
		return err
	})
	b.do(chromedp.Navigate(server.URL+"/sign-in/"+link), chromedp.Click(chromedp.CSS("main button")), chromedp.WaitVisible(chromedp.CSS(".queue")))

	// The list: somebody new waits, and the price that is being typed stays.
	price := chromedp.CSS("input[name=price]")
	b.do(chromedp.SendKeys(price, "17"))
	th := o.say(o.ours, "visitor-2", "Is anybody there?")
	b.until(`document.querySelector('a[href="/inbox/` + th.ID + `"]') && document.title.startsWith("(3)")`)
	b.until(`document.querySelector("input[name=price]").value === "17"`)

	// The thread: the next message appears below, and a draft outlives a reload.
	text := chromedp.CSS("textarea[name=text]")
	b.do(chromedp.Navigate(server.URL+"/inbox/"+th.ID), chromedp.SendKeys(text, "One moment"))
	o.say(o.ours, "visitor-2", "<b>Hello?</b>")
	b.until(`[...document.querySelectorAll(".said.contact .text")].at(-1).textContent === "<b>Hello?</b>"`)
	b.until(`document.querySelector("textarea").value === "One moment"`)
	b.do(chromedp.Reload(), chromedp.WaitVisible(text))
	b.until(`document.querySelector("textarea").value === "One moment"`)

	// Sending takes over and clears the draft.
	b.do(chromedp.Click(chromedp.CSS(".reply button")), chromedp.WaitVisible(chromedp.CSS(".done")))
	b.until(`[...document.querySelectorAll(".said.staff .text")].at(-1).textContent === "One moment"`)
	b.until(`document.querySelector("textarea").value === "" && document.querySelector(".dot.mine")`)
	if err := o.house.Return(t.Context(), o.ours.merchant, th.ID, o.ours.admin.ID); err != nil {
		t.Fatal(err)
	}
	b.until(`document.querySelector(".dot.bot")`)
	b.do(chromedp.Reload(), chromedp.WaitVisible(text))
	b.until(`document.querySelector("textarea").value === ""`)
}
