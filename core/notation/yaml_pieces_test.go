package notation

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// whole reads YAML without cutting it.
func whole(src string) *input {
	in := newInput("", src, Options{Now: time.Unix(0, 0)})
	root, err := yamlDocument(in, src, 0)
	if err != nil {
		in.fail("syntax", err.at, max(err.end, err.at+1), err.message, err.hint)
		return in
	}
	readDocument(in, root)
	return in
}

// checkPieces compares pieces of two rules with the whole, if the file can be cut at all.
func checkPieces(t rapid.TB, src string) (cut bool) {
	t.Helper()
	in := newInput("", src, Options{Now: time.Unix(0, 0)})
	if !readPieces(in, 2) {
		if len(in.items)+len(in.problems) > 0 {
			t.Fatalf("something was read of what cannot be cut: %q", src)
		}
		return false
	}
	show := func(in *input) (s []string) {
		for _, it := range in.items {
			s = append(s, fmt.Sprint(it.Pos, Hex(it.Rule), it.Rule.Note, it.Text))
		}
		for _, p := range in.problems {
			s = append(s, fmt.Sprint(p.Severity, p.Code, p.Message)) // the library is not sure of the place of an empty or folded value
		}
		return s
	}
	if diff := cmp.Diff(show(whole(src)), show(in)); diff != "" {
		t.Fatalf("pieces are not the whole (-whole +pieces):\n%s\n%q", diff, src)
	}
	return true
}

func TestPiecesAreTheWhole(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var out writer
		rules := rapid.SliceOfN(ruleGen(false), 3, 9).Draw(t, "rules")
		rules[0].Note = rapid.String().Draw(t, "note")
		if err := Write(&out, YAML, rules); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(out.String(), "\n")
		if rapid.Bool().Draw(t, "damage") { // a line lost
			i := rapid.IntRange(0, len(lines)-1).Draw(t, "line")
			lines = append(lines[:i:i], lines[i+1:]...)
		}
		checkPieces(t, strings.Join(lines, "\n"))
	})
	src := "# head\nrules:\n" + strings.Repeat("  - match: {destination: 203.0.113.10/32}\n    # between\n\n    action: discard\n", 5)
	if !checkPieces(t, src) {
		t.Error("a plain file is not cut")
	}
}

func FuzzYAMLPieces(f *testing.F) {
	item := "- match: {destination: 203.0.113.10/32}\n  action: discard\n"
	f.Add("rules:\n" + strings.Repeat(item, 4))
	f.Add("rules:\n" + strings.Repeat("  - match:\n      destination: 203.0.113.10/32\n    note: |\n      x\n    action: accept\n", 3))
	f.Add("rules:\n" + item + "- match: {destination: 203.0.113.10/32,\n- x}\n" + item + item)
	f.Add("rules:\n" + item + "- note: \"a\n- b\"\n" + item + item)
	f.Fuzz(func(t *testing.T, src string) { checkPieces(t, src) })
}

// A long file costs the memory of its rules, not of its tree.
func BenchmarkReadLongYAML(b *testing.B) {
	rules := make([]flowspec.Rule, 0, 2000)
	for _, it := range Read("", benchFile(2000), Options{}).Items {
		rules = append(rules, it.Rule)
	}
	var out writer
	if err := Write(&out, YAML, rules); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if res := Read("x.yaml", out, Options{}); len(res.Items) != len(rules) {
			b.Fatal(res.Problems)
		}
	}
}
