package plan_test

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/profile"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/core/rulegen"
	"pgregory.net/rapid"
)

// crowdPlanner draws a planner for which already a few rules of a bucket are a crowd.
func crowdPlanner(t *rapid.T) (make func() *plan.Planner, with *profile.Profile) {
	p, settings := embedded(t, pick(t, "profile", soundProfiles...))
	if rapid.IntRange(0, 3).Draw(t, "any platform") == 0 {
		p, settings = drawProfile(t), nil
	}
	opt := drawOptions(t)
	opt.Settings, opt.NoFilter, opt.NoNative = settings, true, false
	party := rapid.IntRange(0, 3).Draw(t, "party")
	with, err := p.With(settings)
	if err != nil {
		t.Fatal(err)
	}
	return func() *plan.Planner {
		pl := plan.NewPlanner(p, opt)
		pl.SetParty(party)
		return pl
	}, with
}

// drawCrowdRule draws a rule like others; many meet, and are split.
func drawCrowdRule(t *rapid.T) flowspec.Rule {
	if rapid.IntRange(0, 2).Draw(t, "list") == 0 {
		return drawListRule(t)
	}
	return drawRule(t)
}

// Settled one after another, rules are treated as asked, and never worse where some are rejected.
func TestCrowdsAreSound(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		make, with := crowdPlanner(t)
		var rules []flowspec.Rule
		for n := rapid.IntRange(2, 14).Draw(t, "rules"); n > 0; n-- {
			rules = append(rules, drawCrowdRule(t))
		}
		snap := rib.Of(rules)
		out, err := make().Plan(snap)
		if err != nil {
			t.Fatal(err)
		}
		checkSound(t, snap, out, with)
	})
}

// After any changes a crowd fares as if it had been settled from nothing.
func TestFollowsCrowds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		make, _ := crowdPlanner(t)
		followsAsMake(t, drawCrowdRule, make(), func(snap rib.Snapshot) *plan.Plan {
			out, err := make().Plan(snap)
			if err != nil {
				t.Fatal(err)
			}
			return out
		})
	})
}

// The same with hundreds of rules for one destination, and with destinations in each other.
func TestFollowsLargeCrowds(t *testing.T) {
	t.Parallel()
	p, settings := embedded(t, "asr9k")
	opt := plan.Options{Settings: settings, NoFilter: true}
	for name, rules := range map[string][]flowspec.Rule{
		"customer": rulegen.Customer(flowspec.IPv4, 250, 3),
		"nested":   rulegen.Adversarial(rulegen.Nested, flowspec.IPv4, 900, 3)[:400],
		"lists":    rulegen.Adversarial(rulegen.Lists, flowspec.IPv4, 120, 3),
		"victim":   rulegen.Adversarial(rulegen.OneVictim, flowspec.IPv4, 150, 3),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(3, 5))
			pl := plan.NewPlanner(p, opt)
			in := map[int]bool{}
			for range 30 {
				var changes []rib.Change
				for range 1 + r.IntN(len(rules)/8) {
					i := r.IntN(len(rules))
					c := rib.Change{Match: rules[i].Match, New: &rules[i]}
					if in[i] {
						c.Old, c.New = &rules[i], nil
					}
					in[i] = !in[i]
					changes = append(changes, c)
					if r.IntN(4) == 0 {
						break
					}
				}
				for i := range changes { // each on its own: a rule may be drawn twice
					if _, _, err := pl.Apply(changes[i : i+1]); err != nil {
						t.Fatal(err)
					}
				}
				var now []flowspec.Rule
				for i := range rules {
					if in[i] {
						now = append(now, rules[i])
					}
				}
				snap := rib.Of(now)
				want, err := plan.Make(snap, p, opt)
				if err != nil {
					t.Fatal(err)
				}
				if got, err := pl.Plan(snap); err != nil || !reflect.DeepEqual(got, want) {
					t.Fatalf("with %d rules the plan is another one than Make's (%v)", len(now), err)
				}
			}
		})
	}
}
