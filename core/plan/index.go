package plan

import (
	binary "math/bits"
	"net/netip"
	"slices"

	"github.com/sluice-gateway/sluice/core/packet"
)

// group is the rules for one destination prefix, or one source prefix and no destination: cards lo to hi-1. Those inside the prefix begin at first.
type group struct {
	prefix        netip.Prefix
	first, lo, hi int32
	parent        int32 // group of the next prefix around, or -1
}

// kind is the loose cards that fare alike.
type kind struct {
	class  int32
	cards  []int32
	meshes []*mesh // of many cards, in their order
}

// fewOfKind is how many cards are looked at one by one.
const fewOfKind = 64

// near calls visit with the cards of k that g may be near, until visit returns false; then it does so too.
func (k *kind) near(v packet.Version, g *glance, visit func(int32) bool) bool {
	if k.meshes == nil {
		for _, j := range k.cards {
			if !visit(j) {
				return false
			}
		}
	}
	for n, m := range k.meshes {
		left := m.sift(v, g)
		for at, word := range left {
			for ; word != 0; word &= word - 1 {
				if !visit(k.cards[n*largestMesh+at*64+binary.TrailingZeros64(word)]) {
					return false
				}
			}
		}
	}
	return true
}

// mesh prepares the search among the cards of list. Classes of few cards become one, which is no class.
func (pl *plane) mesh(list []kind) []kind {
	if len(list) == 0 {
		return nil
	}
	rest := kind{class: -1}
	out := list[:0]
	for _, k := range list {
		if len(k.cards) <= fewOfKind {
			rest.cards = append(rest.cards, k.cards...)
			continue
		}
		out = append(out, k)
	}
	slices.Sort(rest.cards)
	out = append(out, rest)
	for n := range out {
		k := &out[n]
		if len(k.cards) <= fewOfKind {
			continue
		}
		at := make([]glance, len(k.cards))
		for i, j := range k.cards {
			at[i] = pl.at[j]
		}
		k.meshes = meshesOf(pl.version(), at)
	}
	return out
}

// index prepares the search for neighbours. Most plans of all-discard tables never need it.
func (pl *plane) index() {
	if pl.class != nil {
		return
	}
	n := len(pl.cards)
	room := make([]int32, 2*n)
	pl.class, pl.group = room[:n:n], room[n:]
	pl.classify()
	pl.loose = int32(n)
	if pl.at == nil {
		pl.at = make([]glance, n)
		for i, c := range pl.cards {
			pl.at[i] = c.glance
		}
	}
	var byDst, bySrc []int32 // groups without a parent yet, in order
	var loose, bare kinds
	for i, c := range pl.cards {
		if c.dst.IsValid() && int32(i) < pl.loose {
			byDst = pl.enter(int32(i), c.dst, byDst)
			continue
		}
		pl.loose = min(pl.loose, int32(i))
		loose.add(int32(i), pl.class[i])
		if c.bySrc && !c.dst.IsValid() {
			bySrc = pl.enter(int32(i), c.src, bySrc)
			continue
		}
		bare.add(int32(i), pl.class[i])
		pl.group[i] = -1
	}
	pl.kinds, pl.bare = pl.mesh(loose.list), pl.mesh(bare.list)
}

// enter puts card i into the group of its prefix. It returns the groups without a parent yet, which open was.
func (pl *plane) enter(i int32, prefix netip.Prefix, open []int32) []int32 {
	n := int32(len(pl.groups))
	if n > 0 && len(open) > 0 && open[len(open)-1] == n-1 && pl.groups[n-1].prefix == prefix && pl.groups[n-1].hi == i {
		pl.groups[n-1].hi++
		pl.group[i] = n - 1
		return open
	}
	g := group{prefix: prefix, first: i, lo: i, hi: i + 1, parent: -1}
	for len(open) > 0 {
		last := &pl.groups[open[len(open)-1]]
		if !g.prefix.Overlaps(last.prefix) {
			break
		}
		last.parent, g.first = n, last.first
		open = open[:len(open)-1]
	}
	pl.groups = append(pl.groups, g)
	pl.group[i] = n
	return append(open, n)
}

// kinds gathers cards by class.
type kinds struct {
	list []kind
	at   map[int32]int
}

func (k *kinds) add(i, class int32) {
	n, ok := k.at[class]
	if !ok {
		if k.at == nil {
			k.at = make(map[int32]int)
		}
		n = len(k.list)
		k.at[class] = n
		k.list = append(k.list, kind{class: class})
	}
	k.list[n].cards = append(k.list[n].cards, i)
}

// tract is cards that follow each other, from lo on, in meshes.
type tract struct {
	lo, hi int32
	meshes []*mesh // nil: few cards, or nobody asked
}

// tracts returns the cards that have a destination prefix, and the loose ones, meshed where they are many.
func (pl *plane) tracts() *[2]tract {
	if pl.halves != nil {
		return pl.halves
	}
	n := int32(len(pl.cards))
	pl.halves = &[2]tract{{hi: pl.loose}, {lo: pl.loose, hi: n}}
	for k := range pl.halves {
		if t := &pl.halves[k]; t.hi-t.lo > fewOfKind {
			t.meshes = meshesOf(pl.version(), pl.at[t.lo:t.hi])
		}
	}
	return pl.halves
}

// near calls visit with the cards of t that g may be near, in order, until visit returns false; then it does so too.
func (t *tract) near(pl *plane, g *glance, visit func(int32) bool) bool {
	if t.meshes == nil {
		for j := t.lo; j < t.hi; j++ {
			if !visit(j) {
				return false
			}
		}
	}
	for n, m := range t.meshes {
		pl.steps += glanceSteps
		left := m.sift(pl.version(), g)
		for at, word := range left {
			for ; word != 0; word &= word - 1 {
				if !visit(t.lo + int32(n*largestMesh+at*64+binary.TrailingZeros64(word))) {
					return false
				}
			}
		}
	}
	return true
}
