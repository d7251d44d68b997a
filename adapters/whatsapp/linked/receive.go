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

// convert reads what a library event tells us; none for what we do not act on: groups, channels, status updates, edits.
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
	event := conversation.Event{Kind: conversation.Text, Chat: chat, Sender: chat, ID: e.Info.ID, Message: e.Info.ID, At: e.Info.Timestamp.UTC()}
	event.Text, event.Media = said(e.Message)
	reaction := e.Message.GetReactionMessage()
	switch {
	case reaction != nil && e.Info.IsFromMe:
		return nil, nil
	case reaction != nil: // without a sign it was taken back
		event.Kind, event.Message = conversation.Reaction, ""
		event.Text, event.Value = adapters.Clean(reaction.GetText()), reaction.GetKey().GetID()
	case e.Info.IsFromMe:
		event.Kind, event.Sender, event.ID, event.Message = conversation.Staff, s.client.Store.GetJID().User, "own:"+e.Info.ID, ""
		if event.Media != "" {
			event.Text, event.Media = "["+event.Media+"] "+event.Text, ""
		}
	default:
		event.SenderName = oneLine(e.Info.PushName, 128)
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

// said is a message's words and what came along with them. Of a message without words the text is what stands for it; it is empty
// for what WhatsApp's apps tell each other.
func said(msg *waE2E.Message) (text, media string) {
	for _, text := range []string{msg.GetConversation(), msg.GetExtendedTextMessage().GetText()} {
		if text := adapters.Clean(text); text != "" {
			return text, ""
		}
	}
	if place := msg.GetLocationMessage(); place != nil {
		return "[location] " + where(place), ""
	}
	if person := msg.GetContactMessage().GetDisplayName() + msg.GetContactsArrayMessage().GetDisplayName(); person != "" {
		return "[contact] " + oneLine(person, 200), ""
	}
	file := msg.GetDocumentMessage()
	kinds := []struct {
		is             bool
		stand, caption string
	}{
		{msg.GetImageMessage() != nil, "photo", msg.GetImageMessage().GetCaption()},
		{msg.GetVideoMessage() != nil, "video", msg.GetVideoMessage().GetCaption()},
		{msg.GetPtvMessage() != nil, "video", ""},
		{msg.GetAudioMessage().GetPTT(), "voice message", ""},
		{msg.GetAudioMessage() != nil, "audio", ""},
		{file != nil, strings.TrimSpace("file " + oneLine(file.GetFileName(), 100)), file.GetCaption()},
		{msg.GetStickerMessage() != nil, "sticker", ""},
		{msg.GetLiveLocationMessage() != nil, "location", ""},
		{msg.GetContactMessage() != nil || msg.GetContactsArrayMessage() != nil, "contact", ""},
		{msg.GetPollCreationMessage() != nil || msg.GetPollCreationMessageV3() != nil, "poll", ""},
	}
	for _, kind := range kinds {
		if !kind.is {
			continue
		}
		if caption := adapters.Clean(kind.caption); caption != "" {
			return caption, kind.stand
		}
		return "[" + kind.stand + "]", ""
	}
	return "", ""
}

// where names a place, by its words and where it is.
func where(place *waE2E.LocationMessage) string {
	var parts []string
	for _, part := range []string{place.GetName(), place.GetAddress()} {
		if part = oneLine(part, 200); part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(append(parts, fmt.Sprintf("%g,%g", place.GetDegreesLatitude(), place.GetDegreesLongitude())), ", ")
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

// oneLine is a stranger's text of at most so many characters.
func oneLine(text string, most int) string {
	runes := []rune(strings.ReplaceAll(adapters.Clean(text), "\n", " "))
	return string(runes[:min(len(runes), most)])
}
