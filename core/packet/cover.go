package packet

import "math/bits"

// search looks for the packets of a box that are in none of a list of boxes. It peels: listed boxes that lack only one side of the box
// at hand are cut off along it at once. Then it takes the listed box that lacks the fewest sides, cuts off along each of
// those what the listed box does not have, searches each piece on its own against what it still meets, and is done with what
// remains, which the listed box contains. Every piece that meets nothing any more is found. Sound and complete; exponential at
// worst, about as many rounds as boxes for the unions that rules make.
type search struct {
	steps  int             // left
	found  func(*box) bool // is given each piece, disjoint from the others; false ends the search
	list   []*box          // a stack of lists: each round's list lies behind that of the round it belongs to
	gaveUp bool
}

// outside runs the search for the packets of b in none of sets. False: ended by found, or gave up.
func (s *search) outside(b *box, sets ...Set) bool {
	s.list = s.list[:0]
	for _, set := range sets {
		for i := range set.boxes {
			if s.steps--; s.steps < 0 {
				s.gaveUp = true
				return false
			}
			c := &set.boxes[i]
			if !b.meets(c) {
				continue
			}
			if c.contains(b) {
				return true
			}
			s.list = append(s.list, c)
		}
	}
	return s.peel(b, 0)
}

// peel searches b against s.list[from:], all of which meet b and none of which contains it.
func (s *search) peel(b *box, from int) bool {
	rest := *b
	if s.shave(&rest, from) {
		return !s.gaveUp
	}
	end := len(s.list)
	if from == end {
		return s.found(&rest)
	}
	pivot, whole := s.pivot(&rest, from), rest
	for d := range sides {
		if pivot.side(d, &whole) {
			continue
		}
		piece := rest
		piece.strip(d, pivot)
		rest.cut(d, pivot)
		if d == dst || d == src {
			if !s.eachCube(&piece, d, from, end) {
				return false
			}
			continue
		}
		if !s.narrow(&piece, from, end) {
			return false
		}
	}
	return true
}

// shave cuts off b what listed boxes have that lack only one of its sides, until there are none of those, and drops the boxes that b does not meet any
// more. True: nothing is left of b, or the search gave up.
func (s *search) shave(b *box, from int) bool {
	for again := true; again; {
		again = false
		kept := from
		for _, c := range s.list[from:] {
			if s.steps--; s.steps < 0 {
				s.gaveUp = true
				return true
			}
			if !b.meets(c) {
				continue
			}
			d, n := c.lacks(b)
			switch {
			case n == 0:
				return true
			case n == 1 && (d != dst && d != src || !c.addrs[d-dst].cubed() && !b.addrs[d-dst].cubed()):
				b.strip(d, c)
				again = true
			default:
				s.list[kept] = c
				kept++
			}
		}
		s.list = s.list[:kept]
	}
	return false
}

// lacks returns how many sides of b the sides of c do not contain, counting to two, and the first of them.
func (c *box) lacks(b *box) (first, n int) {
	for d := range sides {
		if c.side(d, b) {
			continue
		}
		if n++; n == 2 {
			return first, n
		}
		first = d
	}
	return first, n
}

// eachCube searches a piece that lost addresses. A difference of patterns is many cubes; searched one by one, they do not
// multiply.
func (s *search) eachCube(piece *box, d, from, end int) bool {
	set := piece.addrs[d-dst].set
	if set == nil || len(set.cubes) < 2 {
		return s.narrow(piece, from, end)
	}
	for i := range set.cubes {
		one := *piece
		one.addrs[d-dst] = Addrs{&addrSet{version: piece.version, cubes: set.cubes[i : i+1]}}
		if !s.narrow(&one, from, end) {
			return false
		}
	}
	return true
}

// narrow searches piece against those of s.list[from:end] that it meets.
func (s *search) narrow(piece *box, from, end int) bool {
	defer func(n int) { s.list = s.list[:n] }(len(s.list))
	base := len(s.list)
	for i := from; i < end; i++ {
		if s.steps--; s.steps < 0 {
			s.gaveUp = true
			return false
		}
		c := s.list[i]
		if !piece.meets(c) {
			continue
		}
		if c.contains(piece) {
			return true
		}
		s.list = append(s.list, c)
	}
	return s.peel(piece, base)
}

// pivot returns the member of s.list[from:] with the fewest sides that do not contain those of b.
func (s *search) pivot(b *box, from int) *box {
	var best *box
	fewest := sides + 1
	for _, c := range s.list[from:] {
		n := 0
		for d := range sides {
			if !c.side(d, b) {
				n++
			}
		}
		if n < fewest {
			best, fewest = c, n
		}
		if n == 2 {
			break // there are none with fewer
		}
	}
	return best
}

// samePartition compares two unions by counting: if the boxes of each are disjoint, every one of fine lies in one of coarse, and
// both hold as many packets, then they are equal; with fewer packets in fine they are not. Known is false when it
// cannot tell: boxes overlap, or a count does not fit 64 bits.
func samePartition(coarse, fine []box) (equal, known bool) {
	if !disjoint(coarse) || !disjoint(fine) {
		return false, false
	}
	for i := range fine {
		if !inOne(&fine[i], coarse) {
			return false, false
		}
	}
	varies := varying(coarse, fine)
	want, ok1 := volume(coarse, varies)
	got, ok2 := volume(fine, varies)
	return want == got, ok1 && ok2
}

func disjoint(boxes []box) bool {
	for i := range boxes {
		for j := range i {
			if boxes[i].meets(&boxes[j]) {
				return false
			}
		}
	}
	return true
}

func inOne(b *box, boxes []box) bool {
	for i := range boxes {
		if boxes[i].contains(b) {
			return true
		}
	}
	return false
}

// varying returns, as bits, the sides that are not the same in all boxes. The others are a common factor.
func varying(a, b []box) (sidesThatVary uint) {
	for _, boxes := range [][]box{a, b} {
		for i := range boxes {
			for d := range sides {
				if !a[0].sideEqual(d, &boxes[i]) {
					sidesThatVary |= 1 << d
				}
			}
			if boxes[i].version != a[0].version {
				sidesThatVary |= 1 << sides
			}
		}
	}
	return sidesThatVary
}

// volume returns the number of packets in disjoint boxes, counting only the sides in varies; false when it is too large.
func volume(boxes []box, varies uint) (sum uint64, ok bool) {
	if varies>>sides != 0 {
		return 0, false // two IP versions: common factors differ in size
	}
	for i := range boxes {
		product := uint64(1)
		for d := range sides {
			if varies>>d&1 == 0 {
				continue
			}
			n, fits := boxes[i].count(d)
			hi, lo := bits.Mul64(product, n)
			if !fits || hi != 0 {
				return 0, false
			}
			product = lo
		}
		var carry uint64
		if sum, carry = bits.Add64(sum, product, 0); carry != 0 {
			return 0, false
		}
	}
	return sum, true
}

// count returns the size of side d of b; false when it does not fit 64 bits.
func (b *box) count(d int) (uint64, bool) {
	switch d {
	case dst, src:
		return b.addrs[d-dst].count(b.version)
	case flagBits:
		return uint64(b.flags.Count()), true
	case frag:
		return uint64(bits.OnesCount8(uint8(b.frags))), true
	}
	return b.values[d].Count(largest[d]), true
}

func (a Addrs) count(v Version) (uint64, bool) {
	if a.set == nil {
		return 1 << 32, v == IPv4
	}
	if a.set.cubes != nil {
		return 0, false
	}
	var sum uint64
	for _, s := range a.set.spans {
		n := s.hi.sub(s.lo)
		if n.hi != 0 || n.lo == ^uint64(0) {
			return 0, false
		}
		var carry uint64
		if sum, carry = bits.Add64(sum, n.lo+1, 0); carry != 0 {
			return 0, false
		}
	}
	return sum, true
}
