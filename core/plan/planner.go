package plan

import (
	"fmt"
	"slices"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/profile"
	"github.com/sluice-gateway/sluice/core/rib"
)

// Planner makes plans for one profile and options, one after the other, and reuses what has not changed: what is known of a rule by itself, the
// clusters in which nothing changed, and, where a few rules changed, the last plan itself (patch.go). The snapshots given to it are of one RIB, or come
// from rib.Of. Make is its slow twin. A Planner belongs to one goroutine; the plans it returns share parts with each other and are never changed.
type Planner struct {
	platform *platform
	err      error
	memory   memory // of the clusters of the last plan
	last     last
	scratch  []flowspec.Component
}

// NewPlanner returns a Planner. An error in opt comes out of Plan.
func NewPlanner(p *profile.Profile, opt Options) *Planner {
	platform, err := newPlatform(p, opt)
	return &Planner{platform: platform, err: err}
}

// Plan returns what Make(snap, p, opt) returns.
func (pl *Planner) Plan(snap rib.Snapshot) (*Plan, error) {
	if pl.err != nil {
		return nil, pl.err
	}
	if out := pl.patch(snap); out != nil {
		return out, nil
	}
	cards := pl.deal(snap.Rules())
	var planes []*plane
	for lo, hi := 0, 0; lo < len(cards); lo = hi {
		for hi = lo + 1; hi < len(cards) && samePlane(cards[lo], cards[hi]); hi++ {
		}
		planes = append(planes, newPlane(pl.platform, cards[lo:hi:hi]))
	}
	next := make(memory)
	for _, one := range planes {
		one.settleAll(pl.memory, next)
	}
	pl.memory = next
	cut := pl.fit(planes)
	out := pl.assemble(planes, len(cards))
	pl.last = last{snap: snap, plan: out, planes: planes, whole: !cut, has: tally(out.Desired.Routes)}
	return out, nil
}

// samePlane says whether two rules are of one family and route distinguisher.
func samePlane(a, b *card) bool {
	f := a.rule.Match.Family()
	return f == b.rule.Match.Family() && (!f.VPN() || a.rule.Match.RD() == b.rule.Match.RD())
}

// deal returns the cards of rules, those of the last plan where the rule is still the same. Both lists are in RFC order.
func (pl *Planner) deal(rules []flowspec.Rule) []*card {
	out := make([]*card, len(rules))
	var old []*card
	for _, one := range pl.last.planes {
		old = append(old, one.cards...)
	}
	for i := range rules {
		r := &rules[i]
		for len(old) > 0 && !old[0].rule.Match.Equal(r.Match) && flowspec.Compare(old[0].rule.Match, r.Match) < 0 {
			old = old[1:]
		}
		if len(old) > 0 && old[0].holds(r) {
			out[i], old = old[0], old[1:]
			continue
		}
		out[i], pl.scratch = pl.platform.newCard(r, pl.scratch)
	}
	return out
}

// holds says whether c is the card of r. Time and note of a rule decide nothing here.
func (c *card) holds(r *flowspec.Rule) bool {
	o := &c.rule
	return o.ID == r.ID && o.Match.Equal(r.Match) && (sameAction(&o.Action, &r.Action) || o.Action.Equal(r.Action)) && slices.Equal(o.Communities, r.Communities) &&
		slices.Equal(o.LargeCommunities, r.LargeCommunities) && slices.Equal(o.Others, r.Others)
}

// sameAction says whether a and b are copies of one action, which is quicker seen than that they are equal.
func sameAction(a, b *flowspec.Action) bool {
	return a.Rate == b.Rate && a.Redirect == b.Redirect && a.Mark == b.Mark && a.Sample == b.Sample && a.Continue == b.Continue &&
		len(a.Unknown) == 0 && len(b.Unknown) == 0
}

// fit keeps the plan inside what the device holds. It says whether anything had to go.
func (pl *Planner) fit(planes []*plane) (cut bool) {
	p := pl.platform
	if p.native != nil {
		if n := p.native.native.MaxRules; n.N > 0 && !n.Soft {
			left := n.N
			for _, one := range planes {
				left = one.budget(asNative, left, func(*card) Reason { return p.full(n, "rules") })
				cut = cut || left < 0
			}
		}
	}
	if p.filter != nil {
		if n := p.filter.filter.MaxEntries; n.N > 0 && !n.Soft {
			left := n.N
			for _, one := range planes {
				left = one.budget(asFilter, left, func(*card) Reason { return p.full(n, "filter entries") })
				cut = cut || left < 0
			}
		}
	}
	return cut
}

func (p *platform) full(n profile.Number, what string) Reason {
	return Reason{Code: "over-budget", Severity: Error,
		Message: fmt.Sprintf("%s holds %d %s, and those in front of this one take them all", p.profile.Name, n.N, what),
		Hint:    "withdraw rules, or merge them", Source: p.facts.source(n.Fact)}
}

// assemble turns settled planes into a plan.
func (pl *Planner) assemble(planes []*plane, n int) *Plan {
	p := pl.platform
	out := &Plan{Profile: p.profile.Name, Verdicts: make([]Verdict, 0, n)}
	routes := 0
	for _, one := range planes {
		for i := range one.cards {
			if one.state[i] == asNative {
				routes += one.entries(int32(i))
			}
		}
	}
	out.Desired.Routes = make([]device.Route, 0, routes)
	for _, one := range planes {
		start := len(out.Desired.Routes)
		out.Desired.Routes = one.appendRoutes(out.Desired.Routes)
		mine := out.Desired.Routes[start:]
		var owner map[string]int32
		if twice := func(a, b device.Route) bool { return a.Match.Equal(b.Match) }; anyTwice(mine, twice) {
			owner = one.owners()
			one.pair(owner)
			out.Desired.Routes = out.Desired.Routes[:start+len(slices.CompactFunc(mine, twice))]
		}
		for i := range one.cards {
			out.Verdicts = append(out.Verdicts, one.verdict(int32(i), owner))
		}
		one.routes = len(out.Desired.Routes) - start
	}
	out.Desired.Filters = p.filters(planes)
	out.Warnings = p.warnings(&out.Desired, tally(out.Desired.Routes))
	return out
}

// pair notes which cards have an NLRI in common with another.
func (pl *plane) pair(owner map[string]int32) {
	pl.twins = make(map[*card]bool)
	for i, c := range pl.cards {
		if pl.state[i] != asNative {
			continue
		}
		routes := pl.native(int32(i)).routes
		for k := range routes {
			if first, ok := owner[string(routes[k].Match.NLRI())]; ok && first != int32(i) {
				pl.twins[c], pl.twins[pl.cards[first]] = true, true
			}
		}
	}
}

// appendRoutes appends the routes of the plane in the order of flowspec.Compare; of equal NLRIs that of the earlier rule comes first.
func (pl *plane) appendRoutes(out []device.Route) []device.Route {
	slots := pl.slots()
	if slots == nil {
		for i, c := range pl.cards {
			if pl.state[i] == asNative {
				out = append(out, c.native.routes[0])
			}
		}
		return out
	}
	for _, s := range slots {
		switch s.part {
		case ghost:
		case whole:
			out = append(out, pl.native(s.owner).routes[0])
		default:
			out = append(out, pl.native(s.owner).routes[s.part])
		}
	}
	return out
}

// anyTwice says whether two neighbours in routes are the same.
func anyTwice(routes []device.Route, same func(a, b device.Route) bool) bool {
	for i := 1; i < len(routes); i++ {
		if same(routes[i-1], routes[i]) {
			return true
		}
	}
	return false
}

// owners says for each NLRI of a rewritten rule that stands in several rules which of them sends it: the earliest. Nil: there is none.
func (pl *plane) owners() map[string]int32 {
	var owner map[string]int32
	for i := range pl.cards {
		w := pl.native(int32(i))
		if pl.state[i] != asNative || !w.rewritten {
			continue
		}
		if owner == nil {
			owner = make(map[string]int32)
		}
		for k := range w.routes {
			key := string(w.routes[k].Match.NLRI())
			if _, ok := owner[key]; !ok {
				owner[key] = int32(i)
			}
		}
	}
	if owner == nil {
		return nil
	}
	for i, c := range pl.cards {
		if pl.state[i] != asNative || pl.native(int32(i)).rewritten {
			continue
		}
		key := string(c.rule.Match.NLRI())
		if first, ok := owner[key]; ok {
			owner[key] = min(first, int32(i))
		}
	}
	return owner
}

// filters returns the filters of a plan: one for each IP version that has entries.
func (p *platform) filters(planes []*plane) []filter.Filter {
	var out []filter.Filter
	for _, one := range planes {
		f := one.filter()
		if len(f.Entries) > 0 {
			out = append(out, f)
		}
	}
	return out
}

// filter returns the filter of one plane.
func (pl *plane) filter() filter.Filter {
	var members []int32
	for i := range pl.cards {
		if pl.state[i] == asFilter {
			members = append(members, int32(i))
		}
	}
	return pl.filterOf(members)
}

func (pl *plane) version() packet.Version { return pl.cards[0].rule.Match.Family().Version() }

func (pl *plane) filterName() string {
	if pl.version() == packet.IPv6 {
		return filter.Mark + "v6"
	}
	return filter.Mark + "v4"
}
