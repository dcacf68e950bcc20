package plan

import (
	"net/netip"

	"github.com/sluice-gateway/sluice/core/packet"
)

// plane is the rules of one family (and one route distinguisher), in RFC order. Rules of different planes never meet.
//
// RFC order puts a more specific destination in front of a less specific one, and equal ones beside each other (RFC 8955 §5.1). So the rules
// inside a prefix are one run of the plane that ends with the rules for the prefix itself, and whoever can share a packet with a rule is
// found in that run, in the runs of the prefixes around it, and among the loose rules, which have no destination.
type plane struct {
	p      *platform
	limits *familyLimits // of FlowSpec; nil where it does not take the family
	cards  []*card
	state  []state
	notes  []note   // what settle has to say about single rules; nil while it has nothing
	benign []int32  // rules with pieces that changed places with others without harm
	sums   []uint64 // of plane.around
	order  []bool   // whether the order of evaluation decides something about a rule
	class  []int32
	groups []group
	group  []int32 // of each card, -1 for loose ones
	loose  int32   // first loose card
	kinds  []kind  // loose cards by class
}

// note is what settling found out about one rule, beside what its card knows.
type note struct {
	reasons  []Reason
	conflict *witnessed
	from     *settled // where it was found out
}

func (n *note) empty() bool { return len(n.reasons) == 0 && n.conflict == nil }

// group is the rules for one destination prefix: cards lo to hi-1. Those inside the prefix begin at first.
type group struct {
	prefix        netip.Prefix
	first, lo, hi int32
	parent        int32 // group of the next prefix around, or -1
}

// kind is the loose cards that fare alike.
type kind struct {
	class int32
	cards []int32
}

func newPlane(p *platform, cards []*card) *plane {
	pl := &plane{p: p, cards: cards, state: make([]state, len(cards))}
	if p.native != nil {
		pl.limits = p.native.families[cards[0].rule.Match.Family()]
	}
	return pl
}

// index prepares the search for neighbours. Most plans of all-discard tables never need it.
func (pl *plane) index() {
	if pl.class != nil {
		return
	}
	pl.classify()
	pl.group = make([]int32, len(pl.cards))
	pl.loose = int32(len(pl.cards))
	var open []int32 // groups without a parent yet, in order
	for i, c := range pl.cards {
		if !c.dst.IsValid() {
			pl.loose = min(pl.loose, int32(i))
			pl.group[i] = -1
			continue
		}
		if n := len(pl.groups); n > 0 && pl.groups[n-1].prefix == c.dst && pl.groups[n-1].hi == int32(i) {
			pl.groups[n-1].hi++
			pl.group[i] = int32(n - 1)
			continue
		}
		g := group{prefix: c.dst, first: int32(i), lo: int32(i), hi: int32(i) + 1, parent: -1}
		me := int32(len(pl.groups))
		for len(open) > 0 {
			last := &pl.groups[open[len(open)-1]]
			if !g.prefix.Overlaps(last.prefix) {
				break
			}
			last.parent, g.first = me, last.first
			open = open[:len(open)-1]
		}
		open = append(open, me)
		pl.groups = append(pl.groups, g)
		pl.group[i] = me
	}
	byClass := make(map[int32]int)
	for i := int(pl.loose); i < len(pl.cards); i++ {
		n, ok := byClass[pl.class[i]]
		if !ok {
			n = len(pl.kinds)
			byClass[pl.class[i]] = n
			pl.kinds = append(pl.kinds, kind{class: pl.class[i]})
		}
		pl.kinds[n].cards = append(pl.kinds[n].cards, int32(i))
	}
}

// classify numbers outcomes: two rules differ when their numbers do. Rules that go on to later ones have the number -1, and differ from all.
func (pl *plane) classify() {
	pl.class = make([]int32, len(pl.cards))
	seen := make(map[any]int32)
	next := int32(0)
	for i, c := range pl.cards {
		switch {
		case c.rule.Action.Continue:
			pl.class[i] = -1
			continue
		case c.want.Policer != "": // its own
			pl.class[i] = next
			next++
			continue
		}
		n, ok := seen[c.want]
		if !ok {
			n = next
			next++
			seen[c.want] = n
		}
		pl.class[i] = n
	}
}

func (pl *plane) differ(i, j int32) bool {
	return pl.class[i] != pl.class[j] || pl.class[i] < 0
}

// near calls visit with every card, but i, that may share a packet with i, until visit returns false. With others only those that fare
// differently.
func (pl *plane) near(i int32, others bool, visit func(j int32) bool) {
	run := func(lo, hi int32) bool {
		for j := lo; j < hi; j++ {
			if j != i && !(others && !pl.differ(i, j)) && !visit(j) {
				return false
			}
		}
		return true
	}
	g := pl.group[i]
	if g < 0 {
		if !run(0, pl.loose) {
			return
		}
	} else {
		if !run(pl.groups[g].first, pl.groups[g].hi) {
			return
		}
		for up := pl.groups[g].parent; up >= 0; up = pl.groups[up].parent {
			if !run(pl.groups[up].lo, pl.groups[up].hi) {
				return
			}
		}
	}
	for _, k := range pl.kinds {
		if others && k.class == pl.class[i] && k.class >= 0 {
			continue
		}
		for _, j := range k.cards {
			if j != i && !visit(j) {
				return
			}
		}
	}
}

// below calls visit with every card after i that may share a packet with i and fares differently, until visit returns false.
func (pl *plane) below(i int32, visit func(j int32) bool) {
	run := func(lo, hi int32) bool {
		for j := lo; j < hi; j++ {
			if pl.differ(i, j) && !visit(j) {
				return false
			}
		}
		return true
	}
	if g := pl.group[i]; g >= 0 {
		if !run(i+1, pl.groups[g].hi) {
			return
		}
		for up := pl.groups[g].parent; up >= 0; up = pl.groups[up].parent {
			if !run(pl.groups[up].lo, pl.groups[up].hi) {
				return
			}
		}
	}
	for _, k := range pl.kinds {
		if k.class == pl.class[i] && k.class >= 0 {
			continue
		}
		for _, j := range k.cards {
			if j > i && !visit(j) {
				return
			}
		}
	}
}

// contested says whether i shares a packet with a carried rule that fares differently.
func (pl *plane) contested(i int32) (found bool) {
	pl.near(i, true, func(j int32) bool {
		found = pl.state[j].carried() && pl.cards[i].meets(pl.cards[j])
		return !found
	})
	return found
}

// The bounds of one exact question: how many rules it looks at, and for how long. What is left out
// errs on the side of "not decided": a rule too many is rejected, never a packet treated otherwise.
const (
	entangled  = 16
	exactSteps = 4000
)

// narrower returns that of two rules whose neighbours are fewer: packets that both match are met by neighbours of either.
func (pl *plane) narrower(i, j int32) int32 {
	a, b := pl.group[i], pl.group[j]
	if a < 0 || b >= 0 && pl.groups[b].prefix.Bits() > pl.groups[a].prefix.Bits() {
		return j
	}
	return i
}

// undecided returns packets of base that no carried rule before limit decides. All packets of base are of the rule near.
func (pl *plane) undecided(base packet.Set, near, limit int32) packet.Set {
	return outside(base, pl.deciders(base, near, limit))
}

// outside returns some packets of base that are in none of sets, or base itself when the question is too large.
func outside(base packet.Set, sets []packet.Set) packet.Set {
	if len(sets) == 0 {
		return base
	}
	left, done := base.Outside(exactSteps, sets...)
	if !done {
		return base
	}
	return left
}

// deciders returns carried rules before limit that decide packets of base, but not more than the bound. Rules that go on decide nothing.
func (pl *plane) deciders(base packet.Set, near, limit int32) []packet.Set {
	var before []packet.Set
	me := pl.cards[near]
	pl.near(near, false, func(j int32) bool {
		c := pl.cards[j]
		if j >= limit || !pl.state[j].carried() || c.rule.Action.Continue || !me.near(c) || !c.set.Overlaps(base) {
			return true
		}
		before = append(before, c.set)
		return len(before) < entangled
	})
	return before
}
