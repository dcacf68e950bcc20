package adaptertest

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/table"
)

// Edit is what another hand does to a filter of ours on the device.
type Edit int

// The edits.
const (
	DropEntry  Edit = iota + 1 // the filter's first entry is deleted
	DropFilter                 // the whole filter is deleted
)

// Faults is the suite's hand on the device and on the adapter's process. An error of one of its functions fails the step that asked for it.
type Faults struct {
	// Semantics of the dialect: whether two filters mean the same is proven under it.
	Semantics filter.Semantics
	// Entries of the big table; 0: 10,000.
	Entries int
	// Burst of the policers that the suite asks for, at 1,250,000 bytes/s, in bytes; 0: 125,000. Name another one where the language of the device has a least burst.
	Burst uint64
	// Undo is the confirm window that the suite asks for; 0: 30 s. Choose a short one where Expire can only wait.
	Undo time.Duration
	// Patience bounds every call and every wait for the device; 0: 2 min.
	Patience time.Duration
	// Restart ends the adapter as a crash would, without a farewell, and returns a new one that knows nothing of the first.
	Restart func(context.Context) (device.Adapter, error)
	// Edit changes a filter of ours on the device by another hand.
	Edit func(ctx context.Context, e Edit, name string) error
	// LoseAnswer makes the device carry out the next change and lose the session before it answers.
	LoseAnswer func(context.Context) error
	// Refused is an entry that the device refuses, not the adapter; Words is what the device says of it, in part.
	Refused filter.Entry
	Words   string
	// SessionBound: the device undoes a pending change when the session that made it ends (NETCONF before 1.1), so nobody can confirm it after a crash.
	SessionBound bool
	// Unconfirmable: nobody can confirm a pending change after a crash, and it stays until its timer ends (IOS XR at a terminal).
	Unconfirmable bool
	// NoCancel: the device can undo a pending change only by its timer, so that Cancel is *device.Transient until then.
	NoCancel bool
	// NoUndo: the device has no undo timer at all, so that every commit comes back Confirmed, and Cancel undoes nothing.
	NoUndo bool
	// Plain: the language has no policers, an entry takes one number or range of each condition, and it names both prefixes.
	Plain bool
	// Form returns an entry as it reads back from the language, where that is another one that means the same; nil: it is the same.
	Form func(filter.Entry) filter.Entry
	// Expire lets the confirm window of the last change pass.
	Expire func(context.Context) error
	// Slow has the device hold back its answer to the next change until release is called. nil: it is as fast as it is, and whether Apply says where it is while it lasts is seen in the big table alone.
	Slow func(context.Context) (release func(), err error)
	// Stages are those that Apply is known to go through, in that order; others may come in between. nil: whatever it says is right, and to say nothing as well.
	Stages []device.Stage
}

// T is what a step needs of whoever tells the story. *testing.T is one; the command `sluice adapter test` has its own (Telling).
type T interface {
	Helper()
	Context() context.Context
	Cleanup(func())
	Error(...any)
	Errorf(string, ...any)
	Fatal(...any)
	Fatalf(string, ...any)
	Logf(string, ...any) // advice: what could be better, and fails nothing
}

// Stage is a T that tells a step under a name and says whether it went well. S is itself.
type Stage[S any] interface {
	T
	Run(name string, step func(S)) bool
}

// Run takes a through the story on the device target. The device must hold nothing of ours, and holds nothing of ours afterwards. The steps
// come one after the other: they share the device. After a step that fails the device is cleared and the story goes on; it ends where that cannot be done.
func Run[S Stage[S]](t S, a device.Adapter, target device.Target, f Faults) {
	t.Helper()
	if f.Entries == 0 {
		f.Entries = 10_000
	}
	if f.Burst == 0 {
		f.Burst = 125_000
	}
	if f.Undo == 0 {
		f.Undo = 30 * time.Second
	}
	if f.Patience == 0 {
		f.Patience = 2 * time.Minute
	}
	s := &story{adapter: a, target: target, faults: f}
	for _, step := range Steps {
		told := t.Run(step.Name, func(t S) {
			step.tell(s, t)
			s.settle(t, device.State{})
		})
		if told {
			continue
		}
		if err := s.clear(t.Context()); err != nil {
			t.Fatalf("the story ends at %q, since what it left on the device does not go away: %v", step.Name, err)
		}
	}
}

// story is one run of the suite.
type story struct {
	adapter device.Adapter
	target  device.Target
	faults  Faults
}

func (s *story) context(t T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), s.faults.Patience)
	t.Cleanup(cancel)
	return ctx
}

// read returns what the device holds.
func (s *story) read(t T, names ...string) device.State {
	t.Helper()
	st, err := s.adapter.Read(s.context(t), s.target, names...)
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	return st
}

// apply makes the device go towards want, from what it holds.
func (s *story) apply(t T, want device.State) (device.Commit, error) {
	t.Helper()
	com, err := s.adapter.Apply(s.context(t), s.target, device.Diff(s.read(t), want), s.faults.Undo)
	s.noSecrets(t, err)
	return com, err
}

// mustApply is apply, and checks the commit.
func (s *story) mustApply(t T, want device.State) device.Commit {
	t.Helper()
	com, err := s.apply(t, want)
	if err != nil {
		t.Fatalf("apply: %v", err)
	}
	if !com.Confirmed && (com.Token == "" || com.Deadline.IsZero()) {
		t.Fatalf("the commit is pending, and has no token or no deadline: %+v", com)
	}
	if com.Confirmed != s.faults.NoUndo {
		t.Fatalf("NoUndo is %v, and the commit says confirmed: %v", s.faults.NoUndo, com.Confirmed)
	}
	return com
}

// settle brings the device to want for good.
func (s *story) settle(t T, want device.State) {
	t.Helper()
	have := s.read(t)
	c := device.Diff(have, want)
	if c.Empty() {
		return
	}
	var com device.Commit
	err := s.persist(t, func() (err error) {
		com, err = s.adapter.Apply(s.context(t), s.target, c, s.faults.Undo)
		return err
	})
	if err != nil {
		t.Fatalf("apply: %v", err)
	}
	if err := s.adapter.Confirm(s.context(t), s.target, com); err != nil {
		t.Fatalf("confirm: %v", err)
	}
	s.holds(t, want)
}

// persist does as the gateway does with what is transient: it tries again, for a while. A device may take a moment to notice that a session is gone, and to
// give back its lock.
func (s *story) persist(t T, f func() error) error {
	t.Helper()
	for deadline := time.Now().Add(min(10*time.Second, s.faults.Patience)); ; {
		err := f()
		var transient *device.Transient
		if !errors.As(err, &transient) || time.Now().After(deadline) {
			return err
		}
		select {
		case <-t.Context().Done():
			return err
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// holds says whether the device holds what was asked for, proven.
func (s *story) holds(t T, want device.State) {
	t.Helper()
	if why := s.differs(s.read(t), want); why != "" {
		t.Fatalf("the device does not hold what it should: %s", why)
	}
}

// differs returns in words how got differs from want, or "".
func (s *story) differs(got, want device.State) string {
	has := map[string]filter.Filter{}
	for _, f := range got.Filters {
		has[f.Name] = f
	}
	for _, w := range want.Filters {
		g, ok := has[w.Name]
		if !ok {
			return "filter " + w.Name + " is missing"
		}
		delete(has, w.Name)
		if g.Version != w.Version || len(g.Entries) != len(w.Entries) {
			return "filter " + w.Name + " has other entries"
		}
		for i := range w.Entries {
			if g.Entries[i].Name != w.Entries[i].Name {
				return "filter " + w.Name + ": entry " + g.Entries[i].Name + " where " + w.Entries[i].Name + " should be"
			}
		}
		if device.SameFilter(g, w) {
			continue
		}
		if d := table.Diff(w.Table(s.faults.Semantics), g.Table(s.faults.Semantics)); d != nil {
			return "filter " + w.Name + ": packet " + d.Packet.String() + " wants " + d.Want + " and gets " + d.Got + " " + d.Reason
		}
	}
	for name := range has {
		return "filter " + name + " should not be there"
	}
	return ""
}

// becomes waits until the device holds want.
func (s *story) becomes(t T, want device.State) {
	t.Helper()
	deadline := time.Now().Add(s.faults.Patience)
	for why := "not read yet"; why != ""; {
		st, err := s.adapter.Read(s.context(t), s.target)
		var transient *device.Transient
		switch {
		case errors.As(err, &transient):
			why = err.Error()
		case err != nil:
			t.Fatalf("read: %v", err)
		default:
			why = s.differs(st, want)
		}
		if why == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the device does not come to hold what it should: %s", why)
		}
		select {
		case <-t.Context().Done():
			t.Fatal("the test ended")
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// noSecrets looks for the target's credentials in an error.
func (s *story) noSecrets(t T, err error) {
	t.Helper()
	for _, secret := range []device.Secret{s.target.Password, s.target.PrivateKey} {
		if err != nil && secret != "" && strings.Contains(err.Error(), string(secret)) {
			t.Fatal("an error holds a secret of the target")
		}
	}
}
