//go:build whatsmeow && !nowhatsmeow

package cli

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"parley/adapters/whatsapp/linked/wafake"
)

// withLinkedPhone says that this build can link a phone.
const withLinkedPhone = true

const (
	shopNumber = "4915100000001"
	annNumber  = "4915100000002"
)

type onAPhone struct {
	s *shop
	*wafake.Person
}

func onLinkedPhone(t *testing.T) network {
	srv := wafake.Start(t)
	account := fmt.Sprintf("      - {name: phone, adapter: whatsapp, backend: linked, linked_api_base: %q}\n", srv.URL())
	return network{account, pictureServer(t) + "/mug.png", func(s *shop) shopper {
		s.t.Helper()
		srv.Register(shopNumber, "The Shop")
		err := s.in.house.Pair(s.t.Context(), s.in.merchants[0], "phone", "", func(code string) {
			if err := srv.ScanQR(shopNumber, code); err != nil {
				s.t.Error(err)
			}
		})
		if err != nil {
			s.t.Fatal(err)
		}
		s.accountReady("phone")
		return onAPhone{s, srv.Person(annNumber, "Ann")}
	}}
}

// pictureServer has the same picture at every address: a linked phone fetches pictures itself.
func pictureServer(t *testing.T) string {
	t.Helper()
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(picture.Bytes()) }))
	t.Cleanup(srv.Close)
	return srv.URL
}

func (p onAPhone) wishes(sku, below string) {
	p.s.t.Helper()
	link := p.s.fillIn("phone", sku, below, "+"+annNumber)
	u, err := url.Parse(link)
	if err != nil || u.Host != "wa.me" || u.Path != "/"+shopNumber {
		p.s.t.Fatalf("%q does not open the chat with %s", link, shopNumber)
	}
	p.types(u.Query().Get("text"))
}

func (p onAPhone) types(text string) {
	p.s.t.Helper()
	p.Type(shopNumber, text)
}

func (p onAPhone) press(label string) {
	p.s.t.Helper()
	p.s.t.Fatalf("a linked phone shows no button, so not %q", label)
}

func (p onAPhone) message(n int) sight {
	p.s.t.Helper()
	m := p.Read(shopNumber, n)
	return looking(m.Text, m.Image != nil, "", nil)
}
