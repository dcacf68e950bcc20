package plan

import (
	"slices"

	"github.com/sluice-gateway/sluice/core/packet"
)

// heir is a rule that may get packets which a rejected rule above leaves to it, and treats them as badly as was asked or worse.
type heir struct {
	card int32
	// keepers are the rules that decide all these packets before it, where that was the answer when it was asked last. As long as they are carried, so it is: rules
	// only ever go, and these are the first that are asked for.
	keepers []int32
	asked   bool
}

// heirs returns the heirs of card i, in order: without tentative only those that are carried, for rules only ever go.
func (pl *plane) heirs(i int32, tentative bool) []heir {
	if out, ok := pl.heirsOf[i]; ok {
		return out
	}
	found := pl.keepers[:0]
	pl.below(i, false, func(j int32) bool {
		switch {
		case pl.cards[j].severity < pl.cards[i].severity:
		case !tentative && !pl.state[j].carried():
			pl.steps += overlapSteps // as if it were asked, so that the bound does not depend on who asked first
		case pl.meets(i, j):
			found = append(found, j)
		}
		return true
	})
	pl.keepers = found
	slices.Sort(found)
	out := make([]heir, len(found))
	for k, j := range found {
		out[k].card = j
	}
	if pl.heirsOf == nil {
		pl.heirsOf = make(map[int32][]heir)
	}
	pl.heirsOf[i] = out
	return out
}

// loss is a rule that must go because one above it went, with packets that show it.
type loss struct {
	card    int32
	witness *witnessed
}

// exposed returns the rules that treat packets of i worse than asked, now that i is rejected, which may be for the time being.
func (pl *plane) exposed(i int32) (out []loss) {
	for _, h := range pl.heirs(i, true) {
		if !pl.state[h.card].carried() {
			continue
		}
		if left, _ := pl.left(i, h.card); exists(left) {
			out = append(out, pl.lossTo(i, h.card, left))
		}
	}
	return out
}

// exposedNow is exposed, but for answers that stand since it was asked last. In between no rule came back.
func (pl *plane) exposedNow(i int32) (out []loss) {
	list := pl.heirs(i, false)
	for k := range list {
		h := &list[k]
		if !pl.state[h.card].carried() || h.asked && !slices.ContainsFunc(h.keepers, func(k int32) bool { return !pl.state[k].carried() }) {
			continue
		}
		left, keepers := pl.left(i, h.card)
		if exists(left) {
			out = append(out, pl.lossTo(i, h.card, left))
			continue
		}
		h.keepers, h.asked = slices.Clone(keepers), true
	}
	return out
}

func (pl *plane) lossTo(i, j int32, packets packet.Set) loss {
	return loss{j, &witnessed{want: pl.cards[i], got: pl.cards[j], packets: packets}}
}

// left returns packets of i and j that no carried rule above j decides, and the rules that were asked, but not more than the bound. Rules that go on decide nothing. The
// list is good until the next call.
func (pl *plane) left(i, j int32) (packet.Set, []int32) {
	base := pl.cards[i].set.And(pl.cards[j].set)
	pl.keepers, pl.kept = pl.keepers[:0], pl.kept[:0]
	pl.rising(i, j, func(k int32) bool {
		pl.steps += glanceSteps
		if c := pl.cards[k]; pl.state[k].carried() && !c.rule.Action.Continue && pl.at[k].near(&pl.at[j]) && pl.overlap(c.set, base) {
			pl.keepers, pl.kept = append(pl.keepers, k), append(pl.kept, c.set)
		}
		return len(pl.keepers) < entangled
	})
	return pl.outside(base, pl.kept), pl.keepers
}

// rising calls visit with the cards before limit, but i, that may share a packet with i, in order, until visit returns false.
func (pl *plane) rising(i, limit int32, visit func(int32) bool) {
	me := &pl.at[i]
	try := func(j int32) bool {
		return j < limit && (j == i || !me.near(&pl.at[j]) || visit(j))
	}
	run := func(lo, hi int32) bool {
		for j := lo; j < hi; j++ {
			if j%64 == 0 {
				pl.steps += glanceSteps
			}
			if !try(j) {
				return false
			}
		}
		return true
	}
	if i >= pl.loose {
		if !pl.tracts()[0].near(pl, me, try) {
			return
		}
	} else {
		for g := pl.group[i]; g >= 0; g = pl.groups[g].parent {
			lo := pl.groups[g].lo
			if g == pl.group[i] {
				lo = pl.groups[g].first
			}
			if !run(lo, pl.groups[g].hi) {
				return
			}
		}
	}
	pl.tracts()[1].near(pl, me, try)
}
