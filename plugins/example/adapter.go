package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
)

// Adapter keeps the filters of each device in a file. Option of a device:
//
//	directory    where the device's own directory is made; required
//
// A real device has an undo timer of its own. A file has none, so Apply leaves what was there before in a second file, with the deadline, and whoever
// touches the device next after the deadline puts it back first. Nobody can see the difference, as every look goes through here.
type Adapter struct {
	// Now is the clock; tests move it.
	Now func() time.Time
}

// New returns an adapter on the system's clock.
func New() *Adapter { return &Adapter{Now: time.Now} }

// Info describes the adapter. A file is on time: Late is 0. Of a device that was seen to undo a change later than asked, say by how much; where nobody has looked, leave it out.
func (*Adapter) Info(context.Context) (device.Info, error) {
	return device.Info{Name: "example", Version: "1", Dialect: "", Late: new(time.Duration)}, nil
}

// Read returns what the file holds.
func (a *Adapter) Read(ctx context.Context, t device.Target, names ...string) (device.State, error) {
	s, err := a.open(ctx, t)
	if err != nil {
		return device.State{}, err
	}
	defer s.close()
	device.Report(ctx, device.Reading)
	filters, err := s.filters()
	if err != nil {
		return device.State{}, err
	}
	var out device.State
	for _, f := range filters {
		if len(names) == 0 || slices.Contains(names, f.Name) {
			out.Filters = append(out.Filters, f)
		}
	}
	return out, nil
}

// Render returns the file as Apply would write it.
func (a *Adapter) Render(_ context.Context, _ device.Target, c device.Change) ([]byte, error) {
	return render(c.Desired.Filters)
}

// Apply replaces the file, unless it is no longer what the change was computed from.
func (a *Adapter) Apply(ctx context.Context, t device.Target, c device.Change, undo time.Duration) (device.Commit, error) {
	s, err := a.open(ctx, t)
	if err != nil {
		return device.Commit{}, err
	}
	defer s.close()
	if p, err := s.pending(); err != nil {
		return device.Commit{}, err
	} else if p != nil {
		return device.Commit{}, &device.Transient{Err: fmt.Errorf("change %s waits for its confirmation until %s", p.Token, p.Deadline.Format(time.TimeOnly)), Unchanged: true}
	}
	before, err := s.filters()
	if err != nil {
		return device.Commit{}, err
	}
	device.Report(ctx, device.Validating) // where the call is: shown to people, and never needed
	if err := expect(before, c); err != nil {
		return device.Commit{}, err
	}
	if err := accept(c.Desired.Filters); err != nil {
		return device.Commit{}, err
	}
	content, err := render(c.Desired.Filters)
	if err != nil {
		return device.Commit{}, err
	}
	old, err := s.content()
	if err != nil {
		return device.Commit{}, err
	}
	device.ReportCount(ctx, device.Committing, 0, c.Entries())
	// First the way back, then the change: a crash in between leaves an undo that restores what is there anyway.
	p := pending{Token: rand.Text(), Deadline: a.Now().Add(undo), Before: old}
	if err := s.setPending(&p); err != nil {
		return device.Commit{}, err
	}
	if err := s.setContent(content); err != nil {
		return device.Commit{}, err
	}
	return device.Commit{Token: p.Token, Deadline: p.Deadline}, nil
}

// Confirm makes the change stay. After the deadline it is too late, and the error says so.
func (a *Adapter) Confirm(ctx context.Context, t device.Target, c device.Commit) error {
	s, p, err := a.openPending(ctx, t, c)
	if err != nil {
		return err
	}
	defer s.close()
	if p == nil {
		return &device.Transient{Err: fmt.Errorf("change %s is no longer pending: it was undone, cancelled or confirmed; read again", c.Token)}
	}
	return s.setPending(nil)
}

// Cancel puts back what was there before. A change that is no longer pending needs no cancelling.
func (a *Adapter) Cancel(ctx context.Context, t device.Target, c device.Commit) error {
	s, p, err := a.openPending(ctx, t, c)
	if err != nil {
		return err
	}
	defer s.close()
	if p == nil {
		return nil
	}
	return s.undo(p)
}

// open locks the device's directory and undoes what waited for its confirmation too long.
func (a *Adapter) open(ctx context.Context, t device.Target) (*store, error) {
	dir := t.Options["directory"]
	if dir == "" || strings.ContainsAny(t.Name, "/\\\x00") || t.Name == "." || t.Name == ".." {
		return nil, fmt.Errorf("device %q: set its option directory, and give it a name without slashes", t.Name)
	}
	device.Report(ctx, device.Locking)
	s, err := openStore(ctx, filepath.Join(dir, t.Name))
	if err != nil {
		return nil, err
	}
	p, err := s.pending()
	if err == nil && p != nil && !a.Now().Before(p.Deadline) {
		err = s.undo(p)
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// openPending is open, and the pending change if it is the one that c names.
func (a *Adapter) openPending(ctx context.Context, t device.Target, c device.Commit) (*store, *pending, error) {
	s, err := a.open(ctx, t)
	if err != nil {
		return nil, nil, err
	}
	p, err := s.pending()
	if err != nil {
		s.close()
		return nil, nil, err
	}
	if p != nil && p.Token != c.Token {
		p = nil
	}
	return s, p, nil
}

// expect refuses a change that was computed from another state than the one found.
func expect(before []filter.Filter, c device.Change) error {
	has := map[string]filter.Filter{}
	for _, f := range before {
		has[f.Name] = f
	}
	touched := map[string]bool{}
	for _, s := range c.Steps {
		if s.Filter == nil {
			return fmt.Errorf("step %q is not about a filter", s.Why)
		}
		name := s.Filter.Name
		if !strings.HasPrefix(name, filter.Mark) {
			return fmt.Errorf("filter %s is not ours: its name does not begin with %s", name, filter.Mark)
		}
		_, there := has[name]
		switch {
		case s.Op == device.Add && there:
			return &device.Drifted{What: "filter " + name + " is there already"}
		case s.Op != device.Add && !there:
			return &device.Drifted{What: "filter " + name + " is gone", Gone: true}
		}
		touched[name] = true
	}
	desired := map[string]bool{}
	for _, f := range c.Desired.Filters {
		desired[f.Name] = true
		if !touched[f.Name] && !reflect.DeepEqual(has[f.Name], f) {
			return &device.Drifted{What: "filter " + f.Name + " is not what it was"}
		}
	}
	for name := range has {
		if !touched[name] && !desired[name] { // writing the file as desired would delete what the change does not know of
			return &device.Drifted{What: "filter " + name + " was not there"}
		}
	}
	return nil
}

// accept is the device's own opinion of filters, in its words: this one redirects nothing.
func accept(filters []filter.Filter) error {
	for _, f := range filters {
		for _, e := range f.Entries {
			if e.Do.Redirect != nil {
				return &device.Refused{Words: fmt.Sprintf("filter %s, entry %s: a file cannot redirect", f.Name, e.Name)}
			}
		}
	}
	return nil
}

// render writes filters as JSON, by name, and makes sure that they read back as the same.
func render(filters []filter.Filter) ([]byte, error) {
	filters = slices.SortedFunc(slices.Values(filters), func(a, b filter.Filter) int { return cmp.Compare(a.Name, b.Name) })
	for i := range filters {
		if len(filters[i].Policers) == 0 {
			filters[i].Policers = nil // no policers and an empty list of them are the same
		}
	}
	out, err := json.MarshalIndent(filters, "", " ")
	if err != nil {
		return nil, err
	}
	back, err := parse(out)
	if err != nil {
		return nil, err
	}
	if len(filters) > 0 && !reflect.DeepEqual(filters, back) {
		return nil, &device.Refused{Words: "a filter that does not survive being written as JSON, such as one with an empty list of ports"}
	}
	return out, nil
}

// parse reads what render wrote; anything it does not know is an error.
func parse(b []byte) ([]filter.Filter, error) {
	if len(bytes.TrimSpace(b)) == 0 {
		return nil, nil
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	var out []filter.Filter
	err := dec.Decode(&out)
	return out, err
}
