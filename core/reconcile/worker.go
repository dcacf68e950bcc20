package reconcile

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
)

// Delays between attempts at a device that does not answer: doubled each time, with jitter so that a fleet does not come back in step.
const (
	firstRetry = time.Second
	lastRetry  = 5 * time.Minute
)

// worker brings one device to its desired state. Its fields belong to the goroutine in run, but for wake, sync and status.
type worker struct {
	dev    Device
	plans  *planning
	tokens Tokens
	log    *slog.Logger
	now    func() time.Time

	wake   chan struct{} // capacity 1: many wake-ups are one
	sync   atomic.Bool   // a person asked: read again, and go on where we had stopped
	status atomic.Pointer[Status]

	filters   filterState
	routes    []device.Route // what the session was last given
	routePlan *plan.Plan     // the last plan that was delivered whole, filter and all
	given     bool           // routes was given at least once since the start
	failures  int            // in a row
	stoppedAt uint64         // version at which the device refused or was frozen
	stopped   State          // Refusing, Frozen, or ""
}

func newWorker(d Device, p *planning, cfg Config) *worker {
	w := &worker{
		dev: d, plans: p, tokens: cfg.Tokens, now: cfg.Now, wake: make(chan struct{}, 1),
		log: cfg.Log.With("device", d.Name),
	}
	w.status.Store(&Status{Name: d.Name, Profile: d.Profile.Name, State: Pending, Since: cfg.Now(), Summary: summarize(nil)})
	return w
}

// askSync may be called from any goroutine.
func (w *worker) askSync() {
	w.sync.Store(true)
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *worker) run(ctx context.Context) error {
	timer := time.NewTimer(0)
	stopTimer(timer)
	defer timer.Stop()
	for {
		select {
		case <-w.wake:
		case <-timer.C:
		case <-ctx.Done():
			return nil
		}
		if w.sync.Swap(false) {
			w.stopped = ""
			if err := w.forget(); err != nil {
				return err
			}
		}
		again := w.step(ctx)
		stopTimer(timer)
		if again > 0 {
			timer.Reset(again)
		}
	}
}

func stopTimer(t *time.Timer) {
	if !t.Stop() {
		select {
		case <-t.C:
		default:
		}
	}
}

// step does what is to be done now and returns after how long to look again; 0: when woken.
func (w *worker) step(ctx context.Context) time.Duration {
	m := w.plans.latest.Load()
	if m == nil {
		return 0
	}
	if m.plan == nil {
		w.report(m, NoPlan, m.err)
		return 0
	}
	if w.stopped == Refusing && m.version == w.stoppedAt {
		return 0
	}
	if w.stopped == Frozen {
		return w.dev.Audit
	}

	wait, err := w.deliver(ctx, m)
	switch {
	case ctx.Err() != nil:
		return 0
	case err != nil:
		return w.failed(m, err)
	case wait > 0:
		w.failures = 0
		w.report(m, Pending, nil)
		return wait
	}
	w.failures, w.stopped = 0, ""
	if m.err != nil {
		w.report(m, NoPlan, m.err)
	} else {
		w.report(m, InSync, nil)
	}
	return w.dev.Audit
}

// failed sorts an error by the reaction it asks for and returns after how long to try again.
func (w *worker) failed(m *made, err error) time.Duration {
	var refused *device.Refused
	var drifted *device.Drifted
	w.filters.known = false
	switch {
	case errors.As(err, &drifted) && drifted.Gone:
		// A person who removes our filter at three in the morning is right. It is never put back by itself.
		w.stopped, w.stoppedAt = Frozen, m.version
		w.report(m, Frozen, err)
		w.log.Error("frozen: somebody removed what we delivered; `sluice device sync` puts it back", "error", err)
		return w.dev.Audit
	case errors.As(err, &refused), errors.Is(err, errUnproven):
		w.stopped, w.stoppedAt = Refusing, m.version
		w.report(m, Refusing, err)
		w.log.Error("change refused", "error", err)
		return 0
	}
	w.failures++
	delay := backoff(w.failures)
	w.report(m, Unreachable, err)
	w.update(func(s *Status) { s.Retry = w.now().Add(delay) })
	w.log.Warn("not delivered, trying again", "error", err, "attempt", w.failures, "after", delay)
	return delay
}

// backoff returns the delay before the attempt after n failures: doubling, and somewhere in its upper half.
func backoff(n int) time.Duration {
	d := firstRetry << min(n-1, 20)
	if d > lastRetry || d <= 0 {
		d = lastRetry
	}
	return d/2 + rand.N(d/2)
}

// deliver brings routes and filters to what the plan says. A rule that changes from one to the other is made in the new one before it goes
// from the old. It returns how long to wait where the device asks for a pause between commits.
func (w *worker) deliver(ctx context.Context, m *made) (wait time.Duration, err error) {
	want := m.plan.Desired
	if w.dev.Filter == nil {
		return 0, w.giveRoutes(ctx, want.Routes)
	}
	if w.dev.Native == nil {
		return w.giveFilters(ctx, want.Filters)
	}
	// While the filter is on its way, the routes that it takes over stay. All others go at once: a discard that was withdrawn
	// must not wait for a device that is slow to commit, or gone.
	if err := w.giveRoutes(ctx, append(want.Routes[:len(want.Routes):len(want.Routes)], w.takenOver(m.plan)...)); err != nil {
		return 0, err
	}
	if wait, err = w.giveFilters(ctx, want.Filters); wait > 0 || err != nil {
		return wait, err
	}
	w.routePlan = m.plan
	return 0, w.giveRoutes(ctx, want.Routes)
}

// takenOver returns the routes that the session was given for rules that next carries in the filter.
func (w *worker) takenOver(next *plan.Plan) []device.Route {
	if w.routePlan == nil || w.routePlan == next {
		return nil
	}
	inFilter := map[flowspec.ID]bool{}
	for _, v := range next.Verdicts {
		if v.Carried == plan.InFilter {
			inFilter[v.Rule] = true
		}
	}
	if len(inFilter) == 0 {
		return nil
	}
	var out []device.Route
	for _, v := range w.routePlan.Verdicts {
		if !inFilter[v.Rule] {
			continue
		}
		for _, e := range v.Entries {
			if e.Route != nil {
				out = append(out, *e.Route)
			}
		}
	}
	return out
}

// giveRoutes tells the session about the difference. The session re-sends by itself when it comes back.
func (w *worker) giveRoutes(ctx context.Context, want []device.Route) error {
	change := device.Diff(device.State{Routes: w.routes}, device.State{Routes: want})
	if w.given && change.Empty() {
		return nil
	}
	if _, err := w.dev.Native.Apply(ctx, w.dev.Target, change, 0); err != nil {
		return fmt.Errorf("announce to %s: %w", w.dev.Name, err)
	}
	w.routes, w.given = want, true
	return nil
}

func (w *worker) report(m *made, s State, err error) {
	w.update(func(st *Status) {
		if st.State != s {
			st.State, st.Since = s, w.now()
		}
		st.Error, st.Retry = "", time.Time{}
		if err != nil {
			st.Error = err.Error()
		}
		if s == InSync {
			st.Version = m.version
		}
		st.Summary = summarize(m.plan)
		st.Routes, st.Entries, st.Attached, st.Notes = len(w.routes), w.filters.entries(), w.filters.attached(), w.filters.notes
		st.Commit = w.filters.took
	})
}

// current returns a copy of the status; from any goroutine.
func (w *worker) current() Status {
	s := *w.status.Load()
	if n, ok := w.dev.Native.(Sessioner); ok {
		s.Session = n.Session()
		if s.State == InSync && s.Session != Established {
			s.State, s.Error = Unreachable, "no BGP session: "+s.Session
		}
	}
	return s
}

func (w *worker) update(change func(*Status)) {
	next := *w.status.Load()
	change(&next)
	w.status.Store(&next)
}
