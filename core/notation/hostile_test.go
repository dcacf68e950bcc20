package notation

import (
	"strings"
	"testing"
)

// Text that nobody wrote is refused in bounded work: the problems of a line are told up to a number, and what is nested without end is not read.
func TestHostileText(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file, text, code string
		most             int
	}{
		"brackets":      {"x.exabgp", strings.Repeat("[", 200_000), "crowded-line", mostOnLine + 1},
		"words":         {"x.exabgp", strings.Repeat("x; ", 60_000), "crowded-line", mostOnLine + 1},
		"deep YAML":     {"x.yaml", "rules: " + strings.Repeat("[", 200_000), "syntax", 1},
		"dashes":        {"x.yaml", "rules:\n" + strings.Repeat("- ", 100_000) + "a\n", "syntax", 1},
		"deep JSON":     {"x.json", `{"rules":` + strings.Repeat("[", 200_000), "syntax", 1},
		"mappings":      {"x.yaml", "rules: " + strings.Repeat("{a: ", 100_000), "syntax", 1},
		"comment lines": {"x.yaml", "# " + strings.Repeat("-", 300) + "\nrules: [{match: {protocol: udp}, action: nothing}]\n", "", 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := Read(c.file, []byte(c.text), Options{})
			if !r.Failed() || len(r.Problems) > c.most {
				t.Fatalf("%d problems, want at most %d", len(r.Problems), c.most)
			}
			for _, p := range r.Problems {
				if p.Code == c.code || c.code == "" {
					return
				}
			}
			t.Errorf("no %s among %v", c.code, r.Problems)
		})
	}
}

// Warnings beyond the number are left out with a note; the rules stand.
func TestCrowdedWarningsKeepTheRules(t *testing.T) {
	t.Parallel()
	const n = mostOnLine + 100
	text := `{"rules":[` + strings.TrimSuffix(strings.Repeat(`{"family":"ipv4","match":{"protocol":"udp"},"action":"discard"},`, n), ",") + `]}`
	r := Read("x.json", []byte(text), Options{})
	if r.Failed() || len(r.Items) != n || len(r.Problems) != mostOnLine+1 {
		t.Errorf("failed %t, %d rules, %d problems", r.Failed(), len(r.Items), len(r.Problems))
	}
}
