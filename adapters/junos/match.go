package junos

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// conditions returns the `from` of a term that matches what m matches. Each error names the condition that cannot be said.
func conditions(m filter.Match, v packet.Version) ([]statement, error) {
	w := writer{v: v}
	w.guarded(m)
	w.address("source-address", m.Src)
	w.address("destination-address", m.Dst)
	w.numbers("protocol", w.word("protocol", "payload-protocol"), m.Proto, protocolName)
	w.fragments(m.Fragments)
	w.ports(m)
	w.icmp(m)
	w.flags(m.Flags)
	w.length(m.Length)
	w.numbers("dscp", w.word("dscp", "traffic-class"), m.DSCP, nil)
	if m.Label != nil {
		w.refuse("flow-label: family inet6 has no such condition")
	}
	return w.out, errors.Join(w.errs...)
}

// writer collects the statements of a `from`, and what stands against them.
type writer struct {
	v    packet.Version
	out  []statement
	errs []error
}

func (w *writer) refuse(format string, args ...any) {
	w.errs = append(w.errs, fmt.Errorf(format, args...))
}

// word picks the spelling of IPv4 or IPv6.
func (w *writer) word(v4, v6 string) string {
	if w.v == packet.IPv6 {
		return v6
	}
	return v4
}

// guarded refuses conditions on transport fields without the conditions that keep them to packets that have these fields: Junos "does not
// automatically check" protocol or offset, and a term without them reads the octets of other packets.
func (w *writer) guarded(m filter.Match) {
	gaps := filter.Unguarded(m, w.v)
	if gaps.Ports {
		w.refuse("protocol: a term with ports must ask for tcp, udp or both, for Junos reads ports in any protocol")
	}
	if gaps.Flags {
		w.refuse("protocol: a term with tcp-flags must ask for tcp, for Junos reads flags in any protocol")
	}
	if gaps.ICMP {
		w.refuse("protocol: a term with icmp-type or icmp-code must ask for protocol %d, for Junos reads them in any protocol", icmp(w.v))
	}
	switch {
	case m.Transport() && w.v == packet.IPv6 && m.Fragments == 0:
		w.refuse("fragment: a term with ports, flags or ICMP also matches later fragments, and family inet6 has no fragment-offset to keep it off them")
	case gaps.Later && w.v == packet.IPv4:
		w.refuse("fragment: a term with ports, flags or ICMP must ask for fragment offset 0, for Junos does not check it")
	}
}

// icmp is the ICMP of version v.
func icmp(v packet.Version) uint32 {
	if v == packet.IPv6 {
		return 58
	}
	return 1
}

func (w *writer) address(word string, p *netip.Prefix) {
	if p != nil {
		w.out = append(w.out, statement{word: word, name: p.String(), form: wrapped})
	}
}

// numbers writes a list of numbers and ranges ("Firewall Filter Match Conditions Based on Numbers or Text Aliases"). Negations are
// written as the ranges that are left: a field takes either a list or its -except twin, and one form is enough to read.
func (w *writer) numbers(what, word string, vs packet.Values, name func(uint32) string) {
	if vs == nil {
		return
	}
	if len(vs) == 0 {
		w.refuse("%s: no number is left, the entry matches nothing", what)
		return
	}
	s := statement{word: word}
	for _, span := range vs {
		s.values = append(s.values, spanText(span, name))
	}
	w.out = append(w.out, s)
}

func spanText(s packet.Span, name func(uint32) string) string {
	if s.Lo != s.Hi {
		return strconv.FormatUint(uint64(s.Lo), 10) + "-" + strconv.FormatUint(uint64(s.Hi), 10)
	}
	if name != nil {
		return name(s.Lo)
	}
	return strconv.FormatUint(uint64(s.Lo), 10)
}

// ports writes the port conditions. "You cannot specify the port and source-port match conditions in the same term", nor port and
// destination-port.
func (w *writer) ports(m filter.Match) {
	if m.Port != nil && (m.DstPort != nil || m.SrcPort != nil) {
		w.refuse("port: Junos does not take it beside source-port or destination-port in one term; write source and destination port in entries of their own")
		return
	}
	w.numbers("source-port", "source-port", m.SrcPort, nil)
	w.numbers("destination-port", "destination-port", m.DstPort, nil)
	w.numbers("port", "port", m.Port, nil)
}

// icmp writes type and code. "You must specify icmp-type along with icmp-code": a code alone stands beside every type.
func (w *writer) icmp(m filter.Match) {
	kinds := m.ICMPType
	if kinds == nil && m.ICMPCode != nil {
		kinds = packet.Values{{Lo: 0, Hi: 255}}
	}
	w.numbers("icmp-type", "icmp-type", kinds, nil)
	w.numbers("icmp-code", "icmp-code", m.ICMPCode, nil)
}

func (w *writer) length(vs packet.Values) {
	if vs != nil && w.v == packet.IPv6 {
		w.refuse("packet-length: whether family inet6 counts the 40 octets of the IPv6 header is not documented")
		return
	}
	// IPv4: "The length refers only to the IP packet, including the packet header".
	w.numbers("packet-length", "packet-length", vs, nil)
}

// fragments writes a condition on the offset, on the flags, or both, and refuses a set that needs two terms.
func (w *writer) fragments(f packet.Frags) {
	if f == 0 {
		return
	}
	if w.v == packet.IPv6 {
		w.refuse("fragment: family inet6 has no fragment-offset, and what its fragment conditions say of first fragments and whole packets is not documented")
		return
	}
	if parts := filter.FragmentParts(f); len(parts) > 1 {
		w.refuse("fragment: one term asks the same flags of first and later fragments; write fragment offset 0 and later fragments in entries of their own")
		return
	}
	// first-fragment is left alone: by one page it is fragment-offset 0, which holds for unfragmented packets too, by another it is not.
	zero, later := f&packet.OffsetZero, f&^packet.OffsetZero
	states := zero
	switch {
	case later == 0:
		w.out = append(w.out, statement{word: "fragment-offset", values: []string{"0"}})
	case zero == 0:
		w.out = append(w.out, statement{word: "is-fragment"}) // "Match if the packet is a trailing fragment"
		states = laterAsZero(later)
	}
	if expr := fragmentFlags(states); expr != "" {
		w.out = append(w.out, statement{word: "fragment-flags", value: expr})
	}
}

// laterAsZero moves Last to Whole and Middle to First: the same flags at offset zero.
func laterAsZero(later packet.Frags) packet.Frags {
	var f packet.Frags
	for _, df := range []int{0, 4} {
		f |= later >> (df + int(packet.Last)) & 1 << (df + int(packet.Whole))
		f |= later >> (df + int(packet.Middle)) & 1 << (df + int(packet.First))
	}
	return f
}

// fragmentFlags is the expression for a set of states at offset zero: their flag bits are no flag (Whole), more-fragments (First), and
// the same two with don't-fragment. It is empty when all four are in the set.
func fragmentFlags(zero packet.Frags) string {
	var terms []filter.FlagTerm
	for _, t := range []filter.FlagTerm{
		{}, // any
		{Set: moreFragments}, {Clear: moreFragments}, {Set: dontFragment}, {Clear: dontFragment},
		{Set: moreFragments | dontFragment}, {Set: dontFragment, Clear: moreFragments}, {Set: moreFragments, Clear: dontFragment}, {Clear: moreFragments | dontFragment},
	} {
		// Take the widest terms first, and no term that adds nothing.
		states := fragmentStates([]filter.FlagTerm{t})
		if states&^zero == 0 && states&^fragmentStates(terms) != 0 {
			terms = append(terms, t)
		}
	}
	return bitExpression(terms, fragmentBits)
}

func (w *writer) flags(terms []filter.FlagTerm) {
	if terms == nil {
		return
	}
	possible, err := filter.PossibleFlags(terms, 0x3f, "Junos matches the six bits fin, syn, rst, push, ack and urgent only")
	if err != nil {
		w.errs = append(w.errs, err)
		return
	}
	w.out = append(w.out, statement{word: "tcp-flags", value: bitExpression(possible, tcpBits)})
}
