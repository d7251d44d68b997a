package bots

import (
	"testing"

	"parley/adapters"
	"parley/conversation"
)

func TestAPictureStandsAloneAboveAListOfFewLongChoices(t *testing.T) {
	l := adapters.Limits{Text: 4096, Caption: 1024, Buttons: adapters.Buttons{Max: 3, Label: 20}, List: adapters.Buttons{Max: 10, Label: 24}}
	parts := plan(conversation.Reply{Text: "Cheaper now", Image: "https://shop.example/a.png", Choices: []conversation.Option{
		{ID: "buy", Label: "Buy now, pay €1,850.00"}, {ID: "no", Label: "No, thanks"},
	}}, l)
	if len(parts) != 2 || parts[0].Image == "" || parts[0].Text != "" || len(parts[1].Choices) != 2 || parts[1].Image != "" {
		t.Errorf("got %+v, want the picture, and behind it the list, which has no room for one", parts)
	}
}
