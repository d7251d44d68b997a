// Package whatsapp is the messenger for WhatsApp, over one of two backends: Meta's Cloud API (package cloud), the official way,
// or a phone whose account is linked as WhatsApp Web's is (package linked).
//
// What does not belong here: anything that only one backend knows.
package whatsapp

import (
	"slices"

	"parley/adapters"
	"parley/adapters/whatsapp/cloud"
	"parley/adapters/whatsapp/linked"
	"parley/config"
)

const (
	backendCloud  = "cloud"
	backendLinked = "linked"
)

// Spec describes WhatsApp to the config. Its limits are the Cloud API's; a linked phone says its own by Messenger.Limits.
var Spec = adapters.Spec{
	Name:   "whatsapp",
	Title:  "WhatsApp",
	Doc:    "A WhatsApp number, by Meta's Cloud API or by linking a phone.",
	Fields: fields(),
	Limits: cloud.Limits,
	Typed:  "phone number",
	New:    New,
}

func fields() []config.Field {
	return slices.Concat(
		[]config.Field{{
			Name: "backend", Type: config.Enum, Enum: []string{backendCloud, backendLinked}, Default: backendCloud,
			Doc:    "cloud is Meta's own API; linked speaks for a phone as WhatsApp Web does, which Meta does not support.",
			Sample: backendCloud,
		}},
		of(backendCloud, cloud.Fields()),
		of(backendLinked, linked.Fields()),
	)
}

// of makes what a backend requires required with that backend alone.
func of(backend string, fields []config.Field) []config.Field {
	for i := range fields {
		if fields[i].Required {
			fields[i].Required, fields[i].RequiredWith = false, "backend="+backend
		}
	}
	return fields
}

// New makes the messenger of the backend that the settings name. It calls nobody.
func New(s config.Settings, env adapters.Env) (adapters.Messenger, error) {
	if s.String("backend") == backendLinked {
		return linked.New(s, env)
	}
	return cloud.New(s, env)
}
