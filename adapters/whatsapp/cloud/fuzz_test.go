package cloud

import (
	"strings"
	"testing"

	"parley/adapters"
	"parley/adapters/whatsapp/cloudtest"
	"parley/config"
)

func FuzzConvert(f *testing.F) {
	s, err := config.NewSettings(Fields(), map[string]string{
		"api_base": "http://127.0.0.1:1", "phone_number_id": cloudtest.NumberID, "access_token": cloudtest.Token, "app_secret": cloudtest.AppSecret, "verify_token": cloudtest.VerifyToken,
	})
	if err != nil {
		f.Fatal(err)
	}
	m, err := New(s, adapters.Env{})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(oneText)
	for _, change := range []string{
		`"type":"interactive","interactive":{"type":"button_reply","button_reply":{"id":"v","title":"Buy"}}`, `"type":"button","button":{"payload":"v","text":"Buy"}`,
		`"type":"image","image":{"caption":"c"}`, `"type":"location","location":{"latitude":1e309,"longitude":-1}`, `"type":"unsupported","errors":[{"code":1}]`, `"type":"reaction","reaction":{}`,
	} {
		f.Add(strings.Replace(oneText, `"type":"text","text":{"body":"hi"}`, change, 1))
	}
	for _, body := range []string{``, `[]`, `{"object":"whatsapp_business_account","entry":null}`, strings.Replace(oneText, `"1750091045"`, `"99999999999999999999"`, 1)} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		events, err := m.convert([]byte(body))
		if err != nil && len(events) > 0 {
			t.Errorf("%q gave %v and %d events", body, err, len(events))
		}
		for _, e := range events {
			if e.ID == "" || e.Kind == "" || e.Chat == "" {
				t.Errorf("an event that is none came of %q: %+v", body, e)
			}
		}
	})
}

func FuzzSignature(f *testing.F) {
	genuine := cloudtest.Sign(cloudtest.AppSecret, []byte("body"))
	f.Add(genuine, "body")
	f.Add("", "")
	f.Add("sha256=", "body")
	f.Fuzz(func(t *testing.T, header, body string) {
		if signed([]byte(cloudtest.AppSecret), []byte(body), header) && (!strings.EqualFold(header, genuine) || body != "body") {
			t.Errorf("%q was taken for the signature of %q", header, body)
		}
	})
}
