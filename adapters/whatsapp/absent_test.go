//go:build !whatsmeow || nowhatsmeow

package whatsapp

import (
	"strings"
	"testing"

	"parley/adapters"
	"parley/config"
)

func TestABuildWithoutWhatsmeowSaysSo(t *testing.T) {
	s, err := config.NewSettings(Spec.Fields, map[string]string{"backend": "linked"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(s, adapters.Env{}); err == nil || !strings.Contains(err.Error(), "-tags whatsmeow") {
		t.Errorf("got %v, want the tag named", err)
	}
}
