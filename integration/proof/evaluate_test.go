package proof_test

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"

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

// condition is one component of a rule, or one of a filter entry.
type condition struct {
	typ        flowspec.Type
	terms      []flowspec.Term
	prefix     flowspec.Prefix
	bits, mask [2]uint64    // of prefix
	states     packet.Frags // the fragment states themselves, where there are no terms
	// A platform may read a field whatever the protocol is, and in later fragments, where other octets stand in its place.
	anyProtocol, anyOffset bool
}

func (c condition) String() string {
	if c.typ <= flowspec.SrcPrefix {
		return fmt.Sprintf("%s %s/%d from bit %d", c.typ, c.prefix.Addr, c.prefix.Len, c.prefix.Offset)
	}
	var parts []string
	for _, t := range c.terms {
		parts = append(parts, fmt.Sprintf("and %v op %d value %d", t.And, t.Op, t.Value))
	}
	return fmt.Sprintf("%s %s%08b", c.typ, strings.Join(parts, ", "), c.states)
}

// matcher is a rule's match, or that of a filter entry on a platform.
type matcher struct {
	v6         bool
	conditions []condition
}

func matcherOf(m flowspec.Match) matcher {
	out := matcher{v6: m.Family() == flowspec.IPv6}
	for c := range m.All() {
		out.conditions = append(out.conditions, conditionOf(c))
	}
	return out
}

func conditionOf(c flowspec.Component) condition {
	one := condition{typ: c.Type, terms: c.Terms, prefix: c.Prefix}
	if c.Type <= flowspec.SrcPrefix {
		one.bits, one.mask = words(c.Prefix.Addr), bitsBetween(int(c.Prefix.Offset), int(c.Prefix.Len))
	}
	return one
}

// entryMatcher reads a filter entry on a platform of those semantics. What the platform does not check, it reads from whatever stands
// there: a packet of any protocol has numbers where the ports would be.
func entryMatcher(v6 bool, m *filter.Match, means filter.Semantics) matcher {
	out := matcher{v6: v6}
	for i, p := range []*netip.Prefix{m.Dst, m.Src} {
		if p != nil {
			out.conditions = append(out.conditions, conditionOf(flowspec.Component{Type: flowspec.DstPrefix + flowspec.Type(i), Prefix: flowspec.Prefix{Addr: p.Addr(), Len: uint8(p.Bits())}}))
		}
	}
	list := func(t flowspec.Type, terms []flowspec.Term, checksProtocol bool) {
		if terms == nil { // a list that lets nothing through
			terms = []flowspec.Term{{Op: flowspec.False}}
		}
		out.conditions = append(out.conditions, condition{typ: t, terms: terms, anyProtocol: !checksProtocol, anyOffset: !means.TransportChecksOffset})
	}
	for _, one := range []struct {
		typ    flowspec.Type
		values packet.Values
		checks bool
	}{{flowspec.Protocol, m.Proto, false}, {flowspec.Port, m.Port, means.PortsCheckProtocol}, {flowspec.DstPort, m.DstPort, means.PortsCheckProtocol},
		{flowspec.SrcPort, m.SrcPort, means.PortsCheckProtocol}, {flowspec.ICMPType, m.ICMPType, means.ICMPChecksProtocol}, {flowspec.ICMPCode, m.ICMPCode, means.ICMPChecksProtocol},
		{flowspec.PacketLength, m.Length, false}, {flowspec.DSCP, m.DSCP, false}, {flowspec.FlowLabel, m.Label, false}} {
		if one.values == nil {
			continue
		}
		var terms []flowspec.Term
		for _, s := range one.values {
			terms = append(terms, flowspec.Term{Op: flowspec.GE, Value: uint64(s.Lo)}, flowspec.Term{And: true, Op: flowspec.LE, Value: uint64(s.Hi)})
		}
		list(one.typ, terms, one.checks)
	}
	if m.Flags != nil {
		var terms []flowspec.Term
		for _, f := range m.Flags {
			terms = append(terms, flowspec.Term{Op: flowspec.AllBits, Value: uint64(f.Set)}, flowspec.Term{And: true, Op: flowspec.NoBit, Value: uint64(f.Clear)})
		}
		list(flowspec.TCPFlags, terms, means.FlagsCheckProtocol)
	}
	if m.Fragments != 0 {
		out.conditions = append(out.conditions, condition{typ: flowspec.Fragment, states: m.Fragments})
	}
	return out
}

func (m *matcher) matches(p *probe) bool {
	if m.v6 != p.v6 {
		return false
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
	if c.looksBehind() && (!c.anyOffset && p.Fragment >= packet.Middle || !c.isOf(p.Proto, p.v6)) {
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
		return c.state(p.Fragment, p.DF)
	}
	return c.lets(p.number(c.typ))
}

// state says whether c lets a fragment state through.
func (c *condition) state(f packet.Fragment, df bool) bool {
	switch {
	case c.terms != nil:
		return c.lets(fragmentBits(f, df))
	case df:
		return c.states>>(4+f)&1 == 1
	}
	return c.states>>f&1 == 1
}

// looksBehind says whether c looks behind the IP header.
func (c *condition) looksBehind() bool {
	return c.typ >= flowspec.Port && c.typ <= flowspec.TCPFlags
}

// isOf says whether packets of protocol proto have the field that c looks at.
func (c *condition) isOf(proto uint8, v6 bool) bool {
	if c.anyProtocol {
		return true
	}
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
