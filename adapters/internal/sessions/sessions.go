// Package sessions keeps the way to each device for adapters whose protocol has sessions: a session is opened when somebody asks for it, lent to one caller at a time, and closed when nobody
// has used it for a while.
package sessions

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
)

// Session is what an adapter speaks over. Whoever holds the line owns it.
type Session interface {
	comparable
	Dead() error    // why it is of no use any more, or nil
	Hung() bool     // dead because an answer did not come in time
	Kill(why error) // ends it at once; one that is dead already stays as it died
	Close()         // ends it with a farewell
}

// Line is the way to one device, for an adapter to embed in what it knows of that device. Whoever acquired it owns it, and what the adapter put beside it.
type Line[S Session] struct {
	// Waits says whether a change waits for its confirmation over the session: then it is not closed for want of use, nor replaced by another unasked. nil: never.
	Waits func() bool
	// Ended is called when the session was given up without a farewell. nil: nobody wants to know.
	Ended func()

	sem    chan struct{} // capacity 1
	target device.Target // for which sess was made
	sess   S             // zero: not connected
	idle   *time.Timer
}

// New returns a line that nobody has used.
func New[S Session]() Line[S] { return Line[S]{sem: make(chan struct{}, 1)} }

// Acquire waits until the line is this caller's alone, until Release. A session that was made for another target than t is given up.
func (l *Line[S]) Acquire(ctx context.Context, t device.Target) error {
	if ctx.Err() != nil {
		return &device.Transient{Err: ctx.Err()}
	}
	select {
	case l.sem <- struct{}{}:
	case <-ctx.Done():
		return &device.Transient{Err: fmt.Errorf("another call keeps the session busy: %w", ctx.Err())}
	}
	if l.idle != nil {
		l.idle.Stop()
	}
	if l.connected() && !reflect.DeepEqual(l.target, t) {
		l.Drop(errors.New("the configuration of the device changed"))
	}
	l.target = t
	return nil
}

// Release lets the next caller in, and closes the session when nobody has used it for that long.
func (l *Line[S]) Release(idle time.Duration) {
	if l.connected() && l.sess.Dead() != nil {
		l.Drop(l.sess.Dead())
	}
	if l.connected() && !l.waits() {
		l.idle = time.AfterFunc(idle, func() { l.Later(l.HangUp) })
	}
	<-l.sem
}

// Later runs f with the line owned. It is what timers do: they wait as long as it takes, and find the line as it then is.
func (l *Line[S]) Later(f func()) {
	l.sem <- struct{}{}
	defer func() { <-l.sem }()
	f()
}

// Target returns the device, as the last caller knew it.
func (l *Line[S]) Target() device.Target { return l.target }

// Session returns the session, or zero where there is none.
func (l *Line[S]) Session() S { return l.sess }

// Detach returns the session, or zero, and leaves the line without one: the next caller opens another.
func (l *Line[S]) Detach() S {
	s := l.sess
	l.sess = *new(S)
	return s
}

// Drop gives the session up without a farewell.
func (l *Line[S]) Drop(why error) {
	if l.connected() {
		l.Detach().Kill(why)
	}
	if l.Ended != nil {
		l.Ended()
	}
}

// HangUp closes the session in an orderly way, unless a change waits over it.
func (l *Line[S]) HangUp() {
	if l.idle != nil {
		l.idle.Stop()
	}
	if l.connected() && !l.waits() {
		l.Detach().Close()
	}
}

// First carries out the first exchange of a call, over the session that is there or over one that dial opens. A session from earlier may be dead without anybody having noticed: then, once, the
// exchange is done again over a new one. f must be harmless to repeat.
func (l *Line[S]) First(ctx context.Context, dial func(context.Context, device.Target) (S, error), f func(S) error) (S, error) {
	kept := l.connected() && !l.waits()
	s, err := l.connect(ctx, dial)
	if err != nil {
		return s, err
	}
	err = f(s)
	if err == nil || s.Dead() == nil || s.Hung() || !kept || ctx.Err() != nil {
		return s, err
	}
	if s, err = l.connect(ctx, dial); err != nil {
		return s, err
	}
	return s, f(s)
}

// connect returns the session, dialling when there is none or when the one kept from earlier died while nobody used it.
func (l *Line[S]) connect(ctx context.Context, dial func(context.Context, device.Target) (S, error)) (S, error) {
	if l.connected() && l.sess.Dead() == nil {
		return l.sess, nil
	}
	l.Drop(errors.New("dead"))
	s, err := dial(ctx, l.target)
	if err == nil {
		l.sess = s
	}
	return s, err
}

func (l *Line[S]) connected() bool { return l.sess != *new(S) }

func (l *Line[S]) waits() bool { return l.Waits != nil && l.Waits() }

// Lines are the lines of an adapter, by the name of the device. L is what the adapter keeps for each.
type Lines[L any] struct {
	make func() *L

	mu  sync.Mutex
	all map[string]*L
}

// Of returns lines that make makes when a device is first spoken of.
func Of[L any](make func() *L) *Lines[L] { return &Lines[L]{make: make, all: map[string]*L{}} }

// Get returns the line to the device of that name.
func (k *Lines[L]) Get(name string) *L {
	k.mu.Lock()
	defer k.mu.Unlock()
	l := k.all[name]
	if l == nil {
		l = k.make()
		k.all[name] = l
	}
	return l
}

// Clear forgets all lines, and returns them.
func (k *Lines[L]) Clear() map[string]*L {
	k.mu.Lock()
	defer k.mu.Unlock()
	all := k.all
	k.all = map[string]*L{}
	return all
}
