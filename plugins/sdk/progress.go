package sdk

import (
	"context"
	"sync"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
	pb "github.com/sluice-gateway/sluice/plugins/sdk/adapterpb"
)

// How much of what an adapter reports crosses the boundary: a stage that begins is told at once, and after it no more than what has been reported in tellEvery, the newest of each stage.
const (
	tellEvery   = 200 * time.Millisecond
	mostWaiting = 16 // stages
)

// telling makes a call, and sends what the adapter reports in it. Nothing is sent when it has returned, nor in a version that does not know of it.
func (s *server) telling(ctx context.Context, send func(*pb.Progress) error, call func(context.Context) error) error {
	if s.version < telling {
		return call(ctx)
	}
	t := &teller{send: send, wake: make(chan struct{}, 1), done: make(chan struct{}), ended: make(chan struct{})}
	go t.run()
	defer func() { close(t.done); <-t.ended }()
	return call(device.WithReporter(ctx, t.report))
}

// teller sends what one call reports. An adapter never waits for it.
type teller struct {
	send  func(*pb.Progress) error // called by run alone
	wake  chan struct{}            // capacity 1
	done  chan struct{}            // closed when the call has ended
	ended chan struct{}            // closed when run has

	mu      sync.Mutex
	waiting []device.Progress
}

func (t *teller) report(p device.Progress) {
	if !p.Valid() {
		return
	}
	t.mu.Lock()
	n := len(t.waiting)
	if n == mostWaiting || n > 0 && t.waiting[n-1].Stage == p.Stage {
		t.waiting[n-1] = p
	} else {
		t.waiting = append(t.waiting, p)
	}
	t.mu.Unlock()
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

func (t *teller) run() {
	defer close(t.ended)
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		select { // what is reported meanwhile goes together
		case <-pause.C:
		case <-t.done:
			t.flush()
			return
		}
		select {
		case <-t.wake:
			t.flush()
			pause.Reset(tellEvery)
		case <-t.done:
			t.flush()
			return
		}
	}
}

// flush sends what waits. That the host does not hear it any more is seen by the call itself.
func (t *teller) flush() {
	t.mu.Lock()
	waiting := t.waiting
	t.waiting = nil
	t.mu.Unlock()
	for _, p := range waiting {
		_ = t.send(encodeProgress(p))
	}
}
