package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/table"
)

// errUnproven means that what would be sent, or what the device showed, is not what was meant. Trying again changes nothing.
var errUnproven = errors.New("not proven")

// filterState is what a worker knows of the filters on its device.
type filterState struct {
	known     bool          // observed is what the device held when it was last read
	observed  device.State  //
	read      time.Time     // when that was
	heard     uint64        // how often the device had said that something changed, before it was last read
	heeded    time.Time     // when it was last read because it had said so
	committed time.Time     // when the last change was made; zero: never
	took      time.Duration // by that change, from Apply to Confirm
	notes     []string      // for people: "sluice-v4 is not attached to any interface"
}

func (f *filterState) entries() int {
	n := 0
	for _, f := range f.observed.Filters {
		n += len(f.Entries)
	}
	return n
}

func (f *filterState) attached() []string {
	var out []string
	for _, fl := range f.observed.Filters {
		for _, i := range f.observed.Attached[fl.Name] {
			out = append(out, fl.Name+" on "+i)
		}
	}
	return out
}

// giveFilters brings the filters of the device to those of m: read, compare, apply under the device's undo timer, read back, prove, confirm. It
// returns how long to wait where the last commit was too short ago.
func (w *worker) giveFilters(ctx context.Context, m *made) (wait time.Duration, err error) {
	want, err := w.provenForm(m.plan.Desired.Filters)
	if err != nil {
		return 0, err
	}
	if !w.filters.known || w.auditDue() {
		if wait, err := w.readFilters(ctx, want); wait > 0 || err != nil {
			return wait, err
		}
	}
	change := device.Diff(device.State{Filters: w.filters.observed.Filters}, device.State{Filters: want})
	if change.Empty() {
		return 0, w.noteHeld(want)
	}
	if !w.filters.committed.IsZero() {
		if since := w.now().Sub(w.filters.committed); since >= 0 && since < w.dev.Interval { // before: the clock was set back
			return w.dev.Interval - since, nil
		}
	}
	if err := w.begin(m.of); err != nil {
		return 0, err
	}
	return 0, w.commit(ctx, change, want)
}

// auditDue says whether the device should be read again: it said that something changed, or nobody told us and time has passed.
func (w *worker) auditDue() bool {
	if w.unheeded() {
		return true
	}
	since := w.now().Sub(w.filters.read)
	return w.dev.Audit > 0 && (since >= w.dev.Audit || since < 0) // before: the clock was set back
}

// provenForm returns want as it will read back, after proving that this means the same. No proof, no delivery.
func (w *worker) provenForm(want []filter.Filter) ([]filter.Filter, error) {
	var out []filter.Filter
	for _, f := range w.always(want) {
		rendered, err := w.dev.Dialect.Render(f)
		if err != nil {
			return nil, fmt.Errorf("%w: render %s: %w", errUnproven, f.Name, err)
		}
		back, err := w.dev.Dialect.Parse(rendered.Payload)
		if err != nil {
			return nil, fmt.Errorf("%w: read back what was rendered for %s: %w", errUnproven, f.Name, err)
		}
		if len(back) != 1 {
			return nil, fmt.Errorf("%w: %s was rendered as %d filters", errUnproven, f.Name, len(back))
		}
		if err := w.prove(f, back[0]); err != nil {
			return nil, err
		}
		out = append(out, back[0])
	}
	return out, nil
}

// always adds an empty filter for each IP version that the plan has none for. The operator's interfaces refer to our filters by name: a filter
// that went away with its last rule would leave them referring to nothing, which routers refuse to commit.
func (w *worker) always(want []filter.Filter) []filter.Filter {
	out := slices.Clone(want)
	for _, v := range w.dev.Profile.Filter.Versions {
		version := packet.Version(v)
		if !slices.ContainsFunc(out, func(f filter.Filter) bool { return f.Version == version }) {
			out = append(out, filter.Filter{Name: fmt.Sprintf("%sv%d", filter.Mark, v), Version: version, Placement: w.dev.Target.Placement})
		}
	}
	slices.SortFunc(out, func(a, b filter.Filter) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// read asks the device for everything of ours, filters sorted by name, in the course of what.
func (w *worker) read(ctx context.Context, what Call) (device.State, error) {
	ctx, done := w.at(ctx, what)
	defer done()
	said := w.hearing.said.Load()
	state, err := w.dev.Filter.Read(ctx, w.dev.Target)
	if err != nil {
		return state, fmt.Errorf("read %s: %w", w.dev.Name, err)
	}
	w.filters.heard = said
	slices.SortFunc(state.Filters, func(a, b filter.Filter) int { return cmp.Compare(a.Name, b.Name) })
	return state, nil
}

// prove compares what two filters do.
func (w *worker) prove(want, got filter.Filter) error {
	s := w.dev.Dialect.Semantics()
	if d := table.Diff(want.Table(s), got.Table(s)); d != nil {
		w.log.Error("filter differs from what was meant; not delivered", "filter", want.Name, "packet", d.Packet.String(), "want", d.Want, "got", d.Got, "reason", d.Reason)
		return fmt.Errorf("%w: %s treats %s differently: want %s, got %s", errUnproven, want.Name, d.Packet, d.Want, d.Got)
	}
	return nil
}

// readFilters reads everything of ours and settles a commit that an earlier life of the gateway, or a lost connection, left behind. It returns how long
// to wait where nobody can know yet whether the device will undo what it holds.
func (w *worker) readFilters(ctx context.Context, want []filter.Filter) (wait time.Duration, err error) {
	c, found, err := w.tokens.Commit(w.dev.Name)
	if err != nil {
		return 0, err
	}
	var grace time.Duration
	if found {
		if grace, err = w.grace(ctx); err != nil {
			return 0, err
		}
	}
	over := c.Deadline.Add(grace) // the device has undone it by then
	if longest := w.window() + grace; found && over.Sub(w.now()) > longest {
		// Our clock was set back since. How much of the time is over nobody knows: all of it is waited out.
		c.Deadline = w.now().Add(w.window())
		if err := w.tokens.SaveCommit(w.dev.Name, c); err != nil {
			return 0, err
		}
		over = c.Deadline.Add(grace)
	}
	if found && c.Token == "" && w.now().Before(over) {
		return over.Sub(w.now()), nil // we were cut off before we knew whether there is a commit: nobody can confirm or cancel it
	}
	state, err := w.read(ctx, Reading)
	if err != nil {
		return 0, err
	}
	switch {
	case found && !w.now().Before(over):
		if err := w.outlived(ctx, c, state, want); err != nil {
			return 0, err
		}
	case found && !w.now().Before(c.Deadline) && w.shows(state, want):
		return over.Sub(w.now()), nil // its timer has run out, so it undoes that at any moment: a confirmation may come too late, and would say that it did not
	case found:
		if state, err = w.settle(ctx, c, state, want); err != nil {
			return 0, err
		}
	}
	if err := w.checkPresence(state); err != nil {
		return 0, err
	}
	w.observe(state)
	return 0, nil
}

// outlived forgets a commit that the device must have undone by now. Should our clock have been set forward, and the device still wait, it stays where it is what is wanted:
// a device that has nothing to confirm says so, and nothing is lost.
func (w *worker) outlived(ctx context.Context, c device.Commit, state device.State, want []filter.Filter) error {
	if c.Token != "" && w.shows(state, want) {
		if err := w.confirm(ctx, c); err == nil {
			w.log.Warn("confirmed a commit whose time was over by our clock, and not by that of the device")
		}
	}
	return w.tokens.ClearCommit(w.dev.Name)
}

// shows says whether the device holds the filters that are wanted.
func (w *worker) shows(state device.State, want []filter.Filter) bool {
	return device.Diff(device.State{Filters: state.Filters}, device.State{Filters: want}).Empty()
}

// settle ends a commit in flight: what the device holds is what is wanted, so it may stay; or it is not, so the device undoes it.
func (w *worker) settle(ctx context.Context, c device.Commit, state device.State, want []filter.Filter) (device.State, error) {
	if w.shows(state, want) {
		if err := w.confirm(ctx, c); err != nil {
			return state, w.unsettled("confirm", err)
		}
		w.log.Info("confirmed a commit that was in flight")
		return state, w.tokens.ClearCommit(w.dev.Name)
	}
	if err := w.cancel(ctx, c); err != nil {
		return state, w.unsettled("cancel", err)
	}
	w.log.Info("cancelled a commit that was in flight")
	if err := w.tokens.ClearCommit(w.dev.Name); err != nil {
		return state, err
	}
	return w.read(ctx, Reading)
}

// unsettled is a failure to confirm or to cancel. It is no refusal, even in the device's own words: the commit was confirmed already, or ends by
// itself, and the next attempt finds out which.
func (w *worker) unsettled(what string, err error) error {
	return fmt.Errorf("%s on %s: %v", what, w.dev.Name, err)
}

// observe takes over what the device showed.
func (w *worker) observe(state device.State) {
	w.detached(w.filters.observed, state)
	w.filters.known, w.filters.observed, w.filters.read, w.filters.notes = true, state, w.now(), nil
	for _, f := range state.Filters {
		for _, where := range state.Misplaced[f.Name] {
			w.filters.notes = append(w.filters.notes, fmt.Sprintf("%s stands on %s: not as placement %s wants it", f.Name, where, w.dev.Target.Placement))
		}
		if !onInterface(state, f.Name) {
			w.filters.notes = append(w.filters.notes, f.Name+" is not attached to any interface that could be read: it filters nothing there")
		}
	}
}

// forget is what a person asks for with sync: the device is read again, and whatever is missing there is put back.
func (w *worker) forget() error {
	if w.dev.Filter == nil {
		return nil
	}
	w.filters.known = false
	return w.tokens.SaveHeld(w.dev.Name, nil)
}
