package flowspec

import (
	"iter"
	"net/netip"

	"github.com/sluice-gateway/sluice/core/packet"
)

// Family is an address family and subsequent address family that carries FlowSpec (RFC 8955 §4, §8; RFC 8956 §2).
type Family uint8

// The four families.
const (
	IPv4  Family = iota + 1 // AFI 1, SAFI 133
	IPv6                    // AFI 2, SAFI 133
	VPNv4                   // AFI 1, SAFI 134
	VPNv6                   // AFI 2, SAFI 134
)

// AFI returns the address family identifier: 1 or 2.
func (f Family) AFI() uint16 { panic("unbuilt") }

// SAFI returns the subsequent address family identifier: 133 or 134.
func (f Family) SAFI() uint8 { panic("unbuilt") }

// FamilyOf returns the family of an AFI and SAFI, or false.
func FamilyOf(afi uint16, safi uint8) (Family, bool) { panic("unbuilt") }

// VPN says whether NLRIs of f begin with a route distinguisher.
func (f Family) VPN() bool { panic("unbuilt") }

// Version returns the IP version of the packets that f filters.
func (f Family) Version() packet.Version { panic("unbuilt") }

// String returns "ipv4", "ipv6", "vpnv4" or "vpnv6".
func (f Family) String() string { panic("unbuilt") }

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

// String returns the word that ExaBGP uses, such as "destination-port". (`profile` YAML uses the same words.)
func (t Type) String() string { panic("unbuilt") }

// ParseType returns the type that a word of Type.String names.
func ParseType(s string) (Type, bool) { panic("unbuilt") }

// Bitmask says whether components of type t hold bitmask operators (TCP flags, fragment).
func (t Type) Bitmask() bool { panic("unbuilt") }

// Max returns the largest number the field of type t can hold, such as 65535 for a port.
// It is 0 for prefixes.
func (t Type) Max() uint32 { panic("unbuilt") }

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

// Match is all components of a rule. A Match that exists is valid: in type order, each type once, bounded. The
// zero Match is not a match; Valid tells. Copy it freely; it never changes.
type Match struct {
	fam  Family
	nlri []byte // canonical octets with their length octets
	recv []byte // the octets it was decoded from, same array as nlri when they were canonical
}

// SyntaxError says why octets are not an NLRI.
type SyntaxError struct {
	Offset    int    // octet where the trouble is, from the first length octet
	Component Type   // 0 when it is not inside a component
	Reason    string // "component 3 after component 5: types must ascend (RFC 8955 §4.2)"
}

func (e *SyntaxError) Error() string { panic("unbuilt") }

// Frame returns the first NLRI of b, its length octets included, and what follows it. It looks at the length only,
// so that one malformed NLRI does not hide the next. The error is a *SyntaxError: framing itself is lost.
func Frame(b []byte) (nlri, rest []byte, err error) { panic("unbuilt") }

// ParseNLRI decodes exactly one NLRI with its length octets. The Match keeps b: the caller must not change it
// afterwards (Clone copies). It does not allocate when b is canonical. The error is a *SyntaxError.
func ParseNLRI(f Family, b []byte) (Match, error) { panic("unbuilt") }

// NewMatch builds a match from components in any order. rd is used by the VPN families only. Widths of 0 become the
// shortest; list order is kept. The error says which component is wrong and why.
func NewMatch(f Family, rd RD, components ...Component) (Match, error) { panic("unbuilt") }

// Valid says whether m came from ParseNLRI or NewMatch.
func (m Match) Valid() bool { return m.fam != 0 }

// Clone returns m with octets of its own.
func (m Match) Clone() Match { panic("unbuilt") }

// Family returns the family of m.
func (m Match) Family() Family { return m.fam }

// RD returns the route distinguisher of a match of a VPN family.
func (m Match) RD() RD { panic("unbuilt") }

// NLRI returns the canonical octets, length octets included: AND bit of the first pair, reserved bits and pad bits
// cleared, short length form; values and their order as they came. The caller must not change them.
func (m Match) NLRI() []byte { return m.nlri }

// Received returns the octets that m was decoded from. A withdrawal sent back to a peer names these.
func (m Match) Received() []byte { return m.recv }

// All yields the components of m in type order. Terms are decoded as they are asked for.
func (m Match) All() iter.Seq[Component] { panic("unbuilt") }

// Component returns the component of type t, or false.
func (m Match) Component(t Type) (Component, bool) { panic("unbuilt") }

// Compare orders matches of one family as RFC 8955 §5.1 and RFC 8956 §4 do over the canonical octets: negative when a is
// evaluated before b. Families compare by number, route distinguishers as octets.
func Compare(a, b Match) int { panic("unbuilt") }

// Set returns the packets that m matches (docs/semantics.md).
func (m Match) Set() packet.Set { panic("unbuilt") }

// String prints the components as ExaBGP writes them inside `match { }`, on one line:
// `destination 203.0.113.10/32; protocol =udp; source-port [ =19 =53 ];`.
func (m Match) String() string { panic("unbuilt") }

// Values returns the numbers that the terms of a numeric component let through, within the field's range.
func (c Component) Values() packet.Values { panic("unbuilt") }

// String prints one component as ExaBGP writes it, without the semicolon.
func (c Component) String() string { panic("unbuilt") }
