package sros_test

import (
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// The examples of docs/adapters.md are what Render writes.
func TestDocumentedExamples(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/adapters.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, parts := range map[string][]string{"2-syn-flood": {"text", "attach"}, "4-before": {"attach"}} {
		archive, err := txtar.ParseFile("testdata/render/" + name + ".txtar")
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range parts {
			if want := "```\n" + string(piece(t, archive, p)) + "```\n"; !strings.Contains(string(page), want) {
				t.Errorf("docs/adapters.md does not show the %s of %s:\n%s", p, name, want)
			}
		}
	}
}
