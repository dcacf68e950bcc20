package plan

import (
	"container/heap"
	"slices"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/rib"
)

// ripple is changes being taken over: they touch buckets, these touch buckets below them, and so on.
type ripple struct {
	pl      *Planner
	bulk    bool            // so many changes that every bucket is settled
	fresh   bool            // there were no rules before them
	kept    []*bucket       // that may send something else now
	moved   []moved         // their rules of which that is so
	was     []*device.Route // what was sent of these before
	stirred []*seat         // came, went, or fare otherwise
	unsaid  []*seat         // rejected ones around them
	turns   []turn          // of the bucket at hand
}

// ripple returns a ripple that begins, in the memory of the last one where that was not much.
func (pl *Planner) ripple(bulk bool) *ripple {
	r := &pl.room
	*r = ripple{pl: pl, bulk: bulk, kept: emptied(r.kept), moved: emptied(r.moved), was: emptied(r.was), stirred: emptied(r.stirred), unsaid: emptied(r.unsaid), turns: emptied(r.turns)}
	return r
}

// emptied returns the memory of list to be used again, unless that is much.
func emptied[T any](list []T) []T {
	const much = 1 << 10
	if cap(list) > much {
		return nil
	}
	clear(list[:cap(list)])
	return list[:0]
}

// manyChanges is how many changes are looked at one by one.
const manyChanges = 64

// take takes over changes. With tell, what they change can be told afterwards.
func (pl *Planner) take(changes []rib.Change, tell bool) *ripple {
	r := pl.ripple(!tell && len(changes) > manyChanges && len(changes) > pl.size/8)
	pl.plan = nil
	for _, d := range pl.domains {
		d.ripple = r
	}
	for _, t := range pl.cut {
		r.stirred = append(r.stirred, t.seat)
	}
	pl.restore()
	cards := pl.deal(changes, r.bulk)
	if r.fresh = r.bulk && len(pl.domains) == 0 && isTable(changes); r.fresh {
		r.fill(changes, cards)
		changes = nil
	}
	for i := range changes {
		var one *card
		switch {
		case cards != nil:
			one = cards[i]
		case changes[i].New != nil:
			one = pl.drafter.card(changes[i].New)
		}
		r.change(&changes[i], one)
	}
	for _, d := range pl.domains {
		r.settle(d)
	}
	pl.trim(r)
	r.arrange()
	pl.domains = slices.DeleteFunc(pl.domains, func(d *domain) bool { return len(d.order) == 0 })
	return r
}

// deal returns the cards of the rules that come, of many: from the deck where bulk allows it, or made on all processors, in pieces.
func (pl *Planner) deal(changes []rib.Change, bulk bool) []*card {
	if len(changes) <= manyChanges {
		return nil
	}
	if bulk {
		if out, ok := pl.shared(changes); ok {
			return out
		}
	}
	out := make([]*card, len(changes))
	spread(len(changes), pieceOfPile, func() func(int) {
		d := &drafter{platform: pl.platform}
		return func(i int) {
			if changes[i].New != nil {
				out[i] = d.card(changes[i].New)
			}
		}
	})
	return out
}

// same says whether nothing is to be planned anew when b stands in the place of a. Time and note of a rule decide nothing here.
func (pl *Planner) same(a, b *flowspec.Rule) bool {
	return a == b || a.ID == b.ID && pl.platform.takes(a.Source) == pl.platform.takes(b.Source) && a.Action.Equal(b.Action) && slices.Equal(a.Communities, b.Communities) &&
		slices.Equal(a.LargeCommunities, b.LargeCommunities) && slices.Equal(a.Others, b.Others)
}

// change takes over one change; one is the card of the rule that comes.
func (r *ripple) change(c *rib.Change, one *card) {
	pl := r.pl
	d := pl.domainOf(c.Match)
	var b *bucket
	var at int // place in b
	var old *seat
	if d != nil {
		found := false
		if b, at, found = d.find(c.Match); found {
			old = b.seats[at]
		}
	}
	if c.New != nil && old != nil && pl.same(old.rule, c.New) {
		return
	}
	if old != nil {
		r.touch(d, b)
		d.keep(old)
		d.drop(at, old)
		b.left = append(b.left, old)
		pl.size--
	}
	if c.New == nil {
		return
	}
	if d == nil {
		d = pl.newDomain(c.Match)
		d.ripple = r
	}
	if b == nil {
		b = d.newBucket(one)
	}
	r.touch(d, b)
	d.put(b, at, one).waits = true
	pl.size++
}

// touch notes that b must be settled.
func (r *ripple) touch(d *domain, b *bucket) {
	if !b.dirty {
		b.dirty = true
		if !r.bulk {
			heap.Push(&d.queue, b)
		}
	}
}

// call has s settled anew.
func (r *ripple) call(d *domain, s *seat) {
	s.waits = true
	r.touch(d, s.bucket)
}

// called says whether s will be settled anew.
func (s *seat) called() bool { return s.bucket.dirty && s.waits }

// becomes gives s another fate.
func (d *domain) becomes(s *seat, f fate) {
	d.keep(s)
	s.fate = f
	s.forget()
}

// settle settles what was touched in d, from above to below: what a bucket does depends on those above it.
func (r *ripple) settle(d *domain) {
	if r.bulk {
		all := slices.Collect(d.order.all())
		d.council.called = slices.Grow(d.council.called, r.pl.size)
		ready := d.settleLone(all)
		for i, b := range all {
			r.bucket(d, b, ready[i])
		}
	} else {
		for d.queue.Len() > 0 {
			r.bucket(d, heap.Pop(&d.queue).(*bucket), nil)
		}
	}
	r.stirred = d.convene(r.stirred)
}

// bucket settles b, unless it is ready, and touches buckets below that this concerns.
func (r *ripple) bucket(d *domain, b *bucket, ready []turn) {
	b.dirty = false
	turns := ready
	if ready == nil {
		turns = r.turns[:0]
	}
	for _, s := range b.left {
		d.dissolve(s.with)
		one := turn{seat: s, was: s.own}
		turns = append(turns, one)
		s.own = fate{}
		d.lossy.note(s, false)
		r.stirred = append(r.stirred, s)
		if b.crowd {
			at, _ := b.search(s.rule.Match)
			d.stir(b, at, &one)
		} else {
			b.forgets(s)
			d.disturb(b, s)
		}
	}
	b.left = nil
	if ready == nil {
		turns = d.settle(b, turns)
		r.turns = turns
	}
	if r.fresh { // all rules have their first fates
		d.lossy.update(b)
		d.council.called = append(d.council.called, b.seats...)
		return
	}
	for i := range turns {
		d.lossy.refresh(turns[i].seat)
	}
	if len(b.seats) == 0 {
		d.forget(b)
	}
	for i := range turns {
		d.council.called = append(d.council.called, turns[i].seat)
		if !r.bulk {
			r.pass(d, &turns[i])
		}
	}
}

// pass touches the buckets below in which a turn changes something: those with rules that get packets which a rejected rule leaves to them, where that
// rule came to be rejected, or one that decides such packets before came or went. What comes out there would be the same otherwise: a rule is lost to the first rule that
// exposes it, and one more rule that decides only ever exposes fewer.
func (r *ripple) pass(d *domain, t *turn) {
	if t.seat.rule.Action.Continue || d.anyOrder() {
		return
	}
	switch was, is := t.was.state == asRejected, t.now.state == asRejected; {
	case was && !is:
		d.lossy.lostAround(t.seat, func(s *seat) {
			if s.lostTo() == t.seat && !s.called() {
				r.call(d, s)
			}
		})
	case is && !was && !d.uniform():
		rest := rest{left: t.seat.set}
		d.below(t.seat, t.seat.begins(), func(s *seat) {
			if !s.called() && d.exposes(t.seat, s, &rest) {
				r.call(d, s)
			}
		})
	}
	if was, is := t.was.state.carried(), t.now.state.carried(); was != is && d.lossy.all.n > 0 {
		if is {
			r.saved(d, t.seat)
		} else if !d.uniform() {
			r.bared(d, t.seat)
		}
	}
}

// saved touches the buckets with rules that are not lost any more because l came.
func (r *ripple) saved(d *domain, l *seat) {
	d.lossy.lostAround(l, func(s *seat) {
		if e := s.lostTo(); e != nil && !s.called() && e.glance.near(&l.glance) && l.set.Overlaps(s.set) && compareBuckets(l.bucket, s.bucket) < 0 && !d.exposedNow(e, s, d.leaves(e, s), nil) {
			r.call(d, s)
		}
	})
}

// lostBefore says whether s is lost to e already, or to a rule in front of it.
func (s *seat) lostBefore(e *seat) bool {
	first := s.lostTo()
	return first != nil && compareSeats(first, e) <= 0
}

// lostTo returns the rule above the bucket for which s is rejected, or nil.
func (s *seat) lostTo() *seat {
	if s.own.note == nil {
		return nil
	}
	return s.own.note.lostTo
}

// arrange puts in order what the touched buckets send, and finds the verdicts that must be said anew.
func (r *ripple) arrange() {
	for _, b := range r.kept {
		b.domain.arrange(b)
	}
	for _, b := range r.kept {
		b.moved = 0
	}
	for i := range r.moved {
		r.moved[i].seat.kept = false
	}
	for _, s := range r.stirred {
		s.forget()
		d := s.bucket.domain
		if !r.bulk {
			d.pending = append(d.pending, s)
		}
		counted := s.counts
		if s.counts = s.state.carried() && !s.gone; s.counts != counted && !r.bulk {
			d.lossy.witnessing(s.card, func(e *seat) {
				if e.state == asRejected && e.said != nil && e.turns(s) {
					e.forget()
					r.unsaid = append(r.unsaid, e)
				}
			})
		}
	}
	for _, d := range r.pl.domains {
		d.ripple = nil
		if r.bulk || len(d.pending) > max(manyChanges, r.pl.size/8) {
			d.pending, d.unmet = nil, true
		}
		if r.bulk {
			d.forgetRejected()
		}
	}
}

// forgetRejected has all verdicts of rejected rules said anew.
func (d *domain) forgetRejected() {
	for b := range d.order.all() {
		for _, s := range b.seats {
			if s.state == asRejected {
				s.forget()
			}
		}
	}
}

// routes returns what was sent before and what is sent now, in the order of the device, but for rules of which the same is sent.
func (r *ripple) routes() (was, is []*device.Route) {
	for i := range r.moved {
		m := &r.moved[i]
		before, n := r.was[m.from:m.to], len(is)
		if is = m.seat.sending(is); slices.Equal(before, is[n:]) {
			is = is[:n]
			continue
		}
		was = append(was, before...)
	}
	for _, list := range [2][]*device.Route{was, is} {
		slices.SortFunc(list, func(a, b *device.Route) int { return flowspec.Compare(a.Match, b.Match) })
	}
	return was, is
}

// verdicts returns what is to be said anew.
func (r *ripple) verdicts() (out []*Verdict) {
	list := append(r.stirred, r.unsaid...)
	for i := range r.moved {
		list = append(list, r.moved[i].seat)
	}
	list = slices.DeleteFunc(list, func(s *seat) bool { return s.gone })
	slices.SortFunc(list, func(a, b *seat) int { return flowspec.Compare(a.rule.Match, b.rule.Match) })
	for _, s := range slices.Compact(list) {
		out = append(out, s.bucket.domain.verdict(s, &room{}))
	}
	return out
}

// queue is buckets in RFC order, as a heap.
type queue []*bucket

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return compareBuckets(q[i], q[j]) < 0 }
func (q queue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(b any)        { *q = append(*q, b.(*bucket)) }
func (q *queue) Pop() any {
	old := *q
	b := old[len(old)-1]
	*q = old[:len(old)-1]
	return b
}
