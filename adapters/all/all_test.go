package all

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/adapters"
	"parley/config"
)

func TestEverySpecIsSound(t *testing.T) {
	seen := map[string]bool{}
	for _, spec := range All() {
		t.Run(spec.Name, func(t *testing.T) {
			if spec.Name == "" || spec.Title == "" || spec.Doc == "" || seen[spec.Name] {
				t.Errorf("got %q, %q, %q: want a name of its own, a title and a sentence", spec.Name, spec.Title, spec.Doc)
			}
			seen[spec.Name] = true
			if err := config.Check(spec.Fields); err != nil {
				t.Error(err)
			}
			if spec.Limits.Buttons.Value != 0 && spec.Limits.Buttons.Value < 64 {
				t.Errorf("values of choices have up to 64 bytes, this channel takes %d", spec.Limits.Buttons.Value)
			}
			m, err := spec.New(samples(t, spec), adapters.Env{Account: spec.Name})
			if err != nil {
				t.Fatalf("made with the samples of its fields: %v", err)
			}
			if diff := cmp.Diff(spec.Limits, m.Limits()); diff != "" {
				t.Errorf("limits of the account differ from the spec's:\n%s", diff)
			}
		})
	}
}

// samples are settings with the sample of every field.
func samples(t *testing.T, spec adapters.Spec) config.Settings {
	t.Helper()
	values := map[string]string{}
	for _, f := range spec.Fields {
		if f.Sample == "" {
			t.Errorf("field %s has no sample", f.Name)
			continue
		}
		values[f.Name] = f.Sample
	}
	s, err := config.NewSettings(spec.Fields, values)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
