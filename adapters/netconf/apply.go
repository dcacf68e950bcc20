package netconf

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"time"

	gonetconf "github.com/Juniper/go-netconf/netconf"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/table"
)

// Apply makes c and leaves it pending: the device undoes it after undo, or after MaxWindow if that is less. A part of a second counts as a whole one, and
// with the option commit=junos a part of a minute as a whole one.
func (a *Adapter) Apply(ctx context.Context, t device.Target, c device.Change, undo time.Duration) (device.Commit, error) {
	a, d, err := a.forDevice(t)
	if err != nil {
		return device.Commit{}, err
	}
	if _, err := c.Before(); err != nil {
		return device.Commit{}, err
	}
	device.Report(ctx, device.Validating)
	if err := c.Prove(a.dialect); err != nil {
		return device.Commit{}, err
	}
	l, err := a.acquire(ctx, t)
	if err != nil {
		return device.Commit{}, unchanged(err)
	}
	defer a.release(l)
	if err := l.mayCommit(d); err != nil {
		return device.Commit{}, unchanged(err)
	}
	s, err := a.first(ctx, l, d, func(s *session) error {
		if err := capable(s); err != nil {
			return err
		}
		return lock(ctx, s)
	})
	if err != nil {
		return device.Commit{}, unchanged(err)
	}
	have, staged, err := a.stage(ctx, s, d, c)
	if err != nil || !staged {
		discard(s)
		undoLock(s)
		return device.Commit{Confirmed: err == nil}, unchanged(err)
	}
	w, err := a.commit(ctx, s, d, have, c, undo)
	if w == nil {
		undoLock(s)
		return device.Commit{}, err
	}
	l.lastCommit = time.Now()
	w.end = time.AfterFunc(time.Until(w.deadline), func() { l.Later(func() { l.expire(w) }) })
	l.window = w
	if err != nil {
		return device.Commit{}, err
	}
	return device.Commit{Token: w.token.String(), Deadline: w.deadline}, nil
}

// unchanged says of a transient error that it came before anything was committed. Edits that were on their way went into a candidate that we had locked, and the
// lock's end discards them (RFC 6241 section 8.3.5.2).
func unchanged(err error) error {
	var transient *device.Transient
	if errors.As(err, &transient) {
		return &device.Transient{Err: err, Unchanged: true}
	}
	return err
}

// details are a device's options, parsed.
type details struct {
	commit      commitRPC
	validate    bool
	minInterval time.Duration
	instances   filter.Instances
	agent       string // socket of an SSH agent
	routes      bool   // count FlowSpec routes
}

func readDetails(t device.Target) (d details, err error) {
	d.commit = commits["rfc6241"]
	for name, value := range t.Options {
		switch name {
		case "commit":
			var ok bool
			if d.commit, ok = commits[value]; !ok {
				err = fmt.Errorf("%q: want rfc6241 or junos", value)
			}
		case "validate":
			d.validate, err = strconv.ParseBool(value)
		case "min-commit-interval":
			d.minInterval, err = time.ParseDuration(value)
		case "agent":
			d.agent = value
		case "instances":
			d.instances, err = filter.ParseInstances(value)
		case device.OptionCount:
			if d.routes = value == device.CountRoutes; !d.routes {
				err = fmt.Errorf("%q: want %s", value, device.CountRoutes)
			}
		default:
			err = errors.New("there is no such option; there are agent, commit, validate, min-commit-interval and instances")
		}
		if err != nil {
			return d, fmt.Errorf("device %s, option %s: %w", t.Name, name, err)
		}
	}
	return d, nil
}

// mayCommit says whether now is a time for a change.
func (l *line) mayCommit(d details) error {
	if l.window != nil {
		return &device.Transient{Err: fmt.Errorf("an earlier change waits for its confirmation until %s", l.window.deadline.Format(time.TimeOnly))}
	}
	if wait := d.minInterval - time.Since(l.lastCommit); !l.lastCommit.IsZero() && wait > 0 {
		return &device.Transient{Err: fmt.Errorf("the last commit was less than %s ago; retry after %s", d.minInterval, wait.Round(time.Millisecond))}
	}
	return nil
}

// capable says whether the device can do what a change needs.
func capable(s *session) error {
	if !s.has(capCandidate) {
		return errors.New("the device offers no candidate configuration (RFC 6241 section 8.3): enable it, filters are not written to running directly")
	}
	if !s.has(capConfirmed10) && !s.has(capConfirmed11) {
		return errors.New("the device offers no confirmed commit (RFC 6241 section 8.4): without it nothing undoes a change that locks us out")
	}
	return nil
}

// lock takes the candidate for us alone. RFC 6241 section 7.5 makes the device refuse it while another session holds it and when the candidate has been
// modified and neither committed nor discarded: these are somebody's edits, and we neither commit nor discard them.
func lock(ctx context.Context, s *session) error {
	device.Report(ctx, device.Locking)
	err := s.ok(ctx, "lock the candidate", string(gonetconf.MethodLock("candidate")))
	if e, ok := asRPCError(err); ok {
		if e.has("access-denied", "operation-not-supported") {
			return &device.Refused{Words: "lock the candidate: " + err.Error()}
		}
		return &device.Transient{Err: fmt.Errorf("lock the candidate: somebody else edits it, or left edits in it that are neither committed nor discarded: %w", err)}
	}
	return err
}

// undoLock gives the candidate back. If that does not work the session goes, and the lock with it.
func undoLock(s *session) {
	if s.dead != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.timeout)
	defer cancel()
	if err := s.ok(ctx, "unlock the candidate", string(gonetconf.MethodUnlock("candidate"))); err != nil {
		s.Kill(err)
	}
}

// discard empties the candidate of our edits. It holds nothing else: it was locked clean.
func discard(s *session) {
	if s.dead != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.timeout)
	defer cancel()
	if err := s.ok(ctx, "discard our edits", "<discard-changes/>"); err != nil {
		s.Kill(err)
	}
}

// stage brings the change into the candidate, which is locked. It returns what was there, and false when there is nothing to change.
func (a *Adapter) stage(ctx context.Context, s *session, d details, c device.Change) (have []filter.Filter, staged bool, err error) {
	device.Report(ctx, device.Reading)
	if err := a.alone(ctx, s); err != nil {
		return nil, false, err
	}
	have, err = a.running(ctx, s)
	if err != nil {
		return nil, false, err
	}
	if err := c.Expect(have, a.equal); err != nil {
		return nil, false, err
	}
	edit, err := a.dialect.Edit(have, c.Desired.Filters)
	if err != nil || len(edit) == 0 {
		return nil, false, err
	}
	device.ReportCount(ctx, device.Loading, 0, c.Entries())
	if err := s.ok(ctx, "edit the candidate", editConfig(edit, s.has(capRollback))); err != nil {
		return nil, false, kind("edit the candidate", err)
	}
	if d.validate && (s.has(capValidate10) || s.has(capValidate11)) {
		device.Report(ctx, device.Validating)
		if err := s.ok(ctx, "validate the candidate", "<validate><source><candidate/></source></validate>"); err != nil {
			return nil, false, kind("validate the candidate", err)
		}
	}
	return have, true, nil
}

// commit makes the candidate running for the time being, and reads running back. Whenever something is pending on the device it returns the window, with an error or
// without.
func (a *Adapter) commit(ctx context.Context, s *session, d details, have []filter.Filter, c device.Change, undo time.Duration) (*window, error) {
	wait := d.commit.window(undo)
	w := &window{token: token{id: rand.Text()}}
	if s.has(capConfirmed11) {
		w.token.persist = d.commit.persist("sluice-" + w.token.id)
	}
	said := ""
	if d.commit.logs {
		said = a.comment(have, c.Desired.Filters)
	}
	before := time.Now()
	device.Report(ctx, device.Committing)
	err := s.ok(ctx, "commit", d.commit.confirmed(wait, w.token.persist, said))
	if _, theirs := asRPCError(err); theirs { // it said no, so it did nothing
		discard(s)
		return nil, unchanged(kind("commit", err))
	}
	if err != nil {
		return nil, err
	}
	w.deadline = before.Add(wait)
	return a.readBack(ctx, s, d, c, w)
}

// readBack decides whether an <ok/> was true.
func (a *Adapter) readBack(ctx context.Context, s *session, d details, c device.Change, w *window) (*window, error) {
	device.Report(ctx, device.Checking)
	got, err := a.running(ctx, s)
	if err == nil {
		err = device.Holds(c.Desired.Filters, got, a.equal)
	}
	if err == nil {
		w.token.sum, err = a.sum(got)
	}
	if err == nil {
		return w, nil
	}
	err = &device.Transient{Err: fmt.Errorf("the device answered ok to the commit, and does not hold the change: %w", err)}
	if s.dead != nil {
		return nil, err
	}
	soon, cancel := context.WithTimeout(context.Background(), s.timeout)
	defer cancel()
	if errors.Is(d.commit.cancel(soon, s, w.token.persist), errNoCancel) {
		return w, err // and the lock is kept, so that nobody's commit confirms what we do not want
	}
	discard(s)
	return nil, err
}

// equal says in what got differs from want: written differently is no difference as long as every packet fares alike.
func (a *Adapter) equal(want, got filter.Filter) error {
	err := filter.Same(want, got, a.dialect.Semantics())
	if err == nil || len(want.Entries) != len(got.Entries) || want.Placement != got.Placement {
		return err
	}
	for i := range want.Entries {
		if want.Entries[i].Name != got.Entries[i].Name || want.Entries[i].Counter != got.Entries[i].Counter {
			return err
		}
	}
	if table.Diff(want.Table(a.dialect.Semantics()), got.Table(a.dialect.Semantics())) == nil {
		return nil
	}
	return err
}
