package adapterpb_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

var declared = regexp.MustCompile(`^\s*(rpc|message|enum|service|oneof) (\w+)|^\s*(?:repeated |optional )?[\w<>, .]+ (\w+) = \d+;`)

// Whoever writes a plugin in another language has nothing but adapter.proto: every message, call and field says what it is.
func TestEveryFieldIsDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("adapter.proto")
	if err != nil {
		t.Fatal(err)
	}
	found, before, in := 0, "", ""
	for line := range strings.Lines(string(text)) {
		m := declared.FindStringSubmatch(line)
		if m != nil && m[1] != "oneof" {
			found++
			name := m[2] + m[3]
			if m[1] == "message" {
				in = name
			}
			_, beside, _ := strings.Cut(line, "//")
			if len(strings.TrimSpace(beside)) < 4 && !strings.HasPrefix(before, "//") {
				t.Errorf("%s: %s says nothing", in, name)
			}
		}
		before = strings.TrimSpace(line)
	}
	if found < 100 {
		t.Errorf("%d declarations found; the file has more", found)
	}
}
