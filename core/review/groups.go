package review

import (
	"math/bits"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/table"
)

// group is the rules for one destination prefix: a run of the table. Rules without a destination are one group, and so is each rule whose
// prefix has an offset.
type group struct {
	first, end int  // its rules
	block      int  // where the rules for more specific destinations begin; first where there are none
	parent     int  // the group of the next shorter prefix that holds it; -1 for none
	free       bool // some address of the prefix is in no more specific one
	prefix     flowspec.Prefix
	prefixed   bool
	covered    part128                 // of the prefix by more specific ones
	byDo       map[table.Outcome][]int // rules of a large group by what they do; nil of a small one
}

// above returns the first rule that has a say in what reaches a rule of g.
func (g *group) above() int {
	if g.free {
		return g.first
	}
	return g.block
}

// sort fills byDo.
func (g *group) sort(x *reviewer) {
	if g.end-g.first < 8 {
		return // looked through as quickly
	}
	g.byDo = map[table.Outcome][]int{}
	for i := g.first; i < g.end; i++ {
		if x.does[i].Policer == "" { // nobody asks for the others
			g.byDo[x.does[i]] = append(g.byDo[x.does[i]], i)
		}
	}
}

// grouped returns the groups of rules, and the group of each rule.
func grouped(rules []flowspec.Rule) (groups []group, of []int32) {
	of = make([]int32, len(rules))
	for lo := 0; lo < len(rules); {
		hi := lo + 1
		for hi < len(rules) && sameTable(rules[lo].Match, rules[hi].Match) {
			hi++
		}
		groups = append(groups, section(rules, lo, hi, len(groups))...)
		lo = hi
	}
	for g := range groups {
		for i := groups[g].first; i < groups[g].end; i++ {
			of[i] = int32(g)
		}
	}
	return groups, of
}

// sameTable says whether rules with these matches can meet: they are of one family, and of one VPN.
func sameTable(a, b flowspec.Match) bool {
	return a.Family() == b.Family() && (!a.Family().VPN() || a.RD() == b.RD())
}

// section returns the groups of one table, rules[lo:hi]. base is the number of its first group.
func section(rules []flowspec.Rule, lo, hi, base int) []group {
	var out []group
	for i := lo; i < hi; {
		g := group{first: i, block: i, parent: -1, free: true}
		var c flowspec.Component
		c, g.prefixed = rules[i].Match.Component(flowspec.DstPrefix)
		g.prefix = c.Prefix
		for i++; i < hi; i++ {
			next, has := rules[i].Match.Component(flowspec.DstPrefix)
			if has != g.prefixed || next.Prefix != g.prefix || g.prefix.Offset > 0 {
				break
			}
		}
		g.end = i
		out = append(out, g)
	}
	nest(out, base)
	return out
}

// nest finds the parent of each group, and whether its prefix has a free address. Groups come in the order of the table: more specific ones first,
// rules without a destination last, those with an offset before them.
func nest(groups []group, base int) {
	var open []int // groups without a parent yet
	offsets := false
	for n := range groups {
		g := &groups[n]
		if g.prefixed && g.prefix.Offset > 0 { // may meet anything
			offsets = true
			g.block, g.free = groups[0].first, false
			continue
		}
		for len(open) > 0 && g.holds(&groups[open[len(open)-1]]) {
			child := &groups[open[len(open)-1]]
			open = open[:len(open)-1]
			child.parent, g.block = base+n, min(g.block, child.block)
			g.covered.add(int(child.prefix.Len) - int(g.prefix.Len))
		}
		g.free = !g.covered.all
		open = append(open, n)
	}
	if !offsets {
		return
	}
	for n := range groups { // such a rule has a part of another's destinations
		groups[n].free = false
		if !groups[n].prefixed {
			groups[n].block = groups[0].first
		}
	}
}

// holds says whether every address of c is one of g.
func (g *group) holds(c *group) bool {
	if !g.prefixed {
		return true
	}
	return c.prefix.Offset == 0 && c.prefix.Len >= g.prefix.Len && leading(g.prefix, c.prefix) >= int(g.prefix.Len)
}

// leading returns how many leading bits the addresses of a and b share.
func leading(a, b flowspec.Prefix) int {
	x, y := a.Addr.AsSlice(), b.Addr.AsSlice()
	for i := range x {
		if d := x[i] ^ y[i]; d != 0 {
			return 8*i + bits.LeadingZeros8(d)
		}
	}
	return 8 * len(x)
}

// part128 adds up disjoint parts of a whole, each a power of one half, exactly.
type part128 struct {
	hi, lo uint64
	all    bool
}

// add adds one part in 2^k.
func (p *part128) add(k int) {
	var hi, lo, carry uint64
	switch {
	case k == 0:
		p.all = true
		return
	case k <= 64:
		hi = 1 << (64 - k)
	default:
		lo = 1 << (128 - k)
	}
	p.lo, carry = bits.Add64(p.lo, lo, 0)
	p.hi, carry = bits.Add64(p.hi, hi, carry)
	p.all = p.all || carry > 0
}
