package slack

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	slackgo "github.com/slack-go/slack"

	"parley/adapters"
	"parley/conversation"
)

// altLimit is how much of the text stands for a picture, where pictures are not seen.
const altLimit = 200

// message is a part as Slack takes it. The words go into a rich text block, which has no markup: *, _ and ~ are shown as
// typed, which mrkdwn has no way to say. The text beside the blocks is what a notification shows.
func message(part adapters.Part, picture bool) []slackgo.MsgOption {
	var blocks []slackgo.Block
	if picture {
		blocks = append(blocks, slackgo.NewImageBlock(part.Image, alt(part.Text), "", nil))
	}
	if part.Text != "" {
		blocks = append(blocks, slackgo.NewRichTextBlock("", slackgo.NewRichTextSection(words(part.Text)...)))
	} else if !picture {
		blocks = append(blocks, slackgo.NewRichTextBlock("", slackgo.NewRichTextSection(words(part.Image)...)))
	}
	if len(part.Choices) > 0 {
		blocks = append(blocks, slackgo.NewActionBlock("", elements(part)...))
	}
	return []slackgo.MsgOption{
		slackgo.MsgOptionText(escape(part.Text), false),
		slackgo.MsgOptionBlocks(blocks...),
		slackgo.MsgOptionDisableMarkdown(),
	}
}

// address finds what can be clicked. What ends a sentence or a bracket does not belong to it.
var address = regexp.MustCompile(`https?://[^\s<>"]*[^\s<>".,;:!?'()\[\]{}*_~]`)

// words cuts a text into what can be clicked and what cannot.
func words(text string) []slackgo.RichTextSectionElement {
	var out []slackgo.RichTextSectionElement
	plain := func(s string) {
		if s != "" {
			out = append(out, slackgo.NewRichTextSectionTextElement(s, nil))
		}
	}
	rest := 0
	for _, at := range address.FindAllStringIndex(text, -1) {
		plain(text[rest:at[0]])
		out = append(out, slackgo.NewRichTextSectionLinkElement(text[at[0]:at[1]], "", nil))
		rest = at[1]
	}
	plain(text[rest:])
	return out
}

func elements(part adapters.Part) []slackgo.BlockElement {
	if limits.InList(part.Choices) {
		return []slackgo.BlockElement{menu(part)}
	}
	var out []slackgo.BlockElement
	for i, c := range part.Choices {
		out = append(out, slackgo.NewButtonBlockElement(fmt.Sprint("choice-", i), c.Value, label(c.Label)))
	}
	return out
}

func menu(part adapters.Part) slackgo.BlockElement {
	ask := "Please choose"
	if strings.HasPrefix(part.Language, "de") {
		ask = "Bitte wählen"
	}
	var options []*slackgo.OptionBlockObject
	for _, c := range part.Choices {
		options = append(options, option(c))
	}
	return slackgo.NewOptionsSelectBlockElement(slackgo.OptTypeStatic, plain(ask), "choices", options...)
}

func option(c conversation.Option) *slackgo.OptionBlockObject {
	return slackgo.NewOptionBlockObject(c.Value, label(c.Label), nil)
}

// label escapes what a person reads on a button, unless it would be too long then: Slack mends a bare & by itself, but
// refuses the 76th character.
func label(text string) *slackgo.TextBlockObject {
	if escaped := escape(text); utf8.RuneCountInString(escaped) <= limits.Buttons.Label {
		text = escaped
	}
	return plain(text)
}

func plain(text string) *slackgo.TextBlockObject {
	return slackgo.NewTextBlockObject(slackgo.PlainTextType, text, false, false)
}

func alt(text string) string {
	line := []rune(strings.Join(strings.Fields(text), " "))
	if len(line) == 0 {
		return "picture"
	}
	return string(line[:min(len(line), altLimit)])
}
