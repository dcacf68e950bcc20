package reconcile

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
)

// counted is a router that counts.
type counted struct {
	*router
	mu  sync.Mutex
	raw map[string]device.Counter
	err error
}

func (c *counted) Counters(context.Context, device.Target) (map[string]device.Counter, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.raw), c.err
}

func (c *counted) set(raw map[string]device.Counter, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.raw, c.err = raw, err
}

// A rule that is held and was hit is counting, with what it has matched; the counters of its parts are one.
func TestCountingReceipt(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.rules.goLive(t)
	c := &counted{router: b.router}
	b.dev.Filter, b.dev.Counters = c, time.Millisecond
	one, two := discard(t, 1, 53), discard(t, 2, 53)
	name := "r-" + string(one.ID)
	c.set(map[string]device.Counter{name: {}, "r-" + string(two.ID): {}, "foreign": {Packets: 9}}, nil)
	b.set(one, two)
	b.start()
	if got := b.untilReceipt(one, RuleHeld); got.Count != nil && got.Count.Hit() {
		t.Errorf("nothing was counted: %+v", got.Count)
	}
	c.set(map[string]device.Counter{name: {Packets: 2, Bytes: 200}, name + "-2": {Packets: 1, Bytes: 50}, "r-" + string(two.ID): {}}, nil)
	got := b.untilReceipt(one, RuleCounting)
	if got.Count == nil || got.Count.Packets != 3 || got.Count.Bytes != 250 || got.Count.First.IsZero() || got.Count.Last.Before(got.Count.First) {
		t.Errorf("receipt %+v, count %+v", got, got.Count)
	}
	b.untilReceipt(two, RuleHeld)
	if tally, err := b.rec.Tally("mx1"); err != nil || tally[RuleCounting] != 1 || tally[RuleHeld] != 1 {
		t.Errorf("tally %v, %v", tally, err)
	}

	// A device that does not answer keeps what was counted, and says why.
	c.set(nil, errors.New("session lost"))
	b.until("the reason", func() bool { return b.rec.Totals()[0].Error == "session lost" })
	if n := b.rec.Counts()[one.ID]; n.Packets != 3 {
		t.Errorf("count %+v", n)
	}

	// The table was made anew: what was counted before stays counted.
	c.set(map[string]device.Counter{name: {Packets: 1, Bytes: 60}, name + "-2": {}}, nil)
	b.until("more", func() bool { return b.rec.Counts()[one.ID].Packets == 4 })
	if n, all := b.rec.Counts()[one.ID], b.rec.Totals()[0]; n.Bytes != 310 || all.Packets != 4 || all.Bytes != 310 || all.Error != "" {
		t.Errorf("count %+v, totals %+v", n, all)
	}
	if _, there := b.rec.Counts()[two.ID]; there {
		t.Error("a rule whose counter is gone is still counted")
	}
	b.stop()
}

// Whatever resets come between readings, what was counted is what came, as long as a counter that was cleared has not caught up with itself when it is read.
func TestCountsSurviveResets(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var c counting
		const rules, parts = 3, 2
		raw := map[string]device.Counter{}
		read := map[string]device.Counter{}
		want := map[flowspec.ID]Count{}
		var total uint64
		for step := range rapid.IntRange(1, 30).Draw(t, "readings") {
			at := time.Unix(int64(step+1), 0)
			for r := range rules {
				id := flowspec.ID(fmt.Sprintf("%016x", r))
				sum := want[id]
				came := uint64(0)
				for p := range parts {
					name := fmt.Sprintf("r-%s", id)
					if p > 0 {
						name += fmt.Sprintf("-%d", p+1)
					}
					n := rapid.Uint64Range(0, 5).Draw(t, "hits")
					before := raw[name]
					if rapid.IntRange(0, 4).Draw(t, "cleared") == 0 && n < read[name].Packets {
						before = device.Counter{}
					}
					raw[name] = device.Counter{Packets: before.Packets + n, Bytes: before.Bytes + 100*n}
					came += n
				}
				if came > 0 {
					sum.Packets, sum.Bytes, sum.Last, total = sum.Packets+came, sum.Bytes+100*came, at, total+came
					if sum.First.IsZero() {
						sum.First = at
					}
				}
				want[id] = sum
			}
			c.add(maps.Clone(raw), at, nil, time.Minute)
			read = maps.Clone(raw)
			for id, w := range want {
				if got, there := c.of(id); !there || got != w {
					t.Fatalf("reading %d: rule %s: got %+v, want %+v", step, id, got, w)
				}
			}
			if c.totals.Packets != total || c.totals.Bytes != 100*total {
				t.Fatalf("reading %d: totals %+v, want %d packets", step, c.totals, total)
			}
		}
	})
}

// On several devices, a rule has one count.
func TestCountsOfDevicesAddUp(t *testing.T) {
	t.Parallel()
	early, late := time.Unix(10, 0), time.Unix(20, 0)
	got := Count{}.plus(Count{Packets: 1, Bytes: 2, First: late, Last: late}).plus(Count{}).plus(Count{Packets: 10, Bytes: 20, First: early, Last: early})
	if want := (Count{Packets: 11, Bytes: 22, First: early, Last: late}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
