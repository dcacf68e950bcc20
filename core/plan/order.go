package plan

import (
	"cmp"
	"slices"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// slot is one place in the order in which the device will evaluate.
type slot struct {
	match flowspec.Match
	owner int32 // card
	part  int32 // of the owner's pieces; whole for a rule as it came; ghost for where a rewritten rule would have stood
}

const (
	whole int32 = -1
	ghost int32 = -2
)

// conflict is two rules that share packets, fare differently, and would be evaluated the wrong way round: first asked for, second got.
type conflict struct {
	want, got int32
	packets   packet.Set // packets that show it
	unknown   bool       // the order is not known; nothing was inverted
	tangled   bool       // not proven either way
}

// conflicts returns the conflicts among the rules that FlowSpec carries.
func (pl *plane) conflicts() []conflict {
	if pl.limits == nil {
		return nil
	}
	if pl.limits.order.Kind == "unknown" {
		return pl.anyOrder()
	}
	pl.benign = nil
	slots := pl.slots()
	if slots == nil {
		return nil
	}
	return pl.inverted(slots)
}

// anyOrder returns the pairs that would go wrong in some order: all that overlap and fare differently. Of many, one for each rule is enough: the loop in settle
// comes back.
func (pl *plane) anyOrder() []conflict {
	pl.index()
	var out []conflict
	for i := range pl.cards {
		if pl.state[i] != asNative {
			continue
		}
		a := int32(i)
		pl.near(a, true, func(b int32) bool {
			if pl.state[b] != asNative || b < a && len(out) < mostConflicts {
				return true // where all are listed, those with b before a are there
			}
			c, wrong := pl.collide(min(a, b), max(a, b))
			if !wrong {
				return true
			}
			if _, ok := pl.mend(c); ok {
				pl.mendedAny = true
				return true
			}
			out = append(out, c)
			return len(out) < mostConflicts
		})
	}
	return out
}

// collide returns the conflict of two rules, want before got, some of whose routes share a packet: unless the device was seen to look at those of want first.
func (pl *plane) collide(want, got int32) (c conflict, wrong bool) {
	c = conflict{want: want, got: got, unknown: true}
	measured := pl.p.opt.Measured
	if measured == nil && !pl.native(want).rewritten && !pl.native(got).rewritten {
		return c, pl.meets(want, got)
	}
	if !pl.meets(want, got) {
		return c, false
	}
	xs, ys := pl.pieces(want), pl.pieces(got)
	for i, x := range xs {
		for j, y := range ys {
			if !pl.overlap(x, y) {
				continue
			}
			order, known := measured.Compare(pl.native(want).routes[i].Match, pl.native(got).routes[j].Match)
			if !known {
				return conflict{want: want, got: got, unknown: true}, true
			}
			if order > 0 {
				c.unknown, wrong = false, true
				c.packets = x.And(y)
			}
		}
	}
	return c, wrong
}

// slots returns the native table in the order of the device, or nil when every rule goes as it came: then the order is the order that was
// asked for.
func (pl *plane) slots() []slot {
	cut := pl.cut[:0]
	for i, c := range pl.cards {
		w := pl.native(int32(i))
		if pl.state[i] != asNative || !w.rewritten {
			continue
		}
		cut = append(cut, slot{c.rule.Match, int32(i), ghost})
		for k := range w.routes {
			cut = append(cut, slot{w.routes[k].Match, int32(i), int32(k)})
		}
	}
	if pl.cut = cut; len(cut) == 0 {
		return nil
	}
	slices.SortStableFunc(cut, before)
	out := slices.Grow(pl.laid[:0], len(pl.cards)+len(cut))
	for i, c := range pl.cards {
		if pl.state[i] != asNative || pl.native(int32(i)).rewritten {
			continue
		}
		one := slot{c.rule.Match, int32(i), whole}
		for len(cut) > 0 && before(cut[0], one) < 0 {
			out, cut = append(out, cut[0]), cut[1:]
		}
		out = append(out, one)
	}
	pl.laid = append(out, cut...)
	return pl.laid
}

// before orders slots as the device does; of equal NLRIs only that of the earlier rule is sent.
func before(a, b slot) int {
	return cmp.Or(flowspec.Compare(a.match, b.match), cmp.Compare(a.owner, b.owner))
}

// sweep looks for inverted pairs in slots.
type sweep struct {
	pl    *plane
	slots []slot
	// By card:
	ways  []*way    // of each rewritten rule, as slots has it; nil of others
	at    [][]int32 // places of the pieces of each rewritten rule, which may have none
	place []int32   // of each rule as it came, and of the ghosts of others
	seen  map[[2]int32]bool
	stale map[int32]bool // rules that were mended on the way: where they stand now is for the next look
	out   []conflict
}

// inverted returns the inverted pairs that matter. A rule as it came keeps its place among others as they came, so one side of an
// inverted pair is a piece: whatever it jumped over lies between the piece and the place where its rule would have stood (the ghost). Where two
// rewritten rules meet, the piece of one, or its ghost, lies in such a stretch of the other.
func (pl *plane) inverted(slots []slot) []conflict {
	pl.index()
	s := &sweep{pl: pl, slots: slots, ways: make([]*way, len(pl.cards)), at: make([][]int32, len(pl.cards)), place: make([]int32, len(pl.cards))}
	places := make([]int32, 0, len(slots))
	for i, one := range slots {
		switch one.part {
		case whole:
			s.place[one.owner] = int32(i)
		case ghost:
			s.place[one.owner] = int32(i)
			w := pl.native(one.owner)
			s.ways[one.owner] = w
			if s.at[one.owner] == nil {
				s.at[one.owner], places = room(places, len(w.routes))
			}
		default:
			if s.at[one.owner] == nil {
				s.at[one.owner], places = room(places, len(pl.native(one.owner).routes))
			}
			s.at[one.owner] = append(s.at[one.owner], int32(i))
		}
	}
	last := -1 // the slot before that is sent: a ghost may stand between two pieces of one NLRI
	for i := range slots {
		if one := slots[i]; one.part >= 0 {
			s.stretch(int32(i), s.place[one.owner])
		}
		if slots[i].part == ghost {
			continue
		}
		if last >= 0 {
			s.collision(slots[last], slots[i])
		}
		last = i
	}
	return s.out
}

// room takes room for n numbers off free, which has it, and returns the rest, too.
func room(free []int32, n int) (list, rest []int32) {
	at := len(free)
	return free[at : at : at+n], free[:at+n]
}

// collision looks at neighbours with one NLRI. It is sent once, with the actions of the earlier rule, which decides all its packets, unless
// one of the two goes on to later rules: then both would have to be there.
func (s *sweep) collision(a, b slot) {
	if a.owner == b.owner || !a.match.Equal(b.match) {
		return
	}
	if s.pl.class[a.owner] < 0 || s.pl.class[b.owner] < 0 {
		s.found(conflict{want: a.owner, got: b.owner, tangled: true})
	}
}

// stretch looks at what the piece at place x jumped over.
func (s *sweep) stretch(x, ghostAt int32) {
	lo, hi := x+1, ghostAt
	if ghostAt < x {
		lo, hi = ghostAt+1, x
	}
	owner := s.slots[x].owner
	for i := lo; i < hi && s.pl.state[owner] == asNative && !s.stale[owner]; i++ {
		if s.pl.spentOrder() {
			s.tangled(x, i)
			return
		}
		if s.slots[i].part == ghost {
			for _, y := range s.at[s.slots[i].owner] {
				s.pair(x, y)
			}
			continue
		}
		s.pair(x, i)
	}
}

// pair looks at the pieces at places x and y.
func (s *sweep) pair(x, y int32) {
	if x > y {
		x, y = y, x
	}
	first, second := s.slots[x].owner, s.slots[y].owner // as the device evaluates
	s.pl.steps += glanceSteps
	if first <= second || !s.pl.at[first].near(&s.pl.at[second]) || !s.pl.differ(first, second) ||
		s.pl.state[first] != asNative || s.pl.state[second] != asNative || s.stale[first] || s.stale[second] {
		return
	}
	key := [2]int32{second, first}
	if s.seen[key] {
		return
	}
	a, b := s.set(x), s.set(y)
	if !s.pl.overlap(a, b) {
		return
	}
	left := s.decided(a.And(b), x, first, second)
	if !exists(left) {
		s.pl.benign = append(s.pl.benign, second, first)
		return // somebody above both decides these packets, in both orders
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
	if changed, ok := s.pl.mend(c); ok {
		if s.stale == nil {
			s.stale = make(map[int32]bool)
		}
		s.stale[changed], s.pl.mendedAny = true, true
		return
	}
	if s.pl.p.filter == nil && len(s.out) >= mostConflicts {
		s.pl.resolve(c)
		return
	}
	s.out = append(s.out, c)
}

// decided returns the packets of base, which the device decides at place x and the rules at card want, that nobody decides earlier on
// either side. Anything else is a benign inversion.
func (s *sweep) decided(base packet.Set, x, got, want int32) packet.Set {
	pl := s.pl
	at := pl.narrower(want, got)
	other := pl.cards[want+got-at]
	above := pl.deciders(base, at, want)
	for _, own := range s.places(want) { // an entry of the rule itself that stands in front: see RemedySplitOther
		if own < x {
			above = append(above, s.set(own))
		}
	}
	most := len(above) + entangled
	pl.near(at, false, func(j int32) bool {
		c := pl.cards[j]
		if pl.state[j] != asNative || c.rule.Action.Continue || !c.glance.near(&other.glance) || !pl.overlap(c.set, base) {
			return true
		}
		for _, at := range s.places(j) {
			if at < x {
				above = append(above, s.set(at))
			}
		}
		return len(above) < most
	})
	return pl.outside(base, above)
}

// places returns where the pieces of card j stand.
func (s *sweep) places(j int32) []int32 {
	if s.ways[j] != nil {
		return s.at[j]
	}
	return s.place[j : j+1]
}

// set returns the packets of the piece at place i.
func (s *sweep) set(i int32) packet.Set {
	one := s.slots[i]
	if one.part == whole {
		return s.pl.cards[one.owner].set
	}
	return s.ways[one.owner].pieces()[one.part]
}

// tangled records that the piece at x could not be compared with everything it jumped over.
func (s *sweep) tangled(x, i int32) {
	a, b := s.slots[x].owner, s.slots[i].owner
	if a > b {
		a, b = b, a
	}
	s.found(conflict{want: a, got: b, tangled: true})
}
