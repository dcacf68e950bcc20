package rib

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// many returns n rules for different destinations, in no order.
func many(tb testing.TB, n int) []flowspec.Rule {
	tb.Helper()
	rules := make([]flowspec.Rule, n)
	for i := range rules {
		rules[i] = flowspec.Rule{Match: hostMatch(tb, uint32(i)*2654435761), Source: "a", Note: "n"}
		rules[i].ID = flowspec.NewID("a", rules[i].Match)
	}
	return rules
}

func hostMatch(tb testing.TB, addr uint32) flowspec.Match {
	tb.Helper()
	m, err := flowspec.ParseNLRI(flowspec.IPv4, append(binary.BigEndian.AppendUint32([]byte{9, 1, 32}, addr), 3, 0x81, 17))
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

func TestOf(t *testing.T) {
	t.Parallel()
	rules := []flowspec.Rule{
		ruleOf(t, "a", 101, 1, time.Time{}), ruleOf(t, "a", 2, 2, time.Time{}), ruleOf(t, "b", 1, 3, time.Time{}),
		ruleOf(t, "a", 1, 4, time.Time{}), ruleOf(t, "a", 2, 5, time.Time{}), ruleOf(t, "a", 2, 6, time.Time{}),
	}
	before := slices.Clone(rules)
	snap := Of(rules)
	want := text([]flowspec.Rule{rules[3], rules[5], rules[0]})
	if got := text(snap.Rules()); !slices.Equal(got, want) || snap.Len() != 3 {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := Replaced(rules), []int{1, 2, 4}; !slices.Equal(got, want) {
		t.Errorf("Replaced: got %v, want %v", got, want)
	}
	rules[3].Note = "changed by the caller"
	if got, _ := snap.Find(rules[3].Match); got.Note != "" || text(before)[0] != text(rules)[0] {
		t.Error("the snapshot shares the caller's rules")
	}
	if _, found := snap.Find(nlriOf(t, 77)); found {
		t.Error("Find found a rule that is not there")
	}
	if len(Replaced(nil)) != 0 || Of(nil).Len() != 0 {
		t.Error("no rules make an empty snapshot")
	}
	var zero Snapshot
	if zero.Len() != 0 || len(zero.Rules()) != 0 {
		t.Error("the zero Snapshot has rules")
	}
	if _, found := zero.Find(nlriOf(t, 1)); found {
		t.Error("the zero Snapshot finds a rule")
	}
}

// Changes of any number and place, against a plain map that is sorted each time.
func TestSequenceEqualsASortedMap(t *testing.T) {
	t.Parallel()
	pool := many(t, 2000)
	rapid.Check(t, func(rt *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1))
		plain := map[int]*flowspec.Rule{}
		snap := Snapshot{}
		for range rapid.IntRange(1, 12).Draw(rt, "batches") {
			size := rapid.SampledFrom([]int{1, 1, 1, 3, 50, 700, 2000}).Draw(rt, "size")
			removing := rapid.SampledFrom([]float64{0.1, 0.5, 0.95}).Draw(rt, "removing")
			before := snap.Rules()
			snap = snap.with(randomChanges(r, pool, plain, size, removing))
			if len(before) > 0 && before[0].Source != "a" {
				rt.Fatal("an older snapshot has changed")
			}
			checkSequence(rt, snap, plain)
		}
	})
}

// randomChanges changes plain, and returns what it did.
func randomChanges(r *rand.Rand, pool []flowspec.Rule, plain map[int]*flowspec.Rule, size int, removing float64) []Change {
	var changes []Change
	for _, i := range r.Perm(len(pool))[:size] {
		c := Change{Match: pool[i].Match, Old: plain[i]}
		if r.Float64() >= removing {
			rule := pool[i]
			c.New = &rule
			plain[i] = &rule
		} else {
			delete(plain, i)
		}
		if c.Old != c.New {
			changes = append(changes, c)
		}
	}
	slices.SortFunc(changes, func(a, b Change) int { return flowspec.Compare(a.Match, b.Match) })
	return changes
}

func checkSequence(rt *rapid.T, snap Snapshot, plain map[int]*flowspec.Rule) {
	var want []*flowspec.Rule
	for _, r := range plain {
		want = append(want, r)
		if got := snap.rules.find(r.Match); got != r {
			rt.Fatalf("find(%s) = %p, want %p", r.Match, got, r)
		}
	}
	slices.SortFunc(want, func(a, b *flowspec.Rule) int { return flowspec.Compare(a.Match, b.Match) })
	if got := slices.Collect(snap.All()); !slices.Equal(got, want) || snap.Len() != len(want) {
		rt.Fatalf("got %d rules, Len %d, want %d in order", len(got), snap.Len(), len(want))
	}
	for _, chunk := range snap.rules.chunks {
		if len(chunk) == 0 || len(chunk) >= 2*chunkSize {
			rt.Fatalf("a chunk has %d rules", len(chunk))
		}
	}
}

func TestSinceIsBounded(t *testing.T) {
	t.Parallel()
	snap := Snapshot{}.with(nil)
	first := snap
	rule := ruleOf(t, "a", 1, 1, time.Time{})
	toggle := []Change{{rule.Match, nil, &rule}, {rule.Match, &rule, nil}}
	for i := range maxSteps {
		snap = snap.with(toggle[i%2 : i%2+1])
	}
	if changes, ok := snap.Since(first.Version); !ok || len(changes) != 0 {
		t.Errorf("on and off again: got %v, %v", changes, ok)
	}
	if changes, ok := snap.Since(snap.Version - 1); !ok || len(changes) != 1 {
		t.Errorf("the last change: got %v, %v", changes, ok)
	}
	snap = snap.with(toggle[:1])
	if _, ok := snap.Since(first.Version); ok {
		t.Error("the history is not bounded")
	}
	if _, ok := first.Since(snap.Version); ok {
		t.Error("an older snapshot knows the future")
	}
	if changes, ok := snap.Since(snap.Version); !ok || changes != nil {
		t.Errorf("nothing happened since now: got %v, %v", changes, ok)
	}
	pool := many(t, maxChanges+1)
	big := Of(pool[:1])
	var bulk []Change
	for i := range pool[1:] {
		bulk = append(bulk, Change{pool[i+1].Match, nil, &pool[i+1]})
	}
	slices.SortFunc(bulk, func(a, b Change) int { return flowspec.Compare(a.Match, b.Match) })
	next := big.with(bulk)
	if changes, ok := next.Since(big.Version); !ok || len(changes) != maxChanges {
		t.Errorf("one large step: got %d, %v", len(changes), ok)
	}
	if _, ok := next.with(toggle[:1]).Since(big.Version); ok {
		t.Error("the history keeps more changes than it should")
	}
}
