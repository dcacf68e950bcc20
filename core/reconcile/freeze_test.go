package reconcile

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
)

func (b *bench) freeze(name string, order device.Freeze) {
	b.t.Helper()
	order.Since = b.now()
	busy, err := b.rec.Freeze(context.Background(), name, order)
	if err != nil || len(busy) > 0 {
		b.t.Fatalf("freeze %q: busy %v, error %v", name, busy, err)
	}
}

// untilOverdue waits until the worker has seen the newest rules, as a frozen device that has n overdue ones.
func (b *bench) untilOverdue(n int) {
	b.t.Helper()
	b.until("overdue rules", func() bool {
		s := b.status()
		return s.State == Frozen && s.Freeze != nil && s.Ended == n && s.Summary["rules"] == b.rules.Snapshot().Len()
	})
}

// What comes and what ends while a device is frozen changes nothing there, neither filter nor session, and what ended is listed; nor does a restart. When it is thawed
// it gets all at once.
func TestFreezeHolds(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"mx1", ""} {
		b := newBench(t)
		p := b.withPeer(true)
		b.set(discard(t, 1, 53), discard(t, 2, 53))
		b.start()
		b.wait(InSync)
		entries, commits := len(b.router.entries()), b.router.commits
		b.freeze(name, device.Freeze{Reason: "ticket 7"})
		said := len(p.lines())

		b.set(discard(t, 2, 53), discard(t, 3, 53))
		b.untilOverdue(1)
		if s := b.status(); s.Freeze.Reason != "ticket 7" || s.Freeze.All != (name == "") || s.Overdue[0].ID != discard(t, 1, 53).ID {
			t.Errorf("status %+v, freeze %+v", s, s.Freeze)
		}
		b.untilPeerHolds(p, discard(t, 1, 53), discard(t, 2, 53))
		if extra := p.lines()[said:]; len(extra) > 0 {
			t.Errorf("while it was frozen the session was told %v", extra)
		}
		b.stop()
		p = b.withPeer(true) // the session ended with the gateway, and the router forgot
		b.start()
		b.untilOverdue(1)
		b.untilPeerHolds(p, discard(t, 1, 53), discard(t, 2, 53))
		if len(b.router.entries()) != entries || b.router.commits != commits {
			t.Errorf("%d commits while frozen, %d entries instead of %d", b.router.commits-commits, len(b.router.entries()), entries)
		}

		if err := b.rec.Thaw(name); err != nil {
			t.Fatal(err)
		}
		b.wait(InSync)
		b.untilPeerHolds(p, discard(t, 2, 53), discard(t, 3, 53))
		if s := b.status(); s.Freeze != nil || s.Ended != 0 {
			t.Errorf("thawed, and the status is %+v", s)
		}
		if _, found, _ := b.memory.Kept("mx1"); found {
			t.Error("what was kept for the freeze is still on disk")
		}
	}
}

// A freeze that ends by itself ends also while the gateway is down.
func TestFreezeEndsByItself(t *testing.T) {
	t.Parallel()
	for _, restart := range []bool{false, true} {
		b := newBench(t)
		p := b.withPeer(false)
		b.set(discard(t, 1, 53))
		b.start()
		b.wait(InSync)
		b.freeze("mx1", device.Freeze{Until: b.now().Add(time.Hour)})
		b.set(discard(t, 2, 53))
		b.untilOverdue(1)
		if restart {
			b.stop()
		}
		b.clock.Add(int64(time.Hour))
		if restart {
			p = b.withPeer(false) // the session ended with the gateway, and the router forgot
			b.start()
		} else {
			b.rec.workers[0].wakeUp() // its own timer knows nothing of the clock of the test
		}
		b.wait(InSync)
		b.untilPeerHolds(p, discard(t, 2, 53))
		if err := b.rec.Thaw("mx1"); !errors.Is(err, ErrNotFrozen) {
			t.Errorf("thaw of what has ended: %v", err)
		}
	}
}

// A device that is new while all are frozen is given nothing.
func TestFreezeOfANewDevice(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	p := b.withPeer(true)
	b.set(discard(t, 1, 53))
	if err := b.memory.SaveFreeze("", device.Freeze{Since: b.now()}); err != nil {
		t.Fatal(err)
	}
	b.start()
	b.untilOverdue(0)
	if lines := p.lines(); len(lines) > 0 || b.router.commits > 0 {
		t.Errorf("told %v, %d commits", lines, b.router.commits)
	}
}

// A change under way when the freeze is ordered is ended, and said to be; one that was only being worked out is not begun.
func TestFreezeDuringAChange(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.set(discard(t, 1, 53))
	began, goOn := make(chan struct{}), make(chan struct{})
	b.router.slow = func() { began <- struct{}{}; <-goOn }
	b.start()
	<-began
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // do not wait
	busy, err := b.rec.Freeze(ctx, "mx1", device.Freeze{Since: b.now()})
	if err != nil || len(busy) != 1 {
		t.Fatalf("busy %v, error %v", busy, err)
	}
	close(goOn)
	b.untilOverdue(0)
	b.wantEntries(1)
	b.set(discard(t, 2, 53))
	b.untilOverdue(1)
	b.wantEntries(1)
	if b.router.commits != 1 {
		t.Errorf("%d commits, want the one that was under way", b.router.commits)
	}
}

// The freeze of a device where somebody removed our filter does not make that forgotten.
func TestFreezeOfADriftedDevice(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.set(discard(t, 1, 53))
	b.start()
	b.wait(InSync)
	b.router.change(func(r *router) { r.running = nil })
	b.dev.Audit = 0
	b.stop()
	b.start()
	b.wait(Frozen)
	b.freeze("mx1", device.Freeze{})
	if err := b.rec.Thaw("mx1"); err != nil {
		t.Fatal(err)
	}
	b.until("the freeze to end", func() bool { return b.status().Freeze == nil })
	if s := b.status(); s.State != Frozen || s.Error == "" {
		t.Errorf("status %+v", s)
	}
	b.wantEntries(0)
}

func TestFreezeOfNobody(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.start()
	if _, err := b.rec.Freeze(context.Background(), "nobody", device.Freeze{}); !errors.Is(err, ErrNoDevice) {
		t.Errorf("freeze: %v", err)
	}
	if err := b.rec.Thaw("nobody"); !errors.Is(err, ErrNoDevice) {
		t.Errorf("thaw: %v", err)
	}
	if err := b.rec.Thaw("mx1"); !errors.Is(err, ErrNotFrozen) {
		t.Errorf("thaw: %v", err)
	}
}
