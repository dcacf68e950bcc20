package split

import (
	"github.com/sluice-gateway/sluice/core/flowspec"
)

// Parts cuts and rewrites a rule of family f into pieces that a platform with limits l takes. disjoint asks for pieces that share no packet, for
// actions that must not be done twice. No pieces and no Trouble: the rule matches no packet.
func Parts(f flowspec.Family, components []flowspec.Component, l *Limits, disjoint bool) (Result, *Trouble) {
	var c Cutter
	pieces, trouble := c.Parts(f, components, l, disjoint)
	if trouble != nil {
		return Result{}, trouble
	}
	out := Result{Tally: pieces.Tally}
	for _, numbers := range pieces.Of {
		part := make([]flowspec.Component, len(numbers))
		for i, n := range numbers {
			part[i] = pieces.Lists[n]
		}
		out.Parts = append(out.Parts, part)
	}
	return out, nil
}

// Cutter cuts rules one after the other, in memory that it uses again. The zero Cutter is ready; it serves one goroutine.
type Cutter struct {
	parter
	own memory
}

// Pieces is what became of a rule in a Cutter. Pieces share their lists, so each stands here once.
type Pieces struct {
	Lists []flowspec.Component // the components of all pieces
	Of    [][]int32            // of each piece the numbers of its components in Lists, in type order
	Tally
}

// Parts is as the function Parts. What it returns is good until the Cutter is used again, as long as components do not change.
func (c *Cutter) Parts(f flowspec.Family, components []flowspec.Component, l *Limits, disjoint bool) (*Pieces, *Trouble) {
	out, trouble := c.cut(f, components, l, disjoint)
	if trouble != nil || !l.particular() {
		return out, trouble
	}
	for _, numbers := range out.Of {
		part := make([]flowspec.Component, len(numbers))
		for i, n := range numbers {
			part[i] = out.Lists[n]
		}
		if trouble := l.unmet(part); trouble != nil {
			return nil, trouble
		}
	}
	return out, nil
}

// cut is Parts, but for what pieces need beside their components.
func (c *Cutter) cut(f flowspec.Family, components []flowspec.Component, l *Limits, disjoint bool) (*Pieces, *Trouble) {
	c.own.reset()
	p := &c.parter
	p.memory, p.family, p.limits, p.disjoint = &c.own, f, l, disjoint
	p.begin()
	has := typesOf(components)
	if has&(1<<flowspec.Port) == 0 {
		return p.run(p.asTheyCame(components))
	}
	clash := l.excluded(has)&(1<<flowspec.Port) != 0
	if l.Of[flowspec.Port].OK && !clash {
		out, trouble := p.run(p.asTheyCame(components))
		if trouble == nil || trouble.Type != flowspec.Port {
			return out, trouble
		}
	}
	p.begin()
	branches := p.withoutPort(components, disjoint)
	p.note(flowspec.Port, PortCut, 1, len(branches))
	out, trouble := p.run(branches...)
	if trouble != nil && clash {
		trouble = &Trouble{Type: flowspec.Port, Why: NoTogether, Types: l.excluded(has)}
	}
	return out, trouble
}

// parter cuts one rule.
type parter struct {
	*memory
	family   flowspec.Family
	limits   *Limits
	disjoint bool
	pieces   Pieces
	entries  []Entry
}

// begin makes p ready for a rule.
func (p *parter) begin() {
	p.pieces = Pieces{Lists: p.pieces.Lists[:0], Of: p.pieces.Of[:0], Tally: Tally{Changes: p.pieces.Changes[:0]}}
}

// run turns branches into pieces.
func (p *parter) run(branches ...[]side) (*Pieces, *Trouble) {
	for _, b := range branches {
		if trouble := p.branch(b); trouble != nil {
			return nil, trouble
		}
	}
	return &p.pieces, nil
}

// note records a change, once for each kind and component. It returns its number from 1, or 0 where it stands there already.
func (p *parter) note(t flowspec.Type, kind Kind, from, to int) int {
	for _, c := range p.pieces.Changes {
		if c.Type == t && c.Kind == kind {
			return 0
		}
	}
	p.pieces.Changes = append(p.pieces.Changes, Change{Type: t, Kind: kind, From: from, To: to})
	return len(p.pieces.Changes)
}

// recount corrects the number of lists in the note with number cut.
func (p *parter) recount(cut, lists int) {
	if cut > 0 {
		p.pieces.Changes[cut-1].To = lists
	}
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
	fields := p.fields.take(len(b))
	for i := range b {
		f := field{typ: b[i].typ, limit: &p.limits.Of[b[i].typ]}
		fate, trouble := p.fill(&f, &b[i], has)
		switch {
		case trouble != nil:
			return trouble
		case fate == never:
			return nil
		case fate == always:
			has &^= 1 << b[i].typ
			continue
		}
		fields = append(fields, f)
	}
	return p.product(fields)
}

// fill tells s in f. has is the set of components that stay beside s.
func (p *parter) fill(f *field, s *side, has uint16) (fate, *Trouble) {
	if s.came != nil {
		if taken(p.family, s.came, f.limit) {
			f.came = s.came
			return stays, nil
		}
		if !f.limit.OK && !p.removable(s, has) || s.typ <= flowspec.SrcPrefix {
			trouble := fits(p.family, s.came, f.limit)
			return stays, &trouble
		}
	} else if !f.limit.OK {
		return stays, &Trouble{Type: s.typ, Why: NoComponent}
	}
	switch s.typ {
	case flowspec.TCPFlags:
		return p.fillFlags(f, s)
	case flowspec.Fragment:
		return p.fillFragments(f, s, has)
	}
	return p.fillNumbers(f, s, has)
}

// removable says whether s is always true, so that a platform that does not know it need not.
func (p *parter) removable(s *side, has uint16) bool {
	switch s.typ {
	case flowspec.DstPrefix, flowspec.SrcPrefix, flowspec.TCPFlags:
		return false
	case flowspec.Fragment:
		return statesOf(p.family, s.came) == everyState(p.family) && needless(s.typ, has)
	}
	return isAll(p.set(s), top(s.typ)) && needless(s.typ, has)
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

func (p *parter) fillNumbers(f *field, s *side, has uint16) (fate, *Trouble) {
	spans := p.set(s)
	if len(spans) == 0 {
		return never, nil
	}
	if isAll(spans, top(s.typ)) && needless(s.typ, has) {
		p.note(s.typ, Dropped, 1, 0)
		return always, nil
	}
	var trouble *Trouble
	if f.words, trouble = p.tell(s.typ, spans, f.limit, p.limits.MaxParts); trouble != nil {
		return stays, trouble
	}
	f.quota = numberQuota(spans, f.words, f.limit)
	if s.counted && f.limit.Ops&Chain != 0 { // one chain may reach over all of them
		f.quota.tokens, f.quota.pairs = 1, 1
	} else if s.counted {
		f.quota.tokens, f.quota.pairs = s.count, s.count
	}
	p.cut(f, s)
	if p.disjoint && len(f.lists) > 1 && s.typ == flowspec.Port { // the source port may be in one list and the destination port in another
		return stays, &Trouble{Type: s.typ, Why: NotDisjoint}
	}
	return stays, nil
}

func (p *parter) fillFlags(f *field, s *side) (fate, *Trouble) {
	gs := flagGroups(s.came)
	if len(gs) == 0 {
		return never, nil
	}
	if gs[0].always() { // every TCP segment: with a flag, or without it
		gs = []conjunction{{Cube: Cube{Set: 2}}, {Cube: Cube{Clear: 2}}}
	} else {
		gs = mergeFlags(gs, f.limit.Ops)
	}
	ws, said, trouble := flagWords(gs, f.limit)
	if trouble != nil {
		return stays, trouble
	}
	f.words = ws
	p.cut(f, s)
	if p.disjoint && len(f.lists) > 1 && !apart(said) {
		return stays, &Trouble{Type: s.typ, Why: NotDisjoint}
	}
	return stays, nil
}

func (p *parter) fillFragments(f *field, s *side, has uint16) (fate, *Trouble) {
	want := statesOf(p.family, s.came)
	if want == 0 {
		return never, nil
	}
	if want == everyState(p.family) && needless(s.typ, has) {
		p.note(s.typ, Dropped, 1, 0)
		return always, nil
	}
	var trouble *Trouble
	if f.words, trouble = fragWords(p.family, want, f.limit, p.disjoint); trouble != nil {
		return stays, trouble
	}
	p.cut(f, s)
	return stays, nil
}

// cut makes lists of the words of f, and notes what happened.
func (p *parter) cut(f *field, s *side) {
	f.lists = p.pack(f.words, f.limit)
	before := 0
	if s.came != nil {
		before = values(s.came.Terms)
	}
	switch {
	case len(f.lists) > 1:
		f.cut = p.note(s.typ, Cut, max(before, len(f.words)), len(f.lists))
	case s.came == nil: // said with the rewriting of `port`
	case len(f.words) < before:
		p.note(s.typ, Merged, before, len(f.words))
	default:
		p.note(s.typ, Reworded, before, len(f.words))
	}
}
