package plan

import (
	"slices"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/profile"
	"github.com/sluice-gateway/sluice/core/rib"
)

// last is what a planner keeps of its last plan, to make the next one by patching it. Its planes are the planner's own and change in place; the
// plan is out in the world and does not.
type last struct {
	snap   rib.Snapshot
	plan   *Plan
	planes []*plane
	has    counts
	whole  bool // nothing was cut to fit the device: then rules concern only their clusters
}

// mostPatches is how many changed rules are patched in; with more it is quicker to plan anew.
const mostPatches = 32

// edit is one changed rule: the card at place at of a plane goes, or card comes before it, or both.
type edit struct {
	at   int
	drop bool
	card *card // nil: none comes
}

// patch returns the plan for snap where it differs from the last one in a few rules, or nil when it must be made anew. What one rule
// changes: the clusters that it was and is in, what is said of rejected rules around it, and the routes of these. All else is copied.
func (pl *Planner) patch(snap rib.Snapshot) *Plan {
	if pl.last.plan == nil || !pl.last.whole {
		return nil
	}
	if snap == pl.last.snap {
		return pl.last.plan
	}
	if snap.Version == pl.last.snap.Version {
		return nil // of another RIB
	}
	changes, ok := snap.Since(pl.last.snap.Version)
	if !ok || len(changes) > mostPatches {
		return nil
	}
	byPlane, ok := pl.edits(changes)
	if !ok || pl.size(byPlane) != snap.Len() {
		return nil
	}
	keep := pl.last
	pl.last.plan = nil // until the patch is done, there is nothing to patch
	p := &patch{pl: pl, old: keep.plan, has: keep.has}
	for i, edits := range byPlane {
		if !p.plane(keep.planes[i], edits) {
			return nil
		}
	}
	out, ok := p.finish(keep.planes)
	if !ok {
		return nil
	}
	pl.last = last{snap: snap, plan: out, planes: keep.planes, whole: true, has: p.has}
	return out
}

// edits sorts changes by plane. It says false where a change does not fit the last plan, or begins or ends a plane.
func (pl *Planner) edits(changes []rib.Change) (out [][]edit, ok bool) {
	out = make([][]edit, len(pl.last.planes))
	for _, c := range changes {
		if c.Old == nil && c.New == nil {
			continue
		}
		n := slices.IndexFunc(pl.last.planes, func(one *plane) bool { return one.holds(c.Match) })
		if n < 0 {
			return nil, false
		}
		at, found := slices.BinarySearchFunc(pl.last.planes[n].cards, c.Match, func(one *card, m flowspec.Match) int {
			return flowspec.Compare(one.rule.Match, m)
		})
		if found != (c.Old != nil) {
			return nil, false
		}
		e := edit{at: at, drop: found}
		if c.New != nil {
			if found && pl.last.planes[n].cards[at].holds(c.New) {
				continue
			}
			e.card, pl.scratch = pl.platform.newCard(c.New, pl.scratch)
		}
		out[n] = append(out[n], e)
	}
	return out, true
}

// holds says whether rules with match m stand in the plane.
func (pl *plane) holds(m flowspec.Match) bool {
	other := pl.cards[0].rule.Match
	return other.Family() == m.Family() && (!m.Family().VPN() || other.RD() == m.RD())
}

// size returns how many rules there will be, or -1 where a plane would be empty.
func (pl *Planner) size(byPlane [][]edit) (n int) {
	for i, edits := range byPlane {
		size := len(pl.last.planes[i].cards)
		for _, e := range edits {
			if e.drop {
				size--
			}
			if e.card != nil {
				size++
			}
		}
		if size == 0 {
			return -1
		}
		n += size
	}
	return n
}

// patch is one patch being made.
type patch struct {
	pl       *Planner
	old      *Plan
	has      counts
	verdicts []Verdict // new, up to the plane at hand
	read     int       // verdicts of the old plan that were looked at
	routesAt int       // where the routes of the plane at hand begin
	routes   []routeEdit
}

// plane patches one plane. It says false when the plan must be made anew.
func (p *patch) plane(one *plane, edits []edit) bool {
	size := len(one.cards)
	old := p.old.Verdicts[p.read : p.read+size]
	p.read += size
	start := p.routesAt
	p.routesAt += one.routes
	if p.verdicts == nil {
		p.verdicts = make([]Verdict, 0, len(p.old.Verdicts)+mostPatches)
	}
	if len(edits) == 0 {
		p.verdicts = append(p.verdicts, old...)
		return true
	}
	routes := p.old.Desired.Routes[start : start+one.routes]
	one.class, one.again, one.groups, one.kinds, one.bare, one.sums = nil, nil, nil, nil, nil, nil
	from := 0
	var stirred []glance // of rules that are carried otherwise than before, or new, or gone
	var gone []*card
	touched := make(map[*card]bool)
	for _, e := range edits {
		p.verdicts = append(p.verdicts, old[from:e.at]...)
		from = e.at
		if e.drop {
			from++
			c := one.cards[e.at]
			if one.twins[c] {
				return false
			}
			stirred = append(stirred, c.glance)
			if !p.withdraw(one, one.native(int32(e.at)), one.state[e.at], routes, start) {
				return false
			}
			gone = append(gone, c)
			p.touch(touched, one.team[e.at])
		}
		if e.card != nil {
			stirred = append(stirred, e.card.glance)
			p.verdicts = append(p.verdicts, Verdict{})
		}
	}
	p.verdicts = append(p.verdicts, old[from:]...)
	one.apply(edits)
	for _, e := range edits {
		if e.card != nil {
			touched[e.card] = true
			p.join(touched, one, e.card)
		}
	}
	for _, c := range gone {
		delete(touched, c)
	}
	return p.settle(one, touched, stirred, routes, start)
}

// apply puts cards in and takes them out, from the end on.
func (pl *plane) apply(edits []edit) {
	if pl.notes == nil {
		pl.notes = make([]note, len(pl.cards))
	}
	for _, e := range slices.Backward(edits) {
		switch {
		case e.drop && e.card != nil:
			pl.cards[e.at], pl.at[e.at], pl.state[e.at], pl.order[e.at], pl.team[e.at], pl.notes[e.at] = e.card, e.card.glance, 0, false, nil, note{}
		case e.drop:
			pl.cards, pl.at, pl.state = slices.Delete(pl.cards, e.at, e.at+1), slices.Delete(pl.at, e.at, e.at+1), slices.Delete(pl.state, e.at, e.at+1)
			pl.order, pl.team, pl.notes = slices.Delete(pl.order, e.at, e.at+1), slices.Delete(pl.team, e.at, e.at+1), slices.Delete(pl.notes, e.at, e.at+1)
		default:
			pl.cards, pl.at, pl.state = slices.Insert(pl.cards, e.at, e.card), slices.Insert(pl.at, e.at, e.card.glance), slices.Insert(pl.state, e.at, 0)
			pl.order, pl.team, pl.notes = slices.Insert(pl.order, e.at, false), slices.Insert(pl.team, e.at, nil), slices.Insert(pl.notes, e.at, note{})
		}
	}
}

// touch adds the cards of a cluster, and forgets the cluster.
func (p *patch) touch(touched map[*card]bool, t *team) {
	if t == nil {
		return
	}
	delete(p.pl.memory, t.cards[0])
	for _, c := range t.cards {
		touched[c] = true
	}
}

// join adds whatever is in a cluster with c now.
func (p *patch) join(touched map[*card]bool, one *plane, c *card) {
	for j := range one.at {
		d := one.cards[j]
		if !c.glance.near(&one.at[j]) || touched[d] || !p.pl.platform.joined(c, d) {
			continue
		}
		touched[d] = true
		p.touch(touched, one.team[j])
	}
}

// joined says whether c and d are in one cluster: what plane.connected asks, without classes.
func (p *platform) joined(c, d *card) bool {
	alike := c.want == d.want && c.want.Policer == "" && !c.rule.Action.Continue && !d.rule.Action.Continue
	return (!alike || p.twice(c)) && c.tied(d)
}

// settle settles the touched cards anew, and says what is to be said of them and of rejected rules around them.
func (p *patch) settle(one *plane, touched map[*card]bool, stirred []glance, routes []device.Route, start int) bool {
	places := one.places(touched)
	cards := make([]*card, len(places))
	for k, i := range places {
		cards[k] = one.cards[i]
	}
	if len(cards) > 0 {
		sub := newPlane(p.pl.platform, cards)
		sub.settleAll(p.pl.memory, p.pl.memory)
		for k, i := range places {
			was, is := one.state[i], sub.state[k]
			before, after := one.native(i), sub.native(int32(k))
			if one.twins[cards[k]] {
				return false // who sends their NLRI is decided over the whole plane
			}
			if was != is || before != after {
				stirred = append(stirred, cards[k].glance)
				if !p.withdraw(one, before, was, routes, start) || !p.announce(one, after, is, routes, start) {
					return false
				}
			}
			one.state[i], one.order[i], one.team[i], one.notes[i] = is, sub.order[k], sub.team[k], note{}
			if sub.notes != nil {
				one.notes[i] = sub.notes[k]
			}
		}
	}
	p.say(one, places, stirred)
	return true
}

// fewRejected is how many rejected rules are looked at without an index.
const fewRejected = 24

// say renews the verdicts of the cards at places, and of rejected ones near those that are stirred.
func (p *patch) say(one *plane, places []int32, stirred []glance) {
	verdicts := p.verdicts[len(p.verdicts)-len(one.cards):]
	var rejected []int32
	for _, i := range places {
		if one.state[i] == asRejected {
			rejected = append(rejected, i)
		} else {
			verdicts[i] = one.verdict(i, nil)
		}
	}
	for i, s := range one.state {
		if s == asRejected && !one.cards[i].showsItself() && slices.ContainsFunc(stirred, func(g glance) bool { return g.near(&one.at[i]) }) {
			rejected = append(rejected, int32(i))
		}
	}
	slices.Sort(rejected)
	rejected = slices.Compact(rejected)
	if len(rejected) > fewRejected {
		one.index()
	}
	for _, i := range rejected {
		if one.class != nil {
			verdicts[i] = one.verdict(i, nil)
		} else {
			verdicts[i] = one.newVerdict(i, one.notes[i], nil)
		}
	}
}

// places returns where cards stand, ascending.
func (pl *plane) places(cards map[*card]bool) []int32 {
	out := make([]int32, 0, len(cards))
	for c := range cards {
		i, _ := slices.BinarySearchFunc(pl.cards, c, func(a, b *card) int { return flowspec.Compare(a.rule.Match, b.rule.Match) })
		out = append(out, int32(i))
	}
	slices.Sort(out)
	return out
}

// finish puts the plan together. It says false where an NLRI would be an entry of two rules, or something is more than the device holds.
func (p *patch) finish(planes []*plane) (*Plan, bool) {
	platform := p.pl.platform
	out := &Plan{Profile: p.old.Profile, Verdicts: p.verdicts}
	if out.Verdicts == nil {
		out.Verdicts = p.old.Verdicts
	}
	var ok bool
	if out.Desired.Routes, ok = p.spliced(); !ok {
		return nil, false
	}
	if slices.ContainsFunc(planes, func(one *plane) bool { return slices.Contains(one.state, asFilter) }) {
		out.Desired.Filters = platform.filters(planes)
	}
	entries := 0
	for i := range out.Desired.Filters {
		entries += len(out.Desired.Filters[i].Entries)
	}
	if platform.native != nil && over(platform.native.native.MaxRules, len(out.Desired.Routes)) ||
		platform.filter != nil && over(platform.filter.filter.MaxEntries, entries) {
		return nil, false
	}
	out.Warnings = platform.warnings(&out.Desired, p.has)
	return out, true
}

// over says whether n are more than a device holds.
func over(most profile.Number, n int) bool { return most.N > 0 && !most.Soft && n > most.N }
