package rib

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// Sources and readers all at once, for the race detector: every snapshot a reader sees is whole, versions only grow, and the changes since
// the last one lead to it.
func TestReadersAndWriters(t *testing.T) {
	t.Parallel()
	r, err := New(Config{Store: newDisk(), Sources: []SourcePolicy{{Name: "s0"}, {Name: "s1", Preference: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var owner, writers, readers sync.WaitGroup
	owner.Go(func() {
		if err := r.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	for _, name := range []flowspec.Source{"s0", "s1", "s2"} {
		writers.Go(func() { chatter(t, r, name) })
	}
	for range 3 {
		readers.Go(func() { follower(ctx, t, r) })
	}
	writers.Wait()
	cancel()
	readers.Wait()
	owner.Wait()
	if got := r.Snapshot().Len(); got != 50 {
		t.Errorf("%d rules in the end, want 50", got)
	}
}

// chatter announces and withdraws, and ends with 50 rules announced.
func chatter(t *testing.T, r *RIB, name flowspec.Source) {
	for round := range 40 {
		e := Event{Source: name, Kind: Update}
		for n := range 50 {
			rule := ruleOf(t, name, n, float32(round+1), time.Time{})
			if round%3 == 1 {
				e.Withdraw = append(e.Withdraw, rule.Match)
			} else {
				e.Announce = append(e.Announce, rule)
			}
		}
		done := make(chan error, 1)
		e.Done = done
		if err := r.Send(context.Background(), e); err != nil {
			t.Error(err)
			return
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// follower reads until ctx ends.
func follower(ctx context.Context, t *testing.T, r *RIB) {
	changed, stop := r.Watch()
	defer stop()
	old := r.Snapshot()
	for {
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
		snap := r.Snapshot()
		if snap.Version < old.Version || len(snap.Rules()) != snap.Len() {
			t.Errorf("version %d with %d rules after version %d", snap.Version, snap.Len(), old.Version)
		}
		if err := compareSince(old, snap); err != nil {
			t.Error(err)
		}
		for rule := range snap.All() {
			if found, ok := r.Find(rule.ID); ok && !found.Match.Equal(rule.Match) {
				t.Errorf("Find(%s) = %s", rule.ID, found.Match)
			}
		}
		r.Stats()
		old = snap
	}
}
