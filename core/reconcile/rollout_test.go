package reconcile

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/profiles"
)

// neighbour is a peer whose session may end.
type neighbour struct {
	*peer
	down     bool
	sessions uint64
}

func (n *neighbour) Session() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.down {
		return "idle: hold timer expired"
	}
	return Established
}

func (n *neighbour) Sessions() uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.sessions
}

// set brings the session up or down.
func (n *neighbour) set(down bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.down && !down {
		n.sessions++
	}
	n.down = down
}

// fleet is a gateway with several devices, in a bubble with a clock of its own.
type fleet struct {
	t      *testing.T
	memory *memory
	rules  *rules
	peers  map[string]*neighbour
	cfg    Config
	rec    *Reconciler
	ctx    context.Context // of the gateway
	stop   func()
}

// watched is how long canaries of a fleet are watched.
const watched = 10 * time.Second

// newFleet returns a fleet of routers with BGP: the canary and two more are a group, and one is in none.
func newFleet(t *testing.T) *fleet {
	t.Helper()
	prof, err := profiles.Embedded().Get("asr9k")
	if err != nil {
		t.Fatal(err)
	}
	f := &fleet{t: t, memory: newMemory(), rules: &rules{}, peers: map[string]*neighbour{}}
	f.cfg = Config{
		Rules: f.rules, Tokens: f.memory, Log: slog.New(slog.DiscardHandler),
		Groups: []Group{{Name: "edge", Devices: []string{"canary", "edge1", "edge2"}, Canary: []string{"canary"}, Watch: watched}},
	}
	for _, name := range []string{"canary", "edge1", "edge2", "lone"} {
		f.cfg.Devices = append(f.cfg.Devices, Device{Name: name, Profile: prof, Options: plan.Options{NoFilter: true}})
	}
	return f
}

// start runs a gateway; routers have forgotten what an earlier one sent.
func (f *fleet) start() { f.startWith(nil) }

// startWith runs a gateway with other adapters for some of the sessions.
func (f *fleet) startWith(others map[string]func(*neighbour) device.Adapter) {
	for i := range f.cfg.Devices {
		d := &f.cfg.Devices[i]
		if d.Filter == nil {
			f.peers[d.Name] = &neighbour{peer: newPeer(), sessions: 1}
			d.Native = f.peers[d.Name]
			if other := others[d.Name]; other != nil {
				d.Native = other(f.peers[d.Name])
			}
		}
	}
	f.rec = New(f.cfg)
	ctx, cancel := context.WithCancel(context.Background())
	f.ctx = ctx
	done := make(chan error, 1)
	go func() { done <- f.rec.Run(ctx) }()
	f.stop = func() {
		cancel()
		if err := <-done; err != nil {
			f.t.Error(err)
		}
	}
	f.settle(0)
}

// settle lets time pass until nothing more happens at that moment.
func (f *fleet) settle(d time.Duration) {
	time.Sleep(d) // of the bubble's clock
	synctest.Wait()
	time.Sleep(longestAhead) // whole plans are put together
	synctest.Wait()
}

func (f *fleet) set(list ...flowspec.Rule) {
	f.rules.set(rib.Of(list))
	f.settle(0)
}

// holds checks what the routers have.
func (f *fleet) holds(names string, list ...flowspec.Rule) {
	f.t.Helper()
	var want []string
	for _, r := range list {
		want = append(want, told(r.Match))
	}
	slices.Sort(want)
	for _, name := range strings.Fields(names) {
		if got := f.peers[name].holds(); !slices.Equal(got, want) {
			f.t.Errorf("%s holds %q, want %q; rollout %+v", name, got, want, f.rec.Rollouts())
		}
	}
}

func (f *fleet) rollout() RolloutStatus { return f.rec.Rollouts()[0] }

func (f *fleet) device(name string) Status {
	for _, s := range f.rec.Status() {
		if s.Name == name {
			return s
		}
	}
	f.t.Fatalf("no device %s", name)
	return Status{}
}

func (f *fleet) wantRollout(state RolloutState, why string) {
	f.t.Helper()
	if r := f.rollout(); r.State != state || !strings.Contains(r.Why, why) {
		f.t.Errorf("roll-out %+v, want %s because of %q", r, state, why)
	}
}

// bubble runs a test in which time passes when everybody waits.
func bubble(t *testing.T, test func(f *fleet)) {
	t.Helper()
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		f := newFleet(t)
		test(f)
		f.stop()
	})
}

// What is new goes to the canary, and to the others when that has stood with it; what ends ends everywhere at once. A device in no group waits for nobody.
func TestCanaryFirst(t *testing.T) {
	bubble(t, func(f *fleet) {
		one, two := discard(f.t, 1, 53), discard(f.t, 2, 53)
		f.set(one)
		f.start()
		f.holds("canary edge1 edge2 lone", one) // a new group has what was in force
		f.set(one, two)
		f.holds("canary lone", one, two)
		f.holds("edge1 edge2", one)
		f.wantRollout(Watching, "canary has it")
		if s := f.device("edge1"); s.State != Waiting || s.Withheld != 1 || s.WaitsFor == "" {
			f.t.Errorf("edge1: %+v", s)
		}
		if r := f.rec.Receipts(two)[1]; r.State != RulePending || !strings.Contains(r.Error, "canary has it") {
			f.t.Errorf("receipt %+v", r)
		}
		f.settle(watched)
		f.holds("canary edge1 edge2 lone", one, two)
		f.wantRollout(RolledOut, "")
		if s := f.device("edge1"); s.State != InSync || s.Version != f.rules.Snapshot().Version {
			f.t.Errorf("edge1: %+v", s)
		}
		f.set(two)
		f.holds("canary edge1 edge2 lone", two)
		f.wantRollout(RolledOut, "")
	})
}

// Rules that come one after the other reach everybody, each after its time, although the canary never stands still.
func TestCanaryOfABusyGroup(t *testing.T) {
	bubble(t, func(f *fleet) {
		f.start()
		var list []flowspec.Rule
		for n := range byte(60) {
			list = append(list, discard(f.t, n+1, 53))
			f.set(list...)
			f.settle(time.Second)
			if n >= 15 {
				if got := len(f.peers["edge1"].holds()); got < len(list)-14 || got == len(list) {
					f.t.Fatalf("edge1 has %d of %d rules", got, len(list))
				}
			}
		}
	})
}

// Each kind of trouble of the canary stops the roll-out: nobody else ever has what made it, also after a restart, and what ends still ends. A person has it go on.
func TestTroubleOfTheCanaryStops(t *testing.T) {
	one, two, bad := discard(t, 1, 53), discard(t, 2, 53), discard(t, 3, 53)
	for name, c := range map[string]struct {
		begin, end func(f *fleet)
		why        string
	}{
		"refused": {
			func(f *fleet) {
				f.peers["canary"].failWith(&device.Refused{Words: "no space in TCAM"})
				f.set(one, two, bad)
			},
			func(f *fleet) { f.peers["canary"].failWith(nil); f.rec.Sync("canary") }, "no space in TCAM",
		},
		"flapped": {
			func(f *fleet) {
				f.set(one, two, bad)
				f.peers["canary"].set(true)
				f.peers["canary"].set(false) // it is back before anybody looked
			},
			func(*fleet) {}, "lost its BGP session",
		},
		"lost": {
			func(f *fleet) { f.set(one, two, bad); f.settle(5 * time.Second); f.peers["canary"].set(true) },
			func(f *fleet) { f.peers["canary"].set(false) }, "hold timer expired",
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(f *fleet) {
				f.set(one, two)
				f.start()
				c.begin(f)
				f.settle(time.Hour)
				f.holds("edge1 edge2", one, two)
				f.holds("lone", one, two, bad)
				f.wantRollout(Stopped, c.why)
				if r := f.rec.Receipts(bad)[1]; r.State != RulePending || !strings.Contains(r.Error, c.why) {
					f.t.Errorf("receipt %+v", r)
				}
				f.set(two, bad)
				f.holds("edge1 edge2", two)

				f.stop()
				f.start()
				f.settle(time.Hour)
				f.holds("edge1 edge2", two)
				f.wantRollout(Stopped, c.why)

				c.end(f)
				if err := f.rec.ResumeRollout("edge"); err != nil {
					f.t.Fatal(err)
				}
				f.settle(0)
				f.holds("edge1 edge2", two)
				f.settle(2 * watched)
				f.holds("edge1 edge2", two, bad)
				f.wantRollout(RolledOut, "")
				if err := f.rec.ResumeRollout("edge"); !errors.Is(err, ErrNotStopped) {
					f.t.Errorf("resume of what is not stopped: %v", err)
				}
			})
		})
	}
}

// A stop ends by itself when what made it is withdrawn and everybody stands again.
func TestStopEndsWithItsCause(t *testing.T) {
	bubble(t, func(f *fleet) {
		one, bad := discard(f.t, 1, 53), discard(f.t, 3, 53)
		f.set(one)
		f.start()
		f.peers["canary"].failWith(&device.Refused{Words: "no"})
		f.set(one, bad)
		f.wantRollout(Stopped, "no")
		f.peers["canary"].failWith(nil)
		f.set(one)
		f.settle(time.Second)
		f.wantRollout(RolledOut, "")
		f.set(one, discard(f.t, 4, 53))
		f.settle(watched)
		f.holds("edge1 edge2", one, discard(f.t, 4, 53))
	})
}

// What waits for a canary that cannot be given anything waits, unless the group is to do without; a person can release it.
func TestNoCanaryThere(t *testing.T) {
	bubble(t, func(f *fleet) {
		one, two := discard(f.t, 1, 53), discard(f.t, 2, 53)
		f.start()
		f.peers["canary"].set(true)
		f.set(one)
		f.settle(time.Hour)
		f.holds("edge1 edge2")
		f.wantRollout(Trying, "canary canary cannot be given it")
		if err := f.rec.ReleaseRollout("edge"); err != nil {
			f.t.Fatal(err)
		}
		f.settle(0)
		f.holds("edge1 edge2", one)
		f.stop()

		f.cfg.Groups[0].Unmanned = true
		f.start()
		f.peers["canary"].set(true)
		f.set(one, two)
		f.holds("edge1 edge2", one)
		f.settle(watched + time.Second)
		f.holds("edge1 edge2", one, two)
	})
}

// What the canary had not stood with when the gateway was killed is not taken for tried by the next one.
func TestRolloutOverARestart(t *testing.T) {
	bubble(t, func(f *fleet) {
		one, two := discard(f.t, 1, 53), discard(f.t, 2, 53)
		f.set(one)
		f.start()
		f.set(one, two)
		f.settle(watched / 2)
		f.stop()
		f.start()
		f.holds("canary lone", one, two)
		f.holds("edge1 edge2", one)
		f.settle(watched + time.Second)
		f.holds("edge1 edge2", one, two)
		f.stop()
		f.cfg.Groups = nil
		f.start()
		f.holds("edge1 edge2", one, two)
		if len(f.memory.released) > 0 || len(f.memory.rollouts) > 0 {
			f.t.Errorf("of a group that is no more: %v %v", f.memory.released, f.memory.rollouts)
		}
	})
}

// A device that gets into trouble after the canary stood stops the roll-out to those that do not have it yet.
func TestTroubleOfAnotherDeviceStops(t *testing.T) {
	bubble(t, func(f *fleet) {
		one, bad := discard(f.t, 1, 53), discard(f.t, 3, 53)
		f.set(one)
		f.start()
		f.peers["edge1"].failWith(&device.Refused{Words: "no space in TCAM"})
		if _, err := f.rec.Freeze(context.Background(), "edge2", device.Freeze{Since: time.Now()}); err != nil {
			f.t.Fatal(err)
		}
		f.set(one, bad)
		f.settle(watched)
		f.wantRollout(Stopped, "edge1 refuses what it is given: announce to edge1: refused by the device: no space in TCAM")
		if err := f.rec.Thaw("edge2"); err != nil {
			f.t.Fatal(err)
		}
		f.settle(time.Hour)
		f.holds("edge2", one)
		if s := f.device("edge2"); s.State != Waiting || !strings.Contains(s.WaitsFor, "edge1") {
			f.t.Errorf("edge2: %+v", s)
		}
		if err := f.rec.ReleaseRollout("edge"); err != nil {
			f.t.Fatal(err)
		}
		f.settle(0)
		f.holds("edge2", one, bad)
	})
}

// Such a stop does not end because the device stands again with what made it fall, but when that is withdrawn.
func TestStopOfAWaveEndsWithItsCause(t *testing.T) {
	bubble(t, func(f *fleet) {
		one, bad := discard(f.t, 1, 53), discard(f.t, 3, 53)
		f.set(one)
		f.start()
		if _, err := f.rec.Freeze(context.Background(), "edge2", device.Freeze{Since: time.Now()}); err != nil {
			f.t.Fatal(err)
		}
		f.set(one, bad)
		f.settle(watched + time.Second)
		f.peers["edge1"].set(true)
		f.settle(2 * time.Second)
		f.peers["edge1"].set(false)
		f.wantRollout(Stopped, "edge1 does not answer any more")
		if err := f.rec.Thaw("edge2"); err != nil {
			f.t.Fatal(err)
		}
		f.settle(time.Hour)
		f.wantRollout(Stopped, "edge1 does not answer any more")
		f.holds("edge2", one)
		f.set(one)
		f.settle(time.Second)
		f.wantRollout(RolledOut, "")
		f.holds("canary edge1 edge2", one)
		if s := f.device("edge2"); s.State != InSync {
			f.t.Errorf("edge2: %+v", s)
		}
	})
}

// A person's stop holds until a person ends it.
func TestStopByOrder(t *testing.T) {
	bubble(t, func(f *fleet) {
		one := discard(f.t, 1, 53)
		f.start()
		if err := f.rec.StopRollout("edge", "ticket 7"); err != nil {
			f.t.Fatal(err)
		}
		f.set(one)
		f.settle(time.Hour)
		f.holds("canary lone", one)
		f.holds("edge1 edge2")
		f.wantRollout(Stopped, "ticket 7")
		if err := f.rec.ResumeRollout("edge"); err != nil {
			f.t.Fatal(err)
		}
		f.settle(watched)
		f.holds("edge1 edge2", one)
		for _, err := range []error{f.rec.StopRollout("nobody", ""), f.rec.ResumeRollout("nobody"), f.rec.ReleaseRollout("nobody")} {
			if !errors.Is(err, ErrNoGroup) {
				f.t.Errorf("a group that is not there: %v", err)
			}
		}
	})
}

// A canary whose filter somebody removes stops the roll-out of what it was just given.
func TestDriftOfTheCanaryStops(t *testing.T) {
	bubble(t, func(f *fleet) {
		prof, err := profiles.Embedded().Get("junos-mx")
		if err != nil {
			f.t.Fatal(err)
		}
		routers := map[string]*router{}
		for i := range f.cfg.Devices {
			d := &f.cfg.Devices[i]
			routers[d.Name] = &router{now: time.Now}
			*d = Device{Name: d.Name, Profile: prof, Options: plan.Options{NoNative: true}, Filter: routers[d.Name], Dialect: plainDialect{}, Confirm: 30 * time.Second, Audit: time.Second}
		}
		f.set(discard(f.t, 1, 53))
		f.start()
		f.set(discard(f.t, 1, 53), discard(f.t, 2, 53))
		f.settle(watched / 2)
		f.wantRollout(Watching, "canary has it")
		routers["canary"].change(func(r *router) { r.running = nil })
		f.settle(time.Hour)
		f.wantRollout(Stopped, "canary drifted: ")
		for name, want := range map[string]int{"canary": 0, "edge1": 1, "edge2": 1, "lone": 2} {
			if got := routers[name].entries(); len(got) != want {
				f.t.Errorf("%s holds %q, want %d entries", name, got, want)
			}
		}
	})
}

// A canary that shows by a channel of its own that it does not hold what it was sent stops the roll-out; once it holds it, a person has the roll-out go on.
func TestWhatACanaryShowsStops(t *testing.T) {
	bubble(t, func(f *fleet) {
		one, two := discard(f.t, 1, 53), discard(f.t, 2, 53)
		f.set(one)
		var shows *window
		f.startWith(map[string]func(*neighbour) device.Adapter{"canary": func(n *neighbour) device.Adapter {
			shows = &window{peer: n.peer, changed: make(chan struct{}, 100), shows: map[string]device.Shown{}}
			return shows
		}})
		f.set(one, two)
		f.wantRollout(Watching, "canary has it")
		shows.show(two.Match.String(), device.Shown{State: device.ShownOtherwise, Since: time.Now(), Words: "rejected by policy"})
		f.settle(time.Hour)
		f.wantRollout(Stopped, "does not hold what it was sent: ")
		f.holds("canary lone", one, two)
		f.holds("edge1 edge2", one)
		shows.show(two.Match.String(), device.Shown{State: device.ShownHeld, Since: time.Now()})
		f.settle(lookAfter)
		if err := f.rec.ResumeRollout("edge"); err != nil {
			f.t.Fatal(err)
		}
		f.settle(watched)
		f.holds("edge1 edge2", one, two)
	})
}

// full is a disk that takes nothing more for a while.
type full struct {
	*memory
	until time.Time
}

func (d full) SaveReleased(group string, puts []flowspec.Rule, deletes []flowspec.ID) error {
	if time.Now().Before(d.until) {
		return errors.New("no space left on device")
	}
	return d.memory.SaveReleased(group, puts, deletes)
}

func (d full) SaveBegun(name string, b device.Begun) error {
	if time.Now().Before(d.until) {
		return errors.New("no space left on device")
	}
	return d.memory.SaveBegun(name, b)
}

// What cannot be noted is not given to anybody, and goes when it can be.
func TestReleaseWaitsForTheDisk(t *testing.T) {
	bubble(t, func(f *fleet) {
		one := discard(f.t, 1, 53)
		if err := f.memory.SaveRollout("edge", device.Rollout{}); err != nil {
			f.t.Fatal(err)
		}
		f.cfg.Tokens = full{f.memory, time.Now().Add(time.Minute)}
		f.start()
		f.set(one)
		f.settle(50 * time.Second)
		f.holds("lone", one)
		f.holds("canary edge1 edge2")
		f.settle(2*time.Minute + 2*watched)
		f.holds("edge1 edge2", one)
	})
}
