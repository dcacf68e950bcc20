package proof_test

import (
	"encoding/binary"
	"net/netip"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// The direct evaluator reads RFC 8955 §4.2 once more, packet by packet and term by term. It knows nothing of sets; rules are read once
// into conditions, so that a hundred million packets are a matter of minutes.

// probe is a packet as the evaluator reads it.
type probe struct {
	packet.Header
	v6       bool
	dst, src [2]uint64
}

func (p *probe) read(h packet.Header) {
	*p = probe{Header: h, v6: !h.Src.Is4(), dst: words(h.Dst), src: words(h.Src)}
}

// words returns the bits of an address, the first one the highest of the first word; an IPv4 address is the first 32 bits.
func words(a netip.Addr) [2]uint64 {
	if a.Is4() {
		b := a.As4()
		return [2]uint64{uint64(binary.BigEndian.Uint32(b[:])) << 32, 0}
	}
	b := a.As16()
	return [2]uint64{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

// bitsBetween has the bits from..to-1 set, counted from the highest.
func bitsBetween(from, to int) (w [2]uint64) {
	for i := from; i < to; i++ {
		w[i/64] |= 1 << (63 - i%64)
	}
	return w
}

// condition is one component of a rule.
type condition struct {
	typ        flowspec.Type
	terms      []flowspec.Term
	bits, mask [2]uint64 // of a prefix
}

// matcher is a rule's match, or that of a filter entry on a platform.
type matcher struct {
	v6         bool
	conditions []condition
	entry      *filter.Match
	means      filter.Semantics
}

func matcherOf(m flowspec.Match) matcher {
	out := matcher{v6: m.Family() == flowspec.IPv6}
	for c := range m.All() {
		one := condition{typ: c.Type, terms: c.Terms}
		if c.Type <= flowspec.SrcPrefix {
			one.bits, one.mask = words(c.Prefix.Addr), bitsBetween(int(c.Prefix.Offset), int(c.Prefix.Len))
		}
		out.conditions = append(out.conditions, one)
	}
	return out
}

func (m *matcher) matches(p *probe) bool {
	if m.v6 != p.v6 {
		return false
	}
	if m.entry != nil {
		return entryMatches(m.entry, m.means, p)
	}
	for i := range m.conditions {
		if !m.conditions[i].holds(p) {
			return false
		}
	}
	return true
}

// holds says whether p passes one component. What the packet lacks matches nothing: ports, flags and ICMP fields need their protocol, and an
// offset of zero.
func (c *condition) holds(p *probe) bool {
	if c.needsTransport() && (p.Fragment == packet.Middle || p.Fragment == packet.Last || !c.isOf(p.Proto, p.v6)) {
		return false
	}
	switch c.typ {
	case flowspec.DstPrefix:
		return c.covers(p.dst)
	case flowspec.SrcPrefix:
		return c.covers(p.src)
	case flowspec.Port:
		return c.lets(uint64(p.SrcPort)) || c.lets(uint64(p.DstPort))
	case flowspec.Fragment:
		return c.lets(fragmentBits(p.Fragment, p.DF))
	}
	return c.lets(p.number(c.typ))
}

func (c *condition) needsTransport() bool {
	return c.typ >= flowspec.Port && c.typ <= flowspec.TCPFlags
}

// isOf says whether packets of protocol proto have the field that c looks at.
func (c *condition) isOf(proto uint8, v6 bool) bool {
	switch c.typ {
	case flowspec.TCPFlags:
		return proto == 6
	case flowspec.ICMPType, flowspec.ICMPCode:
		return proto == 58 && v6 || proto == 1 && !v6
	}
	return proto == 6 || proto == 17
}

func (c *condition) covers(a [2]uint64) bool {
	return (a[0]^c.bits[0])&c.mask[0] == 0 && (a[1]^c.bits[1])&c.mask[1] == 0
}

// number returns the field of p that components of type t look at.
func (p *probe) number(t flowspec.Type) uint64 {
	switch t {
	case flowspec.Protocol:
		return uint64(p.Proto)
	case flowspec.DstPort:
		return uint64(p.DstPort)
	case flowspec.SrcPort:
		return uint64(p.SrcPort)
	case flowspec.ICMPType:
		return uint64(p.ICMPType)
	case flowspec.ICMPCode:
		return uint64(p.ICMPCode)
	case flowspec.TCPFlags:
		return uint64(p.Flags)
	case flowspec.PacketLength:
		return uint64(p.Length)
	case flowspec.DSCP:
		return uint64(p.DSCP)
	}
	return uint64(p.Label)
}

// fragmentBits are DF 1, IsF 2, FF 4 and LF 8 (RFC 8955 §4.2.2.12).
func fragmentBits(f packet.Fragment, df bool) uint64 {
	bits := [...]uint64{packet.Whole: 0, packet.First: 4, packet.Middle: 2, packet.Last: 10}[f]
	if df {
		bits |= 1
	}
	return bits
}

// lets evaluates the list on x: AND binds tighter than OR.
func (c *condition) lets(x uint64) bool {
	all := true
	for i := range c.terms {
		t := &c.terms[i]
		if i > 0 && !t.And {
			if all {
				return true
			}
			all = true
		}
		all = all && c.holdsTerm(t, x)
	}
	return all
}

func (c *condition) holdsTerm(t *flowspec.Term, x uint64) bool {
	v := t.Value
	switch c.typ {
	case flowspec.TCPFlags, flowspec.Fragment:
		if c.typ == flowspec.Fragment {
			v &= 15
		}
		switch t.Op {
		case 0:
			return x&v != 0
		case 1:
			return x&v == v
		case 2:
			return x&v == 0
		}
		return x&v != v
	case flowspec.DSCP:
		v &= 63
	}
	return t.Op&4 != 0 && x < v || t.Op&2 != 0 && x > v || t.Op&1 != 0 && x == v
}

// entryMatches says whether p passes a filter entry on a platform of those semantics. What the platform does not check, it reads from whatever
// stands there: a packet of any protocol has numbers where the ports would be.
func entryMatches(m *filter.Match, means filter.Semantics, p *probe) bool {
	ports := m.Port != nil || m.DstPort != nil || m.SrcPort != nil
	icmp := m.ICMPType != nil || m.ICMPCode != nil
	isICMP := p.Proto == 1 && !p.v6 || p.Proto == 58 && p.v6
	switch {
	case ports && means.PortsCheckProtocol && p.Proto != 6 && p.Proto != 17,
		m.Flags != nil && means.FlagsCheckProtocol && p.Proto != 6,
		icmp && means.ICMPChecksProtocol && !isICMP,
		(ports || icmp || m.Flags != nil) && means.TransportChecksOffset && p.Fragment >= packet.Middle:
		return false
	}
	state := packet.Frags(1) << p.Fragment
	if p.DF {
		state <<= 4
	}
	flags := m.Flags == nil
	for _, f := range m.Flags {
		flags = flags || p.Flags&f.Set == f.Set && p.Flags&f.Clear == 0
	}
	return flags && (m.Fragments == 0 || m.Fragments&state != 0) && inPrefix(m.Dst, p.dst) && inPrefix(m.Src, p.src) &&
		inSpans(m.Proto, uint32(p.Proto)) && inSpans(m.DstPort, uint32(p.DstPort)) && inSpans(m.SrcPort, uint32(p.SrcPort)) &&
		(inSpans(m.Port, uint32(p.SrcPort)) || inSpans(m.Port, uint32(p.DstPort))) &&
		inSpans(m.ICMPType, uint32(p.ICMPType)) && inSpans(m.ICMPCode, uint32(p.ICMPCode)) &&
		inSpans(m.Length, uint32(p.Length)) && inSpans(m.DSCP, uint32(p.DSCP)) && inSpans(m.Label, p.Label)
}

func inPrefix(p *netip.Prefix, a [2]uint64) bool {
	if p == nil {
		return true
	}
	c := condition{bits: words(p.Addr()), mask: bitsBetween(0, p.Bits())}
	return c.covers(a)
}

func inSpans(spans packet.Values, n uint32) bool {
	for _, s := range spans {
		if n >= s.Lo && n <= s.Hi {
			return true
		}
	}
	return spans == nil
}
