package reconcile

import (
	"context"
	"slices"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/rib"
)

// ahead is what the plan of one version changes in that of another, known before the later one is put together.
type ahead struct {
	from, to uint64       // versions of the Loc-RIB
	of       rib.Snapshot // the later one
	steps    []device.Step
}

// goAhead gives the session what the next plan changes, before that is put together: at a hundred thousand rules a thousandth of the time. Only a session that
// is known to have all of the plan before, and nothing else, is told; what fails is mended with the whole plan.
func (w *worker) goAhead(ctx context.Context) {
	a, n := w.plans.ahead.Load(), &w.native
	if a == nil || a.from != n.version || a.to == a.from || w.dev.Filter != nil || w.dev.Room > 0 || w.stopped != "" || w.behind.Load() != nil || n.policy != nil && n.policy != w.policy() || w.halted() || w.retry.failures > 0 || !n.given || n.unsure {
		return
	}
	if len(a.steps) > 0 {
		if err := w.begin(a.of); err != nil {
			return // the whole plan meets the same, and says so
		}
		if _, err := w.dev.Native.Apply(ctx, w.dev.Target, device.Change{Steps: a.steps}, 0); err != nil {
			n.mayHave(a.steps)
			return
		}
	}
	n.ahead, n.version = append(n.ahead, a.steps...), a.to
	w.ledger.reached(&w.ledger.routes, a.of)
}

// mayHave notes that the session was given some of steps, and nobody knows which.
func (n *routeState) mayHave(steps []device.Step) {
	n.catchUp()
	n.routes, n.unsure = slices.Clone(n.routes), true
	for _, s := range steps {
		if s.Op != device.Remove {
			n.routes = append(n.routes, s.Route)
		}
	}
}

// catchUp brings routes, which is in order, to what the session was given ahead of a whole plan.
func (n *routeState) catchUp() {
	if len(n.ahead) == 0 {
		return
	}
	last := make(map[routeKey]device.Step, len(n.ahead))
	for _, s := range n.ahead {
		last[keyOf(s.Route)] = s
	}
	steps := make([]device.Step, 0, len(last))
	for _, s := range last {
		steps = append(steps, s)
	}
	slices.SortFunc(steps, func(a, b device.Step) int { return flowspec.Compare(a.Route.Match, b.Route.Match) })

	old, out := n.routes, make([]*device.Route, 0, len(n.routes)+len(steps))
	for _, s := range steps {
		at, found := slices.BinarySearchFunc(old, s.Route.Match, func(r *device.Route, m flowspec.Match) int { return flowspec.Compare(r.Match, m) })
		out, old = append(out, old[:at]...), old[at:]
		if found {
			old = old[1:]
		}
		if s.Op != device.Remove {
			out = append(out, s.Route)
		}
	}
	n.routes, n.ahead = append(out, old...), nil
}
