package plan

import (
	"slices"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// A crowd is a bucket of so many rules that settling them all with each other takes long. It is settled one rule after another in RFC order, each beneath those above it (see
// fitting), and after a change only those rules are looked at whose fates the change can touch: what comes out is the same.

// largestParty is how many rules of a bucket are settled with each other. In a bucket of more than largestCrowd rules they are settled so again, in steps that are bounded for
// all of them together: where so many meet, looking at each for itself takes long, too.
const (
	largestParty = 32
	largestCrowd = 4096
)

// crowded says whether b is a crowd. Where a filter may take rules, they are settled with each other however many they are, for they go there together; and so they are where the
// operator leaves no remedy that is right in any order, for the others change rules above.
func (d *domain) crowded(b *bucket) bool {
	return len(b.seats) > d.p.party && len(b.seats) <= largestCrowd && d.limits != nil && !d.anyOrder() && d.p.filter == nil && d.p.may(RemedySubtract)
}

// settleCrowd settles the rules of b that wait for it, all of them where b was no crowd before. It appends those that fare otherwise than before to turns.
func (d *domain) settleCrowd(b *bucket, turns []turn) []turn {
	all := !b.crowd || d.ripple.bulk
	b.crowd = true
	desk := d.desk(b)
	defer d.desks.Put(desk)
	for i, s := range b.seats {
		if !all && !s.waits && (!s.doubts || d.stands(b, i, desk)) {
			s.doubts = false
			continue
		}
		s.waits, s.doubts = false, false
		was, now := s.own, d.fit(b, i, !all, desk)
		if was.same(now) {
			continue
		}
		s.own = now
		turns = append(turns, turn{s, was, now})
		if !all {
			d.stir(b, i+1, &turns[len(turns)-1])
		}
	}
	return turns
}

// desk is where rules of one crowd are fitted, one after another.
type desk struct {
	bucket *bucket
	above  []*seat // memory for fitting.above
	lost   []*seat // see inside
	known  bool    // lost is: they stay as they are while the bucket is settled
}

// desk returns a desk to settle b at.
func (d *domain) desk(b *bucket) *desk {
	out, ok := d.desks.Get().(*desk)
	if !ok {
		out = &desk{}
	}
	out.bucket, out.lost, out.known = b, nil, false
	return out
}

// inside returns the rejected rules above the bucket, which is one of a destination, in RFC order.
func (t *desk) inside() []*seat {
	if !t.known && t.bucket.kind == byDst {
		t.lost, t.known = t.bucket.domain.lossy.inside(t.bucket), true
	}
	return t.lost
}

// stir has those of b.seats[from:] fitted anew whose fates may be others now that t happened to a rule above them.
func (d *domain) stir(b *bucket, from int, t *turn) {
	s := t.seat
	for j := from; j < len(b.seats); j++ {
		o := b.seats[j]
		if !s.glance.near(&b.at[j]) || o.own.state == asNothing {
			continue
		}
		heeds := o.heeds(t) // also where it waits: what is not in doubt is not asked again
		if !o.waits && (heeds || d.concerns(s, o)) {
			o.waits = true
		}
	}
}

// heeds says whether t, which happened above s, calls for s to be fitted anew because of a question that was asked for s. Where it only may change an answer, it leaves
// the question in doubt.
func (s *seat) heeds(t *turn) (anew bool) {
	if s.trace == nil {
		return false
	}
	one := t.seat
	decides := (t.was.state.carried() || t.now.state.carried()) && !one.rule.Action.Continue
	for i := range s.trace.asked {
		q := &s.trace.asked[i]
		anew = anew || q.of == one || q.all && one.set.Overlaps(q.of.set) && one.set.Overlaps(s.set)
		if decides && !q.doubt && slices.ContainsFunc(q.probes, one.set.Has) {
			q.doubt, s.doubts = true, true
		}
	}
	if o := &s.trace.outside; decides && !o.doubt && slices.ContainsFunc(o.probes, one.set.Has) {
		o.doubt, s.doubts = true, true
	}
	return anew
}

// wonders notes that it was asked whether e, a rejected rule above the bucket, leaves packets to s.
func (s *seat) wonders(e *seat) {
	if !s.bucket.crowd {
		return
	}
	if s.trace == nil {
		s.trace = &trace{}
	}
	if !slices.ContainsFunc(s.trace.asked, func(q question) bool { return q.of == e }) {
		s.trace.asked = append(s.trace.asked, question{of: e, all: true})
	}
}

// concerns says whether s, which stands above o and near it, brings up something that was not asked for o so far: it leaves packets to o, or the device
// may evaluate a piece of o before one of s.
func (d *domain) concerns(s, o *seat) bool {
	if o.own.state == asRejected && o.trace == nil {
		return false // by itself
	}
	switch s.own.state {
	case asRejected:
		return s.exposes() && d.worse(s, o) && s.set.Overlaps(o.set)
	case asNative:
		if !differ(s.card, o.card) {
			return false
		}
		its := s.ownWay()
		if s.changes(its, o, o.card.native) {
			return true
		}
		for k := 0; o.trace != nil && k < len(o.trace.stages); k++ {
			if m := o.trace.stages[k].mended; m != nil && s.changes(its, o, m.way) {
				return true
			}
		}
	}
	return false
}

// changes says whether a piece of o, sent in one way, may change places with a piece of s, sent in its way.
func (s *seat) changes(its *way, o *seat, w *way) bool {
	if !w.rewritten && !its.rewritten {
		return false
	}
	if (s.rule.Action.Continue || o.rule.Action.Continue) && collide(w.routes, its.routes) {
		return true
	}
	if !inverts(w, its) {
		return false
	}
	for x := range w.routes {
		for y := range its.routes {
			if flowspec.Compare(w.routes[x].Match, its.routes[y].Match) < 0 && o.setOf(w, x).Overlaps(s.setOf(its, y)) {
				return true
			}
		}
	}
	return false
}

// same says whether nothing is different between two fates of one rule.
func (f fate) same(g fate) bool {
	if f.state != g.state {
		return false
	}
	if f.note == nil || g.note == nil {
		return f.note == g.note
	}
	return f.note.lostTo == g.note.lostTo && slices.Equal(f.note.reasons, g.note.reasons) && f.note.conflict.same(g.note.conflict) &&
		f.note.mended.same(g.note.mended)
}

func (w *witnessed) same(v *witnessed) bool {
	if w == nil || v == nil {
		return w == v
	}
	return w.want == v.want && w.got == v.got && w.packets.Identical(v.packets)
}

func (m *mended) same(n *mended) bool {
	if m == nil || n == nil {
		return m == n
	}
	if len(m.way.routes) != len(n.way.routes) || !slices.Equal(m.way.reasons, n.way.reasons) || !slices.Equal(m.leans, n.leans) {
		return false
	}
	for k := range m.way.routes {
		if !m.way.routes[k].Match.Equal(n.way.routes[k].Match) {
			return false
		}
	}
	return true
}
