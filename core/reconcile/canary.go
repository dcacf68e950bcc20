package reconcile

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/rib"
)

// Counted is a Sessioner that counts the sessions that it had: one that ended and is back was not there all the time.
type Counted interface{ Sessions() uint64 }

// footing is how a device stood at some moment.
type footing struct {
	version  uint64 // that it was brought to
	sessions uint64
	linked   bool // its session is established, or it has none
	up       bool
	troubled bool
}

// stands returns how w stands, and its trouble: that it refuses what it is given, or that somebody changed it.
func stands(w *worker) (f footing, s Status, trouble string) {
	f.sessions = sessionsOf(w)
	for s = w.current(); sessionsOf(w) != f.sessions; s = w.current() { // both of one moment
		f.sessions = sessionsOf(w)
	}
	f.linked = s.Session == "" || strings.HasPrefix(s.Session, Established)
	if b := w.brought.Load(); b != nil {
		f.version = b.Version
	}
	switch {
	case s.State == Refusing:
		trouble = "refuses what it is given: " + s.Error
	case s.State == Frozen && s.Freeze == nil:
		trouble = "drifted: " + s.Error
	case s.State == Drifted:
		trouble = "shows that it does not hold what it was sent: " + s.Error
	}
	f.troubled = trouble != ""
	f.up = !f.troubled && s.Freeze == nil && s.State != Unreachable && (s.Session == "" || s.Session == Established)
	return f, s, trouble
}

func sessionsOf(w *worker) uint64 {
	if c, ok := w.dev.Native.(Counted); ok {
		return c.Sessions()
	}
	return 0
}

func deviceStop(now time.Time, w *worker, why string) *device.Stop {
	return &device.Stop{At: now.UTC(), Device: w.dev.Name, Why: why}
}

// left says how w stands less well than it did, or "".
func (f footing) left(now footing, s Status) string {
	switch {
	case !f.up:
		return ""
	case now.sessions != f.sessions && f.sessions > 0:
		return "lost its BGP session right after it was given something new"
	case s.State == Unreachable:
		return "does not answer any more, right after it was given something new: " + s.Error
	}
	return ""
}

// look finds out how the canaries stand, and the others to whom something was released a moment ago. It returns what all canaries have stood with for long enough, or nil.
func (r *rollout) look(ctx context.Context, live rib.Snapshot, now time.Time) *rib.Snapshot {
	if now.Before(r.waveEnds) && r.stop == nil {
		r.lookAtOthers(ctx)
	}
	if len(r.withheld) == 0 {
		r.trials, r.blind = nil, time.Time{}
		return nil
	}
	had, trouble, manned := r.lookAtCanaries()
	switch {
	case r.stop != nil:
		return nil
	case trouble != nil:
		r.halted(ctx, trouble)
		return nil
	case manned == 0:
		return r.unmanned(ctx, live, now)
	}
	r.blind = time.Time{}
	if had != nil && had.Version > r.seen && len(r.stillWanted(r.stage.Load().snap.Changes(*had), live)) > 0 {
		r.seen = had.Version
		if len(r.trials) == mostTrials {
			r.trials = r.trials[:mostTrials-1]
		}
		r.trials = append(r.trials, tried{*had, now})
	}
	return r.passed(now)
}

// passed takes the newest trial that is over.
func (r *rollout) passed(now time.Time) *rib.Snapshot {
	var out *rib.Snapshot
	for len(r.trials) > 0 && now.Sub(r.trials[0].at) >= r.group.Watch {
		out, r.trials = &r.trials[0].of, r.trials[1:]
	}
	return out
}

// lookAtCanaries returns what all of them have that can be given anything, nil where one has nothing yet; what trouble one of them has; and how many there are.
func (r *rollout) lookAtCanaries() (had *rib.Snapshot, trouble *device.Stop, manned int) {
	lacking := false
	for _, w := range r.canaries {
		f, s, why := stands(w)
		if left := w.begun.trouble(f, s); why == "" {
			why = left
		}
		if why != "" && trouble == nil {
			trouble = deviceStop(r.now(), w, why)
		}
		if !f.up {
			continue
		}
		manned++
		b := w.brought.Load()
		lacking = lacking || b == nil
		if b != nil && (had == nil || b.Version < had.Version) {
			had = b
		}
	}
	if lacking {
		had = nil
	}
	return had, trouble, manned
}

// lookAtOthers stops the roll-out where a device gets into trouble with what was just released.
func (r *rollout) lookAtOthers(ctx context.Context) {
	for _, w := range r.others {
		f, s, why := stands(w)
		before := r.wave[w]
		if before.troubled {
			continue
		}
		if why == "" && f.version > before.version {
			why = before.left(f, s)
		}
		if why != "" {
			r.halted(ctx, deviceStop(r.now(), w, why))
			return
		}
	}
}

// beginWave notes how the others stand when something is released to them.
func (r *rollout) beginWave(now time.Time) {
	r.wave, r.waveEnds = map[*worker]footing{}, now.Add(r.group.Watch)
	for _, w := range r.others {
		f, _, _ := stands(w)
		r.wave[w] = f
	}
}

// unmanned is what to do while no canary can be given anything.
func (r *rollout) unmanned(ctx context.Context, live rib.Snapshot, now time.Time) *rib.Snapshot {
	if r.blind.IsZero() {
		r.blind = now
	}
	if !r.group.Unmanned || now.Sub(r.blind) < r.group.Watch {
		return nil
	}
	if w, earlier := r.cutShort(); w != nil {
		r.halted(ctx, deviceStop(now, w, "was about to be given something new at "+earlier.At.Format(time.DateTime)+", when the gateway ended, and has not been there since"))
		return nil
	}
	r.log.Warn("released untried: no canary can be given anything", "canary", r.group.Canary, "version", live.Version)
	r.blind = time.Time{}
	return &live
}

// halted stops the roll-out for a device's sake, unless the gateway is ending: then it is we who end sessions.
func (r *rollout) halted(ctx context.Context, s *device.Stop) {
	if ctx.Err() != nil {
		return
	}
	r.log.Error("roll-out stopped; `sluice rollout resume` has it go on", "device", s.Device, "why", s.Why, "withheld", len(r.withheld))
	if err := r.halt(s); err != nil {
		r.log.Error("cannot note that the roll-out is stopped", "error", err)
	}
}

// halt stops the roll-out, in this life of the gateway also where it cannot be noted for the next.
func (r *rollout) halt(s *device.Stop) error {
	r.stop, r.trials = s, nil
	if r.now().Before(r.waveEnds) {
		r.held.Store(r.stage.Load().snap.Version)
	}
	return r.disk.SaveRollout(r.group.Name, device.Rollout{Stop: s})
}

// goOn ends a stop.
func (r *rollout) goOn() error {
	if err := r.disk.SaveRollout(r.group.Name, device.Rollout{}); err != nil {
		return err
	}
	r.stop, r.trials, r.seen, r.soaked, r.waveEnds = nil, nil, 0, nil, time.Time{}
	for _, w := range r.canaries {
		w.begun.again(w)
	}
	r.held.Store(0)
	for _, w := range r.others {
		w.wakeUp()
	}
	return nil
}

// resumeByItself ends the stop that a device made when its cause is gone: everybody has what is in force, and stands.
func (r *rollout) resumeByItself() error {
	if r.stop == nil || r.stop.Device == "" || len(r.withheld)+r.proposed > 0 || r.held.Load() > 0 && r.waveInForce() && r.waveIsLacking() {
		return nil
	}
	for _, w := range slices.Concat(r.canaries, r.others) {
		if f, s, _ := stands(w); !f.up || s.State != InSync && s.State != Waiting {
			return nil
		}
	}
	r.log.Info("the stop of the roll-out is over: nothing is withheld, and all devices stand")
	return r.goOn()
}

// waveIsLacking says whether some of the others do not have the last wave.
func (r *rollout) waveIsLacking() bool {
	held := r.held.Load()
	return slices.ContainsFunc(r.others, func(w *worker) bool { b := w.brought.Load(); return b == nil || b.Version < held })
}

// waveInForce says whether anything of the last wave is in force.
func (r *rollout) waveInForce() bool {
	live := r.rules.Snapshot()
	return r.plans || slices.ContainsFunc(r.waved, func(c rib.Change) bool {
		now, found := live.Find(c.Match)
		return found == (c.New != nil) && (!found || alike(&now, c.New, r.bySource))
	})
}

// report tells others how far the roll-out is.
func (r *rollout) report() {
	s := RolloutStatus{Group: r.group.Name, Canary: r.group.Canary, Devices: r.group.Devices, Watch: r.group.Watch, State: RolledOut, Stop: r.stop, Withheld: len(r.withheld)}
	for _, c := range r.withheld[:min(len(r.withheld), mostNamed)] {
		rule := c.New
		if rule == nil {
			rule = c.Old
		}
		s.Rules = append(s.Rules, Named{rule.ID, rule.Match.String()})
	}
	switch {
	case r.stop != nil:
		s.State, s.Why = Stopped, r.stop.Why
		if r.stop.Device != "" {
			s.Why = r.stop.Device + " " + r.stop.Why
		}
	case len(r.withheld) > 0 && len(r.trials) > 0:
		s.State, s.Next = Watching, r.trials[0].at.Add(r.group.Watch)
		s.Why = fmt.Sprintf("%s has it, and is watched for %v", strings.Join(r.group.Canary, ", "), r.group.Watch)
	case len(r.withheld) > 0:
		s.State, s.Why = Trying, r.waitsFor()
	case r.proposed > 0:
		s.State = Soaking
		s.Why, s.Next = r.soaksUntil()
	}
	s.Proposed, s.Soak = r.proposed, r.group.Soak
	if was := r.status.Swap(&s); was.State != s.State {
		for _, w := range r.others {
			w.wakeUp()
		}
	}
}

// waitsFor says what keeps the canaries from having what is new.
func (r *rollout) waitsFor() string {
	var words []string
	for _, w := range r.canaries {
		f, s, _ := stands(w)
		switch {
		case f.up:
			words = append(words, fmt.Sprintf("canary %s is being given it", w.dev.Name))
		case s.Freeze != nil:
			words = append(words, fmt.Sprintf("canary %s is frozen by order", w.dev.Name))
		default:
			words = append(words, fmt.Sprintf("canary %s cannot be given it: %s", w.dev.Name, s.Error))
		}
	}
	return strings.Join(words, "; ")
}

// halts says whether a device that was brought to some version of the stage is to be given nothing new for now.
func (r *rollout) halts(version uint64) bool { return version < r.held.Load() }

// onto adds to the status of a device of the group what there is to say of the roll-out.
func (r *rollout) onto(s *Status, canary bool) {
	s.Group, s.Canary = r.group.Name, canary
	if canary {
		return
	}
	now := r.status.Load()
	s.Withheld = now.Withheld
	if now.State == RolledOut || s.Withheld == 0 && s.State != Waiting && s.State != Behind {
		return
	}
	s.WaitsFor = now.Why
	if s.State == InSync {
		s.State = Waiting
	}
}
