package plan

import (
	"slices"

	"github.com/sluice-gateway/sluice/core/packet"
)

// loseExposed rejects rules of the bucket that get packets which a rejected rule above leaves to them. It says whether it rejected any.
func (pl *plane) loseExposed() (changed bool) {
	pl.spare()
	for k := range pl.outer {
		x := &pl.outer[k]
		if !pl.state[x.at].carried() {
			continue
		}
		if pl.spent() {
			pl.giveUp()
			return true
		}
		gone := pl.gone(x.at)
		if x.gone == gone {
			continue
		}
		if x.gone = gone; pl.isExposed(x) {
			pl.state[x.at] = asRejected
			pl.note(x.at).lostTo = x.above
			changed = true
		}
	}
	return changed
}

// gone returns how many cards above card i are not carried, and one more, see exposure.
func (pl *plane) gone(i int32) int32 {
	out := int32(1)
	for _, s := range pl.state[:i] {
		if !s.carried() {
			out++
		}
	}
	return out
}

// spare notes which exposures need not be looked at as long as no more rules go: it asks about all of one rule together.
func (pl *plane) spare() {
	if len(pl.outer) <= fewAsked || pl.bucket.kind != byDst || pl.spent() {
		return
	}
	all := make([]leavings, len(pl.cards))
	for k := len(pl.outer) - 1; k >= 0; k-- {
		x := &pl.outer[k]
		if !pl.state[x.at].carried() {
			continue
		}
		l := &all[x.at]
		if l.d == nil {
			*l = pl.leavings(x.at)
		}
		if x.gone != l.gone && !l.from(x.above) {
			x.gone = l.gone
		}
	}
}

// isExposed says whether a rule of the bucket gets packets that a rejected rule above leaves to it, as things stand. These questions take no steps of
// settling: they are asked again only where the answer may be another one.
func (pl *plane) isExposed(x *exposure) bool {
	j := pl.seats[x.at]
	d := j.bucket.domain
	return d.exposed(x.above, j, d.leaves(x.above, j), func(h *packet.Header) *card { return pl.insideOf(x.at, h) })
}

// insideOf returns a carried card above card i that decides h and fares otherwise than it, or nil.
func (pl *plane) insideOf(i int32, h *packet.Header) *card {
	for k, c := range pl.cards[:i] {
		if pl.state[k].carried() && !c.rule.Action.Continue && c.set.Has(*h) && differ(c, pl.cards[i]) {
			return c
		}
	}
	return nil
}

// nameLosses says to whom above rules of the bucket were lost: each to the first that leaves it packets in the end.
func (pl *plane) nameLosses() {
	if !slices.ContainsFunc(pl.notes, func(n note) bool { return n.lostTo != nil }) {
		return
	}
	together := pl.bucket.kind == byDst
	if together {
		pl.firstLosses()
	}
	for k := range pl.outer {
		x := &pl.outer[k]
		n := &pl.notes[x.at]
		if n.lostTo == nil || n.named || n.lostTo != x.above && (together || !pl.isExposed(x)) {
			continue
		}
		n.lostTo, n.named = x.above, true
		below := pl.cards[x.at]
		pl.rejectExposed(x.at, x.above.card, &witnessed{want: x.above.card, got: below, packets: x.above.set.And(below.set)})
	}
}

// firstLosses notes to whom rules of the bucket were lost first.
func (pl *plane) firstLosses() {
	all := make([]leavings, len(pl.cards))
	for k := len(pl.outer) - 1; k >= 0; k-- {
		x := &pl.outer[k]
		n, l := &pl.notes[x.at], &all[x.at]
		switch {
		case n.lostTo == nil || l.d == nil && n.lostTo != x.above: // one behind it says nothing more
		case l.d == nil:
			*l = pl.leavings(x.at)
		case l.from(x.above):
			n.lostTo = x.above
		}
	}
}

// leavings returns what finds out which rejected rules above the bucket leave packets to card i, as things stand.
func (pl *plane) leavings(i int32) leavings {
	return leavings{d: pl.bucket.domain, to: pl.seats[i], among: pl.cards[i].set, gone: pl.gone(i), inside: func(h *packet.Header) *card {
		return pl.insideOf(i, h)
	}}
}
