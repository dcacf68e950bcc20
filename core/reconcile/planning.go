package reconcile

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/profile"
	"github.com/sluice-gateway/sluice/core/rib"
)

// made is a plan and the Loc-RIB it was made of.
type made struct {
	version uint64
	plan    *plan.Plan
	of      rib.Snapshot   // that plan was made of
	summary map[string]int // of plan; never changed
	err     error          // why there is no plan of this version; plan and what it is of are then the last good ones
}

// planning keeps the plan of one profile and options up to date. planner, version and took belong to the goroutine in run.
type planning struct {
	profile *profile.Profile
	planner *plan.Planner
	version uint64        // that planner is at
	took    time.Duration // to put the last plan together
	latest  atomic.Pointer[made]
	next    atomic.Pointer[chan struct{}] // closed when latest is another one
	ahead   atomic.Pointer[ahead]
	wakes   []chan struct{} // of the workers that share the plan; fixed before run
	log     *slog.Logger
}

func newPlanning(planner *plan.Planner, p *profile.Profile, log *slog.Logger) *planning {
	out := &planning{profile: p, planner: planner, log: log}
	out.next.Store(new(make(chan struct{})))
	return out
}

// rules returns the rules that the plan was made of, in the order of its verdicts.
func (m *made) rules() []flowspec.Rule { return m.of.Rules() }

// run makes a plan of each new snapshot it gets to see.
func (p *planning) run(ctx context.Context, rules Rules) error {
	changed, stop := rules.Watch()
	defer stop()
	for {
		p.follow(rules, changed)
		p.make(rules)
		select {
		case <-changed:
		case <-ctx.Done():
			return nil
		}
	}
}

// longestAhead is how long whole plans may be behind while one change comes after the other.
const longestAhead = 100 * time.Millisecond

// follow says of each new snapshot what it changes, until no other comes for as long as it took to put the last plan together: a change that comes then would have to
// wait that long.
func (p *planning) follow(rules Rules, changed <-chan struct{}) {
	end := time.NewTimer(longestAhead)
	defer end.Stop()
	quiet := time.NewTimer(0)
	defer quiet.Stop()
	for {
		snap, last := rules.Snapshot(), p.version
		steps, ok := p.planner.Follow(snap)
		if !ok {
			return
		}
		p.version = snap.Version
		p.ahead.Store(&ahead{last, snap.Version, snap, steps})
		p.wake()
		quiet.Reset(p.took)
		select {
		case <-changed:
		case <-quiet.C:
			return
		case <-end.C:
			return
		}
	}
}

func (p *planning) make(rules Rules) {
	began := time.Now()
	snap := rules.Snapshot()
	next := &made{version: snap.Version, of: snap}
	next.plan, next.err = p.planner.Plan(snap)
	if next.err != nil {
		// No proof, no delivery: the devices keep what they hold.
		p.log.Error("no plan", "profile", p.profile.Name, "version", snap.Version, "error", next.err)
		if last := p.latest.Load(); last != nil {
			next.plan, next.of = last.plan, last.of
		}
	}
	next.summary = summarize(next.plan)
	p.version, p.took = snap.Version, time.Since(began)
	p.latest.Store(next)
	close(*p.next.Swap(new(make(chan struct{}))))
	p.wake()
}

// reach waits until there is a whole plan of a version, or a later one.
func (p *planning) reach(ctx context.Context, version uint64) {
	for {
		later := *p.next.Load()
		if m := p.latest.Load(); m != nil && m.version >= version {
			return
		}
		select {
		case <-later:
		case <-ctx.Done():
			return
		}
	}
}

// wake has the workers look at what there is.
func (p *planning) wake() {
	for _, w := range p.wakes {
		select {
		case w <- struct{}{}:
		default:
		}
	}
}
