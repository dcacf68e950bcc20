package verify

import (
	"cmp"
	"slices"

	"github.com/sluice-gateway/sluice/core/packet"
)

// meeting calls visit with every x of a and y of b that may share a packet: whose destinations meet, or whose sources do where fewer of those are open.
func (k *checker) meeting(a, b []*entry, visit func(x, y *entry) error) error {
	if len(a) == 0 || len(b) == 0 {
		return nil
	}
	type side struct {
		*entry
		reach packet.Reach
		list  int
	}
	var all []side
	open := 0 // destinations that are, less sources
	for n, list := range [][]*entry{a, b} {
		for _, e := range list {
			for _, v := range []packet.Version{packet.IPv4, packet.IPv6} {
				if r, ok := e.set.Reach(v); ok {
					all = append(all, side{e, r, n})
					if r.DstLo.IsUnspecified() {
						open++
					}
					if r.SrcLo.IsUnspecified() {
						open--
					}
				}
			}
		}
	}
	if open > 0 {
		for i := range all {
			r := &all[i].reach
			r.DstLo, r.DstHi = r.SrcLo, r.SrcHi
		}
	}
	slices.SortFunc(all, func(x, y side) int { return x.reach.DstLo.Compare(y.reach.DstLo) })
	var active [2][]side
	for _, s := range all {
		kept := active[1-s.list][:0]
		for _, o := range active[1-s.list] {
			if o.reach.DstHi.Less(s.reach.DstLo) {
				continue
			}
			kept = append(kept, o)
			x, y := s, o
			if s.list == 1 {
				x, y = o, s
			}
			if err := cmp.Or(k.step(), visit(x.entry, y.entry)); err != nil {
				return err
			}
		}
		active[1-s.list], active[s.list] = kept, append(active[s.list], s)
	}
	return nil
}
