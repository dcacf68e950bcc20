package plan

import (
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/table"
)

// plane is the rules of one family (and one route distinguisher), in RFC order. Rules of different planes never meet.
//
// RFC order puts a more specific destination in front of a less specific one, and equal ones beside each other (RFC 8955 §5.1). So the rules
// inside a prefix are one run of the plane that ends with the rules for the prefix itself, and whoever can share a packet with a rule is
// found in that run, in the runs of the prefixes around it, and among the loose rules, which have no destination. Of those, the ones that begin with
// a source are in the same kind of order by source, and the others are bare.
type plane struct {
	p         *platform
	limits    *familyLimits // of FlowSpec; nil where it does not take the family
	cards     []*card
	state     []state
	notes     []note     // what settle has to say about single rules; nil while it has nothing
	benign    []int32    // rules with pieces that changed places with others without harm
	outer     []exposure // by rules above the bucket that this plane is of
	bucket    *bucket    // nil: of a council
	seats     []*seat    // of the cards, where they are of a bucket
	class     []int32
	tried     map[[3]int32]bool // remedies, by pair of rules and number
	remedied  []remedied        // what they came to
	sweep     *sweep            // where FlowSpec carries rewritten rules
	heirsOf   map[int32][]heir  // of rejected rules
	mendedAny bool              // the last look for conflicts mended some
	tangled   bool              // settling gave up
	steps     int               // what settling took so far
	again     []bool            // whether doing what the rule does twice is not the same as doing it once
	at        []glance
	groups    []group
	group     []int32 // of each card, -1 for bare ones; a loose card's is of its source
	loose     int32   // first loose card
	kinds     []kind  // loose cards by class
	bare      []kind  // bare cards by class
	halves    *[2]tract
	tree      []edge       // neighbours that walks found: most are connected by them
	keepers   []int32      // see left
	kept      []packet.Set // of keepers
}

// note is what settling found out about one rule, beside what its card knows.
type note struct {
	reasons  []Reason
	conflict *witnessed
	mended   *mended // nil: the rule goes as its card says
	lostTo   *seat   // the rule above the bucket, itself rejected, for which this one is rejected
	named    bool    // lostTo is the first of several
}

func (n *note) empty() bool {
	return len(n.reasons) == 0 && n.conflict == nil && n.mended == nil && n.lostTo == nil
}

func newPlane(p *platform, cards []*card) *plane {
	pl := &plane{p: p, cards: cards, state: make([]state, len(cards))}
	if p.native != nil {
		pl.limits = p.native.families[cards[0].rule.Match.Family()]
	}
	return pl
}

// classify numbers outcomes: two rules differ when their numbers do. Rules that go on to later ones have the number -1, and differ from all.
func (pl *plane) classify() {
	pl.again = make([]bool, len(pl.cards))
	var seen outcomeClasses
	next := int32(0)
	last := -1 // most rules do what the one before them does
	for i, c := range pl.cards {
		pl.again[i] = pl.p.twice(c)
		switch {
		case c.rule.Action.Continue:
			pl.class[i] = -1
			continue
		case c.want.Policer != "": // its own
			pl.class[i] = next
			next++
			continue
		}
		if last >= 0 && sameWant(pl.cards[last], c) {
			pl.class[i] = pl.class[last]
			continue
		}
		n, fresh := seen.of(c.want, next)
		if fresh {
			next++
		}
		pl.class[i], last = n, i
	}
}

// outcomeClasses are the numbers of outcomes: the first of them stand in a row, because most planes have few.
type outcomeClasses struct {
	few  []*table.Outcome
	at   [16]int32 // of few
	many map[table.Outcome]int32
}

// of returns the number of one, which is next where it has none yet.
func (o *outcomeClasses) of(one *table.Outcome, next int32) (n int32, fresh bool) {
	for k, other := range o.few {
		if one == other || *one == *other {
			return o.at[k], false
		}
	}
	if len(o.few) < len(o.at) {
		o.few = append(o.few, one)
		o.at[len(o.few)-1] = next
		return next, true
	}
	if n, ok := o.many[*one]; ok {
		return n, false
	}
	if o.many == nil {
		o.many = make(map[table.Outcome]int32)
	}
	o.many[*one] = next
	return next, true
}

// twice says whether doing what c does in the filter, and then in FlowSpec, is not the same as doing it once: a packet that is marked,
// redirected or discarded again is not treated otherwise.
func (p *platform) twice(c *card) bool {
	return p.native != nil && p.filter != nil && (c.want.Sample || c.want.Copy)
}

func (pl *plane) differ(i, j int32) bool {
	return pl.class[i] != pl.class[j] || pl.class[i] < 0
}

// near calls visit with every card, but i, that may share a packet with i, until visit returns false. With others only those that fare
// differently.
func (pl *plane) near(i int32, others bool, visit func(j int32) bool) {
	me := &pl.at[i]
	try := func(j int32) bool {
		pl.steps += glanceSteps
		if j == i || !me.near(&pl.at[j]) || others && !pl.differ(i, j) {
			return true
		}
		return visit(j)
	}
	run := func(lo, hi int32) bool {
		for j := lo; j < hi; j++ {
			if !try(j) {
				return false
			}
		}
		return true
	}
	g := pl.group[i]
	if g >= 0 {
		if !run(pl.groups[g].first, pl.groups[g].hi) {
			return
		}
		for up := pl.groups[g].parent; up >= 0; up = pl.groups[up].parent {
			if !run(pl.groups[up].lo, pl.groups[up].hi) {
				return
			}
		}
	}
	if i >= pl.loose && !pl.tracts()[0].near(pl, me, try) {
		return
	}
	loose := pl.looseFor(i)
	for n := range loose {
		k := &loose[n]
		if others && k.class == pl.class[i] && k.class >= 0 {
			continue
		}
		if !k.near(pl.version(), me, try) {
			return
		}
	}
}

// looseFor returns the loose rules that may share a packet with i and are in none of the runs around it.
func (pl *plane) looseFor(i int32) []kind {
	if i >= pl.loose && pl.group[i] >= 0 {
		return pl.bare
	}
	return pl.kinds
}

// below calls visit with every card after i that may share a packet with i and fares differently, until visit returns false. With
// twice also those that fare alike, where it matters whether both rules act on a packet or one.
func (pl *plane) below(i int32, twice bool, visit func(j int32) bool) {
	me := &pl.at[i]
	twice = twice && pl.again[i]
	try := func(j int32) bool {
		pl.steps += glanceSteps
		if j <= i || !me.near(&pl.at[j]) || !twice && !pl.differ(i, j) {
			return true
		}
		return visit(j)
	}
	run := func(lo, hi int32) bool {
		for j := lo; j < hi; j++ {
			if !try(j) {
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
	loose := pl.looseFor(i)
	for n := range loose {
		k := &loose[n]
		if !twice && k.class == pl.class[i] && k.class >= 0 {
			continue
		}
		if !k.near(pl.version(), me, try) {
			return
		}
	}
}

// The bound of settling one cluster, in steps of a few nanoseconds: what looking at a pair of rules costs that a glance does not tell
// apart, and a question about packets. It depends on the rules alone, so that equal rules give equal plans on any machine.
const (
	fewestSettleSteps = 120_000_000 // whatever the number of rules: some tenths of a second
	stepsPerRule      = 10_000
	glanceSteps       = 2
	overlapSteps      = 50
	outsideSteps      = 200
)

// exists says whether s holds a packet that can exist.
func exists(s packet.Set) bool {
	if s.Empty() {
		return false
	}
	_, ok := s.Witness()
	return ok
}

// meets says whether two rules that are near share a packet.
func (pl *plane) meets(i, j int32) bool {
	pl.steps += overlapSteps
	return !pl.at[i].apart(&pl.at[j]) && pl.cards[i].set.Overlaps(pl.cards[j].set)
}

// overlap says whether two sets share a packet.
func (pl *plane) overlap(a, b packet.Set) bool {
	pl.steps += overlapSteps
	return a.Overlaps(b)
}

// budget returns how many steps settling may take.
func (pl *plane) budget() int {
	if pl.p.steps >= 0 {
		return pl.p.steps
	}
	return max(fewestSettleSteps, stepsPerRule*len(pl.cards))
}

// spent says whether settling took all the steps that it may take.
func (pl *plane) spent() bool { return pl.steps > pl.budget() }

// spentOrder says whether it took all that may go into order: some must be left for what follows from rejecting the rest.
func (pl *plane) spentOrder() bool { return pl.steps > pl.budget()/2 }

// The bounds of one exact question: how many rules it looks at, and for how long. What is left out
// errs on the side of "not decided": a rule too many is rejected, never a packet treated otherwise.
const (
	entangled  = 16
	exactSteps = 4000
)

// narrower returns that of two rules whose neighbours are fewer: packets that both match are met by neighbours of either.
func (pl *plane) narrower(i, j int32) int32 {
	a, b := pl.group[i], pl.group[j]
	if byDst := i < pl.loose; byDst != (j < pl.loose) {
		if byDst {
			return i
		}
		return j
	}
	if a < 0 || b >= 0 && pl.groups[b].prefix.Bits() > pl.groups[a].prefix.Bits() {
		return j
	}
	return i
}

// outside returns some packets of base that are in none of sets, or base itself when the question is too large.
func (pl *plane) outside(base packet.Set, sets []packet.Set) packet.Set {
	pl.steps += outsideSteps * len(sets)
	return outside(base, sets)
}

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
	pl.near(near, false, func(j int32) bool {
		c := pl.cards[j]
		if j >= limit || !pl.state[j].carried() || c.rule.Action.Continue || !pl.overlap(c.set, base) {
			return true
		}
		before = append(before, c.set)
		return len(before) < entangled
	})
	return before
}
