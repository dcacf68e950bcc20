package plan

import "slices"

// settleParts settles the rules of b that wait for it, all of them where b was settled otherwise before, in parts that have nothing to do with each other. It appends those that fare otherwise than
// before to turns.
func (d *domain) settleParts(b *bucket, turns []turn) []turn {
	all := d.ripple.bulk || b.crowd || b.whole
	b.crowd, b.whole = false, false
	if all {
		for _, s := range b.seats {
			s.waits = true
		}
		if d.unhindered(b, &b.row) {
			return d.settleAlone(&b.row, turns)
		}
	}
	for i, s := range b.seats {
		if s.waits {
			part := d.part(b, i)
			turns = d.settlePart(b, &part, turns)
		}
	}
	return turns
}

// unhindered says whether the rules of r, of b, all fare as they do alone.
func (d *domain) unhindered(b *bucket, r *row) bool {
	if d.anyOrder() {
		return true
	}
	if !d.plain(r) {
		return false
	}
	_, loses := d.loses(b, r)
	return !loses
}

// part returns the rules that b.seats[at] hangs together with: those of b that may share a packet with it and fare differently, those that do so with these, and so on. Whatever settling
// asks about two rules that fare differently, it asks about packets of both, and a third that has such a packet fares differently than one of the two.
func (d *domain) part(b *bucket, at int) row {
	var few [fewSeats]bool
	in, n := few[:], 1
	if len(b.seats) > len(few) {
		in = make([]bool, len(b.seats))
	}
	in[at] = true
	if !d.anyOrder() {
		n = d.gatherPart(b, in, at)
	}
	switch {
	case n == 1:
		return row{b.seats[at : at+1], b.at[at : at+1]}
	case n == len(b.seats):
		return b.row
	}
	out := row{make([]*seat, 0, n), make([]glance, 0, n)}
	for i, s := range b.seats {
		if in[i] {
			out.seats, out.at = append(out.seats, s), append(out.at, b.at[i])
		}
	}
	return out
}

// gatherPart marks the places of the rules that b.seats[at], which is marked, hangs together with. It returns how many are marked.
func (d *domain) gatherPart(b *bucket, in []bool, at int) int {
	var room [fewSeats]int32
	found := append(room[:0], int32(at))
	for k := 0; k < len(found) && len(found) < len(b.seats); k++ {
		i := found[k]
		for j := range b.seats {
			if !in[j] && d.ties(b.seats[i], b.seats[j], &b.at[i], &b.at[j]) {
				in[j], found = true, append(found, int32(j))
			}
		}
	}
	return len(found)
}

// ties says whether s and o, rules of one bucket that are seen at g and h, may share a packet and fare differently, or alike where it matters whether both rules act on a packet.
func (d *domain) ties(s, o *seat, g, h *glance) bool {
	return g.near(h) && (g.differs(h, s, o) || d.p.filter != nil && (d.p.twice(s.card) || d.p.twice(o.card)))
}

// differs is differ for rules that are seen at g and h in their bucket.
func (g *glance) differs(h *glance, s, o *seat) bool {
	if g.number > 0 && h.number > 0 {
		return g.number != h.number
	}
	return differ(s.card, o.card)
}

// disturb has the rules of b settled anew that hung together with s, which is gone from it.
func (d *domain) disturb(b *bucket, s *seat) {
	g := s.glance
	g.number = s.number
	for i, o := range b.seats {
		if !o.waits && d.ties(s, o, &g, &b.at[i]) {
			o.waits = true
		}
	}
}

// settlePart settles the rules of r, which hang together with no others of b.
func (d *domain) settlePart(b *bucket, r *row, turns []turn) []turn {
	plain := d.anyOrder() || d.plain(r)
	lost, loses := exposure{}, false
	if plain && !d.anyOrder() {
		lost, loses = d.loses(b, r)
	}
	if plain && !loses {
		return d.settleAlone(r, turns)
	}
	above := []exposure{lost} // no other says more of one rule
	if len(r.seats) > 1 {
		above = slices.Collect(d.exposures(b, r))
	}
	for i, own := range d.together(b, r, above) {
		turns = r.seats[i].fares(own, turns)
	}
	return turns
}

// settleAlone gives rules of which nothing else concerns any their fates.
func (d *domain) settleAlone(r *row, turns []turn) []turn {
	for _, s := range r.seats {
		turns = s.fares(fate{state: d.p.alone(s.card)}, turns)
	}
	return turns
}

// fares gives s its fate among the rules of its bucket. It appends s to turns if that is another one than before.
func (s *seat) fares(own fate, turns []turn) []turn {
	s.waits = false
	was := s.own
	if was.same(own) {
		return turns
	}
	s.own = own
	return append(turns, turn{s, was, own})
}
