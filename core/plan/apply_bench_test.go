package plan_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/core/rulegen"
)

// BenchmarkApply takes one rule out of a table, and puts it back, and so with 2000 rules drawn at random. One operation is one change: planned, proven and told. p50
// and p99 are of single changes, in microseconds.
func BenchmarkApply(b *testing.B) {
	kinds := []struct {
		name string
		make func(flowspec.Family, int, uint64) []flowspec.Rule
	}{{"mix", rulegen.Mix}, {"mitigation", rulegen.Mitigation}, {"discards", rulegen.Discards}, {"customer", rulegen.Customer}}
	for _, kind := range kinds {
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
	pl := plan.NewPlanner(p, plan.Options{Settings: settings})
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
