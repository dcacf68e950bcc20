package host

import (
	"context"
	"errors"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/plugins/sdk"
)

// remote is a plugin as a device.Adapter. A call goes to whichever process runs at the time; one that dies during it is reported, not retried: what it
// did to the device is unknown until the device is read.
type remote struct{ s *supervisor }

var (
	_ device.Adapter       = (*remote)(nil)
	_ device.CounterReader = (*remote)(nil)
	_ device.Watcher       = (*remote)(nil)
)

// to is call, about a target.
func to[T any](ctx context.Context, r *remote, t device.Target, f func(*sdk.Client) (T, error)) (T, error) {
	r.s.secrets.learn(t)
	return call(ctx, r, f)
}

// call runs f on the running plugin.
func call[T any](ctx context.Context, r *remote, f func(*sdk.Client) (T, error)) (T, error) {
	p, err := r.s.acquire(ctx)
	if err != nil {
		var none T
		return none, err
	}
	defer p.calls.Done()
	v, err := f(p.adapter)
	err = r.s.secrets.clean(err)
	var transient *device.Transient
	if errors.As(err, &transient) && ctx.Err() == nil {
		r.s.look()
	}
	return v, err
}

func (r *remote) Info(ctx context.Context) (device.Info, error) {
	return call(ctx, r, func(c *sdk.Client) (device.Info, error) { return c.Info(ctx) })
}

func (r *remote) Read(ctx context.Context, t device.Target, names ...string) (device.State, error) {
	return to(ctx, r, t, func(c *sdk.Client) (device.State, error) { return c.Read(ctx, t, names...) })
}

func (r *remote) Render(ctx context.Context, t device.Target, ch device.Change) ([]byte, error) {
	return to(ctx, r, t, func(c *sdk.Client) ([]byte, error) { return c.Render(ctx, t, ch) })
}

func (r *remote) Apply(ctx context.Context, t device.Target, ch device.Change, undo time.Duration) (device.Commit, error) {
	return to(ctx, r, t, func(c *sdk.Client) (device.Commit, error) { return c.Apply(ctx, t, ch, undo) })
}

func (r *remote) Confirm(ctx context.Context, t device.Target, com device.Commit) error {
	_, err := to(ctx, r, t, func(c *sdk.Client) (struct{}, error) { return struct{}{}, c.Confirm(ctx, t, com) })
	return err
}

func (r *remote) Cancel(ctx context.Context, t device.Target, com device.Commit) error {
	_, err := to(ctx, r, t, func(c *sdk.Client) (struct{}, error) { return struct{}{}, c.Cancel(ctx, t, com) })
	return err
}

func (r *remote) Counters(ctx context.Context, t device.Target) (map[string]device.Counter, error) {
	return to(ctx, r, t, func(c *sdk.Client) (map[string]device.Counter, error) { return c.Counters(ctx, t) })
}

// Watch is no call that anybody waits for: it lasts as long as the process that it was begun with, and a plugin that is upgraded or ended leaves without regard to it.
func (r *remote) Watch(ctx context.Context, t device.Target, changed func()) error {
	r.s.secrets.learn(t)
	p, err := r.s.acquire(ctx)
	if err != nil {
		return err
	}
	p.calls.Done()
	return r.s.secrets.clean(p.adapter.Watch(ctx, t, changed))
}
