package reconcile

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/profiles"
	"pgregory.net/rapid"
)

// discard returns the rule that discards UDP to 203.0.113.n from that source port.
func discard(t *testing.T, n byte, ports ...uint64) flowspec.Rule {
	return rule(t, flowspec.Action{Rate: &flowspec.Rate{Unit: flowspec.Bytes}}, n, ports...)
}

func rule(t *testing.T, a flowspec.Action, n byte, ports ...uint64) flowspec.Rule {
	t.Helper()
	return ruleFor(t, a, n, ports...)
}

func ruleFor(t rapid.TB, a flowspec.Action, n byte, ports ...uint64) flowspec.Rule {
	t.Helper()
	var terms []flowspec.Term
	for _, p := range ports {
		terms = append(terms, flowspec.Term{Op: flowspec.EQ, Value: p})
	}
	m, err := flowspec.NewMatch(flowspec.IPv4, flowspec.RD{},
		flowspec.Component{Type: flowspec.DstPrefix, Prefix: flowspec.Prefix{Addr: netip.AddrFrom4([4]byte{203, 0, 113, n}), Len: 32}},
		flowspec.Component{Type: flowspec.Protocol, Terms: []flowspec.Term{{Op: flowspec.EQ, Value: 17}}},
		flowspec.Component{Type: flowspec.SrcPort, Terms: terms})
	if err != nil {
		t.Fatal(err)
	}
	return flowspec.Rule{ID: flowspec.NewID("test", m), Match: m, Action: a, Source: "test"}
}

// bench is a gateway with one device, and what of it outlives the gateway.
type bench struct {
	t      *testing.T
	router *router
	memory *memory
	rules  *rules
	dev    Device
	shadow bool
	source Rules        // instead of rules, where it is set
	clock  atomic.Int64 // nanoseconds added to the real time

	rec  *Reconciler
	stop func()
}

func newBench(t *testing.T) *bench {
	t.Helper()
	prof, err := profiles.Embedded().Get("junos-mx")
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, memory: newMemory(), rules: &rules{}}
	b.router = &router{now: b.now}
	b.dev = Device{
		Name: "mx1", Profile: prof, Options: plan.Options{NoNative: true}, Filter: b.router, Dialect: plainDialect{},
		Target: device.Target{Name: "mx1", Placement: filter.Alone}, Confirm: 30 * time.Second,
	}
	return b
}

func (b *bench) now() time.Time { return time.Now().Add(time.Duration(b.clock.Load())) }

// start runs a gateway; it ends with the test, or with stop.
func (b *bench) start() {
	source := b.source
	if source == nil {
		source = b.rules
	}
	b.rec = New(Config{Rules: source, Tokens: b.memory, Devices: []Device{b.dev}, Log: slog.New(slog.DiscardHandler), Now: b.now, Shadow: b.shadow})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.rec.Run(ctx) }()
	ended := false
	b.stop = func() {
		if ended {
			return
		}
		ended = true
		cancel()
		if err := <-done; err != nil {
			b.t.Error(err)
		}
	}
	b.t.Cleanup(b.stop)
}

func (b *bench) set(list ...flowspec.Rule) { b.rules.set(rib.Of(list)) }

func (b *bench) status() Status { return b.rec.Status()[0] }

// wait waits until the device is in that state at the newest version.
func (b *bench) wait(want State) {
	b.t.Helper()
	b.until(fmt.Sprintf("state %s", want), func() bool {
		s := b.status()
		return s.State == want && (want != InSync || s.Version == b.rules.Snapshot().Version)
	})
}

func (b *bench) until(what string, ok func() bool) {
	b.t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); {
		if time.Now().After(end) {
			b.t.Fatalf("waited for %s; the device is %+v", what, b.status())
		}
		time.Sleep(time.Millisecond)
	}
}

func (b *bench) wantEntries(n int) {
	b.t.Helper()
	if got := b.router.entries(); len(got) != n {
		b.t.Errorf("the router holds %v, want %d entries", got, n)
	}
}

func TestRulesComeAndGo(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.set(discard(t, 1, 53), discard(t, 2, 53))
	b.start()
	b.wait(InSync)
	b.wantEntries(2)
	b.set(discard(t, 1, 53))
	b.wait(InSync)
	b.wantEntries(1)
	b.set()
	b.wait(InSync)
	b.wantEntries(0)
	// The operator's interfaces refer to the filters by name: they stay, empty.
	if state, _ := b.router.Read(t.Context(), device.Target{}); len(state.Filters) != 2 {
		t.Errorf("the router holds %d filters, want one for each IP version", len(state.Filters))
	}
	if c, found, _ := b.memory.Commit("mx1"); found {
		t.Errorf("commit %v is still noted", c)
	}
}

// A gateway that comes back and finds everything right changes nothing.
// A filter that stands in the wrong place is the operator's business: it is kept up to date there, and noted.
func TestMisplacedFilterIsNoted(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.router.misplaced = "ge-0/0/0.0, behind EDGE"
	b.set(discard(t, 1, 53))
	b.start()
	b.wait(InSync)
	const want = "sluice-v4 stands on ge-0/0/0.0, behind EDGE: not as placement alone wants it"
	if s := b.status(); s.Entries != 1 || len(s.Notes) != 2 || s.Notes[0] != want || !strings.Contains(s.Notes[1], "sluice-v6 is not attached") {
		t.Errorf("got %d entries, and the notes %q", s.Entries, s.Notes)
	}
}

func TestRestartChangesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.set(discard(t, 1, 53))
	b.start()
	b.wait(InSync)
	b.stop()
	commits := b.router.commits
	b.start()
	b.wait(InSync)
	if b.router.commits != commits {
		t.Errorf("%d commits after the restart, want none", b.router.commits-commits)
	}
}

func TestUnreachableDeviceIsTriedAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.router.unreachable = true
	b.set(discard(t, 1, 53))
	b.start()
	b.wait(Unreachable)
	if s := b.status(); s.Retry.IsZero() || !strings.Contains(s.Error, "no route to host") {
		t.Errorf("status %+v", s)
	}
	b.router.change(func(r *router) { r.unreachable = false })
	b.wait(InSync)
	b.wantEntries(1)
}

// A refusal is shown in the router's words, and not repeated until the rules change.
func TestRefusalWaitsForAnotherPlan(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.router.refuse = "statement not allowed on this platform"
	b.set(discard(t, 1, 53))
	b.start()
	b.wait(Refusing)
	if s := b.status(); !strings.Contains(s.Error, "statement not allowed on this platform") {
		t.Errorf("status %+v", s)
	}
	b.router.change(func(r *router) { r.refuse = "" })
	b.set(discard(t, 1, 53), discard(t, 2, 53))
	b.wait(InSync)
	b.wantEntries(2)
}

// A device that says yes and does nothing is found out, and nothing is confirmed.
func TestAcceptedButNotDone(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.router.lose = true
	b.set(discard(t, 1, 53))
	b.start()
	b.wait(Refusing)
	if s := b.status(); !strings.Contains(s.Error, "not proven") {
		t.Errorf("status %+v", s)
	}
	if b.router.token != "" {
		t.Error("the commit is still pending: it was neither confirmed nor cancelled")
	}
}

// A device that is read so slowly that it undoes the change meanwhile has not refused it: the change is tried again.
func TestReadBackTooLate(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.set(discard(t, 1, 53))
	late := false // only the worker reads
	b.router.slowRead = func() {
		b.router.mu.Lock()
		pending := b.router.token != ""
		b.router.mu.Unlock()
		if pending && !late {
			late = true
			b.clock.Add(int64(time.Minute))
		}
	}
	b.start()
	b.wait(InSync)
	b.wantEntries(1)
	if h, err := b.rec.History("mx1"); err != nil || len(h) != 2 || h[0].Outcome != device.NotReached || h[1].Outcome != device.Delivered {
		t.Errorf("history %+v, error %v: want a failure that was tried again", h, err)
	}
}

// What would not read back as what was meant is not sent.
func TestUnprovenIsNotSent(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.dev.Dialect = forgetful{}
	b.set(discard(t, 1, 53))
	b.start()
	b.wait(Refusing)
	if b.router.commits != 0 {
		t.Error("it was sent")
	}
	if s := b.status(); !strings.Contains(s.Error, "203.0.113.1") {
		t.Errorf("the error shows no packet: %s", s.Error)
	}
}

// crash leaves a gateway dead after Apply and before Confirm, its commit noted; the router holds an uncommitted change.
func (b *bench) crash(list ...flowspec.Rule) {
	b.t.Helper()
	b.router.change(func(r *router) { r.crashAfter = true })
	b.set(list...)
	b.start()
	b.until("the commit", func() bool { return len(b.router.entries()) > 0 })
	b.stop()
	b.router.change(func(r *router) {
		r.crashAfter = false
		if r.token == "" {
			b.t.Fatal("nothing is pending")
		}
	})
	if err := b.memory.SaveCommit("mx1", device.Commit{Token: b.router.token, Deadline: b.router.deadline}); err != nil {
		b.t.Fatal(err)
	}
}

func TestCommitOfADeadGatewayIsConfirmed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.crash(discard(t, 1, 53))
	commits := b.router.commits
	b.start()
	b.wait(InSync)
	b.wantEntries(1)
	if b.router.token != "" || b.router.commits != commits {
		t.Errorf("pending %q, %d more commits; want it confirmed as it was", b.router.token, b.router.commits-commits)
	}
}

func TestCommitOfADeadGatewayIsCancelled(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.crash(discard(t, 1, 53))
	b.set(discard(t, 9, 53)) // the rules changed while it was dead
	b.start()
	b.wait(InSync)
	if got := b.router.entries(); len(got) != 1 || !strings.Contains(got[0], string(discard(t, 9, 53).ID)) {
		t.Errorf("the router holds %v", got)
	}
}

func TestCommitOfADeadGatewayRunsOut(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.crash(discard(t, 1, 53))
	b.clock.Add(int64(time.Hour))
	b.wantEntries(0)
	b.start()
	b.wait(InSync)
	b.wantEntries(1)
}

// Killed between Apply and the note of its token, the gateway does not take what it finds for done: the router is about to undo it.
func TestCommitWithoutATokenIsNotTrusted(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.crash(discard(t, 1, 53))
	b.wantEntries(1)
	if err := b.memory.SaveCommit("mx1", device.Commit{Deadline: b.router.deadline}); err != nil {
		t.Fatal(err)
	}
	b.start()
	b.wait(Pending)
	b.stop()
	b.clock.Add(int64(time.Minute)) // the router undoes it
	b.start()
	b.wait(InSync)
	b.wantEntries(1)
	if b.router.token != "" {
		t.Error("still pending")
	}
}

// A connection that is lost in Apply leaves it open whether the router changed.
func TestLostConnectionInApplyIsInDoubt(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.dev.Confirm = 100 * time.Millisecond
	b.router.crashAfter = true
	b.set(discard(t, 1, 53))
	b.start()
	b.wait(Unreachable)
	b.router.change(func(r *router) { r.crashAfter = false })
	b.wait(InSync)
	b.wantEntries(1)
	if b.router.commits < 2 {
		t.Error("what the router had undone was taken for delivered")
	}
}

// A person who removes our filter is right: it is not put back before somebody says so.
func TestRemovedFilterFreezes(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.set(discard(t, 1, 53))
	b.start()
	b.wait(InSync)
	b.stop()
	b.router.change(func(r *router) { r.running = nil })
	b.start()
	b.wait(Frozen)
	b.set(discard(t, 1, 53), discard(t, 2, 53))
	b.until("a new plan", func() bool { return b.rec.Plan("mx1") != nil && len(b.rec.Plan("mx1").Verdicts) == 2 })
	b.wantEntries(0)
	if !b.rec.Sync("mx1") {
		t.Fatal("Sync knows no mx1")
	}
	b.wait(InSync)
	b.wantEntries(2)
}

// So is one who takes it off its last interface: nothing new is given to it, and it is not put back. A filter that has never stood anywhere waits for the operator, and holds up nothing.
func TestDetachedFilterFreezes(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.router.detached = true
	b.set(discard(t, 1, 53))
	b.start()
	b.wait(InSync)
	b.stop()
	b.router.change(func(r *router) { r.detached = false })
	b.start()
	b.wait(InSync)
	b.stop()

	b.router.change(func(r *router) { r.unplaced = true }) // which is not nowhere
	b.start()
	b.wait(InSync)
	b.stop()

	b.router.change(func(r *router) { r.unplaced, r.detached = false, true })
	b.start()
	b.wait(Frozen)
	if s := b.status(); !strings.Contains(s.Error, "sluice-v4 is on no interface any more") {
		t.Errorf("status %+v", s)
	}
	b.set(discard(t, 1, 53), discard(t, 2, 53))
	b.until("the new plan", func() bool { return b.status().Summary["rules"] == 2 })
	b.wantEntries(1)
	if !b.rec.Sync("mx1") {
		t.Fatal("Sync knows no mx1")
	}
	b.wait(InSync)
	b.wantEntries(2)
}

// A line of ours that somebody changed is repaired.
func TestChangedLineIsRepaired(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.set(discard(t, 1, 53), discard(t, 2, 53))
	b.start()
	b.wait(InSync)
	b.stop()
	b.router.change(func(r *router) {
		r.running = slices.Clone(r.running)
		r.running[0].Entries = r.running[0].Entries[:1]
	})
	b.start()
	b.wait(InSync)
	b.wantEntries(2)
}

// What arrives within the interval goes in one commit.
func TestChangesWithinTheIntervalGoTogether(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.dev.Interval = 500 * time.Millisecond
	b.start()
	b.set(discard(t, 1, 53))
	b.wait(InSync)
	commits := b.router.commits
	var list []flowspec.Rule
	for n := range byte(20) {
		list = append(list, discard(t, n, 53))
		b.set(list...)
	}
	b.wait(InSync)
	b.wantEntries(20)
	if got := b.router.commits - commits; got > 2 {
		t.Errorf("%d commits for changes that came at once", got)
	}
}

// A rule that moves from BGP to the filter is in the filter before it leaves BGP.
func TestMechanismChangesWithoutAGap(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	p := newPeer()
	b.dev.Native = p
	b.dev.Options = plan.Options{Settings: map[string]string{"term-order": "legacy"}, Remedies: []string{plan.RemedyFilter}}
	exception := rule(t, flowspec.Action{}, 1, 53)
	wide := discard(t, 1, 53, 123)
	b.set(wide)
	b.start()
	b.wait(InSync)
	if got := p.lines(); len(got) != 1 || !strings.HasPrefix(got[0], "announce") {
		t.Fatalf("told the peer %q", got)
	}
	b.wantEntries(0)

	b.router.change(func(r *router) { r.unreachable = true })
	b.set(exception, wide) // overlapping, different actions: native order is unknown, so both go to the filter
	b.wait(Unreachable)
	if got := p.lines(); len(got) != 1 {
		t.Errorf("the route was touched although the filter is not there yet: %q", got)
	}
	b.router.change(func(r *router) { r.unreachable = false })
	b.wait(InSync)
	b.wantEntries(2)
	if got := p.lines(); len(got) != 2 || !strings.HasPrefix(got[1], "withdraw") {
		t.Errorf("told the peer %q", got)
	}
}
