package cli

import (
	"testing"
)

// signsIn is a member of staff who opens the one-time link and presses its button.
func (s *shop) signsIn(t *tab) *tab {
	s.t.Helper()
	t.open(s.base + "/sign-in/" + s.admin)
	t.press(having("form button", "Sign in"))
	t.shows("Sign out")
	t.open(s.base + "/inbox")
	return t
}

// lines are what was said in a chat, in order: who and what.
const lines = `[...document.querySelectorAll(".said")].map((e) => [["me", "staff"].find((c) => e.classList.contains(c)) ?? "bot", e.querySelector(".body").textContent])`

func TestBrowserAPersonAnswersAQuestionWhileTheBotIsSilent(t *testing.T) {
	t.Parallel()
	s, b := openDemo(t), openBrowser(t)
	eve := s.signsIn(b.person())
	eve.shows("Nobody waits")
	if _, err := look[int](&eve.document, "window.notReloaded = 1"); err != nil {
		t.Fatal(err)
	}

	ann := b.person()
	ann.open(s.base + "/p/kettle-arc")
	ann.press(widgetIcon)
	chat := ann.widget(s.base)
	chat.subscribes("Ann", "30.00")
	chat.says("Does the handle stay cool over an open fire?")
	chat.hears("I am passing this on to a person")

	eve.shows("Does the handle stay cool over an open fire?")
	if kept, err := look[int](&eve.document, "window.notReloaded"); err != nil || kept != 1 {
		t.Errorf("the inbox was loaded again (%v), want it to renew itself", err)
	}
	eve.press(having("a.row", "Does the handle"))
	eve.write("#text", "Yes, it is beech. I am Eve, a person.")
	eve.press(having("form.reply button", "Send"))
	chat.hears("I am Eve, a person.")

	chat.says("buy") // which the bot would take up at once
	eve.press(having("button", "Return to bot"))
	chat.hears("It is me again, the bot")
	said := see[[][2]string](chat, "what was said", lines)
	for i, line := range said[:len(said)-1] {
		if line[1] == "buy" && (said[i+1][0] != "bot" || len(said) != i+2) {
			t.Errorf("after the question in staff's hands came %q, want only the bot's return", said[i+1:])
		}
	}
	chat.says("help")
	chat.hears("STOP ends all messages")
	eve.shows("The bot answers here.")
}
