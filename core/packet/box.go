package packet

import "slices"

// Frags is a set of fragment states: bit i is Fragment(i) without DF, bit 4+i the same with DF.
type Frags uint8

// Sets of fragment states that come up often. IPv6 uses the lower four bits only.
const (
	AnyFrags   Frags = 0xff
	OffsetZero Frags = 0x33 // Whole and First: the packets that carry a transport header
)

// FragsOf returns the one state of a packet.
func FragsOf(f Fragment, df bool) Frags {
	if df {
		return 0x10 << f
	}
	return 1 << f
}

// Box is a product of sets, one for each header field. In a box every packet carries every field
// (the free space of docs/semantics.md): who builds a box says what a field needs, such as
// "a port needs TCP or UDP, and offset zero", by narrowing Proto and Frags. Begin with [Everything]: a Box
// whose Frags is zero holds no packet.
type Box struct {
	Version                                                          Version
	Dst, Src                                                         Addrs
	Proto, SrcPort, DstPort, ICMPType, ICMPCode, Length, DSCP, Label Values
	Flags                                                            Flags
	Frags                                                            Frags
}

// Everything returns the box of all packets of version v.
func Everything(v Version) Box { return Box{Version: v, Frags: v.frags()} }

// frags returns all fragment states of version v: IPv6 has no DF bit.
func (v Version) frags() Frags {
	if v == IPv6 {
		return AnyFrags & 0x0f
	}
	return AnyFrags
}

// And returns the packets in both b and c.
func (b Box) And(c Box) Box {
	x, y := b.pack(), c.pack()
	if x.version != y.version {
		return Box{Version: b.Version}
	}
	x.cutAll(&y)
	return x.unpack()
}

// Empty says whether b holds no packet.
func (b Box) Empty() bool {
	p := b.pack()
	return p.empty()
}

// The sides of a box, as the algorithms number them.
const (
	proto = iota
	srcPort
	dstPort
	icmpType
	icmpCode
	length
	dscp
	label
	dst
	src
	flagBits
	frag
	sides
)

// largest holds the largest number of each side that is a list of numbers.
var largest = [label + 1]uint32{proto: 255, srcPort: 65535, dstPort: 65535, icmpType: 255, icmpCode: 255, length: 65535, dscp: 63, label: 1<<20 - 1}

// box is a Box in the form that loops over sides can use. Every side is canonical: full is nil.
type box struct {
	version Version
	frags   Frags
	flags   Flags
	addrs   [2]Addrs // dst, src
	values  [label + 1]Values
}

func (b *Box) pack() (p box) {
	b.packInto(&p)
	return p
}

// packInto packs b into p, and says whether it holds a packet.
func (b *Box) packInto(p *box) bool {
	p.version, p.frags, p.flags = b.Version, b.Frags&b.Version.frags(), b.Flags
	p.addrs[0], p.addrs[1] = b.Dst, b.Src
	v := &p.values
	v[proto], v[srcPort], v[dstPort], v[icmpType] = b.Proto, b.SrcPort, b.DstPort, b.ICMPType
	v[icmpCode], v[length], v[dscp], v[label] = b.ICMPCode, b.Length, b.DSCP, b.Label
	for d := range v {
		if v[d] != nil {
			v[d] = v[d].within(largest[d])
		}
	}
	if b.Version == IPv4 && b.Label != nil { // an IPv4 packet has no flow label: the field is zero
		if v[label] = nil; !b.Label.Has(0) {
			v[label] = Values{}
		}
	}
	for i, a := range p.addrs {
		if a.set != nil && a.set.version != b.Version { // no packet has addresses of both versions
			p.addrs[i] = nowhere(b.Version)
		}
	}
	return !p.empty()
}

func (b *box) unpack() Box {
	v := &b.values
	return Box{Version: b.version, Dst: b.addrs[0], Src: b.addrs[1], Proto: v[proto], SrcPort: v[srcPort], DstPort: v[dstPort],
		ICMPType: v[icmpType], ICMPCode: v[icmpCode], Length: v[length], DSCP: v[dscp], Label: v[label], Flags: b.flags, Frags: b.frags}
}

func (b *box) empty() bool {
	if b.frags == 0 || b.flags.Empty() || b.addrs[0].Empty() || b.addrs[1].Empty() || b.version != IPv4 && b.version != IPv6 {
		return true
	}
	for i := range b.values {
		if b.values[i].Empty() {
			return true
		}
	}
	return false
}

// side says whether side d of b contains that of c.
func (b *box) side(d int, c *box) bool {
	switch d {
	case dst, src:
		return b.addrs[d-dst].contains(c.addrs[d-dst])
	case flagBits:
		return b.flags.contains(c.flags)
	case frag:
		return c.frags&^b.frags == 0
	}
	return b.values[d].contains(c.values[d])
}

// contains says whether c is a subset of b. Neither is empty.
func (b *box) contains(c *box) bool {
	if b.version != c.version || c.frags&^b.frags != 0 || !b.addrs[0].contains(c.addrs[0]) || !b.addrs[1].contains(c.addrs[1]) {
		return false
	}
	for d := range b.values {
		if b.values[d] != nil && !b.values[d].contains(c.values[d]) {
			return false
		}
	}
	return b.flags.contains(c.flags)
}

// meets says whether b and c share a packet. Neither is empty.
func (b *box) meets(c *box) bool {
	if b.version != c.version || b.frags&c.frags == 0 || !b.addrs[0].meets(c.addrs[0]) || !b.addrs[1].meets(c.addrs[1]) {
		return false
	}
	for d := range b.values {
		if b.values[d] != nil && c.values[d] != nil && !b.values[d].meets(c.values[d]) {
			return false
		}
	}
	return b.flags.meets(c.flags)
}

// sideMeets says whether side d of b and c have something in common.
func (b *box) sideMeets(d int, c *box) bool {
	switch d {
	case dst, src:
		return b.addrs[d-dst].meets(c.addrs[d-dst])
	case flagBits:
		return b.flags.meets(c.flags)
	case frag:
		return b.frags&c.frags != 0
	}
	return b.values[d].meets(c.values[d])
}

// sideEqual says whether side d of b and c are the same set.
func (b *box) sideEqual(d int, c *box) bool {
	switch d {
	case dst, src:
		return b.addrs[d-dst].equal(c.addrs[d-dst])
	case flagBits:
		return b.flags.equal(c.flags)
	case frag:
		return b.frags == c.frags
	}
	v, w := b.values[d], c.values[d]
	if len(v) != len(w) || (v == nil) != (w == nil) {
		return false
	}
	return len(v) == 0 || &v[0] == &w[0] || slices.Equal(v, w)
}

// equal says whether b and c hold the same packets. The factors of a product that is not empty are unique.
func (b *box) equal(c *box) bool {
	if b.version != c.version {
		return false
	}
	for d := range sides {
		if !b.sideEqual(d, c) {
			return false
		}
	}
	return true
}

// cut narrows side d of b to that of c.
func (b *box) cut(d int, c *box) {
	switch d {
	case dst, src:
		b.addrs[d-dst] = b.addrs[d-dst].And(c.addrs[d-dst])
	case flagBits:
		b.flags = b.flags.And(c.flags)
	case frag:
		b.frags &= c.frags
	default:
		b.values[d] = b.values[d].And(c.values[d])
	}
}

func (b *box) cutAll(c *box) {
	for d := range sides {
		b.cut(d, c)
	}
}

// widen adds side d of c to that of b.
func (b *box) widen(d int, c *box) {
	switch d {
	case dst, src:
		b.addrs[d-dst] = b.addrs[d-dst].Or(c.addrs[d-dst])
	case flagBits:
		b.flags = b.flags.Or(c.flags)
	case frag:
		b.frags |= c.frags
	default:
		b.values[d] = b.values[d].Or(c.values[d]).within(largest[d])
	}
}

// strip takes side d of c away from that of b.
func (b *box) strip(d int, c *box) {
	switch d {
	case dst, src:
		b.addrs[d-dst] = b.addrs[d-dst].Sub(c.addrs[d-dst])
	case flagBits:
		b.flags = b.flags.And(c.flags.Not())
	case frag:
		b.frags &^= c.frags
	default:
		b.values[d] = b.values[d].Sub(c.values[d], largest[d])
	}
}

// has says whether h is in b, its fields taken as they are.
func (b *box) has(h *Header) bool {
	if b.version != h.Version() || b.frags&FragsOf(h.Fragment&3, h.DF && b.version == IPv4) == 0 {
		return false
	}
	if !b.addrs[0].Has(h.Dst) || !b.addrs[1].Has(h.Src) || !b.flags.Has(h.Flags) {
		return false
	}
	for d, n := range h.numbers() {
		if !b.values[d].Has(n) {
			return false
		}
	}
	return true
}

// numbers returns the fields of h in the order of the sides of a box.
func (h *Header) numbers() [label + 1]uint32 {
	return [...]uint32{proto: uint32(h.Proto), srcPort: uint32(h.SrcPort), dstPort: uint32(h.DstPort), icmpType: uint32(h.ICMPType),
		icmpCode: uint32(h.ICMPCode), length: uint32(h.Length), dscp: uint32(h.DSCP), label: h.Label}
}
