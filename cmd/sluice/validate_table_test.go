package main

import (
	"testing"

	"github.com/sluice-gateway/sluice/core/report"
)

// How full a device would be is said from a tenth on, and where a limit is known.
func TestBudgetInSummary(t *testing.T) {
	t.Parallel()
	most := 3000
	for _, c := range []struct {
		budget report.Budget
		want   string
	}{
		{report.Budget{What: "rules", Used: 299, Max: &most, Limit: "tested"}, ""},
		{report.Budget{What: "rules", Used: 300, Max: &most, Limit: "tested"}, "; 300 of the 3000 rules that the vendor tested"},
		{report.Budget{What: "filter-entries", Used: 3000, Max: &most, Limit: "hard"}, "; 3000 of the 3000 filter entries that it holds"},
		{report.Budget{What: "rules", Used: 3001, Max: &most, Limit: "tested"}, "; 3001 are more than the 3000 rules that the vendor tested"},
		{report.Budget{What: "rules", Used: 3001, Limit: "unknown"}, ""},
	} {
		if got := (textWriter{}).budget([]report.Budget{c.budget}); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

// Where a rule stands is said of a few, and how many there are.
func TestPlaces(t *testing.T) {
	t.Parallel()
	refs := func(n int) (out []report.Ref) {
		for i := range n {
			out = append(out, report.Ref{File: "a", Line: i + 1})
		}
		return out
	}
	for _, c := range []struct {
		refs  int
		count int
		more  bool
		want  string
	}{{2, 2, false, "a:1, a:2"}, {2, 2, true, "a:1, a:2, and others"}, {8, 12, false, "a:1, a:2, a:3, a:4, a:5, and 7 more"}} {
		if got := places(refs(c.refs), c.count, c.more); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
