package table

import (
	"slices"

	"github.com/sluice-gateway/sluice/core/packet"
)

// comparison looks for a packet that two tables treat so that bad says yes to the two entries that decide.
//
// It rests on this. Give each entry y of got owners, if there are any: entries of want that do the same and match all that y matches.
// Call an entry i of want covered when the entries of got that it owns make up all that it matches. Take a packet p, decided by i in
// want and by y in got, and bad. Then y has no owner; or i is not covered; or some x that i owns matches p, and y stands
// before x although all its owners stand behind i (they match p, and i is the first that does, and does something
// else). So it is enough to look at entries of got without an owner, at entries of want that are not covered, and at pairs y, x that are
// inverted so, overlap and differ. In two tables that hold the same rules in about the same order there are few of
// those. Each is looked at exactly: is there a packet left when all that decides earlier is taken away?
//
// The same argument finds all pairs of entries that may decide one packet, bad or not: those that are looked at, and each entry of got with
// its first owner. So it also says which buckets a packet may go into on the two sides.
type comparison struct {
	want, got side
	bad       func(want, got Outcome) bool
	steps     int          // left; see budget
	except    []packet.Set // packets that are not looked at here
	sharing   sharing      // who shares policers with whom, as far as find has seen
	all       *collection  // nil: the first that is bad ends the search
	buffers   [3][]int
	sets      []packet.Set
}

// side is one table, and how its entries that end evaluation are found.
type side struct {
	table Table
	bare  []Outcome // what each entry does, policer names left out
	ends  []int     // entries without Continue
	index *index    // of ends
}

func newSide(t Table) side {
	s := side{table: t, bare: make([]Outcome, len(t))}
	for i := range t {
		s.bare[i] = t[i].Do.bare()
		if !t[i].Continue {
			s.ends = append(s.ends, i)
		}
	}
	s.index = newIndex(t, s.ends)
	return s
}

// budget is how many steps a comparison may take: enough for tables that overlap a good deal, seconds at most.
func budget(want, got Table) int { return 20_000_000 + 2_000*(len(want)+len(got)) }

func newComparison(want, got Table, bad func(want, got Outcome) bool) *comparison {
	return &comparison{want: newSide(want), got: newSide(got), bad: bad, steps: budget(want, got)}
}

// find returns a packet that is decided badly; false: there is none. c.steps is 0 when it gave up.
func (c *comparison) find() (packet.Header, bool) {
	owner, pieces := c.owners()
	uncovered, more := c.uncovered(owner, pieces)
	for _, y := range c.got.ends {
		if owner[y] >= 0 {
			c.share(owner[y], y, c.got.table[y].Match)
			continue
		}
		if h, ok := c.column(y); ok || c.gaveUp() {
			return h, ok
		}
	}
	for _, i := range uncovered {
		if h, ok := c.row(i); ok || c.gaveUp() {
			return h, ok
		}
	}
	return c.inverted(owner, more)
}

func (c *comparison) gaveUp() bool { return c.steps <= 0 }

// spend takes n steps; false when they are used up.
func (c *comparison) spend(n int) bool {
	c.steps = max(c.steps-n, 0)
	return c.steps > 0
}

// owners returns an owner of each entry of got (-1: none found), and what each entry of want owns by that. It need not find all: with some
// left out, more pairs are looked at, and none is missed.
func (c *comparison) owners() (owner []int, pieces [][]int) {
	owner, pieces = make([]int, len(c.got.table)), make([][]int, len(c.want.table))
	twins := make(map[uint64]int, len(c.want.ends))
	for _, i := range c.want.ends {
		if h := c.want.table[i].Match.Hash(); twins[h] == 0 {
			twins[h] = i + 1
		}
	}
	kin, last := c.want.kin(), 0
	for _, y := range c.got.ends {
		owner[y] = -1
		m := c.got.table[y].Match
		if i := twins[m.Hash()] - 1; i >= 0 && c.want.bare[i] == c.got.bare[y] && c.want.table[i].Match.Equal(m) {
			owner[y] = i
		}
		if owner[y] < 0 {
			same := kin[m.HashAddrs()]
			n, _ := slices.BinarySearch(same, last) // tables go the same way: its owner is probably that of the entry before, or behind
			if owner[y] = c.ownerAmong(y, same[n:]); owner[y] < 0 {
				owner[y] = c.ownerAmong(y, same[:n])
			}
		}
		if owner[y] < 0 {
			c.buffers[0] = c.want.index.near(m, c.buffers[0])
			owner[y] = c.ownerAmong(y, c.buffers[0])
		}
		if i := owner[y]; i >= 0 {
			pieces[i], last = append(pieces[i], y), i
		}
	}
	return owner, pieces
}

// kin returns the entries of s that end evaluation by their addresses, which a split rarely divides.
func (s *side) kin() map[uint64][]int {
	out := make(map[uint64][]int, len(s.ends))
	for _, i := range s.ends {
		h := s.table[i].Match.HashAddrs()
		out[h] = append(out[h], i)
	}
	return out
}

// uncovered returns the entries of want that are not covered. Before it calls an entry that, it looks for more that the entry owns: one
// piece of it may have got another owner in the first place, being just like another entry or inside it. Then owner has the first of them, and more
// has all owners of such a piece.
func (c *comparison) uncovered(owner []int, pieces [][]int) (out []int, more map[int][]int) {
	more = map[int][]int{}
	var kin map[uint64][]int
	for _, i := range c.want.ends {
		if c.covers(i, pieces[i]) {
			continue
		}
		if kin == nil {
			kin = c.got.kin()
		}
		m := c.want.table[i].Match
		for _, y := range kin[m.HashAddrs()] {
			if !c.spend(1) {
				return append(out, i), more
			}
			if owner[y] != i && c.want.bare[i] == c.got.bare[y] && c.owns(m, c.got.table[y].Match) {
				pieces[i] = append(pieces[i], y)
				if owner[y] < 0 {
					owner[y] = i
					continue
				}
				if more[y] == nil {
					more[y] = []int{owner[y]}
				}
				more[y] = append(more[y], i)
				owner[y] = min(owner[y], i)
			}
		}
		if !c.covers(i, pieces[i]) {
			out = append(out, i)
		}
	}
	return out, more
}

// ownerAmong returns the first of some entries of want that owns entry y of got, or -1.
func (c *comparison) ownerAmong(y int, among []int) int {
	for _, i := range among {
		if !c.spend(1) {
			return -1
		}
		if c.want.bare[i] == c.got.bare[y] && c.owns(c.want.table[i].Match, c.got.table[y].Match) {
			return i
		}
	}
	return -1
}

// owns says whether a matches all that b matches.
func (c *comparison) owns(a, b packet.Set) bool {
	return a.BoxInBox(b) || !a.Single() && a.Overlaps(b) && c.inside(b, a)
}

// inside says whether no packet of a that can exist is outside of bs.
func (c *comparison) inside(a packet.Set, bs ...packet.Set) bool {
	out, ok := a.OutsideOn(&c.steps, bs...)
	if !ok {
		return false
	}
	_, can := out.Witness()
	return !can
}

// covers says whether pieces of got make up all that entry i of want matches.
func (c *comparison) covers(i int, pieces []int) bool {
	c.sets = c.sets[:0]
	for _, y := range pieces {
		c.sets = append(c.sets, c.got.table[y].Match)
	}
	return c.inside(c.want.table[i].Match, c.sets...)
}

// byDefault is the entry that decides where no other does: it stands behind all, matches everything and accepts.
const byDefault = -1

func (s *side) does(i int) Outcome {
	if i == byDefault {
		return Outcome{}
	}
	return s.bare[i]
}

// column looks at every packet that entry y of got decides.
func (c *comparison) column(y int) (packet.Header, bool) {
	m := c.got.table[y].Match
	near := slices.Clone(c.want.index.near(m, nil))
	for _, i := range append(near, byDefault) {
		if h, ok := c.pair(i, y, m); ok || c.gaveUp() {
			return h, ok
		}
	}
	return packet.Header{}, false
}

// row looks at every packet that entry i of want decides.
func (c *comparison) row(i int) (packet.Header, bool) {
	m := c.want.table[i].Match
	near := slices.Clone(c.got.index.near(m, nil))
	for _, y := range append(near, byDefault) {
		if h, ok := c.pair(i, y, m); ok || c.gaveUp() {
			return h, ok
		}
	}
	return packet.Header{}, false
}

// pair returns a packet of within that i decides in want and y in got, if that is bad.
func (c *comparison) pair(i, y int, within packet.Set) (packet.Header, bool) {
	if !c.spend(1) {
		return packet.Header{}, false
	}
	if c.bad(c.want.does(i), c.got.does(y)) {
		if c.all != nil {
			return c.collect(i, y, within)
		}
		return c.decided(i, y, within)
	}
	c.share(i, y, within)
	return packet.Header{}, false
}

// decided returns a packet of within that entry i decides in want and y in got, and that can exist.
func (c *comparison) decided(i, y int, within packet.Set) (packet.Header, bool) {
	if i != byDefault {
		within = within.And(c.want.table[i].Match)
	}
	if y != byDefault {
		within = within.And(c.got.table[y].Match)
	}
	if within.Empty() {
		return packet.Header{}, false
	}
	c.sets = c.sets[:0]
	c.sets = append(c.sets, c.except...)
	c.earlier(&c.got, y, within)
	c.earlier(&c.want, i, within)
	if !c.spend(len(c.sets)) {
		return packet.Header{}, false
	}
	// Where much stands earlier, an ordinary packet may well show the difference before all of it is taken away.
	if h, ok := within.Witness(); ok && !slices.ContainsFunc(c.sets, func(s packet.Set) bool { return s.Has(h) }) {
		return h, true
	}
	out, ok := within.OutsideOn(&c.steps, c.sets...)
	if !ok {
		c.steps = 0
		return packet.Header{}, false
	}
	return out.Witness()
}

// earlier appends to c.sets the entries of s before entry i that may match a packet of within.
func (c *comparison) earlier(s *side, i int, within packet.Set) {
	c.buffers[1] = s.index.near(within, c.buffers[1])
	for _, k := range c.buffers[1] {
		if i != byDefault && k >= i {
			break
		}
		c.sets = append(c.sets, s.table[k].Match)
	}
}

// inverted looks at the pairs of got whose first owners stand the other way round in want.
func (c *comparison) inverted(owner []int, more map[int][]int) (packet.Header, bool) {
	type piece struct{ owner, at int }
	var seen []piece // by owner: the pieces to invert with are at the end
	limit := 10_000 + 50*len(c.got.table)
	for _, x := range c.got.ends {
		if owner[x] < 0 {
			continue
		}
		n, _ := slices.BinarySearchFunc(seen, owner[x]+1, func(p piece, o int) int { return p.owner - o })
		if limit -= len(seen) - n; limit < 0 {
			return c.everyPair()
		}
		for _, y := range seen[n:] {
			if !c.spend(1) {
				return packet.Header{}, false
			}
			if h, ok := c.swapped(y.at, x, owner[x], more[x]); ok || c.gaveUp() {
				return h, ok
			}
		}
		seen = slices.Insert(seen, n, piece{owner[x], x})
	}
	return packet.Header{}, false
}

// swapped looks at the packets that x would match if y did not stand before it in got: those that an owner of x decides in want.
func (c *comparison) swapped(y, x, owner int, more []int) (packet.Header, bool) {
	limits := c.got.table[y].Do.limits()
	if !limits && !c.bad(c.got.bare[x], c.got.bare[y]) || !c.got.table[y].Match.Overlaps(c.got.table[x].Match) {
		return packet.Header{}, false
	}
	both := c.got.table[y].Match.And(c.got.table[x].Match)
	if len(more) == 0 {
		return c.pair(owner, y, both)
	}
	for _, i := range more {
		if h, ok := c.pair(i, y, both); ok || c.gaveUp() {
			return h, ok
		}
	}
	return packet.Header{}, false
}

// everyPair is for tables whose orders have little in common.
func (c *comparison) everyPair() (packet.Header, bool) {
	for _, i := range c.want.ends {
		if h, ok := c.row(i); ok || c.gaveUp() {
			return h, ok
		}
	}
	for _, y := range c.got.ends {
		if h, ok := c.pair(byDefault, y, c.got.table[y].Match); ok || c.gaveUp() {
			return h, ok
		}
	}
	return packet.Header{}, false
}
