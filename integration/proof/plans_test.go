package proof_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/profile"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/profiles"
)

// Every packet fares on the device as the carried rules ask, tokens and all; where rules are rejected, no packet fares worse than all rules
// together ask. Half of the tables are for platforms of the library, half for platforms that do not exist.
func TestPlansTreatPacketsAsAsked(t *testing.T) {
	t.Parallel()
	var seen plansSeen
	tables, done := eachTable(t, *evaluations/10*6, seen.table)
	t.Logf("%+v", seen)
	if *onlySeed == 0 && (seen.Met < done/3 || seen.MetTwo < done/5 || seen.Rejected == 0 || seen.InFilter == 0 || seen.Rewritten == 0 || seen.WholeTables < tables/4) {
		t.Errorf("%+v of %d tables and %d packets: the test sees little", seen, tables, done)
	}
}

// table draws a table and a platform, plans, and puts packets to the plan. It returns how many.
func (s *plansSeen) table(d *draw) (evaluated int) {
	p := d.profile()
	opt := d.options()
	rules := d.rules(flowspec.IPv4, 9)
	if d.chance(3) {
		rules = append(rules, d.rules(flowspec.IPv6, 7)...)
	}
	out, err := plan.Make(rib.Of(rules), p, opt)
	if err != nil {
		d.failf("%v", err)
	}
	for _, f := range []flowspec.Family{flowspec.IPv4, flowspec.IPv6} {
		evaluated += s.check(d, p, rules, out, f)
	}
	return evaluated
}

// plansSeen counts what a run has seen, so that it cannot pass by seeing nothing.
type plansSeen struct {
	Met, MetTwo, Policed                  int // packets that a rule, two rules, a rate limit matched
	Native, Rewritten, InFilter, Rejected int // rules
	WholeTables, Witnesses                int
}

func (s *plansSeen) check(d *draw, p *profile.Profile, rules []flowspec.Rule, out *plan.Plan, f flowspec.Family) (evaluated int) {
	carried, exact := s.carried(d, rules, out, f)
	all, want, dev := asked(rules, f), asked(carried, f), routerOf(d, p, out, f)
	if len(all) == 0 {
		if len(dev.filter)+len(dev.routes) > 0 {
			d.failf("entries of %s for no rule", f)
		}
		return 0
	}
	if len(want) == len(all) {
		s.WholeTables++
	}
	tolerance := 0.01
	if !exact {
		tolerance = 1e9 // a rate that the platform cannot hold is rounded up, and the verdict is not exact
	}
	shared := newBuckets()
	var pr probe
	var w, g, a [8]deed
	cornersOf(f, matchersOf(all, dev.routes, dev.filter)).packets(d, 512, func(h packet.Header) {
		evaluated++
		pr.read(h)
		wanted, _ := treat(want, &pr, w[:0])
		got := dev.treats(&pr, g[:0])
		if !alike(wanted, got, tolerance) {
			d.failf("packet %s: the carried rules ask for %v, got %v\n%s", h, wanted, got, describe(rules, out))
		}
		if !shared.share(wanted, got) {
			d.failf("packet %s: the carried rules ask for %v, got %v, and these buckets do not hold the same packets\n%s", h, wanted, got, describe(rules, out))
		}
		if len(want) < len(all) {
			whole, _ := treat(all, &pr, a[:0])
			if severityOf(got) > severityOf(whole) {
				d.failf("packet %s: all rules ask for %v, got %v, which is worse\n%s", h, whole, got, describe(rules, out))
			}
		}
		s.count(all, &pr, wanted)
	})
	s.Witnesses += confirmWitnesses(d, rules, out, f)
	return evaluated
}

func (s *plansSeen) count(all []step, p *probe, wanted []deed) {
	n := 0
	for i := range all {
		if all[i].matches(p) {
			n++
		}
	}
	if n > 0 {
		s.Met++
	}
	if n > 1 {
		s.MetTwo++
	}
	if slices.ContainsFunc(wanted, deed.limits) {
		s.Policed++
	}
}

// carried returns the rules that the plan carries, and whether it calls all of them exact.
func (s *plansSeen) carried(d *draw, rules []flowspec.Rule, out *plan.Plan, f flowspec.Family) (carried []flowspec.Rule, exact bool) {
	how := map[flowspec.ID]plan.Verdict{}
	for _, v := range out.Verdicts {
		how[v.Rule] = *v
	}
	exact = true
	for _, r := range rules {
		if r.Match.Family() != f {
			continue
		}
		v, ok := how[r.ID]
		switch {
		case !ok:
			d.failf("no verdict about %s", r.Match)
		case v.Carried == plan.Rejected && (v.Exact || len(v.Reasons) == 0):
			d.failf("rejected, and exact or without a reason: %+v", v)
		case v.Carried == plan.Rejected:
			s.Rejected++
			continue
		case v.Carried == plan.InFilter:
			s.InFilter++
		case v.Carried == plan.Rewritten:
			s.Rewritten++
		default:
			s.Native++
		}
		for _, reason := range v.Reasons {
			if reason.Code == "unproven" {
				d.failf("the planner did what its own proof refused: %s\n%s", reason.Message, describe(rules, out))
			}
		}
		carried, exact = append(carried, r), exact && v.Exact
	}
	return carried, exact
}

func describe(rules []flowspec.Rule, out *plan.Plan) string {
	var b strings.Builder
	name := map[flowspec.ID]string{}
	for _, r := range rules {
		name[r.ID] = fmt.Sprintf("%s then %s", r.Match, r.Action)
	}
	for _, v := range out.Verdicts {
		fmt.Fprintf(&b, "%s: %s: %s, exact %v\n", v.Rule, name[v.Rule], v.Carried, v.Exact)
		for _, r := range v.Reasons {
			fmt.Fprintf(&b, "    %s: %s\n", r.Code, r.Message)
		}
	}
	for _, r := range out.Desired.Routes {
		fmt.Fprintf(&b, "  route %s then %s\n", r.Match, r.Action)
	}
	for _, f := range out.Desired.Filters {
		for _, e := range f.Entries {
			fmt.Fprintf(&b, "  entry %s: %+v then %s\n", e.Name, e.Match, e.Do)
		}
	}
	return b.String()
}

// library are profiles with native order, with an unknown one, with a filter and without.
var library = []string{"asr9k", "junos-mx", "junos-mx:term-order=legacy", "arista-eos", "generic"}

func (d *draw) profile() *profile.Profile {
	name := "junos-mx"
	ours := d.chance(2)
	if ours {
		name = pick(d, library...)
	}
	p, settings, err := profiles.Embedded().Select(name)
	if err == nil {
		p, err = p.With(settings)
	}
	if err != nil {
		d.failf("%s: %v", name, err)
	}
	if ours {
		return p
	}
	return d.platform(p)
}

func (d *draw) options() plan.Options {
	return plan.Options{NoNative: d.chance(6), NoFilter: d.chance(4), Placement: pick(d, filter.Alone, filter.Alone, filter.Before)}
}

// platform returns junos with other limits: a platform that does not exist.
func (d *draw) platform(junos *profile.Profile) *profile.Profile {
	p, native, inFilter := *junos, *junos.Native, *junos.Filter
	p.Native, p.Filter = &native, &inFilter
	native.Components, inFilter.Components = d.limits(native.Components), d.limits(inFilter.Components)
	if d.chance(2) {
		native.Exclude, inFilter.Exclude = nil, nil
	}
	native.Order = profile.Order{Kind: pick(d, "rfc8955", "rfc8955", "unknown")}
	native.MaxNLRI = pick(d, 0, 0, 24)
	native.MaxRules = profile.Number{N: pick(d, 0, 0, 0, 3)}
	inFilter.MaxEntries = profile.Number{N: pick(d, 0, 0, 0, 3)}
	inFilter.SharedPolicer.OK = d.chance(2)
	native.Actions.Continue.OK = d.chance(2)
	native.Actions.Accept.OK = !d.chance(5)
	// Semantics in any combination: what a platform checks by itself, an entry need not say.
	s := &inFilter.Semantics
	s.PortsCheckProtocol, s.TransportChecksOffset, s.FlagsCheckProtocol, s.ICMPChecksProtocol = d.chance(2), d.chance(2), d.chance(2), d.chance(2)
	return &p
}

func (d *draw) limits(like map[flowspec.Type]profile.Component) map[flowspec.Type]profile.Component {
	out := make(map[flowspec.Type]profile.Component, len(like))
	for typ := flowspec.DstPrefix; typ <= flowspec.FlowLabel; typ++ {
		c, ok := like[typ]
		if !ok || d.chance(13) {
			continue
		}
		c.MaxValues = pick(d, profile.Unlimited, 0, 1, 2, 5)
		c.MaxPairs = pick(d, 0, 0, 2, 5)
		c.MaxWidth = pick(d, uint8(0), 1, 2)
		c.MaxBits = pick(d, uint8(0), 1)
		c.Ops = slices.DeleteFunc(slices.Clone(c.Ops), func(string) bool { return d.chance(6) })
		out[typ] = c
	}
	return out
}
