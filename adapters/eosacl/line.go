package eosacl

import (
	"net/netip"
	"strconv"

	"github.com/sluice-gateway/sluice/adapters/internal/ciscoacl"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// conditions returns what a line says of m behind permit or deny, but for fragments. Each error names the condition that cannot be said.
func conditions(m filter.Match, v packet.Version) ([]ciscoacl.Statement, error) {
	w := writer{ciscoacl.Writer{V: v, Spell: &spelling}}
	if v == packet.IPv6 {
		w.addressesOnly(m)
	}
	w.Guarded(m)
	w.protocol(m.Proto)
	w.end("source", m.Src, m.SrcPort)
	w.end("destination", m.Dst, m.DstPort)
	w.icmp(m)
	w.dscp(m.DSCP)
	if m.Flags != nil {
		w.Refuse("tcp-flags: lines name flags without a sign, and whether a packet needs all of them or any is not documented")
	}
	if m.Length != nil {
		w.Refuse("packet-length: Arista says that access lists have such a condition, but no source says how it is written")
	}
	if m.Label != nil {
		w.Refuse("flow-label: no source has such a condition")
	}
	return w.Out, w.Err()
}

// writer writes the conditions of a line.
type writer struct{ ciscoacl.Writer }

func (w *writer) say(element, text string) {
	w.Out = append(w.Out, ciscoacl.Leaf(element, text, text))
}

// addressesOnly refuses what an IPv6 line cannot say exactly.
func (w *writer) addressesOnly(m filter.Match) {
	if m.Proto != nil || m.Transport() {
		w.Refuse("protocol: whether the protocol of an IPv6 line is the one behind extension headers is not documented, nor is there a condition that keeps ports off later fragments")
	}
	if m.DSCP != nil {
		w.Refuse("dscp: no source has it in an IPv6 line")
	}
}

// protocol writes the first word of a line behind its action. "0" may be another way to write the protocol that stands for any, so it is not written.
func (w *writer) protocol(vs packet.Values) {
	if vs == nil {
		w.say("protocol", spelling.Any[w.V])
		return
	}
	switch n, ok := w.Number("protocol", vs); {
	case !ok:
	case n == 0:
		w.Refuse("protocol: whether a line takes 0 for a protocol, or for any, is not documented")
	default:
		w.say("protocol", protocolName(n))
	}
}

// end writes the address of one side, and its port.
func (w *writer) end(side string, p *netip.Prefix, ports packet.Values) {
	switch {
	case p == nil || p.Bits() == 0:
		w.say(side, "any")
	case p.IsSingleIP():
		w.say(side, "host "+p.Addr().String())
	default:
		w.say(side, p.String())
	}
	if ports == nil {
		return
	}
	if s, ok := w.Single(side+"-port", ports); ok {
		w.say(side+"-port", span(s))
	}
}

// span writes one port or one range, as short as an operator would.
func span(s packet.Span) string {
	switch {
	case s.Lo == s.Hi:
		return "eq " + number(s.Lo)
	case s.Lo > 0 && s.Hi == 65535:
		return "gt " + number(s.Lo-1)
	case s.Lo == 0 && s.Hi < 65535:
		return "lt " + number(s.Hi+1)
	}
	return "range " + number(s.Lo) + " " + number(s.Hi)
}

func number(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

// icmp writes a type, and a code behind it.
func (w *writer) icmp(m filter.Match) {
	if m.ICMPType == nil && m.ICMPCode == nil {
		return
	}
	if m.ICMPType == nil {
		w.Refuse("icmp-code: a line takes a code only behind a type")
		return
	}
	if n, ok := w.Number("icmp-type", m.ICMPType); ok {
		w.say("icmp-type", number(n))
	}
	if m.ICMPCode == nil {
		return
	}
	if n, ok := w.Number("icmp-code", m.ICMPCode); ok {
		w.say("icmp-code", number(n))
	}
}

func (w *writer) dscp(vs packet.Values) {
	if vs == nil {
		return
	}
	if n, ok := w.Number("dscp", vs); ok {
		w.say("dscp", "dscp "+number(n))
	}
}
