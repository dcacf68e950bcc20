package table

import "github.com/sluice-gateway/sluice/core/packet"

// Severer returns a packet that got treats worse than want asks, or nil. Worse is a higher severity (accept < mark, sample <
// redirect < rate < discard). Within one severity below discard, it is anything that want does not do to the packet: a lower rate or
// a rate in another unit, a redirect to another target, another mark, sampling. It is also a bucket that packets share in got and do not share in
// want: they take tokens from each other. Like Diff, it is bounded and says so.
func Severer(want, got Table) *Difference {
	want, got = linedUp(want, got)
	passWant, passGot := passing(want), passing(got)
	c := newComparison(want, got, func(w, g Outcome) bool { return worse([]Outcome{w}, []Outcome{g}) })
	if len(passWant)+len(passGot) > 0 { // there, what a packet suffers is more than the outcome that ends it
		c.leaveOut(passWant, passGot)
		if d := c.severerPassing(passWant, passGot); d != nil || c.gaveUp() {
			return orUnproven(d)
		}
	}
	if h, found := c.find(); found || c.gaveUp() {
		return c.answer(h, found)
	}
	a, b, broken := c.sharing.broken(true, nil)
	switch {
	case c.gaveUp():
		return unproven()
	case broken:
		return differsInSharing(want, got, a, b)
	}
	return nil
}

func (c *comparison) severerPassing(passWant, passGot []int) (d *Difference) {
	c.refine(passWant, passGot, func(part packet.Set, metWant, metGot []int) bool {
		h, can := part.Witness()
		if !can {
			return true
		}
		w, g := list(c.want.table, metWant), list(c.got.table, metGot)
		if worse(w, g) {
			d = differs(c.want.table, c.got.table, h)
			return false
		}
		for _, o := range g {
			if o.limits() {
				c.sharing.found(bucketOf(w), o.Policer, h)
			}
		}
		return true
	})
	return d
}
