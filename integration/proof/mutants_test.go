package proof_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/profile"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/core/table"
)

// One thing goes wrong between a plan and its device: the prover sees it wherever a packet, or two, would. A mutant that it calls equal is
// attacked inside its overlaps, and with every packet there is where the table is small enough.
func TestMutantsAreCaught(t *testing.T) {
	t.Parallel()
	kinds := map[string]*trial{}
	of := func(name string) *trial {
		if kinds[name] == nil {
			kinds[name] = &trial{}
		}
		return kinds[name]
	}
	eachTable(t, *evaluations/10*2, func(d *draw) int {
		total := func() (n int) {
			for _, tr := range kinds {
				n += tr.evaluated
			}
			return n
		}
		before := total()
		d.mutants(pick(d, flowspec.IPv4, flowspec.IPv4, flowspec.IPv6), of)
		return max(1, total()-before)
	})
	var sum trial
	for name, tr := range kinds {
		t.Logf("%s: %+v", name, *tr)
		sum.Pairs, sum.ToldApart, sum.Equal, sum.Unproven = sum.Pairs+tr.Pairs, sum.ToldApart+tr.ToldApart, sum.Equal+tr.Equal, sum.Unproven+tr.Unproven
	}
	t.Logf("%d mutants: %d told apart by packets, all of them caught; %d called equal; %d not proven", sum.Pairs, sum.ToldApart, sum.Equal, sum.Unproven)
	if *onlySeed != 0 {
		return
	}
	for _, must := range []string{"remove a line", "swap two lines", "duplicate a policer", "flip a bit of an NLRI", "change a value",
		"filter: remove an entry", "filter: swap two entries", "filter: duplicate a policer", "filter: change a condition"} {
		if of(must).Different == 0 {
			t.Errorf("%s: no mutant was ever different: the test sees nothing", must)
		}
	}
}

// mutants plans a table by each mechanism, and judges mutants of both.
func (d *draw) mutants(f flowspec.Family, of func(string) *trial) {
	rules := d.rules(f, 6)
	for i := range rules { // what natively has two buckets is rejected: of plans with rates, filters have more to show
		if d.chance(3) {
			rules[i].Action = flowspec.Action{Rate: &flowspec.Rate{Amount: float32(1000 * (1 + d.IntN(3))), Unit: flowspec.Bytes}}
		}
	}
	p := d.profile()
	for _, opt := range []plan.Options{{NoFilter: true}, {NoNative: true, Placement: filter.Alone}} {
		out, err := plan.Make(rib.Of(rules), p, opt)
		if err != nil {
			d.failf("%v", err)
		}
		var seen plansSeen
		carried, exact := seen.carried(d, rules, out, f)
		if len(carried) == 0 || !exact {
			continue
		}
		want := side{linesOf(carried).table(), asked(carried, f)}
		if opt.NoFilter {
			d.nativeMutants(f, p, out, want, of)
		} else {
			d.filterMutants(f, p, out, want, of)
		}
	}
}

func (d *draw) nativeMutants(f flowspec.Family, p *profile.Profile, out *plan.Plan, want side, of func(string) *trial) {
	var planned lines
	for i, r := range out.Desired.Routes {
		o := table.Want(flowspec.Rule{ID: flowspec.ID(fmt.Sprint("route ", i)), Action: r.Action})
		planned = append(planned, line{r.Match, o, r.Action.Continue})
	}
	slices.SortFunc(planned, func(a, b line) int { return precedes(a.match, b.match) })
	if len(planned) == 0 {
		return
	}
	if diff := table.Diff(want.table, planned.table()); diff != nil && roundsNothing(want.table, planned.table()) {
		d.failf("the plan differs before anything went wrong: %s\n%s", diff, planned)
	}
	for range 4 {
		got, name := d.mutate(planned)
		of(name).judge(d, f, want, sideOf(got), name)
	}
}

// roundsNothing says whether all rates of got are rates of want: some platforms round them up, within what is exact.
func roundsNothing(want, got table.Table) bool {
	rates := map[flowspec.Rate]bool{}
	for _, e := range want {
		rates[e.Do.Rate] = true
	}
	return !slices.ContainsFunc(got, func(e table.Entry) bool { return !rates[e.Do.Rate] })
}

func (d *draw) filterMutants(f flowspec.Family, p *profile.Profile, out *plan.Plan, want side, of func(string) *trial) {
	i := slices.IndexFunc(out.Desired.Filters, func(one filter.Filter) bool { return one.Version == f.Version() })
	if i < 0 || len(out.Desired.Filters[i].Entries) == 0 {
		return
	}
	planned := out.Desired.Filters[i]
	in := func(one filter.Filter) side {
		out := &plan.Plan{}
		out.Desired.Filters = []filter.Filter{one}
		return side{one.Table(p.Filter.Semantics), routerOf(d, p, out, f).filter}
	}
	if diff := table.Diff(want.table, in(planned).table); diff != nil && roundsNothing(want.table, in(planned).table) {
		d.failf("the plan differs before anything went wrong: %s\n%+v", diff, planned)
	}
	for range 4 {
		m := pick(d, filterMutations...)
		got := planned
		got.Entries, got.Policers = slices.Clone(planned.Entries), slices.Clone(planned.Policers)
		if m.apply(d, &got) {
			of("filter: "+m.name).judge(d, f, want, in(got), m.name)
		}
	}
}

// filterMutations are what goes wrong with a filter. False says that one does not apply.
var filterMutations = []struct {
	name  string
	apply func(*draw, *filter.Filter) bool
}{
	{"remove an entry", func(d *draw, f *filter.Filter) bool {
		i := d.IntN(len(f.Entries))
		f.Entries = slices.Delete(f.Entries, i, i+1)
		return true
	}},
	{"swap two entries", func(d *draw, f *filter.Filter) bool {
		i, k := d.IntN(len(f.Entries)), d.IntN(len(f.Entries))
		f.Entries[i], f.Entries[k] = f.Entries[k], f.Entries[i]
		return i != k
	}},
	{"duplicate a policer", func(d *draw, f *filter.Filter) bool {
		if len(f.Policers) == 0 {
			return false
		}
		twin := f.Policers[d.IntN(len(f.Policers))]
		of := twin.Name
		twin.Name += "-again"
		f.Policers = append(f.Policers, twin)
		moved := 0
		for i := range f.Entries { // the entries of one policer, half of them
			if f.Entries[i].Do.Policer == of && d.chance(2) {
				f.Entries[i].Do.Policer = twin.Name
				moved++
			}
		}
		return moved > 0
	}},
	{"change a condition", (*draw).changeCondition},
	{"forget a condition", func(d *draw, f *filter.Filter) bool {
		e := &f.Entries[d.IntN(len(f.Entries))]
		lost := false
		switch d.IntN(6) {
		case 0:
			lost, e.Match.Proto = e.Match.Proto != nil, nil
		case 1:
			lost, e.Match.DstPort = e.Match.DstPort != nil, nil
		case 2:
			lost, e.Match.SrcPort = e.Match.SrcPort != nil, nil
		case 3:
			lost, e.Match.Port = e.Match.Port != nil, nil
		case 4:
			lost, e.Match.Fragments = e.Match.Fragments != 0, 0
		default:
			lost, e.Match.Src = e.Match.Src != nil, nil
		}
		return lost
	}},
}

// changeCondition moves one end of one range of an entry by one.
func (d *draw) changeCondition(f *filter.Filter) bool {
	e := &f.Entries[d.IntN(len(f.Entries))]
	list := pick(d, &e.Match.Proto, &e.Match.DstPort, &e.Match.SrcPort, &e.Match.Port, &e.Match.Length, &e.Match.DSCP)
	if len(*list) == 0 {
		return false
	}
	spans := slices.Clone(*list)
	s := &spans[d.IntN(len(spans))]
	if d.chance(2) && s.Hi > s.Lo {
		s.Hi--
	} else if s.Lo == 0 {
		return false
	} else {
		s.Lo--
	}
	*list = packet.NewValues(spans...)
	return true
}
