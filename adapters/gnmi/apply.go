package gnmi

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	gpb "github.com/openconfig/gnmi/proto/gnmi"
	extpb "github.com/openconfig/gnmi/proto/gnmi_ext"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
)

// Apply makes c. With the option commit=confirmed the device undoes it after undo, in whole seconds, unless Confirm comes. Otherwise the Commit is Confirmed: what the device took and does not hold
// has been put back as it was, or the error says that it could not be.
func (a *Adapter) Apply(ctx context.Context, t device.Target, c device.Change, undo time.Duration) (device.Commit, error) {
	s, err := a.open(ctx, t)
	if err != nil {
		return device.Commit{}, unchanged(err)
	}
	h, err := s.stage(ctx, c)
	if err != nil {
		return device.Commit{}, unchanged(err)
	}
	e, err := a.editFor(h, c)
	if err != nil {
		return device.Commit{}, err
	}
	// Once begun it is not cut off by ctx: nobody would know what became of it. Each exchange has a deadline of its own.
	ctx = context.WithoutCancel(ctx)
	switch {
	case len(c.Steps) == 0:
		return device.Commit{Confirmed: true}, nil
	case s.details.confirmed:
		return s.applyConfirmed(ctx, e, c.Desired.Filters, undo)
	}
	return device.Commit{Confirmed: true}, s.applyNow(ctx, e, c.Desired.Filters, h)
}

// editFor returns what makes c on a device that holds h.
func (a *Adapter) editFor(h holdings, c device.Change) (edit, error) {
	written, err := a.written(c, h.filters)
	if err != nil {
		return edit{}, err
	}
	return a.narrowed(editOf(h.sets, c, written), h.filters)
}

// stage makes sure that c can be made, and returns what the device holds.
func (s *session) stage(ctx context.Context, c device.Change) (holdings, error) {
	if s.details.confirmed {
		if err := s.heedsConfirmations(ctx); err != nil {
			return holdings{}, err
		}
	}
	device.Report(ctx, device.Reading)
	h, err := s.holdings(ctx)
	if err != nil {
		return h, err
	}
	return h, c.Expect(h.filters, s.adapter.equal)
}

// applyNow makes e, and puts back what was there where the device does not hold what was meant.
func (s *session) applyNow(ctx context.Context, e edit, want []filter.Filter, before holdings) error {
	device.Report(ctx, device.Committing)
	if err := s.set(ctx, "change the sets", e, nil); err != nil {
		return err
	}
	device.Report(ctx, device.Checking)
	wrong, err := s.holds(ctx, want)
	if err != nil {
		return inDoubt("the change is made, and cannot be read back: %v", err)
	}
	if wrong == nil {
		return nil
	}
	if err := s.restore(ctx, e, before); err != nil {
		return inDoubt("the device took the change, and does not hold it: %v; and what was there could not be put back: %v", wrong, err)
	}
	return inDoubt("the device took the change, and does not hold it: %v; what was there has been put back", wrong)
}

// restore puts back what was there before e, and makes sure of it.
func (s *session) restore(ctx context.Context, e edit, before holdings) error {
	back, err := e.back(before.sets)
	if err != nil {
		return err
	}
	if err := s.set(ctx, "put back the sets", back, nil); err != nil {
		return err
	}
	h, err := s.holdings(ctx)
	if err != nil {
		return err
	}
	return sameSets(before.sets, h.sets)
}

// sameSets says in what got differs from want, as text.
func sameSets(want, got []set) error {
	if len(want) != len(got) {
		return fmt.Errorf("it holds %d of our sets, want %d", len(got), len(want))
	}
	for i := range want {
		w, err := outermost(want[i].value)
		g, err2 := outermost(got[i].value)
		if err != nil || err2 != nil || !bytes.Equal(w, g) {
			return errors.Join(fmt.Errorf("%s is not as it was", want[i].name), err, err2)
		}
	}
	return nil
}

// applyConfirmed makes e for the time being.
func (s *session) applyConfirmed(ctx context.Context, e edit, want []filter.Filter, undo time.Duration) (device.Commit, error) {
	c := device.Commit{Token: filter.Mark + rand.Text(), Deadline: time.Now().Add(window(undo))}
	request := &extpb.Commit{Id: c.Token, Action: &extpb.Commit_Commit{Commit: &extpb.CommitRequest{RollbackDuration: durationpb.New(window(undo))}}}
	device.Report(ctx, device.Committing)
	if err := s.set(ctx, "change the sets", e, request); err != nil {
		return device.Commit{}, err
	}
	device.Report(ctx, device.Checking)
	wrong, err := s.holds(ctx, want)
	if err = errors.Join(wrong, err); err == nil {
		return c, nil
	}
	ending := "it has been undone"
	if err := s.cancel(ctx, c.Token); err != nil {
		ending = fmt.Sprintf("the device undoes it by %s: %v", c.Deadline.Format(time.TimeOnly), err)
	}
	return device.Commit{}, inDoubt("the device took the change, and does not hold it: %v; %s", err, ending)
}

// holds says in what the device differs from want. err says that it could not be read.
func (s *session) holds(ctx context.Context, want []filter.Filter) (wrong, err error) {
	h, err := s.holdings(ctx)
	var drifted *device.Drifted
	if errors.As(err, &drifted) {
		return err, nil
	}
	if err != nil {
		return nil, err
	}
	return device.Holds(want, h.filters, s.adapter.equal), nil
}

// set makes one SetRequest.
func (s *session) set(ctx context.Context, what string, e edit, commit *extpb.Commit) error {
	r := &gpb.SetRequest{}
	for _, s := range e.remove {
		r.Delete = append(r.Delete, s.path())
	}
	for _, s := range e.replace {
		r.Replace = append(r.Replace, written(s.path(), s.value))
	}
	for _, one := range e.entries {
		if one.value == nil {
			r.Delete = append(r.Delete, one.path())
			continue
		}
		r.Replace = append(r.Replace, written(one.path(), one.value))
	}
	if commit != nil {
		r.Extension = []*extpb.Extension{{Ext: &extpb.Extension_Commit{Commit: commit}}}
	}
	return s.call(ctx, what, func(ctx context.Context) error {
		_, err := s.client.Set(ctx, r)
		return err
	})
}

// written is a value that is written at a path, in place of what is there.
func written(path *gpb.Path, value json.RawMessage) *gpb.Update {
	return &gpb.Update{Path: path, Val: &gpb.TypedValue{Value: &gpb.TypedValue_JsonIetfVal{JsonIetfVal: value}}}
}

// heedsConfirmations makes sure that the device knows the extension, and that no change waits for its confirmation. A device that knows it answers FailedPrecondition to the confirmation of a change when
// none waits, InvalidArgument when it is another one (gnmi-commit-confirmed.md section 3.2.2). One that does not know it may take the request for a Set of
// nothing, which is no error (gnmi-specification.md section 3.4), and say ok.
func (s *session) heedsConfirmations(ctx context.Context) error {
	err := s.confirm(ctx, filter.Mark+rand.Text())
	switch {
	case err == nil:
		return &device.Refused{Words: "it confirmed a change that nobody made: it takes no notice of commit confirmed, so the option commit=confirmed is wrong for it"}
	case is(err, codes.FailedPrecondition):
		return nil
	case is(err, codes.InvalidArgument):
		return inDoubt("a change waits for its confirmation, or the device does not know of any: %s", strings.TrimPrefix(err.Error(), "refused by the device: "))
	}
	return err
}

func (s *session) confirm(ctx context.Context, id string) error {
	return s.set(ctx, "confirm a change", edit{}, &extpb.Commit{Id: id, Action: &extpb.Commit_Confirm{Confirm: &extpb.CommitConfirm{}}})
}

func (s *session) cancel(ctx context.Context, id string) error {
	return s.set(ctx, "cancel a change", edit{}, &extpb.Commit{Id: id, Action: &extpb.Commit_Cancel{Cancel: &extpb.CommitCancel{}}})
}

// gone are the codes with which a device says that it waits for no confirmation of that change.
var gone = []codes.Code{codes.FailedPrecondition, codes.InvalidArgument}

// Confirm makes a change stay. One that is not pending any more is *device.Transient: read the device to see how it ended.
func (a *Adapter) Confirm(ctx context.Context, t device.Target, c device.Commit) error {
	return a.end(ctx, t, c, func(s *session) error {
		err := s.confirm(ctx, c.Token)
		if is(err, gone...) {
			return inDoubt("the device does not confirm the change, it may have undone it already; read again: %s", err)
		}
		return err
	})
}

// Cancel undoes a change now. One that is not pending any more needs no cancelling.
func (a *Adapter) Cancel(ctx context.Context, t device.Target, c device.Commit) error {
	return a.end(ctx, t, c, func(s *session) error {
		err := s.cancel(ctx, c.Token)
		if is(err, gone...) {
			return nil
		}
		return err
	})
}

func (a *Adapter) end(ctx context.Context, t device.Target, c device.Commit, how func(*session) error) error {
	if c.Confirmed {
		return nil
	}
	if !strings.HasPrefix(c.Token, filter.Mark) || slices.ContainsFunc([]byte(c.Token), func(b byte) bool { return b <= ' ' || b > '~' }) {
		return fmt.Errorf("the commit token %q is not one of this adapter", c.Token)
	}
	s, err := a.open(ctx, t)
	if err != nil {
		return err
	}
	return how(s)
}
