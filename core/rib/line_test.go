package rib

import (
	"slices"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"pgregory.net/rapid"
)

// Whatever two snapshots are: Changes leads from one to the other, With takes them over, and Since tells of a line of its own.
func TestChangesLeadFromOneToTheOther(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		draw := func(name string) []flowspec.Rule {
			var out []flowspec.Rule
			for _, n := range rapid.SliceOfDistinct(rapid.IntRange(0, 200), rapid.ID[int]).Draw(rt, name) {
				out = append(out, ruleOf(t, "a", n, float32(rapid.IntRange(0, 2).Draw(rt, "rate")), time.Time{}))
			}
			return out
		}
		snap := Of(draw("first"))
		began := snap.Version
		first := snap
		for range rapid.IntRange(1, 5).Draw(rt, "times") {
			next := Of(draw("next"))
			changes := snap.Changes(next)
			for i, c := range changes {
				if i > 0 && flowspec.Compare(changes[i-1].Match, c.Match) >= 0 {
					rt.Fatalf("changes out of order: %v", changes)
				}
			}
			snap = snap.With(changes)
			if got, want := text(snap.Rules()), text(next.Rules()); !slices.Equal(got, want) {
				rt.Fatalf("got %q, want %q", got, want)
			}
			if left := snap.Changes(next); len(left) > 0 {
				rt.Fatalf("after them: %v", left)
			}
		}
		all, known := snap.Since(began)
		if !known {
			rt.Fatal("the line has forgotten its beginning")
		}
		if got, want := text(first.With(all).Rules()), text(snap.Rules()); !slices.Equal(got, want) {
			rt.Fatalf("Since leads to %q, want %q", got, want)
		}
	})
}
