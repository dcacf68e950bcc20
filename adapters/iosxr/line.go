package iosxr

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/adapters/internal/ciscoacl"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// conditions returns what a line says of m behind permit or deny, but for fragments. Each error names the condition that cannot be said.
func conditions(m filter.Match, v packet.Version) ([]ciscoacl.Statement, error) {
	w := writer{ciscoacl.Writer{V: v, Spell: &spelling}}
	w.Guarded(m)
	w.protocol(m.Proto)
	w.end("source", m.Src, m.SrcPort)
	w.end("destination", m.Dst, m.DstPort)
	w.icmp(m)
	w.flags(m.Flags)
	w.dscp(m.DSCP)
	w.length(m.Length)
	if m.Label != nil {
		w.Refuse("flow-label: an access list has no such condition")
	}
	return w.Out, w.Err()
}

// statement is one node of the configuration.
type statement = ciscoacl.Statement

func leaf(element, text, value string) statement { return ciscoacl.Leaf(element, text, value) }

// writer writes the statements of a line.
type writer struct{ ciscoacl.Writer }

// protocol writes the first word of a line behind its action. The models have ranges of protocols as a feature that no page describes, so a range is refused.
func (w *writer) protocol(vs packet.Values) {
	name := family(w.V)
	if vs != nil {
		n, ok := w.Number("protocol", vs)
		if !ok {
			return
		}
		name = protocolName(n, w.V)
	}
	w.Out = append(w.Out, leaf("protocol", name, name))
}

// end writes the address of one side, and its port.
func (w *writer) end(element string, p *netip.Prefix, ports packet.Values) {
	s := statement{Element: element, Body: address(p)}
	if ports != nil {
		if span, ok := w.Single(element+"-port", ports); ok {
			s.Body = append(s.Body, statement{Element: "port", Body: spanOf(span, 65535)})
		}
	}
	w.Out = append(w.Out, s)
}

func address(p *netip.Prefix) []statement {
	switch {
	case p == nil || p.Bits() == 0:
		return []statement{{Element: "any", Text: "any"}}
	case p.IsSingleIP():
		a := p.Addr().String()
		return []statement{leaf("host", "host "+a, a)}
	}
	return []statement{leaf("address", p.String(), p.Addr().String()), leaf("prefix-length", "", strconv.Itoa(p.Bits()))}
}

// spanOf writes one number or one range of 0 to top, as short as an operator would.
func spanOf(s packet.Span, top uint32) []statement {
	one := func(op string, n uint32) []statement {
		text := strconv.FormatUint(uint64(n), 10)
		return []statement{leaf(op, op+" "+text, text)}
	}
	switch {
	case s.Lo == s.Hi:
		return one("eq", s.Lo)
	case s.Lo > 0 && s.Hi == top:
		return one("gt", s.Lo-1)
	case s.Lo == 0 && s.Hi < top:
		return one("lt", s.Hi+1)
	}
	lo, hi := strconv.FormatUint(uint64(s.Lo), 10), strconv.FormatUint(uint64(s.Hi), 10)
	return []statement{{Element: "range", Text: "range", Body: []statement{leaf("start-value", lo, lo), leaf("end-value", hi, hi)}}}
}

// icmp writes a type, and a code behind it.
func (w *writer) icmp(m filter.Match) {
	if m.ICMPType == nil && m.ICMPCode == nil {
		return
	}
	if m.ICMPType == nil {
		w.Refuse("icmp-code: a line takes a code only behind a type")
		return
	}
	s := statement{Element: "icmp"}
	for _, f := range []struct {
		what, element string
		values        packet.Values
	}{{"icmp-type", "message-type", m.ICMPType}, {"icmp-code", "message-code", m.ICMPCode}} {
		if f.values == nil {
			continue
		}
		if n, ok := w.Number(f.what, f.values); ok {
			text := strconv.FormatUint(uint64(n), 10)
			s.Body = append(s.Body, leaf(f.element, text, text))
		}
	}
	w.Out = append(w.Out, s)
}

// flags writes one term with all of its flags, or several terms of one flag each, any of which may hold.
func (w *writer) flags(terms []filter.FlagTerm) {
	if terms == nil {
		return
	}
	if word, bits := w.Flags(terms); word != "" {
		all := strings.Join(bits, " ")
		w.Out = append(w.Out, statement{Element: "tcp-flags", Body: []statement{{Element: word, Text: word, Body: []statement{leaf("tcp-bits", all, all)}}}})
	}
}

// dscp writes a number without an operator, as every release takes it, or a range.
func (w *writer) dscp(vs packet.Values) {
	if vs == nil {
		return
	}
	span, ok := w.Single("dscp", vs)
	if !ok {
		return
	}
	body := spanOf(span, 63)
	if span.Lo == span.Hi {
		n := strconv.FormatUint(uint64(span.Lo), 10)
		body = []statement{leaf("dscp-value", n, n)}
	}
	w.Out = append(w.Out, statement{Element: "dscp", Text: "dscp", Body: body})
}

// length writes the packet length. In IPv4 it is the total length of the header. In IPv6 "the hardware subtracts" the 40 octets of the header from the number configured, so
// that it counts them as FlowSpec does ("ACL Packet Length Matching - NCS55xx and NCS5xx").
func (w *writer) length(vs packet.Values) {
	if vs == nil {
		return
	}
	if span, ok := w.Single("packet-length", vs); ok {
		w.Out = append(w.Out, statement{Element: "packet-length", Text: "packet-length", Body: spanOf(span, 65535)})
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
		return []statement{{Element: word, Text: word}}
	case word == offsetWord:
		return []statement{{Element: "fragment-offset", Text: "fragment-offset", Body: spanOf(packet.Span{}, 8191)}}
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
	return statement{Element: "nexthop1", Text: "nexthop1", Body: []statement{leaf(family(v), family(v)+" "+a, a)}}, nil
}
