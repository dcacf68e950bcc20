package plan

import (
	"iter"
	"slices"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// exposure is a rejected rule above a bucket, and one of the bucket that may get its packets.
type exposure struct {
	above *seat
	at    int32 // of the other in the bucket
	// While it is settled: how many rules of the bucket above the other were not carried when it was last seen to get none, and one more. As long as that number stays, so does
	// the answer: rules only ever go.
	gone int32
}

// turn is a rule that fares otherwise than before among the rules of its bucket. One that came had no state before, one that goes has none now.
type turn struct {
	seat     *seat
	was, now fate
}

// settle decides how each rule of b is carried as far as rules of b and those above decide it; these are settled. It appends the rules that
// fare otherwise than before to turns.
func (d *domain) settle(b *bucket, turns []turn) []turn {
	switch {
	case !d.crowded(b):
		return d.settleParts(b, turns)
	case !b.crowd && d.unhindered(b, &b.row):
		b.whole = true
		return d.settleAlone(&b.row, turns)
	}
	return d.settleCrowd(b, turns)
}

// settleLone settles those of all buckets, which are in RFC order, that none above them concerns: they begin with destination prefixes that have no others inside. It
// returns the rules of each that fare otherwise than before, but for first fates, of which there are many; nil: it was not settled.
func (d *domain) settleLone(all []*bucket) [][]turn {
	out := make([][]turn, len(all))
	spread(len(all), pieceOfBuckets, func() func(int) {
		var turns []turn
		return func(i int) {
			b := all[i]
			if b.kind != byDst || len(b.left) > 0 || i > 0 && b.prefix.Overlaps(all[i-1].prefix) {
				return // others inside would stand in front of it
			}
			if cap(turns)-len(turns) < len(b.seats) {
				turns = make([]turn, 0, max(len(b.seats), manyTurns))
			}
			before := len(turns)
			turns = d.settle(b, turns)
			out[i] = turns[before:len(turns):len(turns)]
			if d.ripple.fresh {
				turns = turns[:before]
			}
		}
	})
	return out
}

// pieceOfBuckets is how many buckets one goroutine settles at a time, and manyTurns for how many turns it makes room at once.
const (
	pieceOfBuckets = 32
	manyTurns      = 512
)

// plain says whether nothing can go wrong among the rules of r: they all go as they came, or fare alike, or keep their order.
func (d *domain) plain(r *row) bool {
	if len(r.seats) <= 1 {
		return true
	}
	whole, alike := d.limits != nil, true
	first := r.seats[0]
	for _, s := range r.seats {
		if s.nothing {
			continue
		}
		whole = whole && s.card.native.ok() && !s.card.native.rewritten
		alike = alike && sameWant(s.card, first.card) && s.want.Policer == "" && !s.rule.Action.Continue && d.p.alone(s.card) != asFilter
	}
	return whole || alike || len(r.seats) <= fewSeats && d.keepsOrder(r)
}

// fewSeats is how many rules are looked at pair by pair.
const fewSeats = 32

// keepsOrder says whether of any two rules of r that may share a packet and fare differently, all routes of the first stand before all of the other, and none gets
// packets that a rejected one leaves to it. Then every packet meets them in the order that was asked for.
func (d *domain) keepsOrder(r *row) bool {
	for i, first := range r.seats {
		switch d.p.alone(first.card) {
		case asFilter:
			return false
		case asNothing:
			continue
		}
		for j := i + 1; j < len(r.seats); j++ {
			if next := r.seats[j]; r.at[i].near(&r.at[j]) && differ(first.card, next.card) && !d.goWell(first, next) {
				return false
			}
		}
	}
	return true
}

// goWell says whether first does next no harm, which stands below it.
func (d *domain) goWell(first, next *seat) bool {
	if !first.card.native.ok() {
		return first.rule.Action.Continue || next.severity < first.severity || !d.p.alone(next.card).carried()
	}
	if !next.card.native.ok() || !first.card.native.rewritten && !next.card.native.rewritten {
		return true
	}
	for i := range first.card.native.routes {
		for j := range next.card.native.routes {
			if flowspec.Compare(first.card.native.routes[i].Match, next.card.native.routes[j].Match) >= 0 {
				return false
			}
		}
	}
	return true
}

// sameWant says whether c and d ask for one thing.
func sameWant(c, d *card) bool { return c.want == d.want || *c.want == *d.want }

// differ says whether c and d may treat a packet differently.
func differ(c, d *card) bool {
	return !sameWant(c, d) || c.want.Policer != "" || c.rule.Action.Continue || d.rule.Action.Continue
}

// together settles the rules of r, of b, with each other.
func (d *domain) together(b *bucket, r *row, above []exposure) []fate {
	pl := newPlane(d.p, r.cards())
	pl.outer, pl.bucket, pl.seats, pl.at = above, b, r.seats, r.at
	pl.index()
	pl.settle()
	pl.nameLosses()
	b.remember(r, pl.remedied)
	return pl.fates()
}

// fates returns how the cards of pl fare.
func (pl *plane) fates() []fate {
	out := make([]fate, len(pl.cards))
	for i := range out {
		out[i].state = pl.state[i]
		if pl.notes != nil && !pl.notes[i].empty() {
			n := pl.notes[i]
			n.reasons = slices.Clip(n.reasons)
			out[i].note = &n
		}
	}
	return out
}

func (r *row) cards() []*card {
	out := make([]*card, len(r.seats))
	for i, s := range r.seats {
		out[i] = s.card
	}
	return out
}

// exposures yields the exposures of rules of r, of b, by the rule above in RFC order.
func (d *domain) exposures(b *bucket, r *row) iter.Seq[exposure] {
	return func(yield func(exposure) bool) {
		if d.uniform() || !slices.ContainsFunc(r.seats, func(s *seat) bool { return d.p.alone(s.card).carried() }) {
			return
		}
		for e := range d.lossy.above(b, r) {
			for j := range r.at {
				if s := r.seats[j]; d.worse(e, s) && e.glance.near(&r.at[j]) && d.p.alone(s.card).carried() && !yield(exposure{above: e, at: int32(j)}) {
					return
				}
			}
		}
	}
}

// loses returns an exposure by which a rule of r, of b, would treat packets worse than asked, all rules of r being carried that can be alone: the first one of that rule. It says whether
// there is one.
func (d *domain) loses(b *bucket, r *row) (exposure, bool) {
	if d.lossy.all.n == 0 || d.uniform() {
		return exposure{}, false
	}
	var lost []*seat
	if b.kind == byDst {
		if lost = d.lossy.inside(b); len(lost) == 0 {
			return exposure{}, false
		}
	}
	for at, s := range r.seats {
		if !d.p.alone(s.card).carried() {
			continue
		}
		l := leavings{d: d, to: s, among: s.set, inside: func(h *packet.Header) *card {
			for _, l := range r.seats[:at] {
				if !l.rule.Action.Continue && l.set.Has(*h) && d.p.alone(l.card).carried() && differ(l.card, s.card) {
					return l.card
				}
			}
			return nil
		}}
		if e := l.first(lost); e != nil {
			return exposure{above: e, at: int32(at)}, true
		}
	}
	return exposure{}, false
}

// mayLeave says whether the rejected rule e shares packets with s, which can be carried and treats them worse than e asks.
func (d *domain) mayLeave(e, s *seat) bool {
	return d.worse(e, s) && e.glance.near(&s.glance) && e.set.Overlaps(s.set)
}

// worse says whether s treats a packet as badly as e or worse, and otherwise.
func (d *domain) worse(e, s *seat) bool { return s.severity >= e.severity && differ(e.card, s.card) }

// leaves returns the packets that the rejected rule e leaves to s, which treats them as badly as e asked or worse; where it treats them alike, there are none.
func (d *domain) leaves(e, s *seat) packet.Set {
	if !d.worse(e, s) || !e.glance.near(&s.glance) || !d.p.alone(s.card).carried() || !e.set.Overlaps(s.set) {
		return packet.Set{}
	}
	return e.set.And(s.set)
}

// exposed says whether the rejected rule e leaves some of packets, which domain.leaves returned, to s, of another bucket; inside returns a rule of that bucket above s that decides one, or nil.
func (d *domain) exposed(e, s *seat, packets packet.Set, inside func(*packet.Header) *card) bool {
	return open(packets, func(h *packet.Header) (packet.Set, bool) { return d.decider(e, s, h, inside) })
}

// decider returns the packets of somebody who decides h, a packet of e and of s below it, see exposed.
func (d *domain) decider(e, s *seat, h *packet.Header, inside func(*packet.Header) *card) (packet.Set, bool) {
	if l := d.decides(e, s, h); l != nil {
		return l.set, true
	}
	if c := inside(h); c != nil {
		return c.set, true
	}
	return packet.Set{}, false
}

// decides returns a rule above the bucket of s that decides h, a packet of e and s, or nil. It looks only at rules whose first component takes in that of
// e: others decide some of these packets at most.
func (d *domain) decides(e, s *seat, h *packet.Header) (found *seat) {
	g := glanceAt(h)
	look := func(up *bucket) bool {
		return up.near(&g, func(l *seat) bool {
			if l.decides() && l.set.Has(*h) {
				found = l
			}
			return found == nil
		})
	}
	b := s.bucket
	if e.bucket.kind == byDst {
		for _, up := range d.byDst.Supernets(e.bucket.prefix) {
			if (b.kind != byDst || up.prefix.Bits() > b.prefix.Bits()) && !look(up) {
				return found
			}
		}
	}
	if b.kind == byDst {
		return nil
	}
	if e.src.IsValid() {
		for _, up := range d.bySrc.Supernets(e.src) {
			if b.kind >= bySrc && up != b && (b.kind > bySrc || up.prefix.Bits() > b.prefix.Bits()) && !look(up) {
				return found
			}
		}
	}
	for _, kind := range []leaderKind{dstPattern, srcPattern} {
		if up := d.others[kind]; up != nil && kind < b.kind && !look(up) {
			return found
		}
	}
	return nil
}

// exposedNow says whether e leaves some of packets to the rule s of another bucket, as things stand. It notes in rest, unless it is nil, who decides some above the bucket.
func (d *domain) exposedNow(e, s *seat, packets packet.Set, rest *rest) bool {
	inside := insideNow(s)
	return open(packets, func(h *packet.Header) (packet.Set, bool) {
		if l := d.decides(e, s, h); l != nil {
			rest.decidedBy(l)
			return l.set, true
		}
		if c := inside(h); c != nil {
			return c.set, true
		}
		return packet.Set{}, false
	})
}

// insideNow returns what finds a rule above s in its bucket that decides a packet, as things stand. Rules that fare as s does say nothing: where one decides a packet that a rejected rule would
// leave to s, it is left to that one.
func insideNow(s *seat) func(*packet.Header) *card {
	return func(h *packet.Header) (found *card) {
		s.bucket.near(&s.glance, func(l *seat) bool {
			if l != s && l.decides() && l.set.Has(*h) && differ(l.card, s.card) {
				found = l.card
			}
			return l != s && found == nil // the rest are behind it
		})
		return found
	}
}

// exposes says whether s would be rejected because of e, as things stand, and not because of one in front of e already. Unless rest is nil, it looks only at packets of rest, and takes out
// what is decided above the bucket of s.
func (d *domain) exposes(e, s *seat, rest *rest) bool {
	if s.lostBefore(e) {
		return false
	}
	packets := d.leaves(e, s)
	if rest != nil && !packets.Empty() {
		packets = packets.And(rest.now())
	}
	if packets.Empty() {
		return false
	}
	s.wonders(e)
	return d.exposedNow(e, s, packets, rest)
}
