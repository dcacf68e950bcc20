package reconcile

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
)

// clocks is what the device's clock and ours and the way between them may differ by.
const clocks = 2 * time.Second

// longestLate is how late a device may be whose adapter says nothing of it: the longest that was seen of any. Junos undid a change 35 s late (adapters/netconf). It costs time after a lost connection alone.
const longestLate = 40 * time.Second

// grace is how long after its deadline a commit may still be undone.
func (w *worker) grace(ctx context.Context) (time.Duration, error) {
	if w.dev.Late != nil {
		return clocks + *w.dev.Late, nil
	}
	i, err := w.dev.Filter.Info(ctx)
	if err != nil {
		return 0, fmt.Errorf("ask the adapter of %s how late its devices may be: %w", w.dev.Name, err)
	}
	if i.Late == nil {
		return clocks + longestLate, nil
	}
	return clocks + *i.Late, nil
}

// commit makes the change stay only if the device then shows exactly what was meant.
//
// That a commit may be in flight is noted before it is: who is killed between Apply and the note that follows would otherwise find on the device
// what was wanted, and take it for done, and the device would undo it half a minute later.
func (w *worker) commit(ctx context.Context, change device.Change, want []filter.Filter) (err error) {
	leave, err := w.takeTurn(ctx)
	if err != nil {
		return err
	}
	defer leave()
	if err := w.mayChange(); err != nil {
		return err
	}
	began := w.now()
	w.filters.known = false // until it was read back
	stop, err := w.noteDoubt()
	if err != nil {
		return err
	}
	c, err := w.apply(ctx, change)
	stop()
	if err != nil {
		return w.notApplied(ctx, err)
	}
	defer func() { w.inDoubt(ctx, err) }()
	if !c.Confirmed {
		if err := w.tokens.SaveCommit(w.dev.Name, c); err != nil {
			return errors.Join(err, w.cancel(ctx, c))
		}
	}
	state, err := w.verify(ctx, want)
	if !c.Confirmed && !w.now().Before(c.Deadline) {
		// The device has undone it meanwhile, or is about to, whatever it shows: the note of the commit stays, and the next attempt finds out. That is no refusal.
		why := ""
		if err != nil {
			why = ": " + err.Error()
		}
		return errors.New("the time to confirm the change was over before it was read back" + why)
	}
	if err != nil {
		return errors.Join(err, w.undo(ctx, c))
	}
	if !c.Confirmed {
		if err := w.confirm(ctx, c); err != nil {
			return w.unsettled("confirm", err)
		}
	}
	if err := w.tokens.ClearCommit(w.dev.Name); err != nil {
		return err
	}
	w.observe(state)
	w.filters.committed, w.filters.took = w.now(), w.now().Sub(began)
	w.log.Info("filter delivered", "steps", len(change.Steps), "entries", w.filters.entries(), "took", w.filters.took)
	return w.noteHeld(want)
}

func (w *worker) apply(ctx context.Context, change device.Change) (device.Commit, error) {
	ctx, done := w.at(ctx, Applying)
	defer done()
	return w.dev.Filter.Apply(ctx, w.dev.Target, change, w.dev.Confirm)
}

func (w *worker) confirm(ctx context.Context, c device.Commit) error {
	ctx, done := w.at(ctx, Confirming)
	defer done()
	return w.dev.Filter.Confirm(ctx, w.dev.Target, c)
}

func (w *worker) cancel(ctx context.Context, c device.Commit) error {
	ctx, done := w.at(ctx, Cancelling)
	defer done()
	return w.dev.Filter.Cancel(ctx, w.dev.Target, c)
}

// takeTurn waits until few enough devices are being changed. leave ends the turn.
func (w *worker) takeTurn(ctx context.Context) (leave func(), err error) {
	ctx, done := w.at(ctx, Queueing)
	defer done()
	select {
	case w.slots <- struct{}{}:
		return func() { <-w.slots }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// noteDoubt notes that a commit may be in flight from now on, until stop is called. How long Apply takes before it commits is not known (a large filter,
// a lock held by somebody else), so the note is renewed on the way: whenever it ends, the device has undone the commit by the deadline noted last.
func (w *worker) noteDoubt() (stop func(), err error) {
	every := w.noteEvery()
	note := func() error { return w.tokens.SaveCommit(w.dev.Name, device.Commit{Deadline: w.now().Add(w.window())}) }
	if err := note(); err != nil {
		return nil, err
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				if err := note(); err != nil {
					w.log.Warn("cannot note that a commit may be in flight", "error", err)
				}
			case <-done:
				return
			}
		}
	}()
	return func() { close(done); <-ended }, nil
}

// noteEvery is how often the note of a commit in doubt is renewed.
func (w *worker) noteEvery() time.Duration { return max(w.dev.Confirm/4, 10*time.Millisecond) }

// window is how long it takes at most, from the note of a commit in doubt, until the device has undone it.
func (w *worker) window() time.Duration { return max(w.dev.Confirm, w.dev.Undo) + w.noteEvery() }

// notApplied forgets the commit where the device is certain to be as it was. After any other error, such as a connection that was lost, nobody knows:
// the note stays, and the device is believed again once its undo timer must have run out.
func (w *worker) notApplied(ctx context.Context, err error) error {
	var refused *device.Refused
	var transient *device.Transient
	unchanged := errors.As(err, &refused) || errors.As(err, &transient) && transient.Unchanged
	err = fmt.Errorf("apply to %s: %w", w.dev.Name, err)
	if unchanged {
		return errors.Join(err, w.tokens.ClearCommit(w.dev.Name))
	}
	w.inDoubt(ctx, err)
	return err
}

// inDoubt notes, for the roll-out that the device is the canary of, that nobody knows what became of a change that was sent. That somebody else changed something at that moment is not the change's
// doing.
func (w *worker) inDoubt(ctx context.Context, err error) {
	var drifted *device.Drifted
	if err != nil && ctx.Err() == nil && !errors.As(err, &drifted) && !errors.Is(err, errUnproven) {
		w.begun.doubted(err)
	}
}

// verify reads the device back and proves that it now does what was meant.
func (w *worker) verify(ctx context.Context, want []filter.Filter) (device.State, error) {
	state, err := w.read(ctx, Verifying)
	if err != nil {
		return state, err
	}
	if len(state.Filters) != len(want) {
		return state, fmt.Errorf("%w: %s accepted the change and holds %d of our filters instead of %d", errUnproven, w.dev.Name, len(state.Filters), len(want))
	}
	for i, f := range want {
		if state.Filters[i].Name != f.Name {
			return state, fmt.Errorf("%w: %s accepted the change and does not hold %s", errUnproven, w.dev.Name, f.Name)
		}
		if err := w.prove(f, state.Filters[i]); err != nil {
			return state, err
		}
	}
	return state, nil
}

// undo takes a change back that could not be verified. Where that fails too, the device's own timer does it.
func (w *worker) undo(ctx context.Context, c device.Commit) error {
	if c.Confirmed {
		return w.tokens.ClearCommit(w.dev.Name)
	}
	if err := w.cancel(ctx, c); err != nil {
		return fmt.Errorf("cancel on %s (it undoes the change by itself by %s): %w", w.dev.Name, c.Deadline.Format(time.TimeOnly), err)
	}
	return w.tokens.ClearCommit(w.dev.Name)
}
