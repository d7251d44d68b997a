//go:build !whatsmeow || nowhatsmeow

package cli

import "testing"

// withLinkedPhone says that this build can link a phone.
const withLinkedPhone = false

func onLinkedPhone(t *testing.T) network {
	t.Skip("skipped: this build has no whatsmeow")
	return network{}
}
