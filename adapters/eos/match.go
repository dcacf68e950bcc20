package eos

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

// Protocol numbers that statements name by words.
const (
	icmp = 1
	tcp  = 6
	udp  = 17
)

var protocolWords = map[uint32]string{icmp: "icmp", tcp: "tcp", udp: "udp"}

// writer writes the matches of one filter.
type writer struct {
	v        packet.Version
	policers map[string]filter.Policer
	users    map[string]int // of each policer
}

// match returns the match that says e; its policer is named after the entry called owner.
func (w *writer) match(e filter.Entry, owner string) (statement, error) {
	c := conditions{v: w.v}
	c.match(e.Match)
	then, err := w.actions(e, owner)
	out := say("match", e.Name, "ipv"+version(w.v))
	out.body = c.out
	if len(then) > 0 {
		out.body = append(out.body, statement{line: "actions", body: then})
	}
	return out, errors.Join(append(c.errs, err)...)
}

// conditions writes the conditions of one match.
type conditions struct {
	v    packet.Version
	out  []statement
	errs []error
}

func (c *conditions) add(words ...string) { c.out = append(c.out, say(words...)) }

// refuse notes a condition that cannot be said, by its name in FlowSpec.
func (c *conditions) refuse(format string, args ...any) {
	c.errs = append(c.errs, fmt.Errorf(format, args...))
}

func (c *conditions) match(m filter.Match) {
	c.prefix("source", m.Src)
	c.prefix("destination", m.Dst)
	switch {
	case c.v == packet.IPv4:
		c.protocols(m)
		c.fragments(m)
		c.length(m.Length)
	default:
		c.notInIPv6(m)
	}
	c.dscp(m.DSCP)
	if m.Label != nil {
		c.refuse("flow-label: a traffic policy has no such condition")
	}
	if len(c.out) == 0 && len(c.errs) == 0 {
		// What a match without conditions takes is not documented; every address is.
		any := netip.PrefixFrom(netip.IPv4Unspecified(), 0)
		if c.v == packet.IPv6 {
			any = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
		}
		c.prefix("destination", &any)
	}
}

func (c *conditions) prefix(side string, p *netip.Prefix) {
	if p != nil {
		c.add(side, "prefix", p.String())
	}
}

// notInIPv6 refuses what a match of type ipv6 cannot say exactly.
func (c *conditions) notInIPv6(m filter.Match) {
	for _, x := range []struct {
		asked     bool
		what, why string
	}{
		{m.Proto != nil, "protocol", "the chip's key holds the next header, which is not the upper-layer protocol behind an extension header"},
		{m.Transport(), "ports, flags and ICMP", "a match of type ipv6 has no fragment condition that keeps them off later fragments"},
		{m.Fragments != 0 && m.Fragments&0x0f != 0x0f, "fragment", "a match of type ipv6 has no such condition"},
		{m.Length != nil, "packet-length", "whether the 40 octets of the IPv6 header count is not documented"},
	} {
		if x.asked {
			c.refuse("%s: %s", x.what, x.why)
		}
	}
}

// protocols writes protocols with their ports or ICMP type. Statements are joined by OR, for a packet has one protocol; the source and
// destination port of one statement are joined by AND. "EOS doesn't support commingling named protocols w/numeric protocol-ids" (aerleon,
// arista_tp.py), so words are written only where there are no other numbers.
func (c *conditions) protocols(m filter.Match) {
	if m.Flags != nil {
		c.refuse("tcp-flags: initial, established and rst are the only words that are sourced, and what they say of the other flags is not")
	}
	ports := m.DstPort != nil || m.SrcPort != nil
	kinds := m.ICMPType != nil || m.ICMPCode != nil
	switch {
	case m.Port != nil:
		c.refuse("port: a statement asks for source and destination port both; write them in entries of their own")
	case ports && kinds:
		c.refuse("port: it stands beside an ICMP field, which no packet has; the entry matches nothing")
	case ports:
		c.ports(m)
	case kinds:
		c.kinds(m)
	case m.Proto != nil:
		c.numbers(m.Proto)
	}
}

// numbers writes protocols by themselves.
func (c *conditions) numbers(vs packet.Values) {
	switch {
	case len(vs) == 0:
		c.refuse("protocol: no number is left, the entry matches nothing")
	case vs[0].Lo == 0:
		c.refuse("protocol: 0 cannot be named in IPv4, the numbers are 1 to 255")
	case !slices.ContainsFunc(vs, func(s packet.Span) bool { return s.Lo != s.Hi || protocolWords[s.Lo] == "" }):
		for _, s := range vs {
			c.add("protocol", protocolWords[s.Lo])
		}
	default:
		c.add("protocol", list(vs))
	}
}

// ports writes one statement for each of TCP and UDP that m leaves.
func (c *conditions) ports(m filter.Match) {
	some := m.Proto.And(packet.Values{{Lo: tcp, Hi: tcp}, {Lo: udp, Hi: udp}})
	if len(some) == 0 {
		c.refuse("protocol: neither TCP nor UDP is left for the ports, the entry matches nothing")
		return
	}
	var words []string
	for _, side := range []struct {
		word string
		vs   packet.Values
	}{{"source", m.SrcPort}, {"destination", m.DstPort}} {
		switch {
		case side.vs == nil:
		case len(side.vs) == 0:
			c.refuse("%s-port: no number is left, the entry matches nothing", side.word)
		default:
			words = append(words, side.word, "port", list(side.vs))
		}
	}
	for _, s := range some {
		c.add(append([]string{"protocol", protocolWords[s.Lo]}, words...)...)
	}
}

// kinds writes an ICMP type and codes: "code list only with a single type" (aerleon, arista_tp.py), and `code all` without codes.
func (c *conditions) kinds(m filter.Match) {
	if len(m.Proto.And(packet.Values{{Lo: icmp, Hi: icmp}})) == 0 {
		c.refuse("protocol: ICMP is not left for its type and code, the entry matches nothing")
		return
	}
	if m.ICMPType != nil && len(m.ICMPType) == 0 || m.ICMPCode != nil && len(m.ICMPCode) == 0 {
		c.refuse("icmp-type, icmp-code: no number is left, the entry matches nothing")
		return
	}
	if len(m.ICMPType) != 1 || m.ICMPType[0].Lo != m.ICMPType[0].Hi {
		c.refuse("icmp-type: one statement names one type, and a code stands beside a type only; write an entry for each type")
		return
	}
	codes := "all"
	if m.ICMPCode != nil {
		var each []string
		for _, s := range m.ICMPCode {
			if s.Lo != s.Hi {
				c.refuse("icmp-code: codes are listed, no source has a range of them")
				return
			}
			each = append(each, number(s.Lo))
		}
		codes = strings.Join(each, ",")
	}
	c.add("protocol", "icmp", "type", number(m.ICMPType[0].Lo), "code", codes)
}

// fragments writes `fragment offset 1-8191` for later fragments. Arista's model of these policies counts offsets as the IP header does
// (fragment-offset-range, 0 to 8191). Offset zero is what the part for later fragments leaves, and needs no condition.
func (c *conditions) fragments(m filter.Match) {
	switch m.Fragments {
	case 0, packet.AnyFrags, packet.OffsetZero:
	case laterStates:
		if m.Transport() {
			c.refuse("fragment: a later fragment has no transport header, the entry matches nothing")
			return
		}
		c.add("fragment", "offset", "1-8191")
	default:
		c.refuse("fragment: a match tells offset zero from later fragments and nothing else; more-fragments and don't-fragment have no condition")
	}
}

// length writes the total length of the IPv4 header: "ip length" is the field ip-length of the chip's key, and security access lists look at
// "the IP length field" (eos.arista.com, tag access-lists).
func (c *conditions) length(vs packet.Values) {
	switch {
	case vs == nil:
	case len(vs) == 1:
		c.add("ip", "length", span(vs[0]))
	case len(vs) == 0:
		c.refuse("packet-length: no number is left, the entry matches nothing")
	default:
		c.refuse("packet-length: one match takes one number or range; write entries of their own")
	}
}

func (c *conditions) dscp(vs packet.Values) {
	switch {
	case vs == nil:
	case len(vs) == 1 && vs[0].Lo == vs[0].Hi:
		c.add("dscp", number(vs[0].Lo))
	case len(vs) == 0:
		c.refuse("dscp: no number is left, the entry matches nothing")
	default:
		c.refuse("dscp: one match takes one number; write entries of their own")
	}
}

func number(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

func span(s packet.Span) string {
	if s.Lo == s.Hi {
		return number(s.Lo)
	}
	return number(s.Lo) + "-" + number(s.Hi)
}

// list writes numbers and ranges: 1,10-20.
func list(vs packet.Values) string {
	out := make([]string, len(vs))
	for i, s := range vs {
		out[i] = span(s)
	}
	return strings.Join(out, ",")
}
