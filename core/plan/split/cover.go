package split

import (
	"math"
	"sync"
)

// A rule with lists that are longer than a platform takes is a product: its cells are one token (a value or a range) of each list. A piece takes at
// most so many tokens of each list, and holds the cells of their product. Cutting each list into chunks gives a grid of pieces that share no cell; but where
// pieces may overlap, fewer can do. Seven ports and seven ports, five a piece: the grid has four pieces, and three suffice, each without
// one third of both lists, because a cell lies in one third of each and two thirds at most are ruled out.
//
// The covers here are the fewest of: the grid, that cover for any number of lists (a simplex), the designs of designs.go, and any of these on the parts of a
// list that is cut in two. What is the fewest is looked for once for each shape and remembered.

// maxAxes is the most long lists that are covered together. A rule with more is cut as a grid.
const maxAxes = 4

// axis is a list that is too long: m tokens, at most k of them in a piece, 0 < k < m. id tells the lists of a rule apart.
type axis struct{ m, k, id int }

// axes are the long lists of one rule, or of a part of it.
type axes struct {
	n  int
	of [maxAxes]axis
}

// add returns a with one axis more, or a itself where the list is not too long.
func (a axes) add(m, k, id int) axes {
	if m > k {
		a.of[a.n] = axis{m, k, id}
		a.n++
	}
	return a
}

// with returns a with m tokens on axis i.
func (a *axes) with(i, m int) axes {
	var out axes
	for j := range a.n {
		if one := a.of[j]; j == i {
			out = out.add(m, one.k, one.id)
		} else {
			out = out.add(one.m, one.k, one.id)
		}
	}
	return out
}

// only returns the axes of a whose bit is set in mask.
func (a *axes) only(mask int) axes {
	var out axes
	for j := range a.n {
		if mask&(1<<j) != 0 {
			out = out.add(a.of[j].m, a.of[j].k, a.of[j].id)
		}
	}
	return out
}

// grid returns the number of pieces of the grid, or a very large number.
func (a *axes) grid() int {
	n := 1
	for j := range a.n {
		n = times(n, ceil(a.of[j].m, a.of[j].k))
	}
	return n
}

// least returns a number of pieces that no cover is below (Schönheim's bound): each token of an axis is in as many pieces as it takes to cover
// the other axes, and a piece holds k of them.
func (a *axes) least() int {
	switch a.n {
	case 0:
		return 1
	case 1:
		return ceil(a.of[0].m, a.of[0].k)
	}
	out := 0
	for j := range a.n {
		rest := a.only(^(1 << j))
		out = max(out, ceil(times(a.of[j].m, rest.least()), a.of[j].k))
	}
	return out
}

func ceil(a, b int) int { return (a + b - 1) / b }

// times multiplies numbers that may be absurd, and stays below what can be added up.
func times(a, b int) int {
	if a > math.MaxInt32/b {
		return math.MaxInt32
	}
	return a * b
}

// method is how a product is covered.
type method uint8

const (
	byGrid    method = iota
	bySimplex        // one piece more than axes; piece j lacks chunk j of every axis
	byDesign         // designs[at]
	byHalves         // axis i is cut before token at, and the parts are covered by themselves
	byFactors        // the axes in the set at by themselves, and so the others; every piece of the one with every piece of the other
)

// choice is the best way that was found to cover one product.
type choice struct {
	pieces int32
	how    method
	axis   uint8
	at     int32
}

// shape is the numbers of axes, without whose they are.
type shape [2 * maxAxes]uint16

// coverSteps bounds the cells of a product for which every cut in two is looked at; of a larger one only a few are. maxShapes bounds what is remembered.
const (
	coverSteps = 1024
	maxShapes  = 1 << 16
)

// covers remembers choices. It is filled as shapes come up, and holds nothing but what could be worked out again.
var covers = struct {
	sync.Mutex
	of map[shape]choice
}{of: make(map[shape]choice)}

// cover is the fewest pieces that were found for a.
func cover(a axes) int {
	covers.Lock()
	defer covers.Unlock()
	return int(best(&a).pieces)
}

// best returns how to cover a. The caller holds covers.
func best(a *axes) choice {
	out := choice{pieces: int32(a.grid())}
	if a.n < 2 {
		return out
	}
	least := int32(a.least())
	if out.pieces <= least {
		return out
	}
	var key shape
	for j := range a.n {
		one := &a.of[j]
		if one.m > math.MaxUint16 {
			return out
		}
		key[2*j], key[2*j+1] = uint16(one.m), uint16(one.k)
	}
	if known, ok := covers.of[key]; ok {
		return known
	}
	out = ready(a, out)
	if out.pieces > least {
		out = factored(a, out)
	}
	if out.pieces > least {
		out = halved(a, out, least)
	}
	if len(covers.of) >= maxShapes {
		clear(covers.of)
	}
	covers.of[key] = out
	return out
}

// ready tries the covers that come as they are.
func ready(a *axes, out choice) choice {
	fits := true
	for j := range a.n {
		fits = fits && (a.n+1)*(a.of[j].m-a.of[j].k) <= a.of[j].m
	}
	if fits && int32(a.n+1) < out.pieces {
		out = choice{pieces: int32(a.n + 1), how: bySimplex}
	}
	for i := range designs {
		d := &designs[i]
		if d.axes != a.n || int32(d.pieces) >= out.pieces {
			continue
		}
		fits := true
		for j := range a.n {
			fits = fits && a.of[j].m <= d.holds(a.of[j].k)
		}
		if fits {
			out = choice{pieces: int32(d.pieces), how: byDesign, at: int32(i)}
		}
	}
	return out
}

// factored tries to cover two axes and the two others by themselves. (One axis by itself is what cutting it comes to.)
func factored(a *axes, out choice) choice {
	if a.n < 4 {
		return out
	}
	for _, mask := range []int{0b0011, 0b0101, 0b1001} {
		some, others := a.only(mask), a.only(^mask)
		if n := times(int(best(&some).pieces), int(best(&others).pieces)); int32(n) < out.pieces {
			out = choice{pieces: int32(n), how: byFactors, at: int32(mask)}
		}
	}
	return out
}

// halved tries to cut an axis in two.
func halved(a *axes, out choice, least int32) choice {
	cells := 1
	for j := range a.n {
		cells = times(cells, a.of[j].m)
	}
	for j := range a.n {
		m, k := a.of[j].m, a.of[j].k
		if cells > coverSteps { // a full piece, what a simplex holds, or the middle
			for _, at := range [...]int{k, (a.n + 1) * k / a.n, ceil(ceil(m, k), 2) * k} {
				out = cutAt(a, j, at, out)
			}
			continue
		}
		for at := 1; at <= m/2 && out.pieces > least; at++ {
			out = cutAt(a, j, at, out)
		}
	}
	return out
}

// cutAt tries to cut axis j before token at.
func cutAt(a *axes, j, at int, out choice) choice {
	if at >= a.of[j].m {
		return out
	}
	one, other := a.with(j, at), a.with(j, a.of[j].m-at)
	if int32(one.least()+other.least()) >= out.pieces {
		return out
	}
	if n := best(&one).pieces + best(&other).pieces; n < out.pieces {
		out = choice{pieces: n, how: byHalves, axis: uint8(j), at: int32(at)}
	}
	return out
}
