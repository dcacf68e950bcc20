package nftables

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// heads is what the rules of an entry ask for: one list of conditions, or two that no packet fulfils both of.
type heads [][]statement

// head returns the conditions of the rules that match what m matches, and the rules at the beginning of the chain of the entry that turn away what the
// conditions cannot keep out. Prefixes that the chain around them has decided are left out of m by the caller. Each error names the condition that cannot be said.
func (b *builder) head(m filter.Match) (heads, []rule, error) {
	w := writer{v: b.v, b: b}
	w.guarded(m)
	w.address(w.word("ip saddr", "ip6 saddr"), m.Src)
	w.address(w.word("ip daddr", "ip6 daddr"), m.Dst)
	layer := w.protocol(m)
	w.flags(m.Flags)
	w.numbers("icmp-type", w.word("icmp type", "icmpv6 type"), w.word("icmp-type", "icmpv6-type"), m.ICMPType)
	w.numbers("icmp-code", w.word("icmp code", "icmpv6 code"), w.word("icmp-code", "icmpv6-code"), m.ICMPCode)
	// In the hook, the length of the packet is that of the IP header and what it announces: the kernel has cut off the padding of the frame.
	w.numbers("packet-length", "meta length", "length", m.Length)
	w.numbers("dscp", dscpField(b.v), "dscp", m.DSCP)
	w.numbers("flow-label", "ip6 flowlabel", "label", m.Label)
	w.fragments(m.Fragments)
	out := w.ports(layer, w.out, m)
	if b.v == packet.IPv6 && m.Fragments != 0 && m.Fragments&states(b.v) == 0 {
		w.refuse("fragment: no state of IPv6 is left, the entry matches nothing")
	}
	if f := m.Fragments & states(b.v); b.v == packet.IPv6 && f != 0 && f != states(b.v) {
		w.away = append(turnedAway(f), w.away...)
	}
	return out, w.away, errors.Join(w.errs...)
}

// writer collects conditions, and what stands against them.
type writer struct {
	v    packet.Version
	b    *builder
	out  []statement
	away []rule
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

// guarded refuses conditions on transport fields without the conditions that keep them to packets that have these fields.
func (w *writer) guarded(m filter.Match) {
	gaps := filter.Unguarded(m, w.v)
	if gaps.Ports {
		w.refuse("protocol: a rule with ports must ask for tcp, udp or both, for nft reads ports in any protocol")
	}
	if gaps.Flags {
		w.refuse("protocol: a rule with tcp-flags must ask for tcp, for nft may read flags in any protocol")
	}
	if gaps.ICMP {
		number := 1
		if w.v == packet.IPv6 {
			number = 58
		}
		w.refuse("protocol: a rule with icmp-type or icmp-code must ask for protocol %d, which nft does not do by itself in every form", number)
	}
	if gaps.Later {
		w.refuse("fragment: a rule with ports, flags or ICMP must ask for fragment offset 0, for not every kernel checks it")
	}
}

// states is all fragment states of a version.
func states(v packet.Version) packet.Frags {
	if v == packet.IPv6 {
		return 0x0f // no DF in IPv6
	}
	return packet.AnyFrags
}

func (w *writer) address(field string, p *netip.Prefix) {
	if p != nil && p.Bits() > 0 {
		w.out = append(w.out, when(is(field, address(*p))))
	}
}

// numbers writes a list of numbers and ranges.
func (w *writer) numbers(what, field, kind string, vs packet.Values) {
	if c, ok := w.list(what, field, kind, vs); ok {
		w.out = append(w.out, when(c))
	}
}

// list returns the condition that field is one of vs: a value or range in the rule itself, a longer list as a named set, or as the range from its
// least to its largest number and rules that turn away what lies in the gaps. It returns false where there is no condition.
//
// The range has to be there: a condition on a field that a packet lacks fails, and so would turn nothing away.
func (w *writer) list(what, field, kind string, vs packet.Values) (cond, bool) {
	switch {
	case vs == nil:
		return cond{}, false
	case len(vs) == 0:
		w.refuse("%s: no number is left, the entry matches nothing", what)
		return cond{}, false
	case len(vs) == 1:
		return cond{field: field, value: number(vs[0])}, true
	case field != "ip6 dscp" && w.b.roomFor(kind, vs):
		return cond{field: field, set: w.b.set(kind, vs)}, true
	}
	plain := field
	if _, port, found := strings.Cut(field, " "); found && (port == "sport" || port == "dport") {
		plain = "th " + port
	}
	for i := range vs[1:] {
		gap := packet.Span{Lo: vs[i].Hi + 1, Hi: vs[i+1].Lo - 1}
		w.away = append(w.away, rule{statements: []statement{when(cond{field: plain, value: number(gap)}), {verb: turnAway}}})
	}
	return cond{field: field, value: number(packet.Span{Lo: vs[0].Lo, Hi: vs[len(vs)-1].Hi})}, true
}

func number(s packet.Span) element {
	return element{strconv.FormatUint(uint64(s.Lo), 10), strconv.FormatUint(uint64(s.Hi), 10)}
}

// only says whether vs is n and no other number.
func only(vs packet.Values, n uint32) bool { return slices.Equal(vs, packet.Values{{Lo: n, Hi: n}}) }

// protocol writes the condition on the protocol and returns the word that ports stand behind. `tcp dport` asks for the protocol by itself, and `th dport` for none.
func (w *writer) protocol(m filter.Match) (layer string) {
	ports := m.Port != nil || m.DstPort != nil || m.SrcPort != nil
	switch {
	case only(m.Proto, 6) && (ports || low(m.Flags)):
		return "tcp"
	case only(m.Proto, 17) && ports:
		return "udp"
	case m.ICMPType != nil || m.ICMPCode != nil:
		if len(m.Proto) == 1 {
			return "th" // `icmp type` asks for ICMP by itself
		}
	}
	w.numbers("protocol", "meta l4proto", "proto", m.Proto)
	return "th"
}

// ports puts the port conditions in front of rest. Where either port may be one of a list there are two rules: one for the source port, one for the destination port of packets
// whose source port is not in the list, so that no packet meets both.
func (w *writer) ports(layer string, rest []statement, m filter.Match) heads {
	with := func(src, dst packet.Values) []statement {
		var out []statement
		for _, c := range []struct {
			what, field string
			vs          packet.Values
		}{{"source-port", layer + " sport", src}, {"destination-port", layer + " dport", dst}} {
			if len(c.vs) > 1 && m.Port != nil { // what the two rules turn away would differ
				out = append(out, when(cond{field: c.field, set: w.b.set("port", c.vs)}))
			} else if one, ok := w.list(c.what, c.field, "port", c.vs); ok {
				out = append(out, when(one))
			}
		}
		// Addresses and protocol come first: what most packets fail is asked first.
		n := 0
		for n < len(rest) && early[rest[n].cond.field] {
			n++
		}
		return append(append(append([]statement{}, rest[:n]...), out...), rest[n:]...)
	}
	if m.Port == nil {
		return heads{with(m.SrcPort, m.DstPort)}
	}
	asSrc, asDst := m.SrcPort.And(m.Port), m.DstPort.And(m.Port)
	others := m.SrcPort.Sub(m.Port, 65535)
	if m.SrcPort == nil {
		others = m.Port.Not(65535)
	}
	var out heads
	if len(asSrc) > 0 && (m.DstPort == nil || len(m.DstPort) > 0) {
		out = append(out, with(asSrc, m.DstPort))
	}
	if len(asDst) > 0 && (others == nil || len(others) > 0) {
		out = append(out, with(others, asDst))
	}
	if len(out) == 0 {
		w.refuse("port: no number is left, the entry matches nothing")
	}
	return out
}

// early are the fields that stand in front of ports.
var early = map[string]bool{"ip saddr": true, "ip daddr": true, "ip6 saddr": true, "ip6 daddr": true, "meta l4proto": true}

// fragments writes a condition on the fragment states of IPv4. Those of IPv6 are turned away in the chain of the entry.
func (w *writer) fragments(f packet.Frags) {
	if f == 0 || f == packet.AnyFrags || w.v == packet.IPv6 {
		return
	}
	offset := cond{field: "ip frag-off", masked: true, mask: "0x1fff", value: element{"0", "0"}}
	switch f {
	case packet.OffsetZero:
		w.out = append(w.out, when(offset))
		return
	case packet.AnyFrags &^ packet.OffsetZero:
		offset.not = true
		w.out = append(w.out, when(offset))
		return
	}
	var spans []packet.Span
	for i, s := range fragmentWords {
		if f>>i&1 == 1 {
			spans = append(spans, s)
		}
	}
	c := cond{field: "ip frag-off", masked: true, mask: "0x7fff"}
	if vs := packet.NewValues(spans...); len(vs) == 1 {
		c.value = number(vs[0])
	} else {
		c.set = w.b.set("frag", vs)
	}
	w.out = append(w.out, when(c))
}

// fragmentWords are the values of the 15 bits DF, MF and fragment offset of IPv4 (RFC 791 §3.1) in each state, in the order of the bits of packet.Frags.
var fragmentWords = [8]packet.Span{
	{Lo: 0, Hi: 0}, {Lo: 0x2000, Hi: 0x2000}, {Lo: 0x2001, Hi: 0x3fff}, {Lo: 0x0001, Hi: 0x1fff},
	{Lo: 0x4000, Hi: 0x4000}, {Lo: 0x6000, Hi: 0x6000}, {Lo: 0x6001, Hi: 0x7fff}, {Lo: 0x4001, Hi: 0x5fff},
}

// turnedAway returns the rules that send the IPv6 fragments that are not among f back to the rule behind the entry.
func turnedAway(f packet.Frags) []rule {
	frag := func(field, v string, not bool) statement {
		c := is("frag "+field, v)
		c.not = not
		return when(c)
	}
	var out []rule
	add := func(s ...statement) { out = append(out, rule{statements: append(s, statement{verb: turnAway})}) }
	lacks := func(s packet.Fragment) bool { return f>>s&1 == 0 }
	if lacks(packet.Whole) {
		add(when(is("exthdr frag", "missing")))
		add(frag("frag-off", "0", false), frag("more-fragments", "0", false)) // an atomic fragment, RFC 6946
	}
	if lacks(packet.First) {
		add(frag("frag-off", "0", false), frag("more-fragments", "1", false))
	}
	switch {
	case lacks(packet.Middle) && lacks(packet.Last):
		add(frag("frag-off", "0", true))
	case lacks(packet.Middle):
		add(frag("frag-off", "0", true), frag("more-fragments", "1", false))
	case lacks(packet.Last):
		add(frag("frag-off", "0", true), frag("more-fragments", "0", false))
	}
	return out
}
