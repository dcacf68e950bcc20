package reconcile

import (
	"context"
	"fmt"
	"time"
)

// soak has the others adopt the plans of this version when the canaries, which did so at once, have stood with them for long enough. It says whether it waits for that.
func (r *rollout) soak(ctx context.Context, now time.Time) bool {
	var behind []*worker
	for _, w := range r.others {
		if w.behind.Load() != nil && w.status.Load().Proposed > 0 {
			behind = append(behind, w)
		}
	}
	if r.proposed = len(behind); r.proposed == 0 || r.stop != nil || !r.canariesStand(ctx) {
		r.soaked = nil
		return r.proposed > 0 && r.stop == nil
	}
	if r.soaked == nil {
		r.soaked, r.soakEnds = map[*worker]footing{}, now.Add(r.group.Soak)
		for _, w := range r.canaries {
			r.soaked[w], _, _ = stands(w)
		}
	}
	if now.Before(r.soakEnds) {
		return true
	}
	r.log.Info("the canaries stood with the plans of this version; the others adopt them", "after", r.group.Soak, "devices", len(behind))
	r.beginWave(now)
	r.plans = true
	for _, w := range behind {
		if err := w.adopt(); err != nil {
			r.log.Error("cannot note that the new plans are adopted, trying again", "device", w.dev.Name, "error", err)
			return true
		}
	}
	r.soaked, r.proposed = nil, 0
	return false
}

// canariesStand says whether all canaries have the plans of this version and stand. It stops the roll-out where one that stood gets into trouble.
func (r *rollout) canariesStand(ctx context.Context) bool {
	all := true
	for _, w := range r.canaries {
		f, s, why := stands(w)
		if before, stood := r.soaked[w]; stood && why == "" {
			why = before.left(f, s)
		}
		if why != "" {
			r.halted(ctx, deviceStop(r.now(), w, why))
			return false
		}
		all = all && f.up && w.behind.Load() == nil && (s.State == InSync || s.State == Pending && r.soaked != nil)
	}
	return all
}

// soaksUntil says what the others wait for, for people.
func (r *rollout) soaksUntil() (why string, next time.Time) {
	if r.soaked == nil {
		return "plans of this version wait for the canaries to stand with theirs", time.Time{}
	}
	return fmt.Sprintf("the canaries have the plans of this version, and are watched for %v", r.group.Soak), r.soakEnds
}
