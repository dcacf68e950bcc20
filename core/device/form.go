package device

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// Form is how a plan carried one rule: what is remembered of it, so that a later version of the program, or of a profile, can say what it would do otherwise, and a
// device be left as it is until somebody wants that.
type Form struct {
	Rule    string // what the rule was, in short: a form tells nothing of a rule with this ID and another action
	Carried string // as in a verdict of core/plan
	AsCame  bool   // one route, with the rule's own match, action and communities
	Routes  []*Route
	Filter  string // what the filter had for it, in short; "": nothing
	Entries int    // of a filter
}

// Same says whether a device is given the same for a rule under f and o.
func (f Form) Same(o Form) bool {
	return f.AsCame == o.AsCame && f.Filter == o.Filter && f.Entries == o.Entries && slices.EqualFunc(f.Routes, o.Routes, sameRoute)
}

func sameRoute(a, b *Route) bool {
	return a.Match.Equal(b.Match) && a.Action.Equal(b.Action) && slices.Equal(a.Communities, b.Communities) && slices.Equal(a.LargeCommunities, b.LargeCommunities) &&
		slices.Equal(a.Others, b.Others)
}

// RoutesOf returns the routes that r, which f is the form of, has.
func (f Form) RoutesOf(r flowspec.Rule) []*Route {
	if f.AsCame {
		return []*Route{routeOf(r)}
	}
	return f.Routes
}

// FormOf returns the form of a rule with these routes, and what a filter has for it.
func FormOf(r flowspec.Rule, carried string, routes []*Route) Form {
	f := Form{Rule: Brief(r), Carried: carried}
	if len(routes) == 1 && sameRoute(routes[0], routeOf(r)) {
		f.AsCame = true
	} else {
		f.Routes = routes
	}
	return f
}

func routeOf(r flowspec.Rule) *Route {
	return &Route{Match: r.Match, Action: r.Action, Communities: r.Communities, LargeCommunities: r.LargeCommunities, Others: r.Others}
}

// Brief returns what of r concerns a device, in 16 hexadecimal digits.
func Brief(r flowspec.Rule) string {
	return brief(r.Match.NLRI(), r.Action, r.Communities, r.LargeCommunities, r.Others)
}

func brief(parts ...any) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%v\x00", p)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}
