package plan

import (
	"fmt"
	"slices"
)

// The bounds of the search for the fewest rules to reject: rules that are settled together, conflicts that hang together, and steps (see plane.budget). Past them the best set found so far is taken, or,
// where there is none yet, each conflict is resolved by estimate. Whatever is taken is right; only how few rules go rests on it.
const (
	mostSearched  = 64
	mostConflicts = 64
	fewestSteps   = 200_000
)

// resolveAll rejects rules until no conflict of wrong is left: of conflicts that hang together the fewest rules, counting those that go because these go.
func (pl *plane) resolveAll(wrong []conflict) {
	var open []conflict
	for _, w := range wrong {
		if w.tangled {
			pl.resolve(w)
		} else if pl.stands(w) {
			open = append(open, w)
		}
	}
	for _, part := range hanging(open) {
		if len(part) > 1 && len(part) <= mostConflicts && len(pl.cards) <= mostSearched {
			for _, victim := range pl.fewest(part) {
				if at := slices.IndexFunc(part, func(w conflict) bool { return (w.want == victim || w.got == victim) && pl.stands(w) }); at >= 0 {
					pl.rejectFor(victim, part[at])
				}
			}
		}
		for _, w := range part {
			pl.resolve(w)
		}
	}
}

// hanging returns conflicts in the parts that hang together by rules, in the order of their first.
func hanging(wrong []conflict) (out [][]conflict) {
	part := make(map[int32]int) // by rule
	for _, w := range wrong {
		a, isA := part[w.want]
		b, isB := part[w.got]
		switch {
		case !isA && !isB:
			a = len(out)
			out = append(out, nil)
		case !isA:
			a = b
		case isB && a != b:
			if b < a {
				a, b = b, a
			}
			for _, o := range out[b] {
				part[o.want], part[o.got] = a, a
			}
			out[a], out[b] = append(out[a], out[b]...), nil
		}
		part[w.want], part[w.got] = a, a
		out[a] = append(out[a], w)
	}
	return slices.DeleteFunc(out, func(p []conflict) bool { return p == nil })
}

// fewest returns the rules to reject so that no conflict of part is left and the fewest rules go, those included that go because one of them goes. It is exact
// within its bounds: of every conflict one rule or the other must go, and both are tried.
func (pl *plane) fewest(part []conflict) []int32 {
	s := cover{pl: pl, part: part, before: pl.lost(), until: min(pl.steps+fewestSteps, pl.budget())}
	s.try(nil)
	return s.best
}

// cover is the search for the fewest rules to reject.
type cover struct {
	pl     *plane
	part   []conflict
	before int // rejected already
	until  int // steps
	best   []int32
	cost   int
}

// try goes on from the state in which chosen, and whatever goes with them, are rejected.
func (s *cover) try(chosen []int32) {
	pl := s.pl
	cost := pl.lost() - s.before
	if pl.steps > s.until || s.best != nil && cost+s.apart() >= s.cost {
		return
	}
	at := slices.IndexFunc(s.part, pl.stands)
	if at < 0 {
		s.best, s.cost = slices.Clone(chosen), cost
		return
	}
	w := s.part[at]
	first, second := w.got, w.want
	if pl.losses(w.want) < pl.losses(w.got) {
		first, second = second, first
	}
	was := slices.Clone(pl.state)
	for _, victim := range []int32{first, second} {
		pl.state[victim] = asRejected
		pl.spread(victim)
		s.try(append(chosen, victim))
		copy(pl.state, was)
	}
}

// apart returns a lower bound of how many rules must still go: conflicts that have no rule in common need one each.
func (s *cover) apart() (n int) {
	taken := make(map[int32]bool)
	for _, w := range s.part {
		if s.pl.stands(w) && !taken[w.want] && !taken[w.got] {
			taken[w.want], taken[w.got] = true, true
			n++
		}
	}
	return n
}

// lost returns how many rules are rejected.
func (pl *plane) lost() (n int) {
	for _, s := range pl.state {
		if s == asRejected {
			n++
		}
	}
	return n
}

// spread rejects, for the time being, whatever goes because card i was rejected: what i exposes, and what others expose that i had decided.
func (pl *plane) spread(i int32) {
	for went := []int32{i}; len(went) > 0; {
		i, went = went[0], went[1:]
		lose := func(j int32) {
			pl.state[j] = asRejected
			went = append(went, j)
		}
		look := func(e int32) {
			if pl.state[e] != asRejected || pl.cards[e].rule.Action.Continue {
				return
			}
			for _, l := range pl.exposed(e) {
				lose(l.card)
			}
		}
		look(i)
		pl.rising(i, int32(len(pl.cards)), func(e int32) bool {
			look(e)
			return true
		})
		for k := range pl.outer {
			if x := &pl.outer[k]; pl.state[x.at].carried() && pl.at[i].near(&pl.at[x.at]) && pl.isExposed(x) {
				lose(x.at)
			}
		}
	}
}

// resolve rejects one rule of a conflict: the one with which fewer others go, by estimate.
func (pl *plane) resolve(w conflict) {
	if !pl.stands(w) {
		return
	}
	victim := w.got
	if w.tangled {
		if !pl.native(w.got).rewritten {
			victim = w.want // a rule as it came keeps its place
		}
	} else if pl.losses(w.want) < pl.losses(w.got) {
		victim = w.want
	}
	pl.rejectFor(victim, w)
}

// stands says whether both rules of a conflict are carried.
func (pl *plane) stands(w conflict) bool {
	return pl.state[w.want].carried() && pl.state[w.got].carried()
}

// rejectFor rejects victim, one of the two rules of a conflict.
func (pl *plane) rejectFor(victim int32, w conflict) {
	other := w.want + w.got - victim
	r := Reason{Code: "order-conflict", Severity: Error, Component: "order",
		Message: fmt.Sprintf("the device would evaluate rule %s before rule %s, which overlaps it and should come first",
			pl.cards[w.got].rule.ID, pl.cards[w.want].rule.ID),
		Hint:   "make the two rules disjoint, give both the same action, or give the device a filter",
		Source: pl.p.facts.source(pl.limits.order.Fact)}
	switch {
	case w.unknown:
		r.Code = "order-unknown"
		r.Hint = "make the two rules disjoint, give both the same action, give the device a filter, or measure the order (--measured-order)"
		r.Message = fmt.Sprintf("in which order %s evaluates rules is not known, and rule %s overlaps this one and fares differently",
			pl.p.profile.Name, pl.cards[other].rule.ID)
	case w.tangled:
		r.Code = "too-entangled"
		r.Message = fmt.Sprintf("too many rules lie between the pieces of this rule and rule %s to prove their order", pl.cards[other].rule.ID)
	}
	packets := w.packets
	if packets.Empty() {
		packets = pl.cards[w.want].set.And(pl.cards[w.got].set)
	}
	pl.reject(victim, r)
	pl.show(victim, &witnessed{want: pl.cards[w.want], got: pl.cards[w.got], packets: packets})
}

// manyLosses is where counting stops.
const manyLosses = 16

// losses estimates how many rules would have to go with i: those below it that are as severe, share packets with it and fare differently.
func (pl *plane) losses(i int32) (n int) {
	c := pl.cards[i]
	if c.rule.Action.Continue {
		return 0
	}
	pl.below(i, false, func(j int32) bool {
		if d := pl.cards[j]; pl.state[j].carried() && d.severity >= c.severity && pl.meets(i, j) {
			n++
		}
		return n < manyLosses
	})
	return n
}
