package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
)

// Apply makes c in a configuration session, proves what the session would lead to, and commits it with a timer: the device undoes it after undo, in whole seconds, unless Confirm comes.
func (a *Adapter) Apply(ctx context.Context, t device.Target, c device.Change, undo time.Duration) (device.Commit, error) {
	d, err := readDetails(t)
	if err != nil {
		return device.Commit{}, err
	}
	if _, err := c.Before(); err != nil {
		return device.Commit{}, err
	}
	if err := c.Prove(a.dialect); err != nil {
		return device.Commit{}, err
	}
	l, err := a.acquire(ctx, t)
	if err != nil {
		return device.Commit{}, unchanged(err)
	}
	defer a.release(l)
	s, err := a.first(ctx, l, d, func(s *shell) error { return a.clear(ctx, s) })
	if err != nil {
		return device.Commit{}, unchanged(err)
	}
	name := filter.Mark + strings.ToLower(rand.Text()[:10])
	staged, err := a.stage(ctx, s, c, name)
	if err != nil || !staged {
		a.abandon(s, name)
		return device.Commit{Confirmed: err == nil}, unchanged(err)
	}
	return a.commit(ctx, s, c, name, undo)
}

// clear makes sure that nobody's change waits for its confirmation, and removes the sessions of ours that a cut left behind.
func (a *Adapter) clear(ctx context.Context, s *shell) error {
	who, err := s.ask(ctx, a.platform.sessions)
	if err != nil {
		return err
	}
	if m := a.platform.waiting.FindStringSubmatch(who); m != nil {
		return &device.Transient{Err: fmt.Errorf("the change of session %s waits for its confirmation", s.words(m[1]))}
	}
	for _, m := range a.platform.leftover.FindAllStringSubmatch(who, -1) {
		a.log().Info("removing a configuration session of ours that was cut off", "device", s.target.Name, "session", m[1])
		if _, err := s.ask(ctx, fmt.Sprintf(a.platform.cancel, m[1])); err != nil {
			return err
		}
	}
	return nil
}

// stage types c into a session of that name, and says whether there is anything to commit.
func (a *Adapter) stage(ctx context.Context, s *shell, c device.Change, name string) (bool, error) {
	if err := s.configure(ctx, fmt.Sprintf(a.platform.enter, name)); err != nil {
		return false, err
	}
	if _, err := s.ask(ctx, a.platform.leave); err != nil {
		return false, err
	}
	// The session began with what was running then, and a commit puts that back beside what was typed. So this is what the change has to fit.
	have, err := a.holdings(ctx, s, fmt.Sprintf(a.platform.staged, name))
	if err != nil {
		return false, err
	}
	if err := c.Expect(have, a.equal); err != nil {
		return false, err
	}
	lines, err := a.commands(have, c.Desired.Filters)
	if err != nil || len(lines) == 0 {
		return false, err
	}
	if err := s.configure(ctx, fmt.Sprintf(a.platform.enter, name)); err != nil {
		return false, err
	}
	for _, line := range lines {
		if err := s.configure(ctx, line); err != nil {
			return false, err
		}
	}
	if _, err := s.ask(ctx, a.platform.leave); err != nil {
		return false, err
	}
	got, err := a.holdings(ctx, s, fmt.Sprintf(a.platform.staged, name))
	if err != nil {
		return false, err
	}
	if err := device.Holds(c.Desired.Filters, got, a.equal); err != nil {
		return false, &device.Refused{Words: fmt.Sprintf("it took every line, and would hold something else after the commit: %v", err)}
	}
	return true, nil
}

// abandon forgets a session that has not been committed. What cannot be forgotten now, because the connection is gone, is removed before the next change.
func (a *Adapter) abandon(s *shell, name string) {
	if s.dead != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.timeout)
	defer cancel()
	if s.prompt != a.platform.exec {
		if _, err := s.ask(ctx, a.platform.leave); err != nil {
			return
		}
	}
	if _, err := s.ask(ctx, fmt.Sprintf(a.platform.cancel, name)); err != nil {
		a.log().Warn("a configuration session of ours could not be removed", "device", s.target.Name, "session", name, "error", err)
	}
}

// commit makes what the session holds running for the time being, and reads it back.
func (a *Adapter) commit(ctx context.Context, s *shell, c device.Change, name string, undo time.Duration) (device.Commit, error) {
	wait := window(undo)
	deadline := time.Now().Add(wait)
	if _, err := s.ask(ctx, a.platform.commit(name, wait)); err != nil {
		var refused *device.Refused
		if errors.As(err, &refused) { // it said no, so it did nothing
			a.abandon(s, name)
			return device.Commit{}, err
		}
		return device.Commit{}, err
	}
	tok, err := a.readBack(ctx, s, c, name)
	if err == nil {
		return device.Commit{Token: tok.String(), Deadline: deadline}, nil
	}
	ending := fmt.Sprintf("it undoes it by %s", deadline.Format(time.TimeOnly))
	if s.dead == nil {
		soon, cancel := context.WithTimeout(context.Background(), s.timeout)
		defer cancel()
		if _, cannot := s.ask(soon, fmt.Sprintf(a.platform.cancel, name)); cannot == nil {
			ending = "it has been told to undo it"
		}
	}
	return device.Commit{}, &device.Transient{Err: fmt.Errorf("the device took the commit: %v; %s", err, ending)}
}

// readBack decides whether a prompt behind the commit was the truth: the device must say that it will undo the change, and hold it.
func (a *Adapter) readBack(ctx context.Context, s *shell, c device.Change, name string) (token, error) {
	waits, err := a.waits(ctx, s, name)
	if err != nil {
		return token{}, err
	}
	if !waits {
		return token{}, errors.New("it does not show that the change waits for its confirmation")
	}
	got, err := a.holdings(ctx, s, a.platform.show)
	if err != nil {
		return token{}, err
	}
	if err := device.Holds(c.Desired.Filters, got, a.equal); err != nil {
		return token{}, fmt.Errorf("and does not hold the change: %w", err)
	}
	sum, err := a.sum(got)
	return token{session: name, sum: sum}, err
}

// waits says whether the change of the session of that name waits for its confirmation.
func (a *Adapter) waits(ctx context.Context, s *shell, name string) (bool, error) {
	who, err := s.ask(ctx, a.platform.sessions)
	if err != nil {
		return false, err
	}
	m := a.platform.waiting.FindStringSubmatch(who)
	return m != nil && m[1] == name, nil
}

// unchanged says of a transient error that it came before anything was committed: what had been typed stands in a session that nobody commits.
func unchanged(err error) error {
	var transient *device.Transient
	if errors.As(err, &transient) {
		return &device.Transient{Err: err, Unchanged: true}
	}
	return err
}
