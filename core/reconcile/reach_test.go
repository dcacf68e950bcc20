package reconcile

import (
	"context"
	"testing"
)

// Whoever waits for the plan of the rules in force gets it, and nobody waits for ever.
func TestReach(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.start()
	for n := range byte(60) {
		r := discard(t, n+1, 53)
		b.set(r)
		b.rec.Reach(t.Context())
		if p := b.rec.Plan("mx1"); p == nil || len(p.Verdicts) != 1 || p.Verdicts[0].Rule != r.ID {
			t.Fatalf("the plan is not that of rule %d", n)
		}
	}
	b.stop()
	b.set(discard(t, 1, 123)) // nobody plans any more
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b.rec.Reach(ctx)
}
