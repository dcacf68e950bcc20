package config

import (
	"os"
	"strings"
	"testing"
	"time"
)

// The file that docs/plugins.md shows can be read, and means what it says.
func TestDocumentedBench(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/plugins.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(page), "```yaml\nname: r1\n")
	text, _, _ = strings.Cut(text, "```")
	b, err := ParseBench("r1.yaml", []byte("name: r1\n"+text), Env{Getenv: func(string) string { return "hunter2hunter2" }})
	if err != nil {
		t.Fatal(err)
	}
	if b.Target.Name != "r1" || b.Target.Address != "192.0.2.23:830" || b.Target.Password != "hunter2hunter2" || b.Undo != 20*time.Second || b.Refused.Words != "cannot redirect" || len(b.Edit) != 1 {
		t.Errorf("it reads as %+v", b)
	}
}

func TestBenchProblems(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"filter: {}\n":                                    "b.yaml: name: missing",
		"name: r\nfilter: {adapter: junos}\n":             "b.yaml:2:19: filter.adapter: the adapter is the one on the command line",
		"name: r\nstory: {undo: soon}\n":                  `story.undo: "soon" is not a duration`,
		"name: r\nstory: {entries: -1}\n":                 "story.entries: -1 is negative",
		"name: r\ndialect: junos\nsemantics: {}\n":        "write one of the two",
		"name: r\nsemantics: {ports: true}\n":             `unknown field "ports"`,
		"name: r\nfilter: {password: {env: NOT_THERE}}\n": "NOT_THERE is not set",
	} {
		_, err := ParseBench("b.yaml", []byte(text), Env{Getenv: func(string) string { return "" }})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q in it", text, err, want)
		}
	}
}
