package config

import (
	"slices"
	"strings"
)

// suggest is the remedy for a name that is not among the known ones: the nearest of them, or all when none is near.
func suggest(name string, known []string) string {
	if near := nearest(name, known); near != "" {
		return `did you mean "` + near + `"?`
	}
	if len(known) == 0 {
		return "remove it"
	}
	sorted := slices.Sorted(slices.Values(known))
	const most = 12
	if len(sorted) > most {
		return "known are " + strings.Join(sorted[:most], ", ") + " and others"
	}
	return "known are " + strings.Join(sorted, ", ")
}

// nearest is the known name that somebody who wrote name most probably meant; "" when none is near.
func nearest(name string, known []string) string {
	best, least := "", max(1, len(name)/3)+1
	for _, k := range known {
		if d := distance(fold(name), fold(k)); d < least {
			best, least = k, d
		}
	}
	return best
}

func fold(s string) string {
	return strings.NewReplacer("_", "", "-", "", " ", "").Replace(strings.ToLower(s))
}

// distance counts the letters to add, drop, change or swap with their neighbour to turn a into b.
func distance(a, b string) int {
	const longest = 80
	if len(a) > longest || len(b) > longest {
		return longest
	}
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			change := last[j]
			if a[i] != b[j] {
				change++
			}
			row[j+1] = min(change, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
