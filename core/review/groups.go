package review

import (
	"math/bits"
	"slices"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// group is the rules for one prefix: a run of the table. Rules without a prefix are one group, and so is each rule whose prefix has an offset.
// Groups are made by destination, and, inside a large one, by source.
type group struct {
	first, end int // its rules
	block      int // where the rules for more specific prefixes begin; first where there are none
	parent     int // the group of the next shorter prefix that holds it, or of the rules without one; -1 for none
	prefix     flowspec.Prefix
	prefixed   bool
	free       bool    // some address of the prefix is in no more specific one
	covered    part128 // of the prefix by more specific ones
	*inside
}

// inside is the order within a large group; nil of a small one.
type inside struct {
	subs       []group         // by source prefix
	byProtocol map[int][]int32 // rules that may match a protocol, for each that some rule names
	loose      []int32         // rules that name none, or several
}

// large is how many rules make a group that is looked through by source prefix and by protocol.
const large = 8

// anyProtocol stands for more than one.
const anyProtocol = -1

// protocol returns the one protocol that m names.
func protocol(m flowspec.Match) int {
	c, ok := m.Component(flowspec.Protocol)
	if !ok {
		return anyProtocol
	}
	if v := c.Values(); len(v) == 1 && v[0].Lo == v[0].Hi {
		return int(v[0].Lo)
	}
	return anyProtocol
}

// divide divides g by source prefix and by protocol, where it is large.
func (g *group) divide(rules []flowspec.Rule, large int) {
	if g.end-g.first < large {
		return
	}
	g.inside = &inside{subs: section(nil, rules, g.first, g.end, flowspec.SrcPrefix), byProtocol: map[int][]int32{}}
	for i := g.first; i < g.end; i++ {
		if p := protocol(rules[i].Match); p != anyProtocol {
			g.byProtocol[p] = append(g.byProtocol[p], int32(i))
		} else {
			g.loose = append(g.loose, int32(i))
		}
	}
	for p, list := range g.byProtocol {
		list = append(list, g.loose...)
		slices.Sort(list)
		g.byProtocol[p] = list
	}
}

// each yields the rules of g that may match packets of protocol p, in order.
func (g *group) each(p int, yield func(int) bool) bool {
	if g.inside == nil || p == anyProtocol {
		for j := g.first; j < g.end; j++ {
			if !yield(j) {
				return false
			}
		}
		return true
	}
	list, named := g.byProtocol[p]
	if !named {
		list = g.loose
	}
	for _, j := range list {
		if !yield(int(j)) {
			return false
		}
	}
	return true
}

// sub returns which of the subs of a large g rule i is in.
func (g *group) sub(i int) int {
	n, found := slices.BinarySearchFunc(g.subs, i, func(s group, i int) int { return s.first - i })
	if !found {
		n--
	}
	return n
}

// grouped returns the groups of rules, and the group of each rule.
func grouped(rules []flowspec.Rule, large int) (groups []group, of []int32) {
	of, groups = make([]int32, len(rules)), make([]group, 0, len(rules))
	for lo := 0; lo < len(rules); {
		hi := lo + 1
		for hi < len(rules) && sameTable(rules[lo].Match, rules[hi].Match) {
			hi++
		}
		groups = section(groups, rules, lo, hi, flowspec.DstPrefix)
		lo = hi
	}
	for g := range groups {
		groups[g].divide(rules, large)
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

// section appends to out the groups of rules[lo:hi], which are one table, or have one destination, by their prefixes of type t.
func section(out []group, rules []flowspec.Rule, lo, hi int, t flowspec.Type) []group {
	base := len(out)
	for i := lo; i < hi; {
		g := group{first: i, block: i, parent: -1, free: true}
		var c flowspec.Component
		c, g.prefixed = rules[i].Match.Component(t)
		g.prefix = c.Prefix
		for i++; i < hi; i++ {
			next, has := rules[i].Match.Component(t)
			if has != g.prefixed || next.Prefix != g.prefix || g.prefix.Offset > 0 {
				break
			}
		}
		g.end = i
		out = append(out, g)
	}
	nest(out[base:], base)
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

// follow yields the groups behind groups[g] whose rules may share packets with its rules, in order: shorter prefixes that hold its own, prefixes
// with offsets, rules without a prefix. All groups of one table are in it, from some group up to the first for which same is false.
func follow(groups []group, g int, same func(*group) bool, yield func(*group) bool) bool {
	last := g
	for up := groups[g].parent; up >= 0 && groups[up].prefixed; up = groups[up].parent { // prefixes with offsets come before those without one
		if last = up; !yield(&groups[up]) {
			return false
		}
	}
	lo, hi := last, len(groups) // the first group that is not plain: up to there all are of this table
	for lo < hi {
		mid := (lo + hi) / 2
		if o := &groups[mid]; same(o) && o.prefixed && o.prefix.Offset == 0 {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	for n := max(last+1, lo); n < len(groups) && same(&groups[n]); n++ {
		if !yield(&groups[n]) {
			return false
		}
	}
	return true
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
