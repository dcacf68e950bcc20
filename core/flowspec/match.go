package flowspec

import (
	"bytes"
	"iter"
	"net/netip"
)

// Match is all components of a rule. A Match that exists is valid: in type order, each type once, bounded. The
// zero Match is not a match; Valid tells. Copy it freely; it never changes.
type Match struct {
	fam  Family
	nlri []byte  // canonical octets with their length octets
	recv *[]byte // the octets it was decoded from, where they were not canonical
}

// Valid says whether m came from ParseNLRI or NewMatch.
func (m Match) Valid() bool { return m.fam != 0 }

// Equal says whether a and b are the same NLRI of the same family: same rule identity, not merely the same packets.
func (m Match) Equal(o Match) bool { return m.fam == o.fam && bytes.Equal(m.nlri, o.nlri) }

// Clone returns m with octets of its own.
func (m Match) Clone() Match {
	c := Match{fam: m.fam, nlri: bytes.Clone(m.nlri)}
	if m.recv != nil {
		recv := bytes.Clone(*m.recv)
		c.recv = &recv
	}
	return c
}

// Family returns the family of m.
func (m Match) Family() Family { return m.fam }

// RD returns the route distinguisher of a match of a VPN family, or zero.
func (m Match) RD() RD {
	var rd RD
	if m.fam.VPN() {
		copy(rd[:], m.nlri[m.lengthOctets():])
	}
	return rd
}

// NLRI returns the canonical octets, length octets included: AND bit of the first pair, reserved bits and pad bits
// cleared, short length form; values and their order as they came. The caller must not change them.
func (m Match) NLRI() []byte { return m.nlri }

// Received returns the octets that m was decoded from. A withdrawal sent back to a peer names these.
func (m Match) Received() []byte {
	if m.recv != nil {
		return *m.recv
	}
	return m.nlri
}

func (m Match) lengthOctets() int {
	if m.nlri[0] < longLength {
		return 1
	}
	return 2
}

// components returns the octets behind length and route distinguisher.
func (m Match) components() []byte {
	if m.fam == 0 {
		return nil
	}
	b := m.nlri[m.lengthOctets():]
	if m.fam.VPN() {
		b = b[len(RD{}):]
	}
	return b
}

// All yields the components of m in type order. Terms are decoded as they are asked for.
func (m Match) All() iter.Seq[Component] {
	return func(yield func(Component) bool) {
		v6 := m.fam.v6()
		for b := m.components(); len(b) > 0; {
			n := size(v6, b)
			if !yield(readComponent(v6, b[:n])) {
				return
			}
			b = b[n:]
		}
	}
}

// Component returns the component of type t, or false.
func (m Match) Component(t Type) (Component, bool) {
	v6 := m.fam.v6()
	for b := m.components(); len(b) > 0; {
		n := size(v6, b)
		if Type(b[0]) == t {
			return readComponent(v6, b[:n]), true
		}
		b = b[n:]
	}
	return Component{}, false
}

// Has says whether m has a component of type t. It does not allocate.
func (m Match) Has(t Type) bool {
	v6 := m.fam.v6()
	for b := m.components(); len(b) > 0; b = b[size(v6, b):] {
		if Type(b[0]) == t {
			return true
		}
	}
	return false
}

// AppendComponents appends the components of m to cs, in type order, and their terms to terms, which the components then share: whoever reads many
// matches, one after the other, need not allocate.
func (m Match) AppendComponents(cs []Component, terms []Term) ([]Component, []Term) {
	v6 := m.fam.v6()
	for b := m.components(); len(b) > 0; {
		n := size(v6, b)
		one := Component{Type: Type(b[0])}
		if one.Type <= SrcPrefix {
			one.Prefix = readPrefix(v6, b[:n])
		} else {
			from := len(terms)
			terms = appendTerms(terms, b[1:n])
			one.Terms = terms[from:len(terms):len(terms)]
		}
		cs, b = append(cs, one), b[n:]
	}
	return cs, terms
}

// SameStart says whether m and o, of one family, begin with the same component.
func (m Match) SameStart(o Match) bool {
	a, b := m.components(), o.components()
	if m.fam != o.fam || len(a) == 0 || len(b) == 0 {
		return false
	}
	n := size(m.fam.v6(), a)
	return n <= len(b) && bytes.Equal(a[:n], b[:n])
}

// size returns the number of octets of the component that b begins with; b is canonical.
func size(v6 bool, b []byte) int {
	if Type(b[0]) <= SrcPrefix {
		if v6 {
			return 3 + (int(b[1])-int(b[2])+7)/8
		}
		return 2 + (int(b[1])+7)/8
	}
	for i := 1; ; {
		op := b[i]
		i += 1 + 1<<(op>>4&3)
		if op&endBit != 0 {
			return i
		}
	}
}

// readComponent decodes one component; b is canonical and holds nothing else.
func readComponent(v6 bool, b []byte) Component {
	t := Type(b[0])
	if t <= SrcPrefix {
		return Component{Type: t, Prefix: readPrefix(v6, b)}
	}
	n := 0
	for i := 1; i < len(b); i += 1 + 1<<(b[i]>>4&3) {
		n++
	}
	return Component{Type: t, Terms: appendTerms(make([]Term, 0, n), b[1:])}
}

// appendTerms decodes the pairs of a list component; b is canonical and holds nothing else.
func appendTerms(terms []Term, b []byte) []Term {
	for len(b) > 0 {
		op := b[0]
		width := 1 << (op >> 4 & 3)
		var value uint64
		for _, o := range b[1 : 1+width] {
			value = value<<8 | uint64(o)
		}
		terms = append(terms, Term{And: op&andBit != 0, Op: Op(op & 0x07), Value: value, Width: uint8(width)})
		b = b[1+width:]
	}
	return terms
}

func readPrefix(v6 bool, b []byte) Prefix {
	if !v6 {
		var a [4]byte
		copy(a[:], b[2:])
		return Prefix{Addr: netip.AddrFrom4(a), Len: b[1]}
	}
	var a [16]byte
	shiftRight(&a, b[3:], int(b[2]))
	return Prefix{Addr: netip.AddrFrom16(a), Offset: b[2], Len: b[1]}
}

// shiftRight puts pattern into a, beginning at the given bit: RFC 8956 §3.1 sends the bits from the offset on, left
// aligned.
func shiftRight(a *[16]byte, pattern []byte, offset int) {
	at, bits := offset/8, offset%8
	for i, o := range pattern {
		a[at+i] |= o >> bits
		if bits != 0 && at+i+1 < len(a) {
			a[at+i+1] |= o << (8 - bits)
		}
	}
}

// shiftLeft returns the size octets of a that begin at the given bit.
func shiftLeft(a [16]byte, offset, size int) []byte {
	pattern := make([]byte, size)
	at, bits := offset/8, offset%8
	for i := range pattern {
		pattern[i] = a[at+i] << bits
		if bits != 0 && at+i+1 < len(a) {
			pattern[i] |= a[at+i+1] >> (8 - bits)
		}
	}
	return pattern
}
