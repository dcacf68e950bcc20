package adaptertest

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Result is how one step went.
type Result struct {
	Step    Step
	Took    time.Duration
	Problem []string // what went wrong, in the order in which it was found; none: the adapter passed
	Advice  []string // what could be better, and is not asked for
}

// Passed says whether the step went well.
func (r Result) Passed() bool { return len(r.Problem) == 0 }

// Telling tells the story outside of a Go test. It is a Stage for Run: a step that fails has a Result, and nothing ends but the step. Show, where it is not nil, is
// given each result as it comes. Results has them all; Ended is why the story ended early, or "".
type Telling struct {
	Show    func(Result)
	Results []Result
	Ended   string

	ctx      context.Context
	problems []string
	advice   []string
	cleanups []func()
}

// NewTelling returns a Telling whose steps end when ctx does.
func NewTelling(ctx context.Context, show func(Result)) *Telling {
	return &Telling{Show: show, ctx: ctx}
}

// Tell runs story, which calls Run with t.
func (t *Telling) Tell(story func(*Telling)) {
	if !t.attempt(func() { story(t) }) && len(t.problems) > 0 {
		t.Ended = t.problems[len(t.problems)-1]
	}
}

// Add adds a step that the one who tells has looked at by itself.
func (t *Telling) Add(r Result) {
	t.Results = append(t.Results, r)
	if t.Show != nil {
		t.Show(r)
	}
}

// Untold are the names of the steps that the story did not come to.
func (t *Telling) Untold() []string {
	var out []string
	for _, s := range Steps {
		if !slices.ContainsFunc(t.Results, func(r Result) bool { return r.Step.Name == s.Name }) {
			out = append(out, s.Name)
		}
	}
	return out
}

// Passed says whether the whole story was told and every step went well.
func (t *Telling) Passed() bool {
	for _, r := range t.Results {
		if !r.Passed() {
			return false
		}
	}
	return t.Ended == "" && len(t.Untold()) == 0
}

// stop is what Fatal panics with.
type stop struct{}

// attempt calls f and says whether it came to its end.
func (t *Telling) attempt(f func()) (whole bool) {
	defer func() {
		for len(t.cleanups) > 0 {
			last := len(t.cleanups) - 1
			clean := t.cleanups[last]
			t.cleanups = t.cleanups[:last]
			clean()
		}
		if p := recover(); p != nil {
			if _, ours := p.(stop); !ours {
				panic(p)
			}
		}
	}()
	f()
	return true
}

// Run tells one step.
func (t *Telling) Run(name string, step func(*Telling)) bool {
	if t.ctx.Err() != nil {
		t.Fatalf("interrupted before %q", name)
	}
	inner := &Telling{ctx: t.ctx}
	began := time.Now()
	inner.attempt(func() { step(inner) })
	r := Result{Step: stepOf(name), Took: time.Since(began), Problem: inner.problems, Advice: inner.advice}
	t.Add(r)
	return r.Passed()
}

func stepOf(name string) Step {
	for _, s := range Steps {
		if s.Name == name {
			return s
		}
	}
	return Step{Name: name}
}

// Context ends when the telling does.
func (t *Telling) Context() context.Context { return t.ctx }

// Cleanup calls f after the step.
func (t *Telling) Cleanup(f func()) { t.cleanups = append(t.cleanups, f) }

// Helper is there for *testing.T.
func (*Telling) Helper() {}

// Error notes a problem; the step goes on.
func (t *Telling) Error(args ...any) { t.problems = append(t.problems, fmt.Sprint(args...)) }

// Errorf notes a problem; the step goes on.
func (t *Telling) Errorf(format string, args ...any) { t.Error(fmt.Sprintf(format, args...)) }

// Logf notes advice.
func (t *Telling) Logf(format string, args ...any) {
	t.advice = append(t.advice, fmt.Sprintf(format, args...))
}

// Fatal notes a problem and ends the step.
func (t *Telling) Fatal(args ...any) { t.Error(args...); panic(stop{}) }

// Fatalf notes a problem and ends the step.
func (t *Telling) Fatalf(format string, args ...any) { t.Fatal(fmt.Sprintf(format, args...)) }
