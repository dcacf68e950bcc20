package report_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/notation"
	"github.com/sluice-gateway/sluice/core/report"
)

// The rules that stand at the end of an input, and what is said about each.
func TestPlay(t *testing.T) {
	t.Parallel()
	const (
		a, b = "announce flow route { match { destination 192.0.2.1/32; } then { discard; } }", "announce flow route { match { destination 192.0.2.2/32; } then { discard; } }"
		a2   = "announce flow route { match { destination 192.0.2.1/32; } then { accept; } }"
		notA = "withdraw flow route { match { destination 192.0.2.1/32; } }"
		all  = "announce flow route { match { protocol =udp; } then { discard; } }" // no destination: a warning
		bad  = "announce flow route { match { destination 192.0.2.0/33; } then { discard; } }"
	)
	for _, c := range []struct {
		name  string
		lines []string
		want  []string // lines that stand, with the codes of their notes
		loose []string // lines and codes of the rest
	}{
		{"nothing", nil, nil, nil},
		{"in the order of the input", []string{b, a}, []string{"1", "2"}, nil},
		{"withdrawn", []string{a, b, notA}, []string{"2"}, nil},
		{"withdrawn and back", []string{a, b, notA, a}, []string{"2", "4"}, nil},
		{"replaced", []string{a, b, a2}, []string{"2", "3 replaces"}, nil},
		{"replaced twice", []string{a, a2, a}, []string{"3 replaces"}, nil},
		{"withdrawn before it came", []string{notA, a}, []string{"2"}, []string{"1 withdraws-nothing"}},
		{"a warning goes with its rule", []string{a, all, b}, []string{"1", "2 no-destination", "3"}, nil},
		{"a warning about what was replaced", []string{all, all}, []string{"2 no-destination replaces"}, []string{"1 no-destination"}},
		{"an error is nobody's", []string{a, bad, b}, []string{"1", "3"}, []string{"2 error"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			in := notation.Read("f", []byte(strings.Join(c.lines, "\n")), notation.Options{Format: notation.ExaBGP})
			played := report.Play(in.Items, in.Problems)
			var got, loose []string
			for _, s := range played.Rules {
				words := []string{fmt.Sprint(s.Pos.Line)}
				for _, n := range s.Notes {
					words = append(words, n.Code)
				}
				got = append(got, strings.Join(words, " "))
			}
			for _, p := range played.Loose {
				code := p.Code
				if p.Severity == notation.Error {
					code = "error"
				}
				loose = append(loose, fmt.Sprintf("%d %s", p.Pos.Line, code))
			}
			if !slices.Equal(got, c.want) || !slices.Equal(loose, c.loose) {
				t.Errorf("got %q and %q, want %q and %q", got, loose, c.want, c.loose)
			}
			snap, index := played.Snapshot()
			for i, r := range snap.Rules() {
				if at := played.Rules[index[i]]; at.Rule.ID != r.ID {
					t.Errorf("rule %d of the snapshot is not the one at %s", i, at.Pos)
				}
			}
		})
	}
}
