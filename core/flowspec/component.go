package flowspec

import (
	"fmt"
	"net/netip"
)

// Type is a component type (RFC 8955 §4.2.2, RFC 8956 §3; IANA "Flow Spec Component Types").
type Type uint8

// The component types.
const (
	DstPrefix    Type = 1
	SrcPrefix    Type = 2
	Protocol     Type = 3 // IPv6: upper-layer protocol
	Port         Type = 4 // source or destination port
	DstPort      Type = 5
	SrcPort      Type = 6
	ICMPType     Type = 7
	ICMPCode     Type = 8
	TCPFlags     Type = 9
	PacketLength Type = 10
	DSCP         Type = 11
	Fragment     Type = 12
	FlowLabel    Type = 13 // IPv6 only
)

// types says of each component type how ExaBGP calls it and what its packet field can hold.
var types = [...]struct {
	word string
	max  uint32
}{
	DstPrefix:    {"destination", 0},
	SrcPrefix:    {"source", 0},
	Protocol:     {"protocol", 0xff},
	Port:         {"port", 0xffff},
	DstPort:      {"destination-port", 0xffff},
	SrcPort:      {"source-port", 0xffff},
	ICMPType:     {"icmp-type", 0xff},
	ICMPCode:     {"icmp-code", 0xff},
	TCPFlags:     {"tcp-flags", 0xfff},
	PacketLength: {"packet-length", 0xffff},
	DSCP:         {"dscp", 0x3f},
	Fragment:     {"fragment", 0x0f},
	FlowLabel:    {"flow-label", 0xfffff},
}

// String returns the word that ExaBGP uses, such as "destination-port". (`profile` YAML uses the same words.)
func (t Type) String() string {
	if t.known() {
		return types[t].word
	}
	return fmt.Sprintf("component %d", uint8(t))
}

// ParseType returns the type that a word of Type.String names.
func ParseType(s string) (Type, bool) {
	for t := DstPrefix; t <= FlowLabel; t++ {
		if types[t].word == s {
			return t, true
		}
	}
	return 0, false
}

// Bitmask says whether components of type t hold bitmask operators (TCP flags, fragment).
func (t Type) Bitmask() bool { return t == TCPFlags || t == Fragment }

// Prefix says whether components of type t hold a prefix (destination, source).
func (t Type) Prefix() bool { return t == DstPrefix || t == SrcPrefix }

// Max returns the largest number the field of type t can hold, such as 65535 for a port.
// It is 0 for prefixes.
func (t Type) Max() uint32 {
	if t.known() {
		return types[t].max
	}
	return 0
}

func (t Type) known() bool { return t >= DstPrefix && t <= FlowLabel }

// Op is the comparison of one term. The wire's end, AND and length bits are not in it.
type Op uint8

// Numeric operators (RFC 8955 §4.2.1.1): any combination of the three bits.
const (
	False Op = 0 // always false
	EQ    Op = 1
	GT    Op = 2
	GE    Op = GT | EQ
	LT    Op = 4
	LE    Op = LT | EQ
	NE    Op = LT | GT
	True  Op = LT | GT | EQ // always true
)

// Bitmask operators (RFC 8955 §4.2.1.2) for a packet field d and a value v.
const (
	AnyBit  Op = 0 // d&v != 0
	AllBits Op = 1 // d&v == v
	NoBit   Op = 2 // d&v == 0
	NotAll  Op = 3 // d&v != v
)

// Term is one operator and value of a list. Terms are ORed, except that And joins a term to the one before it;
// AND binds tighter.
type Term struct {
	And   bool // never set on the first term
	Op    Op
	Value uint64
	Width uint8 // octets of the value: 1, 2, 4 or 8; 0 when building means the shortest the type allows
}

// Prefix is the operand of a destination or source component. In IPv4 Offset is 0. Bits of Addr outside
// Offset..Len-1 are zero.
type Prefix struct {
	Addr   netip.Addr
	Offset uint8
	Len    uint8
}

// Component is one typed condition of a match.
type Component struct {
	Type   Type
	Prefix Prefix // types DstPrefix and SrcPrefix
	Terms  []Term // every other type; at least one
}

// RD is a route distinguisher (RFC 4364 §4.2), used by the VPN families.
type RD [8]byte
