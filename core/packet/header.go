package packet

import (
	"net/netip"
)

// Version is the IP version of a packet or of a box.
type Version uint8

// The two IP versions.
const (
	IPv4 Version = 4
	IPv6 Version = 6
)

// String returns "ipv4" or "ipv6".
func (v Version) String() string {
	if v == IPv6 {
		return "ipv6"
	}
	return "ipv4"
}

// Fragment says which part of a fragmented packet a header belongs to (RFC 8955 §4.2.2.12).
type Fragment uint8

// The fragment states. An IPv6 atomic fragment (RFC 6946) is Whole.
const (
	Whole  Fragment = iota // offset 0, no more fragments
	First                  // offset 0, more fragments follow
	Middle                 // offset > 0, more fragments follow
	Last                   // offset > 0, no more fragments
)

var fragmentWords = [4]string{"whole", "first", "middle", "last"}

// String returns "whole", "first", "middle" or "last".
func (f Fragment) String() string { return fragmentWords[f&3] }

// Header is one concrete packet: the form every witness takes. A field that the packet does not
// have (a port of an ICMP packet, a flag of a later fragment) is zero, unless a platform is shown that reads
// one there all the same.
type Header struct {
	Src, Dst           netip.Addr // one IP version
	Proto              uint8      // IPv4 protocol; IPv6 upper-layer protocol
	SrcPort, DstPort   uint16     // TCP and UDP, whole packets and first fragments
	ICMPType, ICMPCode uint8      // ICMP (1) in IPv4, ICMPv6 (58) in IPv6
	Flags              uint16     // the 12 TCP flag bits: reserved, NS, CWR ECE URG ACK PSH RST SYN FIN
	Length             uint16     // octets without layer 2, with the IP header
	DSCP               uint8      // 0..63
	Label              uint32     // IPv6 flow label, 20 bits
	Fragment           Fragment
	DF                 bool // IPv4 only
}

// Version returns the IP version of the addresses of h, 0 when they are not of one version.
func (h Header) Version() Version {
	switch {
	case h.Src.Is4() && h.Dst.Is4():
		return IPv4
	case h.Src.Is6() && h.Dst.Is6():
		return IPv6
	}
	return 0
}

// hasTransport says whether h begins at offset zero, where the transport header is.
func (h *Header) hasTransport() bool { return h.Fragment == Whole || h.Fragment == First }

func (h *Header) hasPorts() bool { return (h.Proto == 6 || h.Proto == 17) && h.hasTransport() }

func (h *Header) hasFlags() bool { return h.Proto == 6 && h.hasTransport() }

func (h *Header) hasICMP() bool { return h.Proto == h.icmp() && h.hasTransport() }

// icmp returns the protocol number that ICMP has in the IP version of h.
func (h *Header) icmp() uint8 {
	if h.Version() == IPv6 {
		return 58
	}
	return 1
}

// Box returns the set of just h.
func (h Header) Box() Box {
	one := func(n uint32) Values { return Values{{n, n}} }
	b := Everything(h.Version())
	b.Dst, b.Src = AddrsIn(netip.PrefixFrom(h.Dst, h.Dst.BitLen())), AddrsIn(netip.PrefixFrom(h.Src, h.Src.BitLen()))
	b.Proto, b.SrcPort, b.DstPort = one(uint32(h.Proto)), one(uint32(h.SrcPort)), one(uint32(h.DstPort))
	b.ICMPType, b.ICMPCode = one(uint32(h.ICMPType)), one(uint32(h.ICMPCode))
	b.Length, b.DSCP, b.Label = one(uint32(h.Length)), one(uint32(h.DSCP)), one(h.Label)
	b.Flags = FlagsAll(h.Flags).And(FlagsAny(0xfff &^ h.Flags).Not())
	b.Frags = FragsOf(h.Fragment, h.DF)
	return b
}
