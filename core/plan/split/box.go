package split

import (
	"math/bits"
	"net/netip"
	"slices"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// Bounds of what a box becomes: more prefixes or flag patterns than these make more rules than a remedy is worth.
const (
	mostPrefixes = 8
	mostFlagBits = 6
)

// Boxes returns rules of family f whose packets are those of the boxes of set, in any operators and lists of any length: Parts then makes them fit.
// set is what rules match or do not match: whether a packet is in it does not depend on fields that the packet lacks. It returns false where the
// addresses are too many prefixes, or where no list of flags says what a box does. The rules may overlap.
func Boxes(f flowspec.Family, set packet.Set) (out [][]flowspec.Component, ok bool) {
	for _, b := range set.Boxes() {
		for _, cell := range cells(b, nil) {
			rules, ok := restate(f, cell)
			if !ok {
				return nil, false
			}
			out = append(out, rules...)
		}
	}
	return out, true
}

var tcp, udp = packet.Span{Lo: 6, Hi: 6}, packet.Span{Lo: 17, Hi: 17}

// carriers returns the protocols whose packets have every field that b looks at behind the IP header; nil: it looks at none.
func carriers(b *packet.Box) packet.Values {
	icmp := packet.Span{Lo: 1, Hi: 1}
	if b.Version == packet.IPv6 {
		icmp = packet.Span{Lo: 58, Hi: 58}
	}
	var out packet.Values
	if !b.SrcPort.Any() || !b.DstPort.Any() {
		out = packet.NewValues(tcp, udp)
	}
	if !b.Flags.Any() {
		out = out.And(packet.NewValues(tcp))
	}
	if !b.ICMPType.Any() || !b.ICMPCode.Any() {
		out = out.And(packet.NewValues(icmp))
	}
	return out
}

// cells appends to out b in pieces that only look at fields that all their packets have. In the free space of a box every packet has every
// field; where the real one has not, the fields say nothing.
func cells(b packet.Box, out []packet.Box) []packet.Box {
	if b.Empty() {
		return out
	}
	protos := carriers(&b)
	if protos == nil {
		return append(out, b)
	}
	if later := b.Frags &^ packet.OffsetZero; later != 0 {
		rest := b
		rest.Frags = later
		rest.SrcPort, rest.DstPort, rest.ICMPType, rest.ICMPCode, rest.Flags = nil, nil, nil, nil, packet.Flags{}
		out = append(out, rest)
		if b.Frags &= packet.OffsetZero; b.Frags == 0 {
			return out
		}
	}
	whole := b
	if whole.Proto = b.Proto.And(protos); !whole.Proto.Empty() {
		out = append(out, whole)
	}
	if b.Proto = b.Proto.Sub(protos, 255); b.Proto.Empty() {
		return out
	}
	// Of the other protocols some have the ports, and none has all of it.
	if ports := b.Proto.And(packet.NewValues(tcp, udp)); !ports.Empty() && (!b.SrcPort.Any() || !b.DstPort.Any()) {
		some := b
		some.Proto, some.ICMPType, some.ICMPCode = ports, nil, nil
		if !b.Proto.Has(6) {
			some.Flags = packet.Flags{}
		}
		out = cells(some, out)
		b.Proto = b.Proto.Sub(packet.NewValues(tcp, udp), 255)
	}
	b.SrcPort, b.DstPort, b.Flags = nil, nil, packet.Flags{}
	return cells(b, out)
}

// restate returns b, one of cells, as rules: one for each choice of prefixes. What a component asks for by itself (a port: TCP or UDP, offset
// zero) is not said again.
func restate(f flowspec.Family, b packet.Box) ([][]flowspec.Component, bool) {
	var rest []flowspec.Component
	number := func(t flowspec.Type, v packet.Values) {
		if !v.Any() {
			rest = append(rest, flowspec.Component{Type: t, Terms: listTerms(v, top(t))})
		}
	}
	protos := carriers(&b)
	header := protos != nil
	if !header || !slices.Equal(b.Proto, protos) {
		number(flowspec.Protocol, b.Proto)
	}
	number(flowspec.DstPort, b.DstPort)
	number(flowspec.SrcPort, b.SrcPort)
	number(flowspec.ICMPType, b.ICMPType)
	number(flowspec.ICMPCode, b.ICMPCode)
	if !b.Flags.Any() {
		terms, ok := flagTerms(b.Flags)
		if !ok {
			return nil, false
		}
		rest = append(rest, flowspec.Component{Type: flowspec.TCPFlags, Terms: terms})
	}
	number(flowspec.PacketLength, b.Length)
	number(flowspec.DSCP, b.DSCP)
	states := b.Frags & everyState(f)
	if implied := header && states == packet.OffsetZero&everyState(f); !implied && states != everyState(f) {
		rest = append(rest, flowspec.Component{Type: flowspec.Fragment, Terms: fragTerms(f, states)})
	}
	if b.Version == packet.IPv6 {
		number(flowspec.FlowLabel, b.Label)
	}
	return withPrefixes(b, rest)
}

// withPrefixes puts the addresses of b in front of the other components.
func withPrefixes(b packet.Box, rest []flowspec.Component) ([][]flowspec.Component, bool) {
	dst, ok := prefixes(flowspec.DstPrefix, b.Dst, b.Version)
	src, fine := prefixes(flowspec.SrcPrefix, b.Src, b.Version)
	if !ok || !fine || len(dst)*len(src) > mostPrefixes {
		return nil, false
	}
	var out [][]flowspec.Component
	for _, d := range dst {
		for _, s := range src {
			var one []flowspec.Component
			one = append(append(append(one, d...), s...), rest...)
			if len(one) == 0 { // a rule has a component: every destination
				one = append(one, flowspec.Component{Type: flowspec.DstPrefix, Prefix: flowspec.Prefix{Addr: zero(b.Version)}})
			}
			out = append(out, one)
		}
	}
	return out, true
}

func zero(v packet.Version) netip.Addr {
	if v == packet.IPv4 {
		return netip.AddrFrom4([4]byte{})
	}
	return netip.IPv6Unspecified()
}

// prefixes returns the choices of one address component: none for every address, or one prefix each.
func prefixes(t flowspec.Type, a packet.Addrs, v packet.Version) (out [][]flowspec.Component, ok bool) {
	if a.Any() {
		return [][]flowspec.Component{nil}, true
	}
	list, ok := a.Prefixes(v, mostPrefixes)
	for _, p := range list {
		out = append(out, []flowspec.Component{{Type: t, Prefix: flowspec.Prefix{Addr: p.Addr(), Len: uint8(p.Bits())}}})
	}
	return out, ok
}

// listTerms says v as single numbers, half-lines and ranges.
func listTerms(v packet.Values, top uint32) (out []flowspec.Term) {
	for _, s := range v {
		switch {
		case s.Lo == s.Hi:
			out = append(out, flowspec.Term{Op: flowspec.EQ, Value: uint64(s.Lo)})
		case s.Lo == 0:
			out = append(out, flowspec.Term{Op: flowspec.LE, Value: uint64(s.Hi)})
		case s.Hi >= top:
			out = append(out, flowspec.Term{Op: flowspec.GE, Value: uint64(s.Lo)})
		default:
			out = append(out, flowspec.Term{Op: flowspec.GE, Value: uint64(s.Lo)}, flowspec.Term{And: true, Op: flowspec.LE, Value: uint64(s.Hi)})
		}
	}
	return out
}

// flagTerms says flags as patterns of bits that are set and bits that are clear, one for each combination of the bits that matter.
func flagTerms(flags packet.Flags) (out []flowspec.Term, ok bool) {
	matters := flags.Matter()
	if n := bits.OnesCount16(matters); n == 0 || n > mostFlagBits {
		return nil, false
	}
	for set := matters; ; set = (set - 1) & matters {
		if flags.Has(set) {
			out = append(out, patternTerms(set, matters&^set)...)
		}
		if set == 0 {
			return out, len(out) > 0
		}
	}
}

// patternTerms says one pattern: all bits of set, none of clear.
func patternTerms(set, clear uint16) (out []flowspec.Term) {
	if set != 0 {
		out = append(out, flowspec.Term{Op: flowspec.AllBits, Value: uint64(set)})
	}
	if clear != 0 {
		out = append(out, flowspec.Term{And: set != 0, Op: flowspec.NoBit, Value: uint64(clear)})
	}
	return out
}

// fragTerms says fragment states one by one.
func fragTerms(f flowspec.Family, want packet.Frags) (out []flowspec.Term) {
	names := fragBits(f)
	for i, d := range stateBits {
		if want&(1<<i) != 0 {
			out = append(out, patternTerms(d&names, names&^d)...)
		}
	}
	return out
}
