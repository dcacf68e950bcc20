package plan

import (
	"net/netip"
	"slices"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/plan/split"
)

// Levers: remedies that change the octets of a rule and not what it matches, so that it sorts otherwise. They are of use only where a sourced fact says
// that the device sorts the octets that it received.

// rewrittenBy returns the parts of card after change of their components. ok is false when nothing changed or the device would not take it.
func (pl *plane) rewrittenBy(card int32, change func([]flowspec.Component) []flowspec.Component) (parts [][]flowspec.Component, keep []int32, ok bool) {
	w := pl.native(card)
	for k := range w.routes {
		var before []flowspec.Component
		for c := range w.routes[k].Match.All() {
			before = append(before, c)
		}
		after := change(before)
		if after == nil {
			keep = append(keep, int32(k))
			continue
		}
		parts = append(parts, after)
	}
	return parts, keep, len(parts) > 0
}

// fitting returns components when the device takes them, else nil.
func (pl *plane) fitting(f flowspec.Family, components []flowspec.Component) []flowspec.Component {
	if !split.Fits(f, components, &pl.limits.limits) {
		return nil
	}
	return components
}

// descending writes the lists of card with the largest values first: they sort behind those that begin with small ones.
func (pl *plane) descending(card, _ int32) ([][]flowspec.Component, []int32, bool) {
	f := pl.cards[card].rule.Match.Family()
	return pl.rewrittenBy(card, func(list []flowspec.Component) []flowspec.Component {
		changed := false
		for i := range list {
			if list[i].Type <= flowspec.SrcPrefix || list[i].Type.Bitmask() {
				continue
			}
			var groups [][]flowspec.Term
			for _, t := range list[i].Terms {
				if !t.And || len(groups) == 0 {
					groups = append(groups, nil)
				}
				groups[len(groups)-1] = append(groups[len(groups)-1], t)
			}
			if len(groups) > 1 {
				slices.Reverse(groups)
				list[i].Terms, changed = slices.Concat(groups...), true
			}
		}
		if !changed {
			return nil
		}
		return pl.fitting(f, list)
	})
}

// wider writes the values of card in two octets: the operator of such a value sorts behind that of a value in one.
func (pl *plane) wider(card, _ int32) ([][]flowspec.Component, []int32, bool) {
	f := pl.cards[card].rule.Match.Family()
	return pl.rewrittenBy(card, func(list []flowspec.Component) []flowspec.Component {
		changed := false
		for i := range list {
			if list[i].Type <= flowspec.SrcPrefix {
				continue
			}
			terms := slices.Clone(list[i].Terms)
			for k := range terms {
				if terms[k].Width < 2 && list[i].Type.Max() > 0xff {
					terms[k].Width, changed = 2, true
				}
			}
			list[i].Terms = terms
		}
		if !changed {
			return nil
		}
		return pl.fitting(f, list)
	})
}

// levered gives the pieces of card a source of 0/0: a rule with a source sorts in front of one without.
func (pl *plane) levered(card, other int32) ([][]flowspec.Component, []int32, bool) {
	m := pl.cards[card].rule.Match
	if m.Has(flowspec.SrcPrefix) || pl.cards[other].rule.Match.Has(flowspec.SrcPrefix) || !m.Has(flowspec.DstPrefix) {
		return nil, nil, false
	}
	every := flowspec.Component{Type: flowspec.SrcPrefix, Prefix: flowspec.Prefix{Addr: netip.IPv4Unspecified()}}
	if m.Family().Version() == packet.IPv6 {
		every.Prefix.Addr = netip.IPv6Unspecified()
	}
	return pl.rewrittenBy(card, func(list []flowspec.Component) []flowspec.Component {
		return pl.fitting(m.Family(), slices.Insert(list, 1, every))
	})
}

// steered puts a term that is never true in front of the first list of card, in two octets: it matches nothing more, and sorts behind lists that begin with a
// value in one octet.
func (pl *plane) steered(card, _ int32) ([][]flowspec.Component, []int32, bool) {
	if card > 0xffff {
		return nil, nil, false
	}
	return pl.rewrittenBy(card, func(list []flowspec.Component) []flowspec.Component {
		for i := range list {
			if list[i].Type <= flowspec.SrcPrefix || list[i].Type.Bitmask() {
				continue
			}
			if list[i].Terms[0].Op == flowspec.False {
				return nil
			}
			never := flowspec.Term{Op: flowspec.False, Value: uint64(card), Width: 2}
			list[i].Terms = append([]flowspec.Term{never}, list[i].Terms...)
			return list
		}
		return nil
	})
}
