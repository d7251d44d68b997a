//go:build whatsmeow && !nowhatsmeow

package linked

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"go.mau.fi/libsignal/logger"
	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waCompanionReg"
	"go.mau.fi/whatsmeow/proto/waWa6"
	"go.mau.fi/whatsmeow/store"
	waLog "go.mau.fi/whatsmeow/util/log"
	"google.golang.org/protobuf/proto"
)

// newClient makes a client that confirms nothing before its handler has, and leaves connecting to us.
func (m *Messenger) newClient(ctx context.Context, d *store.Device) *whatsmeow.Client {
	c := whatsmeow.NewClient(d, quiet{m.log})
	c.SetWebsocketHTTPClient(m.network)
	c.SetPreLoginHTTPClient(m.network)
	c.SetMediaHTTPClient(m.network)
	c.SynchronousAck = true
	c.EnableDecryptedEventBuffer = true
	c.EnableAutoReconnect = false
	c.DisableLoginAutoReconnect = true
	c.UseRetryMessageStore = true      // a phone that cannot read a message may ask for it after our restart too
	c.ManualHistorySyncDownload = true // old chats are none of ours
	c.AutomaticMessageRerequestFromPhone = true
	c.BackgroundEventCtx = ctx
	c.GetClientPayload = func() *waWa6.ClientPayload { return named(d.GetClientPayload(), m.device) }
	return c
}

// named puts our name into what a new device says about itself.
func named(payload *waWa6.ClientPayload, name string) *waWa6.ClientPayload {
	pairing := payload.GetDevicePairingData()
	if pairing == nil || name == "" {
		return payload
	}
	var props waCompanionReg.DeviceProps
	if err := proto.Unmarshal(pairing.DeviceProps, &props); err != nil {
		return payload
	}
	props.Os = &name
	if raw, err := proto.Marshal(&props); err == nil {
		pairing.DeviceProps = raw
	}
	return payload
}

// quiet is the library's log without what it dumps: stanzas, keys and codes stand in its debug lines.
type quiet struct{ log *slog.Logger }

func (q quiet) Errorf(msg string, args ...any) { q.say(slog.LevelWarn, msg, args) }
func (q quiet) Warnf(msg string, args ...any)  { q.say(slog.LevelDebug, msg, args) }
func (q quiet) Infof(msg string, args ...any)  { q.say(slog.LevelDebug, msg, args) }
func (q quiet) Debugf(string, ...any)          {}
func (q quiet) Sub(string) waLog.Logger        { return q }

func (q quiet) say(level slog.Level, msg string, args []any) {
	if !q.log.Enabled(context.Background(), level) {
		return
	}
	text, _, _ := strings.Cut(fmt.Sprintf(msg, args...), "\n") // a panic's stack is ours to log
	q.log.Log(context.Background(), level, "whatsmeow", "says", text)
}

// hush silences libsignal, which otherwise prints to standard output. Its one logger is the process's; what it would say comes
// back as errors too.
var hush = sync.OnceFunc(func() {
	var nobody logger.Loggable = silence{}
	logger.Setup(&nobody)
})

type silence struct{}

func (silence) Debug(string, string)   {}
func (silence) Info(string, string)    {}
func (silence) Warning(string, string) {}
func (silence) Error(string, string)   {}
func (silence) Configure(string)       {}

// backoff is 250 ms, 500 ms, 1 s … 1 min.
func backoff(attempt int) time.Duration {
	return min(time.Minute, 250*time.Millisecond<<min(attempt, 8))
}
