package rib

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// BenchmarkChange is one rule that changes among many: the next snapshot.
func BenchmarkChange(b *testing.B) {
	for _, n := range []int{1000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			rules := many(b, n)
			snap := Of(rules)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				r := rules[i%n]
				snap = snap.with([]Change{{Match: r.Match, New: &r}})
			}
		})
	}
}

// BenchmarkEvent is one rule on its way through a running RIB, from Send to the new snapshot.
func BenchmarkEvent(b *testing.B) {
	for _, n := range []int{1000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			r := running(b)
			rules := many(b, n)
			tell(b, r, rules)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				rule := rules[i%n]
				rule.Note = fmt.Sprint(i)
				tell(b, r, []flowspec.Rule{rule})
			}
		})
	}
}

// BenchmarkBulk announces all rules of a table in events of 100 and waits until they are in force.
func BenchmarkBulk(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			rules := many(b, n)
			b.ReportAllocs()
			for b.Loop() {
				r := running(b)
				for i := 0; i < n-100; i += 100 {
					if err := r.Send(context.Background(), Event{Source: "a", Kind: Update, Announce: rules[i : i+100]}); err != nil {
						b.Fatal(err)
					}
				}
				tell(b, r, rules[n-100:])
				if r.Snapshot().Len() != n {
					b.Fatal(r.Snapshot().Len())
				}
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rules/s")
		})
	}
}

func BenchmarkOf(b *testing.B) {
	rules := many(b, 100_000)
	for b.Loop() {
		if Of(rules).Len() != len(rules) {
			b.Fatal("lost rules")
		}
	}
}

func BenchmarkDown(b *testing.B) {
	rules := many(b, 100_000)
	t := newTable(Config{Sources: []SourcePolicy{{Name: "a", Hold: time.Hour}}})
	now := time.Now()
	t.apply(Event{Source: "a", Kind: Update, Announce: rules}, now)
	for b.Loop() {
		t.apply(Event{Source: "a", Kind: Down}, now)
	}
}

func running(b *testing.B) *RIB {
	b.Helper()
	r, err := New(Config{})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	b.Cleanup(func() { cancel(); <-ended })
	return r
}

func tell(b *testing.B, r *RIB, rules []flowspec.Rule) {
	b.Helper()
	done := make(chan error, 1)
	if err := r.Send(context.Background(), Event{Source: "a", Kind: Update, Announce: rules, Done: done}); err != nil {
		b.Fatal(err)
	}
	if err := <-done; err != nil {
		b.Fatal(err)
	}
}
