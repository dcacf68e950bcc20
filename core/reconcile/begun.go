package reconcile

import (
	"fmt"
	"strings"
	"sync"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/rib"
)

// begun is the attempt to give a canary what the others of its group do not have. It is noted before anything is sent: a session that ends between that and the
// answer ended over it, as far as anybody knows, also where the router was quicker than we. Its fields belong to whoever holds mu.
type begun struct {
	mu      sync.Mutex
	noted   bool          // on disk
	earlier *device.Begun // that an earlier life of the gateway left, while the canary was not there in this one; nil: none
	here    bool          // it began in this life
	first   uint64        // version of the Loc-RIB that it began with
	last    uint64        // and the newest that the canary may have been given
	stood   footing       // how the canary stood before; taken anew when it is there again
	doubt   string        // how a change of its filters ended of which nobody knows whether it was made; "": none did
}

// load reads what an earlier life of the gateway left.
func (b *begun) load(disk Rollouts, canary string) error {
	left, found, err := disk.Begun(canary)
	if err != nil || !found {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.noted, b.earlier = true, &left
	return nil
}

// begin notes, durably, that the device is about to be given the rules of a snapshot, where it is a canary and the others of its group do not have all of them. After an error nothing is to be sent.
func (w *worker) begin(of rib.Snapshot) error {
	if !w.canary || !w.rollout.lacks(of) {
		return nil
	}
	b := &w.begun
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.noted {
		if err := w.tokens.SaveBegun(w.dev.Name, device.Begun{At: w.now().UTC()}); err != nil {
			return &device.Transient{Err: fmt.Errorf("cannot note that the canary is about to be given something new: %w", err), Unchanged: true}
		}
		b.noted = true
	}
	if !b.here {
		b.here, b.first = true, of.Version
		b.stood, _, _ = stands(w)
	}
	b.last = max(b.last, of.Version)
	return nil
}

// lacks says whether anything of a snapshot of the Loc-RIB is withheld from the others.
func (r *rollout) lacks(of rib.Snapshot) bool {
	s := r.stage.Load()
	if of.Version <= s.live {
		return false
	}
	_, withheld := ease(s.snap, of, r.bySource)
	return len(withheld) > 0
}

// doubted notes that nobody knows whether a change of filters was made.
func (b *begun) doubted(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.here {
		b.doubt = err.Error()
	}
}

// trouble says what went wrong with the canary since the attempt began, or "". One that was away then, and is there, is looked at from now on; while it is away, nothing reaches it.
func (b *begun) trouble(now footing, s Status) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if now.up {
		b.earlier = nil
	}
	if !b.here {
		return ""
	}
	was := b.stood
	switch {
	case b.doubt != "":
		return "does not answer any more, right after it was given something new: " + b.doubt
	case was.linked && now.sessions == was.sessions && now.linked:
	case !was.linked && now.sessions <= was.sessions+1 && (now.linked || now.sessions == was.sessions):
	case s.Session == Established:
		return "lost its BGP session right after it was given something new"
	default:
		return "lost its BGP session right after it was given something new: " + strings.TrimPrefix(s.Session, Established+" ")
	}
	if was.up && s.State == Unreachable && now.version >= b.first {
		return "does not answer any more, right after it was given something new: " + s.Error
	}
	if now.up && !was.up || now.linked && !was.linked {
		b.stood = now
	}
	return ""
}

// cutShort returns the attempt that an earlier life of the gateway began with a canary that has not been there since, and its worker; nil: there is none.
func (r *rollout) cutShort() (*worker, *device.Begun) {
	for _, w := range r.canaries {
		w.begun.mu.Lock()
		earlier := w.begun.earlier
		w.begun.mu.Unlock()
		if earlier != nil {
			return w, earlier
		}
	}
	return nil, nil
}

// endBegun ends the attempts with what all of the group may have by now.
func (r *rollout) endBegun() error {
	released := r.stage.Load().live
	for _, w := range r.canaries {
		if err := w.begun.end(r.disk, w.dev.Name, released); err != nil {
			return err
		}
	}
	return nil
}

func (b *begun) end(disk Rollouts, canary string, released uint64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.noted || b.here && b.last > released {
		return nil
	}
	if err := disk.ClearBegun(canary); err != nil {
		return err
	}
	b.noted, b.earlier, b.here, b.doubt, b.last = false, nil, false, "", 0
	return nil
}

// again has the canary be looked at anew, whatever became of it: a person says so.
func (b *begun) again(w *worker) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.earlier, b.doubt = nil, ""
	b.stood, _, _ = stands(w)
}
