package plan

import (
	"cmp"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// slot is one place in the order in which the device will evaluate.
type slot struct {
	match flowspec.Match
	owner int32 // card
	part  int32 // of the owner's pieces
}

// conflict is two rules that share packets, fare differently, and would be evaluated the wrong way round: first asked for, second got.
type conflict struct {
	want, got int32
	packets   packet.Set // packets that show it
	unknown   bool       // the order is not known; nothing was inverted
	tangled   bool       // not proven either way
}

// conflicts returns the conflicts among the rules that FlowSpec carries.
func (pl *plane) conflicts() []conflict {
	switch {
	case pl.limits == nil:
		return nil
	case pl.limits.order.Kind == "unknown":
		return pl.anyOrder()
	case pl.sweep == nil && !pl.anyRewritten():
		return nil // the order is the one that was asked for
	case pl.sweep == nil:
		pl.sweep = newSweep(pl)
	}
	return pl.sweep.conflicts()
}

// anyRewritten says whether FlowSpec carries some rule otherwise than it came.
func (pl *plane) anyRewritten() bool {
	for i := range pl.cards {
		if pl.state[i] == asNative && pl.native(int32(i)).rewritten {
			return true
		}
	}
	return false
}

// anyOrder returns the pairs that would go wrong in some order: all that overlap and fare differently. Of many, one for each rule is enough: the loop in settle
// comes back.
func (pl *plane) anyOrder() []conflict {
	pl.index()
	var out []conflict
	for i := range pl.cards {
		if pl.state[i] != asNative {
			continue
		}
		a := int32(i)
		pl.near(a, true, func(b int32) bool {
			if pl.state[b] != asNative || b < a && len(out) < mostConflicts {
				return true // where all are listed, those with b before a are there
			}
			c, wrong := pl.collide(min(a, b), max(a, b))
			if !wrong {
				return true
			}
			if _, ok := pl.mend(c); ok {
				pl.mendedAny = true
				return true
			}
			out = append(out, c)
			return len(out) < mostConflicts
		})
	}
	return out
}

// collide returns the conflict of two rules, want before got, some of whose routes share a packet: unless the device was seen to look at those of want first.
func (pl *plane) collide(want, got int32) (c conflict, wrong bool) {
	c = conflict{want: want, got: got, unknown: true}
	measured := pl.p.opt.Measured
	if measured == nil && !pl.native(want).rewritten && !pl.native(got).rewritten {
		return c, pl.meets(want, got)
	}
	if !pl.meets(want, got) {
		return c, false
	}
	xs, ys := pl.pieces(want), pl.pieces(got)
	for i, x := range xs {
		for j, y := range ys {
			if !pl.overlap(x, y) {
				continue
			}
			order, known := measured.Compare(pl.native(want).routes[i].Match, pl.native(got).routes[j].Match)
			if !known {
				return conflict{want: want, got: got, unknown: true}, true
			}
			if order > 0 {
				c.unknown, wrong = false, true
				c.packets = x.And(y)
			}
		}
	}
	return c, wrong
}

// before orders slots as the device does; of equal NLRIs only that of the earlier rule is sent.
func before(a, b slot) int {
	return cmp.Or(flowspec.Compare(a.match, b.match), cmp.Compare(a.owner, b.owner))
}
