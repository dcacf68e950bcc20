package reconcile

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/profiles"
)

// outspoken is a router that says when its filters change.
type outspoken struct {
	*router
	shy     error         // it does not say anything, for this reason
	ends    time.Duration // after which it stops saying anything; 0: never
	watched atomic.Int64  // how often somebody asked
	reads   atomic.Int64
	say     chan struct{}
	changed atomic.Pointer[func()] // of who watches
}

func newOutspoken() *outspoken {
	o := &outspoken{router: &router{now: time.Now}, say: make(chan struct{}, 1000)}
	o.slowRead = func() { o.reads.Add(1) }
	return o
}

func (o *outspoken) Watch(ctx context.Context, _ device.Target, changed func()) error {
	o.watched.Add(1)
	if o.shy != nil {
		return o.shy
	}
	o.changed.Store(&changed)
	changed()
	var end <-chan time.Time
	if o.ends > 0 {
		end = time.After(o.ends)
	}
	for {
		select {
		case <-o.say:
			changed()
		case <-end:
			return &device.Transient{Err: errors.New("stream reset")}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Apply says as the device does it that something changed, before it answers: what is said later is read once more.
func (o *outspoken) Apply(ctx context.Context, t device.Target, c device.Change, undo time.Duration) (device.Commit, error) {
	defer func() {
		if changed := o.changed.Load(); changed != nil {
			(*changed)()
		}
	}()
	return o.router.Apply(ctx, t, c, undo)
}

// meddle is another hand, of which the device tells.
func (o *outspoken) meddle() {
	o.change(func(r *router) { r.running = []filter.Filter{emptied(r.running[0]), r.running[1]} })
	o.say <- struct{}{}
}

func emptied(f filter.Filter) filter.Filter {
	f.Entries = nil
	return f
}

// watchFleet is a gateway with one such router.
func watchFleet(t *testing.T, o *outspoken) *fleet {
	f := newFleet(t)
	prof, err := profiles.Embedded().Get("junos-mx")
	if err != nil {
		t.Fatal(err)
	}
	f.cfg.Groups = nil
	f.cfg.Devices = []Device{{Name: "mx1", Profile: prof, Options: plan.Options{NoNative: true}, Filter: o, Dialect: plainDialect{}, Confirm: 30 * time.Second, Audit: 5 * time.Minute}}
	f.set(discard(t, 1, 53))
	f.start()
	return f
}

// What another hand changes is put right within a second where the device says so, and by the audit where it does not. Our own changes are not read once more for it, and a day without changes has its audits and nothing else.
func TestDriftIsHeard(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		o := newOutspoken()
		f := watchFleet(t, o)
		f.settle(time.Minute)
		if s := f.device("mx1"); s.State != InSync || s.Watched == nil || !s.Watched.On {
			t.Errorf("state %s, watched %+v", s.State, s.Watched)
		}
		before := o.reads.Load()
		f.set(discard(t, 1, 53), discard(t, 2, 53))
		f.settle(time.Minute)
		if got := o.reads.Load() - before; got != 1 || len(o.entries()) != 2 {
			t.Errorf("a change of ours took %d readings, want 1, the verification; the router holds %q", got, o.entries())
		}
		o.meddle()
		f.settle(time.Second - longestAhead)
		if got := o.entries(); len(got) != 2 {
			t.Errorf("a second after another hand the router holds %q", got)
		}
		before = o.reads.Load()
		f.settle(24 * time.Hour)
		if got := o.reads.Load() - before; got < 287 || got > 289 {
			t.Errorf("%d readings in a day in which nothing happened, want an audit every five minutes", got)
		}
		if o.watched.Load() != 1 {
			t.Errorf("it was asked %d times to say what changes, want once", o.watched.Load())
		}
		f.stop()
	})
}

// A device that says all the time that something changed is not read all the time.
func TestMuchIsSaid(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		o := newOutspoken()
		f := watchFleet(t, o)
		f.settle(time.Minute)
		before := o.reads.Load()
		for range 1000 {
			o.say <- struct{}{}
			time.Sleep(100 * time.Millisecond)
		}
		if got := o.reads.Load() - before; got < 15 || got > 22 {
			t.Errorf("%d readings in 100 seconds of noise, want one in five seconds", got)
		}
		f.stop()
	})
}

// Whether a device says what changes is no matter of life: one that refuses, cannot or stops to is served and audited as any other, and says why.
func TestNothingIsSaid(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		shy   error
		ends  time.Duration
		words string // "": nothing is known of it
		least int64  // of attempts in a day
		most  int64
	}{
		"no way":  {errors.ErrUnsupported, 0, "", 24, 25},
		"refused": {&device.Refused{Words: "no ON_CHANGE here"}, 0, "no ON_CHANGE here", 24, 25},
		"gone":    {&device.Transient{Err: errors.New("no route to host")}, 0, "no route to host", 288, 700},
		"flaps":   {nil, 5 * time.Second, "stream reset", 280, 700},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				o := newOutspoken()
				o.shy, o.ends = c.shy, c.ends
				f := watchFleet(t, o)
				f.settle(24*time.Hour - time.Minute)
				s := f.device("mx1")
				switch {
				case s.State != InSync || s.Error != "":
					t.Errorf("the device is %s: %s", s.State, s.Error)
				case c.words == "" && s.Watched != nil:
					t.Errorf("watched: %+v", s.Watched)
				case c.words != "" && (s.Watched == nil || !s.Watched.On && !strings.Contains(s.Watched.Words, c.words)):
					t.Errorf("watched: %+v, want %q", s.Watched, c.words)
				}
				if n := o.watched.Load(); n < c.least || n > c.most {
					t.Errorf("it was asked %d times in a day, want %d to %d", n, c.least, c.most)
				}
				if n := o.reads.Load(); n < 287 || n > 288+o.watched.Load()+3 {
					t.Errorf("it was read %d times in a day", n)
				}
				before := o.reads.Load()
				o.change(func(r *router) { r.running = []filter.Filter{emptied(r.running[0]), r.running[1]} })
				f.settle(10 * time.Minute)
				if len(o.entries()) != 1 || o.reads.Load() == before {
					t.Errorf("the router holds %q after an audit", o.entries())
				}
				f.stop()
			})
		})
	}
}

// A device that is frozen by order is not read whatever it says, and is when the freeze ends.
func TestSaidWhileFrozen(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		o := newOutspoken()
		f := watchFleet(t, o)
		f.settle(time.Minute)
		if _, err := f.rec.Freeze(context.Background(), "mx1", device.Freeze{Since: time.Now()}); err != nil {
			t.Fatal(err)
		}
		before := o.reads.Load()
		o.meddle()
		f.settle(time.Hour)
		if o.reads.Load() != before || len(o.entries()) != 0 {
			t.Errorf("a frozen device was read %d times, and holds %q", o.reads.Load()-before, o.entries())
		}
		if err := f.rec.Thaw("mx1"); err != nil {
			t.Fatal(err)
		}
		f.settle(time.Second)
		if got := o.entries(); len(got) != 1 {
			t.Errorf("the router holds %q", got)
		}
		f.stop()
	})
}
