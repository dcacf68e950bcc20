package reconcile

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"testing"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/profiles"
	"pgregory.net/rapid"
)

// stepped is a RIB, a planner and the worker of one device with a session, which move only when they are told to.
type stepped struct {
	rib  *rib.RIB
	peer *peer
	rec  *Reconciler
	held map[uint64][]string // what the peer is to hold at each version
}

func newStepped(t *rapid.T, ctx context.Context) *stepped {
	table, err := rib.New(rib.Config{})
	if err != nil {
		t.Fatal(err)
	}
	go table.Run(ctx)
	prof, err := profiles.Embedded().Get("asr9k")
	if err != nil {
		t.Fatal(err)
	}
	s := &stepped{rib: table, peer: newPeer(), held: map[uint64][]string{}}
	s.rec = New(Config{Rules: table, Tokens: newMemory(), Devices: []Device{{Name: "asr", Profile: prof, Native: s.peer, Options: plan.Options{NoFilter: true}}},
		Log: slog.New(slog.DiscardHandler)})
	return s
}

// change announces or withdraws a rule, and notes what a device is to hold then.
func (s *stepped) change(t *rapid.T, ctx context.Context, e rib.Event) {
	done := make(chan error, 1)
	e.Source, e.Kind, e.Done = "test", rib.Update, done
	if err := errors.Join(s.rib.Send(ctx, e), <-done); err != nil {
		t.Fatal(err)
	}
	snap := s.rib.Snapshot()
	made, err := plan.Make(snap, s.rec.workers[0].dev.Profile, plan.Options{NoFilter: true})
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, r := range made.Desired.Routes {
		want = append(want, r.Match.String()+" "+r.Action.String())
	}
	slices.Sort(want)
	s.held[snap.Version] = want
}

func (p *peer) table() []string {
	var out []string
	for match, r := range maps.All(p.held) {
		out = append(out, match+" "+r.Action.String())
	}
	slices.Sort(out)
	return out
}

// Whatever comes in between, whole plans, changes ahead of them and failures: a peer that was told without a failure holds the plan of the version that the worker
// says, never an older one than before, and in the end that of the newest.
func TestGoingAhead(t *testing.T) {
	t.Parallel()
	went := 0
	rapid.Check(t, func(rt *rapid.T) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		s := newStepped(rt, ctx)
		p, w := s.rec.planners[0], s.rec.workers[0]
		none := make(chan struct{})
		last := uint64(0)
		step := func() {
			w.step(ctx)
			if n := &w.native; s.peer.fail == nil && !n.unsure && n.given {
				if got := s.peer.table(); !slices.Equal(got, s.held[n.version]) {
					rt.Fatalf("version %d: the peer holds %q, want %q", n.version, got, s.held[n.version])
				}
				if n.version < last {
					rt.Fatalf("back from version %d to %d", last, n.version)
				}
				last = n.version
				if m := p.latest.Load(); m != nil && n.version > m.version {
					went++
				}
			}
		}
		s.change(rt, ctx, rib.Event{})
		for range rapid.IntRange(5, 40).Draw(rt, "steps") {
			r := rule(t, flowspec.Action{}, byte(rapid.IntRange(1, 3).Draw(rt, "host")), 53)
			switch rapid.IntRange(0, 9).Draw(rt, "what") {
			case 0, 1:
				r.Action.Rate = &flowspec.Rate{Amount: rapid.SampledFrom([]float32{0, 0, 1e6}).Draw(rt, "rate"), Unit: flowspec.Bytes}
				s.change(rt, ctx, rib.Event{Announce: []flowspec.Rule{r}})
			case 2:
				s.change(rt, ctx, rib.Event{Withdraw: []flowspec.Match{r.Match}})
			case 3, 4:
				p.follow(none)
			case 5:
				p.make()
			case 6, 7, 8:
				step()
			case 9:
				s.peer.fail = rapid.SampledFrom([]error{nil, &device.Refused{Words: "no"}, &device.Transient{Err: errors.New("slow")}}).Draw(rt, "failure")
			}
		}
		s.peer.fail = nil
		p.make()
		w.stopped, w.retry = "", retry{}
		step()
		if newest := s.rib.Snapshot().Version; w.native.version != newest {
			rt.Fatalf("the worker is at version %d of %d", w.native.version, newest)
		}
	})
	if went == 0 {
		t.Error("it never went ahead: the test sees nothing")
	}
}
