package proof_test

import (
	"testing"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// What the prover says of two tables that differ in up to three things is what packets say: every table called equal is attacked inside its overlaps,
// with every packet there is where the table is small enough, and every witness is evaluated.
func TestDiffKeepsItsWord(t *testing.T) {
	t.Parallel()
	var tr trial
	eachTable(t, *evaluations/10*2, func(d *draw) int {
		before := tr.evaluated
		f := pick(d, flowspec.IPv4, flowspec.IPv4, flowspec.IPv6)
		want := linesOf(d.rules(f, 7))
		for range 4 {
			got, what := want, ""
			for n := 1 + d.IntN(3); n > 0; n-- {
				var name string
				got, name = d.mutate(got)
				what += name + "; "
			}
			tr.judge(d, f, sideOf(want), sideOf(got), what)
		}
		return tr.evaluated - before
	})
	t.Logf("%+v", tr)
	if *onlySeed == 0 && (tr.Equal < tr.Pairs/5 || tr.Different < tr.Pairs/5 || tr.Exhausted < tr.Equal/10 || tr.Twos == 0 || tr.Severer < tr.Pairs/20) {
		t.Errorf("the test sees little")
	}
	if tr.Unproven > tr.Pairs/1000 {
		t.Errorf("%d of %d pairs of small tables were not proven", tr.Unproven, tr.Pairs)
	}
}
