package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
)

// Confirm makes a change stay. Where the device knows it by the name of its session, it may come from another process than Apply did; where only the session that made it can confirm it, another
// connection makes sure first that the device is still within reach. A change that is not pending any more is *device.Transient: read the device to see how it ended.
func (a *Adapter) Confirm(ctx context.Context, t device.Target, c device.Commit) error {
	return a.settle(ctx, t, c, func(a *Adapter, l *line, s *shell, d details, tok token) error {
		by, err := a.confirmer(ctx, l, s, tok)
		if err != nil {
			return err
		}
		text, err := by.sayAll(ctx, named(a.platform.Confirm, tok.session))
		if err != nil {
			return err
		}
		if refusal(text.text, a.platform.Harmless) != "" || text.failed != nil || a.platform.Sure != nil && !a.platform.Sure.MatchString(text.text) {
			return &device.Transient{Err: fmt.Errorf("the device does not confirm the change, it may have undone it already; read again: %s", by.words(text.text))}
		}
		if l.held != nil {
			a.abandon(by, tok.session) // there is nothing in it any more
			l.letGo(errors.New("the change is confirmed"))
		}
		if a.platform.Sessions != "" {
			if waits, err := a.waits(ctx, s, tok.session); err != nil || waits {
				return still(err, "the confirmation, and still waits for it; read again")
			}
		}
		if err := a.holds(ctx, s, tok); err != nil {
			return err
		}
		a.save(ctx, s, d)
		return nil
	})
}

// confirmer returns the session that can confirm a change.
func (a *Adapter) confirmer(ctx context.Context, l *line, s *shell, tok token) (*shell, error) {
	if !a.platform.Held {
		waits, err := a.waits(ctx, s, tok.session)
		if err == nil && !waits {
			err = &device.Transient{Err: errors.New("the change is not pending any more; read again")}
		}
		return s, err
	}
	if l.held == nil || l.held.token != tok {
		return nil, &device.Transient{Err: errors.New("the session that made the change is gone, and no other can confirm it: the device undoes it, or has done so; read again")}
	}
	if !time.Now().Before(l.held.deadline) {
		return nil, &device.Transient{Err: fmt.Errorf("the time to confirm the change was over at %s: the device undoes it, or has done so; read again", l.held.deadline.Format(time.TimeOnly))}
	}
	err := a.holds(ctx, s, tok)
	if errors.As(err, new(*device.Drifted)) {
		l.letGo(err)
		err = &device.Transient{Err: fmt.Errorf("the change is not pending any more: %v", err)}
	}
	if err != nil {
		return nil, err
	}
	return l.held.shell, nil
}

// save makes what runs outlive a reboot, where the device was configured for it.
func (a *Adapter) save(ctx context.Context, s *shell, d details) {
	if !d.save || a.platform.Save == "" {
		return
	}
	if _, err := s.ask(ctx, a.platform.Save); err != nil {
		a.log().Warn("the change is confirmed, and could not be saved: it does not outlive a reboot", "device", s.target.Name, "error", err)
	}
}

// Cancel undoes a change now. One that is not pending any more needs no cancelling. Where only time undoes a change, Cancel is *device.Transient until then.
func (a *Adapter) Cancel(ctx context.Context, t device.Target, c device.Commit) error {
	return a.settle(ctx, t, c, func(a *Adapter, l *line, s *shell, _ details, tok token) error {
		if a.platform.Held {
			return a.cancelHeld(ctx, l, s, tok, c.Deadline)
		}
		waits, err := a.waits(ctx, s, tok.session)
		if err != nil || !waits {
			return err
		}
		if err := s.askAll(ctx, named(a.platform.Cancel, tok.session)); err != nil {
			return &device.Transient{Err: errors.New(err.Error())} // a refusal would be one of the change
		}
		waits, err = a.waits(ctx, s, tok.session)
		if err != nil || waits {
			return still(err, "the cancellation, and still waits for a confirmation")
		}
		return nil
	})
}

// cancelHeld undoes a change whose session is held, or waits until the device has.
func (a *Adapter) cancelHeld(ctx context.Context, l *line, s *shell, tok token, deadline time.Time) error {
	if l.held != nil && l.held.token == tok {
		if a.platform.Cancel != "" {
			if _, err := l.held.shell.ask(ctx, a.platform.Cancel); err != nil {
				a.log().Warn("a change could not be cancelled", "device", s.target.Name, "error", err)
			}
		}
		l.letGo(errors.New("the change is cancelled"))
	}
	err := a.holds(ctx, s, tok)
	var drifted *device.Drifted
	switch {
	case errors.As(err, &drifted):
		return nil // it holds something else, so it has undone the change
	case err == nil:
		return &device.Transient{Err: fmt.Errorf("the device undoes the change by itself by %s", deadline.Format(time.TimeOnly))}
	}
	return err
}

// still says that the device took what was typed and goes on waiting, or why nobody knows.
func still(err error, what string) error {
	if err != nil {
		return err
	}
	return &device.Transient{Err: errors.New("the device took " + what)}
}

// settle does something about a change, with the line to its device owned and a session other than the one that is held.
func (a *Adapter) settle(ctx context.Context, t device.Target, c device.Commit, do func(*Adapter, *line, *shell, details, token) error) error {
	a, d, err := a.forDevice(t)
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
	s, err := a.first(ctx, l, d, func(s *shell) error {
		_, err := s.ask(ctx, a.platform.Setup[0]) // it is alive
		return err
	})
	if err != nil {
		return err
	}
	return do(a, l, s, d, tok)
}

// holds says whether the device still holds what was applied. What was confirmed and is not there was changed by another hand.
func (a *Adapter) holds(ctx context.Context, s *shell, tok token) error {
	got, err := a.running(ctx, s)
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
