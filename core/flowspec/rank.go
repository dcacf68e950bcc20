package flowspec

import "encoding/binary"

// Rank returns a number that agrees with Compare: of two matches with different ranks the one with the lower rank is evaluated
// first. Equal ranks say nothing. Sorting a large table by rank first, and by Compare where ranks are equal, avoids most
// walks through octets.
func (m Match) Rank() uint64 {
	b := m.components()
	if len(b) == 0 {
		return 0
	}
	head := uint64(m.fam-1) << 62
	if m.fam.VPN() {
		rd := m.RD()
		return head | binary.BigEndian.Uint64(rd[:])>>2
	}
	head |= uint64(b[0]) << 58
	switch {
	case Type(b[0]) > SrcPrefix:
		return head | leading(b[1:])>>6
	case m.fam.v6():
		// Offset, then as much of the pattern as there is room for.
		return head | uint64(b[2])<<50 | filled(b[3:], int(b[1])-int(b[2]))>>14
	}
	// The whole prefix, then type and first octets of the next component.
	bits := int(b[1])
	rank := head | filled(b[2:], bits)>>32<<26 | uint64(32-bits)<<20
	next := b[2+(bits+7)/8:]
	switch {
	case len(next) == 0:
		return rank | 0xfffff // the rule with fewer components comes last
	case Type(next[0]) == SrcPrefix:
		return rank | uint64(next[0])<<16 | filled(next[2:], int(next[1]))>>48
	}
	return rank | uint64(next[0])<<16 | leading(next[1:])>>48
}

// leading returns the first eight octets of lists of values. What ends early is filled with ones, since a rule with fewer
// components comes last. A list never ends where a longer one goes on: its last operator octet differs by the end bit.
func leading(b []byte) uint64 {
	v := ^uint64(0)
	for i, o := range b[:min(8, len(b))] {
		shift := 56 - 8*i
		v = v&^(0xff<<shift) | uint64(o)<<shift
	}
	return v
}

// filled returns the first 64 bits of a prefix, the bits behind it set: so a prefix comes after all that it contains.
func filled(b []byte, bits int) uint64 {
	var v uint64
	for i, o := range b[:min(8, (bits+7)/8)] {
		v |= uint64(o) << (56 - 8*i)
	}
	return v | ^uint64(0)>>min(bits, 64)
}
