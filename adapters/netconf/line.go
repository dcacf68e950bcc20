package netconf

import (
	"context"
	"time"

	"github.com/sluice-gateway/sluice/adapters/internal/sessions"
	"github.com/sluice-gateway/sluice/core/device"
)

// line is the way to one device.
type line struct {
	sessions.Line[*session]
	window     *window // a change of ours that waits for its confirmation
	lastCommit time.Time
}

// window is a pending change made over the line's session, with the candidate locked.
type window struct {
	token    token
	deadline time.Time
	end      *time.Timer
}

func newLine() *line {
	l := &line{Line: sessions.New[*session]()}
	l.Waits = func() bool { return l.window != nil }
	l.Ended = l.endWindow // the lock and, without a persist-id, the pending change are gone with the session
	return l
}

func (l *line) endWindow() {
	if l.window != nil {
		l.window.end.Stop()
		l.window = nil
	}
}

// acquire returns the line to t's device, for this caller alone, until release.
func (a *Adapter) acquire(ctx context.Context, t device.Target) (*line, error) {
	device.Report(ctx, device.Connecting)
	l := a.lines.Get(t.Name)
	return l, l.Acquire(ctx, t)
}

func (a *Adapter) release(l *line) { l.Release(a.opt.IdleTimeout) }

// first carries out the first exchange of a call, which must be harmless to repeat.
func (a *Adapter) first(ctx context.Context, l *line, d details, f func(*session) error) (*session, error) {
	return l.First(ctx, func(ctx context.Context, t device.Target) (*session, error) { return open(ctx, t, d.agent, a.log()) }, f)
}
