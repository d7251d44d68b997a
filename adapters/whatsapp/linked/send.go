//go:build whatsmeow && !nowhatsmeow

package linked

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"google.golang.org/protobuf/proto"

	"parley/adapters"
)

const (
	// ackTime is how long WhatsApp may take to say that it has a message.
	ackTime = 30 * time.Second
	// restPause is our own guess: WhatsApp says "too much" here without saying for how long.
	restPause = time.Minute
)

// Send delivers a part as plain text, under its picture where that can be had. A picture that cannot be had never costs the
// message. The message's id comes from the part's key, so that a repeat has the id of the first.
func (m *Messenger) Send(ctx context.Context, part adapters.Part) (adapters.Sent, error) {
	if n := limits.Unit.Count(part.Text); n > limits.Text {
		return adapters.Sent{}, rejected("too_long", fmt.Sprintf("the text has %d characters, WhatsApp takes %d", n, limits.Text), nil)
	}
	to, err := address(part.Chat)
	if err != nil {
		return adapters.Sent{}, rejected("bad_chat", err.Error(), err)
	}
	client := m.connected()
	if client == nil {
		return adapters.Sent{}, m.absent()
	}
	if failed := known(ctx, client, to); failed != nil {
		return adapters.Sent{}, failed
	}
	msg := &waE2E.Message{Conversation: proto.String(part.Text)}
	if part.Image != "" && limits.Unit.Count(part.Text) <= captionLimit {
		picture, err := m.picture(ctx, client, part)
		switch {
		case err == nil:
			msg = &waE2E.Message{ImageMessage: picture}
		case part.Text == "":
			return adapters.Sent{}, rejected("no_picture", "the picture could not be sent: "+err.Error(), err)
		default:
			m.log.WarnContext(ctx, "whatsapp picture not sent, sending the text alone", "image", part.Image, "problem", err)
		}
	}
	id := m.messageID(client, part)
	if _, err := client.SendMessage(ctx, to, msg, whatsmeow.SendRequestExtra{ID: id, Timeout: ackTime}); err != nil {
		return adapters.Sent{}, sendError(err)
	}
	return adapters.Sent{ID: id}, nil
}

// React puts an emoji on a message of the person's.
func (m *Messenger) React(ctx context.Context, chat, message, emoji string) error {
	to, err := address(chat)
	if err != nil {
		return rejected("bad_chat", err.Error(), err)
	}
	client := m.connected()
	if client == nil {
		return m.absent()
	}
	sign := client.BuildReaction(to, to, message, emoji)
	if _, err := client.SendMessage(ctx, to, sign, whatsmeow.SendRequestExtra{Timeout: ackTime}); err != nil {
		return sendError(err)
	}
	return nil
}

// messageID is in the form of WhatsApp Web's own ids.
func (m *Messenger) messageID(client *whatsmeow.Client, part adapters.Part) types.MessageID {
	if part.Key == "" {
		return client.GenerateMessageID()
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{"parley", m.account, part.Chat, part.Key}, "\x00")))
	return "3EB0" + strings.ToUpper(hex.EncodeToString(sum[:9]))
}

// address reads a chat: a phone number with country code, or a hidden id.
func address(chat string) (types.JID, error) {
	if lid, ok := strings.CutSuffix(chat, "@"+types.HiddenUserServer); ok && digits.MatchString(lid) {
		return types.NewJID(lid, types.HiddenUserServer), nil
	}
	number := strings.NewReplacer(" ", "", "-", "", "(", "", ")", "").Replace(strings.TrimPrefix(chat, "+"))
	if !digits.MatchString(number) || number[0] == '0' {
		return types.EmptyJID, fmt.Errorf("%q is not a phone number with country code", chat)
	}
	return types.NewJID(number, types.DefaultUserServer), nil
}

var digits = regexp.MustCompile(`^[0-9]{5,20}$`)

// known makes sure that a number is on WhatsApp, which is asked once for each.
func known(ctx context.Context, client *whatsmeow.Client, to types.JID) *adapters.SendError {
	if to.Server != types.DefaultUserServer {
		return nil
	}
	lid, err := client.Store.LIDs.GetLIDForPN(ctx, to)
	if err == nil && lid.IsEmpty() {
		var found map[types.JID]types.UserInfo
		found, err = client.GetUserInfo(ctx, []types.JID{to})
		lid = found[to].LID
	}
	if err != nil {
		return notSent(err)
	}
	if lid.IsEmpty() {
		return &adapters.SendError{Consequence: adapters.Gone, Code: "not_on_whatsapp", Reason: "this number is not on WhatsApp"}
	}
	return nil
}

func rejected(code, reason string, err error) *adapters.SendError {
	return &adapters.SendError{Consequence: adapters.Rejected, Code: code, Reason: reason, Err: err}
}

// absent is what a send meets while there is no connection. With a phone linked there will be one again, unless WhatsApp said why not.
func (m *Messenger) absent() *adapters.SendError {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.problem != "" {
		return &adapters.SendError{Consequence: adapters.Broken, Code: "not_taken", Reason: m.problem}
	}
	if m.number == "" {
		return &adapters.SendError{Consequence: adapters.Broken, Code: "not_linked", Reason: "no phone is linked to this account"}
	}
	return &adapters.SendError{Consequence: adapters.Temporary, Code: "not_connected", Reason: "WhatsApp is not connected", Err: whatsmeow.ErrNotConnected}
}

// notSent is a failure of what comes before the message: nothing has left.
func notSent(err error) *adapters.SendError {
	failed := sendError(err)
	if failed.Consequence == adapters.Unknown {
		failed.Consequence = adapters.Temporary
	}
	return failed
}

var codeAtEnd = regexp.MustCompile(`[0-9]+$`)

// sendError says what a failed send means for what comes next. What is not known may have been delivered.
func sendError(err error) *adapters.SendError {
	failed := &adapters.SendError{Consequence: adapters.Unknown, Reason: err.Error(), Err: err}
	code := 0
	if iq, ok := errors.AsType[*whatsmeow.IQError](err); ok {
		code = iq.Code // to a question that comes before the message
		failed.Consequence = adapters.Temporary
	} else if errors.Is(err, whatsmeow.ErrServerReturnedError) {
		code, _ = strconv.Atoi(codeAtEnd.FindString(err.Error())) // the library has it in its text alone
		failed.Consequence = adapters.Rejected
	}
	if code != 0 {
		failed.Code = strconv.Itoa(code)
	}
	switch {
	case code == 429:
		failed.Consequence, failed.RetryAfter = adapters.Throttled, restPause
	case code == 463: // WhatsApp's "reach-out time lock"
		failed.Reason = "WhatsApp does not let this account write first to people it has no chat with; wait for them to write"
	case code >= 500:
		failed.Consequence = adapters.Temporary
	case errors.Is(err, whatsmeow.ErrNotConnected):
		failed.Consequence, failed.Code = adapters.Temporary, "not_connected"
	case errors.Is(err, whatsmeow.ErrNotLoggedIn):
		failed.Consequence, failed.Code = adapters.Broken, "not_linked"
	case errors.Is(err, whatsmeow.ErrIQTimedOut):
		failed.Consequence = adapters.Temporary
	}
	return failed
}
