package reconcile

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/profiles"
)

// fragile is a router that ends its session over the first rule it is given of a kind, and then does not come back, or comes back.
type fragile struct {
	*neighbour
	over string // what such a rule matches
	back bool
	says error // what Apply says then
}

func (r *fragile) Apply(ctx context.Context, t device.Target, c device.Change, undo time.Duration) (device.Commit, error) {
	done, err := r.neighbour.Apply(ctx, t, c, undo)
	for _, s := range c.Steps {
		if s.Op != device.Remove && s.Route.Match.String() == r.over {
			r.set(true)
			if r.back {
				r.set(false)
			}
			return done, r.says
		}
	}
	return done, err
}

// A canary that ends its session over a rule, before anybody knows that it was given it, stops the roll-out, although the group is to do without canaries that are away.
func TestCanaryFallsBeforeItAnswers(t *testing.T) {
	for name, r := range map[string]fragile{
		"gone":             {},
		"gone, no answer":  {says: &device.Transient{Err: errors.New("the session has ended")}},
		"back":             {back: true},
		"back, no answer":  {back: true, says: &device.Transient{Err: errors.New("the session has ended")}},
		"gone, in the end": {says: context.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(f *fleet) {
				good, bad := discard(f.t, 1, 53), discard(f.t, 3, 53)
				f.cfg.Groups[0].Unmanned = true
				f.set(good)
				r.over = bad.Match.String()
				f.startWith(map[string]func(*neighbour) device.Adapter{"canary": func(n *neighbour) device.Adapter { r.neighbour = n; return &r }})
				f.set(good, bad)
				f.settle(time.Hour)
				f.wantRollout(Stopped, "canary lost its BGP session right after it was given something new")
				f.holds("edge1 edge2", good)
				f.set(good)
				f.peers["canary"].set(false)
				f.settle(time.Minute)
				f.wantRollout(RolledOut, "")
				if len(f.memory.begun) > 0 {
					f.t.Errorf("still noted: %v", f.memory.begun)
				}
			})
		})
	}
}

// A canary that was away when a rule came, and whose session ends each time that it comes up with it, stops the roll-out; one that does not come back does not.
func TestCanaryFallsEachTimeItIsBack(t *testing.T) {
	bubble(t, func(f *fleet) {
		good, bad := discard(f.t, 1, 53), discard(f.t, 3, 53)
		f.cfg.Groups[0].Unmanned = true
		f.start()
		f.peers["canary"].set(true)
		f.set(good)
		f.settle(2 * watched)
		f.holds("edge1 edge2", good)
		f.set(good, bad)
		f.peers["canary"].set(false) // it has been given what it is owed, by the session
		f.peers["canary"].set(true)  // before anybody looked
		f.settle(time.Hour)
		f.wantRollout(Stopped, "canary lost its BGP session")
		f.holds("edge1 edge2", good)
	})
}

// One that is back and stays is watched for as long as any.
func TestCanaryComesBackAndStays(t *testing.T) {
	bubble(t, func(f *fleet) {
		one := discard(f.t, 1, 53)
		f.start()
		f.peers["canary"].set(true)
		f.set(one)
		f.settle(time.Hour)
		f.holds("edge1 edge2")
		f.peers["canary"].set(false)
		f.settle(time.Second)
		f.holds("edge1 edge2")
		f.wantRollout(Watching, "canary has it")
		f.settle(watched + time.Second)
		f.holds("edge1 edge2", one)
		f.wantRollout(RolledOut, "")
	})
}

// A gateway that is killed while a canary is given a rule knows that afterwards: where the canary does not come back, nobody else gets it. Where it does, it is tried anew.
func TestKilledWhileTheCanaryFalls(t *testing.T) {
	for name, c := range map[string]struct {
		back  bool
		state RolloutState
	}{"gone": {false, Stopped}, "back": {true, RolledOut}} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(f *fleet) {
				good, bad := discard(f.t, 1, 53), discard(f.t, 3, 53)
				f.cfg.Groups[0].Unmanned = true
				f.set(good)
				f.start()
				f.set(good, bad)
				f.stop()
				f.startWith(map[string]func(*neighbour) device.Adapter{"canary": func(n *neighbour) device.Adapter { n.down, n.sessions = true, 0; return n }})
				f.settle(time.Second)
				if c.back {
					f.peers["canary"].set(false)
				}
				f.settle(time.Hour)
				f.wantRollout(c.state, "")
				if c.back {
					f.holds("edge1 edge2", good, bad)
					return
				}
				f.wantRollout(Stopped, "was about to be given something new")
				f.holds("edge1 edge2", good)
				if err := f.rec.ResumeRollout("edge"); err != nil {
					f.t.Fatal(err)
				}
				f.settle(time.Hour) // a person wants it, and the group is to do without canaries
				f.holds("edge1 edge2", good, bad)
			})
		})
	}
}

// What cannot be noted to be begun is not given to the canary, and is when it can be.
func TestBeginWaitsForTheDisk(t *testing.T) {
	bubble(t, func(f *fleet) {
		one := discard(f.t, 1, 53)
		f.cfg.Tokens = full{f.memory, time.Now().Add(time.Minute)}
		if err := f.memory.SaveRollout("edge", device.Rollout{}); err != nil {
			f.t.Fatal(err)
		}
		f.start()
		f.set(one)
		f.holds("canary edge1 edge2")
		f.holds("lone", one)
		if s := f.device("canary"); s.State != Unreachable || !strings.Contains(s.Error, "no space left on device") {
			f.t.Errorf("canary: %+v", s)
		}
		f.settle(2*time.Minute + 2*watched)
		f.holds("canary edge1 edge2", one)
	})
}

// The end of the gateway ends all sessions, and stops no roll-out.
func TestEndOfTheGatewayIsNoFall(t *testing.T) {
	for range 50 {
		inBubble(t, func(t *testing.T) {
			f := newFleet(t)
			good, next := discard(t, 1, 53), discard(t, 3, 53)
			f.set(good)
			f.start()
			f.set(good, next)
			f.settle(time.Second)
			ended := make(chan struct{})
			go func() {
				<-f.ctx.Done()
				f.peers["canary"].set(true)
				close(ended)
			}()
			f.stop()
			<-ended
			if r := f.memory.rollouts["edge"]; r.Stop != nil {
				t.Errorf("stopped: %+v", r.Stop)
			}
		})
	}
}

// A canary that a filter cuts off from the gateway, before it could answer, stops the roll-out. One that is locked by somebody else does not.
func TestFilterCutsTheCanaryOff(t *testing.T) {
	for name, c := range map[string]struct {
		says  error
		state RolloutState
	}{
		"cut off": {&device.Transient{Err: errors.New("i/o timeout")}, Stopped},
		"locked":  {&device.Transient{Err: errors.New("locked by admin"), Unchanged: true}, RolledOut},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(f *fleet) {
				prof, err := profiles.Embedded().Get("junos-mx")
				if err != nil {
					f.t.Fatal(err)
				}
				f.cfg.Groups[0].Unmanned = true
				routers := map[string]*router{}
				for i := range f.cfg.Devices {
					d := &f.cfg.Devices[i]
					routers[d.Name] = &router{now: time.Now}
					*d = Device{Name: d.Name, Profile: prof, Options: plan.Options{NoNative: true}, Filter: routers[d.Name], Dialect: plainDialect{}, Confirm: 30 * time.Second, Audit: time.Second}
				}
				f.set(discard(f.t, 1, 53))
				f.start()
				routers["canary"].change(func(r *router) { r.says = c.says })
				f.set(discard(f.t, 1, 53), discard(f.t, 2, 53))
				f.settle(time.Minute) // and nobody is there
				f.wantRollout(c.state, "")
				want := map[RolloutState]int{Stopped: 1, RolledOut: 2}[c.state]
				for _, name := range []string{"edge1", "edge2"} {
					if got := routers[name].entries(); len(got) != want {
						f.t.Errorf("%s holds %q, want %d entries", name, got, want)
					}
				}
			})
		})
	}
}
