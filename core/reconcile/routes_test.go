package reconcile

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
)

// withPeer gives the device a BGP session beside its filter. Without a filter, every rule is native; with one, overlapping rules whose actions differ go there.
func (b *bench) withPeer(filter bool) *peer {
	p := newPeer()
	b.dev.Native = p
	b.dev.Options = plan.Options{Settings: map[string]string{"term-order": "legacy"}, Remedies: []string{plan.RemedyFilter}}
	if !filter {
		b.dev.Filter, b.dev.Options.NoFilter = nil, true
	}
	return p
}

func (b *bench) untilPeerHolds(p *peer, rules ...flowspec.Rule) {
	b.t.Helper()
	var want []string
	for _, r := range rules {
		want = append(want, r.Match.String())
	}
	slices.Sort(want)
	b.until("the peer's routes", func() bool { return slices.Equal(p.holds(), want) })
}

// An announcement that failed may have been taken all the same: what it brought is withdrawn when it is no longer wanted.
func TestRouteOfAFailedAnnouncementIsWithdrawn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err  error
		want State
	}{
		"refused":   {&device.Refused{Words: "the neighbour did not offer ipv6 FlowSpec"}, Refusing},
		"transient": {&device.Transient{Err: errors.New("it does not read")}, Unreachable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			p := b.withPeer(false)
			b.set(discard(t, 1, 53))
			b.start()
			b.wait(InSync)
			p.failWith(c.err)
			b.set(discard(t, 1, 53), discard(t, 2, 53))
			b.wait(c.want)
			p.failWith(nil)
			b.set(discard(t, 1, 53)) // the second has ended before it was known to be there
			b.wait(InSync)
			b.untilPeerHolds(p, discard(t, 1, 53))
		})
	}
}

// Where a device has no room for both tables, as much is withdrawn first as must be, severest first, and the status says so until a change goes as it should.
func TestRoomIsMadeFirst(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	p := b.withPeer(false)
	b.dev.Room = 4
	accept := rule(t, flowspec.Action{}, 1, 53)
	b.set(accept, discard(t, 1, 123), discard(t, 2, 53))
	b.start()
	b.wait(InSync)
	if n := b.rec.Status()[0].Notes; len(n) > 0 {
		t.Errorf("notes %q of a change that had room", n)
	}
	before := len(p.lines())
	b.set(accept, discard(t, 3, 53), discard(t, 4, 53))
	b.untilPeerHolds(p, accept, discard(t, 3, 53), discard(t, 4, 53))
	b.wait(InSync)
	var kinds []string
	for _, l := range p.lines()[before:] {
		kinds = append(kinds, l[:strings.Index(l, " ")])
	}
	if want := []string{"withdraw", "announce", "announce", "withdraw"}; !slices.Equal(kinds, want) {
		t.Errorf("it was told to %v, want %v", kinds, want)
	}
	if n := b.rec.Status()[0].Notes; len(n) != 1 || !strings.Contains(n[0], "withdrawal of 1 route,") || !strings.Contains(n[0], "room for 4 routes") {
		t.Errorf("notes %q", n)
	}
	b.set(accept, discard(t, 3, 53))
	b.untilPeerHolds(p, accept, discard(t, 3, 53))
	b.until("the note to go", func() bool { return len(b.rec.Status()[0].Notes) == 0 })
}

// A session that refuses a route does not keep a filter from going.
func TestFilterDoesNotWaitForTheSession(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	p := b.withPeer(true)
	p.failWith(&device.Refused{Words: "not configured for this neighbour"})
	b.set(rule(t, flowspec.Action{}, 1, 53), discard(t, 1, 53, 123))
	b.start()
	b.wait(Refusing)
	b.wantEntries(2)
	b.set()
	b.until("the filter to be empty", func() bool { return len(b.router.entries()) == 0 })
}

// A rule on its way to the filter keeps its routes, whatever else changes meanwhile.
func TestRoutesStayThroughLaterPlans(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	p := b.withPeer(true)
	wide1, wide2 := discard(t, 1, 53, 123), discard(t, 2, 53, 123)
	accept1, accept2 := rule(t, flowspec.Action{}, 1, 53), rule(t, flowspec.Action{}, 2, 53)
	b.set(wide1)
	b.start()
	b.wait(InSync)
	b.router.change(func(r *router) { r.unreachable = true })
	b.set(wide1, accept1, wide2) // the first goes to the filter; the second is new, and native
	b.untilPeerHolds(p, wide1, wide2)
	b.set(wide1, accept1, wide2, accept2) // and now it goes to the filter, too
	b.until("the plan", func() bool { return b.status().Summary["filter"] == 4 })
	b.untilPeerHolds(p, wide1, wide2)
	b.router.change(func(r *router) { r.unreachable = false })
	b.wait(InSync)
	b.untilPeerHolds(p)
	b.wantEntries(4)
}

// A rule that became milder on its way to the filter does not go on as it was.
func TestMilderRuleDoesNotKeepItsRoute(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	p := b.withPeer(true)
	b.set(discard(t, 1, 53))
	b.start()
	b.wait(InSync)
	b.router.change(func(r *router) { r.unreachable = true })
	b.set(rule(t, flowspec.Action{}, 1, 53), discard(t, 1, 53, 123))
	b.untilPeerHolds(p)
}

// While a device is frozen, what has ended is withdrawn, and nothing is added.
func TestFrozenDeviceIsStillWithdrawnFrom(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	p := b.withPeer(true)
	b.set(discard(t, 1, 53), discard(t, 2, 53))
	b.start()
	b.wait(InSync)
	b.stop()
	b.router.change(func(r *router) { r.running = nil })
	b.start()
	b.wait(Frozen)
	b.set(discard(t, 2, 53), discard(t, 3, 53))
	b.untilPeerHolds(p, discard(t, 2, 53))
	if s := b.status(); s.State != Frozen || s.Summary["rules"] != 2 {
		t.Errorf("status %+v", s)
	}
	b.rec.Sync("mx1")
	b.wait(InSync)
	b.untilPeerHolds(p, discard(t, 2, 53), discard(t, 3, 53))
}

// On a frozen device an exception stays above its discard when another one is to take its place: that one is not given, and packets of both would be discarded.
func TestFrozenDeviceKeepsItsException(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	p := b.withPeer(true)
	b.dev.Options.Settings, b.dev.Options.Remedies = map[string]string{"term-order": "standard"}, nil
	narrow, wide, all := rule(t, flowspec.Action{}, 1, 53), rule(t, flowspec.Action{}, 1, 53, 123), discard(t, 1, 53, 123, 161)
	ended := discard(t, 2, 53)
	b.set(narrow, all, ended)
	b.start()
	b.wait(InSync)
	b.untilPeerHolds(p, narrow, all, ended)
	b.stop()
	b.router.change(func(r *router) { r.running = nil })
	b.start()
	b.wait(Frozen)
	b.set(wide, all)
	b.untilPeerHolds(p, narrow, all)
}

// Killed between Confirm and the note of it, the gateway asks a device to confirm what is confirmed. That it has nothing to confirm is no
// refusal of the filter.
func TestConfirmedTwice(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.dev.Confirm = 100 * time.Millisecond
	b.set(discard(t, 1, 53))
	b.start()
	b.wait(InSync)
	b.stop()
	commits := b.router.commits
	b.router.change(func(r *router) { r.confirmed = true })
	if err := b.memory.SaveCommit("mx1", device.Commit{Token: "commit-1", Deadline: b.now().Add(b.dev.Confirm)}); err != nil {
		t.Fatal(err)
	}
	b.start()
	b.wait(InSync)
	b.wantEntries(1)
	if b.router.commits != commits {
		t.Errorf("%d more commits", b.router.commits-commits)
	}
}

// However long Apply takes before it commits, the note of the commit in doubt lasts until the device has undone it.
func TestNoteOfASlowApplyLasts(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.dev.Confirm = 2 * time.Second
	var noted time.Duration
	b.router.slow = func() {
		began := time.Now()
		for end := began.Add(10 * time.Second); noted < b.dev.Undo+b.dev.Confirm/2 && time.Now().Before(end); time.Sleep(time.Millisecond) {
			c, _, _ := b.memory.Commit("mx1")
			if left := time.Until(c.Deadline); left < b.dev.Undo-b.dev.Confirm/4 {
				t.Errorf("%v into Apply, the note ends in %v; the device would undo a commit after %v", time.Since(began), left, b.dev.Undo)
				return
			}
			noted = c.Deadline.Sub(began)
		}
	}
	b.dev.Undo = 10 * time.Second // it counts in coarser units
	b.set(discard(t, 1, 53))
	b.start()
	b.wait(InSync)
	if noted < b.dev.Undo+b.dev.Confirm/2 {
		t.Errorf("the note was renewed for %v only", noted)
	}
}

// A worker that waits for its device does not hide that there is another plan.
func TestStatusWhileTheWorkerIsBusy(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.set(discard(t, 1, 53))
	b.start()
	b.wait(InSync)
	entered, leave := make(chan struct{}), make(chan struct{})
	b.router.change(func(r *router) { r.slow = func() { close(entered); <-leave } })
	b.set(discard(t, 1, 53), discard(t, 2, 53))
	<-entered
	b.until("the new plan in the status", func() bool { return b.status().Summary["rules"] == 2 })
	if s := b.status(); s.State != Pending {
		t.Errorf("status %+v", s)
	}
	close(leave)
	b.wait(InSync)
}
