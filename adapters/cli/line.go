package cli

import (
	"context"
	"errors"
	"time"

	"github.com/sluice-gateway/sluice/adapters/internal/sessions"
	"github.com/sluice-gateway/sluice/core/device"
)

// line is the way to one device.
type line struct {
	sessions.Line[*shell]
	held *window // a change of ours whose session has to stay open, beside the one that the next calls use
}

// window is a change that only its session can confirm.
type window struct {
	token    token
	shell    *shell
	deadline time.Time // until then it can be confirmed
	end      *time.Timer
}

func newLine() *line { return &line{Line: sessions.New[*shell]()} }

// hold keeps the session of a change open until the device must have undone it.
func (l *line) hold(tok token, deadline time.Time, late time.Duration) {
	w := &window{token: tok, shell: l.Detach(), deadline: deadline}
	w.end = time.AfterFunc(time.Until(deadline)+late, func() {
		l.Later(func() {
			if l.held == w {
				l.letGo(errors.New("the device has undone the change"))
			}
		})
	})
	l.held = w
}

// letGo closes the session that is held.
func (l *line) letGo(why error) {
	if l.held != nil {
		l.held.end.Stop()
		l.held.shell.Kill(why)
		l.held = nil
	}
}

// acquire returns the line to t's device, for this caller alone, until release.
func (a *Adapter) acquire(ctx context.Context, t device.Target) (*line, error) {
	device.Report(ctx, device.Connecting)
	l := a.lines.Get(t.Name)
	if err := l.Acquire(ctx, t); err != nil {
		return nil, err
	}
	if l.held != nil && l.held.shell.dead != nil {
		l.letGo(l.held.shell.dead)
	}
	return l, nil
}

func (a *Adapter) release(l *line) { l.Release(a.opt.IdleTimeout) }

// first carries out the first exchange of a call, which must be harmless to repeat.
func (a *Adapter) first(ctx context.Context, l *line, d details, f func(*shell) error) (*shell, error) {
	return l.First(ctx, func(ctx context.Context, t device.Target) (*shell, error) {
		return open(ctx, t, &a.platform, d.agent, a.log())
	}, f)
}
