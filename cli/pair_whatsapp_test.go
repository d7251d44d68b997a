//go:build whatsmeow && !nowhatsmeow

package cli

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"parley/adapters/whatsapp/linked/wafake"
)

const whatsappShop = "4915100000001"

func whatsappAccount(s *wafake.Server) string {
	return fmt.Sprintf("      - {name: phone, adapter: whatsapp, backend: linked, linked_api_base: %q}\n", s.URL())
}

var letters = regexp.MustCompile(`[0-9A-Z]{4}-[0-9A-Z]{4}`)

func TestAPhoneIsLinkedInTheTerminalAndThenServed(t *testing.T) {
	wa := wafake.Start(t)
	wa.Register(whatsappShop, "The Shop")
	url := "sqlite://" + filepath.Join(t.TempDir(), "parley.db")
	yaml := testShop(url, whatsappAccount(wa))
	shopConfig(t, yaml)
	var stdout, stderr output
	code := make(chan int, 1)
	go func() {
		code <- Main([]string{"pair", "phone", "-phone", "+49 151 00000001"}, strings.NewReader(""), &stdout, &stderr, func(string) string { return "" })
	}()
	stdout.waitFor(t, "Type this on the phone")
	if err := wa.TypeCode(whatsappShop, letters.FindString(stdout.String())); err != nil {
		t.Error(err)
	}
	if got := <-code; got != 0 || !strings.Contains(stdout.String(), "the phone is linked to account phone") {
		t.Fatalf("exit %d\n%s%s", got, &stdout, &stderr)
	}
	if again := parley(t, "", "pair", "phone"); again.code != 0 || again.stdout != "a phone is linked to account phone already\n" {
		t.Errorf("again: exit %d\n%s%s", again.code, again.stdout, again.stderr)
	}

	s := openShop(t, yaml)
	s.until("the phone to be ready", func() bool { return s.accountState("phone") == "ready" })
	beside := parley(t, "", "pair", "phone")
	if beside.code != 1 || beside.stdout != "" {
		t.Errorf("beside a server: exit %d with stdout %q", beside.code, beside.stdout)
	}
	wantIn(t, "stderr", beside.stderr, "a server is at work on account phone, which is ready", "/admin/accounts/phone/pair")
	ann := wa.Person("4915100000002", "Ann")
	ann.Type(whatsappShop, "hello")
	if m := ann.Read(whatsappShop, 0); !strings.Contains(m.Text, "I am the bot of Corner Shop") {
		t.Errorf("the bot says %+v", m)
	}
}

func TestAPhoneIsLinkedOnTheAdminsPage(t *testing.T) {
	t.Parallel()
	wa := wafake.Start(t)
	wa.Register(whatsappShop, "The Shop")
	s := openShop(t, testShop("sqlite://"+filepath.Join(t.TempDir(), "parley.db"), whatsappAccount(wa)))
	s.until("the account to ask for a phone", func() bool { return s.accountState("phone") == "failed" })
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	ann := &http.Client{Jar: keepSecure{jar}}
	if got := signIn(t, ann, s.base, s.admin); got != http.StatusSeeOther {
		t.Fatalf("signing in answers %d", got)
	}
	const page = "/admin/accounts/phone/pair"
	read := func(resp *http.Response, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("status %d, %v: %s", resp.StatusCode, err, body)
		}
		return string(body)
	}
	read(ann.PostForm(s.base+page, nil))
	s.until("a picture on the page", func() bool { return strings.Contains(read(ann.Get(s.base+page)), "data:image/svg") })
	read(ann.PostForm(s.base+page, url.Values{"phone": {"+49 151 00000001"}}))
	var code string
	s.until("letters on the page", func() bool {
		_, shown, _ := strings.Cut(read(ann.Get(s.base+page)), `data-key="code"`)
		code = letters.FindString(shown)
		return code != ""
	})
	if err := wa.TypeCode(whatsappShop, code); err != nil {
		t.Fatal(err)
	}
	s.until("the phone to be ready", func() bool { return s.accountState("phone") == "ready" })
	s.until("the page to say so", func() bool { return strings.Contains(read(ann.Get(s.base+page)), "The phone is linked") })
	if n := value[int](s, `SELECT count(*) FROM events WHERE data LIKE '%' || $1 || '%'`, code); n != 0 {
		t.Error("a code stands in the log of changes")
	}
}
