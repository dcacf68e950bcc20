package plan

import (
	"slices"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// sweep looks for inverted pairs. A rule as it came keeps its place among others as they came, so one side of an inverted pair is a piece: whatever it jumped over lies
// between the piece and the place where its rule would have stood (its ghost). Where two rewritten rules meet, the piece of one, or its ghost, lies in such a stretch of
// the other.
//
// It is made again and again while rules are settled. What it finds out about a piece rests on that rule and on those which it may share a packet with, so it looks
// again only at pieces of rules around which something happened since it last did.
type sweep struct {
	pl       *plane
	pieces   []piece // in the order of the device
	of       []int32 // places in pieces by owner, in order: those of card i are of[from[i]:from[i+1]]
	from     []int32
	was      []state // of the cards, as pieces has them
	ways     []*way  // of each rewritten rule that FlowSpec carries, as pieces has it
	look     []bool  // at the pieces of these cards
	harmless []harmless
	// Of the look at hand:
	seen  map[[2]int32]bool
	stale map[int32]bool // rules that were mended on the way: where they stand now is for the next look
	out   []conflict
}

// harmless is two rules, a piece of one of which changes places with the other, somebody above deciding all packets of both, as seen from the pieces of by.
type harmless struct{ by, first, second int32 }

func newSweep(pl *plane) *sweep {
	pl.index()
	n := len(pl.cards)
	s := &sweep{pl: pl, from: make([]int32, n+1), was: make([]state, n), ways: make([]*way, n), look: make([]bool, n)}
	for i := range s.look {
		s.look[i] = true
	}
	return s
}

// conflicts returns the inverted pairs that matter.
func (s *sweep) conflicts() []conflict {
	s.follow()
	s.harmless = slices.DeleteFunc(s.harmless, func(h harmless) bool { return s.look[h.by] })
	clear(s.seen)
	clear(s.stale)
	s.out = nil
	for x := range s.pieces {
		if owner := s.pieces[x].owner; s.look[owner] {
			s.stretch(int32(x))
			s.collisions(int32(x))
		}
	}
	clear(s.look)
	for _, c := range s.out { // which stand, unless somebody does something about them
		s.look[c.want], s.look[c.got] = true, true
	}
	pl := s.pl
	pl.benign = pl.benign[:0]
	for _, h := range s.harmless {
		pl.benign = append(pl.benign, h.second, h.first)
	}
	return s.out
}

// follow takes over how the rules are carried now.
func (s *sweep) follow() {
	pl := s.pl
	var moved, renewed []int32 // carried otherwise; sent otherwise
	routes := 0                // of renewed
	for i := range pl.cards {
		var w *way
		if pl.state[i] == asNative {
			if w = pl.native(int32(i)); !w.rewritten {
				w = nil
			}
		}
		if pl.state[i] == s.was[i] && w == s.ways[i] {
			continue
		}
		moved = append(moved, int32(i))
		if s.was[i] = pl.state[i]; w != s.ways[i] {
			s.ways[i], renewed = w, append(renewed, int32(i))
			if w != nil {
				routes += len(w.routes)
			}
		}
	}
	if len(moved) == 0 {
		return
	}
	if len(moved) > len(pl.cards)/8 {
		for i := range s.look {
			s.look[i] = true
		}
	} else {
		for _, i := range moved {
			s.around(i)
		}
	}
	if len(renewed) == 0 {
		return
	}
	fresh := make([]piece, 0, routes)
	for _, i := range renewed {
		fresh = s.place(fresh, i)
	}
	slices.SortFunc(fresh, comparePieces)
	s.merge(fresh, renewed)

}

// around notes that something happened to card i.
func (s *sweep) around(i int32) {
	s.look[i] = true
	s.pl.rising(i, int32(len(s.pl.cards)), func(j int32) bool {
		s.look[j] = true
		return true
	})
}

// wholly says whether card j goes as it came.
func (s *sweep) wholly(j int32) bool { return s.was[j] == asNative && s.ways[j] == nil }

// collisions looks at the neighbours of the piece at x, but for those that will be looked at by themselves.
func (s *sweep) collisions(x int32) {
	one := &s.pieces[x]
	me := spot{one.owner, x}
	last := spot{owner: -1}
	if x > 0 {
		last = spot{s.pieces[x-1].owner, x - 1}
	}
	if j := one.behind - 1; j >= 0 && s.wholly(j) && (x == 0 || s.pieces[x-1].behind <= j) {
		last = spot{j, whole}
	}
	if last.owner >= 0 {
		s.collision(last, me)
	}
	next := x+1 < int32(len(s.pieces))
	switch j := one.behind; {
	case j < int32(len(s.pl.cards)) && s.wholly(j) && (!next || s.pieces[x+1].behind > j):
		s.collision(me, spot{j, whole})
	case next && !s.look[s.pieces[x+1].owner]:
		s.collision(me, spot{s.pieces[x+1].owner, x + 1})
	}
}

// collision looks at neighbours with one NLRI. It is sent once, with the actions of the earlier rule, which decides all its packets, unless
// one of the two goes on to later rules: then both would have to be there.
func (s *sweep) collision(a, b spot) {
	if a.owner == b.owner || s.pl.class[a.owner] >= 0 && s.pl.class[b.owner] >= 0 || !s.match(a).Equal(s.match(b)) {
		return
	}
	s.found(conflict{want: a.owner, got: b.owner, tangled: true})
}

func (s *sweep) match(a spot) flowspec.Match {
	if a.at == whole {
		return s.pl.cards[a.owner].rule.Match
	}
	return s.pieces[a.at].match
}

// stretch looks at what the piece at x jumped over.
func (s *sweep) stretch(x int32) {
	me := spot{s.pieces[x].owner, x}
	// The cards and pieces between it and its ghost:
	card, end := s.pieces[x].behind, me.owner
	y := x + 1
	past := func() bool { return y >= int32(len(s.pieces)) || s.pieces[y].behind > me.owner }
	if card > me.owner { // the ghost is in front
		card, end = me.owner+1, card
		y = s.after(me.owner)
		past = func() bool { return y >= x }
	}
	for s.pl.state[me.owner] == asNative && !s.stale[me.owner] {
		one := spot{card, whole}
		switch {
		case !past() && (card >= end || s.pieces[y].behind <= card):
			one = spot{s.pieces[y].owner, y}
			y++
		case card >= end:
			return
		default:
			if card++; s.was[one.owner] != asNative {
				continue
			}
		}
		if s.pl.spentOrder() {
			s.tangled(me.owner, one.owner)
			return
		}
		if one.at == whole && s.ways[one.owner] != nil {
			for _, y := range s.places(one.owner) {
				s.pair(me, spot{one.owner, y})
			}
			continue
		}
		s.pair(me, one)
	}
}

// pair looks at two rules, the piece of one and the piece or the whole of the other.
func (s *sweep) pair(x, y spot) {
	by := x.owner
	if !s.before(x, y) {
		x, y = y, x
	}
	pl := s.pl
	first, second := x.owner, y.owner // as the device evaluates
	pl.steps += glanceSteps
	if first <= second || !pl.at[first].near(&pl.at[second]) || !pl.differ(first, second) ||
		pl.state[first] != asNative || pl.state[second] != asNative || s.stale[first] || s.stale[second] {
		return
	}
	key := [2]int32{second, first}
	if s.seen[key] {
		return
	}
	a, b := s.set(x), s.set(y)
	if !pl.overlap(a, b) {
		return
	}
	left := s.decided(a.And(b), x, first, second)
	if !exists(left) {
		s.harmless = append(s.harmless, harmless{by, first, second}) // somebody above both decides these packets, in both orders
		return
	}
	if s.seen == nil {
		s.seen = make(map[[2]int32]bool)
	}
	s.seen[key] = true
	s.found(conflict{want: second, got: first, packets: left})
}

// found records a conflict, unless a remedy is found for it. Where there is no filter to move to and there are many, a rule goes at once, and with it whatever else it
// is in the way of.
func (s *sweep) found(c conflict) {
	pl := s.pl
	if changed, ok := pl.mend(c); ok {
		if s.stale == nil {
			s.stale = make(map[int32]bool)
		}
		s.stale[changed], pl.mendedAny = true, true
		return
	}
	if pl.p.filter == nil && len(s.out) >= mostConflicts {
		pl.resolve(c)
		for _, i := range [2]int32{c.want, c.got} {
			if pl.state[i] != s.was[i] {
				s.around(i)
			}
		}
		return
	}
	s.out = append(s.out, c)
}

// decided returns the packets of base, which the device decides at x and the rules at card want, that nobody decides earlier on
// either side. Anything else is a benign inversion.
func (s *sweep) decided(base packet.Set, x spot, got, want int32) packet.Set {
	pl := s.pl
	at := pl.narrower(want, got)
	other := pl.cards[want+got-at]
	above := pl.deciders(base, at, want)
	above = s.inFront(above, want, x) // an entry of the rule itself that stands in front: see RemedySplitOther
	most := len(above) + entangled
	pl.near(at, false, func(j int32) bool {
		c := pl.cards[j]
		if s.was[j] != asNative || pl.state[j] != asNative || c.rule.Action.Continue || !c.glance.near(&other.glance) || !pl.overlap(c.set, base) {
			return true
		}
		above = s.inFront(above, j, x)
		return len(above) < most
	})
	return pl.outside(base, above)
}

// inFront appends what is sent for card j in front of x.
func (s *sweep) inFront(out []packet.Set, j int32, x spot) []packet.Set {
	if s.ways[j] == nil {
		if s.before(spot{j, whole}, x) {
			out = append(out, s.pl.cards[j].set)
		}
		return out
	}
	for _, own := range s.places(j) {
		if one := (spot{j, own}); s.before(one, x) {
			out = append(out, s.set(one))
		}
	}
	return out
}

// set returns the packets of what stands at x.
func (s *sweep) set(x spot) packet.Set {
	if x.at == whole {
		return s.pl.cards[x.owner].set
	}
	return s.ways[x.owner].pieces()[s.pieces[x.at].part]
}

// tangled records that a piece of a could not be compared with everything it jumped over, b for one.
func (s *sweep) tangled(a, b int32) {
	if a > b {
		a, b = b, a
	}
	s.found(conflict{want: a, got: b, tangled: true})
}
