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

// Apply makes c in a configuration session, proves what the session would lead to, and commits it with a timer: the device undoes it after undo, in whole units of its system, unless Confirm
// comes.
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
	if l.held != nil {
		return device.Commit{}, unchanged(&device.Transient{Err: fmt.Errorf("an earlier change waits for its confirmation until %s", l.held.deadline.Format(time.TimeOnly))})
	}
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
	return a.commit(ctx, l, s, c, name, undo)
}

// clear makes sure that nobody's change waits for its confirmation, and removes the sessions of ours that a cut left behind.
func (a *Adapter) clear(ctx context.Context, s *shell) error {
	if a.platform.Sessions == "" {
		return nil
	}
	who, err := s.ask(ctx, a.platform.Sessions)
	if err != nil {
		return err
	}
	if m := a.platform.Waiting.FindStringSubmatch(who); m != nil {
		return &device.Transient{Err: fmt.Errorf("a change waits for its confirmation (%s)", s.words(m[1]))}
	}
	if a.platform.Leftover == nil {
		return nil
	}
	for _, m := range a.platform.Leftover.FindAllStringSubmatch(who, -1) {
		a.log().Info("removing a configuration session of ours that was cut off", "device", s.target.Name, "session", m[1])
		if _, err := s.ask(ctx, named(a.platform.Forget, m[1])); err != nil {
			return err
		}
	}
	return nil
}

// named puts the name of a session into what is typed.
func named(line, name string) string { return strings.ReplaceAll(line, "NAME", name) }

// stage types c into a session of that name, and says whether there is anything to commit.
func (a *Adapter) stage(ctx context.Context, s *shell, c device.Change, name string) (bool, error) {
	device.Report(ctx, device.Locking)
	if err := a.enter(ctx, s, name); err != nil {
		return false, err
	}
	device.Report(ctx, device.Reading)
	// A commit puts what the session began with back beside what was typed. So this is what the change has to fit.
	have, err := a.staged(ctx, s, name)
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
	for i, line := range lines {
		device.ReportCount(ctx, device.Loading, i, len(lines))
		if _, err := s.configure(ctx, line, a.platform.Config.MatchString); err != nil {
			return false, err
		}
	}
	device.Report(ctx, device.Validating)
	got, err := a.staged(ctx, s, name)
	if err != nil {
		return false, err
	}
	if err := device.Holds(c.Desired.Filters, got, a.equal); err != nil {
		return false, &device.Refused{Words: fmt.Sprintf("it took every line, and would hold something else after the commit: %v", err)}
	}
	return true, nil
}

// enter begins a session.
func (a *Adapter) enter(ctx context.Context, s *shell, name string) error {
	line, busy := named(a.platform.Enter, name), false
	text, err := s.configure(ctx, line, func(prompt string) bool {
		busy = prompt == a.platform.Exec
		return busy || a.platform.Config.MatchString(prompt)
	})
	if a.platform.Busy != nil && a.platform.Busy.MatchString(text) {
		return &device.Transient{Err: fmt.Errorf("%s: somebody else is at work: %s", quote(line), s.words(text))}
	}
	if err == nil && busy {
		return s.lost(line, answer{text: text, prompt: a.platform.Exec})
	}
	return err
}

// staged returns our filters as they will be after the commit of the session.
func (a *Adapter) staged(ctx context.Context, s *shell, name string) ([]filter.Filter, error) {
	command := named(a.platform.Staged, name)
	text, err := s.inside(ctx, command)
	if err != nil {
		return nil, err
	}
	return a.whole(s, command, text)
}

// abandon forgets a session that has not been committed. What cannot be forgotten now, because the connection is gone, goes with it, or is removed before the next change.
func (a *Adapter) abandon(s *shell, name string) {
	if s.dead != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.timeout)
	defer cancel()
	if err := a.leave(ctx, s, name); err != nil {
		a.log().Warn("a configuration session of ours could not be left", "device", s.target.Name, "session", name, "error", err)
	}
}

func (a *Adapter) leave(ctx context.Context, s *shell, name string) error {
	if s.prompt != a.platform.Exec {
		for _, line := range a.platform.Leave {
			if _, err := s.say(ctx, line); err != nil {
				return err
			}
		}
		if s.prompt != a.platform.Exec {
			return s.lost(a.platform.Leave[0], answer{prompt: s.prompt})
		}
	}
	if a.platform.Forget == "" {
		return nil
	}
	_, err := s.ask(ctx, named(a.platform.Forget, name))
	return err
}

// commit makes what the session holds running for the time being, and reads it back.
func (a *Adapter) commit(ctx context.Context, l *line, s *shell, c device.Change, name string, undo time.Duration) (device.Commit, error) {
	wait := a.platform.window(undo)
	deadline := time.Now().Add(wait)
	line := strings.ReplaceAll(named(a.platform.Commit, name), "WINDOW", a.platform.Window(wait))
	device.Report(ctx, device.Committing)
	text, err := s.configure(ctx, line, func(prompt string) bool {
		return (prompt == a.platform.Exec) != (a.platform.Held || a.platform.Stays)
	})
	var refused *device.Refused
	if errors.As(err, &refused) { // it said no, so it did nothing
		a.abandon(s, name)
	}
	if err != nil {
		return device.Commit{}, err
	}
	if a.platform.Stays {
		err = a.leave(ctx, s, name)
	}
	var tok token
	if err == nil {
		device.Report(ctx, device.Checking)
		tok, err = a.readBack(ctx, s, c, name, text)
	}
	if err != nil {
		return device.Commit{}, a.takeBack(s, name, deadline, err)
	}
	if a.platform.Held {
		l.hold(tok, deadline, a.platform.Late)
	}
	return device.Commit{Token: tok.String(), Deadline: deadline}, nil
}

// takeBack undoes a commit that did not do what it should, where that can be done, and says how that went.
func (a *Adapter) takeBack(s *shell, name string, deadline time.Time, why error) error {
	ending := fmt.Sprintf("it undoes it by %s", deadline.Format(time.TimeOnly))
	if s.dead == nil && a.platform.Cancel != "" {
		ctx, cancel := context.WithTimeout(context.Background(), s.timeout)
		defer cancel()
		if cannot := s.askAll(ctx, named(a.platform.Cancel, name)); cannot == nil {
			ending = "it has been told to undo it"
		}
	}
	s.Kill(why)
	return &device.Transient{Err: fmt.Errorf("the device took the commit: %v; %s", why, ending)}
}

// readBack decides whether a prompt behind the commit was the truth: the device must say that it will undo the change, and hold it.
func (a *Adapter) readBack(ctx context.Context, s *shell, c device.Change, name, said string) (token, error) {
	if a.platform.Done != nil && !a.platform.Done.MatchString(said) {
		return token{}, fmt.Errorf("it does not say so: %s", s.words(said))
	}
	if a.platform.Sessions != "" {
		waits, err := a.waits(ctx, s, name)
		if err != nil {
			return token{}, err
		}
		if !waits {
			return token{}, errors.New("it does not show that the change waits for its confirmation")
		}
	}
	got, err := a.running(ctx, s)
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
	who, err := a.look(ctx, s, a.platform.Sessions)
	if err != nil {
		return false, err
	}
	m := a.platform.Waiting.FindStringSubmatch(who)
	return m != nil && (a.platform.Nameless || m[1] == name), nil
}

// unchanged says of a transient error that it came before anything was committed: what had been typed stands in a session that nobody commits.
func unchanged(err error) error {
	var transient *device.Transient
	if errors.As(err, &transient) {
		return &device.Transient{Err: err, Unchanged: true}
	}
	return err
}
