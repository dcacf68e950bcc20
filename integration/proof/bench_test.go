package proof_test

import (
	"fmt"
	"testing"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/rulegen"
	"github.com/sluice-gateway/sluice/core/table"
)

// generated are the tables of package rulegen by name, each with the number of rules that figures are about.
var generated = []struct {
	name  string
	n     int
	rules func(flowspec.Family, int, uint64) []flowspec.Rule
}{
	{"mix", 10_000, rulegen.Mix}, {"discards", 10_000, rulegen.Discards}, {"mitigation", 10_000, rulegen.Mitigation}, {"customer", 10_000, rulegen.Customer},
	{string(rulegen.OneVictim), 1000, adversarial(rulegen.OneVictim)}, {string(rulegen.Nested), 1000, adversarial(rulegen.Nested)},
	{string(rulegen.Lists), 200, adversarial(rulegen.Lists)}, {string(rulegen.Anyone), 1000, adversarial(rulegen.Anyone)},
}

func adversarial(k rulegen.Kind) func(flowspec.Family, int, uint64) []flowspec.Rule {
	return func(f flowspec.Family, n int, seed uint64) []flowspec.Rule { return rulegen.Adversarial(k, f, n, seed) }
}

// BenchmarkDiff proves a table equal to itself with every rule split in its place, which is what a filter holds, in both families.
func BenchmarkDiff(b *testing.B) {
	for _, c := range generated {
		for _, f := range []flowspec.Family{flowspec.IPv4, flowspec.IPv6} {
			b.Run(fmt.Sprintf("%s/%d/%s", c.name, c.n, f), func(b *testing.B) {
				l := linesOf(c.rules(f, c.n, 1))
				var split lines
				for _, one := range l {
					split = append(split, naive(b, lines{one})...)
				}
				want, got := l.table(), split.table()
				for b.Loop() {
					if d := table.Diff(want, got); d != nil {
						b.Fatal(d)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(l)), "ns/rule")
			})
		}
	}
}

// BenchmarkDiagrams is the same question about 400 rules of a mix, put to the prover and to binary decision diagrams.
func BenchmarkDiagrams(b *testing.B) {
	l := linesOf(rulegen.Mix(flowspec.IPv4, 400, 1))
	var split lines
	for _, one := range l {
		split = append(split, naive(b, lines{one})...)
	}
	b.Run("sets", func(b *testing.B) {
		for b.Loop() {
			if d := table.Diff(l.table(), split.table()); d != nil {
				b.Fatal(d)
			}
		}
	})
	b.Run("diagrams", func(b *testing.B) {
		for b.Loop() {
			d := newDiagrams(b, false)
			if reason := d.differ(d.fates(l), d.fates(split)); reason != "" {
				b.Fatal(reason)
			}
		}
	})
}
