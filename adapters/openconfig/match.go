package openconfig

import (
	"fmt"
	"net/netip"
	"strconv"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

const (
	ipv6Header = 40 // octets: `length` is the Payload Length of IPv6, FlowSpec counts the header (RFC 8956 §3)

	syn = 0x02
	ack = 0x10
	rst = 0x04

	typesModule = "openconfig-packet-match-types"
	icmpModule  = "openconfig-icmpv4-types"
)

// laterStates are the states of fragments behind the first.
const laterStates = packet.AnyFrags &^ packet.OffsetZero

// protocols, flags and icmpTypes are the identities of the model, each with the number that its description gives.
var (
	protocols = map[uint32]string{
		1: "IP_ICMP", 2: "IP_IGMP", 4: "IP_IN_IP", 6: "IP_TCP", 17: "IP_UDP", 46: "IP_RSVP", 47: "IP_GRE", 51: "IP_AUTH", 103: "IP_PIM", 115: "IP_L2TP",
	}
	flags = []struct {
		bit  uint16
		name string
	}{{0x01, "TCP_FIN"}, {syn, "TCP_SYN"}, {rst, "TCP_RST"}, {0x08, "TCP_PSH"}, {ack, "TCP_ACK"}, {0x20, "TCP_URG"}, {0x40, "TCP_ECE"}, {0x80, "TCP_CWR"}}
	icmpTypes = map[uint32]string{
		0: "ECHO_REPLY", 3: "DST_UNREACHABLE", 5: "REDIRECT", 8: "ECHO", 9: "ROUTER_ADVERTISEMENT", 10: "ROUTER_SOLICITATION", 11: "TIME_EXCEEDED",
		12: "PARAM_PROBLEM", 13: "TIMESTAMP", 14: "TIMESTAMP_REPLY", 30: "TRACEROUTE", 40: "PHOTURIS", 42: "EXT_ECHO_REQUEST", 43: "EXT_ECHO_REPLY",
	}
)

// writer writes the conditions of one entry.
type writer struct {
	v         packet.Version
	ip        []*node // ipv4/config or ipv6/config
	icmp      []*node // ipv4/icmpv4/config
	transport []*node // transport/config
	errs      []error
}

// refuse notes a condition that cannot be said, by its name in FlowSpec.
func (w *writer) refuse(format string, args ...any) {
	w.errs = append(w.errs, fmt.Errorf(format, args...))
}

// containers returns the conditions in the containers that the model has for them.
func (w *writer) containers() []*node {
	family := container("ipv4", container("config", w.ip...))
	if w.v == packet.IPv6 {
		family.name = "ipv6"
	}
	if len(w.icmp) > 0 {
		family.body = append(family.body, container("icmpv4", container("config", w.icmp...)))
	}
	out := []*node{family}
	if len(w.transport) > 0 {
		out = append(out, container("transport", container("config", w.transport...)))
	}
	return out
}

func (w *writer) match(m filter.Match) {
	w.prefix("source-address", m.Src)
	w.prefix("destination-address", m.Dst)
	w.dscp(m.DSCP)
	w.length(m.Length)
	if w.v == packet.IPv4 {
		w.protocol(m.Proto)
		w.guarded(m)
		w.fragments(m.Fragments)
		w.ports(m)
		w.tcpFlags(m.Flags)
		w.icmpType(m)
	} else {
		w.notInIPv6(m)
	}
	if m.Label != nil {
		w.refuse("flow-label: the model has one for each direction, and does not say what they are")
	}
}

// prefix writes an address, and the prefix of all addresses where there is none: what an entry without conditions matches is not said.
func (w *writer) prefix(name string, p *netip.Prefix) {
	value := "0.0.0.0/0"
	switch {
	case p != nil:
		value = p.String()
	case w.v == packet.IPv6:
		value = "::/0"
	}
	w.ip = append(w.ip, text(name, value))
}

// notInIPv6 refuses what an entry of IPv6 cannot say exactly.
func (w *writer) notInIPv6(m filter.Match) {
	if m.Proto != nil {
		w.refuse("protocol: the model does not say whether it is the next header or, behind extension headers, the upper-layer protocol")
	}
	if m.Transport() {
		w.refuse("ports, flags and ICMP: IPv6 has no fragment-offsets, which would keep them off later fragments")
	}
	if m.Fragments != 0 && m.Fragments&0x0f != 0x0f {
		w.refuse("fragment: IPv6 has no fragment-offsets")
	}
}

// guarded refuses an entry that leaves to the platform what the model does not say: which protocols have ports, flags and types, and that later
// fragments have none.
func (w *writer) guarded(m filter.Match) {
	gaps := filter.Unguarded(m, w.v)
	for _, g := range []struct {
		open bool
		word string
	}{{gaps.Ports, "6 or 17 beside ports"}, {gaps.Flags, "6 beside tcp-flags"}, {gaps.ICMP, "1 beside icmp-type"}} {
		if g.open {
			w.refuse("protocol: the entry must ask for %s", g.word)
		}
	}
	if gaps.Later {
		w.refuse("fragment: an entry with ports, flags or ICMP must ask for fragment offset 0, or it may match later fragments")
	}
}

// one returns the only number of vs, which is not nil.
func (w *writer) one(what string, vs packet.Values) (uint32, bool) {
	switch {
	case len(vs) == 0:
		w.refuse("%s: no number is left, the entry matches nothing", what)
	case len(vs) > 1 || vs[0].Lo != vs[0].Hi:
		w.refuse("%s: an entry takes one number; write entries of their own", what)
	default:
		return vs[0].Lo, true
	}
	return 0, false
}

func (w *writer) protocol(vs packet.Values) {
	if vs == nil {
		return
	}
	n, ok := w.one("protocol", vs)
	switch name := protocols[n]; {
	case !ok:
	case name != "":
		w.ip = append(w.ip, identity("protocol", typesModule, name))
	case n > 254:
		w.refuse("protocol: 255 cannot be named, the numbers are 0 to 254")
	default:
		w.ip = append(w.ip, numeral("protocol", decimal(n)))
	}
}

// dscp writes `dscp`, or `dscp-set` for several: "it is not valid to specify both".
func (w *writer) dscp(vs packet.Values) {
	if vs == nil {
		return
	}
	if len(vs) == 0 {
		w.refuse("dscp: no number is left, the entry matches nothing")
		return
	}
	if len(vs) == 1 && vs[0].Lo == vs[0].Hi {
		w.ip = append(w.ip, numeral("dscp", decimal(vs[0].Lo)))
		return
	}
	for _, s := range vs {
		for n := s.Lo; n <= s.Hi; n++ {
			w.ip = append(w.ip, many(numeral("dscp-set", decimal(n))))
		}
	}
}

// length writes the Total Length of IPv4, or the Payload Length of IPv6, "the rest of the packet following the IPv6 header".
func (w *writer) length(vs packet.Values) {
	if vs == nil {
		return
	}
	n, ok := w.one("packet-length", vs)
	if ok && w.v == packet.IPv6 {
		if n < ipv6Header {
			w.refuse("packet-length: %d is less than the header of IPv6; the entry matches nothing", n)
			return
		}
		n -= ipv6Header
	}
	if ok {
		w.ip = append(w.ip, numeral("length", decimal(n)))
	}
}

// fragments writes `fragment-offsets: [0]`, or the built-in FRAGMENT: "non-zero values of the fragment-offset field". A range of offsets cannot be
// written: the pattern of fragment-offset-range asks for backslashes where its description has two dots (openconfig-packet-match-types).
func (w *writer) fragments(f packet.Frags) {
	switch f {
	case 0, packet.AnyFrags:
	case packet.OffsetZero:
		w.ip = append(w.ip, many(numeral("fragment-offsets", "0")))
	case laterStates:
		w.transport = append(w.transport, text("detail-mode", "BUILTIN"), text("builtin-detail", "FRAGMENT"))
	default:
		w.refuse("fragment: the model has the offset and neither of the flags; an entry tells offset zero from later fragments and nothing else")
	}
}

func (w *writer) ports(m filter.Match) {
	if m.Port != nil {
		w.refuse("port: an entry asks for a source port and a destination port, not for either; write them in entries of their own")
	}
	for _, side := range []struct {
		name string
		vs   packet.Values
	}{{"source-port", m.SrcPort}, {"destination-port", m.DstPort}} {
		switch {
		case side.vs == nil:
		case len(side.vs) == 0:
			w.refuse("%s: no number is left, the entry matches nothing", side.name)
		case len(side.vs) > 1:
			w.refuse("%s: an entry takes one number or range; write entries of their own", side.name)
		case side.vs[0].Lo == side.vs[0].Hi:
			w.transport = append(w.transport, numeral(side.name, decimal(side.vs[0].Lo)))
		default:
			w.transport = append(w.transport, text(side.name, decimal(side.vs[0].Lo)+".."+decimal(side.vs[0].Hi)))
		}
	}
}

// tcpFlags writes explicit flags, all or any of them, or the built-in TCP_INITIAL.
func (w *writer) tcpFlags(terms []filter.FlagTerm) {
	if terms == nil {
		return
	}
	if len(terms) == 1 && terms[0] == (filter.FlagTerm{Set: syn, Clear: ack}) {
		w.transport = append(w.transport, text("detail-mode", "BUILTIN"), text("builtin-detail", "TCP_INITIAL"))
		return
	}
	var all uint16
	mode := "ALL"
	for _, t := range terms {
		single := t.Set&(t.Set-1) == 0
		switch {
		case t.Clear != 0:
			w.refuse("tcp-flags: there is no identity for a flag that is not set, beside the built-in for syn and not ack")
			return
		case t.Set == 0:
			w.refuse("tcp-flags: one of the terms lets every packet through; leave the condition out")
			return
		case t.Set>>8 != 0:
			w.refuse("tcp-flags: bits %#04x; the model names eight, fin to cwr", t.Set>>8<<8)
			return
		case len(terms) > 1 && !single:
			w.refuse("tcp-flags: any of several flags is one entry, all of several flags is one entry, a mixture is not; write entries of their own")
			return
		}
		all |= t.Set
	}
	if len(terms) == 0 {
		w.refuse("tcp-flags: no term is left, the entry matches nothing")
		return
	}
	if len(terms) > 1 {
		mode = "ANY"
	}
	w.transport = append(w.transport, text("detail-mode", "EXPLICIT"), text("explicit-detail-match-mode", mode))
	for _, f := range flags {
		if all&f.bit != 0 {
			w.transport = append(w.transport, many(identity("explicit-tcp-flags", typesModule, f.name)))
		}
	}
}

func (w *writer) icmpType(m filter.Match) {
	if m.ICMPCode != nil {
		w.refuse("icmp-code: a code is an identity that belongs to a type, and few have one")
	}
	if m.ICMPType == nil {
		return
	}
	n, ok := w.one("icmp-type", m.ICMPType)
	switch name := icmpTypes[n]; {
	case !ok:
	case name == "":
		w.refuse("icmp-type: %d has no identity in the model", n)
	default:
		w.icmp = append(w.icmp, identity("type", icmpModule, name))
	}
}

func decimal(n uint32) string { return strconv.FormatUint(uint64(n), 10) }
