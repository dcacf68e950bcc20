package split

import (
	"slices"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// Parts cuts and rewrites a rule of family f into pieces that a platform with limits l takes. disjoint asks for pieces that share no packet, for
// actions that must not be done twice. No pieces and no Trouble: the rule matches no packet.
func Parts(f flowspec.Family, components []flowspec.Component, l *Limits, disjoint bool) (Result, *Trouble) {
	p := parter{family: f, limits: l, disjoint: disjoint}
	has := typesOf(components)
	if has&(1<<flowspec.Port) == 0 {
		return p.run([][]side{sides(components)})
	}
	clash := l.excluded(has)&(1<<flowspec.Port) != 0
	if l.Of[flowspec.Port].OK && !clash {
		first := p
		r, trouble := first.run([][]side{sides(components)})
		if trouble == nil || trouble.Type != flowspec.Port {
			return r, trouble
		}
	}
	branches := withoutPort(components, disjoint)
	p.note(flowspec.Port, PortCut, 1, len(branches))
	r, trouble := p.run(branches)
	if trouble != nil && clash {
		trouble = &Trouble{Type: flowspec.Port, Why: NoTogether, Types: l.excluded(has)}
	}
	return r, trouble
}

// parter cuts one rule.
type parter struct {
	family   flowspec.Family
	limits   *Limits
	disjoint bool
	result   Result
}

// note records a change, once for each kind and component.
func (p *parter) note(t flowspec.Type, kind Kind, from, to int) {
	for _, c := range p.result.Changes {
		if c.Type == t && c.Kind == kind {
			return
		}
	}
	p.result.Changes = append(p.result.Changes, Change{Type: t, Kind: kind, From: from, To: to})
}

// run turns branches into pieces.
func (p *parter) run(branches [][]side) (Result, *Trouble) {
	for _, b := range branches {
		if trouble := p.branch(b); trouble != nil {
			return Result{}, trouble
		}
	}
	return p.result, nil
}

// branch turns one product of sides into pieces.
func (p *parter) branch(b []side) *Trouble {
	var has uint16
	for i := range b {
		has |= 1 << b[i].typ
	}
	if set := p.limits.excluded(has); set != 0 {
		return &Trouble{Type: lowest(set), Why: NoTogether, Types: set}
	}
	grid := make([][]flowspec.Component, 0, len(b))
	for i := range b {
		choices, trouble := p.choices(&b[i], has)
		switch {
		case trouble != nil:
			return trouble
		case choices == nil: // always true, and said by what stays
			has &^= 1 << b[i].typ
			continue
		case len(choices) == 0:
			return nil // never true
		}
		grid = append(grid, choices)
	}
	return p.product(grid)
}

// product appends the grid of choices to the pieces.
func (p *parter) product(grid [][]flowspec.Component) *Trouble {
	n := 1
	for _, choices := range grid {
		if n *= len(choices); len(p.result.Parts)+n > p.limits.MaxParts {
			return &Trouble{Type: longest(grid), Why: TooManyParts, Have: len(p.result.Parts) + n, Max: p.limits.MaxParts}
		}
	}
	for i := range n {
		part := make([]flowspec.Component, len(grid))
		for k := len(grid) - 1; k >= 0; k-- {
			part[k] = grid[k][i%len(grid[k])]
			i /= len(grid[k])
		}
		p.result.Parts = append(p.result.Parts, part)
	}
	return nil
}

// longest returns the type with most choices.
func longest(grid [][]flowspec.Component) flowspec.Type {
	return slices.MaxFunc(grid, func(a, b []flowspec.Component) int { return len(a) - len(b) })[0].Type
}

// choices returns the lists that stand for s, nil when s can be left out, or empty when nothing passes s. has is the set of
// components that stay beside s.
func (p *parter) choices(s *side, has uint16) ([]flowspec.Component, *Trouble) {
	l := &p.limits.Of[s.typ]
	if s.came != nil {
		trouble := fits(p.family, s.came, l)
		if trouble == nil {
			return []flowspec.Component{*s.came}, nil
		}
		if !l.OK && !p.removable(s, has) || trouble.Why == NoOffset {
			return nil, trouble
		}
	} else if !l.OK {
		return nil, &Trouble{Type: s.typ, Why: NoComponent}
	}
	switch s.typ {
	case flowspec.TCPFlags:
		return p.flagChoices(s, l)
	case flowspec.Fragment:
		return p.fragChoices(s, l, has)
	}
	return p.numberChoices(s, l, has)
}

// removable says whether s is always true, so that a platform that does not know it need not.
func (p *parter) removable(s *side, has uint16) bool {
	switch s.typ {
	case flowspec.DstPrefix, flowspec.SrcPrefix, flowspec.TCPFlags:
		return false
	case flowspec.Fragment:
		return statesOf(p.family, s.came) == everyState(p.family) && needless(s.typ, has)
	}
	return isAll(s.set(), top(s.typ)) && needless(s.typ, has)
}

// needless says whether a component of type t that lets every value through can go: a rule keeps at least one component,
// and a port or ICMP component asks for its protocol and for offset zero even when it takes every value.
func needless(t flowspec.Type, has uint16) bool {
	others := has &^ (1 << t)
	switch t {
	case flowspec.Port, flowspec.DstPort, flowspec.SrcPort:
		return others&(ports|1<<flowspec.TCPFlags) != 0
	case flowspec.ICMPType, flowspec.ICMPCode:
		return others&(1<<flowspec.ICMPType|1<<flowspec.ICMPCode) != 0
	}
	return others != 0
}

func (p *parter) numberChoices(s *side, l *Limit, has uint16) ([]flowspec.Component, *Trouble) {
	spans := s.set()
	if len(spans) == 0 {
		return []flowspec.Component{}, nil
	}
	if isAll(spans, top(s.typ)) && needless(s.typ, has) {
		p.note(s.typ, Dropped, 1, 0)
		return nil, nil
	}
	ws, trouble := words(s.typ, spans, l, p.limits.MaxParts)
	if trouble != nil {
		return nil, trouble
	}
	out := p.cut(s, ws, l)
	if p.disjoint && len(out) > 1 && s.typ == flowspec.Port { // the source port may be in one list and the destination port in another
		return nil, &Trouble{Type: s.typ, Why: NotDisjoint}
	}
	return out, nil
}

func (p *parter) flagChoices(s *side, l *Limit) ([]flowspec.Component, *Trouble) {
	gs := flagGroups(s.came)
	if len(gs) == 0 {
		return []flowspec.Component{}, nil
	}
	if gs[0].always() { // every TCP segment: with a flag, or without it
		gs = []conjunction{{Cube: Cube{Set: 2}}, {Cube: Cube{Clear: 2}}}
	} else {
		gs = mergeFlags(gs, l.Ops)
	}
	ws, said, trouble := flagWords(gs, l)
	if trouble != nil {
		return nil, trouble
	}
	out := p.cut(s, ws, l)
	if p.disjoint && len(out) > 1 && !apart(said) {
		return nil, &Trouble{Type: s.typ, Why: NotDisjoint}
	}
	return out, nil
}

func (p *parter) fragChoices(s *side, l *Limit, has uint16) ([]flowspec.Component, *Trouble) {
	want := statesOf(p.family, s.came)
	if want == 0 {
		return []flowspec.Component{}, nil
	}
	if want == everyState(p.family) && needless(s.typ, has) {
		p.note(s.typ, Dropped, 1, 0)
		return nil, nil
	}
	ws, trouble := fragWords(p.family, want, l, p.disjoint)
	if trouble != nil {
		return nil, trouble
	}
	return p.cut(s, ws, l), nil
}

// cut makes components of lists of words, and notes what happened.
func (p *parter) cut(s *side, ws []word, l *Limit) []flowspec.Component {
	cut := lists(ws, l)
	out := make([]flowspec.Component, len(cut))
	for i, terms := range cut {
		out[i] = flowspec.Component{Type: s.typ, Terms: terms}
	}
	before := 0
	if s.came != nil {
		groups(s.came.Terms, func([]flowspec.Term) bool { before++; return true })
	}
	switch {
	case len(out) > 1:
		p.note(s.typ, Cut, max(before, len(ws)), len(out))
	case s.came == nil: // said with the rewriting of `port`
	case len(ws) < before:
		p.note(s.typ, Merged, before, len(ws))
	default:
		p.note(s.typ, Reworded, before, len(ws))
	}
	return out
}
