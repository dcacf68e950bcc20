package split

import (
	"math"
	"slices"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// Entries cuts a rule of family f into entries of a filter with limits l. Every condition that a component implies is written out: a
// filter entry need not check the protocol or the fragment offset by itself. No entries and no Trouble: the rule matches no packet.
func Entries(f flowspec.Family, components []flowspec.Component, l *Limits, disjoint bool) (Result, *Trouble) {
	p := parter{memory: new(memory), family: f, limits: l, disjoint: disjoint}
	has := typesOf(components)
	port := uint16(1 << flowspec.Port)
	if has&port == 0 {
		return p.runEntries(p.asTheyCame(components))
	}
	if l.Of[flowspec.Port].OK && l.excluded(has)&port == 0 {
		first := p
		r, trouble := first.runEntries(first.asTheyCame(components))
		if trouble == nil && !(disjoint && len(r.Entries) > 1) {
			return r, nil
		}
	}
	branches := p.withoutPort(components, disjoint)
	p.note(flowspec.Port, PortCut, 1, len(branches))
	return p.runEntries(branches...)
}

// runEntries turns branches into entries.
func (p *parter) runEntries(branches ...[]side) (Result, *Trouble) {
	for _, b := range branches {
		if trouble := p.entryBranch(b); trouble != nil {
			return Result{}, trouble
		}
	}
	return Result{Entries: p.entries, Tally: p.pieces.Tally}, nil
}

// entryBranch turns one product of sides into entries: one base entry, multiplied by every list that is too long.
func (p *parter) entryBranch(b []side) *Trouble {
	guard := guardOf(p.family, b)
	base := Entry{}
	var flags []Cube
	frags := guard.frags
	proto := guard.proto
	var has uint16
	var quotas [flowspec.FlowLabel + 1]quota
	for t := range quotas {
		quotas[t].tokens = allTokens
	}
	if !isAll(proto, 0xff) { // an entry for ports need not name the protocols where the platform checks them
		quotas[flowspec.Protocol] = quota{}
	}
	for i := range b {
		s := &b[i]
		has |= 1 << s.typ
		if l := &p.limits.Of[s.typ]; !l.OK && !p.removable(s, has|1<<0) {
			return &Trouble{Type: s.typ, Why: NoComponent}
		}
		switch s.typ {
		case flowspec.DstPrefix, flowspec.SrcPrefix:
			if s.came.Prefix.Offset > 0 {
				return &Trouble{Type: s.typ, Why: NoOffset}
			}
			if s.typ == flowspec.DstPrefix {
				base.Dst = &s.came.Prefix
			} else {
				base.Src = &s.came.Prefix
			}
		case flowspec.Protocol:
			proto = both(proto, p.set(s))
		case flowspec.Fragment:
			frags &= statesOf(p.family, s.came)
		case flowspec.TCPFlags:
			var trouble *Trouble
			if flags, trouble = p.flagCubes(s); trouble != nil || flags == nil {
				return trouble
			}
		default:
			if s.counted {
				quotas[s.typ] = quota{tokens: s.count, values: p.limits.Of[s.typ].MaxValues}
			}
			set := p.set(s)
			if len(set) == 0 {
				return nil
			}
			if !isAll(set, top(s.typ)) {
				base.Values[s.typ] = set
			}
		}
	}
	if len(proto) == 0 || frags == 0 {
		return nil
	}
	if !isAll(proto, 0xff) {
		base.Values[flowspec.Protocol] = proto
		has |= 1 << flowspec.Protocol
	}
	if set := p.limits.excluded(has); set != 0 {
		return &Trouble{Type: lowest(set), Why: NoTogether, Types: set}
	}
	return p.multiply(base, flags, frags, &quotas)
}

// flagCubes returns the flag words that s lets through as cubes, an empty list for all of them, nil for none.
func (p *parter) flagCubes(s *side) ([]Cube, *Trouble) {
	l := &p.limits.Of[flowspec.TCPFlags]
	gs := flagGroups(s.came)
	if len(gs) == 0 {
		return nil, nil
	}
	out := []Cube{}
	for i := range gs {
		for _, c := range gs[i].cubes() {
			if _, trouble := flagWord(&conjunction{Cube: c}, l); trouble != nil {
				return nil, trouble
			}
			if c != (Cube{}) && !slices.Contains(out, c) {
				out = append(out, c)
			}
		}
	}
	if p.disjoint && l.MaxValues > 0 && len(out) > l.MaxValues && !cubesApart(out) {
		return nil, &Trouble{Type: flowspec.TCPFlags, Why: NotDisjoint}
	}
	return out, nil
}

// multiply appends base, cut along every list that is longer than an entry takes.
func (p *parter) multiply(base Entry, flags []Cube, frags packet.Frags, quotas *[flowspec.FlowLabel + 1]quota) *Trouble {
	var long []longList
	for t := flowspec.Protocol; t <= flowspec.FlowLabel; t++ {
		if base.Values[t] == nil {
			continue
		}
		one, trouble := p.longValues(t, base.Values[t])
		if trouble != nil {
			return trouble
		}
		if one.tokens > one.k {
			one.quota = quotas[t]
			if one.quota.tokens == allTokens {
				one.quota = quota{tokens: one.tokens, values: one.k}
			}
			long = append(long, one)
		}
	}
	if k := p.limits.Of[flowspec.TCPFlags].MaxValues; k > 0 && len(flags) > k {
		long = append(long, longList{typ: flowspec.TCPFlags, tokens: len(flags), k: k, put: func(e *Entry, tokens []uint16) { e.Flags = picked(flags, tokens) }})
	} else if len(flags) > 0 {
		base.Flags = flags
	}
	if frags != everyState(p.family) {
		cubes := fragCubes(p.family, frags)
		if trouble := p.fragBits(cubes); trouble != nil {
			return trouble
		}
		if len(cubes) == 1 {
			p.setFrags(&base, cubes[0])
		} else {
			long = append(long, longList{typ: flowspec.Fragment, tokens: len(cubes), k: 1, put: func(e *Entry, tokens []uint16) { p.setFrags(e, cubes[tokens[0]]) }})
		}
	}
	return p.spread(base, long)
}

// longList is a list of a rule, and how an entry takes some tokens of it. It is too long when an entry takes fewer than there are.
type longList struct {
	typ       flowspec.Type
	tokens, k int
	quota     quota
	put       func(e *Entry, tokens []uint16)
	cut       int // of the note that it was cut, from 1
}

// allTokens in a quota stands for all the tokens that there are.
const allTokens = -1

// longValues returns the numbers in spans as a list of what an entry counts.
func (p *parter) longValues(t flowspec.Type, spans []packet.Span) (longList, *Trouble) {
	l := &p.limits.Of[t]
	if !l.OK {
		return longList{}, &Trouble{Type: t, Why: NoComponent}
	}
	if trouble := l.elsewhere(t, spans); trouble != nil {
		return longList{}, trouble
	}
	if hi, most := spans[len(spans)-1].Hi, largest(top(t), &Limit{MaxValue: l.MaxValue}); hi > most {
		return longList{}, &Trouble{Type: t, Why: TooBig, Have: int(hi), Max: int(most)}
	}
	values, trouble := singles(t, spans, l, p.limits.MaxParts)
	if trouble != nil {
		return longList{}, trouble
	}
	out := longList{typ: t, tokens: len(values), k: l.MaxValues}
	if l.MaxValues == 0 {
		out.k = len(values)
	}
	if out.tokens > out.k {
		out.cut = p.note(t, Cut, out.tokens, ceil(out.tokens, out.k))
	}
	out.put = func(e *Entry, tokens []uint16) { // told number by number, neighbours in one list are a span again
		e.Values[t] = tidy(picked(values, tokens))
	}
	return out, nil
}

// picked returns the elements of list at tokens.
func picked[T any](list []T, tokens []uint16) []T {
	out := make([]T, len(tokens))
	for i, t := range tokens {
		out[i] = list[t]
	}
	return out
}

// spread appends base with the pieces of the product of long: the grid, or fewer entries that overlap where that is allowed.
func (p *parter) spread(base Entry, long []longList) *Trouble {
	grid, most, longest := 1, 0, flowspec.DstPrefix
	quotas := make([]quota, len(long))
	for i := range long {
		n := ceil(long[i].tokens, long[i].k)
		grid, quotas[i] = times(grid, n), long[i].quota
		if n > most {
			most, longest = n, long[i].typ
		}
	}
	least := bound(quotas)
	p.pieces.Bound += least
	p.pieces.Grid = min(p.pieces.Grid+grid, math.MaxInt32)
	n := grid
	var over axes
	if !p.disjoint && len(long) > 1 && len(long) <= maxAxes && least < grid && len(p.entries)+least <= p.limits.MaxParts {
		for i := range long {
			over = over.add(long[i].tokens, long[i].k, i)
		}
		n = cover(over)
	}
	if n += len(p.entries); n > p.limits.MaxParts {
		return &Trouble{Type: longest, Why: TooManyParts, Have: n, Max: p.limits.MaxParts}
	}
	if over.n == 0 {
		p.spreadGrid(base, long)
		return nil
	}
	cover := boxes(over)
	for i := range cover {
		e := base
		for j := range long {
			long[j].put(&e, cover[i][j])
		}
		p.entries = append(p.entries, e)
	}
	for j := range long {
		p.recount(long[j].cut, distinct(cover, j))
	}
	return nil
}

// spreadGrid appends base with every chunk of every list of long.
func (p *parter) spreadGrid(base Entry, long []longList) {
	if len(long) == 0 {
		p.entries = append(p.entries, base)
		return
	}
	for _, chunk := range chunks(upTo(long[0].tokens), long[0].k) {
		e := base
		long[0].put(&e, chunk)
		p.spreadGrid(e, long[1:])
	}
}

// setFrags writes states into e. IPv6 has no DF: both halves say the same, so that "offset zero" is one value in both versions.
func (p *parter) setFrags(e *Entry, v packet.Frags) {
	if everyState(p.family) == 0x0f {
		v |= v << 4
	}
	e.Frags = v
}

// fragBits says whether the conditions in cubes can be named.
func (p *parter) fragBits(cubes []packet.Frags) *Trouble {
	l := &p.limits.Of[flowspec.Fragment]
	if !l.OK {
		return &Trouble{Type: flowspec.Fragment, Why: NoComponent}
	}
	every := everyState(p.family)
	for _, c := range cubes {
		var named uint16
		if c&0x66 == 0 || c&^0x66 == 0 {
			// First and last fragments are told from others by "more fragments" at either side of offset zero.
			if c&0x33 != 0 {
				named |= firstFragment
			}
			if c&^0x33 != 0 {
				named |= lastFragment
			}
		}
		if every == packet.AnyFrags && (c&0xf0 == 0 || c&0x0f == 0) {
			named |= dontFragment
		}
		if c&0x33 == 0 || c&^0x33 == 0 {
			named |= isFragment
		}
		if l.Bits != 0 && named&^l.Bits != 0 {
			return &Trouble{Type: flowspec.Fragment, Why: NoBits, Have: int(named)}
		}
	}
	return nil
}

// singles returns spans, number by number where l has no ranges, so that a list is counted as the platform will count it.
func singles(t flowspec.Type, spans []packet.Span, l *Limit, budget int) ([]packet.Span, *Trouble) {
	if l.Ops&Range != 0 {
		return spans, nil
	}
	var out []packet.Span
	for _, s := range spans {
		if uint64(s.Hi)-uint64(s.Lo) >= uint64(budget) {
			return nil, &Trouble{Type: t, Why: NoOperator, Op: Range}
		}
		for v := uint64(s.Lo); v <= uint64(s.Hi); v++ {
			out = append(out, packet.Span{Lo: uint32(v), Hi: uint32(v)})
		}
	}
	return out, nil
}

// implied is what components ask for beyond their own field (RFC 8955 §4.2.2).
type implied struct {
	proto []packet.Span
	frags packet.Frags
}

// guardOf returns what the components of b imply: ports need TCP or UDP, flags TCP, ICMP fields ICMP, and all of them offset zero.
func guardOf(f flowspec.Family, b []side) implied {
	g := implied{proto: []packet.Span{{Lo: 0, Hi: 0xff}}, frags: everyState(f)}
	icmp := uint32(1)
	if everyState(f) == 0x0f {
		icmp = 58
	}
	for i := range b {
		var proto []packet.Span
		switch b[i].typ {
		case flowspec.Port, flowspec.DstPort, flowspec.SrcPort:
			proto = []packet.Span{{Lo: 6, Hi: 6}, {Lo: 17, Hi: 17}}
		case flowspec.TCPFlags:
			proto = []packet.Span{{Lo: 6, Hi: 6}}
		case flowspec.ICMPType, flowspec.ICMPCode:
			proto = []packet.Span{{Lo: icmp, Hi: icmp}}
		default:
			continue
		}
		g.proto = both(g.proto, proto)
		g.frags &= packet.OffsetZero
	}
	return g
}
