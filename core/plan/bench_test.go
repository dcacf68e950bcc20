package plan_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/profile"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/core/rulegen"
)

// tables are the kinds of tables that figures are given for.
var tables = []struct {
	name string
	make func(flowspec.Family, int, uint64) []flowspec.Rule
}{{"mix", rulegen.Mix}, {"mitigation", rulegen.Mitigation}, {"discards", rulegen.Discards}, {"customer", rulegen.Customer}}

func eq(t flowspec.Type, values ...uint64) flowspec.Component {
	c := flowspec.Component{Type: t}
	for _, v := range values {
		c.Terms = append(c.Terms, flowspec.Term{Op: flowspec.EQ, Value: v})
	}
	return c
}

func mixedAction(r *rand.Rand) flowspec.Action {
	mark := uint8(r.IntN(64))
	switch r.IntN(10) {
	case 0:
		return flowspec.Action{}
	case 1:
		return flowspec.Action{Rate: &flowspec.Rate{Amount: float32(1000 * (1 + r.IntN(1e6))), Unit: flowspec.Bytes}}
	case 2:
		return flowspec.Action{Redirect: &flowspec.Redirect{Form: flowspec.RedirectAS2, Global: 65000, Local: uint32(r.IntN(4))}}
	case 3:
		return flowspec.Action{Mark: &mark}
	}
	return flowspec.Action{Rate: &flowspec.Rate{Unit: flowspec.Bytes}}
}

// BenchmarkMake plans and proves a table from nothing; for an ASR 9000 by FlowSpec alone, and with a filter for what it refuses.
func BenchmarkMake(b *testing.B) {
	for _, name := range []string{"asr9k", "asr9k+filter", "junos-mx", "junos-mx:term-order=legacy"} {
		for _, kind := range tables {
			for _, f := range []flowspec.Family{flowspec.IPv4, flowspec.IPv6} {
				for _, n := range []int{1_000, 10_000, 100_000} {
					b.Run(fmt.Sprintf("%s/%s/%s/%d", name, kind.name, f, n), func(b *testing.B) { benchmarkMake(b, name, kind.make(f, n, 1)) })
				}
			}
		}
	}
}

func benchmarkMake(b *testing.B, name string, rules []flowspec.Rule) {
	name, filter := strings.CutSuffix(name, "+filter")
	p, settings := embedded(b, name)
	opt := plan.Options{Settings: settings, NoFilter: name == "asr9k" && !filter}
	snap := rib.Of(rules)
	b.ReportAllocs()
	var carried map[plan.Carried]int
	for b.Loop() {
		out, err := plan.Make(snap, p, opt)
		if err != nil {
			b.Fatal(err)
		}
		carried = map[plan.Carried]int{}
		for _, v := range out.Verdicts {
			carried[v.Carried]++
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(rules)), "ns/rule")
	for _, c := range []plan.Carried{plan.Native, plan.Rewritten, plan.InFilter, plan.Rejected} {
		b.ReportMetric(float64(carried[c]), string(c))
	}
}

// BenchmarkTenProfiles plans one table for ten devices that each want something else, as a gateway does when it starts: each planner in a goroutine of its own.
func BenchmarkTenProfiles(b *testing.B) {
	type target struct {
		profile *profile.Profile
		opt     plan.Options
	}
	var targets []target
	for _, name := range []string{"asr9k", "junos-mx", "arista-eos", "generic"} {
		p, settings := embedded(b, name)
		targets = append(targets, target{p, plan.Options{Settings: settings}}, target{p, plan.Options{Settings: settings, NoFilter: true}},
			target{p, plan.Options{Settings: settings, NoFilter: true, Remedies: []string{}}})
	}
	snap := rib.Of(rulegen.Mix(flowspec.IPv4, 100_000, 1))
	for b.Loop() {
		var wg sync.WaitGroup
		var deck plan.Deck
		var planners []*plan.Planner
		for _, t := range targets[:10] {
			planners = append(planners, deck.Planner(t.profile, t.opt))
		}
		for i := range planners {
			wg.Go(func() {
				if _, err := planners[i].Plan(snap); err != nil {
					b.Error(err)
				}
			})
		}
		wg.Wait()
	}
}

// BenchmarkApply takes one rule out of a table, and puts it back, and so with 2000 rules drawn at random. One operation is one change: planned, proven and told. p50
// and p99 are of single changes, in microseconds.
func BenchmarkApply(b *testing.B) {
	for _, kind := range tables {
		for _, f := range []flowspec.Family{flowspec.IPv4, flowspec.IPv6} {
			for _, n := range []int{1_000, 10_000, 100_000} {
				b.Run(fmt.Sprintf("%s/%s/%d", kind.name, f, n), func(b *testing.B) { benchmarkApply(b, kind.make(f, n, 1)) })
			}
		}
	}
}

// BenchmarkApplyAdversarial is the same for tables in which everything meets everything.
func BenchmarkApplyAdversarial(b *testing.B) {
	for _, kind := range rulegen.Kinds {
		b.Run(fmt.Sprintf("%s/1000", kind), func(b *testing.B) { benchmarkApply(b, rulegen.Adversarial(kind, flowspec.IPv4, 1000, 1)) })
	}
}

func benchmarkApply(b *testing.B, rules []flowspec.Rule) {
	p, settings := embedded(b, "asr9k")
	pl := plan.NewPlanner(p, plan.Options{Settings: settings, NoFilter: true})
	if _, err := pl.Plan(rib.Of(rules)); err != nil {
		b.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 4))
	picked := make([]*flowspec.Rule, 2000)
	for i := range picked {
		picked[i] = &rules[r.IntN(len(rules))]
	}
	b.ReportAllocs()
	var took []time.Duration
	for i := 0; b.Loop(); i++ {
		one := picked[i/2%len(picked)]
		c := rib.Change{Match: one.Match, Old: one}
		if i%2 == 1 {
			c.Old, c.New = nil, one
		}
		start := time.Now()
		if _, _, err := pl.Apply([]rib.Change{c}); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	at := func(q float64) float64 { return float64(took[int(q*float64(len(took)-1))].Nanoseconds()) / 1000 }
	b.ReportMetric(at(0.5), "p50-us")
	b.ReportMetric(at(0.99), "p99-us")
	b.ReportMetric(at(1), "max-us")
}

// BenchmarkPlanAfterChange puts the whole plan together after one changed rule, as a gateway does that somebody asks for it.
func BenchmarkPlanAfterChange(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p, settings := embedded(b, "asr9k")
			rules := rulegen.Mitigation(flowspec.IPv4, n, 1)
			pl := plan.NewPlanner(p, plan.Options{Settings: settings, NoFilter: true})
			h := newHistory(b)
			defer h.stop()
			for i := range rules {
				rules[i].Source = "test"
			}
			snap := h.change(nil, rules)
			if _, err := pl.Plan(snap); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				b.StopTimer()
				if i%2 == 0 {
					snap = h.change([]flowspec.Match{rules[i%n].Match}, nil)
				} else {
					snap = h.change(nil, rules[(i-1)%n:(i-1)%n+1])
				}
				b.StartTimer()
				if _, err := pl.Plan(snap); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkMemory reports what a planner and a plan of 100,000 rules keep, beside the rules.
func BenchmarkMemory(b *testing.B) {
	p, settings := embedded(b, "asr9k")
	for _, kind := range tables {
		b.Run(kind.name, func(b *testing.B) {
			snap := rib.Of(kind.make(flowspec.IPv4, 100_000, 1))
			var before, after runtime.MemStats
			for b.Loop() {
				runtime.GC()
				runtime.ReadMemStats(&before)
				pl := plan.NewPlanner(p, plan.Options{Settings: settings, NoFilter: true})
				out, err := pl.Plan(snap)
				if err != nil {
					b.Fatal(err)
				}
				runtime.GC()
				runtime.ReadMemStats(&after)
				b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/100_000, "octets/rule")
				runtime.KeepAlive(out)
				runtime.KeepAlive(pl)
			}
		})
	}
}
