package review

import (
	"slices"

	"github.com/sluice-gateway/sluice/core/packet"
)

// lookBelow finds out whether the packets that rule i decides would fare the same without it. What is below it, and found, is gone already.
func (x *reviewer) lookBelow(i int) {
	switch {
	case x.gone[i] || x.unknown[i] || x.odd(i):
		return
	case x.rules[i].Action.Continue:
		// Without a rule that does something and goes on, something is missing from what its packets meet.
		if x.does[i] == accept {
			x.remove(Finding{Rule: i, Kind: Redundant})
		}
		return
	case x.limits[i]:
		return // below is another policer, which has packets of its own, or it would have been found
	}
	steps := x.take()
	defer func() { x.give(steps) }()
	if x.does[i] != accept && !x.hasLike(&steps, i) {
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
	seen := 0
	for j := range x.Below(i) {
		if seen++; seen%16 == 0 || x.does[j] == x.does[i] {
			*steps--
		}
		if *steps <= 0 {
			return false
		}
		if x.does[j] == x.does[i] && !x.gone[j] && x.sets[j].Overlaps(x.sets[i]) {
			return true
		}
	}
	return false
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
	for j := range f.x.Below(f.i) {
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
	if f.x.does[f.i] == accept || f.none.Empty() { // accepted in the end
		return true, true
	}
	return f.x.reaches(f.steps, f.i, f.none)
}

// meet sends what is left into rule j.
func (f *falling) meet(j int) (same, known bool) {
	x, m := f.x, f.x.sets[j]
	does, goesOn, odd := x.does[j], x.rules[j].Action.Continue, x.odd(j)
	like := does == x.does[f.i] && !odd
	idle := does == accept && !odd
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
