package plan

import (
	"fmt"
	"slices"

	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/table"
)

// state is how a rule is carried, as far as is known.
type state uint8

const (
	asNothing  state = iota + 1 // it matches no packet: nothing is sent
	asNative                    // by FlowSpec, as it came or in pieces
	asFilter                    // by entries of a filter
	asRejected                  // not at all
)

// alone says how a rule is carried that nothing else concerns.
func (p *platform) alone(c *card) state {
	switch {
	case c.nothing:
		return asNothing
	case c.native.ok():
		return asNative
	case p.filterWay(c).ok():
		return asFilter
	}
	return asRejected
}

// carried says whether the device treats the rule's packets as asked.
func (s state) carried() bool { return s == asNative || s == asFilter }

// settle decides how each rule of the plane is carried. It starts with what each rule could have by itself, and goes on until nothing is wrong:
// rules that must stay in order are carried by one mechanism, no two rules that share packets are evaluated the wrong way round, and nothing
// is filtered that nobody asked for. Rules only ever move from FlowSpec to the filter and from either to rejected, so it ends.
func (pl *plane) settle() {
	for i, c := range pl.cards {
		pl.state[i] = pl.p.alone(c)
	}
	for again := true; again && !pl.tangled; {
		again = pl.loseExceptions()
		again = pl.brokenLeans() || again
		pl.mendedAny = false
		if pl.gather(pl.conflicts()) || pl.mendedAny {
			again = true
		}
		again = pl.brokenLeans() || again
		again = again || !pl.proven()
	}
	pl.tellBenign()
}

// note returns what there is to say about card i.
func (pl *plane) note(i int32) *note {
	if pl.notes == nil {
		pl.notes = make([]note, len(pl.cards))
	}
	return &pl.notes[i]
}

// say adds a reason to what is said of card i.
func (pl *plane) say(i int32, r Reason) {
	n := pl.note(i)
	n.reasons = append(n.reasons, r)
}

// show gives card i its witness, unless it has one.
func (pl *plane) show(i int32, w *witnessed) {
	if n := pl.note(i); n.conflict == nil {
		n.conflict = w
	}
}

// reject takes card i out.
func (pl *plane) reject(i int32, r Reason) {
	pl.state[i] = asRejected
	pl.say(i, r)
}

// loseExceptions rejects rules that would filter what a rejected rule above them decided otherwise. It says whether it rejected any.
//
// A packet of a rejected rule falls to the next rule that matches it. Where that one is less severe, the packet is filtered less than
// asked: the plan is lenient, and says so. Where it is as severe or more, the packet would be treated in a way that nobody asked
// for, and the rule below goes as well.
func (pl *plane) loseExceptions() (changed bool) {
	for i := range pl.cards {
		if pl.state[i] != asRejected || pl.cards[i].rule.Action.Continue {
			continue // a rule that goes on decides nothing for those below it
		}
		pl.index()
		if pl.spent() {
			pl.giveUp()
			return true
		}
		for _, j := range pl.exposedNow(int32(i)) {
			pl.lose(int32(i), j.card, j)
			changed = true
		}
	}
	return pl.loseExposed() || changed
}

// giveUp rejects every rule that is still carried: what rests on a proof that takes too long is not delivered.
func (pl *plane) giveUp() {
	pl.tangled = true
	for i, s := range pl.state {
		if s.carried() {
			pl.reject(int32(i), tooEntangled(len(pl.cards)-1))
		}
	}
}

// tooEntangled is why a rule goes that overlaps others in too many ways.
func tooEntangled(others int) Reason {
	return Reason{Code: "too-entangled", Severity: Error, Component: "order",
		Message: fmt.Sprintf("it and %d other rules overlap each other in too many ways to prove what the device would do", others),
		Hint:    "make the rules for one destination disjoint, or give them one action"}
}

// lose rejects j because i was rejected.
func (pl *plane) lose(i, j int32, l loss) {
	pl.rejectExposed(j, pl.cards[i], l.witness)
	pl.show(i, l.witness)
}

// rejectExposed rejects j because c above it was rejected.
func (pl *plane) rejectExposed(j int32, c *card, w *witnessed) {
	pl.reject(j, Reason{Code: "exception-lost", Severity: Error, Component: "order",
		Message: fmt.Sprintf("rule %s above this one is not carried; without it this rule would %s packets that should be left to it (%s)",
			c.rule.ID, pl.cards[j].want, c.want),
		Hint: "put the rule above in a form that the device takes, or narrow this one"})
	pl.show(j, w)
}

// gather moves whole clusters to the filter where a member needs it, and rejects what stands in the way. It says whether it changed anything.
func (pl *plane) gather(wrong []conflict) (changed bool) {
	if len(wrong) == 0 && !slices.Contains(pl.state, asFilter) {
		return false
	}
	pl.index()
	if pl.p.filter == nil || !pl.p.may(RemedyFilter) {
		pl.resolveAll(wrong)
		if pl.p.filter == nil {
			return true
		}
		changed, wrong = len(wrong) > 0, nil
	}
	needed := make([]bool, len(pl.cards))
	for _, w := range wrong {
		needed[w.want], needed[w.got] = true, true
	}
	for _, members := range pl.clusters(len(pl.cards), func(i int32) bool { return needed[i] || pl.state[i] == asFilter }) {
		changed = pl.unite(members, wrong) || changed
	}
	return changed
}

// unite makes one cluster use one mechanism. It says whether it changed anything.
func (pl *plane) unite(members []int32, wrong []conflict) bool {
	var natives, only []int32 // carried by FlowSpec now; only in a filter
	for _, i := range members {
		if pl.state[i] == asNative {
			natives = append(natives, i)
		}
		if !pl.cards[i].native.ok() {
			only = append(only, i)
		}
	}
	inside := pl.inside(members, wrong)
	need := len(only) + len(inside)
	if len(natives) == 0 || need == 0 {
		return false
	}
	cannot := pl.noFilterTakes(members, need)
	switch {
	case len(cannot) == 0:
		pl.moveAll(natives, len(only) > 0)
	case len(cannot) <= need && pl.p.filter != nil && len(cannot) < len(members):
		// Fewer rules are lost when those go that no filter takes.
		for _, i := range cannot {
			pl.apart(i, "a filter", pl.p.filterWay(pl.cards[i]).refused)
		}
	default:
		for _, i := range only {
			pl.apart(i, "FlowSpec", pl.cards[i].native.refused)
		}
		pl.resolveAll(inside)
	}
	return true
}

// noFilterTakes returns which of members only FlowSpec can carry: all of them, or more than most. Most rules need no entries for that: what they ask for is refused.
func (pl *plane) noFilterTakes(members []int32, most int) (cannot []int32) {
	refused := 0
	for _, i := range members {
		if c := pl.cards[i]; c.native.ok() && pl.p.filterRefuses(c) {
			if refused++; refused > most {
				break
			}
		}
	}
	for _, i := range members {
		if c := pl.cards[i]; c.native.ok() && (refused > most && pl.p.filterRefuses(c) || refused <= most && !pl.p.filterWay(c).ok()) {
			if cannot = append(cannot, i); len(cannot) > most {
				break
			}
		}
	}
	return cannot
}

// inside returns the conflicts among members, each once.
func (pl *plane) inside(members []int32, wrong []conflict) (out []conflict) {
	if len(wrong) == 0 {
		return nil
	}
	in := make(map[int32]bool, len(members))
	for _, i := range members {
		in[i] = true
	}
	for _, w := range wrong {
		if in[w.want] {
			out = append(out, w)
		}
	}
	return out
}

// moveAll moves rules from FlowSpec to the filter.
func (pl *plane) moveAll(natives []int32, joined bool) {
	for _, i := range natives {
		pl.state[i] = asFilter
		r := Reason{Code: "moved-with-others", Severity: Note, Component: "order",
			Message: "the rule overlaps rules that go to the filter and fare differently, and must stay in order with them"}
		switch {
		case pl.again[i] && joined:
			r.Message = "the rule overlaps rules that go to the filter; a packet of both would meet this one again after the filter"
		case !joined:
			r.Message = "the device would not keep the rule in order with rules that it overlaps and that fare differently; a filter does"
			r.Source = pl.p.facts.source(pl.limits.order.Fact)
		}
		pl.say(i, r)
	}
}

// apart rejects card i, which needs another mechanism than the rules it must stay in order with.
func (pl *plane) apart(i int32, what string, why []Reason) {
	r := Reason{Code: "cluster-split", Severity: Error, Component: "order",
		Message: fmt.Sprintf("the rule overlaps rules that are carried otherwise and fare differently, and %s cannot carry it", what)}
	if len(why) > 0 {
		r.Message += ": " + why[0].Message
		r.Source = why[0].Source
		r.Hint = why[0].Hint
	}
	pl.reject(i, r)
}

// witnessed is a set of packets that the rules ask one thing for and the device would have done another.
type witnessed struct {
	want, got *card
	packets   packet.Set
	ready     *table.Difference // the whole answer, where there is one
}
