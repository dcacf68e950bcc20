package plan

import (
	"fmt"
	"slices"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/profile"
	"github.com/sluice-gateway/sluice/core/table"
)

// verdictKey is what a verdict rests on beside its card. The zero key is no verdict.
type verdictKey struct {
	state state
	order bool
	from  *settled // of the notes
	near  uint64   // which carried rules are around a rejected one
}

// verdict says how card i fares, as it did last time where nothing changed. owner is of plane.owners.
func (pl *plane) verdict(i int32, owner map[string]int32) Verdict {
	c := pl.cards[i]
	var n note
	if pl.notes != nil {
		n = pl.notes[i]
	}
	key := verdictKey{state: pl.state[i], order: pl.order[i], from: n.from}
	if key.state == asRejected {
		key.near = pl.around(i)
	}
	if !n.empty() && n.from == nil || pl.shares(i, owner) {
		return pl.newVerdict(i, n, owner)
	}
	if c.saidOf != key {
		c.said, c.saidOf = pl.newVerdict(i, n, nil), key
	}
	return c.said
}

// around returns a number that changes when other rules around card i are carried: the sum of the serial numbers, well mixed, of those that
// plane.near would visit.
func (pl *plane) around(i int32) uint64 {
	if pl.sums == nil {
		pl.sums = make([]uint64, len(pl.cards)+1)
		for k, c := range pl.cards {
			pl.sums[k+1] = pl.sums[k]
			if pl.state[k].carried() {
				pl.sums[k+1] += mix(c.serial)
			}
		}
	}
	run := func(lo, hi int32) uint64 { return pl.sums[hi] - pl.sums[lo] }
	sum := run(pl.loose, int32(len(pl.cards)))
	if i >= pl.loose {
		return sum + run(0, pl.loose)
	}
	g := pl.group[i]
	sum += run(pl.groups[g].first, pl.groups[g].hi)
	for up := pl.groups[g].parent; up >= 0; up = pl.groups[up].parent {
		sum += run(pl.groups[up].lo, pl.groups[up].hi)
	}
	return sum
}

// mix spreads a number over 64 bits (the finisher of SplitMix64).
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// shares says whether an entry of card i is sent by an earlier rule.
func (pl *plane) shares(i int32, owner map[string]int32) bool {
	if owner == nil || pl.state[i] != asNative {
		return false
	}
	routes := pl.native(i).routes
	for k := range routes {
		if first, ok := owner[string(routes[k].Match.NLRI())]; ok && first != i {
			return true
		}
	}
	return false
}

func (pl *plane) newVerdict(i int32, n note, owner map[string]int32) Verdict {
	c := pl.cards[i]
	v := Verdict{Rule: c.rule.ID}
	switch pl.state[i] {
	case asNothing:
		v.Carried, v.Exact = Rewritten, true
		v.Reasons = []Reason{{Code: "never-matches", Severity: Warning, Message: "no packet can match this rule; nothing is sent for it",
			Hint: "components that exclude each other, such as an ICMP type and a port, leave nothing over"}}
		pl.known(&v, factSet{})
	case asNative:
		pl.nativeVerdict(&v, i, n, owner)
	case asFilter:
		pl.filterVerdict(&v, c, n)
	default:
		pl.rejectedVerdict(&v, i, n)
	}
	return v
}

// known fills in the facts of a verdict.
func (pl *plane) known(v *Verdict, s factSet) {
	list := pl.p.facts.read(s)
	v.Facts, v.Basis = list.ids, list.basis
}

func (pl *plane) nativeVerdict(v *Verdict, i int32, n note, owner map[string]int32) {
	w := pl.native(i)
	v.Carried, v.Exact = w.carried, w.exact
	v.Reasons = append(w.reasons[:len(w.reasons):len(w.reasons)], n.reasons...)
	v.Entries = make([]Entry, 0, len(w.routes))
	for k := range w.routes {
		if owner != nil {
			if first, ok := owner[string(w.routes[k].Match.NLRI())]; ok && first != i {
				v.Carried = Rewritten
				v.Reasons = append(v.Reasons, Reason{Code: "shadowed-part", Severity: Note, Component: "order",
					Message: fmt.Sprintf("an entry of this rule is an entry of rule %s as well, which comes first and decides its packets", pl.cards[first].rule.ID)})
				continue
			}
		}
		v.Entries = append(v.Entries, Entry{Route: &w.routes[k]})
	}
	v.Cost.Entries = len(v.Entries)
	s := w.facts
	if order := pl.limits.order; order.Kind != "unknown" && pl.order[i] {
		pl.p.facts.add(&s, order.Fact)
		if pl.p.facts.basis(order.Fact) == "assumed" {
			v.Reasons = append(v.Reasons, Reason{Code: "assumed-order", Severity: Warning, Component: "order",
				Message: fmt.Sprintf("the rule overlaps others that fare differently, and RFC order on %s is an assumption", pl.p.profile.Name),
				Source:  pl.p.facts.source(order.Fact)})
		}
	}
	pl.known(v, s)
	pl.p.costs(v, pl.p.native, pl.cards[i].rule.Match.Family())
}

func (pl *plane) filterVerdict(v *Verdict, c *card, n note) {
	w := c.inFilter
	v.Carried, v.Exact = InFilter, w.exact
	if !c.native.ok() && pl.p.native != nil {
		why := c.native.refused[0]
		v.Reasons = append(v.Reasons, Reason{Code: "moved-to-filter", Severity: Note, Component: why.Component,
			Message: "FlowSpec cannot carry it: " + why.Message, Source: why.Source})
	}
	v.Reasons = append(append(v.Reasons, w.reasons...), n.reasons...)
	v.Entries = make([]Entry, len(w.entries))
	for k := range w.entries {
		v.Entries[k] = Entry{Filter: &w.entries[k]}
	}
	v.Cost.Entries = len(v.Entries)
	pl.known(v, w.facts)
	pl.p.costs(v, pl.p.filter, c.rule.Match.Family())
}

func (pl *plane) rejectedVerdict(v *Verdict, i int32, n note) {
	c := pl.cards[i]
	v.Carried = Rejected
	s := c.native.facts
	other := pl.p.filterWay(c) // what it says does not depend on whether it was asked before
	if !c.native.ok() {
		v.Reasons = append(v.Reasons, c.native.refused...)
	} else {
		v.Reasons = append(v.Reasons, n.reasons...)
	}
	if !other.ok() && (pl.p.filter != nil || !c.native.ok()) {
		v.Reasons = append(v.Reasons, other.refused...)
		for k := range s {
			s[k] |= other.facts[k]
		}
	}
	v.Reasons = dedupe(append(v.Reasons, n.reasons...))
	if pl.limits != nil && n.conflict != nil {
		pl.p.facts.add(&s, pl.limits.order.Fact)
	}
	pl.known(v, s)
	v.Witness = pl.witness(i, n)
}

// dedupe drops reasons that are said already: native and filter often refuse for the same reason.
func dedupe(list []Reason) []Reason {
	out := list[:0]
	for _, r := range list {
		seen := false
		for _, o := range out {
			seen = seen || o == r
		}
		if !seen {
			out = append(out, r)
		}
	}
	return out
}

// witness returns a packet that fares otherwise than asked because card i is rejected, or would have if it had been carried.
func (pl *plane) witness(i int32, n note) *table.Difference {
	c := pl.cards[i]
	switch {
	case c.native != nil && c.native.witness != nil:
		return c.native.witness
	case c.inFilter != nil && c.inFilter.witness != nil:
		return c.inFilter.witness
	case c.native != nil && c.native.policers:
		return pair(c, c.native.sets)
	case c.inFilter != nil && c.inFilter.policers:
		return pair(c, c.inFilter.sets)
	case n.conflict != nil && n.conflict.ready != nil:
		return n.conflict.ready
	case n.conflict != nil:
		want, got := n.conflict.want, n.conflict.got
		if h, ok := n.conflict.packets.Witness(); ok {
			return &table.Difference{Packet: h, WantEntry: string(want.rule.ID), GotEntry: string(got.rule.ID),
				Want: want.want.String(), Got: got.want.String()}
		}
	}
	return pl.missed(i)
}

// showsItself says whether the witness of a rejected rule is about the rule alone: other rules come and go, and it stays.
func (c *card) showsItself() bool {
	about := func(w *way) bool { return w != nil && (w.witness != nil || w.policers) }
	return about(c.native) || about(c.inFilter)
}

// pair returns two packets that should share the policer of c, and would not if its pieces had one each.
func pair(c *card, sets []packet.Set) *table.Difference {
	want := table.Table{{ID: string(c.rule.ID), Match: c.set, Do: c.want}}
	got := make(table.Table, len(sets))
	for k, s := range sets {
		do := c.want
		do.Policer = fmt.Sprintf("%s-%d", c.rule.ID, k+1)
		got[k] = table.Entry{ID: do.Policer, Match: s, Do: do}
	}
	return table.Diff(want, got)
}

// missed returns a packet that rule i asks for and that fares otherwise now.
func (pl *plane) missed(i int32) *table.Difference {
	c := pl.cards[i]
	around := pl.carriedAround(i)
	packets := c.set
	if before := pl.firstDeciders(i, around); len(before) > 0 {
		packets = pl.outside(packets, before)
	}
	h, ok := packets.Witness()
	if !ok {
		return nil
	}
	d := &table.Difference{Packet: h, WantEntry: string(c.rule.ID), Want: c.want.String(), Got: table.Outcome{}.String()}
	for _, j := range around {
		if pl.cards[j].set.Has(h) {
			d.GotEntry, d.Got = string(pl.cards[j].rule.ID), pl.cards[j].want.String()
			break
		}
	}
	if d.Want == d.Got {
		return nil
	}
	return d
}

// carriedAround returns the carried rules that may share a packet with i, in order. It needs no index, and uses one where there is one.
func (pl *plane) carriedAround(i int32) (out []int32) {
	if pl.class == nil {
		me := &pl.at[i]
		for j := range pl.at {
			if pl.state[j].carried() && me.near(&pl.at[j]) {
				out = append(out, int32(j))
			}
		}
		return out
	}
	pl.near(i, false, func(j int32) bool {
		if pl.state[j].carried() {
			out = append(out, j)
		}
		return true
	})
	slices.Sort(out)
	return slices.Compact(out)
}

// firstDeciders returns the packets of rules before i that decide packets of it, but not more than the bound.
func (pl *plane) firstDeciders(i int32, around []int32) (out []packet.Set) {
	for _, j := range around {
		if j >= i || len(out) == entangled {
			break
		}
		if c := pl.cards[j]; !c.rule.Action.Continue && pl.overlap(c.set, pl.cards[i].set) {
			out = append(out, c.set)
		}
	}
	return out
}

// counts is how many routes there are of the kinds that warnings are about.
type counts struct{ native, v4, v6, redirect, rate int }

// tally counts routes.
func tally(routes []device.Route) (n counts) {
	for i := range routes {
		n.add(&routes[i], 1)
	}
	return n
}

// add counts r by times: 1, or -1 to take it off.
func (n *counts) add(r *device.Route, times int) {
	n.native += times
	if r.Match.Family().Version() == packet.IPv4 {
		n.v4 += times
	} else {
		n.v6 += times
	}
	if r.Action.Redirect != nil {
		n.redirect += times
	}
	if r.Action.Rate != nil && !r.Action.Discard() {
		n.rate += times
	}
}

// warnings returns what there is to say about the device as a whole.
func (p *platform) warnings(d *device.State, has counts) []Reason {
	var out []Reason
	for _, w := range p.profile.Warnings {
		applies := false
		switch w.When {
		case "always":
			applies = true
		case "native":
			applies = has.native > 0
		case "native-ipv4":
			applies = has.v4 > 0
		case "native-ipv6":
			applies = has.v6 > 0
		case "redirect":
			applies = has.redirect > 0
		case "rate":
			applies = has.rate > 0
		case "filter":
			applies = len(d.Filters) > 0
		}
		if !applies || p.excused(w.Unless) || w.Above > 0 && len(d.Routes) <= w.Above {
			continue
		}
		out = append(out, Reason{Code: w.Code, Severity: Warning, Message: w.Text, Hint: w.Command, Source: p.facts.source(w.Fact)})
	}
	if p.native != nil && has.native > 0 {
		out = p.scale(out, len(d.Routes), "rules", p.native.native.MaxRules)
	}
	if p.filter != nil && len(d.Filters) > 0 {
		n := 0
		for i := range d.Filters {
			n += len(d.Filters[i].Entries)
		}
		out = p.scale(out, n, "filter entries", p.filter.filter.MaxEntries)
	}
	return out
}

// scale warns of more of something than is known to fit.
func (p *platform) scale(out []Reason, n int, what string, most profile.Number) []Reason {
	switch {
	case most.N == 0:
		out = append(out, Reason{Code: "assumed-scale", Severity: Note,
			Message: fmt.Sprintf("how many %s %s holds is not known; this plan has %d", what, p.profile.Name, n), Source: p.facts.source(most.Fact)})
	case most.N > 0 && most.Soft && n > most.N:
		out = append(out, Reason{Code: "over-scale", Severity: Warning,
			Message: fmt.Sprintf("%d %s, and %d is what the vendor tested on %s; more may fit", n, what, most.N, p.profile.Name),
			Hint:    "read back what the device installed", Source: p.facts.source(most.Fact)})
	}
	return out
}

// excused says whether a setting makes a warning needless: "term-order=legacy".
func (p *platform) excused(unless string) bool {
	for name, o := range p.profile.Options {
		value, ok := p.opt.Settings[name]
		if !ok && len(o.Values) > 0 {
			value = o.Values[0]
		}
		if unless == name+"="+value {
			return true
		}
	}
	return false
}
