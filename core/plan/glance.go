package plan

import (
	"encoding/binary"
	"math"
	"net/netip"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// glance is what can be seen of a rule at a glance: bounds of its packets. Two rules whose glances are not near share no packet. It is small
// and stands in a row for all rules of a plane, because most pairs of rules are told apart here. The zero glance is near nobody.
type glance struct {
	dst, src            bits
	dports, sports      uint64 // a bit for each port, many ports sharing one: lists that share no bit share no port
	dport, sport, bytes hull
	protos              uint8        // a bit for each of TCP, UDP, ICMP, ICMPv6, others
	frags               packet.Frags // not looked at by near: see apart
	number              uint8        // in the row of a bucket, see domain.number; else 0
}

// bits is the first 64 bits of an address, and which of them count.
type bits struct{ value, mask uint64 }

// hull is the smallest range around a list of numbers.
type hull struct{ lo, hi uint16 }

func (a *glance) near(b *glance) bool {
	return a.protos&b.protos != 0 &&
		(a.dst.value^b.dst.value)&a.dst.mask&b.dst.mask == 0 &&
		(a.src.value^b.src.value)&a.src.mask&b.src.mask == 0 &&
		a.dports&b.dports != 0 && a.sports&b.sports != 0 &&
		a.dport.meets(b.dport) && a.sport.meets(b.sport) && a.bytes.meets(b.bytes)
}

// apart says whether two rules share no packet because one is about fragments and the other is not: most that are near and share none are told apart by it. Steps of settling
// are counted as if nobody knew, so that it changes no bound.
func (a *glance) apart(b *glance) bool { return a.frags&b.frags == 0 }

// join makes a near whatever it or b is near.
func (a *glance) join(b glance) {
	if a.protos == 0 {
		*a = b
		return
	}
	a.dst.join(b.dst)
	a.src.join(b.src)
	a.dports, a.sports, a.protos, a.frags = a.dports|b.dports, a.sports|b.sports, a.protos|b.protos, a.frags|b.frags
	a.dport.join(b.dport)
	a.sport.join(b.sport)
	a.bytes.join(b.bytes)
}

func (a *bits) join(b bits) {
	a.mask &= b.mask &^ (a.value ^ b.value)
	a.value &= a.mask
}

func (a *hull) join(b hull) { a.lo, a.hi = min(a.lo, b.lo), max(a.hi, b.hi) }

func (a hull) meets(b hull) bool { return a.lo <= b.hi && b.lo <= a.hi }

// glanceOf returns the glance of the rule of c, which has these components.
func glanceOf(c *reading, components []flowspec.Component) glance {
	out := glance{dst: bitsOf(c.dst), src: bitsOf(c.src), protos: sketch(c.rule.Match.Family(), components), frags: c.set.Frags()}
	out.dport, out.sport, out.bytes = hull{0, math.MaxUint16}, hull{0, math.MaxUint16}, hull{0, math.MaxUint16}
	out.dports, out.sports = ^uint64(0), ^uint64(0)
	for i := range components {
		switch one := &components[i]; one.Type {
		case flowspec.DstPort:
			out.dport, out.dports = hullOf(one.Terms), signature(one.Terms)
		case flowspec.SrcPort:
			out.sport, out.sports = hullOf(one.Terms), signature(one.Terms)
		case flowspec.PacketLength:
			out.bytes = hullOf(one.Terms)
		}
	}
	return out
}

// glanceAt returns a glance that is near those of all rules that match h.
func glanceAt(h *packet.Header) glance {
	out := glance{dst: bitsOf(netip.PrefixFrom(h.Dst, h.Dst.BitLen())), src: bitsOf(netip.PrefixFrom(h.Src, h.Src.BitLen())), protos: sketchOf(uint64(h.Proto)),
		frags:  packet.FragsOf(h.Fragment, h.DF && h.Version() == packet.IPv4),
		dports: ^uint64(0), sports: ^uint64(0), dport: hull{0, math.MaxUint16}, sport: hull{0, math.MaxUint16}, bytes: hull{h.Length, h.Length}}
	if out.protos&(sketchTCP|sketchUDP) != 0 {
		out.dport, out.dports = hull{h.DstPort, h.DstPort}, 1<<(mix(uint64(h.DstPort))%64)
		out.sport, out.sports = hull{h.SrcPort, h.SrcPort}, 1<<(mix(uint64(h.SrcPort))%64)
	}
	return out
}

// bitsOf returns the bits of p; of the invalid prefix none count.
func bitsOf(p netip.Prefix) bits {
	if !p.IsValid() {
		return bits{}
	}
	var value uint64
	if a := p.Addr(); a.Is4() {
		octets := a.As4()
		value = uint64(binary.BigEndian.Uint32(octets[:])) << 32
	} else {
		octets := a.As16()
		value = binary.BigEndian.Uint64(octets[:8])
	}
	return bits{value, ^uint64(0) << (64 - min(p.Bits(), 64))}
}

// hullOf returns the hull of a list of numbers and ranges, and everything for a list with other terms.
func hullOf(terms []flowspec.Term) hull {
	out := hull{math.MaxUint16, 0}
	for i := 0; i < len(terms); i++ {
		lo, hi := terms[i], terms[i]
		if lo.Op == flowspec.GE && i+1 < len(terms) && terms[i+1].And && terms[i+1].Op == flowspec.LE {
			i++
			hi = terms[i]
		} else if lo.Op != flowspec.EQ {
			return hull{0, math.MaxUint16}
		}
		if i+1 < len(terms) && terms[i+1].And {
			return hull{0, math.MaxUint16}
		}
		if lo.Value > math.MaxUint16 || lo.Value > hi.Value {
			continue // no packet
		}
		out.lo, out.hi = min(out.lo, uint16(lo.Value)), max(out.hi, uint16(min(hi.Value, math.MaxUint16)))
	}
	return out
}

// Bits of a sketch.
const (
	sketchTCP = 1 << iota
	sketchUDP
	sketchICMP
	sketchICMPv6
	sketchOther
	sketches = iota // how many
)

// signature returns a bit for each number of a plain list, and all bits for a list with other terms.
func signature(terms []flowspec.Term) (out uint64) {
	for _, t := range terms {
		if t.Op != flowspec.EQ || t.And {
			return ^uint64(0)
		}
		out |= 1 << (mix(t.Value) % 64)
	}
	return out
}

// sketch returns a bit for each kind of protocol that a rule with these components can match: two rules whose sketches share no bit
// share no packet.
func sketch(f flowspec.Family, components []flowspec.Component) uint8 {
	out := uint8(0xff)
	for i := range components {
		switch c := &components[i]; c.Type {
		case flowspec.Protocol:
			out &= sketchList(c.Terms)
		case flowspec.Port, flowspec.DstPort, flowspec.SrcPort:
			out &= sketchTCP | sketchUDP
		case flowspec.TCPFlags:
			out &= sketchTCP
		case flowspec.ICMPType, flowspec.ICMPCode:
			if f.Version() == packet.IPv4 {
				out &= sketchICMP
			} else {
				out &= sketchICMPv6
			}
		}
	}
	return out
}

// sketchList is sketch for the list of a protocol component: exact for a plain list of numbers.
func sketchList(terms []flowspec.Term) (out uint8) {
	for _, t := range terms {
		if t.Op != flowspec.EQ || t.And {
			return 0xff
		}
		out |= sketchOf(t.Value)
	}
	return out
}

// sketchOf is the bit of one protocol.
func sketchOf(proto uint64) uint8 {
	switch proto {
	case 6:
		return sketchTCP
	case 17:
		return sketchUDP
	case 1:
		return sketchICMP
	case 58:
		return sketchICMPv6
	}
	return sketchOther
}

// mix spreads a number over 64 bits (the finisher of SplitMix64).
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}
