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
)

// crashLoop is how many deaths in a row make a crash loop.
const crashLoop = 5

// errGone says that the process ended by itself.
var errGone = errors.New("its process ended")

// The states of a plugin.
const (
	Starting = "starting"
	Running  = "running"
	Down     = "down"    // it is started again after a pause
	Stopped  = "stopped" // it died again and again: it is left alone until somebody starts it, or Options.Rest has passed
	Ended    = "ended"   // with the host
)

// supervisor keeps one plugin running. The process belongs to the goroutine in run; others see it through acquire, under mu.
type supervisor struct {
	name     string
	opt      Options
	log      *slog.Logger
	secrets  *secrets
	poke     chan struct{} // capacity 1: a call found the plugin gone; look now
	startNow chan struct{} // capacity 1: somebody wants a plugin that rests to be started
	upgrades chan upgrade

	exe executable // of the goroutine in run

	mu      sync.Mutex
	process *process      // nil unless running
	changed chan struct{} // closed at each change of state
	st      Status
}

// upgrade asks for a process of another file in the place of the one that runs.
type upgrade struct {
	exe  executable
	done chan<- error // capacity 1
}

func newSupervisor(name string, x executable, opt Options) *supervisor {
	hidden := &secrets{}
	return &supervisor{
		name: name, exe: x, opt: opt, secrets: hidden, log: opt.Logger.With("plugin", name),
		poke: make(chan struct{}, 1), startNow: make(chan struct{}, 1), upgrades: make(chan upgrade),
		changed: make(chan struct{}), st: Status{Name: name, State: Starting, SHA256: x.shown(), Since: time.Now()},
	}
}

// run starts the plugin again and again until ctx ends.
func (s *supervisor) run(ctx context.Context) {
	defer s.set(nil, func(st *Status) { st.State, st.PID, st.CrashLoop = Ended, 0, false })
	for deaths := 0; ctx.Err() == nil; {
		s.set(nil, func(st *Status) { st.State, st.Next = Starting, time.Time{} })
		born := time.Now()
		err := s.live(ctx)
		if ctx.Err() != nil {
			return
		}
		if time.Since(born) >= s.opt.Steady {
			deaths = 0
		}
		deaths++
		if s.rest(ctx, deaths, err) {
			deaths = 0
		}
	}
}

// rest waits until a plugin that died is started again, and says whether somebody wanted it so.
func (s *supervisor) rest(ctx context.Context, deaths int, why error) (wanted bool) {
	pause, state := s.pause(deaths), Down
	if deaths >= crashLoop {
		pause, state = s.opt.Rest, Stopped
	}
	s.set(nil, func(st *Status) {
		st.State, st.PID, st.LastError, st.CrashLoop = state, 0, s.secrets.hide(why.Error()), state == Stopped
		st.Restarts++
		st.Next = time.Now().Add(pause)
	})
	if state == Stopped {
		s.log.Error("the plugin dies again and again and is stopped; its devices are not served until it is started: `sluice adapter start "+s.name+"`", "deaths", deaths, "otherwise-after", pause, "error", s.secrets.hide(why.Error()))
	} else {
		s.log.Warn("the plugin is down; it is started again", "after", pause, "deaths", deaths, "error", s.secrets.hide(why.Error()))
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-timer.C:
			return false
		case <-s.startNow:
			return true
		case u := <-s.upgrades: // nothing runs that could be lost
			s.exe = u.exe
			s.set(nil, func(st *Status) { st.SHA256 = u.exe.shown() })
			u.done <- nil
			return true
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

// live is one life of the plugin, upgrades included: from its start until it is gone, hangs, is too large, or ctx ends.
func (s *supervisor) live(ctx context.Context) (err error) {
	p, err := s.start(ctx, s.exe)
	if err != nil {
		return err
	}
	var leaving sync.WaitGroup
	defer leaving.Wait()
	defer func() {
		s.set(nil, func(*Status) {})
		p.end()
		if errors.Is(err, errGone) || p.child.left() { // by now all that it said has been read, and how it ended says more than a broken connection
			err = p.death()
		}
	}()
	s.present(p)
	steady := time.NewTimer(s.opt.Steady)
	defer steady.Stop()
	tick := time.NewTicker(s.opt.PingEvery)
	defer tick.Stop()
	weigh := time.NewTicker(min(s.opt.PingEvery, time.Second))
	defer weigh.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.child.exited:
			return errGone
		case <-steady.C:
			s.set(p, func(st *Status) { st.CrashLoop = false })
			continue
		case u := <-s.upgrades:
			if u.exe.same(s.exe) {
				u.done <- nil
				continue
			}
			next, err := s.start(ctx, u.exe)
			if err == nil {
				s.log.Info("the plugin was upgraded: the new process answers, and the old one ends when its calls have", "sha256", u.exe.shown())
				old := p
				p, s.exe = next, u.exe
				s.present(p)
				leaving.Go(func() { old.leave(ctx, s.opt.Leave) })
			}
			u.done <- err
			continue
		case <-weigh.C:
			if err := p.tooLarge(); err != nil {
				_ = p.child.Kill(ctx)
				return err
			}
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

func (s *supervisor) start(ctx context.Context, x executable) (*process, error) {
	if x.unlocked {
		s.log.Warn("the file of this plugin is NOT verified: whoever can write it runs what they like, with the credentials of its devices", "file", x.name)
	}
	return start(ctx, x, s.opt, s.log, s.secrets)
}

// present makes p the one that calls go to.
func (s *supervisor) present(p *process) {
	pid, _ := strconv.Atoi(p.child.ID())
	s.set(p, func(st *Status) {
		st.State, st.PID, st.SHA256, st.Version = Running, pid, p.exe.shown(), p.client.NegotiatedVersion()
	})
	s.log.Info("the plugin answers", "pid", pid, "protocol", p.client.NegotiatedVersion())
}

// ping asks the plugin whether it lives. go-plugin's own question has no deadline.
func ping(ctx context.Context, p *process, within time.Duration) error {
	answered := make(chan error, 1)
	go func() { answered <- p.rpc.Ping() }() // ends at the latest when the process does
	select {
	case err := <-answered:
		return err
	case <-p.child.exited:
		return errGone
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(max(within, time.Second)):
		return fmt.Errorf("it did not answer within %s", max(within, time.Second))
	}
}

func (s *supervisor) set(p *process, change func(*Status)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.st.State
	change(&s.st)
	if s.st.State != before {
		s.st.Since = time.Now()
	}
	s.process = p
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *supervisor) status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.st
}

// acquire returns the running plugin for one call; whoever has it calls calls.Done. It waits for one that is starting; one that is down is down. Its errors
// come before anything was asked of a device.
func (s *supervisor) acquire(ctx context.Context) (*process, error) {
	for {
		s.mu.Lock()
		p, st, changed := s.process, s.st, s.changed
		if p != nil {
			p.calls.Add(1)
		}
		s.mu.Unlock()
		switch {
		case p != nil:
			return p, nil
		case st.State == Down:
			return nil, unchanged(fmt.Errorf("plugin %s is down and will be started again: %s", s.name, st.LastError))
		case st.State == Stopped:
			return nil, unchanged(fmt.Errorf("plugin %s died %d times in a row and is stopped (`sluice adapter start %s` starts it): %s", s.name, crashLoop, s.name, st.LastError))
		case st.State == Ended:
			return nil, unchanged(fmt.Errorf("plugin %s was ended", s.name))
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, unchanged(fmt.Errorf("plugin %s has not started yet: %w", s.name, ctx.Err()))
		}
	}
}

func unchanged(err error) error { return &device.Transient{Err: err, Unchanged: true} }

// look makes the supervisor look at its plugin now.
func (s *supervisor) look() {
	select {
	case s.poke <- struct{}{}:
	default:
	}
}

// begin makes the supervisor start a plugin that rests.
func (s *supervisor) begin() error {
	if st := s.status(); st.State != Down && st.State != Stopped {
		return errors.New("plugin " + s.name + " is " + st.State)
	}
	select {
	case s.startNow <- struct{}{}:
	default:
	}
	return nil
}
