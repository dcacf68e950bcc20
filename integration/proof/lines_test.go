package proof_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/table"
)

// line is one entry of a table that all three can read: the prover, the diagrams and the evaluator.
type line struct {
	match  flowspec.Match
	do     table.Outcome
	goesOn bool
}

type lines []line

// linesOf returns the table that rules ask for, in the order of the RFC.
func linesOf(rules []flowspec.Rule) lines {
	sorted := slices.Clone(rules)
	slices.SortStableFunc(sorted, func(a, b flowspec.Rule) int { return precedes(a.Match, b.Match) })
	out := make(lines, len(sorted))
	for i, r := range sorted {
		out[i] = line{r.Match, table.Want(r), r.Action.Continue}
	}
	return out
}

// table is l as the prover takes it.
func (l lines) table() table.Table {
	out := make(table.Table, len(l))
	for i, one := range l {
		out[i] = table.Entry{ID: fmt.Sprint("line ", i), Match: one.match.Set(), Do: one.do, Continue: one.goesOn}
	}
	return out
}

// steps is l as the evaluator takes it.
func (l lines) steps() []step {
	out := make([]step, len(l))
	for i, one := range l {
		out[i] = step{matcherOf(one.match), deedOfOutcome(one.do), one.goesOn}
	}
	return out
}

func (l lines) String() string {
	var b strings.Builder
	for i, one := range l {
		fmt.Fprintf(&b, "  %d: %s then %s continue %v\n", i, one.match, one.do, one.goesOn)
	}
	return b.String()
}
