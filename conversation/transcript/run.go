package transcript

import (
	"bytes"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/conversation"
	"parley/conversation/effect"
	"parley/conversation/flow"
)

// Result is what came of a file.
type Result struct {
	Conversations int
	Moves         []conversation.Move // every transition taken, for Cover
	Updated       []byte              // the file with what the bot really does
}

// Epoch is when every conversation begins: Monday, 5 January 2026, at ten.
func Epoch() time.Time { return time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC) }

// Run plays a file. Problems are lines that cannot be read and answers other than those written; the rest of the file is
// played all the same.
func Run(set *flow.Set, file string, content []byte) (Result, []flow.Problem) {
	text := strings.ReplaceAll(string(content), "\r\n", "\n")
	script, problems := Parse(set, file, content)
	p := &parser{file: file, set: set, problems: problems}
	result := Result{Conversations: script.Conversations()}
	got := map[*turn][]string{}
	for _, sc := range script.scenes {
		pl := &player{set: set, now: Epoch(), session: conversation.Session{Language: sc.language}}
		for _, t := range sc.turns {
			lines, err := pl.play(t)
			if err != nil {
				p.problem(t.line, "see what the bot waits for in the lines above", "%v", err)
				got[t] = t.want
				break
			}
			if slices.ContainsFunc(t.want, func(l string) bool { return strings.HasPrefix(l, "=") }) {
				lines = append(lines, "= "+pl.where())
			}
			got[t] = lines
			p.compare(t, lines)
		}
		result.Moves = append(result.Moves, pl.moves...)
	}
	result.Updated = update(text, script.scenes, got)
	return result, p.problems
}

// compare reports the first line that differs.
func (p *parser) compare(t *turn, got []string) {
	const remedy = "change the flow, or write what the bot says with -update"
	for i := range max(len(t.want), len(got)) {
		switch {
		case i >= len(t.want):
			p.problem(t.line, remedy, "after this the bot goes on: %s", got[i])
		case i >= len(got):
			p.problem(t.first+i, remedy, "the bot does not do this: %s", t.want[i])
		case !same(t.want[i], got[i]):
			p.problem(t.first+i, remedy, "the bot does otherwise: %s", got[i])
		default:
			continue
		}
		return
	}
}

// same compares a line; one that ends in … need only begin alike.
func same(want, got string) bool {
	if head, ok := strings.CutSuffix(want, "…"); ok {
		return strings.HasPrefix(got, head)
	}
	return want == got
}

// update writes the file anew with the bot's answers in place of those expected. What is right already stays as it is.
func update(content string, scenes []*scene, got map[*turn][]string) []byte {
	turns := map[int]*turn{}
	for _, sc := range scenes {
		for _, t := range sc.turns {
			turns[t.line] = t
		}
	}
	var out bytes.Buffer
	lines := strings.Split(strings.TrimRight(content, "\n"), "\n")
	var current *turn
	for i, line := range lines {
		if t := turns[i+1]; t != nil {
			current = t
			fmt.Fprintln(&out, line)
			for j, answer := range got[t] {
				if j < len(t.want) && same(t.want[j], answer) {
					answer = t.want[j]
				}
				fmt.Fprintln(&out, answer)
			}
			continue
		}
		if _, played := got[current]; played && expected(strings.TrimRight(line, " \t")) {
			continue
		}
		fmt.Fprintln(&out, line)
	}
	return out.Bytes()
}

// player is a conversation that is going on.
type player struct {
	set     *flow.Set
	now     time.Time
	session conversation.Session
	moves   []conversation.Move
	said    []said  // every message with choices
	asked   []asked // every effect, for the outcomes
	timers  []timer
	handed  bool // a person has the conversation: the bot is silent
}

type said struct {
	choices []effect.Option
	context conversation.Context
}

type asked struct {
	spec    effect.Spec
	context conversation.Context
}

type timer struct {
	due     time.Time
	event   string
	context conversation.Context
}

func (pl *player) play(t *turn) ([]string, error) {
	switch t.kind {
	case says:
		return pl.step(conversation.Event{Kind: conversation.Text, Text: t.text})
	case presses:
		e, err := pl.pressed(t.text)
		if err != nil {
			return nil, err
		}
		return pl.step(e)
	case waits:
		return pl.wait(t.wait)
	}
	e, err := pl.happened(t)
	if err != nil {
		return nil, err
	}
	return pl.step(e)
}

// pressed finds the newest button with that label or id.
func (pl *player) pressed(text string) (conversation.Event, error) {
	for _, s := range slices.Backward(pl.said) {
		for _, c := range s.choices {
			if typed(c.Label) == text || c.ID == text {
				context := s.context
				return conversation.Event{Kind: conversation.Choice, Name: c.ID, Context: &context}, nil
			}
		}
	}
	return conversation.Event{}, fmt.Errorf("no button %q was shown", text)
}

// happened makes the event of a line with "!": an outcome of an effect that was asked for, else what its name says.
func (pl *player) happened(t *turn) (conversation.Event, error) {
	for _, a := range slices.Backward(pl.asked) {
		if slices.Contains(a.spec.Outcomes, t.text) {
			context := a.context
			return conversation.Event{Kind: conversation.Outcome, Name: t.text, Vars: t.vars, Context: &context}, nil
		}
	}
	switch t.text {
	case "link":
		return conversation.Event{Kind: conversation.Start, Value: t.vars["token"]}, nil
	case "greeting":
		return conversation.Event{Kind: conversation.Start}, nil
	case "returned":
		return conversation.Event{Kind: conversation.Returned}, nil
	case "blocked":
		return conversation.Event{Kind: conversation.Blocked}, nil
	}
	for _, trigger := range flow.Triggers {
		if trigger.Name == t.text {
			return conversation.Event{Kind: conversation.Trigger, Name: t.text, Vars: t.vars}, nil
		}
	}
	return conversation.Event{}, fmt.Errorf("%q is not an outcome the bot waits for, nor a trigger, link, greeting, returned or blocked", t.text)
}

// step plays one event and answers effects that have but one outcome.
func (pl *player) step(e conversation.Event) ([]string, error) {
	switch e.Kind {
	case conversation.Returned:
		pl.handed = false
	case conversation.Text, conversation.Choice, conversation.Start:
		if pl.handed {
			return nil, nil
		}
	}
	next, effects, moves, err := conversation.Trace(pl.set, pl.session, e, pl.now)
	if err != nil {
		return nil, err
	}
	pl.session = next
	pl.moves = append(pl.moves, moves...)
	context := conversation.Context{Flow: next.Flow, Hash: next.Hash, State: next.State, Vars: maps.Clone(next.Vars)}
	var lines []string
	for _, eff := range effects {
		switch x := eff.(type) {
		case effect.Say:
			lines = append(lines, sayLines(x)...)
			pl.said = append(pl.said, said{x.Choices, context})
			continue
		case effect.Remind:
			pl.timers = append(pl.timers, timer{pl.now.Add(x.After), x.Event, context})
			continue
		case effect.HandOff:
			pl.handed = true
		}
		lines = append(lines, effectLine(eff))
		spec := specOf(eff)
		pl.asked = append(pl.asked, asked{spec, context})
		if len(spec.Outcomes) == 1 {
			more, err := pl.step(conversation.Event{Kind: conversation.Outcome, Name: spec.Outcomes[0], Context: &context})
			if err != nil {
				return nil, err
			}
			lines = append(lines, more...)
		}
	}
	return lines, nil
}

// wait lets time pass; timers that come due on the way are played in their order.
func (pl *player) wait(d time.Duration) ([]string, error) {
	end := pl.now.Add(d)
	var lines []string
	for {
		next := -1
		for i, t := range pl.timers {
			if !t.due.After(end) && (next < 0 || t.due.Before(pl.timers[next].due)) {
				next = i
			}
		}
		if next < 0 {
			pl.now = end
			session, moves, err := conversation.Lapse(pl.set, pl.session, pl.now)
			pl.session, pl.moves = session, append(pl.moves, moves...)
			return lines, err
		}
		t := pl.timers[next]
		pl.timers = slices.Delete(pl.timers, next, next+1)
		pl.now = t.due
		more, err := pl.step(conversation.Event{Kind: conversation.Timeout, Name: t.event, Context: &t.context})
		if err != nil {
			return nil, err
		}
		lines = append(lines, more...)
	}
}

func (pl *player) where() string {
	if pl.session.Flow == "" {
		return "idle"
	}
	return pl.session.Flow + "." + pl.session.State
}

// typed shows a text as one types it: what keeps "17,20 €" together on a line looks like a space and is one here.
func typed(s string) string { return strings.ReplaceAll(s, "\u00a0", " ") }

func sayLines(s effect.Say) []string {
	var lines []string
	for line := range strings.SplitSeq(typed(s.Text), "\n") {
		lines = append(lines, strings.TrimRight("< "+line, " "))
	}
	if len(s.Choices) > 0 {
		labels := make([]string, len(s.Choices))
		for i, c := range s.Choices {
			labels[i] = "[" + typed(c.Label) + "]"
		}
		lines = append(lines, "  "+strings.Join(labels, " "))
	}
	return lines
}

// effectLine shows an effect with its fields as they are named in flows: `~ quote sku="mug" quantity=2`.
func effectLine(e effect.Effect) string {
	line := "~ " + specOf(e).Name
	v := reflect.ValueOf(e)
	for i := range v.NumField() {
		value := fmt.Sprint(v.Field(i).Interface())
		if _, err := strconv.Atoi(value); err != nil {
			value = strconv.Quote(value)
		}
		line += " " + strings.ToLower(v.Type().Field(i).Name) + "=" + value
	}
	return line
}

func specOf(e effect.Effect) effect.Spec {
	want := snake(reflect.TypeOf(e).Name())
	i := slices.IndexFunc(effect.All, func(s effect.Spec) bool { return s.Name == want })
	if i < 0 {
		return effect.Spec{Name: want}
	}
	return effect.All[i]
}

// snake turns FindOrder into find_order.
func snake(name string) string {
	var b strings.Builder
	for i, r := range name {
		if i > 0 && r >= 'A' && r <= 'Z' {
			b.WriteByte('_')
		}
		b.WriteString(strings.ToLower(string(r)))
	}
	return b.String()
}
