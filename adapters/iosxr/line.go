package iosxr

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// conditions returns what a line says of m behind permit or deny, but for fragments. Each error names the condition that cannot be said.
func conditions(m filter.Match, v packet.Version) ([]statement, error) {
	w := writer{v: v}
	w.guarded(m)
	w.protocol(m.Proto)
	w.end("source", m.Src, m.SrcPort)
	w.end("destination", m.Dst, m.DstPort)
	if m.Port != nil {
		w.refuse("port: a line has a source port and a destination port, and no \"either of them\"; write an entry for each")
	}
	w.icmp(m)
	w.flags(m.Flags)
	w.dscp(m.DSCP)
	w.length(m.Length)
	if m.Label != nil {
		w.refuse("flow-label: an access list has no such condition")
	}
	return w.out, errors.Join(w.errs...)
}

// writer collects the statements of a line, and what stands against them.
type writer struct {
	v    packet.Version
	out  []statement
	errs []error
}

func (w *writer) refuse(format string, args ...any) {
	w.errs = append(w.errs, fmt.Errorf(format, args...))
}

// guarded refuses conditions on transport fields that are not kept to packets that have these fields. The words of a line depend on its protocol, and what it does
// to later fragments on what it does to all others.
func (w *writer) guarded(m filter.Match) {
	if (m.Port != nil || m.DstPort != nil || m.SrcPort != nil) && !only(m.Proto, 6, 17) {
		w.refuse("protocol: a line with ports begins with tcp or udp")
	}
	if m.Flags != nil && !only(m.Proto, 6) {
		w.refuse("protocol: a line with TCP flags begins with tcp")
	}
	if (m.ICMPType != nil || m.ICMPCode != nil) && !only(m.Proto, icmp(w.v)) {
		w.refuse("protocol: a line with an ICMP type begins with %s", protocolName(icmp(w.v), w.v))
	}
	if m.Transport() && statesOf(m, w.v)&laterFragments != 0 {
		w.refuse("fragment: an entry with ports, flags or ICMP must ask for fragment offset 0, for later fragments have no such fields")
	}
}

// only says whether vs is one of numbers.
func only(vs packet.Values, numbers ...uint32) bool {
	for _, n := range numbers {
		if len(vs) == 1 && vs[0] == (packet.Span{Lo: n, Hi: n}) {
			return true
		}
	}
	return false
}

// single returns the one span of vs. Lists are refused.
func (w *writer) single(what string, vs packet.Values) (packet.Span, bool) {
	switch len(vs) {
	case 0:
		w.refuse("%s: no number is left, the entry matches nothing", what)
	case 1:
		return vs[0], true
	default:
		w.refuse("%s: a line takes one number or one range, not %d of them; write an entry for each", what, len(vs))
	}
	return packet.Span{}, false
}

// number returns the one number of vs.
func (w *writer) number(what string, vs packet.Values) (uint32, bool) {
	s, ok := w.single(what, vs)
	if ok && s.Lo != s.Hi {
		w.refuse("%s: a line takes one number, and no range", what)
		return 0, false
	}
	return s.Lo, ok
}

// protocol writes the first word of a line behind its action. The models have ranges of protocols as a feature that no page describes, so a range is refused.
func (w *writer) protocol(vs packet.Values) {
	name := family(w.v)
	if vs != nil {
		n, ok := w.number("protocol", vs)
		if !ok {
			return
		}
		name = protocolName(n, w.v)
	}
	w.out = append(w.out, leaf("protocol", name, name))
}

// end writes the address of one side, and its port.
func (w *writer) end(element string, p *netip.Prefix, ports packet.Values) {
	s := statement{element: element, body: address(p)}
	if ports != nil {
		if span, ok := w.single(element+"-port", ports); ok {
			s.body = append(s.body, statement{element: "port", body: spanOf(span)})
		}
	}
	w.out = append(w.out, s)
}

func address(p *netip.Prefix) []statement {
	switch {
	case p == nil || p.Bits() == 0:
		return []statement{{element: "any", text: "any"}}
	case p.IsSingleIP():
		a := p.Addr().String()
		return []statement{leaf("host", "host "+a, a)}
	}
	return []statement{leaf("address", p.String(), p.Addr().String()), leaf("prefix-length", "", strconv.Itoa(p.Bits()))}
}

// spanOf writes one number or one range.
func spanOf(s packet.Span) []statement {
	lo, hi := strconv.FormatUint(uint64(s.Lo), 10), strconv.FormatUint(uint64(s.Hi), 10)
	if s.Lo == s.Hi {
		return []statement{leaf("eq", "eq "+lo, lo)}
	}
	return []statement{{element: "range", text: "range", body: []statement{leaf("start-value", lo, lo), leaf("end-value", hi, hi)}}}
}

// icmp writes a type, and a code behind it.
func (w *writer) icmp(m filter.Match) {
	if m.ICMPType == nil && m.ICMPCode == nil {
		return
	}
	if m.ICMPType == nil {
		w.refuse("icmp-code: a line takes a code only behind a type")
		return
	}
	s := statement{element: "icmp"}
	for _, f := range []struct {
		what, element string
		values        packet.Values
	}{{"icmp-type", "message-type", m.ICMPType}, {"icmp-code", "message-code", m.ICMPCode}} {
		if f.values == nil {
			continue
		}
		if n, ok := w.number(f.what, f.values); ok {
			text := strconv.FormatUint(uint64(n), 10)
			s.body = append(s.body, leaf(f.element, text, text))
		}
	}
	w.out = append(w.out, s)
}

// flags writes one term with all of its flags, or several terms of one flag each, any of which may hold.
func (w *writer) flags(terms []filter.FlagTerm) {
	if terms == nil {
		return
	}
	possible, err := filter.PossibleFlags(terms, 0x3f, "IOS XR names the six bits fin, syn, rst, psh, ack and urg only")
	if err != nil {
		w.errs = append(w.errs, err)
		return
	}
	var all []string
	for _, t := range possible {
		names := literals(t)
		if len(possible) > 1 && len(names) > 1 {
			w.refuse("tcp-flags: a line takes one term of several flags or several terms of one flag; write an entry for each")
			return
		}
		all = append(all, names...)
	}
	word := "match-all"
	if len(possible) > 1 {
		word = "match-any"
	}
	bits := strings.Join(all, " ")
	w.out = append(w.out, statement{element: "tcp-flags", body: []statement{{element: word, text: word, body: []statement{leaf("tcp-bits", bits, bits)}}}})
}

// literals returns a term as the models spell it: +syn -ack.
func literals(t filter.FlagTerm) []string {
	var out []string
	for _, b := range tcpBits {
		if t.Set&b.bit != 0 {
			out = append(out, "+"+b.name)
		}
	}
	for _, b := range tcpBits {
		if t.Clear&b.bit != 0 {
			out = append(out, "-"+b.name)
		}
	}
	return out
}

// dscp writes a number without an operator, as every release takes it, or a range.
func (w *writer) dscp(vs packet.Values) {
	if vs == nil {
		return
	}
	span, ok := w.single("dscp", vs)
	if !ok {
		return
	}
	body := spanOf(span)
	if span.Lo == span.Hi {
		n := strconv.FormatUint(uint64(span.Lo), 10)
		body = []statement{leaf("dscp-value", n, n)}
	}
	w.out = append(w.out, statement{element: "dscp", text: "dscp", body: body})
}

// length writes the packet length. In IPv4 it is the total length of the header. In IPv6 "the hardware subtracts" the 40 octets of the header from the number configured, so
// that it counts them as FlowSpec does ("ACL Packet Length Matching - NCS55xx and NCS5xx").
func (w *writer) length(vs packet.Values) {
	if vs == nil {
		return
	}
	if span, ok := w.single("packet-length", vs); ok {
		w.out = append(w.out, statement{element: "packet-length", text: "packet-length", body: spanOf(span)})
	}
}

// fragment returns the statement for a condition on fragments.
func fragment(word string, v packet.Version) []statement {
	switch {
	case word == "":
		return nil
	case word == "fragments" && v == packet.IPv6:
		return []statement{leaf("headers", word, word)}
	case word == "fragments":
		return []statement{{element: word, text: word}}
	case word == offsetWord:
		return []statement{{element: "fragment-offset", text: "fragment-offset", body: spanOf(packet.Span{})}}
	}
	return []statement{leaf("fragment-type", "fragment-type "+word, word)}
}

// actions returns the container of the line (permit or deny), and what stands at its end.
func actions(e filter.Entry, v packet.Version) (grant string, tail []statement, err error) {
	var errs []error
	refuse := func(s string) { errs = append(errs, errors.New(s)) }
	do := e.Do
	if do.Policer != "" {
		refuse("policer: an access list does not police; a QoS policy beside it has an order of its own, which no list of a class can be made to follow")
	}
	if do.Mark != nil {
		refuse("mark: an access list sets no DSCP; a QoS policy beside it has an order of its own, which no list of a class can be made to follow")
	}
	if do.Sample {
		refuse("sample: a line samples nothing")
	}
	if do.Continue {
		refuse("continue: the first line that matches ends the evaluation")
	}
	if e.Counter != "" {
		if err := checkName(e.Counter); err != nil {
			errs = append(errs, fmt.Errorf("counter: %w", err))
		}
		tail = append(tail, leaf("counter", "counter "+e.Counter, e.Counter))
	}
	if do.Redirect != nil {
		s, err := redirect(do, v)
		if err != nil {
			errs = append(errs, err)
		}
		tail = append(tail, s)
	}
	grant = "permit"
	if do.Discard {
		grant = "deny"
	}
	return grant, tail, errors.Join(errs...)
}

// redirect returns nexthop1: access-list based forwarding in the default VRF. "Deny action is not supported with ABF".
func redirect(do filter.Do, v packet.Version) (statement, error) {
	r := do.Redirect
	switch {
	case do.Discard:
		return statement{}, errors.New("redirect: a line that denies sends packets nowhere")
	case !r.NextHop():
		return statement{}, errors.New("redirect: a line names a VRF, and which one imports a route target is not known here")
	case r.Copy:
		return statement{}, errors.New("redirect: a line sends the packet itself to the next hop, not a copy")
	case !r.Addr.IsValid() || r.Addr.Zone() != "" || r.Addr.Is4In6() || r.Addr.Is4() != (v == packet.IPv4):
		return statement{}, fmt.Errorf("redirect: next hop %s is not of the filter's IP version", r.Addr)
	}
	a := r.Addr.String()
	return statement{element: "nexthop1", text: "nexthop1", body: []statement{leaf(family(v), family(v)+" "+a, a)}}, nil
}
