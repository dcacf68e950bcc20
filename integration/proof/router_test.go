package proof_test

import (
	"fmt"
	"slices"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/profile"
)

// router evaluates what a plan puts on a router, from the objects alone: nothing that the plan says about them is believed. The filter comes
// first and then, for what it lets through, FlowSpec, as Junos does; no other profile has both.
type router struct {
	filter, routes []step
}

// routerOf builds what a device with profile p holds for family f. Every route has a bucket of its own, entries of a filter that name one policer share it.
func routerOf(d *draw, p *profile.Profile, out *plan.Plan, f flowspec.Family) *router {
	dev := &router{}
	for _, one := range out.Desired.Filters {
		if one.Version != f.Version() {
			continue
		}
		rates := map[string]flowspec.Rate{}
		for _, r := range one.Policers {
			rates[r.Name] = r.Rate
		}
		for i := range one.Entries {
			e := &one.Entries[i]
			a := flowspec.Action{Redirect: e.Do.Redirect, Mark: e.Do.Mark, Sample: e.Do.Sample}
			if e.Do.Discard {
				a.Rate = &flowspec.Rate{}
			} else if e.Do.Policer != "" {
				r, ok := rates[e.Do.Policer]
				if !ok || r.Amount <= 0 {
					d.failf("entry %s names policer %q, which the filter lacks or which is no limit", e.Name, e.Do.Policer)
				}
				a.Rate = &r
			}
			dev.filter = append(dev.filter, step{entryMatcher(f == flowspec.IPv6, &e.Match, p.Filter.Semantics), deedOf(a, one.Name+" "+e.Do.Policer), e.Do.Continue})
		}
	}
	sorted := slices.Clone(out.Desired.Routes)
	slices.SortFunc(sorted, func(a, b *device.Route) int { return precedes(a.Match, b.Match) })
	for i, r := range sorted {
		if r.Match.Family() != f {
			continue
		}
		if i > 0 && r.Match.Equal(sorted[i-1].Match) {
			d.failf("two routes with the NLRI %x", r.Match.NLRI())
		}
		dev.routes = append(dev.routes, step{matcherOf(r.Match), deedOf(r.Action, fmt.Sprintf("route %d", i)), r.Action.Continue})
	}
	order := p.Native.Order
	if f == flowspec.IPv6 && p.Native.OrderV6 != nil {
		order = *p.Native.OrderV6
	}
	if order.Kind == "unknown" { // what is carried has to be right in any order
		d.Shuffle(len(dev.routes), func(i, k int) { dev.routes[i], dev.routes[k] = dev.routes[k], dev.routes[i] })
	}
	return dev
}

// treats returns what the device does to p. What both stages do alike is done once.
func (v *router) treats(p *probe, done []deed) []deed {
	done, gone := treat(v.filter, p, done)
	if gone || len(v.routes) == 0 {
		return done
	}
	first := len(done)
	marked := *p
	for _, d := range done {
		if d.mark >= 0 {
			marked.DSCP = uint8(d.mark) // what the filter marks, FlowSpec reads
		}
	}
	all, _ := treat(v.routes, &marked, done)
	out := all[:first]
	for _, d := range all[first:] {
		if d.rate.Amount > 0 || !slices.Contains(out[:first], d) || d.samples {
			out = append(out, d)
		}
	}
	return out
}

// matchersOf returns whatever matches in those steps.
func matchersOf(steps ...[]step) (out []*matcher) {
	for _, list := range steps {
		for i := range list {
			out = append(out, &list[i].matcher)
		}
	}
	return out
}

// asked returns the steps that rules ask for, in the order of the RFC, each with its own bucket.
func asked(rules []flowspec.Rule, f flowspec.Family) (out []step) {
	sorted := slices.Clone(rules)
	slices.SortStableFunc(sorted, func(a, b flowspec.Rule) int { return precedes(a.Match, b.Match) })
	for _, r := range sorted {
		if r.Match.Family() == f {
			out = append(out, step{matcherOf(r.Match), deedOf(r.Action, "rule "+string(r.ID)), r.Action.Continue})
		}
	}
	return out
}
