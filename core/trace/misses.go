package trace

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// ruleMisses returns the components of m that do not match h (docs/semantics.md, section 3). Where the protocol is wrong already, that a port
// needs another one is not said again.
func ruleMisses(m flowspec.Match, h *packet.Header) []Miss {
	var out []Miss
	protocol := false
	for c := range m.All() {
		why := ""
		switch c.Type {
		case flowspec.DstPrefix:
			if !holds(c.Prefix, h.Dst) {
				why = "the packet goes to " + h.Dst.String()
			}
		case flowspec.SrcPrefix:
			if !holds(c.Prefix, h.Src) {
				why = "the packet comes from " + h.Src.String()
			}
		case flowspec.TCPFlags, flowspec.Fragment:
			if why = lacks(c.Type, h); why == "" && !holdsBits(m.Family(), c, h) {
				why = "the packet has " + packet.FlagString(h.Flags)
				if c.Type == flowspec.Fragment {
					why = "the packet is " + fragmentWord(h)
				}
			}
		default:
			if why = lacks(c.Type, h); why == "" {
				why = valueMiss(c.Type, c.Values(), h)
			}
		}
		if why == "" || protocol && lacks(c.Type, h) != "" {
			continue
		}
		protocol = protocol || c.Type == flowspec.Protocol
		out = append(out, Miss{c.Type.String(), said(c.Text(m.Family()), why)})
	}
	return out
}

// said joins a condition and what is wrong: `destination-port =80 needs TCP or UDP: the packet is icmp`.
func said(condition, why string) string {
	if strings.HasPrefix(why, " ") {
		return condition + why
	}
	return condition + ": " + why
}

// lacks says that h has no field of type t, in words that follow the component; "" where it has one, or needs none.
func lacks(t flowspec.Type, h *packet.Header) string {
	needs, header, has := "", "", true
	switch t {
	case flowspec.Port, flowspec.DstPort, flowspec.SrcPort:
		needs, header, has = "TCP or UDP", "ports", h.Proto == 6 || h.Proto == 17
	case flowspec.TCPFlags:
		needs, header, has = "TCP", "TCP flags", h.Proto == 6
	case flowspec.ICMPType, flowspec.ICMPCode:
		needs, header, has = "ICMP", "ICMP header", h.Proto == 1
		if h.Version() == packet.IPv6 {
			needs, has = "ICMPv6", h.Proto == 58
		}
	}
	switch {
	case !has:
		return fmt.Sprintf(" needs %s: the packet is %s", needs, packet.ProtoWord(h.Proto))
	case needs != "" && h.Fragment > packet.First:
		return "a later fragment has no " + header
	}
	return ""
}

// holdsBits asks a component with a bitmask. The fields that it needs are there.
func holdsBits(f flowspec.Family, c flowspec.Component, h *packet.Header) bool {
	plain := flowspec.IPv4 // without a route distinguisher
	if f.Version() == packet.IPv6 {
		plain = flowspec.IPv6
	}
	m, err := flowspec.NewMatch(plain, flowspec.RD{}, c)
	return err == nil && m.Set().Has(*h)
}

func fragmentWord(h *packet.Header) string {
	word := map[packet.Fragment]string{packet.Whole: "whole", packet.First: "a first fragment", packet.Middle: "a later fragment", packet.Last: "a last fragment"}[h.Fragment&3]
	if h.DF {
		word += " with DF"
	}
	return word
}

// valueMiss says which number of h is not in v; "" where it is.
func valueMiss(t flowspec.Type, v packet.Values, h *packet.Header) string {
	number := func(n uint32, unit string) string {
		if v.Has(n) {
			return ""
		}
		return fmt.Sprintf("the packet has %d%s", n, unit)
	}
	switch t {
	case flowspec.Protocol:
		if !v.Has(uint32(h.Proto)) {
			return "the packet is " + packet.ProtoWord(h.Proto)
		}
	case flowspec.Port:
		if !v.Has(uint32(h.SrcPort)) && !v.Has(uint32(h.DstPort)) {
			return fmt.Sprintf("the packet has %d and %d", h.SrcPort, h.DstPort)
		}
	case flowspec.DstPort:
		return number(uint32(h.DstPort), "")
	case flowspec.SrcPort:
		return number(uint32(h.SrcPort), "")
	case flowspec.ICMPType:
		return number(uint32(h.ICMPType), "")
	case flowspec.ICMPCode:
		return number(uint32(h.ICMPCode), "")
	case flowspec.PacketLength:
		return number(uint32(h.Length), " octets")
	case flowspec.DSCP:
		return number(uint32(h.DSCP), "")
	case flowspec.FlowLabel:
		return number(h.Label, "")
	}
	return ""
}

// entryMisses returns the conditions of m that do not match h on a platform with semantics s. What the platform does not check by itself, it
// does not miss: it reads whatever stands there.
func entryMisses(m filter.Match, s filter.Semantics, h *packet.Header) []Miss {
	e := entryReader{m: m, s: s, h: h}
	e.prefix(flowspec.DstPrefix, m.Dst, h.Dst, "the packet goes to ")
	e.prefix(flowspec.SrcPrefix, m.Src, h.Src, "the packet comes from ")
	e.values(flowspec.Protocol, m.Proto, true, true)
	e.values(flowspec.Port, m.Port, s.PortsCheckProtocol, s.TransportChecksOffset)
	e.values(flowspec.DstPort, m.DstPort, s.PortsCheckProtocol, s.TransportChecksOffset)
	e.values(flowspec.SrcPort, m.SrcPort, s.PortsCheckProtocol, s.TransportChecksOffset)
	e.values(flowspec.ICMPType, m.ICMPType, s.ICMPChecksProtocol, s.TransportChecksOffset)
	e.values(flowspec.ICMPCode, m.ICMPCode, s.ICMPChecksProtocol, s.TransportChecksOffset)
	if m.Flags != nil {
		if why := e.lacks(flowspec.TCPFlags, s.FlagsCheckProtocol, s.TransportChecksOffset); why != "" && !e.protocol {
			e.miss(flowspec.TCPFlags, "", why)
		} else if why == "" && !anyTerm(m.Flags, h.Flags) {
			e.miss(flowspec.TCPFlags, "", "the packet has "+packet.FlagString(h.Flags))
		}
	}
	e.values(flowspec.PacketLength, m.Length, true, true)
	e.values(flowspec.DSCP, m.DSCP, true, true)
	e.values(flowspec.FlowLabel, m.Label, true, true)
	if m.Fragments != 0 && m.Fragments&packet.FragsOf(h.Fragment, h.DF && h.Version() == packet.IPv4) == 0 {
		states := m.Fragments
		if h.Version() == packet.IPv6 {
			states |= states << 4 // no DF bit to speak of
		}
		e.miss(flowspec.Fragment, states.String(), "the packet is "+fragmentWord(h))
	}
	return e.out
}

// entryReader gathers what an entry misses.
type entryReader struct {
	m   filter.Match
	s   filter.Semantics
	h   *packet.Header
	out []Miss
	// protocol: missed already, so that a port that needs another one is not said again.
	protocol bool
}

func (e *entryReader) miss(t flowspec.Type, condition, why string) {
	word := t.String()
	if condition != "" {
		word += " " + condition
	}
	e.protocol = e.protocol || t == flowspec.Protocol
	e.out = append(e.out, Miss{t.String(), said(word, why)})
}

func (e *entryReader) prefix(t flowspec.Type, p *netip.Prefix, a netip.Addr, why string) {
	if p != nil && !p.Contains(a) {
		e.miss(t, p.String(), why+a.String())
	}
}

// lacks is lacks on a platform that may not check the protocol, or the offset.
func (e *entryReader) lacks(t flowspec.Type, protocol, offset bool) string {
	why := lacks(t, e.h)
	if wrong := strings.HasPrefix(why, " "); wrong && protocol || !wrong && offset {
		return why
	}
	if offset && t != flowspec.Protocol && e.h.Fragment > packet.First && why != "" {
		return "a later fragment has no transport header"
	}
	return ""
}

func (e *entryReader) values(t flowspec.Type, v packet.Values, protocol, offset bool) {
	if v == nil {
		return
	}
	why := e.lacks(t, protocol, offset)
	if why != "" && e.protocol {
		return
	}
	if why == "" {
		why = valueMiss(t, v, e.h)
	}
	if why != "" {
		e.miss(t, v.String(), why)
	}
}

// anyTerm says whether one of terms lets w through.
func anyTerm(terms []filter.FlagTerm, w uint16) bool {
	for _, t := range terms {
		if w&t.Set == t.Set && w&t.Clear == 0 {
			return true
		}
	}
	return false
}
