package reconcile

import (
	"context"
	"errors"
	"fmt"

	"github.com/sluice-gateway/sluice/core/device"
)

// ErrNoGroup is the answer to a name that no group bears.
var ErrNoGroup = errors.New("no such group")

// ErrNotStopped is the answer to an end of a stop that is not there.
var ErrNotStopped = errors.New("not stopped")

// loadRollouts has every group take up what it had, and forgets those that are no more.
func (r *Reconciler) loadRollouts(ctx context.Context) error {
	if r.cfg.Shadow {
		return nil
	}
	var names, canaries []string
	for _, o := range r.rollouts {
		names, canaries = append(names, o.group.Name), append(canaries, o.group.Canary...)
		if err := o.load(ctx); err != nil {
			return err
		}
	}
	return r.cfg.Tokens.KeepRollouts(names, canaries)
}

func (r *Reconciler) rollout(group string) (*rollout, error) {
	for _, o := range r.rollouts {
		if o.group.Name == group {
			return o, nil
		}
	}
	return nil, fmt.Errorf("%w: %q", ErrNoGroup, group)
}

// Rollouts returns how far the roll-out to each group is, in the order of the configuration.
func (r *Reconciler) Rollouts() []RolloutStatus {
	out := make([]RolloutStatus, 0, len(r.rollouts))
	for _, o := range r.rollouts {
		out = append(out, *o.status.Load())
	}
	return out
}

// StopRollout keeps what is new from the devices of a group that do not have it yet, canaries aside, until ResumeRollout or ReleaseRollout; across restarts. The error is
// ErrNoGroup, or one of the disk.
func (r *Reconciler) StopRollout(group, reason string) error {
	o, err := r.rollout(group)
	if err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if reason == "" {
		reason = "a person stopped it"
	}
	defer o.wakeUp()
	return o.halt(&device.Stop{At: o.now().UTC(), Why: reason})
}

// ResumeRollout has a stopped roll-out go on: the canaries are watched anew. The error is ErrNoGroup, ErrNotStopped, or one of the disk.
func (r *Reconciler) ResumeRollout(group string) error {
	o, err := r.rollout(group)
	if err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.stop == nil {
		return fmt.Errorf("%w: %q", ErrNotStopped, group)
	}
	defer o.wakeUp()
	return o.goOn()
}

// ReleaseRollout gives all of a group what is in force, at once, whatever the canaries make of it, and ends a stop. The error is ErrNoGroup, or one of the disk.
func (r *Reconciler) ReleaseRollout(group string) error {
	o, err := r.rollout(group)
	if err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.goOn(); err != nil {
		return err
	}
	live := o.rules.Snapshot()
	if err := o.advance(live, &live); err != nil {
		return err
	}
	o.log.Warn("released to all devices of the group by order", "version", live.Version)
	o.wakeUp()
	return nil
}
