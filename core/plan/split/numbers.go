package split

import (
	"slices"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// top returns the largest number that the field of type t holds.
func top(t flowspec.Type) uint32 {
	switch t {
	case flowspec.Port, flowspec.DstPort, flowspec.SrcPort, flowspec.PacketLength:
		return 0xffff
	case flowspec.DSCP:
		return 0x3f
	case flowspec.FlowLabel:
		return 0xfffff
	}
	return 0xff
}

// group is terms joined by AND; a list is groups joined by OR, AND binding tighter (RFC 8955 §4.2.1.1).
func groups(terms []flowspec.Term, visit func(group []flowspec.Term) bool) {
	for start := 0; start < len(terms); {
		end := start + 1
		for end < len(terms) && terms[end].And {
			end++
		}
		if !visit(terms[start:end]) {
			return
		}
		start = end
	}
}

// values returns the number of groups in a list.
func values(terms []flowspec.Term) (n int) {
	for i := range terms {
		if i == 0 || !terms[i].And {
			n++
		}
	}
	return n
}

// numbers appends to out, which is empty, the numbers that a numeric list lets through, tidy.
func numbers(out []packet.Span, c *flowspec.Component) []packet.Span {
	top := top(c.Type)
	groups(c.Terms, func(group []flowspec.Term) bool {
		out = appendGroup(out, c.Type, group, top)
		return true
	})
	return tidy(out)
}

// Spans returns the numbers that a numeric list lets through, value by value as they are listed: what a platform that expands ranges expands.
func Spans(c *flowspec.Component) []packet.Span {
	top := top(c.Type)
	var out []packet.Span
	groups(c.Terms, func(group []flowspec.Term) bool {
		out = appendGroup(out, c.Type, group, top)
		return true
	})
	return out
}

// Top returns the largest number that the field of type t holds.
func Top(t flowspec.Type) uint32 { return top(t) }

// appendGroup appends the numbers up to top that terms joined by AND let through.
func appendGroup(out []packet.Span, typ flowspec.Type, group []flowspec.Term, top uint32) []packet.Span {
	if len(group) == 1 {
		return appendTerm(out, typ, group[0], top)
	}
	var rooms [2][4]packet.Span // for what is let through so far, in turns
	var one [2]packet.Span
	set := appendTerm(rooms[0][:0], typ, group[0], top)
	for i, t := range group[1:] {
		set = appendBoth(rooms[1-i%2][:0], set, appendTerm(one[:0], typ, t, top))
	}
	return append(out, set...)
}

// appendTerm appends the numbers up to top that one term lets through, tidy.
func appendTerm(out []packet.Span, typ flowspec.Type, t flowspec.Term, top uint32) []packet.Span {
	v := t.Value
	if typ == flowspec.DSCP {
		v &= 0x3f // the other bits are treated as 0 (RFC 8955 §4.2.2.11)
	}
	if t.Op == flowspec.True {
		return append(out, packet.Span{Lo: 0, Hi: top}) // whatever the value is
	}
	if t.Op == flowspec.EQ && v <= uint64(top) {
		return append(out, packet.Span{Lo: uint32(v), Hi: uint32(v)})
	}
	if v > uint64(top) { // everything is below
		if t.Op&flowspec.LT != 0 {
			return append(out, packet.Span{Lo: 0, Hi: top})
		}
		return out
	}
	n := uint32(v)
	switch t.Op & (flowspec.LT | flowspec.EQ) {
	case flowspec.LE:
		out = append(out, packet.Span{Lo: 0, Hi: n})
	case flowspec.LT:
		if n > 0 {
			out = append(out, packet.Span{Lo: 0, Hi: n - 1})
		}
	case flowspec.EQ: // with GT, as alone it is told above
		return append(out, packet.Span{Lo: n, Hi: top})
	}
	if t.Op&flowspec.GT != 0 && n < top {
		out = append(out, packet.Span{Lo: n + 1, Hi: top})
	}
	return out
}

// numbersFit returns the first limit that the list of c meets, or no Trouble.
func numbersFit(c *flowspec.Component, l *Limit) (trouble Trouble) {
	top := top(c.Type)
	named := largest(top, &Limit{MaxValue: l.MaxValue})
	groups(c.Terms, func(group []flowspec.Term) bool {
		op := wording(group)
		switch {
		case op == 0 || empty(c.Type, group, top):
			trouble = Trouble{Type: c.Type, Why: OddOperator}
		case l.Ops&op == 0:
			trouble = Trouble{Type: c.Type, Why: NoOperator, Op: op}
		}
		for _, t := range group {
			if n := octets(t); l.MaxWidth > 0 && n > l.MaxWidth {
				trouble = Trouble{Type: c.Type, Why: TooWide, Have: n, Max: l.MaxWidth}
			}
			if t.Value > uint64(named) {
				trouble = Trouble{Type: c.Type, Why: TooBig, Have: int(t.Value), Max: int(named)}
			}
		}
		return trouble.Why == ""
	})
	if trouble.Why == "" {
		return tooMany(c, l)
	}
	return trouble
}

// plain says whether the list of c is single numbers, half-lines and ranges, as most lists are, which a platform with limit l takes; not how many. False
// says nothing.
func plain(c *flowspec.Component, l *Limit) bool {
	named := uint64(largest(top(c.Type), &Limit{MaxValue: l.MaxValue}))
	terms := c.Terms
	for i := range terms {
		t := &terms[i]
		if t.Value > named || l.MaxWidth > 0 && octets(*t) > l.MaxWidth {
			return false
		}
		joined := i+1 < len(terms) && terms[i+1].And
		op := Ops(0)
		switch {
		case t.And && (i == 0 || joined || terms[i-1].And || terms[i-1].Op != flowspec.GE || t.Op != flowspec.LE || t.Value < terms[i-1].Value):
		case t.And:
			op = Range
		case joined:
			continue
		case t.Op == flowspec.EQ:
			op = Eq
		case t.Op == flowspec.LE:
			op = Lt
		case t.Op == flowspec.GE:
			op = Gt
		}
		if l.Ops&op == 0 {
			return false
		}
	}
	return true
}

// largest returns the largest number that can be named with l in a field that holds numbers up to top.
func largest(top uint32, l *Limit) uint32 {
	if l.MaxValue != 0 {
		top = min(top, l.MaxValue)
	}
	if l.MaxWidth > 0 && l.MaxWidth < 4 {
		top = min(top, 1<<(8*l.MaxWidth)-1)
	}
	return top
}

// octets returns the octets of the value of t: as many as it came with, or as few as hold it (RFC 8955 §4.2.1.1 has 1, 2, 4 and 8).
func octets(t flowspec.Term) int {
	n := max(1, int(t.Width))
	for n < 8 && t.Value>>(8*n) != 0 {
		n *= 2
	}
	return n
}

// tooMany says whether the list of c has more values or pairs than l allows.
func tooMany(c *flowspec.Component, l *Limit) Trouble {
	if n := values(c.Terms); l.MaxValues > 0 && n > l.MaxValues {
		return Trouble{Type: c.Type, Why: TooMany, Have: n, Max: l.MaxValues}
	}
	if n := len(c.Terms); l.MaxPairs > 0 && n > l.MaxPairs {
		return Trouble{Type: c.Type, Why: TooMany, Have: n, Max: l.MaxPairs}
	}
	return Trouble{}
}

// wording returns the operator that profiles call a group of terms, or 0 for one that no platform is sent: always-true and
// always-false have both polarities in the field.
func wording(group []flowspec.Term) Ops {
	if len(group) == 1 {
		switch group[0].Op {
		case flowspec.EQ:
			return Eq
		case flowspec.NE:
			return Ne
		case flowspec.LT, flowspec.LE:
			return Lt
		case flowspec.GT, flowspec.GE:
			return Gt
		}
		return 0
	}
	for _, t := range group {
		if t.Op == flowspec.True || t.Op == flowspec.False {
			return 0
		}
	}
	if len(group) == 2 && (up(group[0].Op) && down(group[1].Op) || down(group[0].Op) && up(group[1].Op)) {
		return Range
	}
	return Chain
}

func up(op flowspec.Op) bool   { return op == flowspec.GT || op == flowspec.GE }
func down(op flowspec.Op) bool { return op == flowspec.LT || op == flowspec.LE }

// empty says whether a group of terms lets no number through.
func empty(typ flowspec.Type, group []flowspec.Term, top uint32) bool {
	var room [2]packet.Span
	return len(appendGroup(room[:0], typ, group, top)) == 0
}

// word is one span in the operators of a platform.
type word struct{ terms []flowspec.Term }

// tell says spans (tidy, not all of the field) in the operators of l, one word a span; a range is told number by number where
// the platform has no ranges and the range is short.
func (m *memory) tell(typ flowspec.Type, spans []packet.Span, l *Limit, budget int) ([]word, *Trouble) {
	top := top(typ)
	named := largest(top, l)
	if l.Ops&(Ne|Chain) != 0 {
		if out := m.chainedWords(spans, top, l, budget); out != nil {
			return out, nil
		}
	}
	out := m.words.take(len(spans))
	terms := len(spans)
	for _, s := range spans {
		if s.Lo < s.Hi {
			terms++
		}
	}
	room := m.terms.take(terms)
	for _, s := range spans {
		w, ok := wordOf(s, top, named, l.Ops, &room)
		if l.MaxPairs > 0 && len(w.terms) > l.MaxPairs {
			ok = false
		}
		switch {
		case ok:
			out = append(out, w)
		case s.Hi > named:
			return nil, &Trouble{Type: typ, Why: TooBig, Have: int(s.Hi), Max: int(named)}
		case l.Ops&Eq == 0:
			return nil, &Trouble{Type: typ, Why: NoOperator, Op: Range}
		case uint64(s.Hi)-uint64(s.Lo) >= uint64(budget-len(out)):
			return nil, &Trouble{Type: typ, Why: NoOperator, Op: Range}
		default:
			for v := uint64(s.Lo); v <= uint64(s.Hi); v++ {
				out = append(out, word{[]flowspec.Term{{Op: flowspec.EQ, Value: v}}})
			}
		}
	}
	return out, nil
}

// wordOf says one span in one word, in room, or returns false. top is the field's largest number, named the largest that can be said.
func wordOf(s packet.Span, top, named uint32, ops Ops, room *[]flowspec.Term) (word, bool) {
	start := len(*room)
	switch {
	case s.Lo == s.Hi && s.Hi <= named && ops&Eq != 0:
		*room = append(*room, flowspec.Term{Op: flowspec.EQ, Value: uint64(s.Lo)})
	case s.Lo == 0 && s.Hi < top && s.Hi <= named && ops&Lt != 0:
		*room = append(*room, flowspec.Term{Op: flowspec.LE, Value: uint64(s.Hi)})
	case s.Hi == top && s.Lo > 0 && s.Lo <= named && ops&Gt != 0:
		*room = append(*room, flowspec.Term{Op: flowspec.GE, Value: uint64(s.Lo)})
	case s.Hi <= named && ops&Range != 0:
		*room = append(*room, flowspec.Term{Op: flowspec.GE, Value: uint64(s.Lo)}, flowspec.Term{And: true, Op: flowspec.LE, Value: uint64(s.Hi)})
	case s.Hi == top && s.Lo <= named && ops&Gt != 0:
		*room = append(*room, flowspec.Term{Op: flowspec.GE, Value: uint64(s.Lo)})
	default:
		return word{}, false
	}
	return word{(*room)[start:len(*room):len(*room)]}, true
}

// pack cuts words into lists that l takes: in their order, or, where words of different lengths leave gaps that way, long ones first.
func (m *memory) pack(ws []word, l *Limit) [][]flowspec.Term {
	pairs, even := 0, true
	for _, w := range ws {
		pairs, even = pairs+len(w.terms), even && len(w.terms) == len(ws[0].terms)
	}
	// All lists share one array.
	out, all := m.lists.take(quota{len(ws), l.MaxValues, pairs, l.MaxPairs}.of(1)), m.terms.take(pairs)
	start, values := 0, 0
	for _, w := range ws {
		full := l.MaxValues > 0 && values == l.MaxValues || l.MaxPairs > 0 && len(all)-start+len(w.terms) > l.MaxPairs
		if full && len(all) > start {
			out, start, values = append(out, all[start:len(all):len(all)]), len(all), 0
		}
		all = append(all, w.terms...)
		values++
	}
	out = append(out, all[start:])
	if l.MaxPairs > 0 && !even && len(out) > (quota{len(ws), l.MaxValues, pairs, l.MaxPairs}).of(1) {
		if packed := packLists(ws, l); len(packed) < len(out) {
			return packed
		}
	}
	return out
}

// packLists puts each word, the longest first, into the first list that has room. Of words of one and two terms it makes as few lists as can be.
func packLists(ws []word, l *Limit) [][]flowspec.Term {
	order := make([]int, len(ws))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return len(ws[b].terms) - len(ws[a].terms) })
	var lists [][]int
	var pairs []int
	for _, i := range order {
		n := len(ws[i].terms)
		at := 0
		for at < len(lists) && (pairs[at]+n > l.MaxPairs || l.MaxValues > 0 && len(lists[at]) == l.MaxValues) {
			at++
		}
		if at == len(lists) {
			lists, pairs = append(lists, nil), append(pairs, 0)
		}
		lists[at], pairs[at] = append(lists[at], i), pairs[at]+n
	}
	out := make([][]flowspec.Term, len(lists))
	for i, list := range lists {
		slices.Sort(list)
		for _, w := range list {
			out[i] = append(out[i], ws[w].terms...)
		}
	}
	return out
}
