package reconcile

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/rib"
)

// Group is devices that do not get what is new all at once: the canaries have it first, and the others once these have stood with it for a while. A device that is in no
// group waits for nobody.
type Group struct {
	Name    string
	Devices []string // canaries among them
	Canary  []string
	// Watch is how long every canary has to stand with a change of the rules before the others get it.
	Watch time.Duration
	// Unmanned has changes go to the others after Watch where no canary can be given anything; else they wait.
	Unmanned bool
	// Soak is how long every canary has to stand with the plans of another version of the program, of a profile or of the configuration, which canaries adopt at once, before the
	// others adopt theirs.
	Soak time.Duration
}

// Rollouts remembers, across a restart, what all of a group may have, and whether its roll-out was stopped. *store.Store is one.
type Rollouts interface {
	SaveRollout(group string, r device.Rollout) error
	Rollout(group string) (device.Rollout, bool, error)
	SaveReleased(group string, puts []flowspec.Rule, deletes []flowspec.ID) error
	Released(group string) ([]flowspec.Rule, error)
	SaveBegun(canary string, b device.Begun) error
	Begun(canary string) (device.Begun, bool, error)
	ClearBegun(canary string) error
	// KeepRollouts forgets every group, and every canary, but those.
	KeepRollouts(groups, canaries []string) error
}

// RolloutState is how far the roll-out to a group is.
type RolloutState string

// The states of a roll-out.
const (
	RolledOut RolloutState = "done"     // all of the group may have everything
	Watching  RolloutState = "watching" // the canaries have something that the others are to get soon
	Trying    RolloutState = "trying"   // the canaries do not have it yet
	Soaking   RolloutState = "soaking"  // the canaries have the plans of this version; the others are to adopt theirs
	Stopped   RolloutState = "stopped"  // a person, or a device, stopped it
)

// RolloutStatus is what is known of the roll-out to a group.
type RolloutStatus struct {
	Group    string        `json:"group"`
	State    RolloutState  `json:"state"`
	Why      string        `json:"why,omitempty"` // for people
	Stop     *device.Stop  `json:"stop,omitempty"`
	Canary   []string      `json:"canary"`
	Devices  []string      `json:"devices"` // canaries among them
	Watch    time.Duration `json:"watch"`   // nanoseconds
	Soak     time.Duration `json:"soak"`    // nanoseconds
	Next     time.Time     `json:"next,omitzero"`
	Proposed int           `json:"proposed"`        // devices that have the plans of an earlier version
	Withheld int           `json:"withheld"`        // rules that the others do not have as they are in force
	Rules    []Named       `json:"rules,omitempty"` // of them, a hundred at most
}

// staged is what all of a group may have.
type staged struct {
	snap rib.Snapshot // of a line of its own
	live uint64       // version of the Loc-RIB that it has all of, but for what is no longer wanted
}

// tried is what the canaries have, since when.
type tried struct {
	of rib.Snapshot
	at time.Time
}

// rollout keeps what is new from the devices of a group until the canaries have stood with it. Fields below mu belong to whoever holds it.
type rollout struct {
	group    Group
	rules    Rules
	disk     Rollouts
	log      *slog.Logger
	now      func() time.Time
	canaries []*worker
	others   []*worker
	bySource bool          // some device does not take the rules of all sources
	wake     chan struct{} // capacity 1: a device is in another state
	stage    atomic.Pointer[staged]
	status   atomic.Pointer[RolloutStatus]
	held     atomic.Uint64 // version of stage; while it is not 0, others that were not brought there are given nothing new

	mu       sync.Mutex
	watchers []chan struct{} // of planners that follow stage
	stop     *device.Stop
	withheld []rib.Change
	trials   []tried // oldest first
	seen     uint64  // version of the newest trial
	blind    time.Time
	wave     map[*worker]footing // of others, when something was released
	waveEnds time.Time
	waved    []rib.Change        // what was released in that wave
	plans    bool                // it was the plans of this version as well
	soaked   map[*worker]footing // of canaries, when they began to stand with the plans of this version; nil: they do not
	soakEnds time.Time
	proposed int // others that are behind
}

// mostTrials is how many trials are kept apart. The newest of more takes the place of the last.
const mostTrials = 64

func newRollout(g Group, cfg Config) *rollout {
	r := &rollout{group: g, rules: cfg.Rules, disk: cfg.Tokens, log: cfg.Log.With("group", g.Name), now: cfg.Now, wake: make(chan struct{}, 1)}
	r.stage.Store(&staged{snap: rib.Of(nil)}) // until load
	r.status.Store(&RolloutStatus{Group: g.Name, State: RolledOut, Canary: g.Canary, Devices: g.Devices, Watch: g.Watch, Soak: g.Soak})
	return r
}

// add makes w one of the group.
func (r *rollout) add(w *worker) {
	r.bySource = r.bySource || w.dev.Options.Sources != nil
	w.rollout, w.canary = r, slices.Contains(r.group.Canary, w.dev.Name)
	if w.canary {
		r.canaries = append(r.canaries, w)
	} else {
		r.others = append(r.others, w)
	}
}

// load reads what an earlier life of the gateway had released. To a group that is new belongs everything that is in force at this moment.
func (r *rollout) load(ctx context.Context) error {
	live := r.rules.Snapshot()
	note, found, err := r.disk.Rollout(r.group.Name)
	if err != nil {
		return err
	}
	var released []flowspec.Rule
	if found {
		released, err = r.disk.Released(r.group.Name)
	} else {
		released = live.Rules()
		err = errors.Join(r.disk.SaveReleased(r.group.Name, released, nil), r.disk.SaveRollout(r.group.Name, note))
	}
	if err != nil {
		return err
	}
	for _, w := range r.canaries {
		if err := w.begun.load(r.disk, w.dev.Name); err != nil {
			return err
		}
	}
	r.mu.Lock()
	r.stop = note.Stop
	r.mu.Unlock()
	r.stage.Store(&staged{snap: rib.Of(released)})
	_, err = r.step(ctx) // what has ended since is not given to anybody again
	return err
}

// newest and watch make of a rollout the view that the planners of the others have.
func (r *rollout) newest() (rib.Snapshot, uint64) {
	s := r.stage.Load()
	return s.snap, s.live
}

func (r *rollout) watch() (changed <-chan struct{}, stop func()) {
	c := make(chan struct{}, 1)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.watchers = append(r.watchers, c)
	return c, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.watchers = slices.DeleteFunc(r.watchers, func(o chan struct{}) bool { return o == c })
	}
}

func (r *rollout) wakeUp() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// run releases what the canaries stand with until ctx ends. While nothing is withheld it sleeps.
func (r *rollout) run(ctx context.Context) error {
	changed, stop := r.rules.Watch()
	defer stop()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-changed:
		case <-r.wake:
		case <-timer.C:
		case <-ctx.Done():
			return nil
		}
		again, err := r.step(ctx)
		if err != nil {
			r.log.Error("cannot note what is released, trying again", "error", err)
			again = firstRetry
		}
		stopTimer(timer)
		if again > 0 {
			timer.Reset(again)
		}
	}
}

// lookEvery is how often the canaries are looked at while something is withheld: their sessions do not say that they end.
func (r *rollout) lookEvery() time.Duration {
	return min(max(r.group.Watch/4, 10*time.Millisecond), time.Second)
}

// step does what is to be done now and returns after how long to look again; 0: when woken.
func (r *rollout) step(ctx context.Context) (time.Duration, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	live, now := r.rules.Snapshot(), r.now()
	_, r.withheld = ease(r.stage.Load().snap, live, r.bySource)
	tested := r.look(ctx, live, now)
	if tested != nil {
		r.beginWave(now) // before any of them has it
	}
	if err := r.advance(live, tested); err != nil {
		r.seen = 0 // what was tested is tried again, since nobody was given it
		return 0, err
	}
	if len(r.withheld) == 0 {
		if err := r.endBegun(); err != nil {
			return 0, err
		}
	}
	if err := r.resumeByItself(); err != nil {
		return 0, err
	}
	soaking := r.soak(ctx, now)
	r.report()
	if soaking || len(r.withheld) > 0 || now.Before(r.waveEnds) || r.stop != nil && r.stop.Device != "" {
		return r.lookEvery(), nil
	}
	return 0, nil
}

// advance releases what was tested, where it is still wanted, and takes along what need not wait. tested is nil: nothing was.
func (r *rollout) advance(live rib.Snapshot, tested *rib.Snapshot) error {
	last := r.stage.Load()
	next, version := last.snap, last.live
	if tested != nil {
		r.waved, r.plans = r.stillWanted(next.Changes(*tested), live), false
		next, version = next.With(r.waved), max(version, tested.Version)
	}
	free, withheld := ease(next, live, r.bySource)
	if len(free) > 0 {
		next = next.With(free)
	}
	if len(withheld) == 0 {
		version = live.Version
	}
	changes := last.snap.Changes(next)
	if len(changes) == 0 && version == last.live {
		return nil
	}
	if next.Version == last.snap.Version {
		next = next.With(nil) // planners are to see that it is another one
	}
	if err := r.save(changes); err != nil {
		return err
	}
	r.withheld = withheld
	if len(withheld) == 0 {
		r.trials = nil
	}
	r.stage.Store(&staged{next, version})
	for _, c := range r.watchers {
		select {
		case c <- struct{}{}:
		default:
		}
	}
	return nil
}

// stillWanted returns those of changes that lead to what is in force.
func (r *rollout) stillWanted(changes []rib.Change, live rib.Snapshot) (out []rib.Change) {
	for _, c := range changes {
		now, found := live.Find(c.Match)
		if found != (c.New != nil) || found && !alike(&now, c.New, r.bySource) {
			continue
		}
		out = append(out, c)
	}
	return out
}

// save notes changes of what is released, before anybody is given it: who is killed after that finds on the devices what they may have.
func (r *rollout) save(changes []rib.Change) error {
	var puts []flowspec.Rule
	var deletes []flowspec.ID
	for _, c := range changes {
		same := c.Old != nil && c.New != nil && c.Old.ID == c.New.ID
		if c.Old != nil && !same {
			deletes = append(deletes, c.Old.ID)
		}
		if c.New != nil && !(same && alike(c.Old, c.New, r.bySource)) {
			puts = append(puts, *c.New)
		}
	}
	if len(puts)+len(deletes) == 0 {
		return nil
	}
	return r.disk.SaveReleased(r.group.Name, puts, deletes)
}
