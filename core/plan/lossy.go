package plan

import (
	"iter"
	"slices"

	"github.com/gaissmai/bart"
)

// lossy is the rules that are rejected. What such a rule would have decided is left to rules below it.
type lossy struct {
	byDst bart.Table[*bucket] // buckets that have some and begin with a destination prefix
	all   sieve
	// Of rules that do not begin with a destination prefix:
	watch   sieve // those that are rejected, at the packet of the witness, where it is the only one that was looked at
	victims sieve // those that are lost to a rule above their bucket, at that rule
}

// filed is what lossy has of a rule.
type filed struct {
	lost bool
	to   *seat
}

// update notes which rules of b are rejected.
func (l *lossy) update(b *bucket) {
	has := false
	for _, s := range b.seats {
		lost := s.state == asRejected || s.own.state == asRejected
		has = has || lost
		l.note(s, lost)
	}
	if has == b.lossy {
		return
	}
	b.lossy = has
	if b.kind != byDst {
		return
	}
	if has {
		l.byDst.Insert(b.prefix, b)
	} else {
		l.byDst.Delete(b.prefix)
	}
}

// note puts s among the rejected rules, or takes it out.
func (l *lossy) note(s *seat, lost bool) {
	now := filed{lost, s.lostTo()}
	if now == s.filed {
		return
	}
	loose := s.bucket.kind != byDst
	if s.filed.lost {
		l.all.drop(s)
		if loose {
			l.watch.drop(s)
		}
	}
	if s.filed.to != nil && loose {
		l.victims.drop(s)
	}
	s.filed = now
	if lost {
		l.all.put(s, &s.glance)
		if loose {
			l.watch.put(s, &s.glance)
		}
	}
	if now.to != nil && loose {
		l.victims.put(s, &now.to.glance)
	}
}

// sees notes the packets that were looked at for the witness of s.
func (l *lossy) sees(s *seat) {
	if s.bucket.kind == byDst || !s.filed.lost {
		return
	}
	g := s.glance
	if len(s.probes) == 1 {
		g = glanceAt(&s.probes[0])
	}
	l.watch.see(s, g)
}

// above yields the rules above b, in RFC order, that leave packets to others, if these may be packets of rules of b that treat them as badly as asked or worse.
func (l *lossy) above(b *bucket) iter.Seq[*seat] {
	return func(yield func(*seat) bool) {
		switch {
		case l.all.n == 0:
		case b.kind == byDst:
			for _, e := range l.inside(b) {
				if !yield(e) {
					return
				}
			}
		default:
			l.all.above(b, func(e *seat) bool {
				return !e.exposes() || e.bucket == b || compareBuckets(e.bucket, b) >= 0 || yield(e)
			})
		}
	}
}

// inside returns those whose destinations lie inside that of b.
func (l *lossy) inside(b *bucket) (out []*seat) {
	for _, up := range l.byDst.Subnets(b.prefix) {
		for _, e := range up.seats {
			if up != b && e.exposes() {
				out = append(out, e)
			}
		}
	}
	slices.SortFunc(out, compareSeats)
	return out
}

// decidedBy calls visit with the rules whose packets, which they leave to others, s may decide, see domain.deciders.
func (l *lossy) decidedBy(s *seat, visit func(*seat)) {
	if s.bucket.kind != byDst {
		l.all.near(&s.glance, func(e *seat) bool {
			if e.exposes() {
				visit(e)
			}
			return true
		})
		return
	}
	for _, up := range l.byDst.Subnets(s.bucket.prefix) {
		up.near(&s.glance, func(e *seat) bool {
			if e.exposes() {
				visit(e)
			}
			return true
		})
	}
}

// witnessing calls visit with rejected rules whose witness c may change.
func (l *lossy) witnessing(c *card, visit func(*seat)) {
	if l.all.n == 0 {
		return
	}
	if c.lead.kind != byDst {
		l.all.near(&c.glance, func(s *seat) bool {
			visit(s)
			return true
		})
		return
	}
	for _, b := range l.byDst.Supernets(c.lead.prefix) {
		b.nearLost(c, visit)
	}
	l.watch.near(&c.glance, func(s *seat) bool {
		visit(s)
		return true
	})
	for _, b := range l.byDst.Subnets(c.lead.prefix) {
		if b.leader != c.lead {
			b.nearLost(c, visit)
		}
	}
}

// lostAround calls visit with the rules that are lost to one above their bucket whose packets s may decide.
func (l *lossy) lostAround(s *seat, visit func(*seat)) {
	if s.bucket.kind == byDst {
		for _, b := range l.byDst.Supernets(s.bucket.prefix) {
			b.nearLost(s.card, visit)
		}
	}
	l.victims.near(&s.glance, func(v *seat) bool {
		visit(v)
		return true
	})
}

func (b *bucket) nearLost(c *card, visit func(*seat)) {
	b.near(&c.glance, func(s *seat) bool {
		if s.filed.lost {
			visit(s)
		}
		return true
	})
}
