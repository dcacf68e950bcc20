package split

import "sync"

// design is a cover of a product of axes by overlapping pieces that is better than a grid. Its blocks are sets of pieces such that any blocks, one
// for each axis, have a piece in common: give each token a block, let the pieces of the block hold it, and every cell of the product is in some piece.
//
// The blocks here are the hyperplanes of a projective space (its lines, in a plane), because as many hyperplanes as the space has dimensions
// meet in a point. They are the translates of one set modulo the number of points (Singer's difference sets), so that the set is all there is to write down.
type design struct {
	axes   int   // how many axes it covers
	pieces int   // points of the space, and also its hyperplanes
	block  []int // hyperplane 0; hyperplane i is block + i
}

// designs are the spaces that can beat a grid of at most some hundred pieces: planes of order 2 (Fano), 3, 4, 5, 7, 8 and 9, and the space of three
// dimensions and order 2. A test checks that the blocks meet.
var designs = [...]design{
	{2, 7, []int{0, 1, 3}},
	{2, 13, []int{0, 1, 3, 9}},
	{3, 15, []int{0, 1, 2, 4, 5, 8, 10}},
	{2, 21, []int{0, 1, 4, 14, 16}},
	{2, 31, []int{0, 1, 3, 8, 12, 18}},
	{2, 57, []int{0, 1, 3, 13, 32, 36, 43, 52}},
	{2, 73, []int{0, 1, 3, 7, 15, 31, 36, 54, 63}},
	{2, 91, []int{0, 1, 3, 9, 27, 49, 56, 61, 77, 81}},
}

// has says whether piece p is in block i.
func (d *design) has(i, p int) bool {
	at := (p - i%d.pieces + d.pieces) % d.pieces
	for _, b := range d.block {
		if b == at {
			return true
		}
	}
	return false
}

// holds returns how many tokens can be given blocks so that no piece holds more than k: every block k/size times, then as many blocks more as
// leave at most k%size in a piece. These are few: each takes a place in as many pieces as it has, but pieces fill up unevenly (of the
// plane of order 3, with five a piece, 14 and not the 16 that there is room for).
func (d *design) holds(k int) int {
	size := len(d.block)
	return k/size*d.pieces + len(d.loose(k%size))
}

// blocks gives blocks to m tokens where a piece takes k. The extra blocks come first, so that few tokens use few pieces.
func (d *design) blocks(m, k int) []int {
	out := append(make([]int, 0, d.holds(k)), d.loose(k%len(d.block))...)
	for i := 0; len(out) < m; i++ {
		out = append(out, i%d.pieces)
	}
	return out[:m]
}

// looseSteps bounds the search for blocks that fit beside each other. What it finds in that many steps is right, if not always the most.
const looseSteps = 4096

var looseBlocks = struct {
	sync.Mutex
	of map[[2]int][]int
}{of: make(map[[2]int][]int)}

// loose returns different blocks of which at most r have a piece in common, as many as a short search finds. It is 1 for r = 1: any two blocks meet.
func (d *design) loose(r int) []int {
	if r == 0 {
		return nil
	}
	looseBlocks.Lock()
	defer looseBlocks.Unlock()
	key := [2]int{d.pieces, r}
	best, ok := looseBlocks.of[key]
	if !ok {
		s := looseSearch{design: d, most: r, load: make([]int, d.pieces), steps: looseSteps}
		s.from(0)
		best = s.best
		looseBlocks.of[key] = best
	}
	return best
}

// looseSearch looks for blocks that fit beside each other, lowest first, going back where it fails.
type looseSearch struct {
	*design
	most        int
	load        []int
	taken, best []int
	steps       int
}

// from tries to add the blocks from i on.
func (s *looseSearch) from(i int) {
	if len(s.taken) > len(s.best) {
		s.best = append(s.best[:0:0], s.taken...)
	}
	for ; i < s.pieces && len(s.taken)+s.pieces-i > len(s.best); i++ {
		if s.steps--; s.steps < 0 {
			return
		}
		if s.add(i, 1) {
			s.taken = append(s.taken, i)
			s.from(i + 1)
			s.taken = s.taken[:len(s.taken)-1]
		}
		s.add(i, -1)
	}
}

// add puts block i in, or takes it out again, and says whether no piece holds too many.
func (s *looseSearch) add(i, by int) bool {
	ok := true
	for _, b := range s.block {
		p := (b + i) % s.pieces
		s.load[p] += by
		ok = ok && s.load[p] <= s.most
	}
	return ok
}
