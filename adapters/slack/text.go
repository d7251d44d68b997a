package slack

import (
	"cmp"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
)

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

var unescaper = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")

// escape writes the three characters by which Slack tells its own marks from a person's text.
func escape(text string) string { return escaper.Replace(text) }

// mark is one of Slack's own: <@U1>, <#C1|general>, <!here>, <https://shop.example|shop.example>.
var mark = regexp.MustCompile(`<([^<>]*)>`)

// asTyped turns Slack's writing of a message back into what the person typed.
func asTyped(text string) string {
	var out strings.Builder
	rest := 0
	for _, at := range mark.FindAllStringSubmatchIndex(text, -1) {
		out.WriteString(unescaper.Replace(text[rest:at[0]]))
		out.WriteString(unmark(text[at[2]:at[3]]))
		rest = at[1]
	}
	out.WriteString(unescaper.Replace(text[rest:]))
	return out.String()
}

// unmark says in words what stands between < and >.
func unmark(inner string) string {
	target, label, _ := strings.Cut(inner, "|")
	target, label = unescaper.Replace(target), unescaper.Replace(label)
	if target == "" {
		return label
	}
	switch kind, name := target[0], target[1:]; kind {
	case '@', '#':
		if label != "" {
			name = strings.TrimPrefix(label, string(kind))
		}
		return string(kind) + name
	case '!':
		if label == "" {
			label, _, _ = strings.Cut(name, "^")
		}
		if strings.HasPrefix(name, "date^") {
			return label
		}
		return "@" + strings.TrimPrefix(label, "@")
	}
	for _, scheme := range []string{"mailto:", "tel:", "https://", "http://"} {
		if label != "" && strings.EqualFold(target, scheme+label) {
			return label
		}
	}
	if label == "" || label == target || strings.HasPrefix(target, "tel:") {
		return cmp.Or(label, target)
	}
	return label + " (" + target + ")"
}

// withoutMention takes the bot's own name off both ends of a text, as in "@shop how much is it?".
func withoutMention(text, bot string) (rest string, mentioned bool) {
	if bot == "" {
		return text, false
	}
	name := regexp.MustCompile(`<@` + regexp.QuoteMeta(bot) + `(?:\|[^<>]*)?>`)
	if !name.MatchString(text) {
		return text, false
	}
	rest = strings.TrimSpace(text)
	if at := name.FindStringIndex(rest); at[0] == 0 {
		rest = strings.TrimLeft(rest[at[1]:], " :,\t\n")
	}
	if all := name.FindAllStringIndex(rest, -1); len(all) > 0 && all[len(all)-1][1] == len(rest) {
		rest = strings.TrimSpace(rest[:all[len(all)-1][0]])
	}
	return rest, true
}

// emoji maps the names under which Slack sends emoji (:wave:) to the characters, as far as a message's blocks tell: names
// alone are a workspace's own business.
func emoji(blocks json.RawMessage) *strings.Replacer {
	var tree any
	if len(blocks) == 0 || json.Unmarshal(blocks, &tree) != nil {
		return strings.NewReplacer()
	}
	var pairs []string
	var walk func(any)
	walk = func(node any) {
		switch node := node.(type) {
		case []any:
			for _, child := range node {
				walk(child)
			}
		case map[string]any:
			name, _ := node["name"].(string)
			points, _ := node["unicode"].(string)
			if node["type"] == "emoji" && name != "" {
				if characters := codePoints(points); characters != "" {
					if tone, ok := node["skin_tone"].(float64); ok {
						name += "::skin-tone-" + strconv.Itoa(int(tone))
					}
					pairs = append(pairs, ":"+name+":", characters)
				}
			}
			for _, child := range node {
				walk(child)
			}
		}
	}
	walk(tree)
	return strings.NewReplacer(pairs...)
}

// codePoints reads "1f44b-1f3fc"; "" when it is no such thing.
func codePoints(hyphened string) string {
	var out strings.Builder
	for point := range strings.SplitSeq(hyphened, "-") {
		n, err := strconv.ParseUint(point, 16, 21)
		if err != nil || n < 0x20 {
			return ""
		}
		out.WriteRune(rune(n))
	}
	return out.String()
}
