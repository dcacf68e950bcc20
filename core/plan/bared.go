package plan

import (
	"slices"

	"github.com/sluice-gateway/sluice/core/packet"
)

// bared touches the buckets with rules that are lost because l went.
func (r *ripple) bared(d *domain, l *seat) {
	if l.bucket.kind != byDst {
		d.below(l, 0, func(s *seat) { r.bare(d, l, s) })
		return
	}
	lost := d.lossy.decidedBy(l)
	if len(lost) == 0 {
		return
	}
	from := lost[0].begins()
	for _, e := range lost[1:] {
		from = min(from, e.begins())
	}
	rest := rest{left: l.set}
	var may []*seat // of lost
	d.below(l, from, func(s *seat) {
		if s.called() || !d.p.alone(s.card).carried() {
			return
		}
		may = may[:0]
		for _, e := range lost {
			if d.worse(e, s) && e.glance.near(&s.glance) && compareBuckets(e.bucket, s.bucket) < 0 && !s.lostBefore(e) {
				may = append(may, e)
			}
		}
		if len(may) > 0 && l.set.Overlaps(s.set) && d.exposedTo(may, s, l, &rest) {
			r.call(d, s)
		}
	})
}

// bare touches the bucket of s, which is below that of l, if it is lost because l went. Neither begins with a destination prefix.
func (r *ripple) bare(d *domain, l, s *seat) {
	if s.called() || !d.p.alone(s.card).carried() {
		return
	}
	d.lossy.all.leaving(l, s, func(e *seat) bool {
		if s.lostBefore(e) {
			return false // and the others stand behind
		}
		if e.exposes() && e.bucket != s.bucket && compareBuckets(e.bucket, s.bucket) < 0 && d.exposes(e, s, &rest{left: l.set}) {
			r.call(d, s)
		}
		return !s.called()
	})
}

// fewAsked is how many rules are asked about without looking first for what may be left at all.
const fewAsked = 2

// exposedTo says whether s would be rejected because of one of lost, whose destinations lie in that of l, which is gone; rest is what is left of l.
func (d *domain) exposedTo(lost []*seat, s, l *seat, rest *rest) bool {
	if len(lost) <= fewAsked {
		return slices.ContainsFunc(lost, func(e *seat) bool { return d.exposes(e, s, rest) })
	}
	outside, some := d.undecidedOutside(l, s, rest)
	if !some {
		return false
	}
	inside := insideNow(s)
	left, some := remains(outside, func(h *packet.Header) (packet.Set, bool) {
		if c := inside(h); c != nil {
			return c.set, true
		}
		return packet.Set{}, false
	})
	one := leavings{d: d, to: s, among: left, inside: inside}
	return slices.ContainsFunc(lost, func(e *seat) bool { // a destination comes before those inside it
		if !e.set.Overlaps(outside) {
			return false
		}
		s.wonders(e) // what is above s in its bucket decides now
		return some && e.set.Overlaps(left) && one.from(e)
	})
}

// undecidedOutside says whether some packets of l, which is gone, and of s, below it, may be left to s by a rule whose destination lies in that of l, and returns packets among which these are:
// those of rest that nobody decides from the destination of l to the bucket of s.
func (d *domain) undecidedOutside(l, s *seat, rest *rest) (left packet.Set, some bool) {
	b := s.bucket
	return remains(s.set.And(rest.now()), func(h *packet.Header) (packet.Set, bool) {
		g := glanceAt(h)
		var found *seat
		look := func(o *seat) bool {
			if o.decides() && o.set.Has(*h) {
				found = o
			}
			return found == nil
		}
		for _, up := range d.byDst.Supernets(l.bucket.prefix) {
			if (b.kind != byDst || up.prefix.Bits() > b.prefix.Bits()) && !up.near(&g, look) {
				break
			}
		}
		if found == nil {
			return packet.Set{}, false
		}
		rest.decidedBy(found)
		return found.set, true
	})
}

// remains says whether packets has some that nobody decides, as far as it is known in few steps, and returns packets among which are all of these; decider returns the packets of somebody
// who decides one, if there are any.
func remains(packets packet.Set, decider func(*packet.Header) (packet.Set, bool)) (left packet.Set, some bool) {
	steps := exactSteps
	for left = packets; ; {
		h, ok := left.Witness()
		if !ok {
			return left, false
		}
		one, decided := decider(&h)
		if !decided {
			return left, true
		}
		less, known := left.SubOn(&steps, one)
		if !known {
			return left, true
		}
		left = less
	}
}
