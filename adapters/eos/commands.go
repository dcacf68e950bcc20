package eos

import (
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
)

// Commands returns what is typed in a configuration session to lead from the filters in have to those in want, both complete; nil when there is nothing to do. A policy whose matches
// differ is removed and typed anew: matches have no numbers, and where a new one would stand among those that are there is not documented. The session makes one change of it.
func (d Dialect) Commands(have, want []filter.Filter) ([]string, error) {
	before, unknown, err := d.policies(have)
	if err != nil {
		return nil, err
	}
	after, err := d.written(want)
	if err != nil {
		return nil, err
	}
	whole := statement{line: "traffic-policies"}
	for _, p := range after {
		was := slices.IndexFunc(before, func(q statement) bool { return q.line == p.line })
		if was >= 0 && text(before[was], 0) == text(p, 0) {
			continue
		}
		if was >= 0 || slices.Contains(unknown, p.line) {
			whole.body = append(whole.body, say("no", p.line))
		}
		whole.body = append(whole.body, p)
	}
	for _, p := range before {
		unknown = append(unknown, p.line)
	}
	for _, line := range unknown {
		if !slices.ContainsFunc(after, func(p statement) bool { return p.line == line }) {
			whole.body = append(whole.body, say("no", line))
		}
	}
	if len(whole.body) == 0 {
		return nil, nil
	}
	return whole.typed(nil), nil
}

// policies returns the traffic policies that filters stand in, and the first lines of those that another hand was at (filter.ForeignError): they have filters without a placement, of which
// nobody knows what they hold.
func (d Dialect) policies(filters []filter.Filter) (known []statement, unknown []string, err error) {
	for _, f := range filters {
		if f.Placement == "" {
			name, err := policyName(f)
			if err != nil {
				return nil, nil, err
			}
			unknown = append(unknown, "traffic-policy "+name)
		}
	}
	known, err = d.written(slices.DeleteFunc(slices.Clone(filters), func(f filter.Filter) bool { return f.Placement == "" }))
	known = slices.DeleteFunc(known, func(p statement) bool { return slices.Contains(unknown, p.line) })
	slices.Sort(unknown)
	return known, slices.Compact(unknown), err
}

// written returns the traffic policies of filters, each with the matches of both IP versions.
func (d Dialect) written(filters []filter.Filter) ([]statement, error) {
	var out []statement
	for _, f := range filters {
		p, err := d.policy(f)
		if err != nil {
			return nil, err
		}
		if i := slices.IndexFunc(out, func(q statement) bool { return q.line == p.line }); i >= 0 {
			out[i] = merged(out[i], p)
		} else {
			out = append(out, p)
		}
	}
	return out, nil
}

// merged returns one policy of two. The names of its counters stand in front.
func merged(a, b statement) statement {
	var counters []string
	out := statement{line: a.line}
	for _, s := range slices.Concat(a.body, b.body) {
		names, ok := strings.CutPrefix(s.line, "counter ")
		if !ok {
			out.body = append(out.body, s)
			continue
		}
		for _, name := range strings.Fields(names) {
			if !slices.Contains(counters, name) {
				counters = append(counters, name)
			}
		}
	}
	if len(counters) > 0 {
		out.body = slices.Insert(out.body, 0, say(append([]string{"counter"}, counters...)...))
	}
	return out
}

// typed appends the lines of s to list, each mode closed by `exit`.
func (s statement) typed(list []string) []string {
	list = append(list, s.line)
	for _, k := range s.body {
		list = k.typed(list)
	}
	if s.mode() {
		list = append(list, "exit")
	}
	return list
}

// mode says whether s begins a mode.
func (s statement) mode() bool {
	return s.line == "traffic-policies" || s.line == "actions" || strings.HasPrefix(s.line, "traffic-policy ") || strings.HasPrefix(s.line, "match ")
}
