package reconcile

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/rib"
)

// worker brings one device to its desired state. Its fields belong to the goroutine in run, but for wake, sync and status.
type worker struct {
	dev     Device
	plans   *planning
	tokens  Tokens
	freezes *freezes
	rules   Rules
	stale   Staler        // nil: nobody knows
	slots   chan struct{} // one for each device that may be changed at this moment
	log     *slog.Logger
	now     func() time.Time

	wake     chan struct{}                 // capacity 1: many wake-ups are one
	sync     atomic.Bool                   // a person asked: read again, and go on where we had stopped
	held     atomic.Pointer[chan struct{}] // closed when the worker has come to hold the device
	status   atomic.Pointer[Status]
	progress atomic.Pointer[Progress] // of the call that it is at; nil: of none

	ended   atomic.Pointer[[]flowspec.Rule] // what ended while it is frozen by order
	behind  atomic.Pointer[generation]      // what it is given of an earlier version; nil: it is given the plans of this one
	rollout *rollout                        // of its group; nil: it is in none
	canary  bool                            // of that group
	begun   begun                           // of a canary
	brought atomic.Pointer[rib.Snapshot]    // the rules that it was last brought to; of others than canaries, in the line of the stage

	hearing   hearing
	ledger    ledger
	counts    counting
	filters   filterState
	native    routeState
	holding   holding
	shadows   bool   // nothing is ever sent
	started   bool   // it has been looked whether something was kept for a freeze
	retry     retry  // after failures
	stoppedAt uint64 // version at which the device refused or was frozen
	stopped   State  // Refusing, Frozen, or ""
}

func newWorker(d Device, p *planning, f *freezes, slots chan struct{}, cfg Config) *worker {
	w := &worker{
		dev: d, plans: p, tokens: cfg.Tokens, freezes: f, slots: slots, shadows: cfg.Shadow, now: cfg.Now, wake: make(chan struct{}, 1), hearing: hearing{wake: make(chan struct{}, 1)},
		log: cfg.Log.With("device", d.Name),
	}
	w.rules, w.counts.version = cfg.Rules, cfg.Rules.Snapshot().Version
	w.stale, _ = cfg.Rules.(Staler)
	w.status.Store(&Status{Name: d.Name, Profile: d.Profile.Name, State: Pending, Since: cfg.Now(), Sends: d.sends(d.Policy), Summary: summarize(nil)})
	return w
}

// askSync may be called from any goroutine.
func (w *worker) askSync() {
	w.sync.Store(true)
	w.wakeUp()
}

// wakeUp may be called from any goroutine.
func (w *worker) wakeUp() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *worker) run(ctx context.Context) error {
	if err := errors.Join(w.recall(), w.recallSeries()); err != nil {
		return err
	}
	defer w.save()
	defer w.saveSeries()
	timer, saving, counts := time.NewTimer(0), time.NewTimer(0), time.NewTimer(w.countEvery())
	stopTimer(timer)
	stopTimer(saving)
	defer timer.Stop()
	defer saving.Stop()
	defer counts.Stop()
	looks, shown := time.NewTimer(0), w.shownChanged()
	stopTimer(looks)
	defer looks.Stop()
	heed, heeding := time.NewTimer(0), false
	stopTimer(heed)
	defer heed.Stop()
	armed := false // saving is
	for {
		select {
		case <-w.wake:
		case <-timer.C:
		case <-saving.C:
			armed = false
			w.save()
			continue
		case <-counts.C:
			if again := w.count(ctx); again > 0 {
				counts.Reset(again)
			}
			continue
		case <-shown:
			looks.Reset(lookAfter)
			continue
		case <-looks.C:
			if again := w.look(); again > 0 {
				looks.Reset(again)
			}
			continue
		case <-w.hearing.wake:
			if !heeding {
				heeding = true
				heed.Reset(w.heedIn())
			}
			continue
		case <-heed.C:
			heeding = false
			if !w.unheeded() {
				continue // it has been read since
			}
			w.filters.heeded = w.now()
		case <-ctx.Done():
			return nil
		}
		again := w.asked()
		if again == 0 {
			again = w.step(ctx)
		}
		stopTimer(timer)
		if again > 0 {
			timer.Reset(again)
		}
		if shown != nil {
			looks.Reset(lookAfter)
		}
		if w.ledger.unset && !armed {
			armed = true
			saving.Reset(saveAfter)
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

// asked does what a person asked for with sync, if anybody did. It returns after how long to try again where that failed.
func (w *worker) asked() time.Duration {
	if !w.sync.Swap(false) {
		return 0
	}
	if w.shadows {
		w.filters.known = false
		return 0
	}
	if err := w.forget(); err != nil {
		w.log.Error("cannot forget what the device held, trying again", "error", err)
		w.sync.Store(true)
		return firstRetry
	}
	if s, ok := w.dev.Native.(device.Shower); ok && s.ShownChanged() != nil {
		s.SayAgain() // where it shows that it lost some
	}
	w.stopped, w.retry = "", retry{}
	return 0
}

// step does what is to be done now and returns after how long to look again; 0: when woken.
func (w *worker) step(ctx context.Context) time.Duration {
	if h, frozen := w.freezes.of(w.dev.Name, w.now()); frozen {
		return w.hold(ctx, h)
	}
	if err := w.thawed(); err != nil {
		w.log.Error("cannot end the freeze, trying again", "error", err)
		return firstRetry
	}
	if !w.shadows {
		w.goAhead(ctx)
	}
	m := w.plans.latest.Load()
	if m == nil {
		return 0
	}
	if m.version < w.native.version {
		return w.dev.Audit // the whole plan is on its way
	}
	if m.plan == nil {
		w.report(m, NoPlan, m.err)
		return 0
	}
	if w.shadows {
		return w.shadow(ctx, m)
	}
	if w.stopped == Refusing && m.version == w.stoppedAt {
		return 0
	}
	if w.stopped == Frozen {
		return w.frozen(ctx, m)
	}
	if w.halted() && m.version != w.native.version {
		w.report(m, Waiting, nil)
		return w.frozen(ctx, m)
	}
	if wait := w.retry.notBefore.Sub(w.now()); wait > 0 && wait <= firstRetry { // more: the clock was set back
		return wait
	}
	if wait, proposed := w.propose(ctx, m); proposed {
		return wait
	}

	began := w.now()
	wait, err := w.deliver(ctx, m)
	switch {
	case ctx.Err() != nil:
		return 0
	case errors.Is(err, errHeld):
		return time.Nanosecond // frozen since, and seen before anything was sent
	case err != nil || wait == 0:
		w.record(m, err, began)
	}
	switch {
	case err != nil:
		return w.failed(m, err)
	case wait > 0:
		w.retry = retry{}
		w.report(m, Pending, nil)
		return wait
	}
	w.retry, w.stopped, w.native.version = retry{}, "", m.version
	w.brought.Store(&m.of)
	if m.err != nil {
		w.report(m, NoPlan, m.err)
	} else {
		w.reportGiven(m)
	}
	return w.dev.Audit
}

// frozen gives the device nothing new until somebody asks for it, and takes back what is no longer wanted: a rule that has ended must not go on
// discarding because somebody removed a filter.
func (w *worker) frozen(ctx context.Context, m *made) time.Duration {
	if w.dev.Native != nil {
		if err := w.giveRoutes(ctx, w.native.onlyMilder(w.wanted(m))); err != nil && ctx.Err() == nil {
			w.log.Warn("not withdrawn, trying again", "error", err)
			return firstRetry
		}
	}
	w.update(func(s *Status) { s.Routes = len(w.native.routes) })
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
	delay := w.retry.failed(err, w.now())
	w.report(m, Unreachable, err)
	w.update(func(s *Status) { s.Retry = w.now().Add(delay) })
	w.log.Warn("not delivered, trying again", "error", err, "attempt", w.retry.failures, "after", delay)
	return delay
}

// deliver brings routes and filters to what the plan says. A rule that changes from one to the other is made in the new one before it goes
// from the old. It returns how long to wait where the device asks for a pause between commits.
func (w *worker) deliver(ctx context.Context, m *made) (wait time.Duration, err error) {
	if w.dev.Filter == nil {
		return 0, w.giveRoutesOf(ctx, m, m.plan.Desired.Routes)
	}
	if w.dev.Native == nil {
		return w.giveFiltersOf(ctx, m)
	}
	// While the filter is on its way, the routes that it takes over stay. All others go at once: a discard that was withdrawn
	// must not wait for a device that is slow to commit, or gone. Nor does the filter wait for the session.
	told := w.giveRoutesOf(ctx, m, w.wanted(m))
	if wait, err = w.giveFiltersOf(ctx, m); err != nil && told != nil {
		err = fmt.Errorf("%w; and %v", err, told) // what becomes of the filter decides when to try again
	}
	if err != nil {
		return 0, err
	}
	if wait > 0 || told != nil {
		return wait, told
	}
	if err := w.mayChange(); err != nil { // the filter may have taken long
		return 0, err
	}
	w.native.settle()
	return 0, w.giveRoutesOf(ctx, m, m.plan.Desired.Routes)
}

// giveRoutesOf gives the session routes of m, and notes that it has them.
func (w *worker) giveRoutesOf(ctx context.Context, m *made, routes []*device.Route) error {
	if err := w.begin(m.of); err != nil {
		return err
	}
	err := w.giveRoutes(ctx, routes)
	if err == nil {
		w.ledger.reached(&w.ledger.routes, m.of)
	}
	return err
}

// giveFiltersOf brings the device to the filters of m, and notes that it has them.
func (w *worker) giveFiltersOf(ctx context.Context, m *made) (wait time.Duration, err error) {
	wait, err = w.giveFilters(ctx, m)
	if err == nil && wait == 0 {
		w.ledger.reached(&w.ledger.filters, m.of)
	}
	return wait, err
}

// wanted returns the routes that the session is to have while the filter of m is on its way.
func (w *worker) wanted(m *made) []*device.Route {
	w.native.plan(m)
	return append(slices.Clip(m.plan.Desired.Routes), w.native.takenOver(m.plan.Desired.Routes)...)
}
