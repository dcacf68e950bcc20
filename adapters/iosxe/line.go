package iosxe

import (
	"net/netip"
	"slices"
	"strconv"

	"github.com/sluice-gateway/sluice/adapters/internal/ciscoacl"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// statement is one node of the configuration.
type statement = ciscoacl.Statement

func leaf(element, text, value string) statement { return ciscoacl.Leaf(element, text, value) }

// conditions returns what a line says of m behind permit or deny, but for fragments. Each error names the condition that cannot be said.
func conditions(m filter.Match, v packet.Version) ([]statement, error) {
	w := writer{ciscoacl.Writer{V: v, Spell: &spelling}}
	w.Guarded(m)
	w.protocol(m.Proto)
	w.end(ends[v][0], m.Src, m.SrcPort)
	w.end(ends[v][1], m.Dst, m.DstPort)
	w.icmp(m)
	w.flags(m.Flags)
	w.leaf("dscp", "dscp", m.DSCP)
	w.label(m.Label)
	if m.Length != nil {
		w.Refuse("packet-length: an access list has no such condition")
	}
	return w.Out, w.Err()
}

// writer writes the statements of a line.
type writer struct{ ciscoacl.Writer }

func (w *writer) say(s ...statement) { w.Out = append(w.Out, s...) }

// protocol writes the first word of a line behind its action. "0" may be another way to write the protocol that stands for any, so it is not written.
func (w *writer) protocol(vs packet.Values) {
	name := spelling.Any[w.V]
	if vs != nil {
		n, ok := w.Number("protocol", vs)
		if !ok {
			return
		}
		if n == 0 {
			w.Refuse("protocol: whether a line takes 0 for a protocol, or for any, is not written down")
			return
		}
		if slices.Contains(spelling.Reserved[w.V], n) {
			w.Refuse("protocol: %d is an extension header in IPv6, and a rule means the protocol behind all of them", n)
			return
		}
		name = protocolName(n, w.V)
	}
	w.say(leaf("protocol", name, name))
}

// end is how the model spells one side of a line.
type end struct{ what, any, host, address, mask, port string }

// ends are source and destination; an IPv6 prefix is one leaf.
var ends = map[packet.Version][2]end{
	packet.IPv4: {
		{"source", "any", "host-address", "ipv4-address", "mask", "src"},
		{"destination", "dst-any", "dst-host-address", "dest-ipv4-address", "dest-mask", "dst"},
	},
	packet.IPv6: {
		{"source", "any", "source-host", "source-prefix", "", "src"},
		{"destination", "destination-any", "destination-host", "destination-prefix", "", "dst"},
	},
}

// end writes the address of one side, and its port.
func (w *writer) end(e end, p *netip.Prefix, ports packet.Values) {
	switch {
	case p == nil || p.Bits() == 0:
		w.say(statement{Element: e.any, Text: "any"})
	case p.IsSingleIP():
		a := p.Addr().String()
		w.say(leaf(e.host, "host "+a, a))
	case w.V == packet.IPv6:
		w.say(leaf(e.address, p.String(), p.String()))
	default:
		a, mask := p.Addr().String(), wildcard(p.Bits())
		w.say(leaf(e.address, a, a), leaf(e.mask, mask, mask))
	}
	if ports != nil {
		w.ports(e, ports)
	}
}

// wildcard is the mask of the bits that may differ in a prefix of that length.
func wildcard(bits int) string {
	free := uint32(uint64(1)<<(32-bits) - 1)
	return netip.AddrFrom4([4]byte{byte(free >> 24), byte(free >> 16), byte(free >> 8), byte(free)}).String()
}

// maxPorts is how many ports stand behind eq ("Named ACL Support for Noncontiguous Ports on an Access Control Entry"). For IPv6 no guide says it; nor does one say whether several
// behind neq mean none of them, so that neq has one.
const maxPorts = 10

// ports writes one range, one port that a packet's is not or, in IPv4, up to ten ports that it is one of.
func (w *writer) ports(e end, vs packet.Values) {
	if len(vs) == 1 && vs[0].Lo != vs[0].Hi {
		w.span(e, vs[0])
		return
	}
	op := "eq"
	if others := vs.Not(65535); !singles(vs) && len(others) == 1 && singles(others) {
		op, vs = "neq", others
	}
	switch {
	case len(vs) == 0, w.V == packet.IPv6 && len(vs) > 1:
		w.Single(e.what+"-port", vs)
		return
	case !singles(vs):
		w.Refuse("%s-port: a line takes one range, or up to %d single ports; write an entry for each", e.what, maxPorts)
		return
	}
	for i, s := range vs {
		n := strconv.FormatUint(uint64(s.Lo), 10)
		if i == 0 {
			w.say(leaf(e.port+"-"+op, op+" "+n, n))
			continue
		}
		w.say(leaf(e.port+"-"+op+"-port"+strconv.Itoa(i+1), n, n))
	}
}

// singles says whether vs is up to ten single ports.
func singles(vs packet.Values) bool {
	return len(vs) > 0 && len(vs) <= maxPorts && !slices.ContainsFunc(vs, func(s packet.Span) bool { return s.Lo != s.Hi })
}

// span writes one range of ports, as short as an operator would.
func (w *writer) span(e end, s packet.Span) {
	one := func(op string, n uint32) {
		text := strconv.FormatUint(uint64(n), 10)
		w.say(leaf(e.port+"-"+op, op+" "+text, text))
	}
	switch lo, hi := strconv.FormatUint(uint64(s.Lo), 10), strconv.FormatUint(uint64(s.Hi), 10); {
	case s.Lo > 0 && s.Hi == 65535:
		one("gt", s.Lo-1)
	case s.Lo == 0 && s.Hi < 65535:
		one("lt", s.Hi+1)
	default:
		w.say(leaf(e.port+"-range1", "range "+lo, lo), leaf(e.port+"-range2", hi, hi))
	}
}

// leaf writes one number.
func (w *writer) leaf(what, element string, vs packet.Values) {
	if vs == nil {
		return
	}
	if n, ok := w.Number(what, vs); ok {
		text := strconv.FormatUint(uint64(n), 10)
		w.say(leaf(element, element+" "+text, text))
	}
}

func (w *writer) label(vs packet.Values) {
	if vs != nil && w.V == packet.IPv4 {
		w.Refuse("flow-label: IPv4 has none")
		return
	}
	w.leaf("flow-label", "flow-label", vs)
}

// typeLeaf is the leaf of an ICMP type.
var typeLeaf = map[packet.Version]string{packet.IPv4: "msg-type", packet.IPv6: "msg-type-case"}

// icmp writes a type, and a code behind it.
func (w *writer) icmp(m filter.Match) {
	if m.ICMPType == nil && m.ICMPCode == nil {
		return
	}
	if m.ICMPType == nil {
		w.Refuse("icmp-code: a line takes a code only behind a type")
		return
	}
	for _, f := range []struct {
		what, element string
		values        packet.Values
	}{{"icmp-type", typeLeaf[w.V], m.ICMPType}, {"icmp-code", "msg-code", m.ICMPCode}} {
		if f.values == nil {
			continue
		}
		if n, ok := w.Number(f.what, f.values); ok {
			text := strconv.FormatUint(uint64(n), 10)
			w.say(leaf(f.element, text, text))
		}
	}
}

// flags writes one term with all of its flags, or several terms of one flag each, any of which may hold. An IPv6 line takes flags without a sign, and whether it wants all
// of them or any is not written down.
func (w *writer) flags(terms []filter.FlagTerm) {
	if terms == nil {
		return
	}
	if w.V == packet.IPv6 {
		w.Refuse("tcp-flags: an IPv6 access list has neither match-all nor match-any")
		return
	}
	word, bits := w.Flags(terms)
	if word == "" {
		return
	}
	s := statement{Element: word, Text: word}
	for _, b := range bits {
		s.Body = append(s.Body, statement{Element: flagLeaf(b), Text: b})
	}
	w.say(s)
}

// flagLeaf is the leaf of a flag that a line spells +syn or -ack.
func flagLeaf(bit string) string {
	if bit[0] == '+' {
		return "plus" + bit[1:]
	}
	return "minus" + bit[1:]
}
