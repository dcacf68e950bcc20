package flowspec

import (
	"math"
	"net/netip"
	"slices"

	"github.com/sluice-gateway/sluice/core/packet"
)

// The protocols that components with a transport header need (RFC 8955 §4.2.2.4 to §4.2.2.9, RFC 8956 §3.4).
var (
	onlyTCP    = packet.Values{{Lo: 6, Hi: 6}}
	tcpOrUDP   = packet.Values{{Lo: 6, Hi: 6}, {Lo: 17, Hi: 17}}
	onlyICMP   = packet.Values{{Lo: 1, Hi: 1}}
	onlyICMPv6 = packet.Values{{Lo: 58, Hi: 58}}
)

// Set returns the packets that m matches (docs/semantics.md).
//
// A rule is one product box: each component narrows one side of it, and a component that reads a transport header
// narrows protocol and fragment state as well. `port` matches source or destination, so it makes two boxes, chosen
// disjoint. A rule that can match nothing, such as ICMP with a port, is the empty set.
func (m Match) Set() packet.Set {
	var row packet.Row
	var room [2]packet.Box
	return row.Of(m.boxes(room[:0], &row, nil)...)
}

// boxes appends the boxes of m to out, which is empty. Their lists are made in row, or known to r.
func (m Match) boxes(out []packet.Box, row *packet.Row, r *Reader) []packet.Box {
	if !m.Valid() {
		return out
	}
	v6 := m.fam.v6()
	out = append(out, packet.Everything(m.fam.Version()))
	box := &out[0]
	either := packet.Values(nil) // what `port` lets through; nil when it is absent or lets everything through
	for b := m.components(); len(b) > 0; {
		if r != nil {
			n, means := r.read(b)
			restrict(box, &either, Type(b[0]), means)
			b = b[n:]
			continue
		}
		n := size(v6, b)
		means := meaningOf(row, v6, b[:n])
		restrict(box, &either, Type(b[0]), &means)
		b = b[n:]
	}
	if either == nil {
		return out
	}
	bySrc := *box
	bySrc.DstPort = box.DstPort.Sub(either, Port.Max())
	bySrc.SrcPort = box.SrcPort.And(either)
	box.DstPort = box.DstPort.And(either)
	return append(out, bySrc)
}

// meaning is what a component says by itself.
type meaning struct {
	addrs  packet.Addrs
	values packet.Values
	flags  packet.Flags
	frags  packet.Frags
}

// meaningOf reads the octets of one component. Lists are made in row.
func meaningOf(row *packet.Row, v6 bool, b []byte) (out meaning) {
	var room [16]Term // longer lists go to the heap
	switch t := Type(b[0]); t {
	case DstPrefix, SrcPrefix:
		out.addrs = readPrefix(v6, b).addrs(row)
	case TCPFlags:
		out.flags = flags(appendTerms(room[:0], b[1:]))
	case Fragment:
		out.frags = frags(appendTerms(room[:0], b[1:]))
	default:
		out.values = values(row, t, appendTerms(room[:0], b[1:]))
	}
	return out
}

// restrict narrows box to the packets that a component of type t matches; either takes the numbers of `port`.
func restrict(box *packet.Box, either *packet.Values, t Type, m *meaning) {
	switch t {
	case DstPrefix:
		box.Dst = m.addrs
	case SrcPrefix:
		box.Src = m.addrs
	case Protocol:
		box.Proto = box.Proto.And(m.values)
	case Port:
		*either = m.values
		narrow(box, tcpOrUDP)
	case DstPort:
		box.DstPort = m.values
		narrow(box, tcpOrUDP)
	case SrcPort:
		box.SrcPort = m.values
		narrow(box, tcpOrUDP)
	case ICMPType:
		box.ICMPType = m.values
		narrow(box, icmpOf(box.Version))
	case ICMPCode:
		box.ICMPCode = m.values
		narrow(box, icmpOf(box.Version))
	case TCPFlags:
		box.Flags = m.flags
		narrow(box, onlyTCP)
	case PacketLength:
		box.Length = m.values
	case DSCP:
		box.DSCP = m.values
	case Fragment:
		box.Frags &= m.frags
	case FlowLabel:
		box.Label = m.values
	}
}

// narrow restricts box to packets that carry the transport header of one of protos: "the offset must be 0", RFC 8955
// §4.2.2.4 and the sections after it.
func narrow(box *packet.Box, protos packet.Values) {
	box.Proto = box.Proto.And(protos)
	box.Frags &= packet.OffsetZero
}

func icmpOf(v packet.Version) packet.Values {
	if v == packet.IPv6 {
		return onlyICMPv6
	}
	return onlyICMP
}

func (p Prefix) addrs(row *packet.Row) packet.Addrs {
	if p.Offset == 0 {
		return row.AddrsIn(netip.PrefixFrom(p.Addr, int(p.Len)))
	}
	return packet.AddrsLike(p.Addr, netip.AddrFrom16(p.mask()))
}

// Values returns the numbers that the terms of a numeric component let through, within the field's range: nil when
// that is every number. Values beyond the field are compared as integers, so `<300` is true of every protocol.
func (c Component) Values() packet.Values {
	var row packet.Row
	return values(&row, c.Type, c.Terms)
}

func values(row *packet.Row, t Type, terms []Term) packet.Values {
	limit := t.Max()
	var buf [16]packet.Span
	spans := buf[:0]
	for len(terms) > 0 {
		n := groupLen(terms)
		spans = appendGroup(spans, terms[:n], limit)
		terms = terms[n:]
	}
	v := row.Values(spans...)
	if len(v) == 1 && v[0] == (packet.Span{Lo: 0, Hi: limit}) {
		return nil
	}
	return v
}

// groupLen returns how many of the first terms AND joins. The list is true when one such group is.
func groupLen(terms []Term) int {
	n := 1
	for n < len(terms) && terms[n].And {
		n++
	}
	return n
}

// appendGroup appends the numbers 0..limit for which every term of group is true. Each operator is a range, or
// everything but one number (RFC 8955 §4.2.1.1), so a group is one range with holes.
func appendGroup(spans []packet.Span, group []Term, limit uint32) []packet.Span {
	if len(group) == 1 && group[0].Op == EQ {
		if v := group[0].Value; v <= uint64(limit) {
			spans = append(spans, packet.Span{Lo: uint32(v), Hi: uint32(v)})
		}
		return spans
	}
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
func flags(terms []Term) packet.Flags {
	result := packet.FlagsAny(0) // none
	for first := true; len(terms) > 0; first = false {
		n := groupLen(terms)
		all := terms[0].flags()
		for _, t := range terms[1:n] {
			all = all.And(t.flags())
		}
		if first {
			result = all
		} else {
			result = result.Or(all)
		}
		terms = terms[n:]
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
func frags(terms []Term) packet.Frags {
	var result packet.Frags
	for len(terms) > 0 {
		n := groupLen(terms)
		all := packet.AnyFrags
		for _, t := range terms[:n] {
			all &= t.frags()
		}
		result |= all
		terms = terms[n:]
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
