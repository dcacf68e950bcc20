package plan

import (
	"fmt"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/plan/split"
	"github.com/sluice-gateway/sluice/core/profile"
)

const (
	nearby     = 16 // how far a boundary is moved, in numbers of the field
	worthwhile = 5  // a hint saves one slot in so many, or more
	hinted     = 32 // how many spans of a component are tried
)

// cheaper looks for a boundary of a range that, moved a little, would make the whole of entries take fewer slots: packets of 257 octets and more fall into 15 aligned
// blocks, of 256 and more into 8. It only says so. Nobody but the operator knows whether the packets in between may fare otherwise.
func (p *platform) cheaper(m *mechanism, f flowspec.Family, entries []Entry) (Reason, bool) {
	c := m.cost(f)
	if c == nil {
		return Reason{}, false
	}
	s := boundarySearch{cost: c}
	for i := range entries {
		x, ok := expand(c, &entries[i])
		if !ok {
			return Reason{}, false
		}
		s.entries = append(s.entries, x)
		s.total = addSlots(s.total, x.slots(0))
	}
	s.best.total = s.total - max(1, (s.total+worthwhile-1)/worthwhile) + 1
	for t := flowspec.Protocol; t <= flowspec.FlowLabel; t++ {
		if price := c.Components[t]; price.Prefixes {
			s.component(t, price)
		}
	}
	b := s.best
	if b.distance == 0 {
		return Reason{}, false
	}
	price := c.Components[b.typ]
	r := Reason{Code: "cheaper-boundary", Severity: Note, Component: typeWord(b.typ), Source: p.facts.source(price.Fact),
		Message: fmt.Sprintf("%s %s costs %d slots, %s would cost %d", typeWord(b.typ), spanWords(b.typ, b.from), blocks(b.from, price)*price.Each,
			spanWords(b.typ, b.to), blocks(b.to, price)*price.Each),
		Hint: "write the other boundary only where the packets in between may fare so: sluice never changes what a rule matches"}
	if s.total != blocks(b.from, price)*price.Each {
		r.Message += fmt.Sprintf("; the whole rule %d, and %d", s.total, b.total)
	}
	return r, true
}

// boundarySearch goes through the boundaries of a rule.
type boundarySearch struct {
	cost    *profile.Cost
	entries []expansion
	total   int
	best    move
}

// move is a boundary moved, and the slots of the rule then.
type move struct {
	typ      flowspec.Type
	from, to packet.Span
	distance int
	total    int // more than the best by one, before there is one
}

// component tries the boundaries of component t.
func (s *boundarySearch) component(t flowspec.Type, price profile.Slots) {
	var all []packet.Span // of the rule: a span stands in several of its entries
	for i := range s.entries {
		for _, one := range s.entries[i].spans[t] {
			if !hasSpan(all, one) && len(all) < hinted {
				all = append(all, one)
			}
		}
	}
	top := split.Top(t)
	for i, one := range all {
		if one.Lo == one.Hi {
			continue
		}
		weight := s.weight(t, one)
		for d := 1; d <= nearby; d++ {
			for _, by := range [2]int64{int64(-d), int64(d)} {
				if one.Lo > 0 {
					s.try(t, price, all, i, packet.Span{Lo: uint32(int64(one.Lo) + by), Hi: one.Hi}, int64(one.Lo)+by > 0, d, weight)
				}
				if one.Hi < top {
					s.try(t, price, all, i, packet.Span{Lo: one.Lo, Hi: uint32(int64(one.Hi) + by)}, int64(one.Hi)+by < int64(top), d, weight)
				}
			}
		}
	}
}

// weight returns the slots that one block more in span from takes in all entries.
func (s *boundarySearch) weight(t flowspec.Type, from packet.Span) int {
	n := 0
	for i := range s.entries {
		if x := &s.entries[i]; hasSpan(x.spans[t], from) {
			n = addSlots(n, x.slots(t))
		}
	}
	return n
}

// try weighs all[i] moved to another span, which must stay a range of its own inside the field.
func (s *boundarySearch) try(t flowspec.Type, price profile.Slots, all []packet.Span, i int, to packet.Span, inside bool, distance, weight int) {
	if !inside || to.Lo >= to.Hi {
		return
	}
	for j, other := range all {
		if j != i && uint64(to.Lo) <= uint64(other.Hi)+1 && uint64(other.Lo) <= uint64(to.Hi)+1 {
			return
		}
	}
	saved := (blocks(all[i], price) - blocks(to, price)) * price.Each
	if saved <= 0 {
		return
	}
	if total := s.total - mulSlots(saved, weight); total < s.best.total {
		s.best = move{t, all[i], to, distance, total}
	}
}

// hasSpan says whether s is in list.
func hasSpan(list []packet.Span, s packet.Span) bool {
	for _, one := range list {
		if one == s {
			return true
		}
	}
	return false
}

// spanWords writes a span as rules write it.
func spanWords(t flowspec.Type, s packet.Span) string {
	switch {
	case s.Hi == split.Top(t):
		return fmt.Sprintf(">=%d", s.Lo)
	case s.Lo == 0:
		return fmt.Sprintf("<=%d", s.Hi)
	}
	return fmt.Sprintf(">=%d&<=%d", s.Lo, s.Hi)
}
