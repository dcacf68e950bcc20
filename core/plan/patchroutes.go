package plan

import (
	"cmp"
	"slices"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
)

// routeEdit is one changed route of a plan: the one at place at goes, or route comes before it.
type routeEdit struct {
	at    int
	drop  bool
	route *device.Route
}

func byMatch(r device.Route, m flowspec.Match) int { return flowspec.Compare(r.Match, m) }

// withdraw takes the routes of a rule, which was carried natively as w says, out of routes. These begin at start of the plan.
func (p *patch) withdraw(one *plane, w *way, was state, routes []device.Route, start int) bool {
	if was != asNative {
		return true
	}
	for k := range w.routes {
		at, found := slices.BinarySearchFunc(routes, w.routes[k].Match, byMatch)
		if !found {
			return false
		}
		p.routes = append(p.routes, routeEdit{at: start + at, drop: true})
		p.has.add(&routes[at], -1)
		one.routes--
	}
	return true
}

// announce puts the routes of w in.
func (p *patch) announce(one *plane, w *way, is state, routes []device.Route, start int) bool {
	if is != asNative {
		return true
	}
	for k := range w.routes {
		r := &w.routes[k]
		at, _ := slices.BinarySearchFunc(routes, r.Match, byMatch)
		p.routes = append(p.routes, routeEdit{at: start + at, route: r})
		p.has.add(r, 1)
		one.routes++
	}
	return true
}

// spliced returns the routes of the old plan after the edits.
func (p *patch) spliced() ([]device.Route, bool) {
	old := p.old.Desired.Routes
	if len(p.routes) == 0 {
		return old, true
	}
	slices.SortStableFunc(p.routes, func(a, b routeEdit) int {
		switch {
		case a.at != b.at:
			return cmp.Compare(a.at, b.at)
		case a.route != nil && b.route != nil:
			return flowspec.Compare(a.route.Match, b.route.Match)
		case a.route != nil:
			return -1 // what comes stands before what goes
		case b.route != nil:
			return 1
		}
		return 0
	})
	out := make([]device.Route, 0, len(old)+len(p.routes))
	var put []int // where new routes are
	from := 0
	for _, e := range p.routes {
		out = append(out, old[from:e.at]...)
		from = e.at
		if e.drop {
			from++
		} else {
			put = append(put, len(out))
			out = append(out, *e.route)
		}
	}
	out = append(out, old[from:]...)
	for _, i := range put {
		if i > 0 && out[i-1].Match.Equal(out[i].Match) || i+1 < len(out) && out[i+1].Match.Equal(out[i].Match) {
			return nil, false
		}
	}
	return out, true
}
