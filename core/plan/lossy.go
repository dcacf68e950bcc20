package plan

import (
	"iter"
	"slices"

	"github.com/gaissmai/bart"
	"github.com/sluice-gateway/sluice/core/table"
)

// lossy is the rules that are rejected. What such a rule would have decided is left to rules below it.
type lossy struct {
	byDst bart.Table[*bucket] // buckets that have some and begin with a destination prefix
	all   exposers
	// Of rules that do not begin with a destination prefix:
	watch   row // those that are rejected, at the packet of the witness, where it is the only one that was looked at
	victims row // those that are lost to a rule above their bucket, at that rule
}

// filed is what lossy has of a rule.
type filed struct {
	lost, exposing bool
	to             *seat
}

// exposer is a rejected rule, with what most questions about it need.
type exposer struct {
	glance
	seat     *seat
	severity table.Severity
	exposes  bool
}

// exposers is rejected rules in RFC order, in pieces, so that one more moves few.
type exposers struct {
	pieces [][]exposer
	n      int
}

// largestPiece is where a piece of exposers is cut in two.
const largestPiece = 256

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
	now := filed{lost, s.exposes(), s.lostTo()}
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
		l.all.put(exposer{s.glance, s, s.severity, now.exposing})
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
	i, _ := l.watch.search(s.rule.Match)
	l.watch.at[i] = g
}

// piece returns the piece in which s is or belongs, which there is.
func (x *exposers) piece(s *seat) int {
	last := len(x.pieces) - 1
	if p := x.pieces[last]; compareSeats(p[0].seat, s) <= 0 {
		return last
	}
	i, _ := slices.BinarySearchFunc(x.pieces[:last], s, func(p []exposer, s *seat) int { return compareSeats(p[len(p)-1].seat, s) })
	return i
}

func (x *exposers) put(e exposer) {
	x.n++
	if len(x.pieces) == 0 {
		x.pieces = [][]exposer{{e}}
		return
	}
	i := x.piece(e.seat)
	p := x.pieces[i]
	at := len(p)
	if compareSeats(p[at-1].seat, e.seat) > 0 {
		at, _ = slices.BinarySearchFunc(p, e.seat, func(o exposer, s *seat) int { return compareSeats(o.seat, s) })
	}
	p = slices.Insert(p, at, e)
	x.pieces[i] = p
	if len(p) > largestPiece {
		half := len(p) / 2
		x.pieces[i] = slices.Clip(p[:half])
		x.pieces = slices.Insert(x.pieces, i+1, slices.Clone(p[half:]))
	}
}

func (x *exposers) drop(s *seat) {
	x.n--
	i := x.piece(s)
	p := x.pieces[i]
	at, _ := slices.BinarySearchFunc(p, s, func(o exposer, s *seat) int { return compareSeats(o.seat, s) })
	if p = slices.Delete(p, at, at+1); len(p) == 0 {
		x.pieces = slices.Delete(x.pieces, i, i+1)
		return
	}
	x.pieces[i] = p
}

// near calls visit with those that g is near.
func (x *exposers) near(g *glance, visit func(*exposer)) {
	for _, p := range x.pieces {
		for i := range p {
			if g.near(&p[i].glance) {
				visit(&p[i])
			}
		}
	}
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
			l.all.above(b, yield)
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

func (x *exposers) above(b *bucket, yield func(*seat) bool) {
	for _, p := range x.pieces {
		for i := range p {
			if e := &p[i]; e.exposes && e.over(b) && e.seat.bucket != b && compareBuckets(e.seat.bucket, b) < 0 && !yield(e.seat) {
				return
			}
		}
	}
}

// over says whether some rule of b may treat a packet of x as badly or worse.
func (x *exposer) over(b *bucket) bool {
	for j := range b.at {
		if x.near(&b.at[j]) && b.seats[j].severity >= x.severity {
			return true
		}
	}
	return false
}

// decidedBy calls visit with the rules whose packets, which they leave to others, s may decide, see domain.deciders.
func (l *lossy) decidedBy(s *seat, visit func(*seat)) {
	if s.bucket.kind != byDst {
		l.all.near(&s.glance, func(x *exposer) {
			if x.exposes {
				visit(x.seat)
			}
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
		l.all.near(&c.glance, func(x *exposer) { visit(x.seat) })
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
