//go:build whatsmeow && !nowhatsmeow

package linked

import (
	"fmt"
	"time"

	"go.mau.fi/whatsmeow/types/events"
)

const (
	banPause      = time.Hour       // when WhatsApp does not say how long a ban lasts
	replacedPause = 5 * time.Minute // two programs that push each other out should do it slowly
	failurePause  = time.Minute
)

// ended says whether an event ends the session, and how the admin is told.
func ended(account string, now time.Time, evt any) (ending, bool) {
	switch e := evt.(type) {
	case *events.LoggedOut:
		problem := "the phone has unlinked us"
		switch e.Reason {
		case events.ConnectFailureMainDeviceGone:
			problem = "WhatsApp has locked this account, or it moved to another phone; look at WhatsApp on the phone before anything else"
		case events.ConnectFailureUnknownLogout:
			problem = "WhatsApp has banned this account; look at WhatsApp on the phone before anything else"
		}
		return ending{problem: problem + "; link it again with `parley pair " + account + "`", unlinked: true}, true
	case *events.TemporaryBan:
		pause, until := e.Expire, "it does not say until when, so we try again each hour"
		if pause > 0 {
			until = "until " + now.Add(pause).UTC().Format("2006-01-02 15:04 UTC")
		} else {
			pause = banPause
		}
		return ending{problem: fmt.Sprintf("WhatsApp has banned this number for a while (%s), %s; write to fewer people until then", e.Code, until), pause: pause}, true
	case *events.ClientOutdated:
		return ending{problem: "WhatsApp no longer takes this version of Parley: update it, or use the Cloud API", final: true}, true
	case *events.StreamReplaced:
		return ending{problem: "another program speaks as this linked device: stop it, or link a device for each with `parley pair`", pause: replacedPause}, true
	case *events.ConnectFailure:
		return ending{problem: fmt.Sprintf("WhatsApp refuses the connection (%d %s); we try again", int(e.Reason), e.Message), pause: failurePause}, true
	}
	return ending{}, false
}
