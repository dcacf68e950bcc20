package reconcile

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/profiles"
)

// withFilters replaces the devices of a fleet by n that have filters, in no group.
func (f *fleet) withFilters(n int) (routers []*router) {
	f.t.Helper()
	prof, err := profiles.Embedded().Get("junos-mx")
	if err != nil {
		f.t.Fatal(err)
	}
	f.cfg.Groups, f.cfg.Devices = nil, nil
	for i := range n {
		r := &router{now: time.Now}
		routers = append(routers, r)
		f.cfg.Devices = append(f.cfg.Devices, Device{
			Name: fmt.Sprint("mx", i), Profile: prof, Options: plan.Options{NoNative: true}, Filter: r, Dialect: plainDialect{}, Confirm: 30 * time.Second, Audit: 5 * time.Minute,
		})
	}
	return routers
}

// A device that does not answer for an hour costs few attempts and holds nobody up, and has the newest rules, not the hour's, soon after it is back.
func TestUnreachableForAnHour(t *testing.T) {
	bubble(t, func(f *fleet) {
		routers := f.withFilters(2)
		var attempts atomic.Int64
		f.set(discard(f.t, 1, 53))
		f.start()
		routers[0].change(func(r *router) { r.unreachable, r.slowRead = true, func() { attempts.Add(1) } })
		for n := range byte(12) {
			f.set(discard(f.t, 2+n, 53))
			f.settle(5 * time.Minute)
			if got := routers[1].entries(); len(got) != 1 || !strings.Contains(got[0], string(discard(f.t, 2+n, 53).ID)) {
				f.t.Errorf("the other device holds %q", got)
			}
		}
		if n := attempts.Load(); n < 12 || n > 120 {
			f.t.Errorf("%d attempts in an hour", n)
		}
		if s := f.device("mx0"); s.State != Unreachable || s.Retry.IsZero() {
			f.t.Errorf("%+v", s)
		}
		commits := routers[0].committed()
		routers[0].change(func(r *router) { r.unreachable = false })
		f.settle(time.Minute) // no longer than the longest pace of one that is there
		if got := routers[0].entries(); len(got) != 1 || !strings.Contains(got[0], string(discard(f.t, 13, 53).ID)) || routers[0].committed() != commits+1 {
			f.t.Errorf("it holds %q after %d commits", got, routers[0].committed()-commits)
		}
	})
}

// A router that forgot everything is given all of it again over BGP as soon as its session is back; a filter that is gone is a person's act for all that anybody knows, and waits for one.
func TestDeviceComesBackEmpty(t *testing.T) {
	bubble(t, func(f *fleet) {
		routers := f.withFilters(1)
		f.set(discard(f.t, 1, 53))
		f.start()
		routers[0].change(func(r *router) { r.running = nil })
		f.settle(6 * time.Minute) // the next audit
		if s := f.device("mx0"); s.State != Frozen || !strings.Contains(s.Error, "is gone") {
			f.t.Errorf("%+v", s)
		}
		f.rec.Sync("mx0")
		f.settle(time.Second)
		if s := f.device("mx0"); s.State != InSync || len(routers[0].entries()) != 1 {
			f.t.Errorf("%+v", s)
		}
	})
}

// Two hundred devices that are told at once all get there, sixteen at a time, and those of which some do not answer do not hold up the others.
func TestTwoHundredDevicesAtOnce(t *testing.T) {
	bubble(t, func(f *fleet) {
		routers := f.withFilters(200)
		for i, r := range routers {
			r.slow = func() { time.Sleep(20 * time.Second) } // a loaded router
			if i%10 == 0 {
				r.slowRead = func() { time.Sleep(10 * time.Minute) } // hardly one any more
			}
		}
		f.set(discard(f.t, 1, 53))
		f.start()
		f.settle(200*20/16*time.Second + 20*time.Second)
		late := 0
		for i := range routers {
			if len(routers[i].entries()) != 1 {
				late++
			}
		}
		if late != 20 {
			f.t.Errorf("%d devices are late, want the 20 that hardly answer", late)
		}
		f.settle(2 * time.Hour)
		for i := range routers {
			if got := routers[i].entries(); i%10 != 0 && len(got) != 1 {
				f.t.Errorf("mx%d holds %q", i, got)
			}
		}
		for _, r := range routers {
			r.change(func(r *router) { r.slowRead = nil })
		}
		f.settle(time.Hour)
		for i, s := range f.rec.Status() {
			if s.State != InSync || len(routers[i].entries()) != 1 {
				f.t.Errorf("%+v", s)
			}
		}
	})
}

// jumping is a clock that is set forward and back.
type jumping struct{ by atomic.Int64 }

func (j *jumping) now() time.Time { return time.Now().Add(time.Duration(j.by.Load())).Round(0) } // as a clock on the wall: not monotonic

// The gateway's clock is set an hour forward or back while it is dead in the middle of a commit. The next life neither trusts what the device is about to undo nor waits for an hour.
func TestClockJumpsOverACommit(t *testing.T) {
	t.Parallel()
	for name, jump := range map[string]time.Duration{"forward": time.Hour, "back": -time.Hour} {
		for _, token := range []bool{true, false} {
			inBubble(t, func(t *testing.T) {
				f := newFleet(t)
				r := f.withFilters(1)[0]
				clock := &jumping{}
				f.cfg.Now = clock.now
				f.cfg.Devices[0].Audit = 0 // nobody looks again
				r.crashAfter = true
				one := discard(t, 1, 53)
				f.set(one)
				f.start()
				f.settle(0)
				f.stop()
				c, pending := device.Commit{}, ""
				r.change(func(r *router) { r.crashAfter = false; c.Deadline, pending = r.deadline, r.token })
				if token {
					c.Token = pending
				}
				if err := f.memory.SaveCommit("mx0", c); err != nil || pending == "" {
					t.Fatal("nothing is pending", err)
				}
				clock.by.Store(int64(jump))
				f.start()
				f.settle(2 * time.Minute)
				if got := r.entries(); len(got) != 1 || r.waits() != "" {
					// Set forward, and killed before it knew the token, it cannot tell: the device undoes the change, and the next audit finds it.
					if name == "forward" && !token {
						f.rec.Sync("mx0")
						f.settle(time.Minute)
						got = r.entries()
					}
					if len(got) != 1 || r.waits() != "" {
						t.Errorf("%s, token %v: it holds %q, pending %q; %+v", name, token, got, r.waits(), f.device("mx0"))
					}
				}
				f.stop()
			})
		}
	}
}

// The clock of a running gateway is set an hour forward and back: freezes end by the clock on the wall, retries and audits do not stop.
func TestClockJumpsWhileRunning(t *testing.T) {
	for _, jump := range []time.Duration{time.Hour, -time.Hour} {
		t.Run(jump.String(), func(t *testing.T) {
			bubble(t, func(f *fleet) {
				r := f.withFilters(1)[0]
				clock := &jumping{}
				f.cfg.Now = clock.now
				f.set(discard(f.t, 1, 53))
				f.start()
				r.change(func(r *router) { r.unreachable = true })
				f.set(discard(f.t, 2, 53))
				f.settle(time.Second)
				clock.by.Store(int64(jump))
				r.change(func(r *router) { r.unreachable = false })
				f.settle(6 * time.Minute)
				if got := r.entries(); len(got) != 1 || !strings.Contains(got[0], string(discard(f.t, 2, 53).ID)) {
					f.t.Errorf("it holds %q: %+v", got, f.device("mx0"))
				}
				r.change(func(r *router) { r.running[0].Entries = nil })
				f.settle(6 * time.Minute)
				if got := r.entries(); len(got) != 1 {
					f.t.Errorf("a changed line is not put back: %+v", f.device("mx0"))
				}
			})
		})
	}
}

// stubborn is a Filter whose calls end with their context only.
type stubborn struct{ device.Adapter }

func (stubborn) Read(ctx context.Context, _ device.Target, _ ...string) (device.State, error) {
	<-ctx.Done()
	return device.State{}, &device.Transient{Err: ctx.Err()}
}

// A gateway that ends does not wait for a device that never answers, and one that is frozen says which device it waits for.
func TestDeviceThatNeverAnswers(t *testing.T) {
	bubble(t, func(f *fleet) {
		routers := f.withFilters(2)
		f.cfg.Devices[0].Filter = stubborn{routers[0]}
		one := []flowspec.Rule{discard(f.t, 1, 53)}
		f.rules.set(rib.Of(one))
		f.start()
		f.settle(time.Minute)
		if s := f.device("mx1"); s.State != InSync {
			f.t.Errorf("the other device: %+v", s)
		}
		busy, err := f.rec.Freeze(context.Background(), "", device.Freeze{Since: time.Now()})
		if err != nil || len(busy) != 1 || busy[0] != "mx0" {
			f.t.Errorf("busy %v, error %v", busy, err)
		}
		if err := f.rec.Thaw("mx0"); !errors.Is(err, ErrNotFrozen) {
			f.t.Errorf("thaw: %v", err)
		}
	})
}

// lateRouter is a fleet of one router, which undoes its commits 35 seconds late, as its adapter says.
func lateRouter(f *fleet) *router {
	prof, err := profiles.Embedded().Get("junos-mx")
	if err != nil {
		f.t.Fatal(err)
	}
	r := &router{now: time.Now, late: 35 * time.Second}
	f.cfg.Groups = nil
	f.cfg.Devices = []Device{{Name: "mx1", Profile: prof, Options: plan.Options{NoNative: true}, Filter: r, Dialect: plainDialect{}, Confirm: 30 * time.Second}}
	return r
}

// The time that a router was given counts, and not when it gets round to undoing: what it still shows afterwards is not confirmed, whether it was read back slowly or by the next gateway.
func TestNothingIsConfirmedTooLate(t *testing.T) {
	for name, restart := range map[string]bool{"read back slowly": false, "the gateway was killed": true} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(f *fleet) {
				r := lateRouter(f)
				r.crashAfter = restart
				slow := !restart
				r.slowRead = func() {
					if r.waits() != "" && slow {
						slow = false
						time.Sleep(31 * time.Second)
					}
				}
				f.set(discard(f.t, 1, 53))
				f.start()
				f.settle(time.Second)
				if restart {
					f.stop()
					r.change(func(r *router) {
						r.crashAfter = false
						if err := f.cfg.Tokens.SaveCommit("mx1", device.Commit{Token: r.token, Deadline: r.deadline}); err != nil {
							f.t.Fatal(err)
						}
					})
					time.Sleep(30 * time.Second)
					f.start()
				}
				f.settle(31 * time.Second)
				if s := f.device("mx1"); r.waits() == "" || s.State == InSync {
					f.t.Fatalf("the time is over, and the change is not undone yet: waits %q, %+v", r.waits(), s)
				}
				f.settle(time.Minute)
				if s := f.device("mx1"); s.State != InSync || len(r.entries()) != 1 || r.committed() != 2 || r.tooLate != 0 {
					f.t.Errorf("%d entries after %d commits, %d confirmations too late: %+v", len(r.entries()), r.committed(), r.tooLate, s)
				}
			})
		})
	}
}

// A router undoes a commit later than it should. Until it must have, a gateway that lost the connection in between does not take what it sees there for what stays, whether it goes on or is another one.
func TestUndoneLate(t *testing.T) {
	const longer = 50 * time.Second // than is taken for granted
	configured := longer
	for name, c := range map[string]struct {
		late            time.Duration
		restart, unsaid bool
		configured      *time.Duration
	}{
		"the connection was lost":   {late: longer},
		"the gateway was killed":    {late: longer, restart: true},
		"nobody says how late":      {late: 35 * time.Second, unsaid: true},
		"nobody says, and killed":   {late: 35 * time.Second, unsaid: true, restart: true},
		"the configuration says so": {late: longer, unsaid: true, configured: &configured},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(f *fleet) {
				r := lateRouter(f)
				r.late, r.unsaid, f.cfg.Devices[0].Late = c.late, c.unsaid, c.configured
				one := discard(f.t, 1, 53)
				r.crashAfter = true
				f.set(one)
				f.start()
				f.settle(time.Second)
				if r.waits() == "" {
					f.t.Fatal("nothing is pending")
				}
				if c.restart {
					f.stop()
					f.start()
				}
				r.change(func(r *router) { r.crashAfter = false })
				said := false
				for range 600 {
					f.settle(time.Second)
					if f.device("mx1").State != InSync {
						continue
					}
					if said = true; len(r.entries()) != 1 {
						f.t.Fatalf("it is in sync, and holds %q", r.entries())
					}
				}
				if !said || r.committed() != 2 {
					f.t.Errorf("in sync %v after %d commits", said, r.committed())
				}
			})
		})
	}
}
