package packet

import (
	"math"
	"net/netip"
	"slices"
)

// Set is an immutable set of packets of both IP versions: a union of boxes. The zero Set is empty.
// Values of Set may be shared between goroutines.
type Set struct{ boxes []box }

// Of returns the union of boxes. A box with an empty side adds nothing. It keeps the Values of the boxes: the caller
// does not change them afterwards.
func Of(boxes ...Box) Set {
	if len(boxes) == 0 {
		return Set{}
	}
	var row Row
	return row.Of(boxes...)
}

// tidyUpTo bounds the pairwise work of tidy. Larger unions stay as they are: longer, and as exact.
const tidyUpTo = 64

// tidy drops boxes inside other boxes and merges two boxes that differ in one side, in place, until nothing changes.
func tidy(boxes []box) []box {
	if len(boxes) > tidyUpTo {
		return boxes
	}
	for i := 0; i < len(boxes); i++ {
		for j := 0; j < len(boxes); j++ {
			if i == j || !absorb(&boxes[i], &boxes[j]) {
				continue
			}
			boxes = slices.Delete(boxes, j, j+1)
			i, j = 0, -1 // the grown box may absorb more
			if len(boxes) < 2 {
				return boxes
			}
		}
	}
	return boxes
}

// absorb grows b to b or c where that is one box.
func absorb(b, c *box) bool {
	if b.version != c.version {
		return false
	}
	differs, outside := -1, false
	for d := range sides {
		if b.sideEqual(d, c) {
			continue
		}
		if differs >= 0 { // two sides differ: only "c is inside b" is left, and only without growth so far
			outside = outside || !b.side(differs, c)
			if outside || !b.side(d, c) {
				return false
			}
		}
		differs = d
	}
	if differs >= 0 && !b.side(differs, c) {
		b.widen(differs, c)
	}
	return true
}

// And returns the packets in both a and b.
func (a Set) And(b Set) Set {
	var out []box
	for i := range a.boxes {
		for j := range b.boxes {
			if x := &b.boxes[j]; a.boxes[i].meets(x) {
				both := a.boxes[i]
				both.cutAll(x)
				out = append(out, both)
			}
		}
	}
	return Set{tidy(out)}
}

// Or returns the packets in a or in b.
func (a Set) Or(b Set) Set {
	if len(a.boxes) == 0 {
		return b
	}
	if len(b.boxes) == 0 {
		return a
	}
	return Set{tidy(slices.Concat(a.boxes, b.boxes))}
}

// Sub returns the packets in a and not in b.
func (a Set) Sub(b Set) Set {
	if !a.Overlaps(b) {
		return a
	}
	s := search{steps: math.MaxInt}
	for i := range a.boxes {
		s.outside(&a.boxes[i], b)
	}
	return Set{tidy(s.out)}
}

// Not returns the packets of both IP versions that are not in a.
func (a Set) Not() Set { return Of(Everything(IPv4), Everything(IPv6)).Sub(a) }

// Empty says whether a holds no packet.
func (a Set) Empty() bool { return len(a.boxes) == 0 }

// Contains says whether every packet of b is in a.
func (a Set) Contains(b Set) bool {
	s := search{steps: math.MaxInt, wants: noPiece}
	for i := range b.boxes {
		if !s.outside(&b.boxes[i], a) {
			return false
		}
	}
	return true
}

// Identical says whether a and b are the same boxes in the same order. Then they are equal; the reverse does not hold. It does not
// allocate.
func (a Set) Identical(b Set) bool {
	return len(a.boxes) == len(b.boxes) && (len(a.boxes) == 0 || sameBoxes(a.boxes, b.boxes))
}

// BoxInBox says whether every box of b lies in one box of a. Then a contains b; the reverse does not hold. It does not allocate.
func (a Set) BoxInBox(b Set) bool {
	for i := range b.boxes {
		if !inOne(&b.boxes[i], a.boxes) {
			return false
		}
	}
	return true
}

// Single says whether a is one box.
func (a Set) Single() bool { return len(a.boxes) == 1 }

// Equal says whether a and b hold the same packets.
func (a Set) Equal(b Set) bool {
	switch {
	case len(a.boxes) == 0 || len(b.boxes) == 0:
		return len(a.boxes) == len(b.boxes)
	case sameBoxes(a.boxes, b.boxes):
		return true
	case len(a.boxes) == 1 && len(b.boxes) == 1:
		return false
	}
	coarse, fine := a, b
	if len(a.boxes) > len(b.boxes) {
		coarse, fine = b, a
	}
	if equal, known := coarse.counts(fine); known {
		return equal
	}
	return a.Contains(b) && b.Contains(a)
}

// Tiles says whether parts, no two of which share a packet, hold the packets of a and no others. It counts, and is much quicker than a search; false also
// means that counting cannot tell.
func (a Set) Tiles(parts ...Set) bool {
	equal, known := a.counts(parts...)
	return equal && known
}

// counts is samePartition for a and the boxes of parts.
func (a Set) counts(parts ...Set) (equal, known bool) {
	two := tallies.Get().(*[2]tally)
	coarse, fine := &two[0], &two[1]
	defer func() {
		coarse.end()
		fine.end()
		tallies.Put(two)
	}()
	coarse.add(a.boxes)
	for _, p := range parts {
		fine.add(p.boxes)
	}
	if len(coarse.boxes) == 0 || len(fine.boxes) == 0 {
		return len(coarse.boxes) == len(fine.boxes), true
	}
	return samePartition(coarse, fine)
}

// sameBoxes says whether a and b are the same boxes in the same order.
func sameBoxes(a, b []box) bool {
	if len(a) != len(b) {
		return false
	}
	if &a[0] == &b[0] {
		return true
	}
	for i := range a {
		if !a[i].equal(&b[i]) {
			return false
		}
	}
	return true
}

// Overlaps says whether some packet is in both a and b. It does not allocate in the usual cases.
func (a Set) Overlaps(b Set) bool {
	for i := range a.boxes {
		for j := range b.boxes {
			if a.boxes[i].meets(&b.boxes[j]) {
				return true
			}
		}
	}
	return false
}

// Has says whether h is in a. Its fields are taken as they are. A set that says what a field needs (see [Box])
// does not care about the fields that h lacks.
func (a Set) Has(h Header) bool {
	for i := range a.boxes {
		if a.boxes[i].has(&h) {
			return true
		}
	}
	return false
}

// Outside looks for packets of a that are in none of bs. It returns some of them (empty: there are
// none) and true; or an empty set and false when it gave up after that many steps. A caller treats
// "gave up" as not proven. A step compares two boxes, some 10 to 50 ns.
//
// It looks on until it has a packet that can exist. So a result that is not empty and has no witness means that all
// packets of a that are in none of bs cannot exist.
func (a Set) Outside(steps int, bs ...Set) (Set, bool) { return a.OutsideOn(&steps, bs...) }

// OutsideOn is Outside on a budget that several searches share: it takes the steps it needs from *steps.
func (a Set) OutsideOn(steps *int, bs ...Set) (Set, bool) {
	s := search{steps: *steps, wants: onePiece}
	defer func() { *steps = max(s.steps, 0) }()
	for i := range a.boxes {
		if s.outside(&a.boxes[i], bs...) {
			continue
		}
		if s.gaveUp {
			return Set{}, false
		}
		break
	}
	return Set{s.out}, true
}

// SubOn returns the packets of a that are in none of bs, on a budget of steps; an empty set and false when it ran out.
func (a Set) SubOn(steps *int, bs ...Set) (Set, bool) {
	s := search{steps: *steps}
	for i := range a.boxes {
		if !s.outside(&a.boxes[i], bs...) {
			*steps = 0
			return Set{}, false
		}
	}
	*steps = s.steps
	return Set{tidy(s.out)}, true
}

// Reach is the least ranges of addresses that hold the packets of a set: what an index of sets needs.
type Reach struct{ DstLo, DstHi, SrcLo, SrcHi netip.Addr }

// Reach returns the ranges of addresses that a has in IP version v; false when it has no packet of that version.
func (a Set) Reach(v Version) (r Reach, ok bool) {
	for i := range a.boxes {
		b := &a.boxes[i]
		if b.version != v {
			continue
		}
		dstLo, dstHi, _ := b.addrs[0].Hull(v)
		srcLo, srcHi, _ := b.addrs[1].Hull(v)
		if !ok {
			r, ok = Reach{dstLo, dstHi, srcLo, srcHi}, true
			continue
		}
		r.DstLo, r.SrcLo = lower(r.DstLo, dstLo), lower(r.SrcLo, srcLo)
		r.DstHi, r.SrcHi = higher(r.DstHi, dstHi), higher(r.SrcHi, srcHi)
	}
	return r, ok
}

func lower(a, b netip.Addr) netip.Addr {
	if b.Less(a) {
		return b
	}
	return a
}

func higher(a, b netip.Addr) netip.Addr {
	if a.Less(b) {
		return b
	}
	return a
}

// Boxes returns boxes whose union is a. The caller does not change their Values.
func (a Set) Boxes() []Box {
	out := make([]Box, len(a.boxes))
	for i := range a.boxes {
		out[i] = a.boxes[i].unpack()
	}
	return out
}
