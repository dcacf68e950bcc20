package plan_test

import (
	"slices"
	"testing"

	"github.com/sluice-gateway/sluice/core/plan"
)

// How many pieces, how many at least, and where they may not overlap.
func TestPieceCount(t *testing.T) {
	t.Parallel()
	p, _ := embedded(t, "asr9k")
	const seven, sixteen = "1,3,5,7,9,11,13", "1,3,5,7,9,11,13,15,17,19,21,23,25,27,29,31"
	for _, c := range []struct {
		match   string
		entries int
		least   int
		want    string
	}{
		{"dst 203.0.113.9/32 dport " + seven + " sport " + seven, 3, 3, "3 pieces that overlap, where cutting each list by itself gives 4; no fewer would do"},
		{"dst 203.0.113.9/32 dport " + sixteen + " sport " + sixteen, 14, 13, "14 pieces that overlap, where cutting each list by itself gives 16; at least 13 are needed"},
		{"dst 203.0.113.9/32 dport " + sixteen, 4, 4, ""},
	} {
		r := rule(t, c.match+" -> discard")
		_, verdicts := mustPlan(t, rules(t, c.match+" -> discard"), p, plan.Options{NoFilter: true})
		v := verdicts[r.ID]
		got := ""
		if i := slices.IndexFunc(v.Reasons, func(r plan.Reason) bool { return r.Code == "piece-count" }); i >= 0 {
			got = v.Reasons[i].Message
		}
		if v.Carried != plan.Rewritten || len(v.Entries) != c.entries || v.Cost.Least != c.least || got != c.want {
			t.Errorf("%s: %s, at least %d, %q; want %d entries, at least %d, %q", c.match, summary(v), v.Cost.Least, got, c.entries, c.least, c.want)
		}
	}
}
