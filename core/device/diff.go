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
// two states: that of [table.Order]. So an exception stands before its discard and goes after it (docs/semantics.md). Filters change as wholes, by name, after the
// routes that are added and before those that are removed.
func Diff(observed, desired State) Change { return DiffWithin(observed, desired, 0) }

// DiffWithin is Diff for a device that has room for so many routes at one time; 0: any number. Where it has no room for both states, routes that
// are to go make room first, see [table.Fit].
func DiffWithin(observed, desired State, room int) Change {
	c := Change{Desired: desired, Room: room}
	steps, first := Arrange(routeSteps(observed.Routes, desired.Routes), stepEnds, len(observed.Routes), room)
	c.First = first
	routes := make([]Step, len(steps))
	middle := len(steps) // where what makes some packet fare worse ends, and what makes none fare worse begins
	for i := range steps {
		routes[i] = steps[i].Step
		if middle == len(steps) && i >= first && TurnOf(steps[i].before, steps[i].after).Late {
			middle = i
		}
	}
	if c.Steps = routes; len(observed.Filters)+len(desired.Filters) > 0 {
		c.Steps = slices.Insert(routes, middle, filterSteps(observed.Filters, desired.Filters)...)
	}
	return c
}

// Severity returns how badly a route treats what it matches.
func (r Route) Severity() table.Severity { return table.SeverityOf(r.Action) }

// TurnOf returns when a route has its turn that is before and becomes after; nil: there is none.
func TurnOf(before, after *Route) table.Turn {
	switch {
	case before == nil:
		return table.TurnOf(Add, 0, after.Severity())
	case after == nil:
		return table.TurnOf(Remove, before.Severity(), 0)
	}
	return table.TurnOf(Replace, before.Severity(), after.Severity())
}

// Arrange puts changes of routes in the order of a script, for a device that holds so many routes and has room for so many; room 0: for any number. ends
// returns what a route is and what it becomes; nil: nothing. first is how many changes come first for lack of room, see [table.Fit].
func Arrange[T any](list []T, ends func(*T) (before, after *Route), held, room int) (out []T, first int) {
	turn := func(t *T) table.Turn { return TurnOf(ends(t)) }
	match := func(t *T) flowspec.Match {
		before, after := ends(t)
		if before == nil {
			return after.Match
		}
		return before.Match // the same as after's, where there is one
	}
	out = table.Order(list, turn, func(a, b *T) int {
		if turn(a).Free() {
			return 0
		}
		return flowspec.Compare(match(a), match(b))
	})
	op := func(t *T) Op {
		switch before, after := ends(t); {
		case before == nil:
			return Add
		case after == nil:
			return Remove
		}
		return Replace
	}
	return table.Fit(out, op, turn, held, room)
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

// routeStep is a step with both of its ends.
type routeStep struct {
	Step
	before, after *Route
}

func stepEnds(s *routeStep) (before, after *Route) { return s.before, s.after }

// trim takes off what is the same at the beginning and the end of both lists: nearly everything where one rule changed among thousands.
func trim(a, b []*Route) ([]*Route, []*Route) {
	same := func(x, y *Route) bool { return x == y || x.Equal(*y) }
	for len(a) > 0 && len(b) > 0 && same(a[0], b[0]) {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && same(a[len(a)-1], b[len(b)-1]) {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	return a, b
}

// few is how many routes are looked through for one.
const few = 8

// routeSteps returns the steps between two lists of routes, in no order that matters.
func routeSteps(observed, desired []*Route) (steps []routeStep) {
	observed, desired = trim(observed, desired)
	if len(observed) <= few && len(desired) <= few {
		return fewRouteSteps(observed, desired)
	}
	held := make(map[routeKey]*Route, len(observed))
	for _, have := range observed {
		held[have.key()] = have
	}
	for _, want := range desired {
		have, found := held[want.key()]
		delete(held, want.key())
		switch {
		case !found:
			steps = append(steps, routeStep{Step{Op: Add, Route: want}, nil, want})
		case have != want && !have.Equal(*want):
			steps = append(steps, routeStep{Step{Op: Replace, Route: want}, have, want})
		}
	}
	for _, have := range observed {
		if _, left := held[have.key()]; left {
			steps = append(steps, routeStep{Step{Op: Remove, Route: have}, have, nil})
		}
	}
	return steps
}

// fewRouteSteps is routeSteps for few routes.
func fewRouteSteps(observed, desired []*Route) []routeStep {
	steps := make([]routeStep, 0, len(observed)+len(desired))
	is := func(r *Route) func(*Route) bool {
		return func(o *Route) bool { return o.Match.Equal(r.Match) }
	}
	for _, want := range desired {
		switch at := slices.IndexFunc(observed, is(want)); {
		case at < 0:
			steps = append(steps, routeStep{Step{Op: Add, Route: want}, nil, want})
		case observed[at] != want && !observed[at].Equal(*want):
			steps = append(steps, routeStep{Step{Op: Replace, Route: want}, observed[at], want})
		}
	}
	for _, have := range observed {
		if !slices.ContainsFunc(desired, is(have)) {
			steps = append(steps, routeStep{Step{Op: Remove, Route: have}, have, nil})
		}
	}
	return steps
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
