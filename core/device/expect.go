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
