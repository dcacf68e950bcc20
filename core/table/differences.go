package table

import (
	"fmt"
	"slices"

	"github.com/sluice-gateway/sluice/core/packet"
)

// Differences returns differences between want and got, at most so many: one for each pair of entries that decide packets which fare differently, and one
// for each bucket that is shared differently; most below 1 is 1. more says that there are others, or that there may be: work is bounded, and past the bound the last
// difference is Unproven. The list is empty exactly where [Diff] is nil. Differences come by kind, in the order of the kinds.
func Differences(want, got Table, most int) (list []Difference, more bool) {
	if identical(want, got) {
		return nil, false
	}
	want, got = linedUp(want, got)
	c := newComparison(want, got, func(w, g Outcome) bool { return w != g })
	c.all = &collection{most: max(most, 1), seen: map[string]bool{}}
	c.diffPassing()
	if !c.all.full && !c.gaveUp() {
		c.find()
	}
	if !c.all.full && !c.gaveUp() {
		c.sharing.broken(false, func(bucket string, a, b packet.Header) bool {
			d := differsInSharing(want, got, a, b)
			d.Kind = Shared
			return c.all.put(bucket, *d)
		})
	}
	list, more = c.all.list, c.all.full
	if c.gaveUp() && !more {
		d := unproven()
		d.Kind = NotKnown
		list, more = append(list, *d), true
	}
	slices.SortStableFunc(list, func(a, b Difference) int { return slices.Index(kinds, a.Kind) - slices.Index(kinds, b.Kind) })
	return list, more
}

var kinds = []Kind{Over, Under, Ordered, Shared, Other, NotKnown}

// collection is what a comparison has found that does not end at the first difference.
type collection struct {
	most int
	list []Difference
	seen map[string]bool // what differences are about
	full bool            // there is one more than there is place for
}

// put adds d, unless there is one about the same already. It returns true when there is no place.
func (c *collection) put(about string, d Difference) (full bool) {
	switch {
	case c.seen[about]:
	case len(c.list) == c.most:
		c.full = true
	default:
		c.seen[about] = true
		c.list = append(c.list, d)
	}
	return c.full
}

// collect is pair for a collection: it returns a packet only where the search is to end.
func (c *comparison) collect(i, y int, within packet.Set) (packet.Header, bool) {
	about := fmt.Sprint(i, y)
	if c.all.seen[about] {
		return packet.Header{}, false
	}
	h, found := c.decided(i, y, within)
	return h, found && c.add(about, h)
}

// add puts the difference that h shows into the collection. It returns true when there is no place.
func (c *comparison) add(about string, h packet.Header) (full bool) {
	d := c.answer(h, true)
	d.Kind = NotKnown
	if !d.Unproven {
		d.Kind = kind(c.want.table, c.got.table, h)
	}
	return c.all.put(about, *d)
}

// kind says in which way h fares differently.
func kind(want, got Table, h packet.Header) Kind {
	if want.has(h, got) && got.has(h, want) {
		return Ordered
	}
	w, g := doesOf(want, h), doesOf(got, h)
	switch over, under := worse(w, g), worse(g, w); {
	case over && !under:
		return Over
	case under && !over:
		return Under
	}
	return Other
}

// has says whether t has what decides h in o: an entry that matches all of that one or a part of it with h, and does the same.
func (t Table) has(h packet.Header, o Table) bool {
	n := slices.IndexFunc(o, func(e Entry) bool { return !e.Continue && e.Match.Has(h) })
	if n < 0 {
		return false
	}
	d := &o[n]
	return slices.ContainsFunc(t, func(e Entry) bool {
		return e.Match.Has(h) && e.Do.bare() == d.Do.bare() && e.Continue == d.Continue && (e.Match.BoxInBox(d.Match) || d.Match.BoxInBox(e.Match))
	})
}
