package report

import (
	"errors"
	"fmt"
	"slices"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/profile"
	"github.com/sluice-gateway/sluice/core/rib"
)

// Judged is the plan for one profile. Verdicts[i] is about rule i of the input.
type Judged struct {
	Plan     *plan.Plan
	Verdicts []*plan.Verdict
	Warnings []plan.Reason
	Filters  Filters
	Summary  Summary
	Inexact  int // rules that are not carried exactly
	Assumed  int // verdicts that rest on an assumed fact
	Entries  int // on the device
}

// Judge plans the rules of an input for p. snap and index are what its Snapshot returned; d is the language of p's filters, nil where there is
// none here. Rules that are judged for several profiles are read once for all of them with one deck; nil: for each. The error is about a plan that could not be proven: a fault of sluice.
func Judge(deck *plan.Deck, snap rib.Snapshot, index []int, p *profile.Profile, opt plan.Options, d filter.Dialect) (*Judged, error) {
	made, err := deck.Make(snap, p, opt)
	if err != nil {
		return nil, fmt.Errorf("plan for %s: %w", p.Name, err)
	}
	d = filter.ForDevice(d, opt.Instances)
	j := &Judged{Plan: made, Verdicts: make([]*plan.Verdict, len(index)), Warnings: made.Warnings, Filters: WriteFilters(made.Desired.Filters, d, p.Name)}
	for i, v := range made.Verdicts {
		j.Filters.check(v)
		j.Verdicts[index[i]] = v
		j.Summary.Add(v.Carried)
		j.Entries += len(v.Entries)
		if !v.Exact {
			j.Inexact++
		}
		if v.Basis == profile.Assumed {
			j.Assumed++
		}
	}
	return j, nil
}

// Profile returns the report on all rules of in, and on them as a table.
func (j *Judged) Profile(name string, in *Input, as OnDevice) Profile {
	out := Profile{Profile: name, Rules: make([]Rule, len(in.Rules)), Summary: j.Summary, Table: as}
	for i := range in.Rules {
		out.Rules[i] = in.Rule(i, j.Verdicts[i], j.Filters.Of)
	}
	return out
}

// Filters are filters in a vendor's language: the whole, and each entry by its name.
type Filters struct {
	Whole  []string
	Attach []string // what attaches them to an interface
	Err    error    // why some could not be written

	entries map[string]string
	refused map[string]error // entries of a filter that could not be written, or did not read back as it was
}

// WriteFilters writes filters in the language d of the platform called name, and reads each back: what does not come back the same is not shown.
func WriteFilters(filters []filter.Filter, d filter.Dialect, name string) Filters {
	out := Filters{entries: map[string]string{}, refused: map[string]error{}}
	for _, f := range filters {
		err := fmt.Errorf("there is no filter language for %s here", name)
		var r filter.Rendered
		if d != nil {
			r, err = written(f, d)
		}
		if err != nil {
			out.Err = errors.Join(out.Err, err)
			for _, e := range f.Entries {
				out.refused[e.Name] = err
			}
			continue
		}
		out.Whole = append(out.Whole, r.Text)
		out.Attach = append(out.Attach, r.Attach...)
		for i, e := range f.Entries {
			out.entries[e.Name] = r.Entries[i]
		}
	}
	if j, ok := d.(filter.Joining); ok && out.Err == nil && len(filters) > 1 {
		var text string
		text, out.Err = joined(filters, j)
		out.Whole = []string{text}
	}
	return out
}

// joined writes filters as one text and proves that it says them.
func joined(filters []filter.Filter, d filter.Joining) (string, error) {
	text, err := d.Text(filters)
	if err != nil {
		return "", fmt.Errorf("render filters: %w", err)
	}
	back, err := d.Parse([]byte(text))
	if err != nil {
		return "", fmt.Errorf("read filters back: %w", err)
	}
	for _, f := range filters {
		i := slices.IndexFunc(back, func(b filter.Filter) bool { return b.Name == f.Name })
		if i < 0 || len(back) != len(filters) {
			return "", fmt.Errorf("read filters back: got %d filters, want %d", len(back), len(filters))
		}
		if err := filter.Same(f, back[i], d.Semantics()); err != nil {
			return "", fmt.Errorf("what was rendered is another filter: %w", err)
		}
	}
	return text, nil
}

// written writes f and proves that what was written says f.
func written(f filter.Filter, d filter.Dialect) (filter.Rendered, error) {
	r, err := d.Render(f)
	if err != nil {
		return r, fmt.Errorf("render filter %s: %w", f.Name, err)
	}
	back, err := d.Parse(r.Payload)
	switch {
	case err != nil:
		return r, fmt.Errorf("read filter %s back: %w", f.Name, err)
	case len(back) != 1:
		return r, fmt.Errorf("read filter %s back: got %d filters", f.Name, len(back))
	case len(r.Entries) != len(f.Entries):
		return r, fmt.Errorf("render filter %s: got %d entries, want %d", f.Name, len(r.Entries), len(f.Entries))
	}
	if err := filter.Same(f, back[0], d.Semantics()); err != nil {
		return r, fmt.Errorf("what was rendered is another filter: %w", err)
	}
	return r, nil
}

// Of returns the lines of one entry; its name where they could not be written.
func (f Filters) Of(entry string) string {
	if s, ok := f.entries[entry]; ok {
		return s
	}
	return entry
}

// check takes back the word of a verdict whose filter could not be written: nothing of it could be delivered.
func (f Filters) check(v *plan.Verdict) {
	for _, e := range v.Entries {
		if e.Filter == nil || f.refused[e.Filter.Name] == nil {
			continue
		}
		v.Carried, v.Exact, v.Entries = plan.Rejected, false, nil
		v.Reasons = append(v.Reasons, plan.Reason{Code: "not-rendered", Severity: plan.Error, Message: f.refused[e.Filter.Name].Error()})
		return
	}
}
