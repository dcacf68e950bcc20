package plan

import (
	"slices"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/profile"
	"github.com/sluice-gateway/sluice/core/rib"
)

// Planner keeps the plan for one profile and options up to date: of what it knows, a changed rule touches its bucket, and where somebody is rejected, the buckets
// below. Make, which begins with nothing, is its slow twin. The snapshots given to it are of one RIB, or come from rib.Of. A Planner belongs to one goroutine; the plans it
// returns share parts with each other and are never changed.
type Planner struct {
	platform *platform
	drafter  drafter // of the changes that come one by one
	err      error
	deck     *Deck      // nil: none
	part     nativePart // of deck
	inside   bool       // of the gate of deck
	domains  []*domain  // in the order of their rules
	size     int        // rules
	snap     rib.Snapshot
	follows  bool   // the rules at hand are those of snap
	plan     *Plan  // of the rules at hand; nil: not put together
	cut      []trim // rules that do not fit the device
	room     ripple // see Planner.ripple
}

// NewPlanner returns a Planner. An error in opt comes out of Plan and Apply.
func NewPlanner(p *profile.Profile, opt Options) *Planner {
	platform, err := newPlatform(p, opt)
	return &Planner{platform: platform, drafter: drafter{platform: platform}, err: err}
}

// Plan returns what Make(snap, p, opt) returns. It takes over what changed since the last snapshot, and then puts the plan together.
func (pl *Planner) Plan(snap rib.Snapshot) (*Plan, error) {
	if pl.err != nil {
		return nil, pl.err
	}
	if pl.follows && snap == pl.snap {
		return pl.now(), nil
	}
	if pl.deck != nil {
		defer pl.leave(snap)
	}
	changes, ok := pl.since(snap)
	switch {
	case ok:
	case pl.size == 0 && pl.deck != nil:
		changes = pl.deck.all(snap)
	default:
		changes = pl.differences(snap)
	}
	pl.snap, pl.follows = snap, true
	if pl.take(changes, false).bulk {
		pl.room = ripple{} // which is large
	}
	return pl.now(), nil
}

// Follow takes over what changed since the last snapshot and returns what changes on the device, as Apply does: what has to go first, while Plan(snap) puts the
// whole together. False: nothing was taken over, because the last snapshot is no ancestor of snap, or because the device may be given filters, which change as wholes.
func (pl *Planner) Follow(snap rib.Snapshot) ([]device.Step, bool) {
	if pl.err != nil || pl.platform.filter != nil {
		return nil, false
	}
	changes, ok := pl.since(snap)
	if !ok {
		return nil, false
	}
	steps, _, err := pl.Apply(changes)
	pl.snap, pl.follows = snap, err == nil
	return steps, err == nil
}

// since returns what leads from the rules at hand to those of snap, if its history says so.
func (pl *Planner) since(snap rib.Snapshot) ([]rib.Change, bool) {
	if !pl.follows || snap.Version == pl.snap.Version {
		return nil, false
	}
	changes, ok := snap.Since(pl.snap.Version)
	return changes, ok && pl.fits(changes, snap.Len())
}

// fits says whether changes lead from the rules at hand to as many as size.
func (pl *Planner) fits(changes []rib.Change, size int) bool {
	n := pl.size
	for _, c := range changes {
		if c.Old != nil {
			n--
		}
		if c.New != nil {
			n++
		}
		found := false
		if d := pl.domainOf(c.Match); d != nil {
			_, _, found = d.find(c.Match)
		}
		if found != (c.Old != nil) {
			return false
		}
	}
	return n == size
}

// differences returns what leads from the rules at hand to those of snap.
func (pl *Planner) differences(snap rib.Snapshot) (out []rib.Change) {
	old := make([]*flowspec.Rule, 0, pl.size)
	for _, d := range pl.domains {
		for b := range d.order.all() {
			for _, s := range b.seats {
				old = append(old, s.rule)
			}
		}
	}
	out = make([]rib.Change, 0, snap.Len())
	for r := range snap.All() {
		for len(old) > 0 && flowspec.Compare(old[0].Match, r.Match) < 0 {
			out = append(out, rib.Change{Match: old[0].Match, Old: old[0]})
			old = old[1:]
		}
		c := rib.Change{Match: r.Match, New: r}
		if len(old) > 0 && old[0].Match.Equal(r.Match) {
			c.Old, old = old[0], old[1:]
		}
		if c.Old == nil || !pl.same(c.Old, r) {
			out = append(out, c)
		}
	}
	for _, r := range old {
		out = append(out, rib.Change{Match: r.Match, Old: r})
	}
	return out
}

// domainOf returns the domain of rules with match m, or nil.
func (pl *Planner) domainOf(m flowspec.Match) *domain {
	for _, d := range pl.domains {
		if d.holds(m) {
			return d
		}
	}
	return nil
}

// newDomain adds the domain of m.
func (pl *Planner) newDomain(m flowspec.Match) *domain {
	d := newDomain(pl.platform, m)
	at, _ := slices.BinarySearchFunc(pl.domains, m, func(d *domain, m flowspec.Match) int { return flowspec.Compare(d.match, m) })
	pl.domains = slices.Insert(pl.domains, at, d)
	return d
}

// Apply takes over changes to the rules at hand, and returns what changes on the device and what is to be said of the rules concerned. Steps are in the order in
// which they are safe (see device.Diff), verdicts in the order of their rules; a rule that is gone has none. It looks at what the changes can affect and at nothing
// else. A verdict that is not returned stands, but for one thing, which the next Plan says anew: whether the order of the device decides something about
// a rule. The error is that of NewPlanner.
func (pl *Planner) Apply(changes []rib.Change) ([]device.Step, []*Verdict, error) {
	if pl.err != nil {
		return nil, nil, pl.err
	}
	before := pl.filters()
	r := pl.take(changes, true)
	pl.follows = false
	was, is := r.routes()
	steps := device.Diff(device.State{Routes: was, Filters: before}, device.State{Routes: is, Filters: pl.filters()}).Steps
	return steps, r.verdicts(), nil
}

// now returns the plan of the rules at hand.
func (pl *Planner) now() *Plan {
	if pl.plan == nil {
		pl.plan = pl.gather()
	}
	return pl.plan
}

// gather puts the plan together.
func (pl *Planner) gather() *Plan {
	p := pl.platform
	out := &Plan{Profile: p.profile.Name, Instances: p.opt.Instances, Verdicts: make([]*Verdict, 0, pl.size)}
	routes := 0
	for _, d := range pl.domains {
		routes += d.sends
	}
	out.Desired.Routes = make([]*device.Route, 0, routes)
	var has counts
	for _, d := range pl.domains {
		d.meet()
		d.say(pl.rivalry(d))
		for _, st := range d.order {
			out.Verdicts = append(out.Verdicts, st.verdicts...)
			out.Desired.Routes = append(out.Desired.Routes, st.routes...)
			has.add(st.has)
		}
	}
	out.Desired.Filters = pl.filters()
	out.Warnings = p.warnings(&out.Desired, has)
	return out
}

// filters returns the filters: one for each IP version that has entries.
func (pl *Planner) filters() (out []filter.Filter) {
	for _, d := range pl.domains {
		if d.filtered == 0 {
			continue
		}
		var cards []*card
		for b := range d.order.all() {
			for _, s := range b.seats {
				if s.state == asFilter {
					cards = append(cards, s.card)
				}
			}
		}
		out = append(out, pl.platform.filterOf(d.family.Version(), cards))
	}
	return out
}
