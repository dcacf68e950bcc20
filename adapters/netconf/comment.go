package netconf

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
)

// mostNamed is how many rules a comment names.
const mostNamed = 12

// comment says in the commit history of a device which rules a change brings (+), takes away (-) or alters (~).
func (a *Adapter) comment(before, after []filter.Filter) string {
	had, has := byRule(before), byRule(after)
	var said []string
	for rule, part := range has {
		switch old, there := had[rule]; {
		case !there:
			said = append(said, "+"+rule)
		case a.equal(part, old) != nil:
			said = append(said, "~"+rule)
		}
	}
	for rule := range had {
		if _, there := has[rule]; !there {
			said = append(said, "-"+rule)
		}
	}
	slices.Sort(said)
	out := "sluice"
	if n := len(said) - mostNamed; n > 0 {
		said = append(said[:mostNamed], fmt.Sprintf("and %d more", n))
	}
	if len(said) > 0 {
		out += ": " + strings.Join(said, " ")
	}
	return out
}

// byRule returns what each rule has of a filter; a counter is named after the rule.
func byRule(fs []filter.Filter) map[string]filter.Filter {
	out := map[string]filter.Filter{}
	for _, f := range fs {
		for _, e := range f.Entries {
			rule := cmp.Or(e.Counter, e.Name)
			part, ok := out[rule]
			if !ok {
				part = filter.Filter{Name: f.Name, Version: f.Version, Placement: f.Placement, Policers: f.Policers}
			}
			part.Entries = append(part.Entries, e)
			out[rule] = part
		}
	}
	return out
}
