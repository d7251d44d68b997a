//go:build whatsmeow && !nowhatsmeow

package linked

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"parley/adapters"
	"parley/conversation"
)

// convert reads what a library event tells us; none for what we do not act on: groups, channels, status updates, reactions,
// edits.
func (s *session) convert(ctx context.Context, evt any) ([]conversation.Event, error) {
	switch e := evt.(type) {
	case *events.Message:
		return s.message(ctx, e)
	case *events.Receipt:
		return s.receipt(ctx, e)
	}
	return nil, nil
}

func (s *session) message(ctx context.Context, e *events.Message) ([]conversation.Event, error) {
	if !private(e.Info.MessageSource) || e.IsEdit || s.own(e.Info.Chat) {
		return nil, nil
	}
	chat, err := s.chat(ctx, e.Info.MessageSource)
	if err != nil {
		return nil, err
	}
	event := conversation.Event{Kind: conversation.Text, Chat: chat, Sender: chat, ID: e.Info.ID, At: e.Info.Timestamp.UTC(), Text: said(e.Message)}
	if e.Info.IsFromMe {
		event.Kind, event.Sender, event.ID = conversation.Staff, s.client.Store.GetJID().User, "own:"+e.Info.ID
	} else {
		event.SenderName = strings.ReplaceAll(adapters.Clean(cut(e.Info.PushName, 128)), "\n", " ")
		if token, ok := startToken(event.Text); ok {
			event.Kind, event.Value, event.Text = conversation.Start, token, ""
		}
	}
	if event.Kind != conversation.Start && event.Text == "" {
		return nil, nil
	}
	return []conversation.Event{event}, nil
}

// receipt is one event a message: a receipt may speak of many.
func (s *session) receipt(ctx context.Context, e *events.Receipt) ([]conversation.Event, error) {
	name := ""
	switch e.Type {
	case types.ReceiptTypeDelivered:
		name = "delivered"
	case types.ReceiptTypeRead, types.ReceiptTypePlayed:
		name = "read"
	}
	if name == "" || e.IsFromMe || !private(e.MessageSource) {
		return nil, nil
	}
	chat, err := s.chat(ctx, e.MessageSource)
	if err != nil {
		return nil, err
	}
	var out []conversation.Event
	for _, id := range e.MessageIDs {
		out = append(out, conversation.Event{
			Kind: conversation.Receipt, Chat: chat, Sender: chat, ID: name + ":" + id, At: e.Timestamp.UTC(), Value: id, Name: name,
		})
	}
	return out, nil
}

// private says that a chat is with one person.
func private(source types.MessageSource) bool {
	server := source.Chat.Server
	return !source.IsGroup && !source.Chat.IsBot() && (server == types.DefaultUserServer || server == types.HiddenUserServer)
}

// own says that a chat is the account's with itself.
func (s *session) own(chat types.JID) bool {
	d := s.client.Store
	return chat.User == d.GetJID().User && chat.Server == types.DefaultUserServer || chat.User == d.GetLID().User && chat.Server == types.HiddenUserServer
}

// chat is the other person's phone number, digits only, as the Cloud API has it too. Of somebody who hides the number it is
// their hidden id with @lid behind it.
func (s *session) chat(ctx context.Context, source types.MessageSource) (string, error) {
	jid, other := source.Chat, source.SenderAlt
	if source.IsFromMe {
		other = source.RecipientAlt
	}
	if jid.Server == types.DefaultUserServer {
		return jid.User, nil
	}
	if other.Server == types.DefaultUserServer && other.User != "" {
		return other.User, nil
	}
	number, err := s.client.Store.LIDs.GetPNForLID(ctx, jid.ToNonAD())
	if err != nil {
		return "", fmt.Errorf("look up the number of %s: %w", jid.User, err)
	}
	if number.User != "" {
		return number.User, nil
	}
	return jid.User + "@" + types.HiddenUserServer, nil
}

// said is a message's words, or what stands for it.
func said(msg *waE2E.Message) string {
	for _, text := range []string{msg.GetConversation(), msg.GetExtendedTextMessage().GetText()} {
		if text := adapters.Clean(text); text != "" {
			return text
		}
	}
	kinds := []struct {
		is             bool
		stand, caption string
	}{
		{msg.GetImageMessage() != nil, "[photo]", msg.GetImageMessage().GetCaption()},
		{msg.GetVideoMessage() != nil, "[video]", msg.GetVideoMessage().GetCaption()},
		{msg.GetPtvMessage() != nil, "[video]", ""},
		{msg.GetAudioMessage().GetPTT(), "[voice message]", ""},
		{msg.GetAudioMessage() != nil, "[audio]", ""},
		{msg.GetDocumentMessage() != nil, "[file]", msg.GetDocumentMessage().GetCaption()},
		{msg.GetStickerMessage() != nil, "[sticker]", ""},
		{msg.GetLocationMessage() != nil || msg.GetLiveLocationMessage() != nil, "[location]", ""},
		{msg.GetContactMessage() != nil || msg.GetContactsArrayMessage() != nil, "[contact]", ""},
		{msg.GetPollCreationMessage() != nil || msg.GetPollCreationMessageV3() != nil, "[poll]", ""},
	}
	for _, kind := range kinds {
		if kind.is {
			return strings.TrimSpace(kind.stand + " " + adapters.Clean(kind.caption))
		}
	}
	return ""
}

// start is "start TOKEN", as Link has it, with whatever the person wrote behind it. The token is long: "start over please" has
// none.
var start = regexp.MustCompile(`^(?i:start)[ \t]+([A-Za-z0-9_-]{16,128})(?:\s|$)`)

func startToken(text string) (string, bool) {
	found := start.FindStringSubmatch(text)
	if found == nil {
		return "", false
	}
	return found[1], true
}

// cut shortens a name to so many runes.
func cut(text string, n int) string {
	if runes := []rune(text); len(runes) > n {
		return string(runes[:n])
	}
	return text
}
