package split

import (
	"slices"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// side is one component of a piece on its way: as it came, or as a set of numbers.
type side struct {
	typ   flowspec.Type
	came  *flowspec.Component
	spans []packet.Span // when came is nil
	// counted: only count of the spans are known to need telling in every piece that the bound is about.
	counted bool
	count   int
}

// set returns the numbers of s.
func (m *memory) set(s *side) []packet.Span {
	if s.came != nil {
		return numbers(m.spans.take(len(s.came.Terms)+1), s.came)
	}
	return s.spans
}

// asTheyCame returns components as sides.
func (m *memory) asTheyCame(components []flowspec.Component) []side {
	out := m.sides.take(len(components))
	for i := range components {
		out = append(out, side{typ: components[i].Type, came: &components[i]})
	}
	return out
}

const ports = 1<<flowspec.Port | 1<<flowspec.DstPort | 1<<flowspec.SrcPort

// withoutPort rewrites a rule with `port` into rules without it: for the ports P, the destination ports D and the source
// ports S of the rule (all of them where it has none)
//
//	(dst in D and P, src in S)  or  (dst in D, src in S and P)
//
// D and S stay conditions of both sides: a rule that has `port` and `destination-port` asks for both. With disjoint the second
// side takes the destination ports of D that are not in P. A side that holds nothing, or that the other contains, is left out.
func (m *memory) withoutPort(components []flowspec.Component, disjoint bool) [][]side {
	full := []packet.Span{{Lo: 0, Hi: 0xffff}}
	var rest []side
	dst, src := side{typ: flowspec.DstPort, spans: full}, side{typ: flowspec.SrcPort, spans: full}
	var port []packet.Span
	for i := range components {
		switch one := (side{typ: components[i].Type, came: &components[i]}); one.typ {
		case flowspec.Port:
			port = m.set(&one)
		case flowspec.DstPort:
			dst = one
		case flowspec.SrcPort:
			src = one
		default:
			rest = append(rest, one)
		}
	}
	d, s := m.set(&dst), m.set(&src)
	byDst, bySrc := both(d, port), both(s, port)
	var out [][]side
	add := func(dst, src side) { out = append(out, assemble(rest, dst, src)) }
	switch {
	case len(byDst) == 0 && len(bySrc) == 0:
	case slices.Equal(byDst, d), slices.Equal(bySrc, s): // every packet with those ports
		add(dst, src)
	default:
		// A piece with a source port outside of P has destination ports of P alone, and the other way round. So the pieces that these two kinds
		// of packets need are different ones, and the bounds of both sides add up, each counting in the open list what lies outside of P.
		src.counted, src.count = true, outside(s, port)
		if len(byDst) > 0 {
			add(side{typ: flowspec.DstPort, spans: byDst}, src)
		}
		n := outside(d, port)
		if disjoint {
			dst = side{typ: flowspec.DstPort, spans: both(d, without(port, 0xffff))}
		}
		dst.counted, dst.count = true, n
		if len(bySrc) > 0 {
			add(dst, side{typ: flowspec.SrcPort, spans: bySrc})
		}
	}
	return out
}

// assemble returns rest with dst and src, in type order. A side that is every port, and that the rule did not have, is
// left out unless both are: then the destination ports stay, as "every port" still asks for TCP or UDP.
func assemble(rest []side, dst, src side) []side {
	open := func(s side) bool { return s.came == nil && isAll(s.spans, 0xffff) }
	out := slices.Clone(rest)
	if !open(dst) || open(src) {
		out = append(out, dst)
	}
	if !open(src) {
		out = append(out, src)
	}
	slices.SortFunc(out, func(a, b side) int { return int(a.typ) - int(b.typ) })
	return out
}
