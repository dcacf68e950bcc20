package netconf

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
)

// commitRPC is how a device is told to commit.
type commitRPC struct {
	unit time.Duration // of the timeout
	rpc  string        // name of the RPC
	// persists: the RPC takes a persist-id.
	persists bool
	// logs: it takes a comment, which the device's history of commits shows (<log>).
	logs bool
}

// commits are the two RPCs in the field. They count differently: RFC 6241 section 8.4.5.1 in seconds, Junos's own in minutes (Junos XML Management Protocol
// Developer Guide, <commit-configuration>).
var commits = map[string]commitRPC{
	"rfc6241": {unit: time.Second, rpc: "commit", persists: true},
	"junos":   {unit: time.Minute, rpc: "commit-configuration", logs: true},
}

// window returns for how long the device will wait when undo is asked for: whole units, one at least, MaxWindow at most.
func (c commitRPC) window(undo time.Duration) time.Duration {
	n := (min(undo, MaxWindow) + c.unit - 1) / c.unit
	return max(n, 1) * c.unit
}

// persist returns id where the RPC takes one.
func (c commitRPC) persist(id string) string {
	if !c.persists {
		return ""
	}
	return id
}

// confirmed returns the commit that undoes itself. comment is for an RPC that takes one.
func (c commitRPC) confirmed(window time.Duration, persist, comment string) string {
	inner := fmt.Sprintf("<confirmed/><confirm-timeout>%d</confirm-timeout>", window/c.unit)
	if persist != "" {
		inner += "<persist>" + escape(persist) + "</persist>"
	}
	if c.logs {
		inner += "<log>" + escape(comment) + "</log>"
	}
	return "<" + c.rpc + ">" + inner + "</" + c.rpc + ">"
}

// final returns the commit that makes a pending one stay.
func (c commitRPC) final(persist string) string {
	if persist == "" {
		return "<" + c.rpc + "/>"
	}
	return "<" + c.rpc + "><persist-id>" + escape(persist) + "</persist-id></" + c.rpc + ">"
}

// errNoCancel says that only time undoes a change.
var errNoCancel = errors.New("the device has no cancel-commit (RFC 6241 section 8.4.1)")

// cancel undoes a pending commit now, where the device can.
func (c commitRPC) cancel(ctx context.Context, s *session, persist string) error {
	if !s.has(capConfirmed11) || !c.persists {
		return errNoCancel
	}
	inner := ""
	if persist != "" {
		inner = "<persist-id>" + escape(persist) + "</persist-id>"
	}
	return s.ok(ctx, "cancel the commit", "<cancel-commit>"+inner+"</cancel-commit>")
}

// expire ends w when the device has undone it: the lock is given back.
func (l *line) expire(w *window) {
	if l.window != w {
		return
	}
	l.window = nil
	if s := l.Session(); s != nil {
		undoLock(s)
	}
}

// Confirm makes a change stay. It may come from another process than Apply did: with a persist-id the device knows the change by it; without one, a device that
// kept its timer running (Junos) takes any commit for the confirmation, so running is compared with what was applied first. A change
// that is not pending any more is *device.Transient: read the device to see how it ended.
func (a *Adapter) Confirm(ctx context.Context, t device.Target, c device.Commit) error {
	return a.settle(ctx, t, c, (*Adapter).confirm)
}

func (a *Adapter) confirm(ctx context.Context, l *line, d details, tok token, _ time.Time) error {
	s, locked, err := a.guarded(ctx, l, d, tok)
	if err != nil {
		return err
	}
	if locked {
		defer undoLock(s)
	}
	if tok.persist == "" {
		// Here a commit confirms whatever is pending, and says ok when nothing is.
		if err := a.holds(ctx, s, tok); err != nil {
			return &device.Transient{Err: fmt.Errorf("the change is not pending any more: %w", err)}
		}
	}
	err = s.ok(ctx, "confirm the commit", d.commit.final(tok.persist))
	if e, ok := asRPCError(err); ok && !e.has("lock-denied", "in-use") {
		return &device.Transient{Err: fmt.Errorf("the device does not confirm the change, it may have undone it already; read again: %w", err)}
	}
	if err != nil {
		return kind("confirm the commit", err)
	}
	l.lastCommit = time.Now()
	return a.holds(ctx, s, tok)
}

// guarded returns a session on which a confirmation commits nothing but our change: the one that made it and holds the lock; or another one that
// takes the lock; or, where the device gives no lock while a commit is pending (netconfd does not) and a persist-id says which one is meant, one that finds nothing in
// the candidate that running does not hold.
func (a *Adapter) guarded(ctx context.Context, l *line, d details, tok token) (s *session, locked bool, err error) {
	if s := l.Session(); l.window != nil && s.dead == nil {
		if l.window.token.id != tok.id {
			return nil, false, &device.Transient{Err: errors.New("another change of ours is pending")}
		}
		l.endWindow()
		return s, true, nil
	}
	s, err = a.first(ctx, l, d, func(s *session) error { return lock(ctx, s) })
	if _, theirs := asRPCError(err); !theirs || tok.persist == "" {
		return s, err == nil, err
	}
	same, err2 := candidateIsRunning(ctx, s)
	if err2 != nil {
		return nil, false, err2
	}
	if !same {
		return nil, false, err
	}
	return s, false, nil
}

// candidateIsRunning says whether a commit would change nothing.
func candidateIsRunning(ctx context.Context, s *session) (bool, error) {
	var holds [2]string
	for i, source := range []string{"candidate", "running"} {
		reply, err := s.exec(ctx, "read "+source, "<get-config><source><"+source+"/></source></get-config>")
		if err != nil {
			return false, kind("read "+source, err)
		}
		holds[i] = reply.Data
	}
	return holds[0] == holds[1], nil
}

// holds says whether the device still holds what was applied. What was confirmed and is not there was changed by another hand.
func (a *Adapter) holds(ctx context.Context, s *session, tok token) error {
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

// Cancel undoes a change now. One that is not pending any more needs no cancelling. A device that cannot cancel (Junos) undoes the change at the deadline: until
// then Cancel is *device.Transient, and the candidate stays locked so that nobody's commit confirms the change.
func (a *Adapter) Cancel(ctx context.Context, t device.Target, c device.Commit) error {
	return a.settle(ctx, t, c, (*Adapter).cancel)
}

func (a *Adapter) cancel(ctx context.Context, l *line, d details, tok token, deadline time.Time) error {
	s, err := a.first(ctx, l, d, func(s *session) error {
		err := d.commit.cancel(ctx, s, tok.persist)
		if errors.Is(err, errNoCancel) {
			return a.undone(ctx, s, tok, deadline)
		}
		return cancelled(err)
	})
	if err != nil {
		return err
	}
	if l.window != nil && l.window.token.id == tok.id {
		l.endWindow()
		undoLock(s)
	}
	return nil
}

// undone says whether the device has undone a change by itself.
func (a *Adapter) undone(ctx context.Context, s *session, tok token, deadline time.Time) error {
	err := a.holds(ctx, s, tok)
	var drifted *device.Drifted
	switch {
	case errors.As(err, &drifted):
		return nil
	case err == nil:
		return &device.Transient{Err: fmt.Errorf("%w: it undoes the change by itself by %s", errNoCancel, deadline.Format(time.TimeOnly))}
	}
	return err
}

// cancelled judges the answer to a cancel-commit: a device that knows no such change has undone it, or somebody confirmed it.
func cancelled(err error) error {
	if e, ok := asRPCError(err); ok {
		if e.has("lock-denied", "in-use") {
			return kind("cancel the commit", err)
		}
		return nil
	}
	return err
}

// settle does something about a change that waits, with the line to its device owned.
func (a *Adapter) settle(ctx context.Context, t device.Target, c device.Commit, do func(*Adapter, context.Context, *line, details, token, time.Time) error) error {
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
	return do(a, ctx, l, d, tok, c.Deadline)
}
