package plan

import (
	"slices"
	"sync"
)

// remedied is what a remedy came to: it rests on the two rules and on how they were sent, and on nothing else. Where a bucket is settled again, most of it is there.
type remedied struct {
	n           int8  // of the remedy
	steps       int32 // of settling
	card, other *card
	was         *mended // of card
	its         *way    // of other
	becomes     *mended // nil: it was no help
}

// recall is remedy for a plane that may know from the last time what comes out.
func (pl *plane) recall(n int, t try) bool {
	if t.name == RemedySteer { // which says where the card stands in the plane
		return pl.remedy(t)
	}
	if pl.bucket == nil {
		if pl.p.remedies == nil {
			return pl.remedy(t)
		}
		one := remedied{n: int8(n), card: pl.cards[t.card], other: pl.cards[t.other], was: pl.mended(t.card), its: pl.native(t.other)}
		pl.find(&one, t)
		return one.becomes != nil
	}
	one := remedied{n: int8(n), card: pl.cards[t.card], other: pl.cards[t.other], was: pl.mended(t.card), its: pl.native(t.other)}
	var known []remedied
	if pl.bucket.remedied != nil {
		known = *pl.bucket.remedied
	}
	at := slices.IndexFunc(known, func(r remedied) bool {
		return r.n == one.n && r.card == one.card && r.other == one.other && r.was == one.was && r.its == one.its
	})
	if at >= 0 {
		one = known[at]
		pl.steps += int(one.steps)
		if one.becomes != nil {
			pl.note(t.card).mended = one.becomes
		}
	} else {
		pl.find(&one, t)
	}
	pl.remedied = append(pl.remedied, one)
	return one.becomes != nil
}

// find fills in what the remedy of one, which is t, comes to, and takes that over. Another planner may have found it already.
func (pl *plane) find(one *remedied, t try) {
	key := remedyKey{one.n, one.card.native, one.other.native, one.was, one.its}
	if known, ok := pl.p.remedies.get(key); ok {
		one.steps, one.becomes = known.steps, known.becomes
		pl.steps += int(one.steps)
		if one.becomes != nil {
			pl.note(t.card).mended = one.becomes
		}
		return
	}
	before := pl.steps
	if pl.remedy(t) {
		one.becomes = pl.mended(t.card)
	}
	one.steps = int32(pl.steps - before)
	pl.p.remedies.put(key, one)
}

// remedies is what remedies came to for planners of one platform that plan at the same time: what their operators allow decides which are tried, and nothing else. Of a rule the
// way by FlowSpec stands for all, which the deck made once.
type remedies struct {
	mu  sync.RWMutex
	all map[remedyKey]remedied
}

// remedyKey is all that a remedy rests on.
type remedyKey struct {
	n           int8 // of the remedy
	card, other *way // by FlowSpec, as their rules ask alone
	was         *mended
	its         *way
}

func (r *remedies) get(key remedyKey) (remedied, bool) {
	if r == nil {
		return remedied{}, false
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	one, ok := r.all[key]
	return one, ok
}

func (r *remedies) put(key remedyKey, one *remedied) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.all == nil {
		r.all = make(map[remedyKey]remedied)
	}
	r.all[key] = *one
}

// remember keeps with b what remedies for rules of r came to, which were settled with each other.
func (b *bucket) remember(r *row, list []remedied) {
	if b.remedied != nil {
		for _, one := range *b.remedied {
			if !r.has(one.card) && !r.has(one.other) {
				list = append(list, one)
			}
		}
	}
	b.remedied = nil
	if len(list) > 0 {
		b.remedied = new(slices.Clone(list))
	}
}

// has says whether c is the card of a rule of r.
func (r *row) has(c *card) bool {
	return slices.ContainsFunc(r.seats, func(s *seat) bool { return s.card == c })
}

// forgets forgets what remedies for s, which is gone, or against it came to.
func (b *bucket) forgets(s *seat) {
	if b.remedied == nil {
		return
	}
	*b.remedied = slices.DeleteFunc(*b.remedied, func(r remedied) bool { return r.card == s.card || r.other == s.card })
	if len(*b.remedied) == 0 {
		b.remedied = nil
	}
}
