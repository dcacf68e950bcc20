package adaptertest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
)

func (s *story) info(t T) {
	i, err := s.adapter.Info(s.context(t))
	if err != nil {
		t.Fatal(err)
	}
	if i.Name == "" || i.Version == "" {
		t.Errorf("info lacks a name or a version: %+v", i)
	}
	if i.Late == nil {
		t.Logf("Info does not say how much later than asked the devices may undo a change (Late, or undo_late_nanoseconds of its capabilities): the gateway waits 40 s more after a lost connection, which is the longest that was seen of any device")
	}
	if st := s.read(t); len(st.Filters) > 0 {
		t.Errorf("the device holds filters of ours before the story begins: %d", len(st.Filters))
	}
}

func (s *story) add(t T) {
	want := state(s.v4(5))
	com := s.mustApply(t, want)
	s.holds(t, want) // before the confirmation: what the device does now is what counts
	if com.Confirmed {
		return
	}
	if err := s.adapter.Confirm(s.context(t), s.target, com); err != nil {
		t.Fatal(err)
	}
	s.holds(t, want)
	if c := device.Diff(s.read(t), want); !c.Empty() {
		t.Errorf("after a confirmed change there is something left to do: %s", c.Steps[0].Why)
	}
	s.expire(t)
	s.holds(t, want) // the timer is off
}

func (s *story) render(t T) {
	c := device.Diff(device.State{}, state(s.v4(5)))
	a, err := s.adapter.Render(s.context(t), s.target, c)
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.adapter.Render(s.context(t), s.target, c)
	if err != nil {
		t.Fatal(err)
	}
	if len(a) == 0 || !bytes.Equal(a, b) {
		t.Error("the same change renders to nothing, or differently the second time")
	}
	if !bytes.Contains(a, []byte(filter.Mark)) {
		t.Error("the rendered change names nothing of ours")
	}
	s.holds(t, device.State{})
}

func (s *story) change(t T) {
	before := s.v4(5)
	s.settle(t, state(before))
	after := s.v4(7)
	after.Entries[0].Do = filter.Do{Discard: true}
	for i := range after.Policers {
		after.Policers[i].Rate.Amount *= 2
	}
	s.settle(t, state(after))
}

func (s *story) reorder(t T) {
	f := s.v4(6)
	s.settle(t, state(f))
	f.Entries = slices.Clone(f.Entries)
	slices.Reverse(f.Entries)
	s.settle(t, state(f))
}

func (s *story) readByName(t T) {
	one, two := s.v4(4), s.v4(3)
	two.Name = "sluice-b-v4"
	for i := range two.Policers {
		two.Policers[i].Name += "-b"
	}
	for i := range two.Entries {
		if two.Entries[i].Do.Policer != "" {
			two.Entries[i].Do.Policer += "-b"
		}
	}
	s.settle(t, state(one, two))
	got := s.read(t, two.Name)
	if why := s.differs(got, state(two)); why != "" {
		t.Errorf("read of %s only: %s", two.Name, why)
	}
	if got := s.read(t, "sluice-none"); len(got.Filters) != 0 {
		t.Errorf("read of a filter that is not there returns %d filters", len(got.Filters))
	}
}

func (s *story) remove(t T) {
	s.settle(t, state(s.v4(4)))
	s.settle(t, device.State{})
}

func (s *story) cancel(t T) {
	before, after := state(s.v4(4)), state(s.v4(9))
	s.settle(t, before)
	com := s.mustApply(t, after)
	err := s.adapter.Cancel(s.context(t), s.target, com)
	if s.faults.NoUndo {
		if err != nil {
			t.Fatal(err)
		}
		s.holds(t, after)
		return
	}
	if s.faults.NoCancel {
		var transient *device.Transient
		if !errors.As(err, &transient) {
			t.Errorf("cancel of what only time undoes: got %v, want *device.Transient", err)
		}
		s.expire(t)
		err = s.adapter.Cancel(s.context(t), s.target, com)
	}
	if err != nil {
		t.Fatal(err)
	}
	s.becomes(t, before)
}

func (s *story) noConfirmation(t T) {
	before, after := state(s.v4(4)), state(s.v4(9))
	s.settle(t, before)
	com := s.mustApply(t, after)
	if s.faults.NoUndo {
		s.holds(t, after)
		return
	}
	s.expire(t)
	s.undoneInTime(t, before)
	if err := s.adapter.Confirm(s.context(t), s.target, com); err == nil {
		t.Error("a change that the device has undone was confirmed")
	} else {
		s.noSecrets(t, err)
	}
	s.holds(t, before)
}

func (s *story) crashThenConfirm(t T) {
	before, after := state(s.v4(4)), state(s.v4(9))
	s.settle(t, before)
	com := s.mustApply(t, after)
	s.restart(t)
	if s.faults.Unconfirmable {
		s.holds(t, after)
		if err := s.adapter.Confirm(s.context(t), s.target, com); err == nil {
			t.Error("a change that nobody can confirm was confirmed")
		}
		s.expire(t)
	}
	if s.faults.SessionBound || s.faults.Unconfirmable {
		s.becomes(t, before)
		if err := s.adapter.Confirm(s.context(t), s.target, com); err == nil {
			t.Error("a change that the device has undone was confirmed")
		}
		s.holds(t, before)
		return
	}
	s.holds(t, after)
	if err := s.persist(t, func() error { return s.adapter.Confirm(s.context(t), s.target, com) }); err != nil {
		t.Fatalf("confirm by another process: %v", err)
	}
	s.expire(t)
	s.holds(t, after)
}

func (s *story) crashThenNothing(t T) {
	before, after := state(s.v4(4)), state(s.v4(9))
	s.settle(t, before)
	s.mustApply(t, after)
	s.restart(t)
	s.expire(t)
	if s.faults.NoUndo {
		s.becomes(t, after)
		return
	}
	s.becomes(t, before)
	s.settle(t, after)
}

func (s *story) foreignEdit(t T) {
	want := s.v4(5)
	s.settle(t, state(want))
	s.edit(t, DropEntry, want.Name)
	st := s.read(t)
	if s.differs(st, state(want)) == "" {
		t.Fatal("another hand deleted an entry, and read does not show it")
	}
	// A change that believes in the state before the edit, about another filter, is not made.
	more := s.v4(2)
	more.Name, more.Policers, more.Entries = "sluice-b-v4", nil, []filter.Entry{s.entry(3)}
	_, err := s.adapter.Apply(s.context(t), s.target, device.Diff(state(want), state(want, more)), s.faults.Undo)
	var drifted *device.Drifted
	if !errors.As(err, &drifted) {
		t.Errorf("a change computed before a foreign edit: got %v, want *device.Drifted", err)
	}
	s.settle(t, state(want)) // computed from what is there, it is repaired
}

func (s *story) foreignRemoval(t T) {
	want := s.v4(5)
	s.settle(t, state(want))
	s.edit(t, DropFilter, want.Name)
	_, err := s.adapter.Apply(s.context(t), s.target, device.Diff(state(want), state(s.v4(6))), s.faults.Undo)
	var drifted *device.Drifted
	if !errors.As(err, &drifted) || !drifted.Gone {
		t.Errorf("a change of a filter that another hand removed: got %v, want *device.Drifted with Gone", err)
	}
	s.holds(t, device.State{}) // it was not put back
}

func (s *story) lostSession(t T) {
	before, after := state(s.v4(4)), state(s.v4(9))
	s.settle(t, before)
	c := device.Diff(s.read(t), after)
	s.loseAnswer(t)
	_, err := s.adapter.Apply(s.context(t), s.target, c, s.faults.Undo)
	s.noSecrets(t, err)
	var transient *device.Transient
	if !errors.As(err, &transient) {
		t.Fatalf("the session was lost during apply: got %v, want *device.Transient", err)
	}
	if transient.Unchanged {
		t.Errorf("the device carried the change out, and %v says that nothing was changed", err)
	}
	s.expire(t)
	if s.faults.NoUndo {
		s.becomes(t, after)
		return
	}
	s.becomes(t, before) // nobody confirmed it
	s.settle(t, after)
}

func (s *story) refusedLine(t T) {
	if s.faults.Refused.Name == "" || s.faults.Words == "" {
		t.Fatal("the suite was not told of an entry that the device refuses, and with which words (Refused, Words)")
	}
	before := s.v4(4)
	s.settle(t, state(before))
	after := s.v4(4)
	after.Entries = append(slices.Clone(after.Entries), s.faults.Refused)
	_, err := s.apply(t, state(after))
	var refused *device.Refused
	if !errors.As(err, &refused) {
		t.Fatalf("an entry that the device refuses: got %v, want *device.Refused", err)
	}
	if !strings.Contains(refused.Words, s.faults.Words) {
		t.Errorf("the refusal reads %q, want the device's own words %q in it", refused.Words, s.faults.Words)
	}
	s.holds(t, state(before))
	s.settle(t, state(s.v4(6))) // nothing is stuck behind it
}

func (s *story) noTime(t T) {
	before := state(s.v4(4))
	s.settle(t, before)
	c := device.Diff(s.read(t), state(s.v4(9)))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	start := time.Now()
	_, err := s.adapter.Apply(ctx, s.target, c, s.faults.Undo)
	var transient *device.Transient
	if !errors.As(err, &transient) {
		t.Errorf("apply without any time: got %v, want *device.Transient", err)
	} else if !transient.Unchanged {
		t.Errorf("apply without any time: %v does not say that nothing was changed", err)
	}
	if d := time.Since(start); d > 10*time.Second {
		t.Errorf("apply without any time took %s", d)
	}
	s.becomes(t, before)
}

func (s *story) counters(t T) {
	reader, ok := s.adapter.(device.CounterReader)
	if !ok {
		return
	}
	f := s.v4(5)
	named := map[string]bool{}
	for i := range f.Entries {
		f.Entries[i].Counter = f.Entries[i].Name
		named[f.Entries[i].Name] = true
	}
	s.settle(t, state(f))
	got, err := reader.Counters(s.context(t), s.target)
	if errors.Is(err, errors.ErrUnsupported) {
		return
	}
	s.noSecrets(t, err)
	if err != nil {
		t.Fatalf("counters: %v", err)
	}
	if len(got) == 0 {
		t.Error("the device holds entries with counters, and counters returns none")
	}
	for name := range got {
		if !named[name] {
			t.Errorf("counters returns one for %q, which is not a name of ours", name)
		}
	}
}

func (s *story) bigTable(t T) {
	want := state(s.v4(s.faults.Entries))
	s.settleAloud(t, want).judge(t)
	more := s.v4(s.faults.Entries + 1)
	s.settle(t, state(more))
}
