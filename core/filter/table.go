package filter

import (
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/table"
)

// Table returns what f does to packets on a platform with semantics s.
//
// A table accepts what no entry decides, and so does a filter: alone on its interface by the tail that dialects add where the platform
// would discard the rest, before the operator's filter by having no tail. In the second case "accept" means "goes on to the operator's
// filter"; Check refuses the entries for which that would not be true.
func (f Filter) Table(s Semantics) table.Table {
	rates := make(map[string]flowspec.Rate, len(f.Policers))
	for _, p := range f.Policers {
		rates[p.Name] = p.Rate
	}
	t := make(table.Table, 0, len(f.Entries))
	for _, e := range f.Entries {
		t = append(t, table.Entry{
			ID:       e.Name,
			Match:    e.Match.Set(f.Version, s),
			Do:       e.Do.outcome(rates),
			Continue: e.Do.Continue,
		})
	}
	return t
}

// outcome says what d does in the words of table. It goes through table.Want, so that a rule and the entry made for it are compared in
// one spelling. The policer's name is the identity of its bucket.
func (d Do) outcome(rates map[string]flowspec.Rate) table.Outcome {
	a := flowspec.Action{Redirect: d.Redirect, Mark: d.Mark, Sample: d.Sample}
	if d.Policer != "" {
		r := rates[d.Policer]
		a.Rate = &r
	}
	if d.Discard {
		a.Rate = &flowspec.Rate{Unit: flowspec.Bytes}
	}
	return table.Want(flowspec.Rule{ID: flowspec.ID(d.Policer), Action: a})
}
