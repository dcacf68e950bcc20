package table

import (
	"fmt"

	"github.com/sluice-gateway/sluice/core/packet"
)

// Diff returns nil when want and got are proven to treat every packet alike, policers compared up to a bijection: names do not matter,
// but packets share a token bucket on one side exactly when they do on the other. Packets that cannot exist
// (docs/semantics.md) do not matter. Work is bounded: past it, Diff returns a Difference that is Unproven, never nil.
func Diff(want, got Table) *Difference {
	if identical(want, got) {
		return nil
	}
	if want, got = linedUp(want, got); identical(want, got) {
		return nil
	}
	if a, b, found := twoOfOne(want, got); found {
		return differsInSharing(want, got, a, b)
	}
	return search(want, got)
}

// search is Diff for tables that say nothing at a glance.
func search(want, got Table) *Difference {
	c := newComparison(want, got, func(w, g Outcome) bool { return w != g })
	if d := c.diffPassing(); d != nil || c.gaveUp() {
		return orUnproven(d)
	}
	if h, found := c.find(); found || c.gaveUp() {
		return c.answer(h, found)
	}
	a, b, broken := c.sharing.broken(false, nil)
	switch {
	case c.gaveUp():
		return unproven()
	case broken:
		return differsInSharing(want, got, a, b)
	}
	return nil
}

// identical says whether the two tables are the same entry by entry, names of policers included. It is quick to say no.
func identical(want, got Table) bool {
	if len(want) != len(got) {
		return false
	}
	for i := range want {
		w, g := &want[i], &got[i]
		if w.Do != g.Do || w.Continue != g.Continue || !w.Match.Identical(g.Match) {
			return false
		}
	}
	return true
}

func orUnproven(d *Difference) *Difference {
	if d == nil {
		return unproven()
	}
	return d
}

// answer describes what find found. The packet is put to the question once more, entry by entry: an answer that does not hold there
// would be a fault of this package, and proves nothing.
func (c *comparison) answer(h packet.Header, found bool) *Difference {
	if !found {
		if c.gaveUp() {
			return unproven()
		}
		return nil
	}
	if alike(doing(doesOf(c.want.table, h)), doing(doesOf(c.got.table, h))) {
		return &Difference{Unproven: true, Reason: "comparison and classification disagree about " + h.String() + ": this is a fault in sluice, please report it"}
	}
	return differs(c.want.table, c.got.table, h)
}

// diffPassing compares the lists of outcomes where entries continue, and notes the buckets in them. If those entries are the same on
// both sides, what ends the lists is left to compare for every packet; if not, only for the packets that no such entry matches.
func (c *comparison) diffPassing() (d *Difference) {
	want, got := passing(c.want.table), passing(c.got.table)
	if c.aligned(want, got) {
		for n := range want {
			i, y := want[n], got[n]
			if does := list(c.want.table, want[n:n+1]); does[0].limits() {
				c.sharing.add(bucketOf(does), c.got.table[y].Do.Policer, func() (packet.Header, bool) { return c.reaches(i) })
			}
		}
		return nil
	}
	c.leaveOut(want, got)
	c.refine(want, got, func(part packet.Set, metWant, metGot []int) bool {
		h, can := part.Witness()
		if !can {
			return true
		}
		w, g := list(c.want.table, metWant), list(c.got.table, metGot)
		if !alike(w, g) {
			if c.all != nil {
				return !c.add(fmt.Sprint(metWant, metGot), h)
			}
			d = differs(c.want.table, c.got.table, h)
			return false
		}
		for n := range w {
			if w[n].limits() {
				c.sharing.found(bucketOf(w[n:n+1]), g[n].Policer, h)
			}
		}
		return true
	})
	return d
}

// leaveOut makes find leave out the packets that the listed entries match.
func (c *comparison) leaveOut(want, got []int) {
	for _, i := range want {
		c.except = append(c.except, c.want.table[i].Match)
	}
	for _, y := range got {
		c.except = append(c.except, c.got.table[y].Match)
	}
}

// reaches returns a packet that comes as far as entry i of want, which continues, and matches it.
func (c *comparison) reaches(i int) (packet.Header, bool) {
	m := c.want.table[i].Match
	c.sets = c.sets[:0]
	c.earlier(&c.want, i, m)
	out, ok := m.OutsideOn(&c.steps, c.sets...)
	if !ok {
		c.steps = 0
		return packet.Header{}, false
	}
	return out.Witness()
}
