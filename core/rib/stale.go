package rib

import (
	"container/heap"
	"errors"
	"slices"
	"time"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// staleTime is how long a source may take after Up to repeat its rules, beyond its Quiet time: the 180 s that RFC 8538 §4.1
// suggests.
const staleTime = 180 * time.Second

// up marks the rules of s as stale until it repeats them. A deadline that is already set only moves away from us: a source that is back
// gets its time, and one that flaps keeps its rules no longer than that after it was last seen.
func (t *table) up(s *source, now time.Time) {
	s.up = true
	if s.policy.Quiet > 0 {
		s.quietAt = now.Add(s.policy.Quiet)
	}
	limit := now.Add(s.policy.Quiet + staleTime)
	t.mark(s, func(p *path) {
		if p.until.Before(limit) {
			p.until = limit
		}
	})
}

// again marks the rules of s in one family as stale until it repeats them, as up does with all.
func (t *table) again(s *source, f flowspec.Family, now time.Time) {
	if s.policy.Quiet > 0 {
		s.quietAt = now.Add(s.policy.Quiet)
	}
	limit := now.Add(s.policy.Quiet + staleTime)
	for id, sl := range t.slots {
		p := sl.path(s)
		if p == nil || p.withdrawn != nil || id.family != f {
			continue
		}
		if !p.stale {
			p.stale = true
			s.stats.Stale++
		}
		if p.until.Before(limit) {
			p.until = limit
		}
		t.waits.note(p)
		s.sweepAt = earlier(s.sweepAt, p.until)
	}
}

// down withdraws the rules of s, or marks them as stale for its Hold time or as long as e asks. Rules that were stale already keep their deadline.
func (t *table) down(s *source, e Event, now time.Time) {
	s.up, s.quietAt = false, time.Time{}
	hold := func(f flowspec.Family) time.Duration {
		if slices.Contains(e.Held, f) {
			return max(s.policy.Hold, e.Hold)
		}
		return s.policy.Hold
	}
	t.sweep(s, func(_ path, id nlri) bool { return hold(id.family) == 0 })
	t.mark(s, func(p *path) {
		if !p.stale || p.until.IsZero() {
			p.until = now.Add(hold(p.rule.Match.Family()))
		}
	})
}

// mark makes all rules of s stale; deadline sets when each goes.
func (t *table) mark(s *source, deadline func(*path)) {
	s.sweepAt = time.Time{}
	if s.stats.Rules == 0 {
		return
	}
	for _, sl := range t.slots {
		for i := range sl.paths {
			p := &sl.paths[i]
			if p.from != s || p.withdrawn != nil {
				continue
			}
			deadline(p)
			p.stale = true
			t.waits.note(p)
			s.sweepAt = earlier(s.sweepAt, p.until)
		}
	}
	s.stats.Stale = s.stats.Rules - s.stats.Withdrawn
}

// sweep removes the rules of s that goes names.
func (t *table) sweep(s *source, goes func(path, nlri) bool) {
	if s.stats.Rules == 0 {
		return
	}
	for id, sl := range t.slots {
		if i := sl.of(s); i >= 0 && goes(sl.paths[i], id) {
			t.remove(id, s)
		}
	}
}

// leftOut withdraws the stale rules of s in one family, or with 0 in all: s did not repeat them, though it says that it has said all.
func (t *table) leftOut(s *source, f flowspec.Family, now time.Time) {
	if s.stats.Stale == 0 {
		return
	}
	var ids []nlri
	for id, sl := range t.slots {
		if p := sl.path(s); p != nil && p.stale && (f == 0 || f == id.family) {
			ids = append(ids, id)
		}
	}
	t.withdraw(s, ids, now)
}

// next returns when expire has something to do.
func (t *table) next() time.Time {
	var at time.Time
	if len(t.expiries) > 0 {
		at = t.expiries[0].at
	}
	for _, s := range t.sources {
		at = earlier(at, earlier(s.quietAt, s.sweepAt))
	}
	return at
}

// expire removes what has come to its end: rules that expire, stale rules of sources that have been quiet, stale rules whose
// time is over.
func (t *table) expire(now time.Time) {
	for len(t.expiries) > 0 && due(t.expiries[0].at, now) {
		t.remove(t.expiries[0].id, t.expiries[0].from)
	}
	for _, s := range t.sources {
		if due(s.quietAt, now) {
			s.quietAt = time.Time{}
			t.leftOut(s, 0, now)
		}
		if due(s.sweepAt, now) {
			s.sweepAt = time.Time{}
			t.sweep(s, func(p path, _ nlri) bool {
				if !p.stale || due(p.until, now) {
					return p.stale
				}
				s.sweepAt = earlier(s.sweepAt, p.until)
				return false
			})
		}
	}
}

// ErrStays is the answer to Expire where a rule is not as it was given any more, or where another source has one with its NLRI: that one would be in force then, and nobody has looked at it.
var ErrStays = errors.New("the rule stays: it was said again in other words, or another source has one with the same match")

// over removes rules of s that are still there as they are given, and whose NLRI no other source has.
func (t *table) over(s *source, rules []flowspec.Rule) error {
	var err error
	for i := range rules {
		id := identity(rules[i].Match)
		if p := t.slots[id].path(s); p == nil || !same(p.rule, &rules[i]) || len(t.slots[id].paths) > 1 {
			err = ErrStays
			continue
		}
		t.remove(id, s)
	}
	return err
}

// expiry is the end of one rule.
type expiry struct {
	at    time.Time
	id    nlri
	from  *source
	place int // in expiries
}

// expiries is a heap of the rules that expire, the next one first.
type expiries []*expiry

var _ heap.Interface = (*expiries)(nil)

func (e expiries) Len() int           { return len(e) }
func (e expiries) Less(i, j int) bool { return e[i].at.Before(e[j].at) }

func (e expiries) Swap(i, j int) {
	e[i], e[j] = e[j], e[i]
	e[i].place, e[j].place = i, j
}

// Push appends x; heap.Push calls it.
func (e *expiries) Push(x any) {
	it := x.(*expiry)
	it.place = len(*e)
	*e = append(*e, it)
}

// Pop removes the last element; heap.Remove calls it.
func (e *expiries) Pop() any {
	last := len(*e) - 1
	it := (*e)[last]
	(*e)[last] = nil
	*e = (*e)[:last]
	return it
}
