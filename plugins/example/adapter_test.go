package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/adapters/adaptertest"
	"github.com/sluice-gateway/sluice/adapters/host"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/plugins/sdk/sdktest"
)

// TestMain makes the test binary the plugin as well: started by a host, it serves the adapter.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == host.RunCommand {
		main()
		return
	}
	os.Exit(m.Run())
}

// clock is a clock that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func target(dir string) device.Target {
	return device.Target{Name: "r1", Options: map[string]string{"directory": dir}, Password: "hunter2hunter2"}
}

// rewrite is another hand on the file.
func rewrite(dir string) func(context.Context, adaptertest.Edit, string) error {
	return func(_ context.Context, e adaptertest.Edit, name string) error {
		path := filepath.Join(dir, "r1", "filters.json")
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		filters, err := parse(b)
		if err != nil {
			return err
		}
		var out []filter.Filter
		for _, f := range filters {
			if f.Name == name && e == adaptertest.DropFilter {
				continue
			}
			if f.Name == name {
				f.Entries = f.Entries[1:]
			}
			out = append(out, f)
		}
		if b, err = json.Marshal(out); err != nil {
			return err
		}
		return os.WriteFile(path, b, 0o644)
	}
}

// TestFilterThatTheChangeDoesNotKnow: a change says which filters it touches, and takes no other away.
func TestFilterThatTheChangeDoesNotKnow(t *testing.T) {
	t.Parallel()
	a, at := New(), target(t.TempDir())
	one, two := filter.Filter{Name: "sluice-a", Version: 4}, filter.Filter{Name: "sluice-b", Version: 4}
	put := func(have, want device.State) error {
		com, err := a.Apply(t.Context(), at, device.Diff(have, want), time.Minute)
		if err != nil {
			return err
		}
		return a.Confirm(t.Context(), at, com)
	}
	if err := put(device.State{}, device.State{Filters: []filter.Filter{one}}); err != nil {
		t.Fatal(err)
	}
	err := put(device.State{}, device.State{Filters: []filter.Filter{two}})
	var drifted *device.Drifted
	if !errors.As(err, &drifted) || drifted.Gone {
		t.Errorf("got %v, want *device.Drifted", err)
	}
	st, err := a.Read(t.Context(), at)
	if err != nil || len(st.Filters) != 1 || st.Filters[0].Name != one.Name {
		t.Errorf("the device holds %v, %v; want what it held", st.Filters, err)
	}
}

// forgetful is an adapter that loses the answer to one Apply.
type forgetful struct {
	*Adapter
	lose bool
}

func (f *forgetful) Apply(ctx context.Context, t device.Target, c device.Change, undo time.Duration) (device.Commit, error) {
	com, err := f.Adapter.Apply(ctx, t, c, undo)
	if f.lose && err == nil {
		f.lose = false
		return device.Commit{}, &device.Transient{Err: context.DeadlineExceeded}
	}
	return com, err
}

// refused is an entry that the file refuses.
func refused() filter.Entry {
	e := adaptertest.Entry(filter.Semantics{}, 7)
	e.Name = "r-refused"
	e.Do = filter.Do{Redirect: &flowspec.Redirect{Form: flowspec.RedirectAS2, Global: 65000, Local: 7}}
	return e
}

func faults(dir string) adaptertest.Faults {
	return adaptertest.Faults{
		Edit: rewrite(dir), Refused: refused(), Words: "cannot redirect",
		Slow: hold(dir), Stages: []device.Stage{device.Locking, device.Validating, device.Committing},
	}
}

// hold makes the device slow: somebody else has its lock until it is released.
func hold(dir string) func(context.Context) (func(), error) {
	return func(ctx context.Context) (func(), error) {
		s, err := openStore(ctx, filepath.Join(dir, target(dir).Name))
		if err != nil {
			return nil, err
		}
		return s.close, nil
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	for name, wrap := range map[string]func(testing.TB, device.Adapter) device.Adapter{
		"direct":        func(_ testing.TB, a device.Adapter) device.Adapter { return a },
		"over boundary": sdktest.Loopback,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			c := &clock{now: time.Now()}
			current := &forgetful{Adapter: &Adapter{Now: c.Now}}
			f := faults(dir)
			f.LoseAnswer = func(context.Context) error { current.lose = true; return nil }
			f.Expire = func(context.Context) error { c.add(time.Minute); return nil }
			outer := t
			f.Restart = func(context.Context) (device.Adapter, error) {
				current = &forgetful{Adapter: &Adapter{Now: c.Now}}
				return wrap(outer, current), nil
			}
			adaptertest.Run(t, wrap(t, current), target(dir), f)
		})
	}
}

// TestConformanceAsProcess tells the story to a real plugin process, which dies in the middle of it.
func TestConformanceAsProcess(t *testing.T) {
	t.Parallel()
	h, err := host.New(host.Options{MinPause: time.Millisecond}, host.Plugin{Name: "example"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	a, err := h.Adapter("example")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	f := faults(dir)
	f.Undo = 3 * time.Second
	dying := &dying{Adapter: a, lock: filepath.Join(dir, "r1", "lock")}
	f.LoseAnswer = func(context.Context) error { dying.kill = func() { kill(t, h) }; return nil }
	f.Restart = func(context.Context) (device.Adapter, error) {
		kill(t, h)
		return dying, nil
	}
	f.Expire = func(ctx context.Context) error { // the process has a clock of its own, so the window has to pass
		select {
		case <-time.After(f.Undo):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	adaptertest.Run(t, dying, target(dir), f)
}

// dying is a plugin whose process is killed while it works on one Apply: the device is kept busy until the call has failed.
type dying struct {
	device.Adapter
	lock string
	kill func()
}

func (d *dying) Apply(ctx context.Context, t device.Target, c device.Change, undo time.Duration) (device.Commit, error) {
	if d.kill == nil {
		return d.Adapter.Apply(ctx, t, c, undo)
	}
	lock, err := os.OpenFile(d.lock, os.O_RDWR, 0)
	if err != nil {
		return device.Commit{}, err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return device.Commit{}, err
	}
	killed := make(chan struct{})
	go func() { d.kill(); close(killed) }()
	// A call that comes late finds the next process, and a locked device.
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	com, err := d.Adapter.Apply(ctx, t, c, undo)
	<-killed
	d.kill = nil
	return com, err
}

// kill ends the plugin's process and waits for the next one.
func kill(t *testing.T, h *host.Host) {
	before := h.Status()[0]
	if before.PID == 0 {
		t.Error("the plugin is not running")
		return
	}
	if err := syscall.Kill(before.PID, syscall.SIGKILL); err != nil {
		t.Error(err)
	}
	for deadline := time.Now().Add(20 * time.Second); ; {
		if st := h.Status()[0]; st.PID != 0 && st.PID != before.PID {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("the plugin was not started again: %+v", h.Status()[0])
			return
		}
		select {
		case <-t.Context().Done():
			return
		case <-time.After(5 * time.Millisecond):
		}
	}
}
