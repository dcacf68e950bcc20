package adaptertest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/adapters/adaptertest"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
)

// router is a device in memory, with an undo timer on a clock that the test moves.
type router struct {
	mu      sync.Mutex
	filters []filter.Filter
	before  []filter.Filter
	token   string
	commits int
	lose    bool
}

// adapter reads and writes a router, and has the faults that its name says.
type adapter struct {
	*router
	fault string
	token string // of the last change; only an adapter with a fault remembers it
	seen  []filter.Filter
	ctx   context.Context // of the last change, in an adapter with a fault
}

func (a *adapter) Info(context.Context) (device.Info, error) {
	if a.fault == "no version" {
		return device.Info{Name: "memory"}, nil
	}
	i := device.Info{Name: "memory", Version: "1"}
	if a.fault != "silent" {
		i.Late = new(time.Duration)
	}
	return i, nil
}

// report says where Apply is, or what its fault makes of it.
func (a *adapter) report(ctx context.Context) {
	switch a.fault {
	case "silent":
	case "goes back":
		device.ReportCount(ctx, device.Loading, 2, 2)
		device.ReportCount(ctx, device.Loading, 1, 2)
	case "makes no sense":
		device.Report(ctx, "thinking")
	case "reports afterwards":
		a.ctx = ctx
	case "reports all the time":
		for i := range 1000 {
			device.ReportCount(ctx, device.Loading, i, 1000)
		}
	default:
		device.Report(ctx, device.Locking)
		device.ReportCount(ctx, device.Loading, 1, 2)
		device.ReportCount(ctx, device.Loading, 2, 2)
		device.Report(ctx, device.Committing)
	}
}

func (a *adapter) Read(_ context.Context, _ device.Target, names ...string) (device.State, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	holds := a.filters
	if a.fault == "reads its memory" && a.seen != nil {
		holds = a.seen
	}
	var out device.State
	for _, f := range holds {
		if len(names) == 0 || slices.Contains(names, f.Name) || a.fault == "reads all" {
			out.Filters = append(out.Filters, f)
		}
	}
	return out, nil
}

func (a *adapter) Render(_ context.Context, _ device.Target, c device.Change) ([]byte, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.fault == "renders by doing" {
		a.filters = c.Desired.Filters
	}
	return fmt.Appendf(nil, "%v", c.Desired.Filters), nil
}

func (a *adapter) Apply(ctx context.Context, _ device.Target, c device.Change, _ time.Duration) (device.Commit, error) {
	if ctx.Err() != nil {
		return device.Commit{}, &device.Transient{Err: ctx.Err(), Unchanged: a.fault != "unsure"}
	}
	a.report(ctx)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.router.token != "" {
		return device.Commit{}, &device.Transient{Err: errors.New("locked"), Unchanged: true}
	}
	if err := a.drifted(c); err != nil {
		return device.Commit{}, err
	}
	for _, f := range c.Desired.Filters {
		for _, e := range f.Entries {
			if e.Name == "r-refused" {
				if a.fault == "leaves a refused line" {
					a.filters = c.Desired.Filters
				}
				return device.Commit{}, &device.Refused{Words: map[bool]string{false: "too clever", true: "no"}[a.fault == "own words"]}
			}
		}
	}
	a.commits++
	a.before, a.filters, a.router.token = a.filters, c.Desired.Filters, fmt.Sprint(a.commits)
	a.token, a.seen = a.router.token, c.Desired.Filters
	if a.lose {
		a.lose = false
		return device.Commit{}, &device.Transient{Err: errors.New("session lost"), Unchanged: a.fault == "hopes"}
	}
	return device.Commit{Token: a.token, Deadline: time.Now().Add(time.Hour)}, nil
}

func (a *adapter) drifted(c device.Change) error {
	if a.fault == "overwrites" {
		return nil
	}
	touched := map[string]bool{}
	for _, s := range c.Steps {
		touched[s.Filter.Name] = true
		there := slices.ContainsFunc(a.filters, func(f filter.Filter) bool { return f.Name == s.Filter.Name })
		if s.Op != device.Add && !there {
			return &device.Drifted{What: s.Filter.Name, Gone: a.fault != "does not say gone"}
		}
	}
	for _, f := range c.Desired.Filters {
		i := slices.IndexFunc(a.filters, func(g filter.Filter) bool { return f.Name == g.Name })
		if !touched[f.Name] && (i < 0 || !device.SameFilter(a.filters[i], f)) {
			return &device.Drifted{What: f.Name}
		}
	}
	return nil
}

func (a *adapter) Confirm(_ context.Context, t device.Target, c device.Commit) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ctx != nil {
		device.Report(a.ctx, device.Committing)
	}
	if c.Token != a.router.token || a.fault == "keeps the token" && a.token == "" {
		if a.fault == "confirms anything" {
			return nil
		}
		return &device.Transient{Err: errors.New("not pending, " + map[bool]string{true: string(t.Password)}[a.fault == "tells secrets"])}
	}
	a.before, a.router.token = nil, ""
	return nil
}

func (a *adapter) Cancel(context.Context, device.Target, device.Commit) error {
	if a.fault != "does not cancel" {
		a.undo()
	}
	return nil
}

// Watch looks at its router all the time, which is a poor way to hear of changes.
func (a *adapter) Watch(ctx context.Context, t device.Target, changed func()) error {
	switch a.fault {
	case "":
	case "hangs up":
		changed()
		return &device.Transient{Err: errors.New("stream reset")}
	case "is silent":
		changed()
		<-ctx.Done()
		return ctx.Err()
	default:
		return errors.ErrUnsupported
	}
	changed()
	var last []filter.Filter
	for ctx.Err() == nil {
		a.mu.Lock()
		now := a.filters
		a.mu.Unlock()
		if !slices.EqualFunc(last, now, device.SameFilter) {
			changed()
		}
		last = now
		time.Sleep(time.Millisecond)
	}
	return ctx.Err()
}

func (r *router) undo() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.token != "" {
		r.filters, r.before, r.token = r.before, nil, ""
	}
}

// undoLater undoes what is pending now, after d, if it still is.
func (r *router) undoLater(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	token := r.token
	time.AfterFunc(d, func() {
		r.mu.Lock()
		same := r.token == token
		r.mu.Unlock()
		if same {
			r.undo()
		}
	})
}

func (r *router) edit(e adaptertest.Edit, name string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, f := range r.filters {
		if f.Name != name {
			continue
		}
		r.filters = slices.Clone(r.filters)
		if e == adaptertest.DropFilter {
			r.filters = slices.Delete(r.filters, i, i+1)
			return nil
		}
		r.filters[i].Entries = f.Entries[1:]
		return nil
	}
	return errors.New("no such filter")
}

// tell takes an adapter with a fault through the story, and returns the steps that failed and what was said of them.
func tell(t *testing.T, fault string, change func(*adaptertest.Faults)) (failed []string, said, advice string) {
	r := &router{}
	refused := adaptertest.Entry(filter.Semantics{}, 7)
	refused.Name = "r-refused"
	f := adaptertest.Faults{
		Entries: 20, Refused: refused, Words: "too clever", Undo: time.Millisecond, Patience: 200 * time.Millisecond,
		Restart:    func(context.Context) (device.Adapter, error) { return &adapter{router: r, fault: fault}, nil },
		Edit:       func(_ context.Context, e adaptertest.Edit, name string) error { return r.edit(e, name) },
		LoseAnswer: func(context.Context) error { r.lose = true; return nil },
		Expire: func(context.Context) error {
			switch fault {
			case "never undoes":
			case "undoes late":
				r.undoLater(2500 * time.Millisecond)
			default:
				r.undo()
			}
			return nil
		},
	}
	change(&f)
	told := adaptertest.NewTelling(t.Context(), func(r adaptertest.Result) {
		if !r.Passed() {
			failed = append(failed, r.Step.Name)
			said += strings.Join(r.Problem, "\n") + "\n"
		}
		advice += strings.Join(r.Advice, "\n")
	})
	told.Tell(func(s *adaptertest.Telling) {
		adaptertest.Run(s, &adapter{router: r, fault: fault}, device.Target{Password: "hunter2hunter2"}, f)
	})
	if told.Passed() != (len(failed) == 0 && told.Ended == "") {
		t.Errorf("Passed is %v, and these failed: %v %s", told.Passed(), failed, told.Ended)
	}
	return failed, said + told.Ended, advice
}

// Each fault of an adapter is found, in the steps that are about it, and the rest of the story is told all the same.
func TestFaultsAreFound(t *testing.T) {
	t.Parallel()
	for fault, want := range map[string]struct {
		steps []string
		said  string
	}{
		"":                      {nil, ""},
		"no version":            {[]string{"info"}, "lacks a name or a version"},
		"reads all":             {[]string{"read by name"}, "sluice-b-v4 only: filter sluice-v4 should not be there"},
		"renders by doing":      {[]string{"render"}, "should not be there"},
		"unsure":                {[]string{"no time"}, "does not say that nothing was changed"},
		"hopes":                 {[]string{"lost session"}, "says that nothing was changed"},
		"own words":             {[]string{"refused line"}, `the device's own words "too clever"`},
		"leaves a refused line": {[]string{"refused line"}, "other entries"},
		"overwrites":            {[]string{"foreign edit", "foreign removal"}, "want *device.Drifted"},
		"does not say gone":     {[]string{"foreign removal"}, "with Gone"},
		"keeps the token":       {[]string{"crash, then confirm"}, "confirm by another process"},
		"confirms anything":     {[]string{"no confirmation"}, "was confirmed"},
		"tells secrets":         {[]string{"no confirmation"}, "secret of the target"},
		"reads its memory":      {[]string{"cancel", "no confirmation", "foreign edit", "foreign removal"}, "read does not show it"},
		"never undoes":          {[]string{"no confirmation"}, `the story ends at "no confirmation"`},
		"hangs up":              {[]string{"watch"}, "the watch ended: stream reset"},
		"is silent":             {[]string{"watch"}, "an entry that another hand deleted: nothing is said"},
		"does not cancel":       {[]string{"cancel"}, "the device does not come to hold what it should"},
		"undoes late":           {[]string{"no confirmation"}, "and Info says that its devices are 0s late at most"},
		"goes back":             {[]string{"progress", "big table"}, "the count goes back while it is loading: from 2 to 1"},
		"makes no sense":        {[]string{"progress", "big table"}, `a report makes no sense: stage "thinking"`},
		"reports afterwards":    {[]string{"progress", "big table"}, "came after the call had returned"},
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			failed, said, _ := tell(t, fault, func(f *adaptertest.Faults) {
				if fault == "undoes late" {
					f.Patience = 20 * time.Second
				}
			})
			if !slices.Equal(failed, want.steps) {
				t.Errorf("failed: %v, want %v", failed, want.steps)
			}
			if !strings.Contains(said, want.said) {
				t.Errorf("it says %q, want %q in it", said, want.said)
			}
			if strings.Contains(said, "hunter2hunter2") {
				t.Error("the report tells the secret")
			}
		})
	}
}

// What the suite was not told makes the steps that need it fail, by name.
func TestWhatIsNotToldIsNotPassed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*adaptertest.Faults)
		steps  []string
	}{
		"Refused":    {func(f *adaptertest.Faults) { f.Refused = filter.Entry{} }, []string{"refused line"}},
		"Edit":       {func(f *adaptertest.Faults) { f.Edit = nil }, []string{"foreign edit", "foreign removal", "watch"}},
		"Restart":    {func(f *adaptertest.Faults) { f.Restart = nil }, []string{"crash, then confirm", "crash, then nothing"}},
		"LoseAnswer": {func(f *adaptertest.Faults) { f.LoseAnswer = nil }, []string{"lost session"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			failed, said, _ := tell(t, "", c.change)
			if !slices.Equal(failed, c.steps) || !strings.Contains(said, name) {
				t.Errorf("failed: %v (%s), want %v", failed, said, c.steps)
			}
		})
	}
}

// What nobody has to do is advice, and fails nothing.
func TestAdvice(t *testing.T) {
	t.Parallel()
	hold := func(f *adaptertest.Faults) {
		f.Slow = func(context.Context) (func(), error) { return func() {}, nil }
	}
	for fault, want := range map[string]string{
		"":                     "",
		"silent":               "Apply says nothing of where it is (device.Report",
		"reports all the time": "ten times a second are plenty",
	} {
		failed, said, advice := tell(t, fault, hold)
		if len(failed) > 0 || !strings.Contains(advice, want) || want == "" && advice != "" {
			t.Errorf("%q: failed %v (%s), advice %q, want %q in it", fault, failed, said, advice, want)
		}
		if late := strings.Contains(advice, "(Late, or undo_late_nanoseconds"); late != (fault == "silent") {
			t.Errorf("%q: advice about how late devices are: %v", fault, late)
		}
	}
}

// Of an adapter that is known to go through stages, one that is missing is a failure.
func TestStagesAreMissed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		stages []device.Stage
		failed int
	}{
		{[]device.Stage{device.Locking, device.Loading, device.Committing}, 0},
		{[]device.Stage{device.Locking, device.Validating}, 1},
		{[]device.Stage{device.Committing, device.Loading}, 1},
	} {
		failed, said, _ := tell(t, "", func(f *adaptertest.Faults) { f.Stages = c.stages })
		if len(failed) != c.failed || c.failed > 0 && !strings.Contains(said, "is missing, or not in its place") {
			t.Errorf("%v: failed %v: %s", c.stages, failed, said)
		}
	}
}
