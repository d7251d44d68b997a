package main

import (
	"bytes"
	"net/url"
)

// firstButton is the value of the first button in a message, as a form or as JSON; "" when it has none.
func firstButton(body []byte) string {
	text := string(body)
	if !bytes.HasPrefix(body, []byte("{")) {
		form, err := url.ParseQuery(text)
		if err != nil {
			return ""
		}
		text = form.Get("reply_markup")
	}
	const name = `"callback_data":"`
	_, rest, ok := bytes.Cut([]byte(text), []byte(name))
	if !ok {
		return ""
	}
	value, _, _ := bytes.Cut(rest, []byte(`"`))
	return string(value)
}
