package table

import (
	"cmp"
	"net/netip"
	"slices"
)

// A device lists its rules in an order of its own: where two rules are for different destinations, neither inside the other, it does not matter which comes first, and there are
// very many such orders. A comparison of two tables goes by how little their orders differ. So both are brought into one line first, where that changes nothing.

// fewest is how many entries a table has that is worth lining up.
const fewest = 64

// linedUp returns tables that decide every packet as want and got do, entry by entry, and whose entries come by destination in one order, if both allow it: where of two entries for different
// destinations that overlap the one for the smaller comes first, as the order of RFC 8955 has it. Then a packet meets, of all the entries, first those for the smallest destination
// that it is in, in their order, then those for the next, whatever stands between.
func linedUp(want, got Table) (Table, Table) {
	if min(len(want), len(got)) < fewest {
		return want, got
	}
	w, ok := byDestination(want)
	if !ok {
		return want, got
	}
	g, ok := byDestination(got)
	if !ok {
		return want, got
	}
	return w, g
}

// aim is the range of destinations of an entry.
type aim struct {
	version int // index in versions; -1: it matches nothing
	lo, hi  netip.Addr
	at      int
}

// compare orders ranges so that one inside another comes first, and entries of one range as they stand.
func (a aim) compare(b aim) int {
	return cmp.Or(a.version-b.version, a.hi.Compare(b.hi), b.lo.Compare(a.lo), a.at-b.at)
}

// byDestination returns t by destination; false: it cannot be brought into that order without deciding otherwise, or not without a closer look.
func byDestination(t Table) (Table, bool) {
	aims := make([]aim, len(t))
	for i := range t {
		a, ok := aimOf(&t[i], i)
		if !ok {
			return nil, false
		}
		aims[i] = a
	}
	slices.SortFunc(aims, aim.compare)
	if !smallestFirst(aims) {
		return nil, false
	}
	out := make(Table, len(t))
	for i, a := range aims {
		out[i] = t[a.at]
	}
	return out, true
}

// aimOf returns where packets go that e matches; false: it matches packets of both IP versions.
func aimOf(e *Entry, at int) (aim, bool) {
	a := aim{version: -1, at: at}
	for n, v := range versions {
		r, there := e.Match.Reach(v)
		if !there {
			continue
		}
		if a.version >= 0 {
			return a, false
		}
		a.version, a.lo, a.hi = n, r.DstLo, r.DstHi
	}
	return a, true
}

// smallestFirst says whether, of ranges that overlap, one always holds the other, and all entries of the smaller stand before all of the larger. aims are in their order.
func smallestFirst(aims []aim) bool {
	type group struct {
		aim
		last int // position of its last entry
	}
	var stack []group // ranges that may be inside one that is still to come, rightmost last
	for len(aims) > 0 {
		n := 1
		for n < len(aims) && aims[n].version == aims[0].version && aims[n].lo == aims[0].lo && aims[n].hi == aims[0].hi {
			n++
		}
		g := group{aims[0], aims[n-1].at}
		aims = aims[n:]
		if g.version < 0 {
			continue
		}
		if len(stack) > 0 && stack[0].version != g.version {
			stack = stack[:0]
		}
		for len(stack) > 0 && !stack[len(stack)-1].hi.Less(g.lo) {
			inner := stack[len(stack)-1]
			if inner.lo.Less(g.lo) || inner.last > g.at {
				return false
			}
			stack = stack[:len(stack)-1]
		}
		stack = append(stack, g)
	}
	return true
}
