package bgp

import (
	"cmp"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/core/admit"
	"github.com/sluice-gateway/sluice/core/flowspec"
)

// Whatever paths come and go: what was told last of an NLRI is its best path, and nothing where it has none.
func TestBestOfSeveralPaths(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		type path struct {
			id   uint32
			pref uint32
			old  bool
		}
		ps, all, told := paths{}, map[byte][]path{}, map[byte]uint32{} // told: LOCAL_PREF of what was announced
		host := func() byte { return byte(rapid.IntRange(1, 2).Draw(rt, "host")) }
		rule := func(h byte) flowspec.Rule {
			m, err := flowspec.ParseNLRI(flowspec.IPv4, []byte{6, 1, 32, 10, 0, 0, h})
			if err != nil {
				rt.Fatal(err)
			}
			return flowspec.Rule{Match: m}
		}
		take := func(list []chosen) {
			for _, c := range list {
				for _, m := range c.event.Withdraw {
					c, _ := m.Component(flowspec.DstPrefix)
					delete(told, c.Prefix.Addr.As4()[3])
				}
				for _, r := range c.event.Announce {
					m, _ := r.Match.Component(flowspec.DstPrefix)
					told[m.Prefix.Addr.As4()[3]] = c.path.LocalPref
				}
			}
		}
		again := false
		for range rapid.IntRange(1, 20).Draw(rt, "steps") {
			h, id := host(), uint32(rapid.IntRange(1, 3).Draw(rt, "id"))
			switch rapid.IntRange(0, 5).Draw(rt, "step") {
			case 0, 1, 2:
				p := path{id: id, pref: uint32(rapid.IntRange(1, 3).Draw(rt, "pref"))}
				all[h] = append(slices.DeleteFunc(all[h], func(q path) bool { return q.id == id }), p)
				take(ps.announce(id, rule(h), admit.Path{LocalPref: p.pref}))
			case 3:
				all[h] = slices.DeleteFunc(all[h], func(q path) bool { return q.id == id })
				take(ps.withdraw(id, rule(h).Match))
			case 4:
				again = true
				for h := range all {
					for i := range all[h] {
						all[h][i].old = true
					}
				}
				ps.again(flowspec.IPv4)
			case 5:
				if !again {
					continue
				}
				again = false
				for h := range all {
					all[h] = slices.DeleteFunc(all[h], func(q path) bool { return q.old })
					if len(all[h]) == 0 {
						delete(told, h) // the RIB sweeps it
					}
				}
				take(ps.ended(flowspec.IPv4))
			}
			for _, h := range []byte{1, 2} {
				pref, there := told[h]
				if there != (len(all[h]) > 0) {
					rt.Fatalf("of %d was told: %v, and it has %v", h, there, all[h])
				}
				if !there {
					continue
				}
				best := slices.MinFunc(all[h], func(a, b path) int { return cmp.Or(cmp.Compare(b.pref, a.pref), cmp.Compare(a.id, b.id)) })
				if pref != best.pref {
					rt.Fatalf("of %d was told preference %d, of %v", h, pref, all[h])
				}
			}
		}
	})
}
