package plan_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/rib"
	"pgregory.net/rapid"
)

// ranges returns n rules for one host with some ranges of ports and lengths each: most pairs overlap, and many must be split.
func ranges(tb testing.TB, n int) []flowspec.Rule {
	tb.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	list := func(t flowspec.Type, width int) flowspec.Component {
		c := flowspec.Component{Type: t}
		for range 1 + r.IntN(7) {
			lo := uint64(r.IntN(60000))
			c.Terms = append(c.Terms, flowspec.Term{Op: flowspec.GE, Value: lo},
				flowspec.Term{And: true, Op: flowspec.LE, Value: lo + uint64(r.IntN(width))})
		}
		return c
	}
	dst := flowspec.Component{Type: flowspec.DstPrefix, Prefix: flowspec.Prefix{Addr: netip.MustParseAddr("203.0.113.10"), Len: 32}}
	out := make([]flowspec.Rule, n)
	for i := range out {
		m, err := flowspec.NewMatch(flowspec.IPv4, flowspec.RD{}, dst, eq(flowspec.Protocol, 17), list(flowspec.DstPort, 3000), list(flowspec.SrcPort, 3000))
		if err != nil {
			tb.Fatal(err)
		}
		out[i] = flowspec.Rule{ID: flowspec.NewID("bench", m), Match: m, Action: mixedAction(r), Source: "bench"}
	}
	return out
}

// sources returns n rules without a destination, as block lists are: a source, a protocol and a port.
func sources(tb testing.TB, n int) []flowspec.Rule {
	tb.Helper()
	r := rand.New(rand.NewPCG(1, 3))
	out := make([]flowspec.Rule, n)
	for i := range out {
		src := flowspec.Component{Type: flowspec.SrcPrefix, Prefix: flowspec.Prefix{Addr: netip.AddrFrom4([4]byte{20, byte(i >> 16), byte(i >> 8), byte(i)}), Len: 32}}
		if i%50 == 0 {
			src.Prefix.Len = 24
			src.Prefix.Addr = netip.PrefixFrom(src.Prefix.Addr, 24).Masked().Addr()
		}
		m, err := flowspec.NewMatch(flowspec.IPv4, flowspec.RD{}, src, eq(flowspec.Protocol, 17), eq(flowspec.DstPort, uint64(1+r.IntN(1000))))
		if err != nil {
			tb.Fatal(err)
		}
		out[i] = flowspec.Rule{ID: flowspec.NewID("bench", m), Match: m, Action: mixedAction(r), Source: "bench"}
	}
	return out
}

// Settling that runs out of steps rejects what it has not proven, and nothing else goes wrong.
func TestTooEntangled(t *testing.T) {
	t.Parallel()
	p, _ := embedded(t, "asr9k")
	snap := rib.Of(ranges(t, 60))
	enough, err := plan.Make(snap, p, plan.Options{NoFilter: true})
	if err != nil {
		t.Fatal(err)
	}
	entangled := func(v *plan.Verdict) bool {
		return slices.ContainsFunc(v.Reasons, func(r plan.Reason) bool { return r.Code == "too-entangled" })
	}
	if slices.ContainsFunc(enough.Verdicts, entangled) {
		t.Fatal("60 rules took all steps")
	}
	// Rules of a bucket that are settled with each other take steps; those that are settled one after another ask questions.
	for _, c := range []struct{ party, steps int }{{60, 0}, {60, 1000}, {60, 100_000}, {0, 0}, {0, 1}, {0, 5}} {
		pl := plan.NewPlanner(p, plan.Options{NoFilter: true})
		pl.SetSteps(c.steps)
		pl.SetParty(c.party)
		out, err := pl.Plan(snap)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(out.Verdicts, entangled) {
			t.Errorf("with %d steps for each, %d together: no rule is too entangled", c.steps, c.party)
		}
	}
}

// However few steps there are, no packet is treated worse than asked.
func TestPlansAreSoundInFewSteps(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name := pick(t, "profile", soundProfiles...)
		p, settings := embedded(t, name)
		opt := drawOptions(t)
		opt.Settings = settings
		var rules []flowspec.Rule
		for n := rapid.IntRange(2, 9).Draw(t, "rules"); n > 0; n-- {
			rules = append(rules, drawRule(t))
		}
		snap := rib.Of(rules)
		pl := plan.NewPlanner(p, opt)
		pl.SetSteps(rapid.OneOf(rapid.IntRange(0, 9), rapid.IntRange(0, 2000)).Draw(t, "steps"))
		pl.SetParty(rapid.SampledFrom([]int{0, 2, 64}).Draw(t, "party"))
		out, err := pl.Plan(snap)
		if err != nil {
			t.Fatal(err)
		}
		with, err := p.With(settings)
		if err != nil {
			t.Fatal(err)
		}
		checkSound(t, snap, out, with)
	})
}

// BenchmarkEntangled plans tables in which most rules meet, and tables without destinations.
func BenchmarkEntangled(b *testing.B) {
	for _, c := range []struct {
		name string
		make func(testing.TB, int) []flowspec.Rule
		n    []int
	}{{"ranges", ranges, []int{1000, 3000, 10000}}, {"sources", sources, []int{10000, 20000, 100000}}} {
		for _, n := range c.n {
			b.Run(fmt.Sprintf("%s/%d", c.name, n), func(b *testing.B) {
				p, _ := embedded(b, "asr9k")
				snap := rib.Of(c.make(b, n))
				for b.Loop() {
					out, err := plan.Make(snap, p, plan.Options{NoFilter: true})
					if err != nil {
						b.Fatal(err)
					}
					rejected := 0
					for _, v := range out.Verdicts {
						if v.Carried == plan.Rejected {
							rejected++
						}
					}
					b.ReportMetric(float64(rejected), "rejected")
				}
			})
		}
	}
}
