package table

import "slices"

// Op is one change of a script.
type Op struct {
	Add   bool
	Index int // of the entry in adds or in removes
}

// Script returns the order in which entries are added to a live table and removed from it, given how severe each is: additions in
// ascending severity, then removals in descending severity, otherwise in the order given. Then no packet fares worse at any
// moment than in the worse of the two ends, severity by severity, provided that all entries end evaluation: while
// adding, whoever decides a packet decided it before, or is new and no worse than the new entry above it that is
// still missing; while removing, whoever decides it will decide it, or is old and no worse than the old entry above
// it that is already gone. It needs room for both tables.
//
// An entry that is replaced in place, the same match with another outcome, is one of the two as [Replace] says. Of two limits the lower
// is the worse one: a caller that cares lists the higher rates first in adds and last in removes.
func Script(adds, removes []Severity) []Op {
	ops := make([]Op, 0, len(adds)+len(removes))
	for i := range adds {
		ops = append(ops, Op{true, i})
	}
	slices.SortStableFunc(ops, func(a, b Op) int { return int(adds[a.Index]) - int(adds[b.Index]) })
	first := len(ops)
	for i := range removes {
		ops = append(ops, Op{false, i})
	}
	slices.SortStableFunc(ops[first:], func(a, b Op) int { return int(removes[b.Index]) - int(removes[a.Index]) })
	return ops
}

// Replace says where in a script an entry stands that changes from one severity to another in place: among the additions, at its new
// severity, when it gets no milder; else among the removals, at its old severity. A change from accept to discard waits until every
// milder exception is there; one from discard to accept takes place when a discard would be removed.
func Replace(before, after Severity) (add bool, at Severity) {
	if after >= before {
		return true, after
	}
	return false, before
}
