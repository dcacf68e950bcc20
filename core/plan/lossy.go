package plan

import (
	"iter"
	"slices"
	"sync"

	"github.com/gaissmai/bart"
)

// lossy is the rules that are rejected. What such a rule would have decided is left to rules below it.
type lossy struct {
	byDst bart.Table[*bucket] // buckets that have some and begin with a destination prefix
	all   sieve               // seen a second time at the packets that were looked at for the witness
	// Of rules that do not begin with a destination prefix:
	watch   sieve      // those that are rejected, at these packets; at none while nothing is said of them
	victims sieve      // those that are lost to a rule above their bucket, at that rule
	seeing  sync.Mutex // of the packets, while verdicts are said
}

// update notes which rules of b are rejected.
func (l *lossy) update(b *bucket) {
	for _, s := range b.seats {
		l.refresh(s)
	}
}

// refresh notes whether s is rejected.
func (l *lossy) refresh(s *seat) {
	l.note(s, !s.gone && (s.state == asRejected || s.own.state == asRejected))
}

// count notes that one rule more of b is rejected, or one less.
func (l *lossy) count(b *bucket, more bool) {
	if more {
		b.lost++
	} else {
		b.lost--
	}
	switch {
	case b.kind != byDst:
	case b.lost == 0:
		l.byDst.Delete(b.prefix)
	case more && b.lost == 1:
		l.byDst.Insert(b.prefix, b)
	}
}

// note puts s among the rejected rules, or takes it out.
func (l *lossy) note(s *seat, lost bool) {
	to := s.lostTo()
	if lost == s.filed && to == s.filedTo() {
		return
	}
	loose := s.bucket.kind != byDst
	if s.filed {
		l.all.drop(s)
		if loose {
			l.watch.drop(s)
		}
	}
	if loose {
		l.noteVictim(s, to)
	}
	if s.filed != lost {
		l.count(s.bucket, lost)
	}
	if s.filed = lost; to != s.filedTo() {
		s.extra().lostTo = to
	}
	if lost {
		l.all.put(s, &s.glance)
		if loose {
			l.watch.put(s, &glance{})
		}
		if s.said != nil {
			l.sees(s)
		}
	}
}

// noteVictim notes that s, which does not begin with a destination prefix, is lost to another rule than before.
func (l *lossy) noteVictim(s, to *seat) {
	if s.filedTo() == to {
		return
	}
	if s.filedTo() != nil {
		l.victims.drop(s)
	}
	ends := uint64(0)
	if to != nil {
		l.victims.put(s, &to.glance)
		if to.kind == byDst {
			ends = end(to.dst)
		}
	}
	if !s.gone {
		s.bucket.domain.lose(s, ends)
	}
}

// sees notes the packets that were looked at for the witness of s.
func (l *lossy) sees(s *seat) {
	if !s.filed {
		return
	}
	var g glance
	for _, p := range s.probes() {
		g.join(glanceAt(&p.packet))
	}
	l.seeing.Lock()
	defer l.seeing.Unlock()
	l.all.see(s, &g)
	if s.bucket.kind != byDst {
		l.watch.see(s, &g)
	}
}

// above yields the rules above b, in RFC order, that leave packets to others, if these may be packets of rules of r, of b, that treat them as badly as asked or worse.
func (l *lossy) above(b *bucket, r *row) iter.Seq[*seat] {
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
			l.all.above(r, func(e *seat) bool {
				return !e.exposes() || e.bucket == b || compareBuckets(e.bucket, b) >= 0 || yield(e)
			})
		}
	}
}

// inside returns those whose destinations lie inside that of b.
func (l *lossy) inside(b *bucket) (out []*seat) {
	if b.prefix.IsSingleIP() || l.all.n == 0 {
		return nil
	}
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

// decidedBy returns the rules whose packets, which they leave to others, s may decide, see domain.decides: s begins with a destination prefix.
func (l *lossy) decidedBy(s *seat) (out []*seat) {
	look := func(e *seat) bool {
		if e.exposes() && s.set.Overlaps(e.set) {
			out = append(out, e)
		}
		return true
	}
	if s.bucket.prefix.IsSingleIP() {
		if s.bucket.lost > 0 {
			s.bucket.near(&s.glance, look)
		}
		return out
	}
	for _, up := range l.byDst.Subnets(s.bucket.prefix) {
		up.near(&s.glance, look)
	}
	return out
}

// witnessing calls visit with rejected rules whose witness c may change.
func (l *lossy) witnessing(c *card, visit func(*seat)) {
	if l.all.n == 0 {
		return
	}
	if c.kind != byDst {
		l.all.aroundSecond(&c.glance, func(s *seat) bool {
			visit(s)
			return true
		})
		return
	}
	lead := c.lead()
	for _, b := range l.byDst.Supernets(lead.prefix) {
		b.nearLost(c, visit)
	}
	l.watch.around(&c.glance, 0, func(s *seat) bool {
		visit(s)
		return true
	})
	if lead.prefix.IsSingleIP() {
		return
	}
	for _, b := range l.byDst.Subnets(lead.prefix) {
		if b.leader != lead {
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
	l.victims.around(&s.glance, 0, func(v *seat) bool {
		visit(v)
		return true
	})
}

func (b *bucket) nearLost(c *card, visit func(*seat)) {
	b.near(&c.glance, func(s *seat) bool {
		if s.filed {
			visit(s)
		}
		return true
	})
}
