package dataplane_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/adapters/nftables"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/rib"
)

// TestEdits changes tables in place, step by step: nft takes each edit, and lists what was wanted. Entries that stay keep what they have counted.
func TestEdits(t *testing.T) {
	l, p := newLab(t), linux(t)
	kept, rates := 0, 0
	for _, f := range []flowspec.Family{flowspec.IPv4, flowspec.IPv6} {
		for seed := uint64(1); seed <= uint64(*tables)/3; seed++ {
			if *onlySeed != 0 {
				seed = *onlySeed
			}
			d := newDraw(t, seed)
			language := nftables.Dialect{MostSets: pick(d, []int{0, 1})}
			planned := func(rules []flowspec.Rule) filter.Filter {
				made, err := plan.Make(rib.Of(rules), p, plan.Options{})
				if err != nil {
					d.failf("%v", err)
				}
				if len(made.Desired.Filters) == 0 { // the rules match nothing
					return filter.Filter{Name: filter.Mark + map[flowspec.Family]string{flowspec.IPv4: "v4", flowspec.IPv6: "v6"}[f], Version: f.Version(), Placement: filter.Alone}
				}
				return made.Desired.Filters[0]
			}
			rules := d.rules(f)
			have := planned(rules)
			r, err := language.Render(have)
			if err != nil {
				d.failf("%v", err)
			}
			if err := l.load("flush ruleset\n" + r.Text); err != nil {
				d.failf("%v", err)
			}
			for range 4 {
				h, s := d.packet(f, rules)
				l.send(octets(h, s))
				before := d.counts(l)
				rules = d.changed(f, rules)
				want := planned(rules)
				script, err := language.Edit(have, want)
				if err != nil {
					d.failf("%v", err)
				}
				if err := l.load(string(script)); err != nil {
					d.failf("%v\n%s", err, script)
				}
				rates += strings.Count(string(script), "delete limit")
				listed := l.list("list", "ruleset")
				readsAs(d, []filter.Filter{want}, listed)
				after := d.counts(l)
				for _, e := range want.Entries {
					if n, was := before[e.Counter]; was {
						if kept += n; after[e.Counter] != n {
							d.failf("counter %s is at %d, want %d\n%s", e.Counter, after[e.Counter], n, script)
						}
					}
				}
				have = want
			}
			if script, err := language.Edit(have, have); script != nil || err != nil {
				d.failf("nothing to do, but %q, %v", script, err)
			}
			if *onlySeed != 0 {
				break
			}
		}
	}
	if *onlySeed == 0 && (kept == 0 || rates == 0) {
		t.Errorf("counters that were kept had counted %d packets, %d limits went or changed", kept, rates)
	}
}

// changed returns rules with some taken out, some put in, and some that do something else.
func (d *draw) changed(f flowspec.Family, rules []flowspec.Rule) []flowspec.Rule {
	rules = slices.Clone(rules)
	for range 1 + d.IntN(4) {
		switch d.IntN(3) {
		case 0:
			if len(rules) > 1 {
				i := d.IntN(len(rules))
				rules = slices.Delete(rules, i, i+1)
			}
		case 1:
			r := d.rule(f, pick(d, []breadth{few, destinations, sources}))
			if !slices.ContainsFunc(rules, func(have flowspec.Rule) bool { return have.ID == r.ID }) {
				rules = append(rules, r)
			}
		case 2:
			r := &rules[d.IntN(len(rules))]
			if r.Action.Rate == nil || r.Action.Discard() {
				r.Action = d.action(f)
				continue
			}
			rate := *r.Action.Rate
			rate.Amount += 100_000
			r.Action.Rate = &rate
		}
	}
	return rules
}
