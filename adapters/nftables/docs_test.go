package nftables_test

import (
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// The example of docs/adapters.md is what Render writes.
func TestDocumentedExample(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/adapters.md")
	if err != nil {
		t.Fatal(err)
	}
	archive, err := txtar.ParseFile("testdata/render/2-syn-flood.txtar")
	if err != nil {
		t.Fatal(err)
	}
	if want := "```\n" + string(part(t, archive, "text")) + "```\n"; !strings.Contains(string(page), want) {
		t.Errorf("docs/adapters.md does not show\n%s", want)
	}
}
