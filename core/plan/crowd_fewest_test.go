package plan_test

import (
	"testing"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/core/rulegen"
)

// Rules that are settled one after another lose hardly more than the same rules settled with each other, with a search for the fewest and with remedies that change the
// earlier of two rules.
func TestCrowdsLoseHardlyMore(t *testing.T) {
	t.Parallel()
	p, settings := embedded(t, "asr9k")
	rejected := func(rules []flowspec.Rule, party int) (n int) {
		pl := plan.NewPlanner(p, plan.Options{Settings: settings, NoFilter: true})
		pl.SetParty(party)
		out, err := pl.Plan(rib.Of(rules))
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range out.Verdicts {
			if v.Carried == plan.Rejected {
				n++
			}
		}
		return n
	}
	kinds := map[string]func(seed uint64) []flowspec.Rule{
		"customer": func(seed uint64) []flowspec.Rule { return rulegen.Customer(flowspec.IPv4, 30, seed) },
		"lists":    func(seed uint64) []flowspec.Rule { return rulegen.Adversarial(rulegen.Lists, flowspec.IPv4, 12, seed) },
	}
	for kind, draw := range kinds {
		const tables = 400
		var crowd, party, more, fewer, excess int
		for seed := range uint64(tables) {
			rules := draw(seed)
			one, together := rejected(rules, 0), rejected(rules, 32)
			crowd, party = crowd+one, party+together
			switch {
			case one > together:
				more++
				excess += one - together
			case one < together:
				fewer++
			}
		}
		t.Logf("%s: of %d tables %d lose more one after another, %d rules in all, and %d fewer: %d rules against %d", kind, tables, more, excess, fewer, crowd, party)
		if more == 0 && fewer == 0 {
			t.Errorf("%s: both ways lose the same in every table: the test sees nothing", kind)
		}
		if 100*crowd > 101*party {
			t.Errorf("%s: one after another %d rules are lost, with each other %d", kind, crowd, party)
		}
	}
}
