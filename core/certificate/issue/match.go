package issue

import (
	"fmt"
	"net/netip"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// strict is a platform whose filter looks at all that is looked at for a route (RFC 8955 §4.2.2).
var strict = filter.Semantics{PortsCheckProtocol: true, FlagsCheckProtocol: true, ICMPChecksProtocol: true, TransportChecksOffset: true}

// matchOf returns the NLRI that asks for the same fields as an entry of a filter, and the same values of each. That it does is tried: on a strict platform both match
// the same packets. The error is about an entry that no NLRI has room for.
func matchOf(m *filter.Match, family flowspec.Family) (flowspec.Match, error) {
	var all []flowspec.Component
	for t, p := range map[flowspec.Type]*netip.Prefix{flowspec.DstPrefix: m.Dst, flowspec.SrcPrefix: m.Src} {
		if p != nil {
			all = append(all, flowspec.Component{Type: t, Prefix: flowspec.Prefix{Addr: p.Addr(), Len: uint8(p.Bits())}})
		}
	}
	for t, v := range []packet.Values{flowspec.Protocol: m.Proto, flowspec.Port: m.Port, flowspec.DstPort: m.DstPort, flowspec.SrcPort: m.SrcPort,
		flowspec.ICMPType: m.ICMPType, flowspec.ICMPCode: m.ICMPCode, flowspec.PacketLength: m.Length, flowspec.DSCP: m.DSCP, flowspec.FlowLabel: m.Label} {
		if v != nil {
			all = append(all, flowspec.Component{Type: flowspec.Type(t), Terms: numbers(v)})
		}
	}
	if m.Flags != nil {
		all = append(all, flowspec.Component{Type: flowspec.TCPFlags, Terms: flags(m.Flags)})
	}
	if m.Fragments != 0 {
		all = append(all, flowspec.Component{Type: flowspec.Fragment, Terms: fragments(m.Fragments, family)})
	}
	if all == nil { // an NLRI has a component
		any := netip.IPv4Unspecified()
		if family == flowspec.IPv6 {
			any = netip.IPv6Unspecified()
		}
		all = append(all, flowspec.Component{Type: flowspec.DstPrefix, Prefix: flowspec.Prefix{Addr: any}})
	}
	out, err := flowspec.NewMatch(family, flowspec.RD{}, all...)
	if err == nil && !out.Set().Equal(m.Set(family.Version(), strict)) {
		err = fmt.Errorf("written as %s it is another match", out)
	}
	return out, err
}

// either is a list that is true where one of terms is; without terms it is never true.
func either(terms []flowspec.Term) []flowspec.Term {
	if terms == nil {
		return []flowspec.Term{{Op: flowspec.False}}
	}
	return terms
}

func numbers(v packet.Values) (out []flowspec.Term) {
	for _, s := range v {
		if s.Lo == s.Hi {
			out = append(out, flowspec.Term{Op: flowspec.EQ, Value: uint64(s.Lo)})
			continue
		}
		out = append(out, flowspec.Term{Op: flowspec.GE, Value: uint64(s.Lo)}, flowspec.Term{And: true, Op: flowspec.LE, Value: uint64(s.Hi)})
	}
	return either(out)
}

func flags(terms []filter.FlagTerm) (out []flowspec.Term) {
	for _, t := range terms {
		out = append(out, flowspec.Term{Op: flowspec.AllBits, Value: uint64(t.Set)})
		if t.Clear != 0 {
			out = append(out, flowspec.Term{And: true, Op: flowspec.NoBit, Value: uint64(t.Clear)})
		}
	}
	return either(out)
}

// fragments spells states in the bits of RFC 8955 §4.2.2.12: DF 1, IsF 2, FF 4, LF 8. A later fragment has IsF, and the last one LF as well. IPv6 has no DF.
func fragments(states packet.Frags, family flowspec.Family) (out []flowspec.Term) {
	is := func(op flowspec.Op, bits uint64) flowspec.Term { return flowspec.Term{Op: op, Value: bits} }
	and := func(op flowspec.Op, bits uint64) flowspec.Term { return flowspec.Term{And: true, Op: op, Value: bits} }
	for f, bits := range [][]flowspec.Term{
		packet.Whole: {is(flowspec.NoBit, 14)}, packet.First: {is(flowspec.AllBits, 4)},
		packet.Middle: {is(flowspec.AllBits, 2), and(flowspec.NoBit, 8)}, packet.Last: {is(flowspec.AllBits, 8)},
	} {
		without, with := states&packet.FragsOf(packet.Fragment(f), false) != 0, states&packet.FragsOf(packet.Fragment(f), true) != 0
		switch {
		case !without && (!with || family == flowspec.IPv6):
			continue
		case family == flowspec.IPv6 || with && without:
		case with:
			bits = append(bits, and(flowspec.AllBits, 1))
		default:
			bits = append(bits, and(flowspec.NoBit, 1))
		}
		out = append(out, bits...)
	}
	return either(out)
}
