package review

import (
	"slices"

	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/table"
)

// lookBelow finds out whether the packets that rule i decides would fare the same without it. What is below it, and found, is gone already.
func (x *reviewer) lookBelow(i int) {
	accept := x.does[i] == (table.Outcome{})
	switch {
	case x.gone[i] || x.unknown[i] || x.odd(i):
		return
	case x.rules[i].Action.Continue:
		// Without a rule that does something and goes on, something is missing from what its packets meet.
		if accept {
			x.remove(Finding{Rule: i, Kind: Redundant})
		}
		return
	case x.does[i].Policer != "":
		return // below is another policer, which has packets of its own, or it would have been found
	}
	steps := x.take()
	defer func() { x.give(steps) }()
	if !accept && !x.hasLike(&steps, i) {
		x.unknown[i] = steps <= 0
		return
	}
	f := falling{x: x, i: i, steps: &steps, none: x.sets[i]}
	same, known := f.fall()
	switch {
	case !known:
		x.unknown[i] = true
	case same:
		slices.Sort(f.by)
		f.by = slices.Compact(f.by)
		x.remove(Finding{Rule: i, Kind: Redundant, By: f.by[:min(len(f.by), mostNamed)], More: len(f.by) > mostNamed})
	}
}

// hasLike says whether a rule below i that may match its packets does what i does. It may be wrong in saying yes.
func (x *reviewer) hasLike(steps *int, i int) bool {
	for lo, hi := range x.below(i) {
		if byDo := x.groups[x.of[lo]].byDo; byDo != nil {
			for _, j := range byDo[x.does[i]] {
				if *steps--; *steps <= 0 || j >= lo && !x.gone[j] && x.sets[j].Overlaps(x.sets[i]) {
					return *steps > 0
				}
			}
			continue
		}
		for j := lo; j < hi; j++ {
			if *steps--; *steps <= 0 || !x.gone[j] && x.does[j] == x.does[i] && x.sets[j].Overlaps(x.sets[i]) {
				return *steps > 0
			}
		}
	}
	return false
}

// below yields the runs of rules below i that may share packets with it, in order: the rest of its group, the groups of shorter prefixes, those with
// offsets, and the rules without destination.
func (x *reviewer) below(i int) func(func(lo, hi int) bool) {
	return func(yield func(int, int) bool) {
		g := int(x.of[i])
		if end := x.groups[g].end; i+1 < end && !yield(i+1, end) {
			return
		}
		last := g
		for up := x.groups[g].parent; up >= 0; up = x.groups[up].parent {
			if !x.groups[up].prefixed { // groups with offsets stand before it
				break
			}
			if last = up; !yield(x.groups[up].first, x.groups[up].end) {
				return
			}
		}
		me := x.rules[i].Match
		for n := max(last+1, x.firstOdd(g)); n < len(x.groups); n++ {
			if !sameTable(me, x.rules[x.groups[n].first].Match) || !yield(x.groups[n].first, x.groups[n].end) {
				return
			}
		}
	}
}

// firstOdd returns the first group of the table of group g whose rules may meet any other: with an offset, or without a destination.
func (x *reviewer) firstOdd(g int) int {
	n := len(x.groups)
	me := x.rules[x.groups[g].first].Match
	lo, hi := g, n // binary search: all groups before it have a prefix without offset and are of this table
	for lo < hi {
		mid := (lo + hi) / 2
		o := &x.groups[mid]
		if sameTable(me, x.rules[o.first].Match) && o.prefixed && o.prefix.Offset == 0 {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// falling follows the packets that rule i decides to where they would go without it.
type falling struct {
	x     *reviewer
	i     int
	steps *int
	none  packet.Set // packets that nothing has been done to
	once  packet.Set // packets that a rule has done to what rule i does, and goes on with
	by    []int
}

// fall says whether all of them would fare the same.
func (f *falling) fall() (same, known bool) {
	for lo, hi := range f.x.below(f.i) {
		for j := lo; j < hi; j++ {
			if *f.steps--; *f.steps <= 0 {
				return false, false
			}
			if f.x.gone[j] {
				continue
			}
			if same, known = f.meet(j); !same || !known {
				return same, known
			}
			if f.none.Empty() && f.once.Empty() {
				return true, true
			}
		}
	}
	if f.x.does[f.i] == (table.Outcome{}) || f.none.Empty() { // accepted in the end
		return true, true
	}
	return f.x.reaches(f.steps, f.i, f.none)
}

// meet sends what is left into rule j.
func (f *falling) meet(j int) (same, known bool) {
	x, m := f.x, f.x.sets[j]
	does, goesOn, odd := x.does[j], x.rules[j].Action.Continue, x.odd(j)
	like := does == x.does[f.i] && !odd
	idle := does == (table.Outcome{}) && !odd
	for _, s := range []*packet.Set{&f.once, &f.none} { // what j does to none joins once

		part := s.And(m)
		if part.Empty() {
			continue
		}
		first, follows := s == &f.none, true
		switch {
		case goesOn && idle:
			continue
		case !goesOn && (first && like || !first && idle), goesOn && first && like:
		default: // it fares otherwise, unless none of these packets comes as far as rule i
			none, known := x.reaches(f.steps, f.i, part)
			if !none || !known {
				return false, known
			}
			follows = false
		}
		var ok bool
		if *s, ok = s.SubOn(f.steps, m); !ok {
			return false, false
		}
		if !follows {
			continue
		}
		if goesOn {
			f.once = f.once.Or(part)
		}
		f.by = append(f.by, j)
	}
	return true, true
}
