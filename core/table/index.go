package table

import (
	"net/netip"
	"slices"

	"github.com/sluice-gateway/sluice/core/packet"
)

// index finds the entries of a table that may match packets of a set, by address: entries that name a destination stand in a tree by
// destination, the others in a tree by source. Rules mostly protect single addresses, so few entries remain.
type index struct {
	dst, src [2]tree // by IP version
}

// tree is an interval tree laid out in sorted order: the root of a slice is its middle, and highest holds for each root the
// highest end of its slice.
type tree struct {
	ranges  []addrRange
	highest []netip.Addr
}

type addrRange struct {
	lo, hi netip.Addr
	entry  int
}

var versions = [2]packet.Version{packet.IPv4, packet.IPv6}

func newIndex(t Table, which []int) *index {
	ix := &index{}
	for _, i := range which {
		for n, v := range versions {
			r, ok := t[i].Match.Reach(v)
			if !ok {
				continue
			}
			if everywhere(r.DstLo, r.DstHi, v) {
				ix.src[n].ranges = append(ix.src[n].ranges, addrRange{r.SrcLo, r.SrcHi, i})
			} else {
				ix.dst[n].ranges = append(ix.dst[n].ranges, addrRange{r.DstLo, r.DstHi, i})
			}
		}
	}
	for n := range versions {
		ix.dst[n].build()
		ix.src[n].build()
	}
	return ix
}

func everywhere(lo, hi netip.Addr, v packet.Version) bool {
	least, most, _ := packet.Addrs{}.Hull(v)
	return lo == least && hi == most
}

func (tr *tree) build() {
	slices.SortFunc(tr.ranges, func(a, b addrRange) int {
		if c := a.lo.Compare(b.lo); c != 0 {
			return c
		}
		return a.entry - b.entry
	})
	tr.highest = make([]netip.Addr, len(tr.ranges))
	var fill func(from, to int) netip.Addr
	fill = func(from, to int) netip.Addr {
		if from >= to {
			return netip.Addr{} // lower than any address
		}
		mid := (from + to) / 2
		most := tr.ranges[mid].hi
		for _, a := range []netip.Addr{fill(from, mid), fill(mid+1, to)} {
			if most.Less(a) {
				most = a
			}
		}
		tr.highest[mid] = most
		return most
	}
	fill(0, len(tr.ranges))
}

// find appends the entries of tr[from:to] whose range meets lo..hi.
func (tr *tree) find(lo, hi netip.Addr, from, to int, out []int) []int {
	for from < to {
		mid := (from + to) / 2
		if tr.highest[mid].Less(lo) {
			return out
		}
		out = tr.find(lo, hi, from, mid, out)
		if hi.Less(tr.ranges[mid].lo) {
			return out
		}
		if !tr.ranges[mid].hi.Less(lo) {
			out = append(out, tr.ranges[mid].entry)
		}
		from = mid + 1
	}
	return out
}

// near returns, ascending, the entries whose addresses allow them to match a packet of s. It appends to out[:0].
func (ix *index) near(s packet.Set, out []int) []int {
	out = out[:0]
	for n, v := range versions {
		r, ok := s.Reach(v)
		if !ok {
			continue
		}
		out = ix.dst[n].find(r.DstLo, r.DstHi, 0, len(ix.dst[n].ranges), out)
		out = ix.src[n].find(r.SrcLo, r.SrcHi, 0, len(ix.src[n].ranges), out)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
