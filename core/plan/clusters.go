package plan

import "slices"

// settled is the outcome of settling some cards together. It depends on those cards only, so that the next plan uses it again when the
// same cards stand together: one changed rule settles one cluster anew.
type settled struct {
	cards []*card
	state []state
	notes []note // nil: nothing to say
	order []bool // whether the order of evaluation decides something about the card
}

// team is the cards of a cluster. Most cards stand alone and are in none.
type team struct{ cards []*card }

// memory is what a planner remembers of clusters, by their first card.
type memory map[*card]*settled

// settleAll settles the plane cluster by cluster, with the outcomes of the last plan where nothing changed, and returns what to remember.
//
// Clusters are the connected parts of the graph in which rules are joined when they share packets and fare differently, when one re-marks
// packets and the other reads marks, or when both do the same to shared packets and a packet that meets both (one in the filter, one in FlowSpec)
// would have it done twice. Whatever settling one rule asks about
// others, it asks about rules of its cluster: rules of other clusters share no packet with it, or fare alike.
func (pl *plane) settleAll(last, next memory) {
	pl.order = make([]bool, len(pl.cards))
	pl.team = make([]*team, len(pl.cards))
	for i, c := range pl.cards {
		pl.state[i] = pl.alone(c)
	}
	for _, members := range pl.clusters() {
		cards := make([]*card, len(members))
		for k, i := range members {
			cards[k] = pl.cards[i]
		}
		together := &team{cards}
		for _, i := range members {
			pl.team[i] = together
		}
		if pl.quiet(members) {
			for _, i := range members {
				pl.order[i] = !pl.again[i] || pl.contested(i)
			}
			continue
		}
		one := last[cards[0]]
		if one == nil || !slices.Equal(one.cards, cards) {
			one = pl.settleOne(cards)
		}
		next[cards[0]] = one
		pl.adopt(one, members)
	}
}

// alone says how a rule is carried that nothing else concerns.
func (pl *plane) alone(c *card) state {
	switch {
	case c.nothing:
		return asNothing
	case c.native.ok():
		return asNative
	case pl.p.filterWay(c).ok():
		return asFilter
	}
	return asRejected
}

// quiet says whether every member goes natively as it came, to a device that keeps RFC order: there is nothing to settle.
func (pl *plane) quiet(members []int32) bool {
	if pl.limits == nil || pl.limits.order.Kind == "unknown" {
		return false
	}
	for _, i := range members {
		if pl.state[i] != asNative || pl.cards[i].native.rewritten {
			return false
		}
	}
	return true
}

// settleOne settles cards by themselves.
func (pl *plane) settleOne(cards []*card) *settled {
	sub := newPlane(pl.p, cards)
	sub.index()
	sub.settle()
	out := &settled{cards: cards, state: sub.state, notes: sub.notes, order: make([]bool, len(cards))}
	for i := range cards {
		out.order[i] = sub.state[i] == asNative && len(cards) > 1 && (sub.spent() || sub.contested(int32(i)))
	}
	return out
}

// adopt takes over the outcome of a cluster.
func (pl *plane) adopt(one *settled, members []int32) {
	for k, i := range members {
		pl.state[i], pl.order[i] = one.state[k], one.order[k]
		if one.notes != nil && !one.notes[k].empty() {
			if pl.notes == nil {
				pl.notes = make([]note, len(pl.cards))
			}
			n := one.notes[k]
			n.reasons = slices.Clip(n.reasons)
			n.from = one
			pl.notes[i] = n
		}
	}
}

// clusters returns the clusters of more than one rule, and lone rules that go to the filter (for the last proof).
func (pl *plane) clusters() [][]int32 {
	return pl.connected(
		func(int32) bool { return true },
		func(i, size int32) bool { return size > 1 || pl.state[i] == asFilter })
}

// carried returns the clusters among the rules that are carried, lone rules too.
func (pl *plane) carried() [][]int32 {
	among := func(i int32) bool { return pl.state[i].carried() }
	return pl.connected(among, func(i, _ int32) bool { return among(i) })
}

// connected returns the connected parts of the graph of rules that are tied and fare differently, taking only the rules among, and
// of those parts only the ones to keep. Parts stand in the order of their first rules, and their members ascend.
func (pl *plane) connected(among func(i int32) bool, keep func(i, size int32) bool) [][]int32 {
	pl.index()
	parent := make([]int32, len(pl.cards))
	for i := range parent {
		parent[i] = int32(i)
	}
	root := func(i int32) int32 {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	for i := range pl.cards {
		me := int32(i)
		if !among(me) {
			continue
		}
		mine := root(me)
		pl.below(me, true, func(j int32) bool {
			if parent[j] == mine || !among(j) {
				return true
			}
			if its := root(j); its != mine && pl.cards[me].tied(pl.cards[j]) {
				mine, its = min(mine, its), max(mine, its)
				parent[its] = mine
			}
			return true
		})
	}
	return members(parent, root, keep)
}

// members gathers what hangs together in parent.
func members(parent []int32, root func(int32) int32, keep func(i, size int32) bool) [][]int32 {
	size := make([]int32, len(parent))
	for i := range parent {
		size[root(int32(i))]++
	}
	var out [][]int32
	at := make([]int32, len(parent)) // 1 + place in out
	for i := range parent {
		r := root(int32(i))
		if !keep(int32(i), size[r]) {
			continue
		}
		if at[r] == 0 {
			out = append(out, make([]int32, 0, size[r]))
			at[r] = int32(len(out))
		}
		out[at[r]-1] = append(out[at[r]-1], int32(i))
	}
	return out
}
