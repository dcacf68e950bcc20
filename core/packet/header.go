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

// Fragment says which part of a fragmented packet a header belongs to (RFC 8955 §4.2.2.12).
type Fragment uint8

// The fragment states. An IPv6 atomic fragment (RFC 6946) is Whole.
const (
	Whole  Fragment = iota // offset 0, no more fragments
	First                  // offset 0, more fragments follow
	Middle                 // offset > 0, more fragments follow
	Last                   // offset > 0, no more fragments
)

// Header is one concrete packet: the form every witness takes. A field that the packet does not
// have (a port of an ICMP packet, a flag of a later fragment) is zero.
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
