package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// compose is as much of docker-compose.yml as the tests look at.
type compose struct {
	Services map[string]struct {
		Build       string
		Image       string
		Profiles    []string
		Environment map[string]string
		Configs     []struct{ Source, Target string }
	}
	Configs map[string]struct{ Content string }
}

func readCompose(t *testing.T) compose {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "docker-compose.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var c compose
	if err := yaml.Unmarshal(text, &c); err != nil {
		t.Fatalf("read docker-compose.yml: %v", err)
	}
	return c
}

// No container engine runs in the tests, so the compose file is read as one would: its config must be one that we accept,
// with the database of each service.
func TestComposeConfigIsAcceptedWithEachServicesDatabase(t *testing.T) {
	c := readCompose(t)
	config := strings.ReplaceAll(c.Configs["parley.yaml"].Content, "$$", "$")
	files(t, map[string]string{"parley.yaml": config})
	given := regexp.MustCompile(`\$\{[A-Z_]+:-([^}]*)\}`)
	for _, name := range []string{"parley", "alone"} {
		service, ok := c.Services[name]
		if !ok || len(service.Configs) != 1 || service.Configs[0].Source != "parley.yaml" {
			t.Errorf("service %s does not mount the config", name)
			continue
		}
		args := []string{"check"}
		for variable, value := range service.Environment {
			args = append([]string{variable + "=" + given.ReplaceAllString(value, "$1")}, args...)
		}
		got := parley(t, "", args...)
		if got.code != 0 || strings.Contains(got.stdout, "error:") {
			t.Errorf("service %s: parley check: exit %d:\n%s%s", name, got.code, got.stdout, got.stderr)
		}
	}
	if len(c.Services["parley"].Profiles) != 0 || !slices.Contains(c.Services["alone"].Profiles, "alone") {
		t.Error("docker compose up must start Parley with Postgres, and the profile alone Parley by itself")
	}
}

func TestImageIsMadeFromScratchForAnUnprivilegedUser(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	wantIn(t, "Dockerfile", string(text), "CGO_ENABLED=0", "\nFROM scratch\n", "\nUSER 65532:65532\n", "\nVOLUME /data\n", `ENTRYPOINT ["/parley"]`, "ca-certificates.crt")
}

func TestConfigsInTheDocumentationAreAccepted(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "docs", "install.md"))
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindStringSubmatch(string(text))
	if block == nil {
		t.Fatal("docs/install.md shows no config")
	}
	smallest := regexp.MustCompile(`(?m)^   `).ReplaceAllString(block[1], "") // it stands in a list
	example, err := os.ReadFile(filepath.Join("..", "config", "example.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for name, config := range map[string]string{"docs/install.md": smallest, "config/example.yaml": string(example)} {
		files(t, map[string]string{"parley.yaml": config})
		if got := parley(t, "", "check"); got.code != 0 || strings.Contains(got.stdout, "error:") {
			t.Errorf("%s: exit %d:\n%s%s", name, got.code, got.stdout, got.stderr)
		}
	}
}
