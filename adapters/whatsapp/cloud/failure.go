package cloud

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"parley/adapters"
)

// Codes of Meta that mean more than "this message will never be taken".
const (
	codeAppRate        = 4      // the app calls too often
	codeAccountRate    = 80007  // the business account calls too often
	codeThroughput     = 130429 // the number sends too many messages a second
	codeSpamRate       = 131048 // too many of the number's messages were blocked or reported
	codePairRate       = 131056 // too many messages to one person
	codeUndeliverable  = 131026 // not on WhatsApp, blocked us, or has an app too old
	codeReengagement   = 131047 // more than 24 hours since the person wrote
	codeParameter      = 100    // the message is wrong, or the number's id is
	subcodeNoSuchThing = 33     // with codeParameter: there is no such number, or the token may not see it
)

var (
	throttling = []int{codeAppRate, codeAccountRate, codeThroughput, codeSpamRate, codePairRate}
	// transient: unknown errors of Meta's, overload, maintenance.
	transient = []int{1, 2, 131000, 131016, 131057, 133004}
	// accountOut: no permission, the number deleted, token refused, policy, locked, unpaid, not registered, display name not approved.
	accountOut = []int{3, 10, 33, 102, 104, 190, 368, 131005, 131031, 131037, 131042, 131045, 133010}
)

// sendError says what a failed call means for what comes next.
func (m *Messenger) sendError(chat string, err error) *adapters.SendError {
	call, ok := errors.AsType[*callError](err)
	if !ok {
		return &adapters.SendError{Consequence: adapters.Unknown, Reason: m.graph.redact(err.Error()), Err: err}
	}
	failed := &adapters.SendError{Consequence: consequence(call), Reason: call.Message, Err: call}
	switch {
	case call.Code != 0:
		failed.Code = strconv.Itoa(call.Code)
	case call.Status != 0:
		failed.Code = strconv.Itoa(call.Status)
	}
	if failed.Consequence == adapters.Throttled {
		failed.PerChat = call.Code == codePairRate
		failed.RetryAfter = m.throttle.pause(call, chat)
	}
	return failed
}

func consequence(call *callError) adapters.Consequence {
	switch code := call.Code; {
	case slices.Contains(throttling, code):
		return adapters.Throttled
	case code == codeUndeliverable:
		return adapters.Gone
	case code == codeReengagement:
		return adapters.Window
	case breaksAccount(code, call.Subcode):
		return adapters.Broken
	case slices.Contains(transient, code):
		return adapters.Temporary
	case call.Status == 0 && call.Left:
		return adapters.Unknown
	case call.Status == 0:
		return adapters.Temporary
	case call.Status == http.StatusTooManyRequests:
		return adapters.Throttled
	case call.Status == http.StatusUnauthorized:
		return adapters.Broken
	case code == 0 && (call.Status < http.StatusBadRequest || call.Status == http.StatusForbidden || call.Status == http.StatusNotFound):
		return adapters.Broken // whoever this is, it is not the Graph API
	case call.Status == http.StatusGatewayTimeout, call.Status == http.StatusRequestTimeout:
		return adapters.Unknown // the gateway gave up, not the one behind it
	case call.Status >= http.StatusInternalServerError:
		return adapters.Temporary
	}
	return adapters.Rejected
}

func breaksAccount(code, subcode int) bool {
	return slices.Contains(accountOut, code) || code >= 200 && code < 300 || code == codeParameter && subcode == subcodeNoSuchThing
}

// ails shows the admin that the account itself does not work where Meta says so only later, of a message that it had taken.
func (m *Messenger) ails(why metaError) {
	if !breaksAccount(why.Code, why.Subcode) {
		return
	}
	m.ailing.Store(true)
	m.report("failed", fmt.Sprintf("WhatsApp delivers nothing for this account (%d): %s", why.Code, adapters.Clean(m.graph.redact(why.text()))))
}

// works ends what ails began: a message has arrived.
func (m *Messenger) works() {
	if m.ailing.Swap(false) {
		m.report("ready", "")
	}
}

// refused says that the account's settings are wrong: nothing will work until they are changed.
func refused(err error) bool {
	call, ok := errors.AsType[*callError](err)
	return ok && consequence(call) == adapters.Broken
}

// throttle counts refusals in a row, for codes where Meta tells to wait 4^n seconds: of a chat, and of the number under "".
type throttle struct {
	mu     sync.Mutex
	streak map[string]int
}

const (
	pairPause    = 6 * time.Second // one message in six seconds is what one person may be sent
	usagePause   = time.Minute
	spamPause    = 5 * time.Minute
	longestPause = 5 * time.Minute
	mostStreaks  = 10_000
)

// pause is how long to wait: Meta's own figure where it gives one.
func (t *throttle) pause(call *callError, chat string) time.Duration {
	switch {
	case call.RetryAfter > 0:
		return call.RetryAfter
	case call.Code == codePairRate:
		return max(pairPause, t.grow(chat))
	case call.Code == codeSpamRate:
		return spamPause
	case call.Code == codeAppRate, call.Code == codeAccountRate:
		return usagePause
	}
	return t.grow("")
}

func (t *throttle) grow(whose string) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.streak == nil || len(t.streak) > mostStreaks {
		t.streak = map[string]int{}
	}
	n := t.streak[whose]
	t.streak[whose]++
	return min(longestPause, time.Second<<(2*min(n, 8)))
}

// passed ends the streaks: a message to the chat was taken.
func (t *throttle) passed(chat string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.streak, chat)
	delete(t.streak, "")
}
