package packet

import (
	"math/bits"
	"slices"
	"sync"
)

// samePartition compares two unions by counting: if the boxes of each are disjoint, every one of fine lies in one of coarse, and
// both hold as many packets, then they are equal; with fewer packets in fine they are not. Known is false when it
// cannot tell: boxes overlap, a count does not fit 64 bits, or there are two IP versions, whose packets do not count alike.
//
// It goes side by side. The pieces of a rule are made of few lists, so what is asked of two boxes is asked of two lists once, and bits tell whose lists they
// are. A side that all boxes have in common is a common factor, and not looked at further.
func samePartition(coarse, fine *tally) (equal, known bool) {
	for _, t := range [...]*tally{coarse, fine} {
		for _, b := range t.boxes {
			if b.version != coarse.boxes[0].version {
				return false, false
			}
		}
		t.begin(len(coarse.boxes))
	}
	for d := range sides {
		if common(d, coarse.boxes[0], coarse.boxes) && common(d, coarse.boxes[0], fine.boxes) {
			continue
		}
		coarse.classify(d)
		fine.classify(d)
		if !coarse.multiply(d) || !fine.multiply(d) {
			return false, false
		}
		coarse.part(d)
		fine.part(d)
		fine.place(d, coarse.boxes)
	}
	if !coarse.disjoint() || !fine.disjoint() || !fine.inside(len(coarse.boxes)) {
		return false, false
	}
	want, ok := coarse.sum()
	got, fits := fine.sum()
	return want == got, ok && fits
}

// common says whether side d of all boxes is that of one.
func common(d int, one *box, boxes []*box) bool {
	for _, b := range boxes {
		if b != one && !b.sideEqual(d, one) {
			return false
		}
	}
	return true
}

// tallies are in use again and again: counting needs no memory of its own.
var tallies = sync.Pool{New: func() any { return new([2]tally) }}

// tally looks at the boxes of a union side by side.
type tally struct {
	boxes   []*box
	class   []uint16 // of each box: those that have the same list on the side at hand
	heads   []*box   // one box of each class
	counts  []uint64 // of each class, on the side at hand
	volume  []uint64 // of each box, on the sides so far
	apart   rows     // of each box: those that it shares no packet with, as the sides so far tell
	outside rows     // of each box: those of the coarse union that do not contain it
	members rows     // of each class: its boxes
	away    rows     // of each class: the boxes that share nothing with it on the side at hand
}

// add puts boxes into t.
func (t *tally) add(boxes []box) {
	for i := range boxes {
		t.boxes = append(t.boxes, &boxes[i])
	}
}

// begin makes t ready for the first side; coarse is how many boxes the coarse union has.
func (t *tally) begin(coarse int) {
	n := len(t.boxes)
	t.class, t.volume = slices.Grow(t.class[:0], n)[:n], slices.Grow(t.volume[:0], n)[:n]
	for i := range t.volume {
		t.volume[i] = 1
	}
	t.apart.begin(n, n)
	t.outside.begin(n, coarse)
	t.members.begin(n, n)
	t.away.begin(n, n)
}

// end lets go of the boxes.
func (t *tally) end() {
	clear(t.boxes)
	clear(t.heads[:cap(t.heads)])
	t.boxes, t.heads = t.boxes[:0], t.heads[:0]
}

// classify finds the classes on side d.
func (t *tally) classify(d int) {
	t.heads = t.heads[:0]
	last := 0
	for i, b := range t.boxes {
		if last == len(t.heads) || !t.heads[last].sideEqual(d, b) { // the pieces of a grid change one side at a time
			for last = 0; last < len(t.heads) && !t.heads[last].sideEqual(d, b); {
				last++
			}
		}
		if last == len(t.heads) {
			t.heads = append(t.heads, b)
		}
		t.class[i] = uint16(last)
	}
}

// multiply counts side d in; false when the count does not fit.
func (t *tally) multiply(d int) bool {
	t.counts = t.counts[:0]
	for _, b := range t.heads {
		n, fits := b.count(d)
		if !fits {
			return false
		}
		t.counts = append(t.counts, n)
	}
	for i, c := range t.class {
		hi, lo := bits.Mul64(t.volume[i], t.counts[c])
		if hi != 0 {
			return false
		}
		t.volume[i] = lo
	}
	return true
}

// part finds the boxes that side d tells apart.
func (t *tally) part(d int) {
	if len(t.heads) == 1 {
		return
	}
	for c := range t.heads {
		clear(t.members.row(c))
		clear(t.away.row(c))
	}
	for i, c := range t.class {
		t.members.set(int(c), i)
	}
	for a := range t.heads {
		for b := range a {
			if !t.heads[a].sideMeets(d, t.heads[b]) {
				t.away.join(a, t.members.row(b))
				t.away.join(b, t.members.row(a))
			}
		}
	}
	for i, c := range t.class {
		t.apart.join(i, t.away.row(int(c)))
	}
}

// place finds the boxes of coarse that do not have side d of a box.
func (t *tally) place(d int, coarse []*box) {
	for k, whole := range coarse {
		for c, head := range t.heads {
			if whole.side(d, head) {
				continue
			}
			for i := range t.class {
				if int(t.class[i]) == c {
					t.outside.set(i, k)
				}
			}
		}
	}
}

// disjoint says whether no box meets another.
func (t *tally) disjoint() bool {
	for i := range t.boxes {
		if t.apart.ones(i) != len(t.boxes)-1 {
			return false
		}
	}
	return true
}

// inside says whether every box lies in one of the coarse ones.
func (t *tally) inside(coarse int) bool {
	for i := range t.boxes {
		if t.outside.ones(i) == coarse {
			return false
		}
	}
	return true
}

// sum returns the packets of all boxes on the sides that were counted; false when it does not fit.
func (t *tally) sum() (sum uint64, ok bool) {
	for _, n := range t.volume {
		var carry uint64
		if sum, carry = bits.Add64(sum, n, 0); carry != 0 {
			return 0, false
		}
	}
	return sum, true
}

// rows is a matrix of bits, so many words a row.
type rows struct {
	bits  []uint64
	words int
}

// begin makes r n rows of some bits, all clear.
func (r *rows) begin(n, bits int) {
	r.words = (bits + 63) / 64
	r.bits = slices.Grow(r.bits[:0], n*r.words)[:n*r.words]
	clear(r.bits)
}

func (r *rows) row(i int) []uint64 { return r.bits[i*r.words : (i+1)*r.words] }

func (r *rows) set(i, bit int) { r.bits[i*r.words+bit/64] |= 1 << (bit % 64) }

// join sets the bits of row i that are set in list.
func (r *rows) join(i int, list []uint64) {
	row := r.row(i)
	for k, w := range list {
		row[k] |= w
	}
}

// ones returns how many bits of row i are set.
func (r *rows) ones(i int) (n int) {
	for _, w := range r.row(i) {
		n += bits.OnesCount64(w)
	}
	return n
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
	return b.list(d).Count(largest[d]), true
}

func (a Addrs) count(v Version) (uint64, bool) {
	if a.set == nil {
		return 1 << 32, v == IPv4
	}
	if a.set.cubes() != nil {
		return 0, false
	}
	var sum uint64
	for _, s := range a.set.spans() {
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
