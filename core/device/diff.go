package device

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/table"
)

// Diff returns the steps from observed to desired, in the order in which no packet fares worse on the way than in the worse of the
// two states: what makes some packet fare worse comes first, mildest first, then what makes none fare worse, severest first. So an exception stands before
// its discard and goes after it (docs/semantics.md). Filters change as wholes, by name, after the routes that are added and before those that are removed.
func Diff(observed, desired State) Change {
	c := Change{Desired: desired}
	worse, better := routeSteps(observed.Routes, desired.Routes)
	c.Steps = append(c.Steps, worse...)
	c.Steps = append(c.Steps, filterSteps(observed.Filters, desired.Filters)...)
	c.Steps = append(c.Steps, better...)
	return c
}

// Severity returns how badly a route treats what it matches.
func (r Route) Severity() table.Severity {
	return table.Want(flowspec.Rule{Match: r.Match, Action: r.Action}).Severity()
}

// Equal says whether r and o are the same announcement.
func (r Route) Equal(o Route) bool {
	return r.Match.Equal(o.Match) && r.Action.Equal(o.Action) && sameForm(r.Action.Redirect, o.Action.Redirect) && slices.Equal(r.Communities, o.Communities) &&
		slices.Equal(r.LargeCommunities, o.LargeCommunities) && slices.Equal(r.Others, o.Others)
}

// sameForm says whether equal redirects are written alike. 0x0800 and 0x010c mean the same, but a device may understand only one of them: when its
// profile learns which, the route is sent anew.
func sameForm(a, b *flowspec.Redirect) bool { return a == nil || b == nil || a.Form == b.Form }

// routeKey is the identity of a route: one NLRI of one family stands once in a table.
type routeKey struct {
	family flowspec.Family
	nlri   string
}

func (r Route) key() routeKey { return routeKey{r.Match.Family(), string(r.Match.NLRI())} }

// ranked is a step with the severity that decides its place.
type ranked struct {
	Step
	severity table.Severity
}

// unchanged says whether a and b are the same route at a glance: two copies of one. It may say false of equal routes.
func unchanged(a, b *Route) bool {
	x, y := &a.Action, &b.Action
	return x.Rate == y.Rate && x.Redirect == y.Redirect && x.Mark == y.Mark && x.Sample == y.Sample && x.Continue == y.Continue &&
		len(x.Unknown) == 0 && len(y.Unknown) == 0 && a.Match.Equal(b.Match) && slices.Equal(a.Communities, b.Communities) &&
		slices.Equal(a.LargeCommunities, b.LargeCommunities) && slices.Equal(a.Others, b.Others)
}

// trim takes off what is the same at the beginning and the end of both lists: nearly everything where one rule changed among thousands.
func trim(a, b []Route) ([]Route, []Route) {
	same := func(x, y *Route) bool { return unchanged(x, y) || x.Equal(*y) }
	for len(a) > 0 && len(b) > 0 && same(&a[0], &b[0]) {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && same(&a[len(a)-1], &b[len(b)-1]) {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	return a, b
}

func routeSteps(observed, desired []Route) (worse, better []Step) {
	observed, desired = trim(observed, desired)
	held := make(map[routeKey]*Route, len(observed))
	for i := range observed {
		held[observed[i].key()] = &observed[i]
	}
	var up, down []ranked
	for i := range desired {
		want := &desired[i]
		have, found := held[want.key()]
		delete(held, want.key())
		switch {
		case !found:
			up = append(up, ranked{Step{Op: Add, Route: want}, want.Severity()})
		case have.Equal(*want):
		case want.Severity() >= have.Severity():
			up = append(up, ranked{Step{Op: Replace, Route: want}, want.Severity()})
		default:
			down = append(down, ranked{Step{Op: Replace, Route: want}, have.Severity()})
		}
	}
	for i := range observed {
		if _, left := held[observed[i].key()]; left {
			down = append(down, ranked{Step{Op: Remove, Route: &observed[i]}, observed[i].Severity()})
		}
	}
	slices.SortStableFunc(up, func(a, b ranked) int { return cmp.Compare(a.severity, b.severity) })
	slices.SortStableFunc(down, func(a, b ranked) int { return cmp.Compare(b.severity, a.severity) })
	return steps(up), steps(down)
}

func steps(list []ranked) []Step {
	var out []Step
	for _, r := range list {
		out = append(out, r.Step)
	}
	return out
}

func filterSteps(observed, desired []filter.Filter) []Step {
	held := map[string]*filter.Filter{}
	for i := range observed {
		held[observed[i].Name] = &observed[i]
	}
	var out []Step
	for i := range desired {
		want := &desired[i]
		have, found := held[want.Name]
		delete(held, want.Name)
		switch {
		case !found:
			out = append(out, Step{Op: Add, Filter: want, Why: fmt.Sprintf("%s: new, %d entries", want.Name, len(want.Entries))})
		case !SameFilter(*have, *want):
			out = append(out, Step{Op: Replace, Filter: want, Why: fmt.Sprintf("%s: %d entries become %d", want.Name, len(have.Entries), len(want.Entries))})
		}
	}
	for i := range observed {
		if f, left := held[observed[i].Name]; left {
			out = append(out, Step{Op: Remove, Filter: f, Why: f.Name + ": no longer needed"})
		}
	}
	return out
}

// SameFilter says whether a and b are the same configuration: same entries in the same order, same policers. Which rule an entry
// belongs to is our own bookkeeping, which not every device keeps, and is left out.
func SameFilter(a, b filter.Filter) bool { return string(plain(a)) == string(plain(b)) }

func plain(f filter.Filter) []byte {
	f.Entries = slices.Clone(f.Entries)
	for i := range f.Entries {
		f.Entries[i].Rule = ""
	}
	f.Policers = slices.SortedFunc(slices.Values(f.Policers), func(a, b filter.Policer) int { return cmp.Compare(a.Name, b.Name) })
	b, err := json.Marshal(f)
	if err != nil {
		panic(fmt.Sprintf("device: a filter is plain data: %v", err))
	}
	return b
}
