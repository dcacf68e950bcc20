package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/sluice-gateway/sluice/core/device"
)

// Confirm makes a change stay. It may come from another process than Apply did: the device knows the change by the name of its session. A change that is not pending any more is *device.Transient:
// read the device to see how it ended.
func (a *Adapter) Confirm(ctx context.Context, t device.Target, c device.Commit) error {
	return a.settle(ctx, t, c, func(s *shell, d details, tok token, waits bool) error {
		if !waits {
			return &device.Transient{Err: errors.New("the change is not pending any more; read again")}
		}
		if _, err := s.ask(ctx, fmt.Sprintf(a.platform.confirm, tok.session)); err != nil {
			return inDoubt("confirm the change", err)
		}
		waits, err := a.waits(ctx, s, tok.session)
		if err != nil {
			return err
		}
		if waits {
			return &device.Transient{Err: errors.New("the device took the confirmation, and still waits for it; read again")}
		}
		if err := a.holds(ctx, s, tok); err != nil || !d.save {
			return err
		}
		if _, err := s.ask(ctx, a.platform.save); err != nil {
			a.log().Warn("the change is confirmed, and could not be saved: it does not outlive a reboot", "device", t.Name, "error", err)
		}
		return nil
	})
}

// Cancel undoes a change now. One that is not pending any more needs no cancelling.
func (a *Adapter) Cancel(ctx context.Context, t device.Target, c device.Commit) error {
	return a.settle(ctx, t, c, func(s *shell, _ details, tok token, waits bool) error {
		if !waits {
			return nil
		}
		if _, err := s.ask(ctx, fmt.Sprintf(a.platform.cancel, tok.session)); err != nil {
			return inDoubt("cancel the change", err)
		}
		waits, err := a.waits(ctx, s, tok.session)
		if err == nil && waits {
			err = &device.Transient{Err: errors.New("the device took the cancellation, and still waits for a confirmation")}
		}
		return err
	})
}

// inDoubt says of a refusal that it is none of the change.
func inDoubt(what string, err error) error {
	return &device.Transient{Err: fmt.Errorf("%s: %w", what, errors.New(err.Error()))}
}

// settle does something about a change, with the line to its device owned. waits says whether the device still waits to be told.
func (a *Adapter) settle(ctx context.Context, t device.Target, c device.Commit, do func(s *shell, d details, tok token, waits bool) error) error {
	d, err := readDetails(t)
	if err != nil || c.Confirmed {
		return err
	}
	tok, err := parseToken(c.Token)
	if err != nil {
		return err
	}
	l, err := a.acquire(ctx, t)
	if err != nil {
		return err
	}
	defer a.release(l)
	var waits bool
	s, err := a.first(ctx, l, d, func(s *shell) error {
		waits, err = a.waits(ctx, s, tok.session)
		return err
	})
	if err != nil {
		return err
	}
	return do(s, d, tok, waits)
}

// holds says whether the device still holds what was applied. What was confirmed and is not there was changed by another hand.
func (a *Adapter) holds(ctx context.Context, s *shell, tok token) error {
	got, err := a.holdings(ctx, s, a.platform.show)
	if err != nil {
		return err
	}
	sum, err := a.sum(got)
	if err != nil {
		return &device.Drifted{What: err.Error()}
	}
	if sum != tok.sum {
		return &device.Drifted{What: "the device does not hold what was applied"}
	}
	return nil
}
