package plan

import (
	"fmt"
	"slices"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/plan/split"
)

// What is done where a device would evaluate two rules the wrong way round, cheapest first. Each is tried once for a pair of rules; what it makes is
// proven, and everything is put in order and looked at again. Where none helps, the rules go to a filter, or one of them is rejected.
const (
	RemedyChoose     = "choose"      // the same lists written otherwise, so that they sort otherwise
	RemedySubtract   = "subtract"    // the later rule loses what the earlier one decides anyway
	RemedyPrefix     = "prefix"      // a source of 0/0, which changes nothing but the place
	RemedySplitOther = "split-other" // the earlier rule gets an entry for what both match, above the later rule's
	RemedySteer      = "steer"       // a term that is always false, whose value decides the place
	RemedyFilter     = "filter"      // both go to a filter, where order is explicit
)

// Remedies are all remedies in the order in which they are tried. What a profile lacks the facts for is never done, whatever an operator allows: choose,
// prefix and steer act on octets, and help only where the device is known to sort the octets that it received; steer needs in addition a device
// that is known to take an operator that is always false.
var Remedies = []string{RemedyChoose, RemedySubtract, RemedyPrefix, RemedySplitOther, RemedySteer, RemedyFilter}

// DefaultRemedies are those of an operator who does not say: all but steer.
var DefaultRemedies = []string{RemedyChoose, RemedySubtract, RemedyPrefix, RemedySplitOther, RemedyFilter}

// Bounds of remedies: entries that one may cost, and how often one rule is changed.
const (
	maxRemedyCost  = 4
	maxRemedies    = 16
	remedySteps    = 2000 // of settling, a try
	subtractBudget = 4000 // steps of package packet
)

// mended is a rule that is sent otherwise than its card says, so that the device keeps it in order with others.
type mended struct {
	way *way
	// leans holds rules that decide packets which the way leaves out: it is right only while they are carried beside it.
	leans []*reading
	times int
}

// native returns how FlowSpec carries card i.
func (pl *plane) native(i int32) *way {
	if m := pl.mended(i); m != nil {
		return m.way
	}
	return pl.cards[i].native
}

// pieces returns the sets of the routes of card i.
func (pl *plane) pieces(i int32) []packet.Set {
	if w := pl.native(i); w.rewritten {
		return w.pieces()
	}
	return []packet.Set{pl.cards[i].set}
}

// may says whether the operator allows a remedy on this device.
func (p *platform) may(remedy string) bool {
	if p.opt.Remedies == nil {
		return slices.Contains(DefaultRemedies, remedy)
	}
	return slices.Contains(p.opt.Remedies, remedy)
}

// offers says whether a remedy is open on this device: the operator allows it, and the profile has the facts that it needs.
func (pl *plane) offers(remedy string) bool {
	o := pl.limits.order
	known := o.Kind != "unknown"
	switch remedy {
	case RemedyChoose:
		known = known && o.ByReceivedOctets
	case RemedyPrefix:
		known = known && o.ByReceivedOctets && o.PrefixLever
	case RemedySteer:
		known = known && o.ByReceivedOctets && o.AlwaysFalse
	case RemedySubtract:
		known = true // what does not meet is right in any order
	}
	return known && pl.p.may(remedy)
}

// try is one remedy for one pair of rules.
type try struct {
	name  string
	card  int32 // that is changed
	other int32
	make  func(pl *plane, card, other int32) (parts [][]flowspec.Component, keep []int32, ok bool)
}

// tries returns the remedies for c, in order.
func (c conflict) tries() [6]try {
	return [...]try{
		{RemedyChoose, c.got, c.want, (*plane).descending}, {RemedyChoose, c.got, c.want, (*plane).wider},
		{RemedySubtract, c.got, c.want, (*plane).subtract},
		{RemedyPrefix, c.want, c.got, (*plane).levered},
		{RemedySplitOther, c.want, c.got, (*plane).guarded},
		{RemedySteer, c.got, c.want, (*plane).steered},
	}
}

// mend looks for a remedy for a conflict and applies the first that is proven. It says which card changed, or false.
func (pl *plane) mend(c conflict) (changed int32, ok bool) {
	if c.tangled || pl.spentOrder() {
		return 0, false
	}
	for n, t := range c.tries() {
		key := [3]int32{c.want, c.got, int32(n)}
		if pl.tried[key] || !pl.offers(t.name) {
			continue
		}
		if pl.tried == nil {
			pl.tried = make(map[[3]int32]bool)
		}
		pl.tried[key] = true
		pl.steps += remedySteps
		if pl.recall(n, t) {
			return t.card, true
		}
	}
	return 0, false
}

// mended returns how card i is sent otherwise than it says, or nil.
func (pl *plane) mended(i int32) *mended {
	if pl.notes == nil {
		return nil
	}
	return pl.notes[i].mended
}

// remedy makes what t says, proves it and takes it over. It says whether that went well.
func (pl *plane) remedy(t try) bool {
	old := pl.native(t.card)
	m := mended{times: 1}
	if last := pl.mended(t.card); last != nil {
		m.leans, m.times = slices.Clone(last.leans), last.times+1
	}
	if m.times > maxRemedies {
		return false
	}
	parts, keep, ok := t.make(pl, t.card, t.other)
	if !ok {
		return false
	}
	if t.name == RemedySubtract {
		m.leans = append(m.leans, pl.cards[t.other].reading)
	}
	if m.way, ok = pl.wayOf(t, old, parts, keep, m.leans); !ok {
		return false
	}
	if t.name != RemedySubtract && !pl.keepsOrder(t, m.way) {
		return false
	}
	pl.note(t.card).mended = &m
	return true
}

// wayOf builds and proves what a remedy makes of a rule: the routes of old that it keeps, and its new parts. What leans lists decides the packets that
// no piece has.
func (pl *plane) wayOf(t try, old *way, parts [][]flowspec.Component, keep []int32, leans []*reading) (*way, bool) {
	c := pl.cards[t.card]
	matches, err := pl.p.build(c, parts)
	if err != nil || anyTooLong(pl.p.native, matches) {
		return nil, false
	}
	f := *old.finding
	f.carried, f.rewritten = Rewritten, true
	out := way{finding: &f}
	var sets []packet.Set
	for _, k := range keep {
		out.routes, sets = append(out.routes, old.routes[k]), append(sets, pl.pieces(t.card)[k])
	}
	for _, m := range matches {
		if slices.ContainsFunc(out.routes, func(r device.Route) bool { return r.Match.Equal(m) }) {
			continue
		}
		out.routes, sets = append(out.routes, routeOf(c.rule, m, c.planned(old))), append(sets, m.Set())
	}
	cost := len(out.routes) - len(old.routes)
	switch {
	case cost > maxRemedyCost || limited(c) && len(out.routes) > 1:
		return nil, false
	case c.rule.Action.Continue && overlapping(sets):
		return nil, false
	case !c.keepsLead(out.routes) || !proveLeaning(c, sets, leans):
		return nil, false
	}
	if t.name != RemedySubtract { // which is right in any order
		pl.p.facts.add(&out.facts, pl.limits.order.Fact)
	}
	out.sets.Store(&sets)
	out.reasons = append(slices.Clip(old.reasons), pl.remedyReason(t, cost))
	return &out, true
}

// remedyReasons are what is said of a rule; the message lacks the other rule.
var remedyReasons = map[string]Reason{
	RemedyChoose:     {Code: "remedy-choose", Message: "its lists are written so that it stays behind rule %s"},
	RemedySubtract:   {Code: "remedy-subtract", Message: "what rule %s in front of it decides was taken out of it, so that their order no longer matters"},
	RemedyPrefix:     {Code: "remedy-prefix", Message: "a source of 0/0, which matches everything, keeps it in front of rule %s"},
	RemedySplitOther: {Code: "remedy-split-other", Message: "what it shares with rule %s got an entry of its own, which the device evaluates first"},
	RemedySteer:      {Code: "remedy-steer", Message: "a term that is never true keeps it behind rule %s"},
}

func (pl *plane) remedyReason(t try, cost int) Reason {
	what := "no entry more"
	switch {
	case cost == 1:
		what = "1 entry more"
	case cost > 1:
		what = fmt.Sprintf("%d entries more", cost)
	case cost == -1:
		what = "1 entry fewer"
	case cost < 0:
		what = fmt.Sprintf("%d entries fewer", -cost)
	}
	r := remedyReasons[t.name]
	r.Severity, r.Component, r.Source = Note, "order", pl.p.facts.source(pl.limits.order.Fact)
	r.Message = fmt.Sprintf(r.Message, pl.cards[t.other].rule.ID) + ": " + what
	return r
}

// overlapping says whether two of sets share a packet.
func overlapping(sets []packet.Set) bool {
	for i := range sets {
		for k := range i {
			if sets[i].Overlaps(sets[k]) {
				return true
			}
		}
	}
	return false
}

// proveLeaning says whether parts match nothing that the rule of c does not, and together with the rules of leans, which stand in front of it,
// everything that it does. Like prove it reads the sets from the octets that will be sent.
func proveLeaning(c *card, parts []packet.Set, leans []*reading) bool {
	all := slices.Clone(parts)
	for _, l := range leans {
		if l.rule.Action.Continue || flowspec.Compare(l.rule.Match, c.rule.Match) >= 0 {
			return false
		}
		all = append(all, l.set)
	}
	if left, done := c.set.Outside(proofSteps, all...); !done || exists(left) {
		return false
	}
	for _, s := range parts {
		if more, done := s.Outside(proofSteps, c.set); !done || exists(more) {
			return false
		}
	}
	return true
}

// keepsOrder says whether, with the changed card of t sent as w says, the rule in front is evaluated first wherever the two meet: a piece of
// it that has the packets of both stands above every piece of the rule behind.
func (pl *plane) keepsOrder(t try, w *way) bool {
	front, behind := w, pl.native(t.other)
	first, last := t.card, t.other
	if first > last {
		front, behind, first, last = behind, front, last, first
	}
	fronts, behinds := []packet.Set{pl.cards[first].set}, []packet.Set{pl.cards[last].set}
	if front.rewritten {
		fronts = front.pieces()
	}
	if behind.rewritten {
		behinds = behind.pieces()
	}
	for y := range behind.routes {
		both := behinds[y].And(pl.cards[first].set)
		var above []packet.Set
		for x := range front.routes {
			if flowspec.Compare(front.routes[x].Match, behind.routes[y].Match) < 0 {
				above = append(above, fronts[x])
			}
		}
		if exists(pl.outside(both, above)) {
			return false
		}
	}
	return true
}

// brokenLeans takes back remedies that rest on rules which FlowSpec does not carry any more. It says whether there were any.
func (pl *plane) brokenLeans() (changed bool) {
	if !slices.ContainsFunc(pl.notes, func(n note) bool { return n.mended != nil && n.mended.leans != nil }) {
		return false
	}
	gone := func(l *reading) bool {
		at, here := slices.BinarySearchFunc(pl.cards, l, func(c *card, l *reading) int { return compareReadings(c.reading, l) })
		return here && pl.state[at] != asNative
	}
	for i := range pl.notes {
		if m := pl.notes[i].mended; m != nil && slices.ContainsFunc(m.leans, gone) {
			pl.notes[i].mended, changed = nil, true
		}
	}
	return changed
}

// subtract takes what the rule other, in front, decides out of the pieces of card. The later rule never sees those packets.
func (pl *plane) subtract(card, other int32) (parts [][]flowspec.Component, keep []int32, ok bool) {
	c, minus := pl.cards[card], pl.cards[other].set
	if other > card || pl.cards[other].rule.Action.Continue {
		return nil, nil, false
	}
	f := c.rule.Match.Family()
	for k, piece := range pl.pieces(card) {
		if !piece.Overlaps(minus) {
			keep = append(keep, int32(k))
			continue
		}
		steps := subtractBudget
		left, done := piece.SubOn(&steps, minus)
		if !done {
			return nil, nil, false
		}
		if !exists(left) {
			continue
		}
		said, ok := split.Boxes(f, left)
		if !ok {
			return nil, nil, false
		}
		for _, components := range said {
			r, trouble := split.Parts(f, components, &pl.limits.limits, c.rule.Action.Continue)
			if trouble != nil {
				return nil, nil, false
			}
			parts = append(parts, r.Parts...)
		}
		if len(parts) > len(pl.native(card).routes)+maxRemedyCost {
			return nil, nil, false
		}
	}
	return parts, keep, true
}

// guarded gives the rule card, in front, an entry for what it shares with each piece of the rule other that would be evaluated before it.
func (pl *plane) guarded(card, other int32) (parts [][]flowspec.Component, keep []int32, ok bool) {
	c := pl.cards[card]
	if c.rule.Action.Continue || limited(c) {
		return nil, nil, false // it would be done twice, or have two policers
	}
	f := c.rule.Match.Family()
	mine := pl.native(card)
	for k := range mine.routes {
		keep = append(keep, int32(k))
	}
	behind := pl.native(other)
	for y, piece := range pl.pieces(other) {
		late := slices.ContainsFunc(mine.routes, func(r device.Route) bool { return flowspec.Compare(r.Match, behind.routes[y].Match) > 0 })
		if !late || !piece.Overlaps(c.set) {
			continue
		}
		said, ok := split.Boxes(f, piece.And(c.set))
		if !ok {
			return nil, nil, false
		}
		for _, components := range said {
			r, trouble := split.Parts(f, components, &pl.limits.limits, false)
			if trouble != nil {
				return nil, nil, false
			}
			parts = append(parts, r.Parts...)
		}
		if len(parts) > maxRemedyCost {
			return nil, nil, false
		}
	}
	return parts, keep, len(parts) > 0
}

// tellBenign says of rules whose pieces changed places with others that it has been proven to do no harm.
func (pl *plane) tellBenign() {
	done := make(map[int32]bool)
	for _, i := range pl.benign {
		if pl.state[i] != asNative || done[i] {
			continue
		}
		done[i] = true
		pl.say(i, pl.p.benign(pl.limits))
	}
}

// benign is what is said of a rule whose pieces changed places with others.
func (p *platform) benign(l *familyLimits) Reason {
	return Reason{Code: "remedy-benign", Severity: Note, Component: "order",
		Message: "the device evaluates a piece of it before a rule that should come first, or the other way round; every packet of both is decided by others in any case",
		Source:  p.facts.source(l.order.Fact)}
}
