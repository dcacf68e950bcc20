package adaptertest

import (
	"sync"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
)

// onTime is what the clocks of a device and of the suite, and the way between them, may differ by.
const onTime = 2 * time.Second

// plenty is how many reports a second tell a person as much as more do.
const plenty = 50

// listener hears what one call reports.
type listener struct {
	began time.Time

	mu    sync.Mutex
	heard []device.Progress
	first chan struct{} // closed at the first report
	over  bool          // the call has returned
	late  int           // reports after that
	took  time.Duration
}

func newListener() *listener {
	return &listener{began: time.Now(), first: make(chan struct{})}
}

func (l *listener) hear(p device.Progress) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		l.late++
		return
	}
	if len(l.heard) == 0 {
		close(l.first)
	}
	l.heard = append(l.heard, p)
}

// returned notes that the call has returned.
func (l *listener) returned() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over, l.took = true, time.Since(l.began)
}

// judge says what is wrong with what was heard.
func (l *listener) judge(t T) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.late > 0 {
		t.Errorf("%d reports came after the call had returned", l.late)
	}
	for i, p := range l.heard {
		if !p.Valid() {
			t.Errorf("a report makes no sense: stage %q, %d of %d", p.Stage, p.Done, p.All)
		}
		if i > 0 && p.Stage == l.heard[i-1].Stage && p.Done < l.heard[i-1].Done {
			t.Errorf("the count goes back while it is %s: from %d to %d", p.Stage, l.heard[i-1].Done, p.Done)
		}
	}
	if most := plenty + int(plenty*l.took.Seconds()); len(l.heard) > most {
		t.Logf("it reported %d times in %v: ten times a second are plenty", len(l.heard), l.took.Round(time.Millisecond))
	}
}

// stages are those that were heard, each change of them once.
func (l *listener) stages() []device.Stage {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []device.Stage
	for _, p := range l.heard {
		if len(out) == 0 || out[len(out)-1] != p.Stage {
			out = append(out, p.Stage)
		}
	}
	return out
}

func (s *story) progress(t T) {
	heard := s.settleAloud(t, state(s.v4(12)))
	heard.judge(t)
	said := heard.stages()
	if len(said) == 0 && s.faults.Stages == nil {
		t.Logf("Apply says nothing of where it is (device.Report, or messages with progress before its answer): people see only that it goes on")
	}
	if missing := missing(s.faults.Stages, said); missing != "" {
		t.Errorf("Apply goes through %v, and says %v: %s is missing, or not in its place", s.faults.Stages, said, missing)
	}
}

// settleAloud brings the device to want for good, as settle does, and returns what was said of the change on the way.
func (s *story) settleAloud(t T, want device.State) *listener {
	t.Helper()
	var com device.Commit
	var heard *listener
	c := device.Diff(s.read(t), want)
	err := s.persist(t, func() (err error) {
		com, heard, err = s.applyAloud(t, c)
		return err
	})
	if err != nil {
		t.Fatalf("apply: %v", err)
	}
	if err := s.adapter.Confirm(s.context(t), s.target, com); err != nil {
		t.Fatalf("confirm: %v", err)
	}
	s.holds(t, want)
	return heard
}

// applyAloud makes a change on a device that holds back its answer, where somebody can have it do that, and listens.
func (s *story) applyAloud(t T, c device.Change) (com device.Commit, heard *listener, err error) {
	t.Helper()
	release := func() {}
	if s.faults.Slow != nil {
		if release, err = s.faults.Slow(t.Context()); err != nil {
			t.Fatalf("make the device slow: %v", err)
		}
	}
	heard = newListener()
	ctx, ended := device.WithReporter(s.context(t), heard.hear), make(chan struct{})
	go func() {
		defer close(ended)
		com, err = s.adapter.Apply(ctx, s.target, c, s.faults.Undo)
		heard.returned()
	}()
	if s.faults.Slow != nil {
		select { // it does not answer before it is released, so whatever is heard was told on the way
		case <-heard.first:
		case <-ended:
		case <-time.After(5 * time.Second):
			t.Logf("the device takes its time to answer a change, and Apply says nothing of where it is meanwhile")
		}
	}
	release()
	<-ended
	return com, heard, err
}

// missing returns the first of want that does not come in got behind the one before it; "": none.
func missing(want, got []device.Stage) device.Stage {
	for _, w := range want {
		at := 0
		for at < len(got) && got[at] != w {
			at++
		}
		if at == len(got) {
			return w
		}
		got = got[at+1:]
	}
	return ""
}

// undoneInTime waits until the device, whose confirm window is over, has undone the last change, and compares how late that was with what the adapter says of its devices.
func (s *story) undoneInTime(t T, before device.State) {
	t.Helper()
	over := time.Now()
	s.becomes(t, before)
	late := time.Since(over).Round(time.Millisecond)
	i, err := s.adapter.Info(s.context(t))
	switch {
	case err != nil:
		t.Fatalf("info: %v", err)
	case i.Late != nil && late > *i.Late+onTime:
		t.Errorf("the change was undone %v after the confirm window was over, and Info says that its devices are %v late at most (Late)", late, *i.Late)
	case i.Late == nil && late > onTime:
		t.Logf("the change was undone %v after the confirm window was over: say so in Info (Late)", late)
	}
}
