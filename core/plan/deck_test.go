package plan_test

import (
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/profile"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/core/rulegen"
	"pgregory.net/rapid"
)

// Planners that share a deck, at work at the same time, answer as Make does, and so they do when most rules change, or a few.
func TestDeck(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		type target struct {
			profile *profile.Profile
			opt     plan.Options
			planner *plan.Planner
		}
		var deck, alone plan.Deck
		var targets []target
		for range rapid.IntRange(2, 5).Draw(t, "planners") {
			p, settings := embedded(t, pick(t, "profile", soundProfiles...))
			opt := drawOptions(t)
			opt.Settings = settings
			targets = append(targets, target{p, opt, deck.Planner(p, opt)})
		}
		f := pick(t, "family", flowspec.IPv4, flowspec.IPv6)
		rules := rulegen.Mix(f, rapid.IntRange(60, 150).Draw(t, "rules"), rapid.Uint64().Draw(t, "seed"))
		for range 3 {
			snap := rib.Of(rules)
			got := make([]*plan.Plan, len(targets))
			errs := make([]error, len(targets))
			var wg sync.WaitGroup
			for i, one := range targets {
				wg.Go(func() { got[i], errs[i] = one.planner.Plan(snap) })
			}
			wg.Wait()
			for i, one := range targets {
				want, err := plan.Make(snap, one.profile, one.opt)
				if err != nil || errs[i] != nil {
					t.Fatal(err, errs[i])
				}
				if one, err := alone.Make(snap, one.profile, one.opt); err != nil || !reflect.DeepEqual(one, want) {
					t.Fatalf("one after the other: %v\n%s\nalone\n%s", err, describe(snap, one), describe(snap, want))
				}
				if !reflect.DeepEqual(got[i], want) {
					t.Fatalf("%s %+v: with a deck\n%s\nwithout\n%s", one.profile.Name, one.opt, describe(snap, got[i]), describe(snap, want))
				}
			}
			rules = slices.Clone(rules)
			keep := rapid.IntRange(0, 4).Draw(t, "keep")
			for i := range rules {
				if i%5 >= keep {
					rules[i].Action = drawAction(t)
				}
			}
		}
	})
}
