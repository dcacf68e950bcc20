package plan

import (
	"math"
	binary "math/bits"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/plan/split"
	"github.com/sluice-gateway/sluice/core/profile"
)

// costs writes into v what its entries take up in the TCAM, where the profile knows, and whether a boundary nearby would take up less.
func (p *platform) costs(v *Verdict, m *mechanism, f flowspec.Family) {
	if v.Cost.TCAM = p.tcam(m, f, v.Entries); v.Cost.TCAM == nil {
		return
	}
	if r, ok := p.cheaper(m, f, v.Entries); ok {
		v.Reasons = append(v.Reasons[:len(v.Reasons):len(v.Reasons)], r)
	}
}

// cost returns what the profile says of the slots of rules of family f, nil for nothing.
func (m *mechanism) cost(f flowspec.Family) *profile.Cost {
	var c *profile.Cost
	if m.native != nil {
		c = m.native.Cost
	} else {
		c = m.filter.Cost
	}
	if c == nil || !c.For(f) {
		return nil
	}
	return c
}

// tcam returns the slots that entries take together, or nil where the cost of one of them is not known.
func (p *platform) tcam(m *mechanism, f flowspec.Family, entries []Entry) *int {
	c := m.cost(f)
	if c == nil {
		return nil
	}
	total := 0
	for i := range entries {
		x, ok := expand(c, &entries[i])
		if !ok {
			return nil
		}
		total = addSlots(total, x.slots(0))
	}
	return &total
}

// expansion is the slots that each component of an entry takes, 0 where the entry does not have it, and the spans of those that are told by blocks.
type expansion struct {
	of    [flowspec.FlowLabel + 1]int
	spans [flowspec.FlowLabel + 1][]packet.Span
}

// slots returns the slots of the entry, component without left out.
func (x *expansion) slots(without flowspec.Type) int {
	n := 1
	for t, of := range x.of {
		if of > 0 && flowspec.Type(t) != without {
			n = mulSlots(n, of)
		}
	}
	return n
}

// Slots are counted up to what any TCAM would refuse, and no further.
func addSlots(a, b int) int { return min(a+b, math.MaxInt32) }
func mulSlots(a, b int) int {
	if a > math.MaxInt32/b {
		return math.MaxInt32
	}
	return a * b
}

// expand counts the slots of one entry by component. It returns false where the cost is not known.
func expand(c *profile.Cost, e *Entry) (expansion, bool) {
	x := expander{cost: c, known: true}
	if e.Route != nil {
		for one := range e.Route.Match.All() {
			x.component(&one)
		}
	} else {
		x.match(&e.Filter.Match)
	}
	return x.expansion, x.known
}

type expander struct {
	expansion
	cost  *profile.Cost
	known bool
}

// price returns what the profile says of t.
func (x *expander) price(t flowspec.Type) profile.Slots {
	s, ok := x.cost.Components[t]
	x.known = x.known && ok
	return s
}

// component counts one component of a FlowSpec rule, value by value as it is listed.
func (x *expander) component(c *flowspec.Component) {
	s := x.price(c.Type)
	switch {
	case c.Type.Prefix():
		x.known = x.known && c.Prefix.Offset == 0
		x.of[c.Type] = s.Each
	case c.Type.Bitmask():
		n := 0
		for i, t := range c.Terms {
			x.known = x.known && onePattern(c.Type, t) && (s.Bits == 0 || uint16(t.Value)&^s.Bits == 0)
			if i == 0 || !t.And {
				n++
			}
		}
		x.of[c.Type] = mulSlots(max(n, 1), s.Each)
	default:
		x.numbers(c.Type, s, split.Spans(c))
	}
}

// onePattern says whether a TCAM compares a bitmask term in one go: some bits set, or clear. Of fragments that is known only of one bit that is set: the
// bits are worked out from the offset and the flags of the header.
func onePattern(typ flowspec.Type, t flowspec.Term) bool {
	single := binary.OnesCount64(t.Value) == 1
	switch t.Op {
	case flowspec.AllBits:
		return typ == flowspec.TCPFlags || single
	case flowspec.AnyBit:
		return single
	case flowspec.NoBit:
		return typ == flowspec.TCPFlags
	}
	return typ == flowspec.TCPFlags && single
}

// numbers counts the values of a list of numbers.
func (x *expander) numbers(t flowspec.Type, s profile.Slots, spans []packet.Span) {
	n := 0
	for _, one := range spans {
		n = addSlots(n, mulSlots(blocks(one, s), max(s.Each, 1)))
	}
	x.of[t] = max(n, 1)
	if s.Prefixes {
		x.spans[t] = spans
	}
}

// blocks returns how many values a span is: aligned blocks whose size is a power of two, the largest that fit first, or one.
func blocks(s packet.Span, price profile.Slots) int {
	if !price.Prefixes {
		return 1
	}
	n := 0
	for lo, end := uint64(s.Lo), uint64(s.Hi)+1; lo < end; n++ {
		size := uint64(1) << (binary.Len64(end-lo) - 1)
		if lo != 0 {
			size = min(size, lo&-lo)
		}
		lo += size
	}
	return n
}

// match counts the conditions of an entry of a filter.
func (x *expander) match(m *filter.Match) {
	for _, one := range []struct {
		t   flowspec.Type
		has bool
	}{{flowspec.DstPrefix, m.Dst != nil}, {flowspec.SrcPrefix, m.Src != nil}} {
		if one.has {
			x.of[one.t] = x.price(one.t).Each
		}
	}
	for _, one := range []struct {
		t      flowspec.Type
		values packet.Values
	}{
		{flowspec.Protocol, m.Proto}, {flowspec.Port, m.Port}, {flowspec.DstPort, m.DstPort}, {flowspec.SrcPort, m.SrcPort}, {flowspec.ICMPType, m.ICMPType},
		{flowspec.ICMPCode, m.ICMPCode}, {flowspec.PacketLength, m.Length}, {flowspec.DSCP, m.DSCP}, {flowspec.FlowLabel, m.Label},
	} {
		if one.values != nil {
			x.numbers(one.t, x.price(one.t), one.values)
		}
	}
	if len(m.Flags) > 0 {
		s := x.price(flowspec.TCPFlags)
		for _, f := range m.Flags {
			x.known = x.known && (s.Bits == 0 || (f.Set|f.Clear)&^s.Bits == 0)
		}
		x.of[flowspec.TCPFlags] = mulSlots(len(m.Flags), max(s.Each, 1))
	}
	if m.Fragments != 0 {
		const isFragment = 2
		s := x.price(flowspec.Fragment)
		x.known = x.known && (s.Bits == 0 || s.Bits&isFragment != 0 && m.Fragments&packet.OffsetZero == 0)
		x.of[flowspec.Fragment] = s.Each
	}
}
