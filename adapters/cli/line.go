package cli

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
)

// line is the way to one device. Whoever holds the semaphore owns the other fields.
type line struct {
	sem    chan struct{} // capacity 1
	target device.Target // for which sess was made
	sess   *shell        // nil: not connected
	held   *window       // a change of ours whose session has to stay open
	idle   *time.Timer
}

// window is a change that only its session can confirm.
type window struct {
	token    token
	shell    *shell
	deadline time.Time
	end      *time.Timer
}

// hold keeps the session of a change open until its deadline.
func (l *line) hold(w *window) {
	l.held, l.sess = w, nil
	w.end = time.AfterFunc(time.Until(w.deadline), func() {
		l.later(func() {
			if l.held == w {
				l.letGo(errors.New("the device has undone the change"))
			}
		})
	})
}

// letGo closes the session that is held.
func (l *line) letGo(why error) {
	if l.held != nil {
		l.held.end.Stop()
		l.held.shell.kill(why)
		l.held = nil
	}
}

// acquire returns the line to t's device, for this caller alone, until release.
func (a *Adapter) acquire(ctx context.Context, t device.Target) (*line, error) {
	if ctx.Err() != nil {
		return nil, &device.Transient{Err: ctx.Err()}
	}
	a.mu.Lock()
	l := a.lines[t.Name]
	if l == nil {
		l = &line{sem: make(chan struct{}, 1)}
		a.lines[t.Name] = l
	}
	a.mu.Unlock()
	select {
	case l.sem <- struct{}{}:
	case <-ctx.Done():
		return nil, &device.Transient{Err: fmt.Errorf("another call keeps the session busy: %w", ctx.Err())}
	}
	if l.idle != nil {
		l.idle.Stop()
	}
	if l.sess != nil && !reflect.DeepEqual(l.target, t) {
		l.drop(errors.New("the configuration of the device changed"))
	}
	if l.held != nil && l.held.shell.dead != nil {
		l.letGo(l.held.shell.dead)
	}
	l.target = t
	return l, nil
}

// release lets the next caller in, and sees to it that a session nobody uses is closed.
func (a *Adapter) release(l *line) {
	if l.sess != nil && l.sess.dead != nil {
		l.drop(l.sess.dead)
	}
	if l.sess != nil {
		l.idle = time.AfterFunc(a.opt.IdleTimeout, func() { l.later(l.hangUp) })
	}
	<-l.sem
}

// later runs f with the line owned. It is what timers do: they wait as long as it takes, and find the line as it then is.
func (l *line) later(f func()) {
	l.sem <- struct{}{}
	defer func() { <-l.sem }()
	f()
}

// drop ends the session without a farewell.
func (l *line) drop(why error) {
	if l.sess != nil {
		l.sess.kill(why)
		l.sess = nil
	}
}

// hangUp closes the session in an orderly way.
func (l *line) hangUp() {
	if l.sess != nil {
		l.sess.close()
		l.sess = nil
	}
}

// connect returns the session, dialling when there is none or when the one kept from earlier died while nobody used it.
func (a *Adapter) connect(ctx context.Context, l *line, d details) (*shell, error) {
	if l.sess != nil && l.sess.dead == nil {
		return l.sess, nil
	}
	l.drop(errors.New("dead"))
	s, err := open(ctx, l.target, &a.platform, d.agent, a.log())
	if err != nil {
		return nil, err
	}
	l.sess = s
	return s, nil
}

// first carries out the first exchange of a call. A session from earlier may be dead without anybody having noticed: then, once, it is done again over a new one. f must be harmless to
// repeat.
func (a *Adapter) first(ctx context.Context, l *line, d details, f func(*shell) error) (*shell, error) {
	kept := l.sess != nil
	s, err := a.connect(ctx, l, d)
	if err != nil {
		return nil, err
	}
	err = f(s)
	if err == nil || s.dead == nil || s.hung || !kept || ctx.Err() != nil {
		return s, err
	}
	if s, err = a.connect(ctx, l, d); err != nil {
		return nil, err
	}
	return s, f(s)
}
