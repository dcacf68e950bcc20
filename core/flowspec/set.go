package flowspec

import (
	"math"
	"net/netip"
	"slices"

	"github.com/sluice-gateway/sluice/core/packet"
)

// Protocol numbers that components with a transport header need (RFC 8955 §4.2.2.4 to §4.2.2.9, RFC 8956 §3.4).
const (
	protoICMP   = 1
	protoTCP    = 6
	protoUDP    = 17
	protoICMPv6 = 58
)

// Set returns the packets that m matches (docs/semantics.md).
//
// A rule is one product box: each component narrows one side of it, and a component that reads a transport header
// narrows protocol and fragment state as well. `port` matches source or destination, so it makes two boxes, chosen
// disjoint. A rule that can match nothing, such as ICMP with a port, is the empty set.
func (m Match) Set() packet.Set {
	if !m.Valid() {
		return packet.Set{}
	}
	box := packet.Everything(m.fam.Version())
	either := packet.Values(nil) // what `port` lets through; nil when it is absent or lets everything through
	for c := range m.All() {
		switch c.Type {
		case DstPrefix:
			box.Dst = c.Prefix.addrs()
		case SrcPrefix:
			box.Src = c.Prefix.addrs()
		case Protocol:
			box.Proto = box.Proto.And(c.Values())
		case Port:
			either = c.Values()
			narrow(&box, protoTCP, protoUDP)
		case DstPort:
			box.DstPort = c.Values()
			narrow(&box, protoTCP, protoUDP)
		case SrcPort:
			box.SrcPort = c.Values()
			narrow(&box, protoTCP, protoUDP)
		case ICMPType:
			box.ICMPType = c.Values()
			narrow(&box, icmpOf(box.Version))
		case ICMPCode:
			box.ICMPCode = c.Values()
			narrow(&box, icmpOf(box.Version))
		case TCPFlags:
			box.Flags = c.flags()
			narrow(&box, protoTCP)
		case PacketLength:
			box.Length = c.Values()
		case DSCP:
			box.DSCP = c.Values()
		case Fragment:
			box.Frags &= c.frags()
		case FlowLabel:
			box.Label = c.Values()
		}
	}
	if either == nil {
		return packet.Of(box)
	}
	byDst, bySrc := box, box
	byDst.DstPort = box.DstPort.And(either)
	bySrc.DstPort = box.DstPort.Sub(either, Port.Max())
	bySrc.SrcPort = box.SrcPort.And(either)
	return packet.Of(byDst, bySrc)
}

// narrow restricts box to packets that carry the transport header of one of protos: "the offset must be 0", RFC 8955
// §4.2.2.4 and the sections after it.
func narrow(box *packet.Box, protos ...uint32) {
	var spans []packet.Span
	for _, p := range protos {
		spans = append(spans, packet.Span{Lo: p, Hi: p})
	}
	box.Proto = box.Proto.And(packet.NewValues(spans...))
	box.Frags &= packet.OffsetZero
}

func icmpOf(v packet.Version) uint32 {
	if v == packet.IPv6 {
		return protoICMPv6
	}
	return protoICMP
}

func (p Prefix) addrs() packet.Addrs {
	if p.Offset == 0 {
		return packet.AddrsIn(netip.PrefixFrom(p.Addr, int(p.Len)))
	}
	return packet.AddrsLike(p.Addr, netip.AddrFrom16(p.mask()))
}

// Values returns the numbers that the terms of a numeric component let through, within the field's range: nil when
// that is every number. Values beyond the field are compared as integers, so `<300` is true of every protocol.
func (c Component) Values() packet.Values {
	limit := c.Type.Max()
	var spans []packet.Span
	for group := range groups(c.Terms) {
		spans = appendGroup(spans, group, limit)
	}
	v := packet.NewValues(spans...)
	if len(v) == 1 && v[0] == (packet.Span{Lo: 0, Hi: limit}) {
		return nil
	}
	return v
}

// groups yields the runs of terms that AND joins. The list is true when one of them is.
func groups(terms []Term) func(yield func([]Term) bool) {
	return func(yield func([]Term) bool) {
		for i := 0; i < len(terms); {
			end := i + 1
			for end < len(terms) && terms[end].And {
				end++
			}
			if !yield(terms[i:end]) {
				return
			}
			i = end
		}
	}
}

// appendGroup appends the numbers 0..limit for which every term of group is true. Each operator is a range, or
// everything but one number (RFC 8955 §4.2.1.1), so a group is one range with holes.
func appendGroup(spans []packet.Span, group []Term, limit uint32) []packet.Span {
	lo, hi := uint64(0), uint64(limit)
	var holes []uint64
	for _, t := range group {
		switch t.Op {
		case False:
			return spans
		case EQ:
			lo, hi = max(lo, t.Value), min(hi, t.Value)
		case GT:
			if t.Value == math.MaxUint64 {
				return spans
			}
			lo = max(lo, t.Value+1)
		case GE:
			lo = max(lo, t.Value)
		case LT:
			if t.Value == 0 {
				return spans
			}
			hi = min(hi, t.Value-1)
		case LE:
			hi = min(hi, t.Value)
		case NE:
			holes = append(holes, t.Value)
		case True:
		}
	}
	slices.Sort(holes)
	for _, h := range holes {
		if h < lo || h > hi {
			continue
		}
		if h > lo {
			spans = append(spans, packet.Span{Lo: uint32(lo), Hi: uint32(h - 1)})
		}
		lo = h + 1
	}
	if lo <= hi {
		spans = append(spans, packet.Span{Lo: uint32(lo), Hi: uint32(hi)})
	}
	return spans
}

// flags returns the flag words that the terms of a TCP-flags component let through.
func (c Component) flags() packet.Flags {
	never := packet.FlagsAny(0)
	result := never
	for group := range groups(c.Terms) {
		all := never.Not()
		for _, t := range group {
			all = all.And(t.flags())
		}
		result = result.Or(all)
	}
	return result
}

// flags returns the flag words for which t is true. A two-octet mask may have bits over the header's data offset,
// which is "always treated as 0" in the packet (RFC 8955 §4.2.2.9): no word has them.
func (t Term) flags() packet.Flags {
	mask := uint16(t.Value)
	switch t.Op {
	case AllBits:
		return packet.FlagsAll(mask)
	case NotAll:
		return packet.FlagsAll(mask).Not()
	case NoBit:
		return packet.FlagsAny(mask).Not()
	}
	return packet.FlagsAny(mask)
}

// fragmentBits gives the bits of a fragment bitmask for each fragment state, without DF (RFC 8955 §4.2.2.12).
var fragmentBits = [...]uint64{
	packet.Whole:  0,
	packet.First:  fragmentFirst,
	packet.Middle: fragmentIs,
	packet.Last:   fragmentIs | fragmentLast,
}

const (
	fragmentDont  = 0x01
	fragmentIs    = 0x02 // a fragment other than the first
	fragmentFirst = 0x04
	fragmentLast  = 0x08
)

// frags returns the fragment states that the terms of a fragment component let through.
func (c Component) frags() packet.Frags {
	var result packet.Frags
	for group := range groups(c.Terms) {
		all := packet.AnyFrags
		for _, t := range group {
			all &= t.frags()
		}
		result |= all
	}
	return result
}

func (t Term) frags() packet.Frags {
	var f packet.Frags
	for state, bits := range fragmentBits {
		if t.Op.holds(bits, t.Value) {
			f |= 1 << state
		}
		if t.Op.holds(bits|fragmentDont, t.Value) {
			f |= 1 << (4 + state)
		}
	}
	return f
}

// holds evaluates a bitmask operator on packet field d and value v (RFC 8955 §4.2.1.2).
func (o Op) holds(d, v uint64) bool {
	switch o {
	case AllBits:
		return d&v == v
	case NoBit:
		return d&v == 0
	case NotAll:
		return d&v != v
	}
	return d&v != 0
}
