package packet

import "net/netip"

// Span is the inclusive range Lo..Hi.
type Span struct{ Lo, Hi uint32 }

// Values is a set of numbers: sorted, disjoint, never adjacent, so that two Values hold the same
// numbers exactly when slices.Equal says so. Nil is every number the field can hold; an empty
// non-nil Values is no number at all.
type Values []Span

// NewValues returns the union of spans in canonical form; without spans it is the empty set.
func NewValues(spans ...Span) Values { panic("unbuilt") }

// Addrs is a set of addresses of one IP version. The zero Addrs is every address.
type Addrs struct{ _ int }

// AddrsIn returns the addresses of p. A /0 is the zero Addrs.
func AddrsIn(p netip.Prefix) Addrs { panic("unbuilt") }

// AddrsLike returns the IPv6 addresses a with a&mask == value&mask: a prefix with an offset (RFC 8956 §3.1).
func AddrsLike(value, mask netip.Addr) Addrs { panic("unbuilt") }

// Flags is a set of 12-bit TCP flag words. The zero Flags is every word.
type Flags struct{ _ int }

// FlagsAll returns the words w with w&mask == mask; FlagsAny those with w&mask != 0.
func FlagsAll(mask uint16) Flags { panic("unbuilt") }

// FlagsAny returns the words w with w&mask != 0.
func FlagsAny(mask uint16) Flags { panic("unbuilt") }

// And, Or and Not are the Boolean operations on flag words.
func (f Flags) And(g Flags) Flags { panic("unbuilt") }

// Or returns the words in f or in g.
func (f Flags) Or(g Flags) Flags { panic("unbuilt") }

// Not returns the words not in f.
func (f Flags) Not() Flags { panic("unbuilt") }

// Frags is a set of fragment states: bit i is Fragment(i) without DF, bit 4+i the same with DF.
type Frags uint8

// Sets of fragment states that come up often. IPv6 uses the lower four bits only.
const (
	AnyFrags   Frags = 0xff
	OffsetZero Frags = 0x33 // Whole and First: the packets that carry a transport header
)

// Box is a product of sets, one for each header field. In a box every packet carries every field
// (the free space of docs/semantics.md): who builds a box says what a field needs, such as
// "a port needs TCP or UDP, and offset zero", by narrowing Proto and Frags.
type Box struct {
	Version                                                          Version
	Dst, Src                                                         Addrs
	Proto, SrcPort, DstPort, ICMPType, ICMPCode, Length, DSCP, Label Values
	Flags                                                            Flags
	Frags                                                            Frags
}

// Everything returns the box of all packets of version v.
func Everything(v Version) Box { panic("unbuilt") }

// Set is an immutable set of packets of both IP versions: a union of boxes. The zero Set is empty.
// Values of Set may be shared between goroutines.
type Set struct{ _ int }

// Of returns the union of boxes. A box with an empty side adds nothing.
func Of(boxes ...Box) Set { panic("unbuilt") }

// And returns the packets in both a and b.
func (a Set) And(b Set) Set { panic("unbuilt") }

// Or returns the packets in a or in b.
func (a Set) Or(b Set) Set { panic("unbuilt") }

// Sub returns the packets in a and not in b.
func (a Set) Sub(b Set) Set { panic("unbuilt") }

// Not returns the packets of both IP versions that are not in a.
func (a Set) Not() Set { panic("unbuilt") }

// Empty says whether a holds no packet.
func (a Set) Empty() bool { panic("unbuilt") }

// Equal says whether a and b hold the same packets.
func (a Set) Equal(b Set) bool { panic("unbuilt") }

// Overlaps says whether some packet is in both a and b. It does not allocate in the usual cases.
func (a Set) Overlaps(b Set) bool { panic("unbuilt") }

// Has says whether h is in a.
func (a Set) Has(h Header) bool { panic("unbuilt") }

// Outside looks for packets of a that are in none of bs. It returns some of them (empty: there are
// none) and true; or an empty set and false when it gave up after that many steps. A caller treats
// "gave up" as not proven.
func (a Set) Outside(steps int, bs ...Set) (Set, bool) { panic("unbuilt") }

// Witness returns a packet of a that looks ordinary: physically possible, a common protocol,
// unfragmented, a middling length, wherever a leaves the choice. It returns false when a is empty or
// holds only packets that cannot exist (an IPv4 packet of 12 octets, say).
func (a Set) Witness() (Header, bool) { panic("unbuilt") }

// Boxes returns boxes whose union is a.
func (a Set) Boxes() []Box { panic("unbuilt") }

// String describes a in words an operator would use, shortened where it is long.
func (a Set) String() string { panic("unbuilt") }

// String prints h as `PROTO SRC[:PORT] > DST[:PORT] [len N] [flags SA] [icmp TYPE/CODE] [dscp N]
// [frag first|middle|last] [df] [label N]`; ParseHeader reads it back.
func (h Header) String() string { panic("unbuilt") }

// ParseHeader reads the form that Header.String prints. Fields left out get ordinary values (a
// length that the packet can have, flags S for TCP). Errors name the word that is wrong.
func ParseHeader(s string) (Header, error) { panic("unbuilt") }
