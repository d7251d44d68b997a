package load

import "strconv"

// An update of a message is so long, whatever it says: what the text leaves is filled with marks of its form, as Telegram sends them
// with bold and linked words.
const (
	updateSize = 1024
	textSize   = 200
)

// Say is what a customer writes.
type Say func(buf []byte, n int64, chat int64) []byte

// filler are words that no language and no flow takes for a command.
const filler = "lorem ipsum dolor sit amet consectetur adipiscing elit sed eiusmod tempor incididunt ut labore et dolore magna aliqua "

// Chatter is small talk.
func Chatter(buf []byte, _, _ int64) []byte {
	for left := textSize; left > 0; left -= len(filler) {
		buf = append(buf, filler[:min(len(filler), left)]...)
	}
	return buf
}

// Words says the same each time.
func Words(text string) Say {
	return func(buf []byte, _, _ int64) []byte { return append(buf, text...) }
}

// appendMessage writes a message as Telegram's webhook does. n is unique, and so are the ids made from it.
func appendMessage(buf []byte, n, chat int64, say Say) []byte {
	buf = append(buf, `{"update_id":`...)
	buf = strconv.AppendInt(buf, 100_000_000+n, 10)
	buf = append(buf, `,"message":{"message_id":`...)
	buf = strconv.AppendInt(buf, n+1, 10)
	buf = append(buf, `,"from":{"id":`...)
	buf = strconv.AppendInt(buf, chat, 10)
	buf = append(buf, `,"is_bot":false,"first_name":"Ada","last_name":"Byron","username":"ada","language_code":"en"},"chat":{"id":`...)
	buf = strconv.AppendInt(buf, chat, 10)
	buf = append(buf, `,"first_name":"Ada","last_name":"Byron","username":"ada","type":"private"},"date":1735689600,"text":"`...)
	buf = say(buf, n, chat)
	buf = append(buf, `","entities":[{"offset":0,"length":5,"type":"bold"}`...)
	const mark = `,{"offset":12,"length":5,"type":"italic"}`
	for len(buf)+len(mark)+len(`]}}`) <= updateSize {
		buf = append(buf, mark...)
	}
	for len(buf)+len(`]}}`) < updateSize {
		buf = append(buf, ' ')
	}
	return append(buf, `]}}`...)
}

// appendPress writes a press on a button.
func appendPress(buf []byte, n, chat int64, value string) []byte {
	buf = append(buf, `{"update_id":`...)
	buf = strconv.AppendInt(buf, 100_000_000+n, 10)
	buf = append(buf, `,"callback_query":{"id":"`...)
	buf = strconv.AppendInt(buf, 900_000_000+n, 10)
	buf = append(buf, `","from":{"id":`...)
	buf = strconv.AppendInt(buf, chat, 10)
	buf = append(buf, `,"is_bot":false,"first_name":"Ada","language_code":"en"},"message":{"message_id":1,"date":1735689600,"chat":{"id":`...)
	buf = strconv.AppendInt(buf, chat, 10)
	buf = append(buf, `,"first_name":"Ada","type":"private"}},"chat_instance":"1","data":"`...)
	buf = append(buf, value...)
	return append(buf, `"}}`...)
}
