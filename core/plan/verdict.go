package plan

import (
	"fmt"
	"slices"
	"sync"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/profile"
)

// room is memory for verdicts to come, which neighbours share: it stays as long as one of them.
type room struct {
	to       int // so many verdicts
	verdicts []Verdict
	entries  []Entry
	rivalry  *rivalry // nil: none
	at       int      // the place in rivalry of the rule at hand
}

func (r *room) verdict() *Verdict {
	if len(r.verdicts) == 0 {
		r.verdicts = make([]Verdict, max(1, min(r.to, mostTogether)))
	}
	v := &r.verdicts[0]
	r.verdicts, r.to = r.verdicts[1:], r.to-1
	return v
}

// entry returns room for n entries.
func (r *room) entry(n int) []Entry {
	if n == 0 {
		return []Entry{}
	}
	if len(r.entries) < n {
		r.entries = make([]Entry, max(n, min(r.to, mostTogether)))
	}
	out := r.entries[:0:n]
	r.entries = r.entries[n:]
	return out
}

// verdict says how s fares, as it did last time where nothing changed.
func (d *domain) verdict(s *seat, room *room) *Verdict {
	if s.said == nil {
		s.said = room.verdict()
		d.fill(s.said, s, room)
	}
	return s.said
}

// fill says in v how s fares.
func (d *domain) fill(v *Verdict, s *seat, room *room) {
	var n note
	if s.note != nil {
		n = *s.note
	}
	v.Rule = s.rule.ID
	switch s.state {
	case asNothing:
		v.Carried, v.Exact = Rewritten, true
		v.Reasons = []Reason{{Code: "never-matches", Severity: Warning, Message: "no packet can match this rule; nothing is sent for it",
			Hint: "components that exclude each other, such as an ICMP type and a port, leave nothing over"}}
		d.p.known(v, factSet{})
	case asNative:
		d.nativeVerdict(v, s, n, room)
	case asFilter:
		d.p.filterVerdict(v, s.card, n, room)
	default:
		d.rejectedVerdict(v, s, n)
	}
}

// known fills in the facts of a verdict.
func (p *platform) known(v *Verdict, s factSet) {
	list := p.facts.read(s)
	v.Facts, v.Basis = list.ids, list.basis
}

func (d *domain) nativeVerdict(v *Verdict, s *seat, n note, room *room) {
	w := s.native()
	v.Carried, v.Exact = w.carried, w.exact
	v.Reasons = joinReasons(w.reasons, n.reasons)
	v.Entries = room.entry(len(w.routes))
	taken := s.taken()
	for k := range w.routes {
		if taken != nil && taken[k] != nil {
			v.Carried = Rewritten
			v.Reasons = append(v.Reasons, Reason{Code: "shadowed-part", Severity: Note, Component: "order",
				Message: fmt.Sprintf("an entry of this rule is an entry of rule %s as well, which comes first and decides its packets", taken[k].rule.ID)})
			continue
		}
		v.Entries = append(v.Entries, Entry{Route: &w.routes[k]})
	}
	v.counts(w)
	facts := w.facts
	d.decidedByOrder(v, s, &facts, room)
	d.p.known(v, facts)
	d.p.costs(v, d.p.native, d.family)
}

// counts fills in how many entries v has, and how many w needs at least.
func (v *Verdict) counts(w *way) {
	v.Cost.Entries = len(v.Entries)
	v.Cost.Least = min(max(w.least, 1), v.Cost.Entries)
}

// decidedByOrder says what v rests on where the order of the device decides something about s.
func (d *domain) decidedByOrder(v *Verdict, s *seat, facts *factSet, room *room) {
	order := d.limits.order
	unknown := order.Kind == "unknown"
	if unknown && d.p.opt.Measured == nil || !d.contested(s, room) {
		return
	}
	if !unknown {
		d.p.facts.add(facts, order.Fact)
	}
	v.Reasons = d.p.join(v.Reasons, d.limits.ordered)
}

// saidOfOrder returns what is said of rules about which an order decides something.
func (p *platform) saidOfOrder(order profile.Order) []Reason {
	switch {
	case order.Kind == "unknown":
		return []Reason{{Code: "measured-order", Severity: Note, Component: "order",
			Message: "the rule overlaps others that fare differently, and the measured order has them the right way round"}}
	case p.facts.basis(order.Fact) == profile.Assumed:
		return []Reason{{Code: "assumed-order", Severity: Warning, Component: "order",
			Message: fmt.Sprintf("the rule overlaps others that fare differently, and RFC order on %s is an assumption", p.profile.Name),
			Source:  p.facts.source(order.Fact)}}
	}
	return nil
}

// joinReasons returns a and b. Verdicts share what is the same for many; nobody changes it.
func joinReasons(a, b []Reason) []Reason {
	switch {
	case len(a) == 0:
		return slices.Clip(b)
	case len(b) == 0:
		return slices.Clip(a)
	}
	return slices.Concat(a, b)
}

// joint is two lists that are joined: the first of each, and how many.
type joint struct {
	a, b *Reason
	n, m int
}

// joints are lists that were joined.
type joints struct {
	mu  sync.RWMutex
	all map[joint][]Reason
}

// join is joinReasons for lists that come up again together: who is told alike shares the memory.
func (p *platform) join(a, b []Reason) []Reason {
	if len(a) == 0 || len(b) == 0 {
		return joinReasons(a, b)
	}
	j, key := &p.joints, joint{&a[0], &b[0], len(a), len(b)}
	j.mu.RLock()
	out, ok := j.all[key]
	j.mu.RUnlock()
	if ok {
		return out
	}
	out = slices.Clip(slices.Concat(a, b))
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.all) == mostTold || j.all == nil {
		j.all = make(map[joint][]Reason)
	}
	j.all[key] = out
	return out
}

func (p *platform) filterVerdict(v *Verdict, c *card, n note, room *room) {
	w := c.inFilter
	v.Carried, v.Exact = InFilter, w.exact
	if !c.native.ok() && p.native != nil {
		why := c.native.refused[0]
		v.Reasons = append(v.Reasons, Reason{Code: "moved-to-filter", Severity: Note, Component: why.Component,
			Message: "FlowSpec cannot carry it: " + why.Message, Source: why.Source})
	}
	v.Reasons = joinReasons(append(v.Reasons, w.reasons...), n.reasons)
	v.Entries = room.entry(len(w.entries))
	for k := range w.entries {
		v.Entries = append(v.Entries, Entry{Filter: &w.entries[k]})
	}
	v.counts(w)
	p.known(v, w.facts)
	p.costs(v, p.filter, c.rule.Match.Family())
}

func (d *domain) rejectedVerdict(v *Verdict, seat *seat, n note) {
	c := seat.card
	v.Carried = Rejected
	s := c.native.facts
	other := d.p.filterWay(c) // what it says does not depend on whether it was asked before
	first, remarks := n.reasons, []Reason(nil)
	if !c.native.ok() {
		first = c.native.refused
	}
	if !other.ok() && (d.p.filter != nil || !c.native.ok()) {
		remarks = other.refused
		s.join(&other.facts)
	}
	v.Reasons = append(make([]Reason, 0, len(first)+len(remarks)+len(n.reasons)), first...)
	if !c.native.ok() && c.native.hopes && d.p.filter == nil && d.p.profile.Filter != nil {
		v.Reasons[len(v.Reasons)-1].Hint = "give the device a filter adapter: a filter may be able to carry the rule"
	}
	v.Reasons = dedupe(append(append(v.Reasons, remarks...), n.reasons...))
	if d.limits != nil && n.conflict != nil {
		d.p.facts.add(&s, d.limits.order.Fact)
	}
	d.p.known(v, s)
	v.Witness = d.witness(seat, n)
	d.lossy.sees(seat)
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

// counts is how many routes there are of the kinds that warnings are about.
type counts struct{ native, v4, v6, redirect, rate int }

// tally counts routes.
func tally(routes []*device.Route) (n counts) {
	n.native = len(routes)
	for _, r := range routes {
		if r.Match.Family().Version() == packet.IPv4 {
			n.v4++
		} else {
			n.v6++
		}
		if r.Action.Redirect != nil {
			n.redirect++
		}
		if r.Action.Rate != nil && !r.Action.Discard() {
			n.rate++
		}
	}
	return n
}

func (n *counts) add(o counts) {
	n.native += o.native
	n.v4 += o.v4
	n.v6 += o.v6
	n.redirect += o.redirect
	n.rate += o.rate
}

// inFilters says whether an entry of the filters does what is asked about.
func inFilters(d *device.State, does func(filter.Do) bool) bool {
	return slices.ContainsFunc(d.Filters, func(f filter.Filter) bool {
		return slices.ContainsFunc(f.Entries, func(e filter.Entry) bool { return does(e.Do) })
	})
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
		case "filter-redirect":
			applies = inFilters(d, func(do filter.Do) bool { return do.Redirect != nil })
		case "filter-rate":
			applies = inFilters(d, func(do filter.Do) bool { return do.Policer != "" })
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
