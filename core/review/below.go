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
	f := falling{x: x, i: i, steps: &steps}
	same, known := f.fall()
	switch {
	case !known:
		x.unknown[i] = true
	case same:
		x.remove(finding(i, Redundant, f.by))
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
	likes []int // rules seen so far that do the same to some of its packets
	by    []int
}

// fall says whether all of them would fare the same.
func (f *falling) fall() (same, known bool) {
	x := f.x
	left := x.sets[f.i] // packets of which it is not known yet
	h, some, known := f.settle(&left)
	for j := range x.Below(f.i) {
		if *f.steps--; *f.steps <= 0 || !known {
			return false, false
		}
		idle := x.rules[j].Action.Continue && x.does[j] == accept && !x.odd(j)
		if x.gone[j] || idle || !x.sets[f.i].Overlaps(x.sets[j]) {
			continue
		}
		switch {
		case x.rules[j].Action.Continue: // what it does joins what is done below
			f.by = nil
			return (&parting{falling: f, none: x.sets[f.i]}).fall()
		case x.does[j] == x.does[f.i] && !x.odd(j):
			if f.likes = append(f.likes, j); x.sets[j].Has(h) {
				h, some, known = f.settle(&left)
			}
			if !some {
				return known, known
			}
		default: // nothing may come as far as this
			part := x.sets[f.i].And(x.sets[j])
			if _, some, known := f.settle(&part); some || !known {
				return false, known
			}
		}
	}
	return x.does[f.i] == accept, known // accepted in the end
}

// settle takes from part, a part of rule i, packets that rules above it decide, or rules below it that do the same, as far as they have been seen. It returns a packet of what is left;
// none if nothing is.
func (f *falling) settle(part *packet.Set) (h packet.Header, some, known bool) {
	for {
		if h, some = part.Witness(); !some {
			return h, false, true
		}
		l := f.x.decider(f.steps, f.i, &h)
		if l < 0 {
			*f.steps -= len(f.likes)
			n := slices.IndexFunc(f.likes, func(j int) bool { return f.x.sets[j].Has(h) })
			if n < 0 {
				return h, true, *f.steps > 0
			}
			l = f.likes[n]
			f.by = append(f.by, l)
		}
		if *part, known = f.x.without(f.steps, *part, l); !known {
			return h, false, false
		}
	}
}

// parting follows packets among rules that do something and go on.
type parting struct {
	*falling
	none packet.Set // packets that nothing has been done to
	once packet.Set // packets that a rule has done to what rule i does, and goes on with
}

// fall says whether all of them would fare the same.
func (f *parting) fall() (same, known bool) {
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
	_, same, known = f.x.reaches(f.steps, f.i, f.none)
	return same, known
}

// meet sends what is left into rule j.
func (f *parting) meet(j int) (same, known bool) {
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
			_, none, known := x.reaches(f.steps, f.i, part)
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
