package plan_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/profile"
)

// Each remedy alone, on a device that sorts the octets that it received: what becomes of both rules, and that none is used that is not allowed.
func TestRemedies(t *testing.T) {
	t.Parallel()
	const (
		ranges = `dst 203.0.113.9/32 sport 1,3,5,7,9,11 -> accept
			dst 203.0.113.9/32 sport 2-12 -> discard`
		lists = `dst 203.0.113.9/32 sport 1,3,5,7,9,11,13 -> accept
			dst 203.0.113.9/32 sport 7,11 -> discard`
	)
	for _, c := range []struct {
		remedy, table string
		want          []string // of the two rules
	}{
		{plan.RemedySubtract, ranges, []string{"rewritten 2 split-values", "rewritten 2 remedy-subtract"}},
		{plan.RemedyPrefix, ranges, []string{"rewritten 2 split-values remedy-prefix", "native 1"}},
		{plan.RemedySplitOther, ranges, []string{"rewritten 3 split-values remedy-split-other", "native 1"}},
		{plan.RemedyChoose, lists, []string{"rewritten 2 split-values", "rewritten 1 remedy-choose"}},
		{plan.RemedySteer, lists, []string{"rewritten 2 split-values", "rewritten 1 remedy-steer"}},
		{"", lists, []string{"rewritten 2 split-values", "rejected 0 order-conflict"}},
	} {
		p := resized(t, "asr9k", func(n *profile.Native, _ *profile.Filter) {
			n.Order.ByReceivedOctets, n.Order.PrefixLever, n.Order.AlwaysFalse = true, true, true
		})
		allowed := []string{}
		if c.remedy != "" {
			allowed = append(allowed, c.remedy)
		}
		rs := rules(t, c.table)
		_, verdicts := mustPlan(t, rs, p, plan.Options{Remedies: allowed})
		for i, r := range rs {
			got := strings.Replace(summary(verdicts[r.ID]), " assumed-order", "", 1)
			if !strings.HasPrefix(got, c.want[i]) {
				t.Errorf("%q: rule %d: got %s, want %s", c.remedy, i+1, got, c.want[i])
			}
		}
		// Without the facts about octets only what needs none is done.
		plain, _ := embedded(t, "asr9k")
		_, verdicts = mustPlan(t, rs, plain, plan.Options{Remedies: allowed})
		needsFacts := slices.Contains([]string{plan.RemedyChoose, plan.RemedyPrefix, plan.RemedySteer}, c.remedy)
		if used := strings.Contains(summary(verdicts[rs[0].ID])+summary(verdicts[rs[1].ID]), "remedy-"); used == needsFacts && c.remedy != "" {
			t.Errorf("%s without facts about octets: used %v", c.remedy, used)
		}
	}
}
