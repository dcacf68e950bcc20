// Package proof_test attacks what the rest of the tree claims to have proven, with means that share no code with it.
//
// There are two oracles. The direct evaluator (evaluate_test.go) reads a rule once more as RFC 8955 puts it, term by term, and knows one packet at
// a time and no sets. The other one (bdd_test.go) turns rules into binary decision diagrams over the bits of a header, which is exact, and far too
// slow for anything but a test. What they are held against: plans of whole tables for several platforms (plans_test.go), comparisons of tables
// (diff_test.go), tables with one thing wrong (mutants_test.go), and larger tables, also as a script would send them that splits every rule by
// itself (large_test.go).
//
// Every table has a number, and a failure prints it; `go test ./integration/proof -run NAME -seed NUMBER` draws that table again, and no other.
// -evaluations sets how many packets are put to tables drawn at random; `make prove` asks for a hundred million.
package proof_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

var (
	evaluations = flag.Int("evaluations", 2_000_000, "how many packets to put to tables drawn at random: six in ten to plans, two each to comparisons and to mutants")
	onlySeed    = flag.Uint64("seed", 0, "draw only the table of this number")
)

// eachTable calls try with one table number after the other until the evaluations it reports add up to n, and logs the rate. Where every
// failure of try has its number is the caller's part: fail through d.
func eachTable(t *testing.T, n int, try func(d *draw) (evaluated int)) (tables, done int) {
	t.Helper()
	if *onlySeed != 0 {
		return 1, try(newDraw(t, *onlySeed))
	}
	start := time.Now()
	for seed := uint64(1); done < n; seed++ {
		done += try(newDraw(t, seed))
		if tables++; t.Failed() || tables > n {
			break
		}
	}
	took := time.Since(start)
	t.Logf("%d evaluations in %d tables, %.0f evaluations/s", done, tables, float64(done)/took.Seconds())
	return tables, done
}

// draw is one stream of random choices: those of one table.
type draw struct {
	*rand.Rand
	testing.TB
	seed uint64
}

func newDraw(t testing.TB, seed uint64) *draw {
	return &draw{Rand: rand.New(rand.NewPCG(seed, 5575)), TB: t, seed: seed}
}

// failf says what is wrong with the table of d, and how to have it again.
func (d *draw) failf(format string, args ...any) {
	d.Helper()
	d.Fatalf("%s\nagain: go test ./integration/proof -run '^%s$' -seed %d", fmt.Sprintf(format, args...), d.Name(), d.seed)
}

// chance is true in one of n cases.
func (d *draw) chance(n int) bool { return d.IntN(n) == 0 }

// pick returns one of list.
func pick[T any](d *draw, list ...T) T { return list[d.IntN(len(list))] }
