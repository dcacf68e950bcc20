package nft

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/sluice-gateway/sluice/adapters/internal/sessions"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// Dialect is a language of nft scripts.
type Dialect interface {
	filter.Dialect
	// Edit returns the script that leads from have to want, which bear one name; nil when there is nothing to do.
	Edit(have, want filter.Filter) ([]byte, error)
}

// Options are an adapter's own. The zero value is right for production.
type Options struct {
	Program string       // nft; "": as the system finds it
	Logger  *slog.Logger // nil: slog.Default, as it is when something is logged
	// IdleTimeout is after how long an unused connection over SSH is closed; 0: 5 min.
	IdleTimeout time.Duration
}

// Adapter is a device.Adapter for Linux. Close it to end its connections.
type Adapter struct {
	dialect Dialect
	opt     Options
	lines   *sessions.Lines[line]
}

var _ device.Adapter = (*Adapter)(nil)

// New returns the adapter that speaks d to the kernel.
func New(d Dialect, opt Options) *Adapter {
	opt.Program, opt.IdleTimeout = cmp.Or(opt.Program, "nft"), cmp.Or(opt.IdleTimeout, 5*time.Minute)
	return &Adapter{dialect: d, opt: opt, lines: sessions.Of(newLine)}
}

// Close ends all connections, after the calls that are under way.
func (a *Adapter) Close() error {
	for _, l := range a.lines.Clear() {
		l.Later(l.HangUp)
	}
	return nil
}

// Info describes the adapter. On this host undoing is on time, which Late says; a host behind SSH may be as late as it says here.
func (a *Adapter) Info(context.Context) (device.Info, error) {
	late := Late(device.Target{Address: "a host behind SSH"})
	return device.Info{Name: a.dialect.Name(), Version: "1", Dialect: a.dialect.Name(), Late: &late}, nil
}

func (a *Adapter) log() *slog.Logger { return cmp.Or(a.opt.Logger, slog.Default()) }

// Read returns our filters, by name. Filters that somebody changed into what the dialect does not understand are shown without their entries; a table that was switched off is a
// *device.Drifted.
func (a *Adapter) Read(ctx context.Context, t device.Target, names ...string) (device.State, error) {
	h, err := a.open(ctx, t)
	if err != nil {
		return device.State{}, err
	}
	defer h.close()
	device.Report(ctx, device.Reading)
	filters, err := a.filters(ctx, h)
	if err != nil {
		return device.State{}, err
	}
	st := device.State{Attached: map[string][]string{}}
	for _, f := range filters {
		if len(names) == 0 || slices.Contains(names, f.Name) {
			st.Filters = append(st.Filters, f)
			st.Attached[f.Name] = []string{"prerouting"}
		}
	}
	return st, nil
}

func (a *Adapter) filters(ctx context.Context, h *host) ([]filter.Filter, error) {
	listing, err := h.listing(ctx)
	if err != nil {
		return nil, err
	}
	return device.Understood(a.dialect, listing, a.log())
}

// Render returns the script that Apply would load on a host that holds what c was computed from. Of a filter that is replaced, c does not say what it was: the script replaces it whole, where
// Apply changes what differs.
func (a *Adapter) Render(_ context.Context, _ device.Target, c device.Change) ([]byte, error) {
	if _, err := c.Before(); err != nil {
		return nil, err
	}
	return a.whole(c)
}

// whole returns the script that replaces every filter that c changes.
func (a *Adapter) whole(c device.Change) ([]byte, error) {
	var script []byte
	for _, s := range c.Steps {
		if s.Op == device.Remove {
			script = append(script, removal(*s.Filter)...)
			continue
		}
		r, err := a.dialect.Render(*s.Filter)
		if err != nil {
			return nil, fmt.Errorf("render %s: %w", s.Filter.Name, err)
		}
		script = append(script, r.Payload...)
	}
	return script, nil
}

// edits returns the script that changes what differs from have.
func (a *Adapter) edits(have []filter.Filter, c device.Change) ([]byte, error) {
	var script []byte
	for _, s := range c.Steps {
		at := slices.IndexFunc(have, func(f filter.Filter) bool { return f.Name == s.Filter.Name })
		one := device.Change{Steps: []device.Step{s}}
		if s.Op == device.Remove || at < 0 {
			part, err := a.whole(one)
			if err != nil {
				return nil, err
			}
			script = append(script, part...)
			continue
		}
		part, err := a.dialect.Edit(have[at], *s.Filter)
		if err != nil {
			return nil, fmt.Errorf("change %s: %w", s.Filter.Name, err)
		}
		script = append(script, part...)
	}
	return script, nil
}

// removal removes the table of f.
func removal(f filter.Filter) string { return "delete " + tableOf(f) }

// clearing removes the table of f whether it is there or not.
func clearing(f filter.Filter) string { return "add " + tableOf(f) + removal(f) }

func tableOf(f filter.Filter) string {
	family := "ip"
	if f.Version == packet.IPv6 {
		family = "ip6"
	}
	return fmt.Sprintf("table %s %s\n", family, f.Name)
}

func (a *Adapter) equal(want, got filter.Filter) error {
	return filter.Same(want, got, a.dialect.Semantics())
}

// Apply makes c, and has it undone after undo, or up to two seconds more.
func (a *Adapter) Apply(ctx context.Context, t device.Target, c device.Change, undo time.Duration) (device.Commit, error) {
	if _, err := c.Before(); err != nil {
		return device.Commit{}, err
	}
	device.Report(ctx, device.Validating)
	if err := c.Prove(a.dialect); err != nil {
		return device.Commit{}, err
	}
	h, err := a.open(ctx, t)
	if err != nil {
		return device.Commit{}, err
	}
	defer h.close()
	if w := h.waiting(); len(w) > 0 {
		return device.Commit{}, transient(true, "an earlier change waits for its confirmation until %s", w[0].deadline.Format(time.TimeOnly))
	}
	device.Report(ctx, device.Reading)
	before, err := h.listing(ctx)
	if err != nil {
		return device.Commit{}, err
	}
	have, err := device.Understood(a.dialect, before, a.log())
	if err != nil {
		return device.Commit{}, err
	}
	if err := c.Expect(have, a.equal); err != nil {
		return device.Commit{}, err
	}
	if len(c.Steps) == 0 {
		return device.Commit{Confirmed: true}, nil
	}
	token, err := h.secure(ctx, before, have, c, undo)
	if err != nil {
		return device.Commit{}, transient(!doubtful(err), "the change could not be secured against a crash, so it was not made: %v", err)
	}
	if err := a.load(ctx, h, have, c); err != nil {
		return device.Commit{}, h.failed(ctx, token, undo, err)
	}
	deadline, err := h.made(ctx, token, undo)
	if err != nil {
		return device.Commit{}, transient(false, "the change is made, and that cannot be noted, so it will be undone: %v", err)
	}
	return device.Commit{Token: token, Deadline: deadline}, nil
}

// load makes c: what differs, or where that does not lead to it the whole.
func (a *Adapter) load(ctx context.Context, h *host, have []filter.Filter, c device.Change) error {
	script, err := a.edits(have, c)
	if err != nil {
		return err
	}
	device.Report(ctx, device.Validating)
	if h.try(ctx, script) == nil {
		device.ReportCount(ctx, device.Committing, 0, c.Entries())
		if err := h.load(ctx, script); err != nil {
			return err
		}
		err := a.holds(ctx, h, c.Desired.Filters)
		if err == nil {
			return nil
		}
		a.log().Warn("the edit did not lead to what was meant, replacing the tables", "error", err)
	}
	if script, err = a.replacing(c); err != nil {
		return err
	}
	device.Report(ctx, device.Validating)
	if err := h.try(ctx, script); err != nil {
		return err
	}
	device.ReportCount(ctx, device.Committing, 0, c.Entries())
	if err := h.load(ctx, script); err != nil {
		return err
	}
	return a.holds(ctx, h, c.Desired.Filters)
}

// replacing returns the script that leads to what c desires from whatever is there.
func (a *Adapter) replacing(c device.Change) ([]byte, error) {
	script, err := a.whole(device.Diff(device.State{}, device.State{Filters: c.Desired.Filters}))
	if err != nil {
		return nil, err
	}
	for _, s := range c.Steps {
		if s.Op == device.Remove {
			script = append(script, clearing(*s.Filter)...)
		}
	}
	return script, nil
}

// holds reads back what the kernel has.
func (a *Adapter) holds(ctx context.Context, h *host, want []filter.Filter) error {
	device.Report(ctx, device.Checking)
	got, err := a.filters(ctx, h)
	if err == nil {
		err = device.Holds(want, got, a.equal)
	}
	if err != nil {
		return transient(false, "the kernel took the change, and does not hold it: %v", err)
	}
	return nil
}

// Confirm ends the wait for the undoing of a change. One that was undone, or confirmed, is *device.Refused.
func (a *Adapter) Confirm(ctx context.Context, t device.Target, c device.Commit) error {
	return a.end(ctx, t, c, func(h *host) error { return h.confirm(ctx, c.Token) })
}

// Cancel undoes a change now.
func (a *Adapter) Cancel(ctx context.Context, t device.Target, c device.Commit) error {
	return a.end(ctx, t, c, func(h *host) error { return h.cancel(ctx, c.Token) })
}

func (a *Adapter) end(ctx context.Context, t device.Target, c device.Commit, how func(*host) error) error {
	if c.Confirmed {
		return nil
	}
	h, err := a.open(ctx, t)
	if err != nil {
		return err
	}
	defer h.close()
	return how(h)
}

func transient(unchanged bool, format string, args ...any) error {
	return &device.Transient{Err: fmt.Errorf(format, args...), Unchanged: unchanged}
}
