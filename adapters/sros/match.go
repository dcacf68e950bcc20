package sros

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// conditions returns the `match` of an entry for m, all but the condition on fragments, in the order of the model. All that the language cannot say is in the error.
func conditions(m filter.Match, v packet.Version) ([]statement, error) {
	w := writer{v: v}
	w.dscp(m.DSCP)
	w.protocol(m)
	w.address("src-ip", m.Src)
	w.address("dst-ip", m.Dst)
	if m.Port != nil && (m.SrcPort != nil || m.DstPort != nil) {
		w.fault("port", "an entry has port, or source-port and destination-port, not both")
	}
	w.numbers("src-port", "source-port", m.SrcPort)
	w.numbers("dst-port", "destination-port", m.DstPort)
	w.numbers("port", "port", m.Port)
	w.flags(m.Flags)
	w.icmp(m)
	w.length(m.Length)
	if m.Label != nil {
		w.fault("flow-label", "a filter of type packet-length has no such condition")
	}
	return w.out, errors.Join(w.errs...)
}

type writer struct {
	v    packet.Version
	out  []statement
	errs []error
}

func (w *writer) fault(component, format string, args ...any) {
	w.errs = append(w.errs, fmt.Errorf(component+": "+format, args...))
}

// span returns the one span of vs. asked is false where there is no condition, or one that every number up to top fulfils, and where there are more spans than one, which is a fault.
func (w *writer) span(component string, vs packet.Values, top uint32) (s packet.Span, asked bool) {
	switch {
	case vs == nil:
		return s, false
	case len(vs) == 0:
		w.fault(component, "no number is left, the entry matches nothing")
		return s, false
	case len(vs) > 1:
		w.fault(component, "an entry takes one number or one range, not %d of them", len(vs))
		return s, false
	}
	return vs[0], vs[0] != packet.Span{Lo: 0, Hi: top}
}

// one returns the one number of vs.
func (w *writer) one(component string, vs packet.Values, top uint32) (n uint32, asked bool) {
	s, asked := w.span(component, vs, top)
	if asked && s.Lo != s.Hi {
		w.fault(component, "an entry takes one number, and no range")
		return 0, false
	}
	return s.Lo, asked
}

func (w *writer) dscp(vs packet.Values) {
	n, asked := w.one("dscp", vs, 63)
	switch {
	case vs != nil && w.v == packet.IPv4:
		w.fault("dscp", "a filter of type packet-length has no such condition in IPv4")
	case asked:
		w.out = append(w.out, leaf("dscp", dscpNames[n]))
	}
}

var tcpAndUDP = packet.Values{{Lo: protoTCP, Hi: protoTCP}, {Lo: protoUDP, Hi: protoUDP}}

// checkProtocol refuses conditions on a transport header without the protocols that have them.
func checkProtocol(m filter.Match, v packet.Version) error {
	is := func(numbers ...uint32) bool {
		return len(m.Proto) > 0 && !slices.ContainsFunc(m.Proto, func(s packet.Span) bool { return s.Lo != s.Hi || !slices.Contains(numbers, s.Lo) })
	}
	switch {
	case (m.Port != nil || m.SrcPort != nil || m.DstPort != nil) && !is(protoTCP, protoUDP):
		return errors.New("protocol: an entry with ports must name tcp or udp")
	case m.Flags != nil && !is(protoTCP):
		return errors.New("protocol: an entry with TCP flags must name tcp")
	case (m.ICMPType != nil || m.ICMPCode != nil) && !is(icmp(v)):
		return fmt.Errorf("protocol: an entry with ICMP fields must name %s", protocolName(icmp(v)))
	}
	return nil
}

// protocol writes the protocol.
func (w *writer) protocol(m filter.Match) {
	if err := checkProtocol(m, w.v); err != nil {
		w.errs = append(w.errs, err)
	}
	if slices.Equal(m.Proto, tcpAndUDP) {
		w.out = append(w.out, leaf(protocolLeaf(w.v), "tcp-udp"))
		return
	}
	if n, asked := w.one("protocol", m.Proto, 255); asked {
		w.out = append(w.out, leaf(protocolLeaf(w.v), protocolName(n)))
	}
}

// address writes one side. A prefix of all addresses is no condition.
func (w *writer) address(name string, p *netip.Prefix) {
	if p != nil && p.Bits() > 0 {
		w.out = append(w.out, container(name, leaf("address", p.String())))
	}
}

// numbers writes a condition on ports.
func (w *writer) numbers(name, component string, vs packet.Values) {
	if s, asked := w.span(component, vs, 65535); asked {
		w.out = append(w.out, container(name, compare(s, 65535)))
	}
}

// compare writes eq, lt, gt or a range, none of which is the whole field. lt and gt leave the number itself out.
func compare(s packet.Span, top uint32) statement {
	number := func(name string, n uint32) statement { return leaf(name, strconv.FormatUint(uint64(n), 10)) }
	switch {
	case s.Lo == s.Hi:
		return number("eq", s.Lo)
	case s.Lo == 0:
		return number("lt", s.Hi+1)
	case s.Hi == top:
		return number("gt", s.Lo-1)
	}
	return container("range", number("start", s.Lo), number("end", s.Hi))
}

// flags writes the bits that must be set, and those that must be clear.
func (w *writer) flags(terms []filter.FlagTerm) {
	if terms == nil {
		return
	}
	known := uint16(0)
	for _, f := range flagBits {
		known |= f.bit
	}
	if len(terms) != 1 {
		w.fault("tcp-flags", "an entry takes one term, not %d of them", len(terms))
		return
	}
	t := terms[0]
	switch {
	case t.Set&t.Clear != 0:
		w.fault("tcp-flags", "no packet has a flag set and clear at once")
		return
	case (t.Set|t.Clear)&^known != 0:
		w.fault("tcp-flags", "bits %#x; SR OS names the nine bits %#x", (t.Set|t.Clear)&^known, known)
		return
	}
	var bits []statement
	for _, f := range flagBits {
		if (t.Set|t.Clear)&f.bit != 0 {
			bits = append(bits, leaf(f.name, strconv.FormatBool(t.Set&f.bit != 0)))
		}
	}
	if len(bits) > 0 {
		w.out = append(w.out, container("tcp-flags", bits...))
	}
}

func (w *writer) icmp(m filter.Match) {
	var fields []statement
	if n, asked := w.one("icmp-code", m.ICMPCode, 255); asked {
		fields = append(fields, leaf("code", strconv.FormatUint(uint64(n), 10)))
	}
	if n, asked := w.one("icmp-type", m.ICMPType, 255); asked {
		fields = append(fields, leaf("type", strconv.FormatUint(uint64(n), 10)))
	}
	if len(fields) > 0 {
		w.out = append(w.out, container("icmp", fields...))
	}
}

// shortestIPv6 is the smallest length that a filter of IPv6 can be asked for (ipv6-match-packet-length-value): that of the header.
const shortestIPv6 = 40

// length writes the length of the whole packet, "including both the IP header and payload for IPv4 and IPv6".
func (w *writer) length(vs packet.Values) {
	s, asked := w.span("packet-length", vs, 65535)
	if !asked {
		return
	}
	if w.v == packet.IPv6 && (s.Lo > 0 && s.Lo < shortestIPv6 || s.Hi < shortestIPv6 || s == packet.Span{Lo: shortestIPv6, Hi: 65535}) {
		w.fault("packet-length", "%d-%d: lengths of IPv6 packets begin at %d", s.Lo, s.Hi, shortestIPv6)
		return
	}
	if w.v == packet.IPv6 && s.Lo == s.Hi && s.Hi == 65535 {
		w.fault("packet-length", "65535 stands for itself and all that is longer, which no entry says")
		return
	}
	w.out = append(w.out, container("packet-length", compare(s, 65535)))
}
