package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/plugins/sdk"
)

// crashLoop is how many deaths in a row make a crash loop.
const crashLoop = 5

// supervisor keeps one plugin running. The process belongs to the goroutine in run; others see it through current, under mu.
type supervisor struct {
	name string
	exe  executable
	opt  Options
	log  *slog.Logger
	poke chan struct{} // capacity 1: a call found the plugin gone; look now

	mu      sync.Mutex
	adapter *sdk.Client   // nil unless running
	changed chan struct{} // closed at each change of state
	st      Status
}

func newSupervisor(name string, x executable, opt Options) *supervisor {
	return &supervisor{
		name: name, exe: x, opt: opt, log: opt.Logger.With("plugin", name), poke: make(chan struct{}, 1),
		changed: make(chan struct{}), st: Status{Name: name, State: "starting", SHA256: x.shown(), Since: time.Now()},
	}
}

// run starts the plugin again and again until ctx ends.
func (s *supervisor) run(ctx context.Context) {
	defer s.set(func(st *Status) { st.State, st.PID, st.CrashLoop = "ended", 0, false }, nil)
	for deaths := 0; ctx.Err() == nil; {
		s.set(func(st *Status) { st.State = "starting" }, nil)
		born := time.Now()
		err := s.live(ctx)
		if ctx.Err() != nil {
			return
		}
		if time.Since(born) >= s.opt.Steady {
			deaths = 0
		}
		deaths++
		pause := s.pause(deaths)
		s.set(func(st *Status) {
			st.State, st.PID, st.LastError, st.CrashLoop = "down", 0, err.Error(), deaths >= crashLoop
			st.Restarts++
		}, nil)
		if deaths == crashLoop {
			s.log.Error("the plugin dies again and again; its devices are not served until it stays up", "deaths", deaths, "error", err)
		} else {
			s.log.Warn("the plugin is down; it is started again", "after", pause, "deaths", deaths, "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// pause is how long to wait after that many deaths in a row: doubling, bounded, and up to a fifth shorter by chance so that plugins that died together do not
// come back together.
func (s *supervisor) pause(deaths int) time.Duration {
	d := s.opt.MinPause
	for i := 1; i < deaths && d < s.opt.MaxPause; i++ {
		d *= 2
	}
	d = min(d, s.opt.MaxPause)
	return d - time.Duration(rand.Int64N(int64(d)/5+1))
}

// live is one life of the plugin: from its start until it is gone, hangs, or ctx ends.
func (s *supervisor) live(ctx context.Context) error {
	if s.exe.unlocked {
		s.log.Warn("the file of this plugin is NOT verified: whoever can write it runs what they like, with the credentials of its devices", "file", s.exe.name)
	}
	p, err := start(ctx, s.exe, s.opt, s.log)
	if err != nil {
		return err
	}
	defer p.end()
	pid, _ := strconv.Atoi(p.child.ID())
	s.set(func(st *Status) { st.State, st.PID = "running", pid }, p.adapter)
	defer s.set(func(*Status) {}, nil)
	steady := time.NewTimer(s.opt.Steady)
	defer steady.Stop()
	tick := time.NewTicker(s.opt.PingEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.child.exited:
			return errors.New("its process ended")
		case <-steady.C:
			s.set(func(st *Status) { st.CrashLoop = false }, p.adapter)
			continue
		case <-tick.C:
		case <-s.poke:
		}
		if err := ping(ctx, p, s.opt.PingEvery); err != nil {
			_ = p.child.Kill(ctx) // a process that hangs would not hear a farewell
			return err
		}
	}
}

// ping asks the plugin whether it lives. go-plugin's own question has no deadline.
func ping(ctx context.Context, p *process, within time.Duration) error {
	answered := make(chan error, 1)
	go func() { answered <- p.rpc.Ping() }() // ends at the latest when the process does
	select {
	case err := <-answered:
		return err
	case <-p.child.exited:
		return errors.New("its process ended")
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(max(within, time.Second)):
		return fmt.Errorf("it did not answer within %s", max(within, time.Second))
	}
}

func (s *supervisor) set(change func(*Status), a *sdk.Client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.st.State
	change(&s.st)
	if s.st.State != before {
		s.st.Since = time.Now()
	}
	s.adapter = a
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *supervisor) status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.st
}

// current returns the running plugin. It waits for one that is starting; one that is down is down. Its errors come before anything was asked of a device.
func (s *supervisor) current(ctx context.Context) (*sdk.Client, error) {
	for {
		s.mu.Lock()
		a, st, changed := s.adapter, s.st, s.changed
		s.mu.Unlock()
		switch {
		case a != nil:
			return a, nil
		case st.State == "down":
			return nil, &device.Transient{Err: fmt.Errorf("plugin %s is down and will be started again: %s", s.name, st.LastError), Unchanged: true}
		case st.State == "ended":
			return nil, &device.Transient{Err: fmt.Errorf("plugin %s was ended", s.name), Unchanged: true}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, &device.Transient{Err: fmt.Errorf("plugin %s has not started yet: %w", s.name, ctx.Err()), Unchanged: true}
		}
	}
}

// look makes the supervisor look at its plugin now.
func (s *supervisor) look() {
	select {
	case s.poke <- struct{}{}:
	default:
	}
}
