package adaptertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
)

// The faults, as steps ask for them: one that nobody can make happen fails the step that needs it, so that a passing suite means the same for everyone.

func (s *story) expire(t T) {
	t.Helper()
	if s.faults.Expire == nil {
		t.Fatal("the suite was not told how to let the confirm window pass (Expire)")
	}
	if err := s.faults.Expire(t.Context()); err != nil {
		t.Fatalf("let the confirm window pass: %v", err)
	}
}

func (s *story) restart(t T) {
	t.Helper()
	if s.faults.Restart == nil {
		t.Fatal("the suite was not told how to end the adapter and start another (Restart)")
	}
	a, err := s.faults.Restart(t.Context())
	if err != nil {
		t.Fatalf("end the adapter and start another: %v", err)
	}
	s.adapter = a
}

func (s *story) edit(t T, e Edit, name string) {
	t.Helper()
	if s.faults.Edit == nil {
		t.Fatal("the suite was not told how another hand edits a filter on the device (Edit)")
	}
	if err := s.faults.Edit(t.Context(), e, name); err != nil {
		t.Fatalf("edit filter %s by another hand: %v", name, err)
	}
}

func (s *story) loseAnswer(t T) {
	t.Helper()
	if s.faults.LoseAnswer == nil {
		t.Fatal("the suite was not told how to lose an answer of the device (LoseAnswer)")
	}
	if err := s.faults.LoseAnswer(t.Context()); err != nil {
		t.Fatalf("lose the next answer of the device: %v", err)
	}
}

// OtherHand returns an Edit that is made by a second instance of the adapter, which the first knows nothing of. It is less than the hand of an
// operator, who writes what no adapter would; it shows that what the first one reads and compares is the device, and not its own memory.
func OtherHand(other device.Adapter, target device.Target) func(context.Context, Edit, string) error {
	return func(ctx context.Context, e Edit, name string) error {
		before, err := other.Read(ctx, target)
		if err != nil {
			return err
		}
		after := device.State{Filters: slices.Clone(before.Filters)}
		i := 0
		for i < len(after.Filters) && after.Filters[i].Name != name {
			i++
		}
		switch {
		case i == len(after.Filters):
			return fmt.Errorf("the device has no filter %s", name)
		case e == DropFilter:
			after.Filters = slices.Delete(after.Filters, i, i+1)
		case len(after.Filters[i].Entries) == 0:
			return fmt.Errorf("filter %s has no entry to delete", name)
		default:
			after.Filters[i].Entries = after.Filters[i].Entries[1:]
		}
		com, err := other.Apply(ctx, target, device.Diff(before, after), time.Minute)
		if err != nil || com.Confirmed {
			return err
		}
		return other.Confirm(ctx, target, com)
	}
}

// clear removes what a failed step left on the device, once what it left pending is undone.
func (s *story) clear(ctx context.Context) error {
	if s.faults.Expire != nil {
		if err := s.faults.Expire(ctx); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, s.faults.Undo+s.faults.Patience)
	defer cancel()
	for {
		err := s.empty(ctx)
		var transient *device.Transient
		if err == nil || !errors.As(err, &transient) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (s *story) empty(ctx context.Context) error {
	have, err := s.adapter.Read(ctx, s.target)
	if err != nil || len(have.Filters) == 0 {
		return err
	}
	com, err := s.adapter.Apply(ctx, s.target, device.Diff(have, device.State{}), s.faults.Undo)
	if err == nil && !com.Confirmed {
		err = s.adapter.Confirm(ctx, s.target, com)
	}
	if err != nil {
		return err
	}
	if have, err = s.adapter.Read(ctx, s.target); err == nil && len(have.Filters) > 0 {
		return fmt.Errorf("filter %s is still there after it was removed", have.Filters[0].Name)
	}
	return err
}
