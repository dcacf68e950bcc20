package reconcile

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
)

// silence is a gateway over one router that counts, whose readings the test makes happen one by one.
type silence struct {
	*bench
	*counted
	one  flowspec.Rule
	name string
}

func newSilence(t *testing.T) *silence {
	t.Helper()
	b := newBench(t)
	b.rules.goLive(t)
	s := &silence{b, &counted{router: b.router}, discard(t, 1, 53), ""}
	s.name = "r-" + string(s.one.ID)
	b.dev.Filter, b.dev.Counters = s.counted, time.Millisecond
	other := discard(t, 2, 53)
	s.counted.set(s.raw(0, 1), nil)
	b.set(s.one, other)
	b.start()
	b.wait(InSync)
	s.read()
	return s
}

// raw is what the router counts for the rule, and for another.
func (s *silence) raw(packets, others uint64) map[string]device.Counter {
	return map[string]device.Counter{s.name: {Packets: packets}, "r-" + string(discard(s.t, 2, 53).ID): {Packets: others}}
}

func (s *silence) totals() Totals {
	if all := s.rec.Totals(); len(all) > 0 {
		return all[0]
	}
	return Totals{}
}

// read waits until the counters were read as they are now, at the time that it is now.
func (s *silence) read() {
	s.t.Helper()
	now := s.now()
	s.until("a reading", func() bool { return s.totals().Read.After(now) })
	now = s.now()
	s.until("one more", func() bool { return s.totals().Read.After(now) })
}

// pass lets time pass, in which the counters are read every half minute.
func (s *silence) pass(d time.Duration) {
	s.t.Helper()
	for ; d > 0; d -= 30 * time.Second {
		s.clock.Add(int64(min(d, 30*time.Second)))
		s.read()
	}
}

func (s *silence) is(state ActivityState, why string) {
	s.t.Helper()
	if a := s.rec.Activity(s.one, time.Hour); a.State != state || !strings.Contains(a.Why, why) {
		s.t.Errorf("%+v, want %s %q", a, state, why)
	}
	_, all := s.rec.Activities(func(flowspec.Source) time.Duration { return time.Hour })
	if len(all) != 2 || all[0].State != state {
		s.t.Errorf("of all: %+v, want %s first", all, state)
	}
}

func TestIdleIsAnHourOfReadings(t *testing.T) {
	t.Parallel()
	s := newSilence(t)
	s.is(Quiet, "")
	s.pass(59 * time.Minute)
	s.is(Quiet, "")
	s.pass(time.Minute)
	s.is(Idle, "")
	s.counted.set(s.raw(1, 1), nil)
	s.read()
	s.is(Active, "")
	s.pass(59 * time.Minute)
	s.is(Active, "")
	s.pass(time.Minute)
	s.is(Idle, "")
}

func TestIdleIsNotGuessed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(*silence)
		state ActivityState
		why   string
	}{
		"cleared":                      {func(s *silence) { s.counted.set(s.raw(0, 0), nil); s.read() }, Quiet, ""},
		"a reading that failed, short": {func(s *silence) { s.lose(10 * time.Second) }, Idle, ""},
		"stale":                        {func(s *silence) { s.lose(2 * time.Minute) }, NotKnown, "lost"},
		"read again after a gap": {func(s *silence) {
			s.lose(2 * time.Minute)
			s.counted.set(s.raw(0, 1), nil)
			s.read()
		}, Quiet, ""},
		"without its counter": {func(s *silence) {
			s.counted.set(map[string]device.Counter{"r-" + string(discard(s.t, 2, 53).ID): {Packets: 1}}, nil)
			s.read()
		}, NotKnown, "not shown a counter"},
		"with its counter back": {func(s *silence) {
			s.counted.set(map[string]device.Counter{}, nil)
			s.read()
			s.counted.set(s.raw(0, 1), nil)
			s.read()
		}, Quiet, ""},
		"said again with another end": {func(s *silence) {
			s.one.Expires = s.now().Add(24 * time.Hour)
			s.bench.set(s.one, discard(s.t, 2, 53))
			s.wait(InSync)
			s.read()
		}, Quiet, ""},
		"gone and back, unseen": {func(s *silence) { // between two readings, and its counter stands at zero before and after
			other := discard(s.t, 2, 53)
			s.bench.set(other)
			s.bench.set(s.one, other)
			s.wait(InSync)
			s.read()
		}, Quiet, ""},
		"the clock set back": {func(s *silence) {
			s.counted.set(nil, errors.New("lost"))
			s.read2()
			s.clock.Add(-int64(2 * time.Hour))
		}, NotKnown, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSilence(t)
			s.pass(time.Hour)
			s.is(Idle, "")
			c.spoil(s)
			s.is(c.state, c.why)
		})
	}
}

// lose has readings fail, and time pass.
func (s *silence) lose(d time.Duration) {
	s.t.Helper()
	s.counted.set(nil, errors.New("lost"))
	s.read2()
	s.clock.Add(int64(d))
}

// read2 waits until a reading has failed.
func (s *silence) read2() {
	s.t.Helper()
	s.until("a failed reading", func() bool { return s.totals().Error != "" })
}

func TestOneSilentDeviceIsNotKnown(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.dev.Counters = 0
	one := discard(t, 1, 53)
	b.set(one)
	b.start()
	b.wait(InSync)
	if a := b.rec.Activity(one, time.Hour); a.State != NotKnown || !strings.Contains(a.Why, "not read") {
		t.Errorf("%+v", a)
	}
}

// A device that has counted nothing for any rule may not count at all.
func TestDeviceThatNeverCounted(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.rules.goLive(t)
	one := discard(t, 1, 53)
	c := &counted{router: b.router}
	c.set(map[string]device.Counter{"r-" + string(one.ID): {}}, nil)
	b.dev.Filter, b.dev.Counters = c, time.Millisecond
	b.set(one)
	b.start()
	b.until("a reading", func() bool { return len(b.rec.Totals()) > 0 })
	b.wait(InSync)
	b.until("its silence", func() bool {
		return strings.Contains(b.rec.Activity(one, time.Nanosecond).Why, "has not counted a packet")
	})
}

// A restart keeps the hour, if it is short and the counters stand as they stood; else the hour begins anew. What was counted stays counted.
func TestIdleAcrossRestarts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		away  time.Duration
		raw   [2]uint64
		state ActivityState
		total uint64
	}{
		"short":            {10 * time.Second, [2]uint64{3, 1}, Idle, 3},
		"long":             {10 * time.Minute, [2]uint64{3, 1}, Quiet, 3},
		"cleared":          {10 * time.Second, [2]uint64{0, 0}, Quiet, 3},
		"hit in the while": {10 * time.Second, [2]uint64{5, 1}, Active, 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSilence(t)
			s.counted.set(s.raw(3, 1), nil)
			s.read()
			s.pass(time.Hour)
			s.is(Idle, "")
			s.stop()
			s.clock.Add(int64(c.away))
			s.counted.set(s.raw(c.raw[0], c.raw[1]), nil)
			s.start()
			s.wait(InSync)
			s.read()
			s.is(c.state, "")
			if n := s.rec.Counts()[s.one.ID]; n.Packets != c.total {
				t.Errorf("counted %+v, want %d", n, c.total)
			}
		})
	}
}
