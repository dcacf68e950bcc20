package proof_test

import (
	"slices"
	"testing"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/core/rulegen"
	"github.com/sluice-gateway/sluice/core/table"
	"github.com/sluice-gateway/sluice/profiles"
)

// beside returns the steps, in order, whose destinations and sources have an address in common with those of m.
func beside(steps []step, m *matcher) (out []step) {
	for i := range steps {
		if near(&steps[i].matcher, m) {
			out = append(out, steps[i])
		}
	}
	return out
}

func near(a, b *matcher) bool {
	for i := range a.conditions {
		for k := range b.conditions {
			x, y := &a.conditions[i], &b.conditions[k]
			if x.typ != y.typ || x.typ > flowspec.SrcPrefix {
				continue
			}
			for w := range x.bits {
				if (x.bits[w]^y.bits[w])&x.mask[w]&y.mask[w] != 0 {
					return false
				}
			}
		}
	}
	return true
}

// insideEach calls try with packets inside each rule, half of them inside another one that has addresses in common with it as well. It is
// given the steps of want and got that have a say.
func insideEach(d *draw, f flowspec.Family, want, got []step, each int, try func(h packet.Header, want, got []step)) {
	for i := range want {
		m := &want[i].matcher
		w, g := beside(want, m), beside(got, m)
		other := &w[d.IntN(len(w))].matcher
		c := cornersOf(f, []*matcher{m, other})
		alone, both := c.inside(m), c.inside(m, other)
		for n := range each {
			o := alone
			if n%2 == 0 {
				o = both
			}
			try(o.packet(d, f), w, g)
		}
	}
}

// naive splits every rule by itself, as a script would: lists into five values, `port` into a list for either direction. The pieces are sorted
// as a router sorts them. Pieces of one rule keep one bucket here, so that whatever goes wrong is a matter of order.
func naive(t testing.TB, l lines) (out lines) {
	t.Helper()
	for _, one := range l {
		for _, parts := range naiveParts(slices.Collect(one.match.All())) {
			m, err := flowspec.NewMatch(one.match.Family(), flowspec.RD{}, parts...)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, line{m, one.do, one.goesOn})
		}
	}
	slices.SortStableFunc(out, func(a, b line) int { return precedes(a.match, b.match) })
	return out
}

func naiveParts(all []flowspec.Component) [][]flowspec.Component {
	const most = 5
	for i, c := range all {
		if c.Type == flowspec.Port {
			all = slices.Clone(all)
			all[i].Type = flowspec.DstPort
			bySrc := slices.Clone(all)
			bySrc[i].Type = flowspec.SrcPort
			return append(naiveParts(all), naiveParts(bySrc)...)
		}
		groups := groupsOf(c.Terms)
		if len(groups) <= most {
			continue
		}
		head, tail := slices.Clone(all), slices.Clone(all)
		head[i].Terms, tail[i].Terms = slices.Concat(groups[:most]...), slices.Concat(groups[most:]...)
		return append(naiveParts(head), naiveParts(tail)...)
	}
	return [][]flowspec.Component{all}
}

// Splitting every rule of a network's table by itself treats packets wrongly. The prover sees it in the whole table, and destination by destination
// wherever a packet tells.
func TestNaiveSplittingOfATableIsCaught(t *testing.T) {
	t.Parallel()
	for _, f := range []flowspec.Family{flowspec.IPv4, flowspec.IPv6} {
		t.Run(f.String(), func(t *testing.T) {
			t.Parallel()
			d := newDraw(t, 7)
			want := linesOf(rulegen.Mix(f, 2000, 7))
			got := naive(t, want)
			if diff := table.Diff(want.table(), got.table()); diff == nil || diff.Unproven {
				t.Fatalf("the prover says %v", diff)
			}
			tested, wrong := 0, 0
			told := map[string]packet.Header{}
			var p probe
			var w, g [8]deed
			insideEach(d, f, want.steps(), got.steps(), scaled(30), func(h packet.Header, ws, gs []step) {
				tested++
				p.read(h)
				wanted, _ := treat(ws, &p, w[:0])
				gotten, _ := treat(gs, &p, g[:0])
				if !alike(wanted, gotten, 0) || len(wanted) > 0 && wanted[0].bucket != gotten[0].bucket {
					wrong++
					told[h.Dst.String()] = h
				}
			})
			for _, h := range told {
				if diff := table.Diff(only(h, want), only(h, got)); diff == nil || diff.Unproven {
					t.Errorf("packet %s fares otherwise, and about its destination the prover says %v", h, diff)
				}
			}
			t.Logf("%d of %d packets (%.2f %%) fare otherwise, to %d destinations; %d lines for %d rules", wrong, tested, 100*float64(wrong)/float64(tested), len(told), len(got), len(want))
			if wrong*1000 < tested {
				t.Error("hardly a packet fares otherwise: the test sees nothing")
			}
		})
	}
}

// only is what l does to packets for the destination of h. Others are accepted.
func only(h packet.Header, l lines) table.Table {
	b := packet.Everything(h.Version())
	b.Dst = packet.AddrsBetween(h.Dst, h.Dst)
	here := packet.Of(b)
	out := table.Table{{ID: "elsewhere", Match: here.Not()}}
	for _, e := range l.table() {
		if e.Match.Overlaps(here) {
			out = append(out, e)
		}
	}
	return out
}

// Plans of larger tables treat packets as the carried rules ask, inside each rule and where it meets its neighbours.
func TestPlansOfGeneratedTables(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		rules func(flowspec.Family) []flowspec.Rule
	}{
		{"mix", func(f flowspec.Family) []flowspec.Rule { return rulegen.Mix(f, 1000, 3) }},
		{"mitigation", func(f flowspec.Family) []flowspec.Rule { return rulegen.Mitigation(f, 1000, 3) }},
		{"customer", func(f flowspec.Family) []flowspec.Rule { return rulegen.Customer(f, 250, 3) }},
		{"nested", func(f flowspec.Family) []flowspec.Rule { return rulegen.Adversarial(rulegen.Nested, f, 100, 3) }},
		{"one-victim", func(f flowspec.Family) []flowspec.Rule { return rulegen.Adversarial(rulegen.OneVictim, f, 100, 3) }},
	} {
		for _, name := range []string{"asr9k", "junos-mx", "generic"} {
			for _, f := range []flowspec.Family{flowspec.IPv4, flowspec.IPv6} {
				t.Run(c.name+" "+name+" "+f.String(), func(t *testing.T) {
					t.Parallel()
					p, _, err := profiles.Embedded().Select(name)
					if err != nil {
						t.Fatal(err)
					}
					rules := c.rules(f)
					out, err := plan.Make(rib.Of(rules), p, plan.Options{})
					if err != nil {
						t.Fatal(err)
					}
					d := newDraw(t, 3)
					var seen plansSeen
					carried, _ := seen.carried(d, rules, out, f)
					want, dev := asked(carried, f), routerOf(d, p, out, f)
					shared := newBuckets()
					tested := 0
					var pr probe
					insideEach(d, f, asked(rules, f), nil, scaled(20), func(h packet.Header, all, _ []step) {
						tested++
						pr.read(h)
						whole, _ := treat(all, &pr, nil)
						wanted, _ := treat(want, &pr, nil)
						got := dev.treats(&pr, nil)
						switch {
						case !alike(wanted, got, 0.01) || !shared.share(wanted, got):
							d.failf("packet %s: the carried rules ask for %v, got %v", h, wanted, got)
						case severityOf(got) > severityOf(whole):
							d.failf("packet %s: all rules ask for %v, got %v, which is worse", h, whole, got)
						}
					})
					t.Logf("%d packets; %+v", tested, seen)
				})
			}
		}
	}
}
