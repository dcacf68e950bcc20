package plan_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/core/rulegen"
)

// A planner that follows tables of every kind through single changes answers as Make does, with destinations around each other and rules without one among them.
func TestFollowsTables(t *testing.T) {
	t.Parallel()
	dense := func(f flowspec.Family, seed uint64) []flowspec.Rule {
		return slices.Concat(rulegen.Mix(f, 60, seed), rulegen.Adversarial(rulegen.Nested, f, 80, seed), rulegen.Adversarial(rulegen.Anyone, f, 40, seed))
	}
	adversarial := func(k rulegen.Kind) func(flowspec.Family, uint64) []flowspec.Rule {
		return func(f flowspec.Family, seed uint64) []flowspec.Rule { return rulegen.Adversarial(k, f, 150, seed) }
	}
	sized := func(make func(flowspec.Family, int, uint64) []flowspec.Rule, n int) func(flowspec.Family, uint64) []flowspec.Rule {
		return func(f flowspec.Family, seed uint64) []flowspec.Rule { return make(f, n, seed) }
	}
	for name, make := range map[string]func(flowspec.Family, uint64) []flowspec.Rule{
		"mix": sized(rulegen.Mix, 800), "mitigation": sized(rulegen.Mitigation, 800), "discards": sized(rulegen.Discards, 800), "customer": sized(rulegen.Customer, 400),
		"nested": adversarial(rulegen.Nested), "lists": adversarial(rulegen.Lists), "victim": adversarial(rulegen.OneVictim), "anyone": adversarial(rulegen.Anyone), "dense": dense,
	} {
		for seed := range uint64(4) {
			t.Run(fmt.Sprintf("%s/%d", name, seed), func(t *testing.T) {
				t.Parallel()
				f := flowspec.IPv4
				if seed == 1 {
					f = flowspec.IPv6
				}
				followsTable(t, make(f, seed), seed)
			})
		}
	}
}

// followsTable plans four of five rules, takes one rule in or out at a time, and compares now and then.
func followsTable(t *testing.T, rules []flowspec.Rule, seed uint64) {
	p, settings := embedded(t, "asr9k")
	opt := plan.Options{Settings: settings, NoFilter: seed != 2 || len(rules) < 400} // with a filter, tables in which all meet take long
	r := rand.New(rand.NewPCG(seed, 7))
	in := make([]bool, len(rules))
	for i := range in {
		in[i] = r.IntN(5) > 0
	}
	now := func() rib.Snapshot {
		var list []flowspec.Rule
		for i := range rules {
			if in[i] {
				list = append(list, rules[i])
			}
		}
		return rib.Of(list)
	}
	pl := plan.NewPlanner(p, opt)
	if _, err := pl.Plan(now()); err != nil {
		t.Fatal(err)
	}
	for n := range 60 {
		i := r.IntN(len(rules))
		c := rib.Change{Match: rules[i].Match, New: &rules[i]}
		if in[i] {
			c.Old, c.New = &rules[i], nil
		}
		in[i] = !in[i]
		if _, _, err := pl.Apply([]rib.Change{c}); err != nil {
			t.Fatal(err)
		}
		if n%6 < 5 {
			continue
		}
		snap := now()
		want, err := plan.Make(snap, p, opt)
		if err != nil {
			t.Fatal(err)
		}
		if got := pl.Now(); !reflect.DeepEqual(got, want) {
			for k, v := range want.Verdicts {
				if !reflect.DeepEqual(got.Verdicts[k], v) {
					t.Fatalf("after %d changes rule %s is %+v, by Make %+v", n+1, v.Rule, got.Verdicts[k], v)
				}
			}
			t.Fatalf("after %d changes the plan is another one than Make's", n+1)
		}
	}
}
