package device

import (
	"fmt"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
)

// Before returns the filters that c was computed from, as far as c tells: what it adds was not there, what it replaces was another, what it removes was there. It
// fails where a step is not about a filter.
func (c Change) Before() ([]filter.Filter, error) {
	var have []filter.Filter
	for _, s := range c.Steps {
		if s.Filter == nil {
			return nil, fmt.Errorf("step %q is not about a filter", s.Why)
		}
		if s.Op == Remove {
			have = append(have, *s.Filter)
		}
	}
	touched := c.touched()
	for _, f := range c.Desired.Filters {
		if !touched[f.Name] {
			have = append(have, f)
		}
	}
	return have, nil
}

func (c Change) touched() map[string]bool {
	out := map[string]bool{}
	for _, s := range c.Steps {
		out[s.Filter.Name] = true
	}
	return out
}

// Expect says whether the filters that a device holds are those that c, whose steps are about filters, was computed from; equal compares two of one name. The error is a *Drifted,
// or one about a filter that is not ours.
func (c Change) Expect(have []filter.Filter, equal func(want, got filter.Filter) error) error {
	holds := map[string]*filter.Filter{}
	for i := range have {
		holds[have[i].Name] = &have[i]
	}
	for _, s := range c.Steps {
		name := s.Filter.Name
		there := holds[name] != nil
		switch {
		case !strings.HasPrefix(name, filter.Mark):
			return fmt.Errorf("filter %s is not ours: its name does not begin with %s", name, filter.Mark)
		case s.Op == Add && there:
			return &Drifted{What: "filter " + name + " is there already"}
		case s.Op != Add && !there:
			return &Drifted{What: "filter " + name + " is gone", Gone: true}
		}
		delete(holds, name)
	}
	touched := c.touched()
	for _, f := range c.Desired.Filters {
		if touched[f.Name] {
			continue
		}
		got := holds[f.Name]
		if got == nil {
			return &Drifted{What: "filter " + f.Name + " is gone", Gone: true}
		}
		if err := equal(f, *got); err != nil {
			return &Drifted{What: err.Error()}
		}
		delete(holds, f.Name)
	}
	for name := range holds {
		return &Drifted{What: "filter " + name + " is there, and nobody of ours put it there"}
	}
	return nil
}

// Holds says in what the filters that a device holds differ from those that are wanted, whatever the order of either; equal compares two of one name.
func Holds(want, got []filter.Filter, equal func(want, got filter.Filter) error) error {
	has := map[string]filter.Filter{}
	for _, f := range got {
		has[f.Name] = f
	}
	for _, w := range want {
		g, ok := has[w.Name]
		if !ok {
			return fmt.Errorf("filter %s is not there", w.Name)
		}
		if err := equal(w, g); err != nil {
			return err
		}
		delete(has, w.Name)
	}
	for name := range has {
		return fmt.Errorf("filter %s is still there", name)
	}
	return nil
}

// Prove makes sure that what is about to be written means what it should: read back from the form that d writes, each filter that c sets is the one asked for.
func (c Change) Prove(d filter.Dialect) error {
	for _, s := range c.Steps {
		if s.Op == Remove || s.Filter == nil {
			continue
		}
		r, err := d.Render(*s.Filter)
		if err != nil {
			return fmt.Errorf("render %s: %w", s.Filter.Name, err)
		}
		if err := ReadsBack(d, r.Payload, *s.Filter); err != nil {
			return fmt.Errorf("render %s: %w", s.Filter.Name, err)
		}
	}
	return nil
}

// ReadsBack says whether d reads from written one filter that means what f does.
func ReadsBack(d filter.Dialect, written []byte, f filter.Filter) error {
	back, err := d.Parse(written)
	if err != nil {
		return fmt.Errorf("it does not read back: %w", err)
	}
	if len(back) != 1 {
		return fmt.Errorf("it reads back as %d filters", len(back))
	}
	if err := filter.Same(f, back[0], d.Semantics()); err != nil {
		return fmt.Errorf("it does not mean what it should: %w", err)
	}
	return nil
}
