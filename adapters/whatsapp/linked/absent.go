//go:build !whatsmeow || nowhatsmeow

package linked

import (
	"errors"

	"parley/adapters"
	"parley/config"
)

// Fields are none in a build without whatsmeow.
func Fields() []config.Field { return nil }

// New says that this build has no whatsmeow.
func New(config.Settings, adapters.Env) (adapters.Messenger, error) {
	return nil, errors.New("linking a phone is not in this binary; build one with `go build -tags whatsmeow .`, or use the Cloud API (backend: cloud)")
}
