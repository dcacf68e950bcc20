package reconcile

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/profiles"
)

// Delays grow to the longest of their kind, never beyond, and differ.
func TestPaces(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err         error
		first, last time.Duration
	}{
		"drift":       {fmt.Errorf("apply: %w", &device.Drifted{What: "a line"}), 200 * time.Millisecond, time.Minute},
		"locked":      {&device.Transient{Err: errors.New("locked"), Unchanged: true}, time.Second, time.Minute},
		"unreachable": {&device.Transient{Err: errors.New("no route to host")}, time.Second, 5 * time.Minute},
		"unknown":     {errors.New("what?"), time.Second, 5 * time.Minute},
	} {
		now, seen := time.Unix(0, 0), map[time.Duration]bool{}
		var r retry
		for n := range 40 {
			got, want := r.failed(c.err, now), min(c.first<<min(n, 20), c.last)
			if got < want/2 || got > want {
				t.Errorf("%s: after %d failures %v, want between %v and %v", name, n+1, got, want/2, want)
			}
			if wait := r.notBefore.Sub(now); wait > got || wait > time.Second || wait < 100*time.Millisecond {
				t.Errorf("%s: a new plan waits %v", name, wait)
			}
			seen[got] = true
		}
		if len(seen) < 20 {
			t.Errorf("%s: %d different delays of 40: a fleet comes back in step", name, len(seen))
		}
		if r.failed(&device.Drifted{}, now); c.first >= time.Second && r.failures != 1 {
			t.Errorf("%s: a failure of another kind is the first of its own", name)
		}
	}
}

// patient counts how often the Loc-RIB is looked at.
type patient struct {
	*rules
	looks atomic.Int64
}

func (p *patient) Snapshot() rib.Snapshot {
	p.looks.Add(1)
	return p.rules.Snapshot()
}

// A fleet that has nothing to do does nothing but its audits, group and all.
func TestIdleFleetCostsNothing(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		f := newFleet(t)
		looked := &patient{rules: f.rules}
		f.cfg.Rules = looked
		prof, err := profiles.Embedded().Get("junos-mx")
		if err != nil {
			t.Fatal(err)
		}
		var reads atomic.Int64
		r := &router{now: time.Now, slowRead: func() { reads.Add(1) }}
		f.cfg.Devices = append(f.cfg.Devices, Device{Name: "mx1", Profile: prof, Options: plan.Options{NoNative: true}, Filter: r, Dialect: plainDialect{}, Confirm: 30 * time.Second, Audit: 5 * time.Minute})
		f.set(discard(t, 1, 53))
		f.start()
		f.settle(time.Minute)
		looks, before, said := looked.looks.Load(), reads.Load(), len(f.peers["edge1"].lines())
		f.settle(24 * time.Hour)
		if got := looked.looks.Load() - looks; got > 0 {
			t.Errorf("the rules were looked at %d times in a day in which nothing happened", got)
		}
		if got := reads.Load() - before; got < 287 || got > 289 {
			t.Errorf("%d audits in a day, want one every five minutes", got)
		}
		if got := len(f.peers["edge1"].lines()) - said; got > 0 || r.committed() != 1 {
			t.Errorf("%d lines said, %d commits", got, r.committed())
		}
		f.stop()
	})
}

// A device that does not answer is not asked again with each new rule.
func TestNewPlansDoNotHammer(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		f := newFleet(t)
		f.start()
		f.peers["lone"].failWith(&device.Transient{Err: errors.New("no route to host")})
		var list []flowspec.Rule
		told := f.peers["lone"].asked()
		for n := range byte(100) {
			list = list[:0]
			list = append(list, discard(t, n+1, 53))
			f.set(list...)
		}
		took := 100 * longestAhead
		if got := f.peers["lone"].asked() - told; got > int(2*took/time.Second)+1 {
			t.Errorf("it was asked %d times in %v", got, took)
		}
		f.peers["lone"].failWith(nil)
		f.settle(time.Minute)
		f.holds("lone", list...)
		f.stop()
	})
}

// At no moment more devices are committed to than the configuration allows, and none is left out.
func TestCommitsAtOnce(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		prof, err := profiles.Embedded().Get("junos-mx")
		if err != nil {
			t.Fatal(err)
		}
		f := newFleet(t)
		f.cfg.Groups, f.cfg.Devices, f.cfg.AtOnce = nil, nil, 3
		var now, most atomic.Int64
		var routers []*router
		for n := range 20 {
			r := &router{now: time.Now, slow: func() {
				if n := now.Add(1); n > most.Load() {
					most.Store(n)
				}
				time.Sleep(20 * time.Second) // a loaded router
				now.Add(-1)
			}}
			routers = append(routers, r)
			name := fmt.Sprint("mx", n)
			f.cfg.Devices = append(f.cfg.Devices, Device{Name: name, Profile: prof, Options: plan.Options{NoNative: true}, Filter: r, Dialect: plainDialect{}, Confirm: 30 * time.Second})
		}
		f.set(discard(t, 1, 53))
		f.start()
		f.settle(30 * time.Second)
		if _, err := f.rec.Freeze(context.Background(), "", device.Freeze{Since: time.Now(), Until: time.Now().Add(time.Hour)}); err != nil {
			t.Fatal(err)
		}
		f.settle(10 * time.Minute)
		done := 0
		for _, r := range routers {
			done += len(r.entries())
		}
		if done != 6 {
			t.Errorf("%d devices were changed, want the 6 that were begun before the freeze", done)
		}
		f.settle(time.Hour)
		for i, r := range routers {
			if got := r.entries(); len(got) != 1 {
				t.Errorf("mx%d holds %q", i, got)
			}
			if s := f.device(fmt.Sprint("mx", i)); s.Commit != 20*time.Second {
				t.Errorf("mx%d: its commit took %v", i, s.Commit)
			}
		}
		if most.Load() != 3 {
			t.Errorf("%d devices were changed at once, want 3", most.Load())
		}
		f.stop()
	})
}
