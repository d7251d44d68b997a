package cli

import (
	"bytes"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// buyLink makes the shop tell a visitor of a lower price and returns the path of the buy link in it.
func (s *shop) buyLink(v *visitor) string {
	s.t.Helper()
	link := regexp.MustCompile(`/b/[A-Za-z0-9_-]+`)
	s.reprice("mug", 490)
	path := link.FindString(v.hears("now costs").Text)
	if path == "" {
		s.t.Fatal("the notification holds no buy link")
	}
	return path
}

func TestNoGetOfABuyLinkEverBuys(t *testing.T) {
	t.Parallel()
	const chrome = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
	visits := []struct {
		name    string
		headers []string
	}{
		{"a person", []string{"User-Agent", chrome, "Sec-Fetch-Site", "none", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-User", "?1", "Sec-Fetch-Dest", "document"}},
		{"WhatsApp's preview", []string{"User-Agent", "WhatsApp/2.24.6.77 A"}},
		{"Telegram's preview", []string{"User-Agent", "TelegramBot (like TwitterBot)"}},
		{"Slack's preview", []string{"User-Agent", "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"}},
		{"Facebook's preview", []string{"User-Agent", "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)"}},
		{"Discord's preview", []string{"User-Agent", "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)"}},
		{"Apple's preview, which says that it is Facebook's", []string{"User-Agent", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) Version/9.0.1 Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0"}},
		{"Outlook's safe links", []string{"User-Agent", chrome, "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Referer", "https://eur01.safelinks.protection.outlook.com/"}},
		{"a prefetch", []string{"User-Agent", chrome, "Sec-Purpose", "prefetch"}},
		{"a prerender", []string{"User-Agent", chrome, "Sec-Purpose", "prefetch;prerender", "Sec-Fetch-Mode", "navigate"}},
		{"Firefox's prefetch", []string{"X-Moz", "prefetch"}},
		{"a picture on another page", []string{"User-Agent", chrome, "Sec-Fetch-Dest", "image", "Sec-Fetch-Site", "cross-site"}},
		{"a GET that says it is a POST", []string{"X-HTTP-Method-Override", "POST", "X-Method-Override", "POST"}},
		{"curl", []string{"User-Agent", "curl/8.14.1"}},
		{"no name at all", []string{"User-Agent", ""}},
	}
	eachShop(t, "", func(s *shop) {
		s.product("mug", "Harbour mug", 2000, 5, "")
		ann := talker(s)
		link := s.buyLink(ann)
		before := s.kept()
		for _, visit := range visits {
			for _, method := range []string{"GET", "HEAD"} {
				for _, query := range []string{"", "?pressed=yes", "?_method=POST"} {
					resp, err := http.DefaultClient.Do(s.request(s.t, method, link+query, "", visit.headers...))
					if err != nil {
						s.t.Fatal(err)
					}
					page, _ := io.ReadAll(resp.Body)
					_ = resp.Body.Close()
					if resp.StatusCode != http.StatusOK || method == "GET" && !bytes.Contains(page, []byte("Buy now, pay €4.90")) {
						s.t.Errorf("%s %s%s: status %d, want the live offer", method, visit.name, query, resp.StatusCode)
					}
				}
			}
		}
		if diff := cmp.Diff(before, s.kept()); diff != "" {
			s.t.Fatalf("a look at the link changed something:\n%s", diff)
		}
		s.posts(link, http.StatusOK, "Thank you, it is yours.")
		s.posts(link, http.StatusOK, "Thank you, it is yours.")
		ann.hears("Thank you!")
		if n, left := len(s.orders()), s.stock("mug"); n != 1 || left != 4 {
			s.t.Errorf("%d orders and %d in stock, want 1 and 4", n, left)
		}
	})
}

// posts presses the button of a buy link.
func (s *shop) posts(link string, status int, words string) {
	s.t.Helper()
	resp, err := http.DefaultClient.Do(s.request(s.t, "POST", link, "pressed=yes", "Content-Type", "application/x-www-form-urlencoded"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	page, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != status || !strings.Contains(string(page), words) {
		s.t.Errorf("POST of the link: status %d, want %d and %q in:\n%s", resp.StatusCode, status, words, page)
	}
}

func TestForgedAndExpiredBuyTokensDoNotBuy(t *testing.T) {
	t.Parallel()
	eachShop(t, "", func(s *shop) {
		s.product("mug", "Harbour mug", 2000, 5, "")
		ann := talker(s)
		link := s.buyLink(ann)
		elsewhere := openShop(s.t, testShop("sqlite://"+s.t.TempDir()+"/other.db", ""))
		elsewhere.product("mug", "Harbour mug", 2000, 5, "")
		other := elsewhere.buyLink(talker(elsewhere)) // signed, but by another installation's key
		forged := []string{other, link[:len(link)-1], link + "A", "/b/" + strings.Repeat("A", 58), "/b/x", "/b/%00"}
		for i := len("/b/"); i < len(link); i += 5 { // one letter at a time
			letter := byte('A')
			if link[i] == letter {
				letter = 'B'
			}
			forged = append(forged, link[:i]+string(letter)+link[i+1:])
		}
		before := s.kept()
		for _, token := range forged {
			for _, method := range []string{"GET", "POST"} {
				req := s.request(s.t, method, token, "pressed=yes", "Content-Type", "application/x-www-form-urlencoded")
				s.refused(s.t, http.DefaultClient, req, http.StatusNotFound, "This link is not one of ours")
			}
		}
		if diff := cmp.Diff(before, s.kept()); diff != "" {
			s.t.Errorf("forged tokens left something behind:\n%s", diff)
		}

		// A day passes for the quote.
		past := time.Now().Add(-time.Second).UnixMilli()
		if _, err := s.in.store.DB().ExecContext(s.t.Context(), "UPDATE quotes SET expires_ms = $1", past); err != nil {
			s.t.Fatal(err)
		}
		req := s.request(s.t, "GET", link, "")
		s.refused(s.t, http.DefaultClient, req, http.StatusGone, "This offer has ended.")
		s.posts(link, http.StatusGone, "This offer has ended.")
		if n, left := len(s.orders()), s.stock("mug"); n != 0 || left != 5 {
			s.t.Errorf("%d orders and %d in stock, want 0 and 5", n, left)
		}
	})
}
