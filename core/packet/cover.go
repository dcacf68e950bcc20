package packet

// search looks for the packets of a box that are in none of a list of boxes. It peels: listed boxes that lack only one side of the box
// at hand are cut off along it at once. Then it takes the listed box that lacks the fewest sides, cuts off along each of
// those what the listed box does not have, searches each piece on its own against what it still meets, and is done with what
// remains, which the listed box contains. Every piece that meets nothing any more is found. Sound and complete; exponential at
// worst, about as many rounds as boxes for the unions that rules make.
type search struct {
	steps  int // left
	wants  wants
	out    []box  // pieces found, which are disjoint
	list   []*box // a stack of lists: each round's list lies behind that of the round it belongs to
	gaveUp bool
}

// wants is which pieces a search is for.
type wants uint8

const (
	everyPiece wants = iota
	onePiece         // it ends with the first that has a packet that can exist, and keeps that one, or else the first of all
	noPiece          // it ends with the first, and keeps none
)

// found takes a piece. False: it ends the search.
func (s *search) found(piece *box) bool {
	switch s.wants {
	case noPiece:
		return false
	case onePiece:
		if _, _, ok := piece.witness(); ok {
			s.out = append(s.out[:0], *piece)
			return false
		}
		if len(s.out) > 0 {
			return true
		}
	}
	s.out = append(s.out, *piece)
	return true
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
	var piece box // declared here it needs no memory of its own
	for d := range sides {
		if pivot.side(d, &whole) {
			continue
		}
		piece = rest
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
	if set == nil || len(set.cubes()) < 2 {
		return s.narrow(piece, from, end)
	}
	for i := range set.cubes() {
		one := *piece
		one.addrs[d-dst] = cubesOf(piece.version, set.cubes()[i:i+1])
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

func inOne(b *box, boxes []box) bool {
	for i := range boxes {
		if boxes[i].contains(b) {
			return true
		}
	}
	return false
}
