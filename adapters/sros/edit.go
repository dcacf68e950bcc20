package sros

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/sluice-gateway/sluice/core/filter"
)

// netconfNamespace is the namespace of the operation attribute (RFC 6241 section 7.2).
const netconfNamespace = "urn:ietf:params:xml:ns:netconf:base:1.0"

// Edit returns what stands in the <config> of an <edit-config> that leads from the filters in have to those in want. Of a filter that is in both, only the entries are mentioned
// that differ: entries keep their numbers, and new ones get numbers between their neighbours. A filter that was not understood is replaced whole; one that want no
// longer holds is deleted, and so are policers. It returns nil when there is nothing to do.
//
// An operation="delete" of something that is not there is an error of the device, which is what should happen when somebody else has removed it.
func (d Dialect) Edit(have, want []filter.Filter) ([]byte, error) {
	held := map[string]*filter.Filter{} // by list and name
	var before, after []statement       // policers
	for i := range have {
		held[id(have[i])] = &have[i]
		if o, err := d.objects(have[i]); err == nil {
			before = append(before, o.policers...)
		}
	}
	var filters bytes.Buffer
	for _, f := range want {
		policers, err := d.edit(&filters, held[id(f)], f)
		if err != nil {
			return nil, err
		}
		for _, p := range policers {
			if i := slices.IndexFunc(after, func(q statement) bool { return q.key == p.key }); i >= 0 && !after[i].equal(p) {
				return nil, fmt.Errorf("filter %s: policer %s is another one in another filter", f.Name, p.key)
			}
			after = append(after, p)
		}
		delete(held, id(f))
	}
	for _, f := range have {
		if held[id(f)] != nil {
			item(list(f.Version), f.Name).xml(&filters, ` nc:operation="delete"`)
		}
	}
	var b bytes.Buffer
	editItems(&b, before, after)
	b.Write(filters.Bytes())
	if b.Len() == 0 {
		return nil, nil
	}
	return fmt.Appendf(nil, `<configure xmlns="%s" xmlns:nc="%s"><filter>%s</filter></configure>`, namespace, netconfNamespace, b.Bytes()), nil
}

// id tells filters apart: an IPv4 and an IPv6 filter may have one name.
func id(f filter.Filter) string { return list(f.Version) + " " + f.Name }

// edit writes what leads from have, which may be nil, to want, and returns the policers of want.
func (d Dialect) edit(b *bytes.Buffer, have *filter.Filter, want filter.Filter) ([]statement, error) {
	var before objects
	understood := false
	if have != nil {
		var err error
		before, err = d.objects(*have)
		understood = err == nil // else another hand was there (filter.ForeignError), and it differs from whatever is wanted
	}
	if understood {
		want = places.Keep(*have, want)
	}
	after, err := d.objects(want)
	if err != nil {
		return nil, err
	}
	if !understood || !slices.EqualFunc(before.leaves, after.leaves, statement.equal) {
		after.filter().xml(b, ` nc:operation="replace"`)
		return after.policers, nil
	}
	var entries bytes.Buffer
	editItems(&entries, slices.Concat(before.entries...), slices.Concat(after.entries...))
	if entries.Len() > 0 {
		b.WriteString("<" + after.list + ">")
		leaf(keyOf[after.list], after.name).xml(b, "")
		b.Write(entries.Bytes())
		b.WriteString("</" + after.list + ">")
	}
	return after.policers, nil
}

// editItems writes the entries of one list that differ, each with its operation. Each key is mentioned once.
func editItems(b *bytes.Buffer, have, want []statement) {
	old := make(map[string]statement, len(have))
	for _, s := range have {
		old[s.key] = s
	}
	done := make(map[string]bool, len(want))
	for _, s := range want {
		if done[s.key] {
			continue
		}
		if was, ok := old[s.key]; !ok || !was.equal(s) {
			s.xml(b, ` nc:operation="replace"`)
		}
		done[s.key] = true
	}
	for _, s := range have {
		if !done[s.key] {
			item(s.name, s.key).xml(b, ` nc:operation="delete"`)
			done[s.key] = true
		}
	}
}
