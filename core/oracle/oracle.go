// Package oracle says whether a packet passes a rule or an entry of a filter. It is for tests: it reads RFC 8955 §4.2 and RFC 8956 §3 once more, packet by
// packet and term by term, and knows nothing of sets, so that a mistake in how sets are made is seen. Nothing that sluice does may rest on it.
package oracle

import (
	"net/netip"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// Rule says whether a packet passes every component of m.
func Rule(m flowspec.Match, h packet.Header) bool {
	if m.Family().Version() == packet.IPv4 != h.Src.Is4() {
		return false
	}
	for c := range m.All() {
		if !Component(c, h) {
			return false
		}
	}
	return true
}

// Component says whether a packet passes c, whose IP version is that of the packet. IPv6 prefixes have no offset.
func Component(c flowspec.Component, h packet.Header) bool {
	transport := h.Fragment == packet.Whole || h.Fragment == packet.First
	portful := transport && (h.Proto == 6 || h.Proto == 17)
	icmp := transport && (h.Src.Is4() && h.Proto == 1 || h.Src.Is6() && h.Proto == 58)
	number := func(v uint64) bool { return anyOf(c, func(t flowspec.Term) bool { return compares(c.Type, t, v) }) }
	switch c.Type {
	case flowspec.DstPrefix:
		return netip.PrefixFrom(c.Prefix.Addr, int(c.Prefix.Len)).Contains(h.Dst)
	case flowspec.SrcPrefix:
		return netip.PrefixFrom(c.Prefix.Addr, int(c.Prefix.Len)).Contains(h.Src)
	case flowspec.Protocol:
		return number(uint64(h.Proto))
	case flowspec.Port:
		return portful && (number(uint64(h.SrcPort)) || number(uint64(h.DstPort)))
	case flowspec.DstPort:
		return portful && number(uint64(h.DstPort))
	case flowspec.SrcPort:
		return portful && number(uint64(h.SrcPort))
	case flowspec.ICMPType:
		return icmp && number(uint64(h.ICMPType))
	case flowspec.ICMPCode:
		return icmp && number(uint64(h.ICMPCode))
	case flowspec.PacketLength:
		return number(uint64(h.Length))
	case flowspec.DSCP:
		return number(uint64(h.DSCP))
	case flowspec.FlowLabel:
		return number(uint64(h.Label))
	case flowspec.TCPFlags:
		return transport && h.Proto == 6 && anyOf(c, func(t flowspec.Term) bool { return masks(t, uint64(h.Flags), t.Value) })
	}
	bits := [...]uint64{packet.Whole: 0, packet.First: 4, packet.Middle: 2, packet.Last: 10}[h.Fragment]
	known := uint64(15)
	if h.DF {
		bits |= 1
	}
	if h.Src.Is6() {
		known = 14
	}
	return anyOf(c, func(t flowspec.Term) bool { return masks(t, bits, t.Value&known) })
}

// anyOf evaluates a list: AND binds tighter than OR.
func anyOf(c flowspec.Component, holds func(flowspec.Term) bool) bool {
	any, all := false, true
	for i, t := range c.Terms {
		if i > 0 && !t.And {
			any, all = any || all, true
		}
		all = all && holds(t)
	}
	return any || all
}

func compares(typ flowspec.Type, t flowspec.Term, x uint64) bool {
	v := t.Value
	if typ == flowspec.DSCP {
		v &= 63
	}
	return t.Op&4 != 0 && x < v || t.Op&2 != 0 && x > v || t.Op&1 != 0 && x == v
}

func masks(t flowspec.Term, d, v uint64) bool {
	switch t.Op {
	case flowspec.AnyBit:
		return d&v != 0
	case flowspec.AllBits:
		return d&v == v
	case flowspec.NoBit:
		return d&v == 0
	}
	return d&v != v
}

// Entry says whether a packet passes a filter entry on a platform that checks neither protocol nor fragment offset by itself.
func Entry(m filter.Match, h packet.Header) bool {
	in := func(v packet.Values, n uint32) bool { return v == nil || v.Has(n) }
	state := packet.Frags(1) << h.Fragment
	if h.DF {
		state <<= 4
	}
	flags := len(m.Flags) == 0
	for _, f := range m.Flags {
		flags = flags || h.Flags&f.Set == f.Set && h.Flags&f.Clear == 0
	}
	return flags && (m.Fragments == 0 || m.Fragments&state != 0) &&
		(m.Dst == nil || m.Dst.Contains(h.Dst)) && (m.Src == nil || m.Src.Contains(h.Src)) &&
		in(m.Proto, uint32(h.Proto)) && in(m.DstPort, uint32(h.DstPort)) && in(m.SrcPort, uint32(h.SrcPort)) &&
		(in(m.Port, uint32(h.SrcPort)) || in(m.Port, uint32(h.DstPort))) &&
		in(m.ICMPType, uint32(h.ICMPType)) && in(m.ICMPCode, uint32(h.ICMPCode)) &&
		in(m.Length, uint32(h.Length)) && in(m.DSCP, uint32(h.DSCP)) && in(m.Label, h.Label)
}
