package cli

import (
	"fmt"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parley/adapters/discord/discordtest"
	"parley/adapters/slack/workspacetest"
	"parley/adapters/telegram/telegramtest"
	"parley/adapters/whatsapp/cloudtest"
)

// mistakes are what gateways like ours do wrong on the way of a message, each with the tests that fail if we begin to.
var mistakes = []struct {
	mistake string
	tests   []string // folder and name
}{
	{"messages stay queued for ever after a kill -9", []string{"bots TestAfterARestartInterruptedPartsAreSettledBySafety", "cli TestWhatWasConfirmedIsDoneOnceWhateverHappens"}},
	{"SIGTERM panics and loses a message", []string{"bots TestWhatIsUnderWayWhenTheHouseClosesIsNoted", "cli TestTheBuiltProgramBehavesAsAProcess"}},
	{"a webhook is answered 200 and then never handled", []string{"cli TestATelegramUpdateWhoseCommitFailedComesAgainAndCountsOnce", "cli TestAFullDiskRefusesWhatComesAndLosesNothing"}},
	{"the same update twice at once is stored twice", []string{"store TestTheSameUpdateTwiceAtOnceIsStoredOnce", "bots TestARepeatOfAnEventAddsNothing"}},
	{"replies overtake each other because workers reorder them", []string{"bots TestMessagesOfOneChatNeverOvertake", "store TestPartsOfAConversationLeaveOneByOneAndInOrder"}},
	{"a 429 of 1 s costs 5 minutes", []string{"bots TestAPauseOfASecondCostsASecond", "cli TestAPauseThatTelegramAsksForIsKeptAndThenAllComesInOrder"}},
	{"a message of several parts begins again at part 1", []string{"bots TestAMessageOfSeveralPartsGoesOnAtThePartThatFailed"}},
	{"CJK is never split, Cyrillic too early", []string{"bots TestATextIsSplitAtTheBestPlace", "bots TestWhateverIsSplitCanBePutTogetherAgain", "adapters/telegram TestSendFillsTheLimitInUTF16"}},
	{"Markdown is not escaped", []string{"adapters/discord TestMarkupIsEscapedButLinksStayWhole", "adapters/discord TestTextThatGrowsByEscapingStaysWhole", "adapters/telegram TestSendShowsTextAsWrittenWithOneButtonARow", "adapters/slack TestTextShowsAsItWasWritten"}},
	{"buttons are dropped silently where a channel has none", []string{"bots TestButtonsBecomeNumberedLinesWhereAChannelHasTooFew", "bots TestANumberBuysWhereTheChannelHasNoButtons"}},
	{"a label that is too long fails the message", []string{"bots TestALabelThatIsTooLongIsShortenedAndNeverRefused", "bots TestAPriceIsNeverCutOffAButton"}},
	{"unsigned webhooks are taken, or the signature expected is told", []string{
		"adapters/slack TestTheHookBelievesOnlySignedFreshCalls", "adapters/discord TestTheHookTakesOnlyWhatDiscordSignedJustNow", "adapters/whatsapp/cloud TestHookAnswers", "cli TestAWebhookWithoutItsSecretStoresNothing",
	}},
	{"bot and person answer at once", []string{"bots TestAHandOffSilencesTheBotUntilItIsReturned", "bots TestATimerDoesNotSpeakWhileStaffHaveTheWord"}},
	{"a campaign skips people after a crash", []string{"store TestEveryWatcherIsToldOnceHoweverOftenTheTellingIsCutOff", "bots TestARestartInTheMiddleOfAFanoutTellsEverybodyOnce"}},
	{"a message outside the window of 24 h is shown as sent", []string{"bots TestWhatStaffWriteOutsideTheWindowIsShownAsFailed", "adapters/whatsapp/cloud TestAfterTheWindowNothingGoesWithoutATemplate"}},
	{"a change of a live flow throws out the people in it", []string{"bots TestConversationsEndInTheFlowsTheyBeganInAcrossAReload", "bots TestAConversationWhoseFlowsAreLostGoesOnInThePresentOnes"}},
	{"an account in trouble holds up the others", []string{"cli TestAnAccountInTroubleHoldsUpNoOther", "bots TestAnAccountInTroubleHoldsUpNoOther", "cli TestANetworkThatLiesHarmsItsOwnAccountAlone"}},
}

func TestEachMistakeOfTheNeighboursHasATest(t *testing.T) {
	sources := map[string]string{}
	for _, m := range mistakes {
		for _, named := range m.tests {
			folder, test, _ := strings.Cut(named, " ")
			if _, read := sources[folder]; !read {
				files, err := filepath.Glob(filepath.Join("..", folder, "*_test.go"))
				if err != nil {
					t.Fatal(err)
				}
				for _, file := range files {
					source, err := os.ReadFile(file)
					if err != nil {
						t.Fatal(err)
					}
					sources[folder] += string(source)
				}
			}
			if !strings.Contains(sources[folder], "\nfunc "+test+"(t *testing.T) {") {
				t.Errorf("%s: there is no %s in %s", m.mistake, test, folder)
			}
		}
	}
}

// rounds is how often the others are answered while an account is in trouble; visitors may not write much faster.
const rounds = 4

// trouble is what happens to an account. Each lasts until the test ends, so that they add up.
var troubles = []struct {
	name, account string
	begin         func(*neighbours)
}{
	{"Telegram is throttled for 60 s", "telegram", func(n *neighbours) {
		n.telegram.Fail("sendMessage", telegramtest.Fault{Code: 429, Description: "Too Many Requests: retry after 60", RetryAfter: 60, Times: 1000})
	}},
	{"WhatsApp is dead", "whatsapp", func(n *neighbours) {
		n.meta.CloseClientConnections()
		n.meta.Close() // from now on connections are refused
	}},
	{"Slack refuses the token", "slack", func(n *neighbours) {
		for range 1000 {
			n.slack.Fail("chat.postMessage", workspacetest.Fault{Code: "invalid_auth"})
		}
	}},
}

func TestAnAccountInTroubleHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, database string) {
		t.Parallel()
		n := meetNeighbours(t, database)
		for i, trouble := range troubles {
			t.Log(trouble.name)
			trouble.begin(n)
			n.ill = append(n.ill, trouble.account)
			n.talk()
			n.reprice(fmt.Sprint("mug", i), 1700) // a fan-out in which the accounts in trouble have their share
			n.others(func(name string) { n.hears(name, fmt.Sprintf("Harbour mug %d now costs €17.00", i)) })
		}
		n.nothingIsLost()
	})
}

// neighbours is a shop on five messengers, with a shopper on each.
type neighbours struct {
	*shop
	telegram *telegramtest.Server
	slack    *workspacetest.Server
	meta     *httptest.Server // before WhatsApp's
	people   map[string]shopper
	read     map[string]int // messages so far
	ill      []string       // accounts in trouble
}

func meetNeighbours(t *testing.T, database string) *neighbours {
	whatsapp, discord := cloudtest.Start(t), discordtest.Start(t)
	n := &neighbours{telegram: telegramtest.Start(t), slack: workspacetest.Start(t), people: map[string]shopper{}, read: map[string]int{}}
	to, err := url.Parse(whatsapp.URL())
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: to.Scheme, Host: to.Host}) }}
	n.meta = httptest.NewServer(proxy)
	t.Cleanup(n.meta.Close)
	networks := map[string]network{
		"webchat": onWebChat(), "telegram": onTelegram(n.telegram, n.telegram.URL()), "whatsapp": onWhatsApp(whatsapp, n.meta.URL+to.Path),
		"slack": onSlack(n.slack, ""), "discord": onDiscord(discord, ""), // at their own pace
	}
	accounts := ""
	for _, network := range networks {
		accounts += network.accounts
	}
	n.shop = openShop(t, testShop(database, accounts))
	for i := range troubles {
		n.product(fmt.Sprint("mug", i), fmt.Sprint("Harbour mug ", i), 2000, 5, "")
	}
	for name, network := range networks {
		n.people[name] = network.meet(n.shop)
		for i := range troubles {
			n.people[name].wishes(fmt.Sprint("mug", i), "17.50")
			n.hears(name, fmt.Sprintf("Harbour mug %d comes down to €17.50", i))
		}
	}
	return n
}

// hears reads the next message of somebody, which must be the one expected.
func (n *neighbours) hears(name, words string) {
	n.t.Helper()
	j := journey{shop: n.shop, ann: n.people[name], read: n.read[name]}
	j.reads(words)
	n.read[name] = j.read
}

// others does something with everybody whose account is well.
func (n *neighbours) others(do func(name string)) {
	for name := range n.people {
		if !slices.Contains(n.ill, name) {
			do(name)
		}
	}
}

// talk has everybody ask something. Those on accounts in trouble write first, and nothing can be sent to them; all others read
// every answer.
func (n *neighbours) talk() {
	n.t.Helper()
	for _, name := range n.ill {
		n.people[name].types("help")
	}
	for range rounds {
		n.others(func(name string) { n.people[name].types("help") })
		n.others(func(name string) { n.hears(name, "STOP ends all messages") })
	}
	for _, name := range n.ill {
		n.until("an answer on "+name+" to wait", func() bool { return n.waiting(name) > 0 })
	}
}

// waiting counts what is to be sent on an account.
func (n *neighbours) waiting(account string) int {
	n.t.Helper()
	return value[int](n.shop, `SELECT count(*) FROM parts WHERE account = $1 AND state IN ('queued', 'sending')`, account)
}

// nothingIsLost says that what was to be said on the accounts in trouble waits, in full: an answer at each trouble since it began, and
// an alert.
func (n *neighbours) nothingIsLost() {
	n.t.Helper()
	for i, name := range n.ill {
		want := 2 * (len(troubles) - i)
		n.until(fmt.Sprintf("%d messages on %s to wait", want, name), func() bool { return n.waiting(name) == want })
	}
}
