package rib

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// step is one thing that happens to a RIB: time passes, it is restarted, the disk fails, or a source says something.
type step struct {
	sleep    time.Duration
	restart  bool
	failures int // writes that will fail
	event    Event
	ttl      []time.Duration // of the rules of event; 0: they do not expire
	remember bool            // take the snapshot for Since
}

// Random events, times, restarts and failures: what is in force, what is stored and what is counted are those of the twin.
func TestEqualsItsTwin(t *testing.T) {
	t.Parallel()
	for range 20 {
		rapid.Check(t, func(rt *rapid.T) {
			preference := rapid.IntRange(4, 6).Draw(rt, "preference")
			hold := rapid.SampledFrom([]time.Duration{time.Minute, 10 * time.Minute}).Draw(rt, "hold")
			steps := rapid.SliceOfN(rapid.Custom(drawStep), 1, 40).Draw(rt, "steps")
			var err error
			synctest.Test(t, func(t *testing.T) { err = follow(t, preference, hold, steps) })
			if err != nil {
				rt.Fatal(err)
			}
		})
	}
}

func drawStep(rt *rapid.T) step {
	s := step{remember: rapid.Bool().Draw(rt, "remember")}
	switch rapid.IntRange(0, 9).Draw(rt, "step") {
	case 0:
		s.sleep = time.Duration(rapid.SampledFrom([]int{1, 10, 19, 20, 45, 100, 150, 400}).Draw(rt, "seconds")) * time.Second
	case 1:
		s.restart = true
	case 2:
		s.failures = rapid.IntRange(1, 3).Draw(rt, "failures")
	default:
		drawEvent(rt, &s)
	}
	return s
}

func drawEvent(rt *rapid.T, s *step) {
	s.event.Source = rapid.SampledFrom([]flowspec.Source{"api", "bgp", "exabgp", "lost"}).Draw(rt, "source")
	s.event.Kind = rapid.SampledFrom([]Kind{Update, Update, Update, Update, Up, Down, EndOfRIB, Again, Accept, Keep}).Draw(rt, "kind")
	if s.event.Kind == EndOfRIB {
		s.event.Family = rapid.SampledFrom([]flowspec.Family{0, flowspec.IPv4, flowspec.IPv6}).Draw(rt, "family")
	}
	if s.event.Kind == Again {
		s.event.Family = rapid.SampledFrom([]flowspec.Family{flowspec.IPv4, flowspec.IPv6}).Draw(rt, "family")
	}
	if s.event.Kind == Keep {
		s.event.Hold = time.Duration(rapid.SampledFrom([]int{10, 300}).Draw(rt, "keep")) * time.Second
	}
	if s.event.Kind == Down && rapid.Bool().Draw(rt, "graceful") {
		s.event.Hold = time.Duration(rapid.SampledFrom([]int{0, 20, 120}).Draw(rt, "hold")) * time.Second
		s.event.Held = rapid.SampledFrom([][]flowspec.Family{{flowspec.IPv4}, {flowspec.IPv6}, {flowspec.IPv4, flowspec.IPv6}}).Draw(rt, "held")
	}
	if s.event.Kind != Update {
		return
	}
	matches := rapid.SampledFrom([]int{1, 2, 3, 4, 5, 101, 102})
	for range rapid.IntRange(0, 2).Draw(rt, "withdrawn") {
		s.event.Withdraw = append(s.event.Withdraw, nlriOf(rt, matches.Draw(rt, "match")))
	}
	for range rapid.IntRange(0, 1).Draw(rt, "refused") {
		s.event.Refused = append(s.event.Refused, nlriOf(rt, matches.Draw(rt, "match")))
	}
	for range rapid.IntRange(0, 3).Draw(rt, "announced") {
		rate := float32(rapid.IntRange(1, 2).Draw(rt, "rate"))
		s.event.Announce = append(s.event.Announce, ruleOf(rt, s.event.Source, matches.Draw(rt, "match"), rate, time.Time{}))
		ttl := rapid.SampledFrom([]int{0, 0, 0, -5, 1, 30, 100}).Draw(rt, "ttl")
		s.ttl = append(s.ttl, time.Duration(ttl)*time.Second)
	}
}

// said is the event of s, now.
func (s step) said() Event {
	e := s.event
	e.Announce = slices.Clone(e.Announce)
	for i, ttl := range s.ttl {
		if ttl != 0 {
			e.Announce[i].Expires = time.Now().Add(ttl)
		}
	}
	return e
}

// follow runs a RIB and its twin through steps, and returns the first difference.
func follow(t *testing.T, preference int, hold time.Duration, steps []step) error {
	policies := []SourcePolicy{
		{Name: "api", Preference: 5},
		{Name: "bgp", Preference: preference, Hold: hold, Return: 2 * time.Minute, MaxRules: 4, Mass: MassWithdrawal{Percent: 50, Within: 15 * time.Second, AtLeast: 3, Keep: 2 * time.Minute}},
		{Name: "exabgp", Preference: 5, Hold: 10 * time.Minute, Quiet: 20 * time.Second, Return: 10 * time.Minute, Mass: MassWithdrawal{Percent: 30, Within: 50 * time.Second, AtLeast: 2, Keep: 5 * time.Minute}},
		{Name: "lost", Preference: 7},
	}
	refused, store := 0, newDisk()
	cfg := Config{Sources: policies, Store: store, Refused: func(flowspec.Rule, error) { refused++ }}
	g, w := start(t, cfg), newTwin(policies)
	defer func() { g.end() }()
	old := g.rib.Snapshot()
	for i, s := range steps {
		switch {
		case s.restart:
			g.settle(store) // what was not written was not acknowledged either, and would be lost
			g.end()
			w.advance(time.Now())
			g = start(t, cfg)
			w.restart(time.Now())
			old = g.rib.Snapshot()
		case s.failures > 0:
			store.failNext(s.failures)
		case s.event.Kind != 0:
			e := s.said()
			w.advance(time.Now())
			w.apply(e, time.Now())
			if err := g.rib.Send(context.Background(), e); err != nil {
				return err
			}
		}
		time.Sleep(s.sleep)
		synctest.Wait()
		w.advance(time.Now())
		if err := compare(g.rib, w, old); err != nil {
			return fmt.Errorf("after step %d: %w", i, err)
		}
		if s.remember {
			old = g.rib.Snapshot()
		}
	}
	if refused != w.refused {
		return fmt.Errorf("%d rules were refused, want %d", refused, w.refused)
	}
	g.settle(store)
	w.advance(time.Now())
	return compareStored(store, w)
}

func compare(r *RIB, w *twin, old Snapshot) error {
	snap := r.Snapshot()
	if got, want := text(snap.Rules()), text(w.inForce()); !slices.Equal(got, want) {
		return fmt.Errorf("in force:\n got %q\nwant %q", got, want)
	}
	for name, want := range w.stats() {
		if got := r.Stats()[name]; got != want {
			return fmt.Errorf("source %s: got %+v, want %+v", name, got, want)
		}
	}
	for _, p := range w.paths {
		if rule, found := r.Find(p.rule.ID); !found || !same(&rule, &p.rule) {
			return fmt.Errorf("Find(%s) = %v, %v", p.rule.ID, rule, found)
		}
	}
	if err := compareStale(r, w); err != nil {
		return err
	}
	return compareSince(old, snap)
}

func compareStale(r *RIB, w *twin) error {
	waiting := 0
	for _, p := range w.paths {
		want := p.until
		if !p.stale {
			want = time.Time{}
		}
		if !want.IsZero() {
			waiting++
		}
		if until, stale := r.Stale(p.rule.ID); stale == want.IsZero() || !until.Equal(want) {
			return fmt.Errorf("rule %s is stale %v until %v, want %v", p.rule.ID, stale, until, want)
		}
	}
	if r.mu.Lock(); len(r.waiting) != waiting {
		defer r.mu.Unlock()
		return fmt.Errorf("%d rules are said to be stale, want %d", len(r.waiting), waiting)
	}
	r.mu.Unlock()
	return nil
}

// compareSince applies the changes between two snapshots to the rules of the older one.
func compareSince(old, snap Snapshot) error {
	changes, ok := snap.Since(old.Version)
	if !ok {
		return fmt.Errorf("Since(%d) of version %d is too long ago", old.Version, snap.Version)
	}
	rules := slices.Clone(old.Rules())
	for _, c := range changes {
		i := slices.IndexFunc(rules, func(r flowspec.Rule) bool { return r.Match.Equal(c.Match) })
		if (i >= 0) != (c.Old != nil) || c.Old == c.New {
			return fmt.Errorf("change %+v does not follow from version %d", c, old.Version)
		}
		if i >= 0 {
			rules = slices.Delete(rules, i, i+1)
		}
		if c.New != nil {
			rules = append(rules, *c.New)
		}
	}
	slices.SortFunc(rules, func(a, b flowspec.Rule) int { return flowspec.Compare(a.Match, b.Match) })
	if got, want := text(rules), text(snap.Rules()); !slices.Equal(got, want) {
		return fmt.Errorf("Since(%d): got %q, want %q", old.Version, got, want)
	}
	return nil
}

func compareStored(store *disk, w *twin) error {
	content := store.content()
	for _, p := range w.paths {
		if r, found := content[p.rule.ID]; !found || !same(&r, &p.rule) {
			return fmt.Errorf("stored for %s: %v, %v", p.rule.ID, r, found)
		}
	}
	if len(content) != len(w.paths) {
		return fmt.Errorf("the store holds %d rules, want %d", len(content), len(w.paths))
	}
	return nil
}

// settle waits until the store has everything.
func (g *rig) settle(store *disk) {
	store.failNext(0)
	time.Sleep(2 * retryAfter)
	synctest.Wait()
}
