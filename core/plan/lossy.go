package plan

import (
	"slices"

	"github.com/gaissmai/bart"
)

// lossy is the rules that are rejected. What such a rule would have decided is left to rules below it.
type lossy struct {
	byDst bart.Table[*bucket] // buckets that have some
	rest  map[*bucket]bool    // those that do not begin with a destination prefix
	seats []exposer           // of all, in RFC order
}

// exposer is a rejected rule in a row of them.
type exposer struct {
	glance
	seat *seat
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
	switch {
	case b.kind == byDst && has:
		l.byDst.Insert(b.prefix, b)
	case b.kind == byDst:
		l.byDst.Delete(b.prefix)
	case has:
		if l.rest == nil {
			l.rest = make(map[*bucket]bool)
		}
		l.rest[b] = true
	default:
		delete(l.rest, b)
	}
}

// note puts s among the rejected rules, or takes it out.
func (l *lossy) note(s *seat, lost bool) {
	if lost == s.lost {
		return
	}
	s.lost = lost
	at := len(l.seats)
	if at > 0 && compareSeats(l.seats[at-1].seat, s) >= 0 {
		at, _ = slices.BinarySearchFunc(l.seats, s, func(x exposer, s *seat) int { return compareSeats(x.seat, s) })
	}
	if lost {
		l.seats = slices.Insert(l.seats, at, exposer{s.glance, s})
	} else {
		l.seats = slices.Delete(l.seats, at, at+1)
	}
}

// above calls visit with the rules above b that leave packets to others, if these may be packets of rules of b.
func (l *lossy) above(b *bucket, visit func(*seat)) {
	if len(l.seats) == 0 {
		return
	}
	if b.kind == byDst {
		for _, up := range l.byDst.Subnets(b.prefix) {
			for _, e := range up.seats {
				if up != b && e.exposes() {
					visit(e)
				}
			}
		}
		return
	}
	for i := range l.seats {
		x := &l.seats[i]
		for j := range b.at {
			if x.near(&b.at[j]) {
				if x.seat.exposes() && x.seat.bucket != b && compareBuckets(x.seat.bucket, b) < 0 {
					visit(x.seat)
				}
				break
			}
		}
	}
}

// decidedBy calls visit with the rules whose packets, which they leave to others, s may decide, see domain.deciders.
func (l *lossy) decidedBy(s *seat, visit func(*seat)) {
	try := func(e *seat) {
		if e.exposes() && e.glance.near(&s.glance) {
			visit(e)
		}
	}
	if len(l.seats) == 0 {
		return
	}
	if s.bucket.kind == byDst {
		for _, up := range l.byDst.Subnets(s.bucket.prefix) {
			for _, e := range up.seats {
				try(e)
			}
		}
		return
	}
	for i := range l.seats {
		if l.seats[i].near(&s.glance) {
			try(l.seats[i].seat)
		}
	}
}

// around calls visit with the rejected rules that may share a packet with c.
func (l *lossy) around(c *card, visit func(*seat)) {
	if len(l.seats) == 0 {
		return
	}
	if c.lead.kind != byDst {
		for i := range l.seats {
			if l.seats[i].near(&c.glance) {
				visit(l.seats[i].seat)
			}
		}
		return
	}
	look := func(b *bucket) {
		b.near(&c.glance, func(s *seat) bool {
			if s.lost {
				visit(s)
			}
			return true
		})
	}
	for _, b := range l.byDst.Supernets(c.lead.prefix) {
		look(b)
	}
	for _, b := range l.byDst.Subnets(c.lead.prefix) {
		if b.leader != c.lead {
			look(b)
		}
	}
	for b := range l.rest {
		look(b)
	}
}
