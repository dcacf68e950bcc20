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

// view is the rules that a plan is made of: the Loc-RIB, or what of it all of a group may have.
type view interface {
	// newest returns the rules, and the version of the Loc-RIB that they have all of.
	newest() (snap rib.Snapshot, live uint64)
	// watch is as that of Rules.
	watch() (changed <-chan struct{}, stop func())
}

// everything is the view that has all of the Loc-RIB.
type everything struct{ rules Rules }

func (e everything) newest() (rib.Snapshot, uint64) {
	s := e.rules.Snapshot()
	return s, s.Version
}

func (e everything) watch() (<-chan struct{}, func()) { return e.rules.Watch() }

// made is a plan and the rules it was made of.
type made struct {
	version uint64 // of the rules in their own line
	live    uint64 // version of the Loc-RIB that they have all of
	plan    *plan.Plan
	of      rib.Snapshot   // that plan was made of
	summary map[string]int // of plan; never changed
	err     error          // why there is no plan of this version; plan and what it is of are then the last good ones
}

// planning keeps the plan of one profile and options up to date. planner, version and took belong to the goroutine in run.
type planning struct {
	profile *profile.Profile
	rules   view
	planner *plan.Planner
	version uint64        // that planner is at
	took    time.Duration // to put the last plan together
	latest  atomic.Pointer[made]
	next    atomic.Pointer[chan struct{}] // closed when latest is another one
	ahead   atomic.Pointer[ahead]
	scribe  scribe
	wakes   []chan struct{} // of the workers that share the plan; fixed before run
	log     *slog.Logger
}

func newPlanning(planner *plan.Planner, p *profile.Profile, rules view, log *slog.Logger) *planning {
	out := &planning{profile: p, planner: planner, rules: rules, log: log}
	out.next.Store(new(make(chan struct{})))
	return out
}

// rules returns the rules that the plan was made of, in the order of its verdicts.
func (m *made) rules() []flowspec.Rule { return m.of.Rules() }

// run makes a plan of each new snapshot it gets to see.
func (p *planning) run(ctx context.Context) error {
	changed, stop := p.rules.watch()
	defer stop()
	defer p.note()
	var saving <-chan time.Time // nil: nothing waits for the disk
	for {
		p.follow(changed)
		p.make()
		if saving == nil && p.scribe.of != "" {
			saving = time.After(saveAfter)
		}
		for again := false; !again; {
			select {
			case <-changed:
				again = true
			case <-saving:
				saving = nil
				p.note()
			case <-ctx.Done():
				return nil
			}
		}
	}
}

// note writes down how the newest plan carries each rule. A gateway that is killed before forgets that of rules that came last, and a later version takes them for new.
func (p *planning) note() {
	if err := p.scribe.save(p.latest.Load()); err != nil {
		p.log.Warn("cannot note the plan", "profile", p.profile.Name, "error", err)
	}
}

// longestAhead is how long whole plans may be behind while one change comes after the other.
const longestAhead = 100 * time.Millisecond

// follow says of each new snapshot what it changes, until no other comes for as long as it took to put the last plan together: a change that comes then would have to
// wait that long.
func (p *planning) follow(changed <-chan struct{}) {
	end := time.NewTimer(longestAhead)
	defer end.Stop()
	quiet := time.NewTimer(0)
	defer quiet.Stop()
	for {
		last := p.version
		snap, _ := p.rules.newest()
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

func (p *planning) make() {
	began := time.Now()
	snap, live := p.rules.newest()
	next := &made{version: snap.Version, live: live, of: snap}
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

// reach waits until there is a whole plan of a version of the Loc-RIB, or a later one. For what is withheld nobody waits.
func (p *planning) reach(ctx context.Context, version uint64) {
	for {
		later := *p.next.Load()
		if m := p.latest.Load(); m != nil && m.live >= version {
			return
		}
		if _, live := p.rules.newest(); live < version {
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
