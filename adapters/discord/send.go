package discord

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/bwmarrin/discordgo"

	"parley/adapters"
	"parley/conversation"
)

const (
	buttonsInRow  = 5
	noPreviews    = 1 << 2 // the flag that keeps Discord from showing what a link leads to
	menuID        = "list"
	longestChoice = 100
)

// outgoing is a message to send or to change into. It is ours, because the library's has no nonce.
type outgoing struct {
	Content    string                       `json:"content"`
	Embeds     []embed                      `json:"embeds"`
	Components []discordgo.MessageComponent `json:"components"`
	Flags      int                          `json:"flags"`
	Mentions   mentions                     `json:"allowed_mentions"`
	Reference  *reference                   `json:"message_reference,omitempty"`
	Nonce      string                       `json:"nonce,omitempty"`
	Enforce    bool                         `json:"enforce_nonce,omitempty"`
}

type embed struct {
	Description string `json:"description,omitempty"`
	Image       *image `json:"image,omitempty"`
}

type image struct {
	URL string `json:"url"`
}

// mentions are who may be called by a message: nobody but the person it answers.
type mentions struct {
	Parse   []string `json:"parse"`
	Replied bool     `json:"replied_user,omitempty"`
}

type reference struct {
	Message string `json:"message_id"`
	Must    bool   `json:"fail_if_not_exists"`
}

// Send delivers a part. Its key becomes a nonce, by which Discord drops a repeat within some minutes.
func (m *Messenger) Send(ctx context.Context, part adapters.Part) (adapters.Sent, error) {
	c, err := parseChat(part.Chat)
	if err != nil {
		return adapters.Sent{}, rejected("bad_chat", err)
	}
	out, err := compose(part)
	if err != nil {
		return adapters.Sent{}, rejected("bad_part", err)
	}
	if part.Key != "" {
		out.Nonce, out.Enforce = nonce(part.Key), true
	}
	if c.person != "" {
		if to := m.asked.message(part.Chat); to != "" {
			out.Reference, out.Mentions.Replied = &reference{Message: to}, true
		}
	}
	var sent struct {
		ID string `json:"id"`
	}
	err = m.awake(ctx, c, func() error {
		return m.rest.call(ctx, http.MethodPost, "channels/"+c.target()+"/messages", out, &sent)
	})
	if err != nil {
		if call, ok := errors.AsType[*callError](err); ok && call.Status > 0 && call.Status < http.StatusMultipleChoices {
			return adapters.Sent{}, nil // sent, but we do not know as what
		}
		return adapters.Sent{}, m.chatError(c, err)
	}
	m.seen.meet(c.target(), c.mark(sent.ID))
	return adapters.Sent{ID: sent.ID}, nil
}

// Edit replaces text, picture and choices of a message.
func (m *Messenger) Edit(ctx context.Context, id string, part adapters.Part) error {
	c, err := parseChat(part.Chat)
	if err == nil && snowflake(id) == 0 {
		err = fmt.Errorf("%q is not a message of Discord", id)
	}
	if err != nil {
		return rejected("bad_chat", err)
	}
	out, err := compose(part)
	if err != nil {
		return rejected("bad_part", err)
	}
	messages := "channels/" + c.target() + "/messages/"
	err = m.awake(ctx, c, func() error {
		return m.rest.callAs(ctx, http.MethodPatch, messages+id, messages, out, nil) // one limit for all that are in it
	})
	if err != nil {
		return m.chatError(c, err)
	}
	return nil
}

// Typing shows for ten seconds that the bot writes.
func (m *Messenger) Typing(ctx context.Context, chat string) error {
	c, err := parseChat(chat)
	if err != nil {
		return fmt.Errorf("show typing: %w", err)
	}
	return m.rest.call(ctx, http.MethodPost, "channels/"+c.target()+"/typing", nil, nil)
}

// compose lays a part out as Discord wants it. Text that grows beyond the limit by being escaped goes into an embed, which
// holds twice as much and looks like a quoted card.
func compose(part adapters.Part) (outgoing, error) {
	var out outgoing
	if n := utf8.RuneCountInString(part.Text); n > textLimit {
		return out, fmt.Errorf("the text has %d characters of at most %d", n, textLimit)
	}
	out = outgoing{Content: escape(part.Text), Embeds: []embed{}, Mentions: mentions{Parse: []string{}}}
	var card embed
	if utf8.RuneCountInString(out.Content) > textLimit {
		card.Description, out.Content = out.Content, ""
	}
	if fetchable(part.Image) {
		card.Image = &image{URL: part.Image}
	}
	if card != (embed{}) {
		out.Embeds = append(out.Embeds, card)
	} else {
		out.Flags = noPreviews
	}
	if out.Content == "" && len(out.Embeds) == 0 && len(part.Choices) == 0 {
		return out, errors.New("there is nothing to show")
	}
	var err error
	out.Components, err = components(part.Choices)
	return out, err
}

// components are rows of buttons, or a menu for more choices than buttons.
func components(choices []conversation.Option) ([]discordgo.MessageComponent, error) {
	rows := []discordgo.MessageComponent{}
	for _, c := range choices {
		if c.Label == "" || c.Value == "" || len(c.Value) > longestChoice {
			return nil, fmt.Errorf("a choice needs a label and a value of at most %d bytes", longestChoice)
		}
	}
	if len(choices) > limits.List.Max {
		return nil, fmt.Errorf("%d choices are more than %d", len(choices), limits.List.Max)
	}
	if limits.InList(choices) {
		menu := discordgo.SelectMenu{MenuType: discordgo.StringSelectMenu, CustomID: menuID}
		for _, c := range choices {
			menu.Options = append(menu.Options, discordgo.SelectMenuOption{Label: c.Label, Value: c.Value})
		}
		return append(rows, discordgo.ActionsRow{Components: []discordgo.MessageComponent{menu}}), nil
	}
	for start := 0; start < len(choices); start += buttonsInRow {
		var row discordgo.ActionsRow
		for i, c := range choices[start:min(start+buttonsInRow, len(choices))] {
			style := discordgo.SecondaryButton
			if start+i == 0 {
				style = discordgo.PrimaryButton
			}
			row.Components = append(row.Components, discordgo.Button{Label: c.Label, Style: style, CustomID: c.Value})
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// nonce fits a key into the 25 characters that Discord takes.
func nonce(key string) string {
	sum := sha256.Sum256([]byte(key))
	return base32.StdEncoding.EncodeToString(sum[:])[:25]
}

// fetchable says that Discord's servers can load the picture: it is at a public address, not one of this machine or house.
func fetchable(image string) bool {
	u, err := url.Parse(image)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || len(image) > 2048 {
		return false
	}
	host := strings.ToLower(u.Hostname())
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.IsGlobalUnicast() && !ip.IsPrivate()
	}
	return strings.Contains(host, ".") && !strings.HasSuffix(host, ".localhost") && !strings.HasSuffix(host, ".local")
}

func rejected(code string, err error) *adapters.SendError {
	return &adapters.SendError{Consequence: adapters.Rejected, Code: code, Reason: err.Error(), Err: err}
}

// goneCodes are Discord's refusals of an address, whatever is sent: it knows no such channel (10003), server (10004) or person
// (10013), the bot may not see the channel (50001), the person takes no messages of it (50007) or shares no server with it (50278).
var goneCodes = map[int]bool{10003: true, 10004: true, 10013: true, 50001: true, 50007: true, 50278: true}

// sendError says what a failed call means for what comes next.
func (m *Messenger) sendError(err error) *adapters.SendError {
	call, ok := errors.AsType[*callError](err)
	if !ok {
		return &adapters.SendError{Consequence: adapters.Unknown, Reason: m.rest.redact(err.Error()), Err: err}
	}
	failed := &adapters.SendError{Reason: call.Message, Err: call}
	switch {
	case call.Code != 0:
		failed.Code = strconv.Itoa(call.Code)
	case call.Status != 0:
		failed.Code = strconv.Itoa(call.Status)
	}
	switch {
	case call.Status == 0 && call.Left:
		failed.Consequence = adapters.Unknown
	case call.Status == 0:
		failed.Consequence = adapters.Temporary
	case call.Status < http.StatusMultipleChoices:
		failed.Consequence = adapters.Unknown // done, but we do not know as what
	case call.Status == http.StatusTooManyRequests:
		failed.Consequence, failed.RetryAfter, failed.PerChat = adapters.Throttled, call.RetryAfter, !call.Global
	case call.Status == http.StatusUnauthorized, call.Status < http.StatusBadRequest: // a redirect is not the API
		failed.Consequence = adapters.Broken
	case goneCodes[call.Code]:
		failed.Consequence = adapters.Gone
	case call.Status == http.StatusGatewayTimeout:
		failed.Consequence = adapters.Unknown // the gateway gave up, not the one behind it
	case call.Status >= http.StatusInternalServerError:
		failed.Consequence = adapters.Temporary // should it have been carried out, the nonce drops the repeat
	default:
		failed.Consequence = adapters.Rejected
	}
	return failed
}
