package reconcile

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
)

// ErrNoDevice is the answer to a name that no device bears.
var ErrNoDevice = errors.New("no such device")

// ErrNotFrozen is the answer to an end of a freeze that is not there.
var ErrNotFrozen = errors.New("not frozen")

// Freezes remembers, across a restart, which devices a person ordered not to be changed, and what they had then. The name "" stands for all devices. *store.Store is one.
type Freezes interface {
	SaveFreeze(name string, f device.Freeze) error
	Freezes() (map[string]device.Freeze, error)
	ClearFreeze(name string) error
	SaveKept(name string, k device.Kept) error
	Kept(name string) (device.Kept, bool, error)
	ClearKept(name string) error
}

// Hold is a freeze as it stands on one device.
type Hold struct {
	device.Freeze
	All bool `json:"all"` // every device is frozen, not this one alone
}

// Named is a rule as a status names it.
type Named struct {
	ID   flowspec.ID `json:"id"`
	Rule string      `json:"rule"` // what it matches
}

// mostNamed is how many rules of a kind a status names.
const mostNamed = 100

// freezes are the freezes in force, of all workers.
type freezes struct {
	mu   sync.Mutex
	by   map[string]device.Freeze
	disk Freezes
}

func (f *freezes) load() (err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.by, err = f.disk.Freezes()
	return err
}

// of returns the freeze that a device is under: its own, or that of all devices.
func (f *freezes) of(name string, now time.Time) (Hold, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if own, found := f.by[name]; found && !own.Over(now) {
		return Hold{Freeze: own}, true
	}
	if all, found := f.by[""]; found && !all.Over(now) {
		return Hold{Freeze: all, All: true}, true
	}
	return Hold{}, false
}

// begin puts a freeze in force, and then on disk: no worker begins a change after that.
func (f *freezes) begin(name string, order device.Freeze) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.disk.SaveFreeze(name, order); err != nil {
		return err
	}
	if f.by != nil { // else it will be loaded
		f.by[name] = order
	}
	return nil
}

// end takes a freeze away. One that has ended by itself is no longer there.
func (f *freezes) end(name string, now time.Time) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	order, found := f.by[name]
	if err := f.disk.ClearFreeze(name); err != nil {
		return err
	}
	delete(f.by, name)
	if !found || order.Over(now) {
		return ErrNotFrozen
	}
	return nil
}

// longestHold is how long Freeze waits for changes that are under way.
const longestHold = 2 * time.Second

// Freeze has nothing changed any more on a device, or with the name "" on any, until Thaw or until order ends by itself; across restarts. A change that is under way is
// ended first: busy are the devices where it was not within two seconds. The error is ErrNoDevice, or one of the disk.
func (r *Reconciler) Freeze(ctx context.Context, name string, order device.Freeze) (busy []string, err error) {
	workers, err := r.named(name)
	if err != nil {
		return nil, err
	}
	if err := r.freezes.begin(name, order); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, longestHold)
	defer cancel()
	reached := make([]chan struct{}, len(workers))
	for i, w := range workers {
		reached[i] = make(chan struct{})
		w.held.Store(&reached[i])
		w.wakeUp()
	}
	for i, w := range workers {
		select {
		case <-reached[i]:
		case <-ctx.Done():
			select {
			case <-reached[i]: // while another one was waited for
			default:
				busy = append(busy, w.dev.Name)
			}
		}
	}
	return busy, nil
}

// Thaw ends the freeze of a device, or with the name "" that of all. A device that is under both stays frozen until both have ended. The error is ErrNoDevice, ErrNotFrozen,
// or one of the disk.
func (r *Reconciler) Thaw(name string) error {
	workers, err := r.named(name)
	if err != nil {
		return err
	}
	err = r.freezes.end(name, r.cfg.Now())
	for _, w := range workers {
		w.wakeUp()
	}
	return err
}

// named returns the worker of a device, or with the name "" all.
func (r *Reconciler) named(name string) ([]*worker, error) {
	if name == "" {
		return r.workers, nil
	}
	for _, w := range r.workers {
		if w.dev.Name == name {
			return []*worker{w}, nil
		}
	}
	return nil, fmt.Errorf("%w: %q", ErrNoDevice, name)
}

// errHeld means that the device was frozen, or its roll-out stopped, before anything was sent.
var errHeld = errors.New("held before it began")

// mayChange is asked right before a change: finding out what to change may have taken long, and so may waiting for its turn.
func (w *worker) mayChange() error {
	if _, frozen := w.freezes.of(w.dev.Name, w.now()); frozen || w.halted() {
		return errHeld
	}
	return nil
}

// holding is what a worker knows while its device is frozen.
type holding struct {
	kept    *device.Kept // nil: not frozen, as far as the worker has got
	version uint64       // of the Loc-RIB that overdue was found with
	overdue []Named
	ended   int // how many there are
}

// hold leaves the device as it is. It returns after how long to look again.
func (w *worker) hold(ctx context.Context, h Hold) time.Duration {
	if w.holding.kept == nil {
		kept, err := w.keep()
		if err != nil {
			w.log.Error("cannot note what the frozen device has, trying again", "error", err)
			return firstRetry
		}
		w.holding.kept = &kept
		w.log.Warn("frozen by order: nothing is changed", "all", h.All, "until", h.Until, "reason", h.Reason)
	}
	if err := w.giveKept(ctx); err != nil && ctx.Err() == nil {
		w.log.Warn("cannot give the session what the frozen device had, trying again", "error", err)
		return firstRetry
	}
	w.findOverdue()
	w.reportHold(h)
	if reached := w.held.Swap(nil); reached != nil {
		close(*reached)
	}
	if h.Until.IsZero() {
		return 0
	}
	return max(h.Until.Sub(w.now()), time.Millisecond)
}

// keep returns what the device had when it was frozen: as an earlier life of the gateway noted it, or as it is now, which is noted. A device that nothing was
// delivered to yet has nothing.
func (w *worker) keep() (device.Kept, error) {
	kept, found, err := w.freezes.disk.Kept(w.dev.Name)
	if err != nil || found {
		return kept, err
	}
	w.native.catchUp()
	kept.Routes = w.native.routes
	if m := w.plans.latest.Load(); m != nil && m.plan != nil && (w.native.given || w.filters.known) {
		rules := m.rules()
		for i, v := range m.plan.Verdicts {
			if v.Carried != plan.Rejected {
				kept.Rules = append(kept.Rules, rules[i])
			}
		}
	}
	return kept, w.freezes.disk.SaveKept(w.dev.Name, kept)
}

// giveKept gives a session that was given nothing since the start of the gateway what it had before: a router forgets it with the session.
func (w *worker) giveKept(ctx context.Context) error {
	if w.dev.Native == nil || w.native.given || len(w.holding.kept.Routes) == 0 {
		return nil
	}
	return w.giveRoutes(ctx, w.holding.kept.Routes)
}

// findOverdue finds the rules that the device had and that are no longer in force.
func (w *worker) findOverdue() {
	h, m := &w.holding, w.plans.latest.Load()
	if m == nil || m.version == h.version {
		return
	}
	h.version, h.overdue, h.ended = m.version, nil, 0
	var ended []flowspec.Rule
	defer func() { w.ended.Store(&ended) }()
	for _, r := range h.kept.Rules {
		if _, found := m.of.Find(r.Match); found {
			continue
		}
		ended = append(ended, r)
		if h.ended++; len(h.overdue) < mostNamed {
			h.overdue = append(h.overdue, Named{r.ID, r.Match.String()})
		}
	}
}

func (w *worker) reportHold(h Hold) {
	w.update(func(s *Status) {
		if s.State != Frozen {
			s.State, s.Since = Frozen, w.now()
		}
		s.Freeze, s.Overdue, s.Ended, s.Retry = &h, w.holding.overdue, w.holding.ended, time.Time{}
		s.Routes, s.Entries = len(w.native.routes), w.filters.entries()
	})
}

// thawed goes back to work after a freeze: what was noted for it is forgotten.
func (w *worker) thawed() error {
	if w.holding.kept == nil && w.started {
		return nil
	}
	_, found, err := w.freezes.disk.Kept(w.dev.Name)
	if found || err != nil {
		err = w.freezes.disk.ClearKept(w.dev.Name)
		w.log.Info("the freeze has ended")
	}
	if err != nil {
		return err
	}
	w.holding, w.started = holding{}, true
	w.ended.Store(nil)
	w.update(func(s *Status) {
		s.Freeze, s.Overdue, s.Ended = nil, nil, 0
		if s.State == Frozen {
			s.State, s.Since = Pending, w.now()
			if w.stopped != "" {
				s.State = w.stopped // before it was frozen, and still
			}
		}
	})
	return nil
}
