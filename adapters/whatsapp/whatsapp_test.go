package whatsapp

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/adapters"
	"parley/adapters/whatsapp/cloud"
	"parley/config"
)

func TestFieldsOfBothBackendsStandSideBySide(t *testing.T) {
	if err := config.Check(Spec.Fields); err != nil {
		t.Error(err)
	}
}

func TestTheCloudAPIIsTheBackendUnlessTheSettingsSayOtherwise(t *testing.T) {
	s, err := config.NewSettings(Spec.Fields, map[string]string{
		"phone_number_id": "106540352242922", "access_token": "EAA", "app_secret": "abc", "verify_token": "word",
	})
	if err != nil {
		t.Fatal(err)
	}
	m, err := New(s, adapters.Env{Account: "whatsapp"})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := m.(*cloud.Messenger); !ok {
		t.Errorf("got %T, want the Cloud API", m)
	}
	if diff := cmp.Diff(Spec.Limits, m.Limits()); diff != "" {
		t.Errorf("limits (-spec +account):\n%s", diff)
	}
}

func TestEachBackendAsksForItsOwnSettingsOnly(t *testing.T) {
	if _, err := config.NewSettings(Spec.Fields, map[string]string{"backend": "linked"}); err != nil {
		t.Errorf("linked: %v, want nothing of Meta's asked for", err)
	}
	if _, err := config.NewSettings(Spec.Fields, map[string]string{"backend": "cloud"}); err == nil {
		t.Error("cloud: want its token asked for")
	}
}
