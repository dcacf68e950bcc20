package plan

import (
	"fmt"
	"slices"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/plan/split"
	"github.com/sluice-gateway/sluice/core/profile"
)

// nativeWay says how FlowSpec carries the rule of c: as it came where it fits, else in pieces.
func (p *platform) nativeWay(c *card, components []flowspec.Component) *way {
	w := &way{carried: Native, exact: true}
	if p.native == nil {
		return w.refuse(p.noNative)
	}
	m, f := p.native, c.rule.Match.Family()
	p.facts.add(&w.facts, m.fact)
	l := m.families[f]
	if l == nil && slices.Contains(m.native.Families, f) {
		return w.refuse(Reason{Code: "no-family", Severity: Error,
			Message: fmt.Sprintf("the BGP session to this device does not carry FlowSpec of family %s", f),
			Hint:    fmt.Sprintf("configure %s on both sides of the session", f)})
	}
	if l == nil {
		return w.refuse(Reason{Code: "no-family", Severity: Error,
			Message: fmt.Sprintf("%s does not take FlowSpec of family %s", p.profile.Name, f), Source: p.facts.source(m.fact)})
	}
	act := p.actions(m, f, c.rule.Action)
	w.take(act)
	p.componentFacts(w, l, components)
	if act.refused != nil {
		w.refuse(*act.refused)
	}
	trouble := split.Fits(f, components, &l.limits)
	if trouble == nil && !tooLong(m, c.rule.Match) {
		if act.changed {
			w.carried = Rewritten
		}
		w.routes = []device.Route{routeOf(c.rule, c.rule.Match, act.action)}
		return w
	}
	w.carried, w.rewritten = Rewritten, true
	p.cutNative(w, c, components, l, act)
	return w
}

// take copies what was planned of the actions.
func (w *way) take(act planned) {
	w.exact, w.action = act.exact, act.action
	w.reasons = append(w.reasons, act.reasons...)
	for i := range w.facts {
		w.facts[i] |= act.facts[i]
	}
}

// componentFacts gathers the facts behind the components of a rule.
func (p *platform) componentFacts(w *way, l *familyLimits, components []flowspec.Component) {
	for i := range components {
		c := &components[i]
		t := c.Type
		for k := range w.facts {
			w.facts[k] |= l.sets[t][k]
		}
		if len(c.Terms) > 1 && l.limits.Of[t].OK && l.values[t] != "" {
			p.facts.add(&w.facts, l.values[t])
		}
		if len(l.ops[t]) > 0 {
			p.operatorFacts(w, l, c)
		}
	}
}

// operatorFacts gathers the facts behind single operators, where they have facts of their own.
func (p *platform) operatorFacts(w *way, l *familyLimits, c *flowspec.Component) {
	for _, term := range c.Terms {
		word := ""
		switch {
		case c.Type.Bitmask():
			word = [...]string{"any", "all", "none", "notall"}[term.Op&3]
		case term.And:
			word = "range"
		case term.Op == flowspec.LT || term.Op == flowspec.LE:
			word = "lt"
		case term.Op == flowspec.GT || term.Op == flowspec.GE:
			word = "gt"
		case term.Op == flowspec.NE:
			word = "ne"
		}
		if id := l.ops[c.Type][word]; id != "" {
			p.facts.add(&w.facts, id)
		}
		for bit, token := range profile.FragmentTokens {
			if id := l.ops[c.Type][token]; id != "" && term.Value&(1<<bit) != 0 {
				p.facts.add(&w.facts, id)
			}
		}
	}
}

// cutNative fills w with the pieces of a rule that does not fit as it came.
func (p *platform) cutNative(w *way, c *card, components []flowspec.Component, l *familyLimits, act planned) {
	f := c.rule.Match.Family()
	disjoint := c.rule.Action.Continue
	result, trouble := split.Parts(f, components, &l.limits, disjoint)
	matches, err := p.build(c, result.Parts)
	for i := 0; trouble == nil && err == nil && anyTooLong(p.native, matches) && i < len(l.tight); i++ {
		result, trouble = split.Parts(f, components, &l.tight[i], disjoint)
		matches, err = p.build(c, result.Parts)
	}
	switch {
	case trouble != nil:
		r, fact := p.trouble(p.native, l, trouble)
		if fact != "" {
			p.facts.add(&w.facts, fact)
		}
		w.refuse(r)
		return
	case err != nil:
		w.refuse(unproven(fmt.Sprintf("a piece is not an NLRI: %v", err)))
		return
	case anyTooLong(p.native, matches):
		w.refuse(Reason{Code: "too-long", Severity: Error,
			Message: fmt.Sprintf("an NLRI of %d octets, and %s takes %d", longestOf(matches), p.profile.Name, p.native.native.MaxNLRI),
			Source:  p.facts.source(p.native.native.MaxNLRIFact)})
		return
	}
	w.reasons = append(append(w.reasons, p.changed(l, result.Changes)...), pieceCount(len(matches), &result)...)
	p.guessedValues(w, l, result.Changes)
	for _, part := range result.Parts { // what is sent rests on the operators that it has, not on those that the rule came with
		for i := range part {
			if len(l.ops[part[i].Type]) > 0 {
				p.operatorFacts(w, l, &part[i])
			}
		}
	}
	w.sets = make([]packet.Set, len(matches))
	for i, m := range matches {
		w.sets[i] = m.Set()
	}
	if witness, err := prove(c, w.sets); err != nil {
		w.witness = witness
		w.refuse(unproven(err.Error()))
		return
	}
	if limited(c) && len(matches) > 1 {
		w.policers = true
		w.refuse(p.rateSplit(l, result.Changes, len(matches), p.native))
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

// guessedValues notes that a list was cut because nobody knows how long it may be.
func (p *platform) guessedValues(w *way, l *familyLimits, changes []split.Change) {
	for _, c := range changes {
		if c.Kind == split.Cut && l.guessed[c.Type] {
			w.reasons = append(w.reasons, Reason{Code: "assumed-values", Severity: Note, Component: typeWord(c.Type),
				Message: fmt.Sprintf("%s: how many values %s takes in one list is not known; one is right in any case", typeWord(c.Type), p.profile.Name),
				Source:  p.facts.source(or(l.values[c.Type], l.facts[c.Type]))})
		}
	}
}

// build encodes pieces, and decodes the octets again: what is proven is what will be sent. A piece that comes up twice (both sides of a
// rewritten port can give it) is built once.
func (p *platform) build(c *card, parts [][]flowspec.Component) ([]flowspec.Match, error) {
	f := c.rule.Match.Family()
	var rd flowspec.RD
	if f.VPN() {
		rd = c.rule.Match.RD()
	}
	out := make([]flowspec.Match, 0, len(parts))
	for _, part := range parts {
		m, err := flowspec.NewMatch(f, rd, part...)
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

// tooLong says whether the NLRI of m is longer than the platform takes.
func tooLong(mech *mechanism, m flowspec.Match) bool {
	return mech.native.MaxNLRI > 0 && bodyLength(m) > mech.native.MaxNLRI
}

func anyTooLong(mech *mechanism, matches []flowspec.Match) bool {
	for _, m := range matches {
		if tooLong(mech, m) {
			return true
		}
	}
	return false
}

func longestOf(matches []flowspec.Match) (n int) {
	for _, m := range matches {
		n = max(n, bodyLength(m))
	}
	return n
}

// bodyLength returns the octets of an NLRI without its length octets (RFC 8955 §4.1: two of them from 240 on).
func bodyLength(m flowspec.Match) int {
	n := len(m.NLRI()) - 1
	if n >= 240 {
		n--
	}
	return n
}

// routeOf returns rule r as a route with match m and action a.
func routeOf(r *flowspec.Rule, m flowspec.Match, a flowspec.Action) device.Route {
	return device.Route{Match: m, Action: a, Communities: r.Communities, LargeCommunities: r.LargeCommunities, Others: r.Others}
}
