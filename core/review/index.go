package review

import (
	"iter"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// Index finds the rules of a table that may share packets with one of them. It is not changed once it is made.
type Index struct {
	rules  []flowspec.Rule
	sets   []packet.Set
	groups []group
	of     []int32 // group of each rule
}

// NewIndex makes an index of rules, which come in the order of flowspec.Compare.
func NewIndex(rules []flowspec.Rule) *Index { return newIndex(rules, large) }

func newIndex(rules []flowspec.Rule, large int) *Index {
	x := &Index{rules: rules, sets: make([]packet.Set, len(rules))}
	for i := range rules {
		x.sets[i] = rules[i].Match.Set()
	}
	x.groups, x.of = grouped(rules, large)
	return x
}

// Set returns the packets that rule i matches.
func (x *Index) Set(i int) packet.Set { return x.sets[i] }

// Above yields the rules above i that may share packets with it, in order.
func (x *Index) Above(i int) iter.Seq[int] {
	return func(yield func(int) bool) {
		g := &x.groups[x.of[i]]
		for l := g.block; l < i; l++ {
			if l == g.first && g.inside != nil {
				l = g.subs[g.sub(i)].block
			}
			if l < i && !yield(l) {
				return
			}
		}
	}
}

// above returns the first rule that has a say in what reaches rule i.
func (x *Index) above(i int) int {
	g := &x.groups[x.of[i]]
	if !g.free {
		return g.block
	}
	if g.inside == nil {
		return g.first
	}
	return g.subs[g.sub(i)].block
}

// Below yields the rules below i that may share packets with it, in order.
func (x *Index) Below(i int) iter.Seq[int] {
	return func(yield func(int) bool) {
		me, p := x.rules[i].Match, protocol(x.rules[i].Match)
		own := &x.groups[x.of[i]]
		rest := own.end
		if own.inside != nil {
			rest = own.subs[own.sub(i)].end
		}
		for j := i + 1; j < rest; j++ {
			if !yield(j) {
				return
			}
		}
		each := func(g *group) bool { return g.each(p, yield) }
		if own.inside != nil && !follow(own.subs, own.sub(i), func(*group) bool { return true }, each) {
			return
		}
		follow(x.groups, int(x.of[i]), func(g *group) bool { return sameTable(me, x.rules[g.first].Match) }, each)
	}
}
