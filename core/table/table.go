// Package table compares ordered first-match tables of packet sets: what a list of FlowSpec rules asks for, what a router makes of
// the routes it was given, what a filter does.
//
// A [Table] is a list of entries, each with the packets it matches and what it does to them. The first entry that
// matches a packet decides, unless it says to continue; what no entry decides is accepted. [Diff] proves two tables equal or
// returns a packet that fares differently; [Differences] returns several, by kind. [Severer] asks only whether the second ever treats a packet worse. [Script]
// orders changes so that no moment between two tables is worse than both, and a [Way] looks at those moments.
//
// Nothing here knows where a table came from: entries are compared by the packets they match, not by name, so a router's
// own listing can be compared with what was asked.
package table

import (
	"slices"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// Entry is one line of a table.
type Entry struct {
	ID       string // a rule's ID, an NLRI in hexadecimal or the name of a filter entry
	Match    packet.Set
	Do       Outcome
	Continue bool // later entries are looked at as well
}

// Table is an ordered first-match table. What no entry decides is accepted.
type Table []Entry

// Of returns the table that rules (in any order) ask for: RFC order, one policer for each rate-limited rule, named by its ID.
// A match of a VPN family does not look at its route distinguisher: give Of the rules of one VRF at a time.
func Of(rules []flowspec.Rule) Table {
	order := make([]int, len(rules))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		if c := flowspec.Compare(rules[a].Match, rules[b].Match); c != 0 {
			return c
		}
		return a - b
	})
	t := make(Table, len(rules))
	for n, i := range order {
		r := &rules[i]
		t[n] = Entry{ID: string(r.ID), Match: r.Match.Set(), Do: Want(*r), Continue: r.Action.Continue}
	}
	return t
}

// Want returns what rule r asks for: its outcome, with a policer named by its ID when it has a rate above 0.
func Want(r flowspec.Rule) Outcome {
	o := nameless(r.Action)
	if o.limits() {
		o.Policer = string(r.ID)
	}
	if to := r.Action.Redirect; to != nil {
		o.Redirect = target(*to)
	}
	return o
}

// SeverityOf returns how badly a packet fares that a rule with action a decides.
func SeverityOf(a flowspec.Action) Severity { return nameless(a).Severity() }

// nameless returns what a asks for, without the names of a policer and of a target.
func nameless(a flowspec.Action) Outcome {
	o := Outcome{Sample: a.Sample}
	if rate := a.Rate; rate != nil {
		if rate.Amount > 0 {
			o.Rate = flowspec.Rate{Amount: rate.Amount, Unit: rate.Unit}
		} else {
			o.Discard = true
		}
	}
	if a.Redirect != nil {
		o.Redirect, o.Copy = "somewhere", a.Redirect.Copy
	}
	if a.Mark != nil {
		o.Mark, o.Marked = *a.Mark, true
	}
	return o
}

// Classify returns what t does to h: the outcomes of the entries that match, in order, up to and including the first without Continue.
// When that is none, or the last of them continues, the packet is accepted.
func (t Table) Classify(h packet.Header) (ids []string, does []Outcome) {
	for i := range t {
		e := &t[i]
		if !e.Match.Has(h) {
			continue
		}
		ids, does = append(ids, e.ID), append(does, e.Do)
		if !e.Continue {
			break
		}
	}
	return ids, does
}
