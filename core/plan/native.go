package plan

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan/split"
)

// fillNative says how FlowSpec carries the rule of c, whose components d holds: as it came where it fits, for which there is room then, else in pieces.
func (d *drafter) fillNative(c *card, room []device.Route) {
	p, w := d.platform, c.native
	d.finding = finding{carried: Native, exact: true}
	w.finding = &d.finding
	defer func() { w.finding = d.kept(w.finding) }()
	if why := p.leftOut(c.rule); why != nil {
		w.refuse(*why)
		return
	}
	if p.native == nil {
		if why := p.profile.NoNative; why != "" && p.profile.Native == nil {
			p.facts.add(&w.facts, why)
		}
		w.refuse(p.noNative)
		return
	}
	m, f := p.native, c.rule.Match.Family()
	w.facts = m.facts
	l := m.families[f]
	if l == nil {
		w.refuse(p.noFamily(f))
		return
	}
	if rd := c.rule.Match.RD(); f.VPN() && p.opt.VPNs != nil && !slices.Contains(p.opt.VPNs, rd) {
		w.refuse(Reason{Code: "no-vrf", Severity: Error, Message: "the device has no VRF for the VPN of this rule",
			Hint: "list the VPN under vrfs of the device, where it has one; otherwise the rule is none of its business"})
		return
	}
	act := p.actions(m, f, c.rule.Action)
	w.take(&act)
	w.componentFacts(l, d.components)
	if id := m.native.OffsetsFact; id != "" && slices.ContainsFunc(d.components, withOffset) {
		p.facts.add(&w.facts, id)
	}
	if act.refused != nil {
		w.refuse(*act.refused)
	}
	if room != nil {
		if act.changed {
			w.carried = Rewritten
		}
		w.routes = append(room, routeOf(c.rule, c.rule.Match, act.action))
		return
	}
	w.carried, w.rewritten = Rewritten, true
	d.cutNative(c, l, &act)
}

func withOffset(c flowspec.Component) bool { return c.Prefix.Offset > 0 }

// noFamily says why FlowSpec does not carry rules of family f.
func (p *platform) noFamily(f flowspec.Family) Reason {
	if slices.Contains(p.native.native.Families, f) {
		return Reason{Code: "no-family", Severity: Error,
			Message: fmt.Sprintf("the BGP session to this device does not carry FlowSpec of family %s", f),
			Hint:    fmt.Sprintf("configure %s on both sides of the session", f)}
	}
	return Reason{Code: "no-family", Severity: Error,
		Message: fmt.Sprintf("%s does not take FlowSpec of family %s", p.profile.Name, f), Source: p.facts.source(p.native.fact)}
}

// take copies what was planned of the actions.
func (w *way) take(act *planned) {
	w.exact = act.exact
	if act.changed {
		action := act.action
		w.action = &action
	}
	w.reasons = act.reasons
	for i := range w.facts {
		w.facts[i] |= act.facts[i]
	}
}

// componentFacts gathers the facts behind the components of a rule.
func (w *way) componentFacts(l *familyLimits, components []flowspec.Component) {
	for i := range components {
		c := &components[i]
		t := c.Type
		w.facts.join(&l.sets[t])
		if len(c.Terms) > 1 {
			w.facts.join(&l.counts[t])
		}
		if sets := l.opSets[t]; sets != nil {
			w.operatorFacts(sets, c)
		}
	}
}

// operatorWords are the words of profiles for operators that have facts of their own, see operatorWord.
var operatorWords = [...]string{"any", "all", "none", "notall", "range", "lt", "gt", "ne"}

// operatorWord returns the place in operatorWords of the operator of term, of a component of type t, or -1.
func operatorWord(t flowspec.Type, term flowspec.Term) int {
	switch {
	case t.Bitmask():
		return int(term.Op & 3)
	case term.And:
		return 4
	case term.Op == flowspec.LT || term.Op == flowspec.LE:
		return 5
	case term.Op == flowspec.GT || term.Op == flowspec.GE:
		return 6
	case term.Op == flowspec.NE:
		return 7
	}
	return -1
}

// operatorFacts gathers the facts behind single operators, where they have facts of their own.
func (w *way) operatorFacts(sets *operatorSets, c *flowspec.Component) {
	for _, term := range c.Terms {
		if n := operatorWord(c.Type, term); n >= 0 {
			w.facts.join(&sets.words[n])
		}
		for bit := range sets.tokens {
			if term.Value&(1<<bit) != 0 {
				w.facts.join(&sets.tokens[bit])
			}
		}
	}
}

// cutNative fills the way of c with the pieces of its rule, which does not fit as it came.
func (d *drafter) cutNative(c *card, l *familyLimits, act *planned) {
	p, w, f := d.platform, c.native, c.rule.Match.Family()
	cut := func(limits *split.Limits) (pieces *split.Pieces, matches []flowspec.Match, trouble *split.Trouble, err error) {
		if pieces, trouble = d.cutter.Parts(f, d.components, limits, c.rule.Action.Continue); trouble == nil {
			matches, err = d.build(c.rule.Match, pieces)
		}
		return pieces, matches, trouble, err
	}
	pieces, matches, trouble, err := cut(&l.limits)
	bound := 0
	if trouble == nil {
		bound = pieces.Bound
	}
	for i := 0; trouble == nil && err == nil && anyTooLong(p.native, matches) && i < len(l.tight); i++ {
		pieces, matches, trouble, err = cut(&l.tight[i])
	}
	switch {
	case trouble != nil:
		r, fact := p.trouble(p.native, l, trouble)
		if fact != "" {
			p.facts.add(&w.facts, fact)
		}
		w.hopes = r.Hint == ""
		w.refuse(r)
		return
	case err != nil:
		w.refuse(unproven(fmt.Sprintf("a piece is not an NLRI: %v", err)))
		return
	case anyTooLong(p.native, matches):
		w.refuse(Reason{Code: "too-long", Severity: Error,
			Message: fmt.Sprintf("an NLRI of %d octets, and %s takes %d", longestOf(p.native, matches), p.profile.Name, cmp.Or(p.native.native.MaxNLRI, longest)),
			Source:  p.facts.source(p.native.native.MaxNLRIFact)})
		return
	}
	w.least = min(bound, len(matches))
	if told := d.tell(l, len(matches), &pieces.Tally); len(w.reasons) == 0 {
		w.reasons = told
	} else {
		w.reasons = slices.Concat(w.reasons, told)
	}
	for i := range pieces.Lists { // what is sent rests on the operators that it has, not on those that the rule came with
		if one := &pieces.Lists[i]; l.opSets[one.Type] != nil {
			w.operatorFacts(l.opSets[one.Type], one)
		}
	}
	sets := d.reader.Sets(matches)
	if witness, err := prove(c, sets); err != nil {
		w.witness = witness
		w.refuse(unproven(err.Error()))
		return
	}
	if limited(c) && len(matches) > 1 {
		w.witness = pair(c, sets)
		w.refuse(p.rateSplit(l, pieces.Changes, len(matches), p.native))
		return
	}
	if len(w.refused) > 0 {
		return
	}
	w.routes = make([]device.Route, len(matches))
	for i, m := range matches {
		w.routes[i] = routeOf(c.rule, m, act.action)
	}
}

// limited says whether the rule of c has a rate above 0, and so a policer.
func limited(c *card) bool { return c.rule.Action.Rate != nil && !c.rule.Action.Discard() }

// rateSplit is the refusal of a rate over several pieces.
func (p *platform) rateSplit(l *familyLimits, changes []split.Change, n int, m *mechanism) Reason {
	r := Reason{Code: "rate-split", Severity: Error, Component: "action",
		Message: fmt.Sprintf("the rule needs %d rules, and each would have a policer of its own: up to %d times the rate", n, n),
		Hint:    "use fewer values or ranges so that one rule is enough, or give the device a filter with a shared policer"}
	if m.filter != nil {
		r.Message = fmt.Sprintf("the rule needs %d entries, and they cannot share a policer", n)
		r.Source = p.facts.source(m.filter.SharedPolicer.Fact)
		return r
	}
	for _, c := range changes {
		if c.Kind == split.Cut || c.Kind == split.PortCut {
			r.Source = p.facts.source(or(or(l.values[c.Type], l.facts[c.Type]), l.cannot[c.Type]))
			return r
		}
	}
	return r
}

// build encodes parts, and decodes the octets again, see drafter.build.
func (p *platform) build(c *card, parts [][]flowspec.Component) ([]flowspec.Match, error) {
	f := c.rule.Match.Family()
	out := make([]flowspec.Match, 0, len(parts))
	for _, part := range parts {
		m, err := flowspec.NewMatch(f, c.rule.Match.RD(), part...)
		if err == nil {
			m, err = flowspec.ParseNLRI(f, m.NLRI())
		}
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(out, m.Equal) {
			out = append(out, m)
		}
	}
	return out, nil
}

// longest is how many octets an NLRI can have (RFC 8955 §4.1).
const longest = 4095

// tooLong says whether the NLRI of m, as it is written for the platform, is longer than the platform takes.
func tooLong(mech *mechanism, m flowspec.Match) bool {
	return bodyLength(mech, m) > cmp.Or(mech.native.MaxNLRI, longest)
}

func anyTooLong(mech *mechanism, matches []flowspec.Match) bool {
	for _, m := range matches {
		if tooLong(mech, m) {
			return true
		}
	}
	return false
}

func longestOf(mech *mechanism, matches []flowspec.Match) (n int) {
	for _, m := range matches {
		n = max(n, bodyLength(mech, m))
	}
	return n
}

// bodyLength returns the octets of an NLRI without its length octets (RFC 8955 §4.1: two of them from 240 on).
func bodyLength(mech *mechanism, m flowspec.Match) int {
	nlri, err := m.NLRIAs(mech.native.Offsets)
	if err != nil {
		return longest + 1 // RFC 8956 has it shorter, or there would be no m
	}
	n := len(nlri) - 1
	if n >= 240 {
		n--
	}
	return n
}

// routeOf returns rule r as a route with match m and action a.
func routeOf(r *flowspec.Rule, m flowspec.Match, a flowspec.Action) device.Route {
	return device.Route{Match: m, Action: a, Communities: r.Communities, LargeCommunities: r.LargeCommunities, Others: r.Others}
}
