package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Each testdata/problems/NAME.yaml has a NAME.want: the lines that an admin reads.
func TestEveryProblemIsNamedWithItsPlaceAndRemedy(t *testing.T) {
	files, err := filepath.Glob("testdata/problems/*.yaml")
	if err != nil || len(files) < 25 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	getenv := env("TOKEN", "hunter2", "LONG", strings.Repeat("hunter2", 5))
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, problems := Parse(filepath.Join("testdata", "problems", "parley.yaml"), data, Outside{Getenv: getenv, ReadFile: readSecretFile}, sampleKinds())
			got := strings.ReplaceAll(problems.Error()+"\n", filepath.Join("testdata", "problems")+string(filepath.Separator), "")
			golden := strings.TrimSuffix(file, ".yaml") + ".want"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
			if strings.Contains(got, "hunter2") {
				t.Errorf("a secret is shown:\n%s", got)
			}
			for _, p := range problems {
				if p.Remedy == "" || p.Line == 0 {
					t.Errorf("no remedy or no place: %s", p)
				}
			}
		})
	}
}
