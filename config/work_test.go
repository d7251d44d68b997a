package config

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// Files that are as bad as 256 KiB can be must not hold up the start, nor the editor that checks while somebody types.
func TestTheWorstFilesAreReadInReasonableTime(t *testing.T) {
	nested := func(open, shut string, n int) string { return strings.Repeat(open, n) + strings.Repeat(shut, n) }
	bomb := "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
	for i := range 20 {
		bomb += fmt.Sprintf("a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i), 9), ", "))
	}
	many := func(entry string) string {
		return "merchants:\n" + strings.Repeat(entry, (largest-12)/len(entry))
	}
	for name, text := range map[string]string{
		"empty entries":       many("- {}\n"),
		"bad zones":           many("- {time_zone: Europe/Xxxxxxxxxxxx}\n"),
		"unknown settings":    many("- {default_langauge: x, tme_zone: x}\n"),
		"aliases":             "merchants:\n- &m {name: a, accounts: [" + strings.Repeat("{},", 1000) + "]}\n" + strings.Repeat("- *m\n", 40_000),
		"aliases of aliases":  bomb + minimal + "    origins: *a20\n",
		"a cycle":             "merchants: &m [*m, *m]\n",
		"nested lists":        "merchants: " + nested("[", "]", 9_000),
		"nested mappings":     "web: " + nested("{a: ", "}", 9_000),
		"a long name":         strings.Repeat("x", largest-10) + ": 1\n",
		"a long value":        "log: " + strings.Repeat("x", largest-10) + "\n",
		"variables":           "log: " + strings.Repeat("${X}", largest/4-10) + "\n",
		"duplicate keys":      strings.Repeat("log: info\n", largest/10-10),
		"entries of one list": minimal + "    origins: [" + strings.Repeat("https://a.example,", 12_000) + "]\n",
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			_, problems := Parse("parley.yaml", []byte(text), Outside{}, sampleKinds())
			took := time.Since(start)
			t.Logf("%d KiB, %d problems, %s", len(text)>>10, len(problems), took)
			if !problems.HasErrors() || took > 10*time.Second {
				t.Errorf("%d problems in %s", len(problems), took)
			}
		})
	}
}
