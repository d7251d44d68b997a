package flow

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const drawn = `flow: t
starts_on: {buy: ask-price, offer: ask-price}
start: ask-price
states:
  ask-price:
    say: {en: a, de: a}
    on: {yes: over, no: basics.stopped, amount: ask-price}
    after: {2h: over}
  over: {end: true}
`

func TestDiagramsNameStatesAndEvents(t *testing.T) {
	set := mustLoad(t, withFlow(drawn))
	mermaid := `---
title: t
---
stateDiagram-v2
    state "ask-price" as s0
    state "over" as s1
    state "basics.stopped" as s2
    [*] --> s0: buy, offer
    s0 --> s1: yes, after 2h
    s0 --> s2: no
    s0 --> s0: amount
    s1 --> [*]: end
`
	got, err := Diagram(set, "t", "mermaid")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(mermaid, got); diff != "" {
		t.Error(diff)
	}
	dot := `digraph "t" {
    rankdir=TB;
    node [shape=box, style=rounded];
    "(begin)" [shape=circle, label=""];
    "(end)" [shape=doublecircle, label=""];
    "ask-price";
    "over";
    "basics.stopped" [style=dashed];
    "(begin)" -> "ask-price" [label="buy, offer"];
    "ask-price" -> "over" [label="yes, after 2h"];
    "ask-price" -> "basics.stopped" [label="no"];
    "ask-price" -> "ask-price" [label="amount"];
    "over" -> "(end)" [label="end"];
}
`
	if got, err = Diagram(set, "t", "dot"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(dot, got); diff != "" {
		t.Error(diff)
	}
}

func TestDiagramsOfWhatIsNotThereAreRefused(t *testing.T) {
	set := mustLoad(t, basics())
	if _, err := Diagram(set, "ghost", "dot"); err == nil {
		t.Error("drew a flow that is not there")
	}
	if _, err := Diagram(set, "basics", "svg"); err == nil || !strings.Contains(err.Error(), "mermaid or dot") {
		t.Errorf("error %v", err)
	}
}

func TestGraphvizReadsTheShopsDiagrams(t *testing.T) {
	dot, err := exec.LookPath("dot")
	if err != nil {
		if strings.Contains(os.Getenv("PARLEY_REQUIRE"), "graphviz") {
			t.Fatal("graphviz is required and is not installed")
		}
		t.Skip("graphviz is not installed: the dot pictures are compared as text only")
	}
	set, problems := Load(os.DirFS("../../bots"), "shop")
	if set == nil {
		t.Fatal(problems)
	}
	for _, f := range set.Flows {
		picture, err := Diagram(set, f.Name, "dot")
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), dot, "-Tplain")
		cmd.Stdin = strings.NewReader(picture)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", f.Name, err, out)
		}
	}
}
