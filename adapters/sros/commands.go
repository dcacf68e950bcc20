package sros

import (
	"fmt"
	"slices"

	"github.com/sluice-gateway/sluice/core/filter"
)

// Commands returns what is typed at the root of the MD-CLI in a configuration mode to lead from the filters in have to those in want, both complete; nil when there is nothing to do. It says what Edit says, one leaf on a
// line with its whole path: entries that differ are deleted and set anew, and the rest is not mentioned. It leads back to the root.
func (d Dialect) Commands(have, want []filter.Filter) ([]string, error) {
	held := map[string]*filter.Filter{} // by list and name
	var before, after []statement       // policers
	for i := range have {
		held[id(have[i])] = &have[i]
		if o, err := d.objects(have[i]); err == nil {
			before = append(before, o.policers...)
		}
	}
	var lines []string
	for _, f := range want {
		o, typed, err := d.typed(held[id(f)], f)
		if err != nil {
			return nil, err
		}
		for _, p := range o.policers {
			if i := slices.IndexFunc(after, func(q statement) bool { return q.key == p.key }); i >= 0 && !after[i].equal(p) {
				return nil, fmt.Errorf("filter %s: policer %s is another one in another filter", f.Name, p.key)
			}
			after = append(after, p)
		}
		lines = append(lines, typed...)
		delete(held, id(f))
	}
	for _, f := range have {
		if held[id(f)] != nil {
			lines = append(lines, "delete "+top+" "+item(list(f.Version), f.Name).head())
		}
	}
	// A policer that an entry refers to has to be there at the commit alone, not when the line is typed.
	if lines = append(typedItems(nil, top, before, after), lines...); len(lines) == 0 {
		return nil, nil
	}
	return append(lines, "exit all"), nil
}

// top is where filters stand, from the root.
const top = "/configure filter"

// typed returns what leads from have, which may be nil, to want, and the objects of want.
func (d Dialect) typed(have *filter.Filter, want filter.Filter) (after objects, lines []string, err error) {
	var before objects
	understood := false
	if have != nil {
		before, err = d.objects(*have)
		understood = err == nil // else another hand was there (filter.ForeignError), and it differs from whatever is wanted
	}
	if understood {
		want = places.Keep(*have, want)
	}
	if after, err = d.objects(want); err != nil {
		return after, nil, err
	}
	path := top + " " + item(after.list, after.name).head()
	if understood && slices.EqualFunc(before.leaves, after.leaves, statement.equal) {
		return after, typedItems(nil, path, slices.Concat(before.entries...), slices.Concat(after.entries...)), nil
	}
	if have != nil {
		lines = append(lines, "delete "+path)
	}
	return after, after.filter().set(lines, top), nil
}

// typedItems appends what leads from have to want, entries of one list at path. Each key is mentioned once.
func typedItems(lines []string, path string, have, want []statement) []string {
	old := make(map[string]statement, len(have))
	for _, s := range have {
		old[s.key] = s
	}
	done := make(map[string]bool, len(want))
	for _, s := range want {
		if done[s.key] {
			continue
		}
		done[s.key] = true
		was, there := old[s.key]
		if there && was.equal(s) {
			continue
		}
		if there {
			lines = append(lines, "delete "+path+" "+item(s.name, s.key).head())
		}
		lines = s.set(lines, path)
	}
	for _, s := range have {
		if !done[s.key] {
			lines = append(lines, "delete "+path+" "+item(s.name, s.key).head())
			done[s.key] = true
		}
	}
	return lines
}

// set appends the lines that set s and what is in it at path.
func (s statement) set(lines []string, path string) []string {
	path += " " + s.head()
	if len(s.children) == 0 {
		return append(lines, path)
	}
	for _, c := range s.children {
		lines = c.set(lines, path)
	}
	return lines
}
