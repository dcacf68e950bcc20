package plan

import (
	"fmt"
	"math"
	"net/netip"
	"slices"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/plan/split"
)

// filterWay says how a filter carries the rule of c.
func (p *platform) filterWay(c *card) *way {
	if p.filter == nil {
		return p.noFilterWay
	}
	if c.inFilter == nil {
		c.inFilter = p.newFilterWay(c)
	}
	return c.inFilter
}

// components are those of a rule being looked at, in memory that is used again.
type components struct {
	list  []flowspec.Component
	terms []flowspec.Term
}

func (p *platform) newFilterWay(c *card) *way {
	w := &way{finding: &finding{carried: InFilter, exact: true}}
	if why := p.leftOut(c.rule); why != nil {
		return w.refuse(*why)
	}
	m, f := p.filter, c.rule.Match.Family()
	w.facts = m.facts
	l := m.families[f]
	if why := p.misplaced(c, l); why != nil {
		return w.refuse(*why)
	}
	act := p.actions(m, f, c.rule.Action)
	w.take(&act)
	read, _ := p.components.Get().(*components)
	if read == nil {
		read = new(components)
	}
	defer p.components.Put(read)
	read.list, read.terms = c.rule.Match.AppendComponents(read.list[:0], read.terms[:0])
	components := read.list
	w.componentFacts(l, components)
	if m.filter.SemanticsFact != "" {
		p.facts.add(&w.facts, m.filter.SemanticsFact)
	}
	if act.refused != nil {
		return w.refuse(*act.refused)
	}
	return p.fillFilter(w, c, components, l, act)
}

// misplaced says why a filter does not carry the rule of c whatever it matches and does there, or nil. l is what filters take of its family.
func (p *platform) misplaced(c *card, l *familyLimits) *Reason {
	switch {
	case l == nil:
		return &Reason{Code: "no-family", Severity: Error,
			Message: fmt.Sprintf("a filter of %s does not take rules of family %s", p.profile.Name, c.rule.Match.Family()), Source: p.facts.source(p.filter.fact)}
	case p.opt.Placement == filter.Before && !c.rule.Action.Discard():
		return &Reason{Code: "placement-before", Severity: Error, Component: "action",
			Message: "in front of the operator's filter only discards can stand: anything else would end evaluation and bypass that filter",
			Hint:    "let our filter stand alone on the interface, or leave this rule to the operator's filter"}
	}
	return nil
}

// filterRefuses says whether a filter does not carry the rule of c whatever it matches. False: its entries decide.
func (p *platform) filterRefuses(c *card) bool {
	if p.filter == nil {
		return true
	}
	f := c.rule.Match.Family()
	l := p.filter.families[f]
	return p.misplaced(c, l) != nil || p.actions(p.filter, f, c.rule.Action).refused != nil
}

// fillFilter fills w with the entries of a rule.
func (p *platform) fillFilter(w *way, c *card, components []flowspec.Component, l *familyLimits, act planned) *way {
	m, f := p.filter, c.rule.Match.Family()
	result, trouble := split.Entries(f, components, &l.limits, c.rule.Action.Continue)
	if trouble != nil {
		r, fact := p.trouble(m, l, trouble)
		if fact != "" {
			p.facts.add(&w.facts, fact)
		}
		return w.refuse(r)
	}
	w.reasons = append(append(w.reasons, p.changed(l, result.Changes)...), pieceCount(len(result.Entries), &result.Tally)...)
	w.least = min(result.Bound, len(result.Entries))
	w.entries = make([]filter.Entry, len(result.Entries))
	sets := make([]packet.Set, len(result.Entries))
	do := doOf(act.action)
	name := "r-" + string(c.rule.ID)
	if limited(c) {
		p.police(w, c, act, len(result.Entries))
		do.Policer = w.policer.Name
	}
	for i := range result.Entries {
		e := filter.Entry{Name: name, Rule: c.rule.ID, Match: matchOf(&result.Entries[i]), Do: do, Counter: name}
		if i > 0 {
			e.Name = fmt.Sprintf("%s-%d", name, i+1)
		}
		w.entries[i] = e
		sets[i] = e.Match.Set(f.Version(), m.filter.Semantics)
	}
	if witness, err := prove(c, sets); err != nil {
		w.witness = witness
		return w.refuse(unproven(err.Error()))
	}
	if limited(c) && len(w.entries) > 1 && !m.filter.SharedPolicer.OK {
		w.policers = true
		w.sets.Store(&sets)
		return w.refuse(p.rateSplit(l, result.Changes, len(w.entries), m))
	}
	if apart := m.filter.OffsetApart; limited(c) && apart.For(f) && slices.ContainsFunc(w.entries, acrossOffset) {
		p.facts.add(&w.facts, apart.Fact)
		return w.refuse(Reason{Code: "rate-split", Severity: Error, Component: "action",
			Message: "a filter of " + p.profile.Name + " looks at later fragments apart from other packets, and one policer does not count both",
			Hint:    "a rule with a port, or about fragments or their absence, needs one policer only; write that where it is what you mean", Source: p.facts.source(apart.Fact)})
	}
	return w
}

// acrossOffset says whether e takes packets at offset zero and later fragments.
func acrossOffset(e filter.Entry) bool {
	f := e.Match.Fragments
	return f == 0 || f&packet.OffsetZero != 0 && f&^packet.OffsetZero != 0
}

// police gives the rule of c its policer.
func (p *platform) police(w *way, c *card, act planned, entries int) {
	m := p.filter.filter
	rate := *act.action.Rate
	rate.AS = 0
	w.policer = &filter.Policer{Name: filter.Mark + "r-" + string(c.rule.ID), Rate: rate, Burst: burst(rate, m.BurstMS, m.BurstMin, m.BurstMax)}
	if entries > 1 {
		p.facts.add(&w.facts, m.SharedPolicer.Fact)
		w.reasons = append(w.reasons, Reason{Code: "one-policer", Severity: Note, Component: "action",
			Message: fmt.Sprintf("%d entries share the policer %s", entries, w.policer.Name), Source: p.facts.source(m.SharedPolicer.Fact)})
	}
	if m.BurstMS == 0 {
		w.reasons = append(w.reasons, Reason{Code: "assumed-burst", Severity: Warning, Component: "action",
			Message: fmt.Sprintf("which burst suits %s is not known; %d ms of the rate were chosen", p.profile.Name, usualBurst)})
	}
}

// usualBurst is the burst in milliseconds of the rate where a profile has none.
const usualBurst = 100

// fewestPackets is the smallest burst of a policer that counts packets: one that let fewer through at once would stop ordinary exchanges.
const fewestPackets = 10

// burst returns the depth of a policer's bucket: ms milliseconds of the rate, within the limits of the platform (which are in bytes).
func burst(r flowspec.Rate, ms int, least, most uint64) uint64 {
	if ms <= 0 {
		ms = usualBurst
	}
	b := math.Ceil(float64(r.Amount) * float64(ms) / 1000)
	if r.Unit == flowspec.Packets {
		return uint64(max(b, fewestPackets))
	}
	b = max(b, float64(least), 1)
	if most > 0 {
		b = min(b, float64(most))
	}
	return uint64(min(b, math.MaxInt64))
}

// doOf returns what an entry does for action a; its policer is set by the caller.
func doOf(a flowspec.Action) filter.Do {
	return filter.Do{Discard: a.Discard(), Redirect: a.Redirect, Mark: a.Mark, Sample: a.Sample, Continue: a.Continue}
}

// matchOf returns a piece as the match of an entry.
func matchOf(e *split.Entry) filter.Match {
	m := filter.Match{
		Dst: addressOf(e.Dst), Src: addressOf(e.Src), Fragments: e.Frags,
		Proto: e.Values[flowspec.Protocol], Port: e.Values[flowspec.Port], DstPort: e.Values[flowspec.DstPort], SrcPort: e.Values[flowspec.SrcPort],
		ICMPType: e.Values[flowspec.ICMPType], ICMPCode: e.Values[flowspec.ICMPCode], Length: e.Values[flowspec.PacketLength],
		DSCP: e.Values[flowspec.DSCP], Label: e.Values[flowspec.FlowLabel],
	}
	for _, c := range e.Flags {
		m.Flags = append(m.Flags, filter.FlagTerm{Set: c.Set, Clear: c.Clear})
	}
	return m
}

// addressOf returns a prefix condition, nil for every address.
func addressOf(p *flowspec.Prefix) *netip.Prefix {
	if p == nil || p.Len == 0 {
		return nil
	}
	out := netip.PrefixFrom(p.Addr, int(p.Len))
	return &out
}
