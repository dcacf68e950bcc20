package plan

import (
	binary "math/bits"
	"slices"
)

// clusters returns the connected parts of the graph of carried rules that are tied and fare differently: those that have a seed, and not more than most rules. They
// stand in the order of their first rules, and their members ascend.
func (pl *plane) clusters(most int, seed func(int32) bool) (out [][]int32) {
	var w *walk
	for i, s := range pl.state {
		if !s.carried() || !seed(int32(i)) {
			continue
		}
		if w == nil {
			w = pl.walk(func(i int32) bool { return pl.state[i].carried() })
		}
		if members := w.from(int32(i), most); members != nil {
			out = append(out, members)
		}
	}
	slices.SortFunc(out, func(a, b []int32) int { return int(a[0] - b[0]) })
	return out
}

// walk goes through rules of a plane from neighbour to neighbour: those that are tied and fare differently.
type walk struct {
	pl    *plane
	open  [2]marks       // of the tracts: in no cluster so far
	large map[int32]bool // they are in one that is too large
	// Neighbours that earlier walks found:
	known, first []int32 // those of card i are known[first[i]:first[i+1]]
	// Of the cluster at hand:
	members []int32
	next    [2][]int32 // whose neighbours are still to be looked at, by tract
	abandon bool
}

// edge is two neighbours.
type edge struct{ a, b int32 }

// marks is a bit for each card of a tract, in words that go with those of its meshes.
type marks struct {
	words []uint64
	n     int // bits that are set
}

func (m *marks) put(i int32) {
	m.words[i/64] |= 1 << (i % 64)
	m.n++
}

func (m *marks) drop(i int32) {
	m.words[i/64] &^= 1 << (i % 64)
	m.n--
}

// each calls visit with the marked ones of lo to hi-1.
func (m *marks) each(lo, hi int32, visit func(int32)) {
	for k := lo / 64; k*64 < hi; k++ {
		word := m.words[k]
		if k == lo/64 {
			word &= ^uint64(0) << (lo % 64)
		}
		for ; word != 0; word &= word - 1 {
			i := k*64 + int32(binary.TrailingZeros64(word))
			if i >= hi {
				return
			}
			visit(i)
		}
	}
}

// walk returns a walk among the cards of pl that are there.
func (pl *plane) walk(there func(int32) bool) *walk {
	pl.index()
	w := &walk{pl: pl}
	for k := range w.open {
		t := &pl.tracts()[k]
		m := &w.open[k]
		m.words = make([]uint64, (t.hi-t.lo+largestMesh-1)/largestMesh*(largestMesh/64))
		for i := t.lo; i < t.hi; i++ {
			if there(i) {
				m.put(i - t.lo)
			}
		}
	}
	w.learn()
	return w
}

// learn puts in order the neighbours that were found in earlier walks.
func (w *walk) learn() {
	tree := w.pl.tree
	if len(tree) == 0 {
		return
	}
	w.first, w.known = make([]int32, len(w.pl.cards)+2), make([]int32, 2*len(tree))
	for _, e := range tree {
		w.first[e.a+2]++
		w.first[e.b+2]++
	}
	for i := 2; i < len(w.first); i++ {
		w.first[i] += w.first[i-1]
	}
	for _, e := range tree {
		for _, e := range [2]edge{e, {e.b, e.a}} {
			w.known[w.first[e.a+1]] = e.b
			w.first[e.a+1]++
		}
	}
}

// from returns the members of the cluster of card i, or nil where it is too large or was returned before.
func (w *walk) from(i int32, most int) []int32 {
	w.members, w.abandon = nil, false
	if !w.isOpen(i) || w.large[i] {
		return nil
	}
	w.take(i)
	for at := 0; at < len(w.members) && w.first != nil && !w.abandon && len(w.members) <= most; at++ {
		w.recall(w.members[at])
	}
	for !w.abandon && len(w.members) <= most {
		switch { // loose rules have the most neighbours: whoever is found is not looked for again
		case len(w.next[1]) > 0:
			w.around(w.pop(1))
		case len(w.next[0]) > 0:
			w.around(w.pop(0))
		default:
			slices.Sort(w.members)
			return w.members
		}
	}
	w.giveBack()
	return nil
}

// recall takes in whoever is open and known as a neighbour of card i.
func (w *walk) recall(i int32) {
	for _, j := range w.known[w.first[i]:w.first[i+1]] {
		w.pl.steps += glanceSteps
		if w.isOpen(j) {
			w.take(j)
		}
	}
}

// giveBack notes that the cluster at hand is too large.
func (w *walk) giveBack() {
	if w.large == nil {
		w.large = make(map[int32]bool)
	}
	for _, i := range w.members {
		w.large[i] = true
		k := w.half(i)
		w.open[k].put(i - w.pl.halves[k].lo)
	}
	w.next[0], w.next[1] = w.next[0][:0], w.next[1][:0]
}

// half returns the number of the tract of card i.
func (w *walk) half(i int32) int {
	if i < w.pl.loose {
		return 0
	}
	return 1
}

func (w *walk) isOpen(i int32) bool {
	k := w.half(i)
	at := i - w.pl.halves[k].lo
	return w.open[k].words[at/64]>>(at%64)&1 != 0
}

func (w *walk) pop(k int) int32 {
	list := w.next[k]
	i := list[len(list)-1]
	w.next[k] = list[:len(list)-1]
	return i
}

// take makes card i a member.
func (w *walk) take(i int32) {
	if w.large[i] {
		w.abandon = true
		return
	}
	k := w.half(i)
	w.open[k].drop(i - w.pl.halves[k].lo)
	w.members, w.next[k] = append(w.members, i), append(w.next[k], i)
}

// around takes in whoever is open, tied to card i and fares differently, or alike where it matters whether both rules act on a packet.
func (w *walk) around(i int32) {
	pl := w.pl
	me := &pl.at[i]
	try := func(j int32) {
		pl.steps += glanceSteps
		if me.near(&pl.at[j]) && !me.apart(&pl.at[j]) && (pl.again[i] || pl.differ(i, j)) && pl.cards[i].tiedNear(pl.cards[j]) {
			pl.tree = append(pl.tree, edge{i, j})
			w.take(j)
		}
	}
	if g := pl.group[i]; g >= 0 && i < pl.loose {
		w.open[0].each(pl.groups[g].first, pl.groups[g].hi, try)
		for up := pl.groups[g].parent; up >= 0; up = pl.groups[up].parent {
			w.open[0].each(pl.groups[up].lo, pl.groups[up].hi, try)
		}
	}
	if i >= pl.loose {
		w.sift(0, me, try)
	}
	w.sift(1, me, try)
}

// sift calls try with the open cards of tract k that g may be near.
func (w *walk) sift(k int, g *glance, try func(int32)) {
	m, t := &w.open[k], &w.pl.halves[k]
	if m.n == 0 {
		return
	}
	if t.meshes == nil {
		m.each(0, t.hi-t.lo, func(i int32) { try(t.lo + i) })
		return
	}
	for n, one := range t.meshes {
		open := (*some)(m.words[n*len(some{}):])
		if *open == (some{}) {
			continue
		}
		left := one.sift(w.pl.version(), g)
		left.narrow(open)
		for at, word := range left {
			for ; word != 0; word &= word - 1 {
				try(t.lo + int32(n*largestMesh+at*64+binary.TrailingZeros64(word)))
			}
		}
	}
}
