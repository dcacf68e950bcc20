package split

import "slices"

// box is one piece of a cover: the numbers of the tokens that it takes, for each axis by its id.
type box [maxAxes][]uint16

// boxes returns the pieces of the cover of a. Every axis of a has another id, below maxAxes. The lists may share memory.
func boxes(a axes) []box {
	covers.Lock()
	defer covers.Unlock()
	b := boxer{out: make([]box, 0, best(&a).pieces)}
	var all box
	for j := range a.n {
		all[a.of[j].id] = upTo(a.of[j].m)
	}
	b.build(&a, all, b.emit)
	return b.out
}

type boxer struct{ out []box }

// upTo returns the numbers of m tokens. A rule has fewer than 4096 octets, so there are never too many.
func upTo(m int) []uint16 {
	list := make([]uint16, m)
	for t := range list {
		list[t] = uint16(t)
	}
	return list
}

// distinct returns how many lists there are for the axis with some id.
func distinct(pieces []box, id int) int {
	var seen [][]uint16
	for i := range pieces {
		if !slices.ContainsFunc(seen, func(one []uint16) bool { return slices.Equal(one, pieces[i][id]) }) {
			seen = append(seen, pieces[i][id])
		}
	}
	return len(seen)
}

// emit keeps a piece.
func (b *boxer) emit(one box) { b.out = append(b.out, one) }

// build calls emit with the pieces of a, whose tokens are those in whole; axes that a does not have keep theirs.
func (b *boxer) build(a *axes, whole box, emit func(box)) {
	switch c := best(a); c.how {
	case byGrid:
		gridBoxes(a, 0, whole, emit)
	case bySimplex:
		for j := range a.n + 1 {
			emitPicked(a, whole, emit, func(i, t int) bool { m := a.of[i].m; return t < j*m/(a.n+1) || t >= (j+1)*m/(a.n+1) })
		}
	case byDesign:
		d := &designs[c.at]
		var given [maxAxes][]int
		for i := range a.n {
			given[i] = d.blocks(a.of[i].m, a.of[i].k)
		}
		for p := range d.pieces {
			emitPicked(a, whole, emit, func(i, t int) bool { return d.has(given[i][t], p) })
		}
	case byHalves:
		id := a.of[c.axis].id
		list, m := whole[id], a.of[c.axis].m
		one, other := a.with(int(c.axis), int(c.at)), a.with(int(c.axis), m-int(c.at))
		whole[id] = list[:c.at]
		b.build(&one, whole, emit)
		whole[id] = list[c.at:]
		b.build(&other, whole, emit)
	case byFactors:
		some, others := a.only(int(c.at)), a.only(^int(c.at))
		b.build(&some, whole, func(one box) { b.build(&others, one, emit) })
	}
}

// gridBoxes emits the grid of the axes from j on, the last one turning fastest.
func gridBoxes(a *axes, j int, whole box, emit func(box)) {
	if j == a.n {
		emit(whole)
		return
	}
	id := a.of[j].id
	for _, chunk := range chunks(whole[id], a.of[j].k) {
		whole[id] = chunk
		gridBoxes(a, j+1, whole, emit)
	}
}

// emitPicked emits the piece that has, of each axis, the tokens that pick says. A piece without tokens of some axis holds no cell, and is not needed.
func emitPicked(a *axes, whole box, emit func(box), pick func(axis, token int) bool) {
	for j := range a.n {
		x := &a.of[j]
		list := make([]uint16, 0, x.k)
		for t, token := range whole[x.id] {
			if pick(j, t) {
				list = append(list, token)
			}
		}
		if len(list) == 0 {
			return
		}
		whole[x.id] = list
	}
	emit(whole)
}
