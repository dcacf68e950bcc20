// Package reconcile brings every device to its desired state, and keeps it there.
//
// Each device has one worker, a goroutine that owns everything known of it. A worker does not take commands: it is woken, takes the newest
// plan, compares it with what the device holds, and does what is missing. Waking it twice is waking it once, and a worker that slept through forty
// changes makes the last one. A retry is the same call again after a delay.
//
// Plans are made once for all devices with the same profile and options, by a planner goroutine of their own.
//
// Native routes go to the device's BGP session; filters go to its filter adapter under the device's own undo timer:
// apply, read back, prove equal to what was wanted, and only then confirm. What cannot be proven is undone.
package reconcile

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/profile"
	"github.com/sluice-gateway/sluice/core/rib"
)

// Rules is the Loc-RIB that is delivered.
type Rules interface {
	Snapshot() rib.Snapshot
	// Watch returns a channel of capacity one that is written to after each new snapshot, until stop is called.
	Watch() (changed <-chan struct{}, stop func())
}

// Tokens remembers, across a crash, what a device would undo and what it was seen to hold. *store.Store is one.
type Tokens interface {
	SaveCommit(name string, c device.Commit) error
	Commit(name string) (device.Commit, bool, error)
	ClearCommit(name string) error
	SaveHeld(name string, filters []string) error
	Held(name string) ([]string, error)
	Freezes
	Histories
	Rollouts
	Forms
	Serieses
}

// Device is one router under our care.
type Device struct {
	Name    string
	Profile *profile.Profile
	Options plan.Options

	// Room is how many routes the device holds at one time, for the moments of a change as well; 0: any number. Where a change needs more, routes are
	// withdrawn before others are announced.
	Room int

	// Policy is how its routes leave, beside what is planned. A session that is Policed goes on with that of an earlier life of the gateway until somebody wants this one.
	Policy device.Policy
	// Sends says in words how routes leave under a policy: for people. Nil: there is nothing to say.
	Sends func(device.Policy) []string

	Native device.Adapter // nil: no BGP session to it
	Filter device.Adapter // nil: no filter adapter
	// Target is what Filter needs to reach it. Native knows its own.
	Target  device.Target
	Dialect filter.Dialect // of Filter; proves that what is sent reads back as what was meant
	Confirm time.Duration  // how long the device waits for Confirm
	// Undo is how long it may take to undo a commit where that is longer, because it counts in coarser units.
	Undo time.Duration
	// Late is how much later than it should it may undo a commit, whatever Filter says of its devices; nil: as it says. Until then nobody knows what it holds in the end.
	Late *time.Duration
	// Interval is the least time between two commits. What arrives meanwhile goes together.
	Interval time.Duration
	// Audit is how often an idle device is read again; 0: never.
	Audit time.Duration
	// Counters is how often the counters of Filter are read, where it has any; 0: never.
	Counters time.Duration
	// Flows reads what the routes of Native have matched.
	Flows Flows
}

// Config is what a Reconciler works on.
type Config struct {
	Rules   Rules
	Tokens  Tokens
	Devices []Device
	Groups  []Group // a device is in one at most
	// AtOnce is how many devices have their filters changed at one moment; 0: 16. Routes are handed to sessions at once: an UPDATE is no transaction, and takes a router no longer
	// than its session takes to read it.
	AtOnce int
	Log    *slog.Logger
	Now    func() time.Time // nil: time.Now
	// Software names this version of the program. Where it, a profile or what the configuration says of a device is another than in the last life of the gateway, and the plan
	// carries rules otherwise that did not change, that is proposed. "": whatever is new is adopted.
	Software string
	Shadow   bool // plan, prove, read and compare, and send nothing to any device
}

// Reconciler runs the workers.
type Reconciler struct {
	cfg      Config
	planners []*planning
	workers  []*worker
	rollouts []*rollout
	freezes  *freezes
	basisErr error // a profile that cannot be told from another
}

// New prepares a planner for each profile and options, and a worker for each device.
func New(cfg Config) *Reconciler {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	r := &Reconciler{cfg: cfg, freezes: &freezes{disk: cfg.Tokens}}
	if !cfg.Shadow { // else nothing is rolled out
		for _, g := range cfg.Groups {
			r.rollouts = append(r.rollouts, newRollout(g, cfg))
		}
	}
	if cfg.AtOnce == 0 {
		cfg.AtOnce = 16
	}
	slots := make(chan struct{}, cfg.AtOnce)
	shared := map[string]*planning{}
	var deck plan.Deck
	for _, d := range cfg.Devices {
		key, rules := planKey(d), view(everything{cfg.Rules})
		group := r.groupOf(d.Name)
		if group != nil && !slices.Contains(group.group.Canary, d.Name) {
			key, rules = key+"|"+group.group.Name, group
		}
		p, found := shared[key]
		if !found {
			p = newPlanning(deck.Planner(d.Profile, d.Options), d.Profile, rules, cfg.Log)
			shared[key] = p
			p.scribe = r.scribe(key, d)
			r.planners = append(r.planners, p)
		}
		w := newWorker(d, p, r.freezes, slots, cfg)
		if group != nil {
			group.add(w)
		}
		p.wakes = append(p.wakes, w.wake)
		r.workers = append(r.workers, w)
	}
	return r
}

// scribe returns what notes the plans of devices like d.
func (r *Reconciler) scribe(key string, d Device) scribe {
	if r.cfg.Software == "" || r.cfg.Shadow {
		return scribe{}
	}
	of, err := basisOf(r.cfg.Software, key, d)
	r.basisErr = errors.Join(r.basisErr, err)
	return scribe{disk: r.cfg.Tokens, of: of, dialect: d.Dialect}
}

// groupOf returns the roll-out to the group of a device, or nil.
func (r *Reconciler) groupOf(name string) *rollout {
	for _, o := range r.rollouts {
		if slices.Contains(o.group.Devices, name) {
			return o
		}
	}
	return nil
}

// planKey is equal for devices that can share a plan: same profile, same options.
func planKey(d Device) string {
	var settings []string
	for k, v := range d.Options.Settings {
		settings = append(settings, k+"="+v)
	}
	slices.Sort(settings)
	families := slices.Sorted(slices.Values(d.Options.Families))
	holds := 0
	if d.Profile.Native != nil {
		holds = d.Profile.Native.MaxRules.N // a device may have a limit of its own
	}
	return fmt.Sprintf("%s|%d|%s|%t|%t|%s|%t%v|%t%v|%t%x|%s|%s|%t%q", d.Profile.Name, holds, strings.Join(settings, ","), d.Options.NoNative, d.Options.NoFilter, d.Options.Placement, d.Options.Families == nil, families,
		d.Options.Remedies == nil, d.Options.Remedies, d.Options.VPNs == nil, d.Options.VPNs, d.Options.Measured.Key(), d.Options.Instances, d.Options.Sources == nil, d.Options.Sources)
}

// Run plans and delivers until ctx ends. It returns the first error that no retry can mend.
func (r *Reconciler) Run(ctx context.Context) error {
	if err := r.freezes.load(); err != nil {
		return err
	}
	if err := errors.Join(r.basisErr, r.loadRollouts(ctx), r.loadForms(), r.keepSeries()); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	for _, p := range r.planners {
		g.Go(func() error { return p.run(ctx) })
	}
	for _, o := range r.rollouts {
		g.Go(func() error { return o.run(ctx) })
	}
	for _, w := range r.workers {
		g.Go(func() error { return w.run(ctx) })
		g.Go(func() error { return w.watch(ctx) })
	}
	return g.Wait()
}

// Status returns a copy of what is known of each device, in the order of the configuration.
func (r *Reconciler) Status() []Status {
	out := make([]Status, 0, len(r.workers))
	for _, w := range r.workers {
		out = append(out, w.current())
	}
	return out
}

// longestReach is how long Reach waits.
const longestReach = time.Second

// Reach waits until every device has a plan of the rules that are in force now, at most a second: whoever added a rule and asks what became of it is told about that
// rule.
func (r *Reconciler) Reach(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, longestReach)
	defer cancel()
	version := r.cfg.Rules.Snapshot().Version
	for _, p := range r.planners {
		p.reach(ctx, version)
	}
}

// Plan returns the newest plan of a device, or nil while there is none.
func (r *Reconciler) Plan(name string) *plan.Plan {
	for _, w := range r.workers {
		if w.dev.Name == name {
			if m := w.plans.latest.Load(); m != nil {
				return m.plan
			}
		}
	}
	return nil
}

// Sent returns the routes that the session of a device was sent, as they left; none while it is down, or where the device has none. The error is ErrNoDevice.
func (r *Reconciler) Sent(name string) ([]device.Route, error) {
	workers, err := r.named(name)
	if err != nil || name == "" {
		return nil, ErrNoDevice
	}
	if s, ok := workers[0].dev.Native.(Sender); ok {
		return s.Sent(), nil
	}
	return nil, nil
}

// Sync makes the worker of a device read it again and deliver, even where it had stopped: after a refusal, or because somebody removed our filter.
// It returns false for an unknown device.
func (r *Reconciler) Sync(name string) bool {
	workers, err := r.named(name)
	if err != nil || name == "" {
		return false
	}
	workers[0].askSync()
	return true
}

// Preview is the plan that a device would have.
type Preview struct {
	Device string
	Plan   *plan.Plan
	Rules  []flowspec.Rule // that it was made of
}

// Preview plans the rules in force together with more, for every device, and changes nothing. A rule of more takes the place of one in force with
// the same NLRI.
func (r *Reconciler) Preview(more []flowspec.Rule) ([]Preview, error) {
	snap := rib.Of(append(slices.Clone(r.cfg.Rules.Snapshot().Rules()), more...))
	made := map[*planning]*plan.Plan{}
	var deck plan.Deck
	var out []Preview
	for _, w := range r.workers {
		p, found := made[w.plans]
		if !found {
			var err error
			if p, err = deck.Make(snap, w.dev.Profile, w.dev.Options); err != nil {
				return nil, fmt.Errorf("plan for %s: %w", w.dev.Name, err)
			}
			made[w.plans] = p
		}
		out = append(out, Preview{w.dev.Name, p, snap.Rules()})
	}
	return out, nil
}
