package filter

import (
	"github.com/sluice-gateway/sluice/core/packet"
)

// Protocol numbers that conditions on transport fields depend on.
const (
	protoICMP   = 1
	protoTCP    = 6
	protoUDP    = 17
	protoICMPv6 = 58
)

var (
	tcpOnly   = packet.Values{{Lo: protoTCP, Hi: protoTCP}}
	tcpAndUDP = packet.Values{{Lo: protoTCP, Hi: protoTCP}, {Lo: protoUDP, Hi: protoUDP}}
)

// icmpOnly is the ICMP of version v: RFC 8955 §4.2.2.7 means ICMP, RFC 8956 §3.3 means ICMPv6.
func icmpOnly(v packet.Version) packet.Values {
	if v == packet.IPv6 {
		return packet.Values{{Lo: protoICMPv6, Hi: protoICMPv6}}
	}
	return packet.Values{{Lo: protoICMP, Hi: protoICMP}}
}

// portsAsked, flagsAsked and icmpAsked say which transport fields m looks at.
func (m Match) portsAsked() bool { return m.Port != nil || m.DstPort != nil || m.SrcPort != nil }
func (m Match) flagsAsked() bool { return m.Flags != nil }
func (m Match) icmpAsked() bool  { return m.ICMPType != nil || m.ICMPCode != nil }

// Transport says whether m looks at anything behind the IP header: at ports, TCP flags, or type and code of ICMP.
func (m Match) Transport() bool { return m.portsAsked() || m.flagsAsked() || m.icmpAsked() }

// Set returns the packets of version v that m matches on a platform with semantics s. It is one box, or two for a Port condition.
//
// A platform that checks neither protocol nor offset reads whatever octets stand where a port would be. In the free space of packets
// (docs/semantics.md) those octets are a coordinate like any other, so such a match is simply not narrowed to TCP, UDP and offset zero:
// it holds more packets than the rule meant, and a proof shows it.
func (m Match) Set(v packet.Version, s Semantics) packet.Set {
	b := packet.Everything(v)
	if m.Dst != nil {
		b.Dst = packet.AddrsIn(m.Dst.Masked())
	}
	if m.Src != nil {
		b.Src = packet.AddrsIn(m.Src.Masked())
	}
	b.Proto = m.protocols(v, s)
	b.DstPort, b.SrcPort = m.DstPort, m.SrcPort
	b.ICMPType, b.ICMPCode = m.ICMPType, m.ICMPCode
	b.Length, b.DSCP, b.Label = m.Length, m.DSCP, m.Label
	if m.Flags != nil {
		b.Flags = flagWords(m.Flags)
	}
	if m.Fragments != 0 {
		b.Frags &= m.Fragments
	}
	if m.Transport() && s.TransportChecksOffset {
		b.Frags &= packet.OffsetZero
	}
	if b.Frags == 0 {
		return packet.Set{}
	}
	if m.Port == nil {
		return packet.Of(b)
	}
	asDst, asSrc := b, b
	asDst.DstPort = m.DstPort.And(m.Port)
	asSrc.SrcPort = m.SrcPort.And(m.Port)
	return packet.Of(asDst, asSrc)
}

// protocols returns the protocols that m matches, with the checks that the platform adds by itself.
func (m Match) protocols(v packet.Version, s Semantics) packet.Values {
	p := m.Proto
	if m.portsAsked() && s.PortsCheckProtocol {
		p = p.And(tcpAndUDP)
	}
	if m.flagsAsked() && s.FlagsCheckProtocol {
		p = p.And(tcpOnly)
	}
	if m.icmpAsked() && s.ICMPChecksProtocol {
		p = p.And(icmpOnly(v))
	}
	return p
}

// flagWords returns the flag words that any of terms matches.
func flagWords(terms []FlagTerm) packet.Flags {
	words := packet.Flags{}.Not()
	for _, t := range terms {
		words = words.Or(packet.FlagsAll(t.Set).And(packet.FlagsAny(t.Clear).Not()))
	}
	return words
}
