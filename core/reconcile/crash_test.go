package reconcile

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/profiles"
)

// life is one run of a gateway, which is killed at a certain call to a device or to the disk: before the call has done anything, or right after, before the gateway has the answer.
type life struct {
	mu    sync.Mutex
	calls int
	at    int    // 0: never
	name  string // the first call of that name, rather than the one with that number
	after bool   // the call that kills is carried out
	last  string
}

// step carries out a call, unless the gateway is dead.
func (l *life) step(name string, call func() error) error {
	l.mu.Lock()
	l.calls++
	if l.at == 0 && l.name == name {
		l.at = l.calls
	}
	dead, dies := l.at > 0 && l.calls > l.at, l.calls == l.at
	if dies {
		l.last = name
	}
	l.mu.Unlock()
	if dead || dies && !l.after {
		return errCrash
	}
	err := call()
	if dies {
		return errCrash
	}
	return err
}

func (l *life) died() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.at == 0 || l.calls < l.at {
		return ""
	}
	return l.last
}

// mortalRouter is a router that a gateway is killed at.
type mortalRouter struct {
	*router
	life *life
}

func (m mortalRouter) Read(ctx context.Context, t device.Target, names ...string) (s device.State, err error) {
	err = m.life.step("read", func() error { s, err = m.router.Read(ctx, t, names...); return err })
	return s, err
}

func (m mortalRouter) Apply(ctx context.Context, t device.Target, c device.Change, undo time.Duration) (out device.Commit, err error) {
	err = m.life.step("apply", func() error { out, err = m.router.Apply(ctx, t, c, undo); return err })
	return out, err
}

func (m mortalRouter) Confirm(ctx context.Context, t device.Target, c device.Commit) error {
	return m.life.step("confirm", func() error { return m.router.Confirm(ctx, t, c) })
}

func (m mortalRouter) Cancel(ctx context.Context, t device.Target, c device.Commit) error {
	return m.life.step("cancel", func() error { return m.router.Cancel(ctx, t, c) })
}

// mortalDisk is a disk that a gateway is killed at.
type mortalDisk struct {
	*memory
	life *life
}

func (m mortalDisk) SaveCommit(name string, c device.Commit) error {
	return m.life.step("note the commit", func() error { return m.memory.SaveCommit(name, c) })
}

func (m mortalDisk) ClearCommit(name string) error {
	return m.life.step("forget the commit", func() error { return m.memory.ClearCommit(name) })
}

func (m mortalDisk) SaveHeld(name string, filters []string) error {
	return m.life.step("note the filters", func() error { return m.memory.SaveHeld(name, filters) })
}

func (m mortalDisk) SaveReleased(group string, puts []flowspec.Rule, deletes []flowspec.ID) error {
	return m.life.step("note what is released", func() error { return m.memory.SaveReleased(group, puts, deletes) })
}

func (m mortalDisk) SaveRollout(group string, r device.Rollout) error {
	return m.life.step("note the roll-out", func() error { return m.memory.SaveRollout(group, r) })
}

func (m mortalDisk) SaveBegun(name string, b device.Begun) error {
	return m.life.step("note what is begun", func() error { return m.memory.SaveBegun(name, b) })
}

func (m mortalDisk) ClearBegun(name string) error {
	return m.life.step("forget what was begun", func() error { return m.memory.ClearBegun(name) })
}

func (m mortalDisk) SaveForms(of string, puts map[flowspec.ID]device.Form, deletes []flowspec.ID) error {
	return m.life.step("note the plan", func() error { return m.memory.SaveForms(of, puts, deletes) })
}

func (m mortalDisk) SaveAdopted(name, of string) error {
	return m.life.step("note what is adopted", func() error { return m.memory.SaveAdopted(name, of) })
}

// mortal is a canary and a router behind it, with filters, and the gateway over them.
type mortal struct {
	t       *testing.T
	rules   *rules
	memory  *memory
	routers map[string]*router
}

// live runs a gateway for some time, or until it is killed.
func (m *mortal) live(l *life, d time.Duration) (states []Status) {
	prof, err := profiles.Embedded().Get("junos-mx")
	if err != nil {
		m.t.Fatal(err)
	}
	f := newFleet(m.t)
	f.cfg.Rules, f.cfg.Tokens, f.cfg.Software = m.rules, mortalDisk{m.memory, l}, "v1"
	f.cfg.Groups = []Group{{Name: "edge", Devices: []string{"canary", "edge"}, Canary: []string{"canary"}, Watch: watched}}
	f.cfg.Devices = nil
	for _, name := range []string{"canary", "edge"} {
		f.cfg.Devices = append(f.cfg.Devices, Device{
			Name: name, Profile: prof, Options: plan.Options{NoNative: true}, Filter: mortalRouter{m.routers[name], l}, Dialect: plainDialect{}, Confirm: 30 * time.Second,
			Audit: 5 * time.Minute,
		})
	}
	rec := New(f.cfg)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- rec.Run(ctx) }()
	for end := time.Now().Add(d); time.Now().Before(end) && l.died() == ""; time.Sleep(50 * time.Millisecond) {
		synctest.Wait()
	}
	states = rec.Status()
	cancel()
	if err := <-done; err != nil && l.died() == "" {
		m.t.Error(err)
	}
	return states
}

// Killed before or after any call to a device or to the disk, between commit and confirm among them, while rules are changed: the next life brings every device to the rules in force, nothing is
// pending, nothing is undone later, and in between no device had anything that was never in force.
func TestKilledAtEveryStep(t *testing.T) {
	t.Parallel()
	stays, goes, comes := discard(t, 1, 53), discard(t, 2, 53), discard(t, 3, 53)
	seen := map[string]bool{}
	// dies runs a gateway until l ends it, and then another one. It says at which call the first one was killed; "": at none.
	dies := func(l *life) (died string) {
		inBubble(t, func(t *testing.T) {
			m := &mortal{t: t, rules: &rules{}, memory: newMemory(), routers: map[string]*router{"canary": {now: time.Now}, "edge": {now: time.Now}}}
			m.rules.set(rib.Of([]flowspec.Rule{stays, goes}))
			m.live(&life{}, time.Minute)
			m.rules.set(rib.Of([]flowspec.Rule{stays, comes}))
			m.live(l, time.Minute)
			died = l.died()
			where := fmt.Sprintf("killed at %q (%d, after %v)", died, l.at, l.after)
			for name, r := range m.routers {
				if got := r.entries(); !slices.ContainsFunc(got, func(e string) bool { return strings.Contains(e, string(stays.ID)) }) {
					t.Errorf("%s: %s holds %q, without the rule that never changed", where, name, got)
				}
			}
			states := m.live(&life{}, 4*time.Minute)
			for name, r := range m.routers {
				got := r.entries()
				if len(got) != 2 || !slices.ContainsFunc(got, func(e string) bool { return strings.Contains(e, string(stays.ID)) }) || !slices.ContainsFunc(got, func(e string) bool { return strings.Contains(e, string(comes.ID)) }) {
					t.Errorf("%s: %s holds %q", where, name, got)
				}
				if _, noted, _ := m.memory.Commit(name); noted || r.token != "" {
					t.Errorf("%s: on %s %q is pending, noted %v", where, name, r.token, noted)
				}
			}
			if len(m.memory.begun) > 0 {
				t.Errorf("%s: still begun: %v", where, m.memory.begun)
			}
			for _, s := range states {
				if s.State != InSync {
					t.Errorf("%s: %+v", where, s)
				}
			}
			commits := m.routers["edge"].commits
			time.Sleep(time.Hour) // whatever would be undone is undone
			m.live(&life{}, time.Minute)
			if m.routers["edge"].commits != commits || len(m.routers["edge"].entries()) != 2 {
				t.Errorf("%s: %d commits an hour later", where, m.routers["edge"].commits-commits)
			}
		})
		if died != "" {
			seen[fmt.Sprint(died, l.after)] = true
		}
		return died
	}
	for _, after := range []bool{false, true} {
		for at := 1; dies(&life{at: at, after: after}) != "" && !t.Failed(); at++ {
		}
		// The order of calls is another one each time, and of these there is one each.
		for _, name := range []string{"note what is begun", "forget what was begun", "note what is released"} {
			dies(&life{name: name, after: after})
		}
	}
	for _, step := range []string{"read", "apply", "confirm", "note the commit", "forget the commit", "note what is released", "note what is begun", "forget what was begun"} {
		if !seen[step+"false"] || !seen[step+"true"] {
			t.Errorf("it was never killed at %q; only at %v", step, seen)
		}
	}
}
