package reconcile

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
)

// heedAfter is how long after a device said that something changed it is read: changes come in crowds. heedAgain is the least time between two such readings, since a device that never stops saying so, or that somebody writes to
// all the time, is not to be read without end.
const (
	heedAfter = 200 * time.Millisecond
	heedAgain = 5 * time.Second
)

// watchAgain is how long a device that does not say what changes is left alone with the question: it takes another release of it, or of its plugin.
const watchAgain = time.Hour

// steadyWatch is how long a device must have been watched for the next attempt to count as the first: each one reads the device when it begins.
const steadyWatch = time.Minute

// Watched is whether a device says by itself that its filters changed.
type Watched struct {
	On    bool      `json:"on"`              // it does; else it is read from time to time
	Since time.Time `json:"since"`           // when that began
	Words string    `json:"words,omitempty"` // why it does not
}

// hearing is what a device says of changes. The goroutine in watch writes it, the worker reads it.
type hearing struct {
	said  atomic.Uint64           // how often it said that something may have changed
	state atomic.Pointer[Watched] // nil: it was never asked, or its adapter cannot
	wake  chan struct{}           // capacity 1: many are one
}

// watch hears what the device says of changes, until ctx ends. Whether it can be heard is no matter of life: the device is served all the same, and read from time to time.
func (w *worker) watch(ctx context.Context) error {
	watcher, ok := w.dev.Filter.(device.Watcher)
	if !ok {
		return nil
	}
	var tries retry
	for {
		began := w.now()
		err := watcher.Watch(ctx, w.dev.Target, w.heard)
		if ctx.Err() != nil {
			return nil
		}
		if w.now().Sub(began) >= steadyWatch {
			tries = retry{}
		}
		again := watchAgain
		var refused *device.Refused
		switch {
		case errors.Is(err, errors.ErrUnsupported):
			w.hearing.state.Store(nil)
		case errors.As(err, &refused):
			w.unheard(err)
		default:
			if err == nil {
				err = errors.New("the device ended it")
			}
			w.unheard(err)
			again = tries.failed(err, w.now())
		}
		select {
		case <-time.After(again):
		case <-ctx.Done():
			return nil
		}
	}
}

// heard notes that the device said something.
func (w *worker) heard() {
	if s := w.hearing.state.Load(); s == nil || !s.On {
		w.hearing.state.Store(&Watched{On: true, Since: w.now()})
	}
	w.hearing.said.Add(1)
	select {
	case w.hearing.wake <- struct{}{}:
	default:
	}
}

// unheard notes that the device says nothing, for that reason.
func (w *worker) unheard(why error) {
	s := w.hearing.state.Load()
	if s == nil || s.On {
		w.log.Info("the device does not say when its filters change; it is read from time to time", "reason", why)
		s = &Watched{Since: w.now()}
	}
	w.hearing.state.Store(&Watched{Since: s.Since, Words: why.Error()})
}

// unheeded says whether the device has said that something changed since the last reading began.
func (w *worker) unheeded() bool { return w.filters.heard != w.hearing.said.Load() }

// heedIn returns how long to wait with the reading that the device asked for by what it said.
func (w *worker) heedIn() time.Duration {
	return max(heedAfter, min(heedAgain, heedAgain-w.now().Sub(w.filters.heeded)))
}
