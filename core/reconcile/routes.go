package reconcile

import (
	"context"
	"fmt"
	"slices"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/table"
)

// routeState is what a worker knows of the routes of its device. That they arrive is the session's affair: it sends them again by itself when
// it comes back.
type routeState struct {
	routes []*device.Route // what the session was given, and after a failure all that it may have been given
	given  bool            // it was given something since the start, be it nothing
	unsure bool            // a call failed: it has some of routes, perhaps
	ahead  []device.Step   // what it was given beyond routes
	// version is that of the Loc-RIB whose plan the session was given last.
	version uint64
	policy  *device.Policy // that the session was told last; nil: none
	note    string         // about the order of the last change, for people; "": it went as it should

	// Of a device that has a filter as well: the routes of each rule, kept for one that moved to the filter until that is delivered.
	byRule map[flowspec.ID][]*device.Route
	ofPlan *plan.Plan // that byRule was made for
	moving []moving
}

// moving is a rule whose routes stay until the filter has it.
type moving struct {
	rule   flowspec.ID
	routes []*device.Route
}

// routeKey is the identity of a route: one NLRI of one family stands once in a table.
type routeKey struct {
	family flowspec.Family
	nlri   string
}

func keyOf(r *device.Route) routeKey { return routeKey{r.Match.Family(), string(r.Match.NLRI())} }

// giveRoutes tells the session about the difference.
//
// After a failure nobody knows which of the steps were taken: then everything is said again, which costs nothing where it had been said, and
// what may have been said before and is not wanted any more is withdrawn.
func (w *worker) giveRoutes(ctx context.Context, want []*device.Route) error {
	n := &w.native
	n.catchUp()
	w.police()
	observed := n.routes
	if n.unsure {
		observed = without(n.routes, want)
	}
	change := device.DiffWithin(device.State{Routes: observed}, device.State{Routes: want}, w.dev.Room)
	if n.given && !n.unsure && change.Empty() {
		return nil
	}
	n.note = ""
	if change.First > 0 {
		gone := 0
		for _, s := range change.Steps[:change.First] {
			if s.Op == device.Remove {
				gone++
			}
		}
		n.note = fmt.Sprintf("the last change began with the withdrawal of %s, severest first, before it announced others: the device has room for %s, not for both tables", routes(gone), routes(w.dev.Room))
		w.log.Warn("no room for both tables: routes are withdrawn before others are announced", "first", gone, "held", len(observed), "wanted", len(want), "room", w.dev.Room)
	}
	if _, err := w.dev.Native.Apply(ctx, w.dev.Target, change, 0); err != nil {
		n.routes, n.unsure = append(without(n.routes, want), want...), true
		return fmt.Errorf("announce to %s: %w", w.dev.Name, err)
	}
	n.routes, n.given, n.unsure = want, true, false
	return nil
}

func routes(n int) string {
	if n == 1 {
		return "1 route"
	}
	return fmt.Sprintf("%d routes", n)
}

// without returns the routes of list whose NLRI none of others has.
func without(list, others []*device.Route) []*device.Route {
	if len(list) == 0 {
		return nil
	}
	there := make(map[routeKey]bool, len(others))
	for _, r := range others {
		there[keyOf(r)] = true
	}
	var out []*device.Route
	for _, r := range list {
		if !there[keyOf(r)] {
			out = append(out, r)
		}
	}
	return out
}

// plan notes which routes each rule has under m. A rule that m carries in the filter keeps those that it had, unless it is now to be treated more
// mildly than they do: then no filtering is better than what nobody asks for any more.
func (n *routeState) plan(m *made) {
	if n.ofPlan == m.plan {
		return
	}
	next := make(map[flowspec.ID][]*device.Route)
	n.moving = nil
	for i, v := range m.plan.Verdicts {
		switch v.Carried {
		case plan.Native, plan.Rewritten:
			for _, e := range v.Entries {
				if e.Route != nil {
					next[v.Rule] = append(next[v.Rule], e.Route)
				}
			}
		case plan.InFilter:
			severity := table.Want(m.rules()[i]).Severity()
			for _, r := range n.byRule[v.Rule] {
				if r.Severity() <= severity {
					next[v.Rule] = append(next[v.Rule], r)
				}
			}
			if routes := next[v.Rule]; routes != nil {
				n.moving = append(n.moving, moving{v.Rule, routes})
			}
		}
	}
	n.byRule, n.ofPlan = next, m.plan
}

// takenOver returns the routes of rules on their way to the filter. Where want has the same NLRI, that is another rule's by now.
func (n *routeState) takenOver(want []*device.Route) []*device.Route {
	var out []*device.Route
	for _, m := range n.moving {
		out = append(out, without(m.routes, out)...)
	}
	return without(out, want)
}

// settle forgets the routes of rules that the filter has now.
func (n *routeState) settle() {
	for _, m := range n.moving {
		delete(n.byRule, m.rule)
	}
	n.moving = nil
}

// onlyMilder returns what stays of routes when nothing is added that treats any packet worse: those that are still wanted, as they are or milder. One that is not goes if it
// discards, or if no route that is as severe may meet its packets: else it may be an exception, and what is to take its place is not there.
func (n *routeState) onlyMilder(want []*device.Route) []*device.Route {
	wanted := make(map[routeKey]*device.Route, len(want))
	for _, r := range want {
		wanted[keyOf(r)] = r
	}
	var out []*device.Route
	for _, r := range n.routes {
		now, found := wanted[keyOf(r)]
		switch {
		case !found && n.exempts(r):
			out = append(out, r)
		case !found:
		case now.Severity() < r.Severity(), now.Action.Equal(r.Action):
			out = append(out, now)
		default:
			out = append(out, r)
		}
	}
	return out
}

// exempts says whether packets that r decides may fare as badly or worse without it.
func (n *routeState) exempts(r *device.Route) bool {
	severity, at := r.Severity(), reachOf(r.Match)
	return severity < table.Discards && slices.ContainsFunc(n.routes, func(o *device.Route) bool {
		return o != r && o.Severity() >= severity && reachOf(o.Match).meets(at)
	})
}
