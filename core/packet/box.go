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

// Frags returns the fragment states that some packet of a has.
func (a Set) Frags() (out Frags) {
	for i := range a.boxes {
		out |= a.boxes[i].frags
	}
	return out
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
	numbered = label + 1 // how many of them are lists of numbers
)

// largest holds the largest number of each side that is a list of numbers.
var largest = [label + 1]uint32{proto: 255, srcPort: 65535, dstPort: 65535, icmpType: 255, icmpCode: 255, length: 65535, dscp: 63, label: 1<<20 - 1}

// box is a Box in the form that loops over sides can use. Every side is canonical: full is nil.
type box struct {
	version Version
	frags   Frags
	flags   Flags
	addrs   [2]Addrs // dst, src
	often   [4]Values
	rare    *[4]Values // nil: all of them full; boxes share it, and nobody changes it
}

// places says where a box has its lists of numbers: often, and from 4 on rare.
var places = [label + 1]uint8{proto: 0, srcPort: 1, dstPort: 2, length: 3, icmpType: 4, icmpCode: 5, dscp: 6, label: 7}

// list returns side d, which is a list of numbers.
func (b *box) list(d int) Values {
	switch at := places[d]; {
	case at < 4:
		return b.often[at]
	case b.rare != nil:
		return b.rare[at-4]
	}
	return nil
}

// setList makes v side d, which is a list of numbers.
func (b *box) setList(d int, v Values) {
	at := places[d]
	if at < 4 {
		b.often[at] = v
		return
	}
	var rare [4]Values
	if b.rare != nil {
		rare = *b.rare
	}
	rare[at-4] = v
	b.rare = &rare
}

func (b *Box) pack() (p box) {
	b.packInto(&p, new(Row))
	return p
}

// packInto packs b into p, in the memory of r, and says whether it holds a packet.
func (b *Box) packInto(p *box, r *Row) bool {
	p.version, p.frags, p.flags = b.Version, b.Frags&b.Version.frags(), b.Flags
	p.addrs[0], p.addrs[1] = b.Dst, b.Src
	v := [...]Values{proto: b.Proto, srcPort: b.SrcPort, dstPort: b.DstPort, icmpType: b.ICMPType, icmpCode: b.ICMPCode, length: b.Length, dscp: b.DSCP, label: b.Label}
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
	p.often, p.rare = [4]Values{v[proto], v[srcPort], v[dstPort], v[length]}, nil
	if v[icmpType] != nil || v[icmpCode] != nil || v[dscp] != nil || v[label] != nil {
		p.rare = &r.rare.take(1)[:1][0]
		*p.rare = [4]Values{v[icmpType], v[icmpCode], v[dscp], v[label]}
	}
	for i, a := range p.addrs {
		if a.set != nil && a.set.version != b.Version { // no packet has addresses of both versions
			p.addrs[i] = nowhere(b.Version)
		}
	}
	return !p.empty()
}

func (b *box) unpack() Box {
	return Box{Version: b.version, Dst: b.addrs[0], Src: b.addrs[1], Proto: b.list(proto), SrcPort: b.list(srcPort), DstPort: b.list(dstPort),
		ICMPType: b.list(icmpType), ICMPCode: b.list(icmpCode), Length: b.list(length), DSCP: b.list(dscp), Label: b.list(label), Flags: b.flags, Frags: b.frags}
}

func (b *box) empty() bool {
	if b.frags == 0 || b.flags.Empty() || b.addrs[0].Empty() || b.addrs[1].Empty() || b.version != IPv4 && b.version != IPv6 {
		return true
	}
	for d := range numbered {
		if b.list(d).Empty() {
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
	return b.list(d).contains(c.list(d))
}

// contains says whether c is a subset of b. Neither is empty.
func (b *box) contains(c *box) bool {
	if b.version != c.version || c.frags&^b.frags != 0 || !b.addrs[0].contains(c.addrs[0]) || !b.addrs[1].contains(c.addrs[1]) {
		return false
	}
	for i := range b.often {
		if b.often[i] != nil && !b.often[i].contains(c.often[i]) {
			return false
		}
	}
	if b.rare != nil && b.rare != c.rare {
		for d := range numbered {
			if v := b.list(d); places[d] >= 4 && v != nil && !v.contains(c.list(d)) {
				return false
			}
		}
	}
	return b.flags.contains(c.flags)
}

// meets says whether b and c share a packet. Neither is empty.
func (b *box) meets(c *box) bool {
	if b.version != c.version || b.frags&c.frags == 0 || !b.addrs[0].meets(c.addrs[0]) || !b.addrs[1].meets(c.addrs[1]) {
		return false
	}
	for i := range b.often {
		if b.often[i] != nil && c.often[i] != nil && !b.often[i].meets(c.often[i]) {
			return false
		}
	}
	if b.rare != nil && c.rare != nil && b.rare != c.rare {
		for i := range b.rare {
			if b.rare[i] != nil && c.rare[i] != nil && !b.rare[i].meets(c.rare[i]) {
				return false
			}
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
	return b.list(d).meets(c.list(d))
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
	v, w := b.list(d), c.list(d)
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
		if v := c.list(d); v != nil {
			b.setList(d, b.list(d).And(v))
		}
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
		b.setList(d, b.list(d).Or(c.list(d)).within(largest[d]))
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
		b.setList(d, b.list(d).Sub(c.list(d), largest[d]))
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
		if !b.list(d).Has(n) {
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
