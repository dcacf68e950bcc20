// Package review looks at a whole table of rules for those that do nothing: rules that no packet can match, rules whose packets rules above
// decide, and rules that do what would be done anyway by the rules below them.
//
// A finding is a proof, not a hint. The rules found can all be taken away together, and every packet fares as before: same actions, same
// sharing of policers, as [table.Diff] compares. They are found one after the other, each in the table that is left: first what is never
// reached, in any order, then from the bottom up what falls through to the same. So of two rules that say the same one is found,
// never both.
//
// # How it is quick
//
// In the order of RFC 8955 §5.1 the rules for more specific destinations stand right before those for the destination that holds them. So
// the rules above one that share packets with it are one run of the table: its own destination's, and the more specific ones'. And where
// the more specific ones leave a single address of its destination free, they do not matter: what decides its packets there decides them
// everywhere, since no rule of its own destination looks at the destination any further.
//
// Most rules do something, and one packet shows it: one that reaches the rule and would fare otherwise without it. So packets are looked for, one after the other, each
// outside the rule that made the last one no example. A packet is held against a rule in the time that it takes to read its fields, and of all the rules around, only those
// that decide one of these packets are ever taken from its set.
//
// Work is bounded in steps; past that a rule is counted as not looked at. The tables of package rulegen, of 100,000 rules, stay far below.
package review

import (
	"cmp"
	"slices"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/table"
)

// Kind says why a rule does nothing. Kinds are stable: programs branch on them.
type Kind string

// The kinds.
const (
	NeverMatches Kind = "never-matches" // no packet that can exist matches it
	Shadowed     Kind = "shadowed"      // rules above decide all of its packets
	Redundant    Kind = "redundant"     // without it, its packets would fare the same
)

// Finding is one rule that does nothing.
type Finding struct {
	Rule int // place in the rules, from 0
	Kind Kind
	// By are the rules that decide its packets, above it or, of a redundant rule, below; ascending, not more than a dozen. A redundant rule without any
	// accepts what nothing else filters, or does nothing and goes on.
	By   []int
	More bool // there are more of them
}

// Table is what there is to say about a table of rules.
type Table struct {
	Findings  []Finding // by rule
	NotLooked int       // rules for which the budget of steps did not suffice: they may do nothing, or not
}

// The budgets, in steps of some 10 to 50 ns: for one rule, and for a table. Finding a packet of a set, or taking one set from another, costs perSet beside
// what is compared.
const (
	ruleSteps  = 200_000
	tableSteps = 200_000_000
	perSet     = 20
)

// mostNamed is how many rules a finding names.
const mostNamed = 12

// Of reviews rules, which come in the order of flowspec.Compare.
func Of(rules []flowspec.Rule) Table { return NewIndex(rules).Review() }

// Review reviews the rules of x.
func (x *Index) Review() Table { return review(x, tableSteps) }

func review(ix *Index, budget int) Table {
	rules := ix.rules
	x := newReviewer(ix, budget)
	for i := range rules {
		x.lookAbove(i)
	}
	for i := len(rules) - 1; i >= 0; i-- {
		x.lookBelow(i)
	}
	out := Table{Findings: x.found}
	slices.SortFunc(out.Findings, func(a, b Finding) int { return cmp.Compare(a.Rule, b.Rule) })
	for _, u := range x.unknown {
		if u {
			out.NotLooked++
		}
	}
	return out
}

// reviewer is a review under way.
type reviewer struct {
	*Index
	does    []int32 // what each rule does, as a number; accept is 0
	limits  []bool  // it has a policer
	gone    []bool  // found: no longer in the table
	unknown []bool
	left    int // steps
	found   []Finding
}

// accept is the number of the outcome that does nothing.
const accept = 0

func newReviewer(ix *Index, budget int) *reviewer {
	rules, n := ix.rules, len(ix.rules)
	x := &reviewer{Index: ix, does: make([]int32, n), limits: make([]bool, n), gone: make([]bool, n), unknown: make([]bool, n), left: budget}
	numbers := map[table.Outcome]int32{{}: accept}
	for i := range rules {
		do := table.Want(rules[i])
		if x.limits[i] = do.Policer != ""; x.limits[i] {
			x.does[i] = -1 // like nothing else
			continue
		}
		number, known := numbers[do]
		if !known {
			number = int32(len(numbers))
			numbers[do] = number
		}
		x.does[i] = number
	}
	return x
}

// odd says whether rule i has an action that is not understood: it does something, and nobody knows what.
func (x *reviewer) odd(i int) bool { return len(x.rules[i].Action.Unknown) > 0 }

// take hands out steps for one rule; what is left of them goes back with give.
func (x *reviewer) take() int {
	n := min(ruleSteps, x.left)
	x.left -= n
	return n
}

func (x *reviewer) give(n int) { x.left += max(n, 0) }

// lookAbove finds out whether no packet reaches rule i.
func (x *reviewer) lookAbove(i int) {
	if !x.possible(i) {
		x.remove(Finding{Rule: i, Kind: NeverMatches})
		return
	}
	if x.above(i) == i {
		return // nothing above it shares a packet with it
	}
	steps := x.take()
	defer func() { x.give(steps) }()
	by, none, known := x.reaches(&steps, i, x.sets[i])
	switch {
	case !known:
		x.unknown[i] = true
	case none:
		x.remove(finding(i, Shadowed, by))
	}
}

// possible says whether a packet that can exist matches rule i. Only lengths keep packets from existing.
func (x *reviewer) possible(i int) bool {
	if x.sets[i].Empty() || !x.rules[i].Match.Has(flowspec.PacketLength) {
		return !x.sets[i].Empty()
	}
	_, can := x.sets[i].Witness()
	return can
}

// reaches says of part, which is packets of rule i for any destination that rule i is about, whether none of them comes as far as rule i. It returns rules above that
// decide some of them; all of them, if none does.
func (x *reviewer) reaches(steps *int, i int, part packet.Set) (by []int, none, known bool) {
	for {
		h, some := part.Witness()
		if !some {
			return by, true, true
		}
		l := x.decider(steps, i, &h)
		if l < 0 {
			return by, false, *steps > 0
		}
		by = append(by, l)
		if part, known = x.without(steps, part, l); !known {
			return by, false, false
		}
	}
}

// decider returns the rule that keeps packet h of rule i from it; -1 if there is none, or if the steps are used up.
func (x *reviewer) decider(steps *int, i int, h *packet.Header) int {
	*steps -= perSet
	for l := x.above(i); l < i && *steps > 0; l++ {
		*steps--
		if !x.rules[l].Action.Continue && x.sets[l].Has(*h) {
			return l
		}
	}
	return -1
}

// without returns the packets of part that rule l does not match.
func (x *reviewer) without(steps *int, part packet.Set, l int) (packet.Set, bool) {
	*steps -= perSet
	if *steps <= 0 {
		return packet.Set{}, false
	}
	return part.SubOn(steps, x.sets[l])
}

// finding names the rules of by, in their order.
func finding(i int, kind Kind, by []int) Finding {
	slices.Sort(by)
	by = slices.Compact(by)
	return Finding{Rule: i, Kind: kind, By: by[:min(len(by), mostNamed)], More: len(by) > mostNamed}
}

func (x *reviewer) remove(f Finding) {
	x.gone[f.Rule] = true
	x.found = append(x.found, f)
}
