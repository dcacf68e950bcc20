package junos

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// netconfNamespace is the namespace of the operation attribute (RFC 6241 section 7.2).
const netconfNamespace = "urn:ietf:params:xml:ns:netconf:base:1.0"

// Edit returns the <configuration> element for the <config> of an <edit-config> that leads from the filters in have to those in want.
// Filters and policers that differ are replaced whole, those that want no longer holds are deleted, the rest is not mentioned; nothing
// is merged, so that no term of before stays behind. It returns nil when there is nothing to do.
//
// Both lists must be complete: a policer that two filters name goes only with the last of them. An operation="delete" of something that is
// not there is an error of the device, which is what should happen when somebody else has removed it.
func (d Dialect) Edit(have, want []filter.Filter) ([]byte, error) {
	before, after, err := d.sides(have, want)
	if err != nil {
		return nil, err
	}
	var body bytes.Buffer
	edit(&body, before.policers, after.policers)
	families := 0
	for _, word := range []string{"inet", "inet6"} {
		var filters bytes.Buffer
		edit(&filters, before.filters[word], after.filters[word])
		if filters.Len() == 0 {
			continue
		}
		if families++; families == 1 {
			body.WriteString("<family>")
		}
		body.WriteString("<" + word + ">")
		body.Write(filters.Bytes())
		body.WriteString("</" + word + ">")
	}
	if families > 0 {
		body.WriteString("</family>")
	}
	if body.Len() == 0 {
		return nil, nil
	}
	return fmt.Appendf(nil, `<configuration xmlns="%s" xmlns:nc="%s"><firewall xmlns="%s">%s</firewall></configuration>`,
		rootNamespace, netconfNamespace, firewallNamespace, body.Bytes()), nil
}

// sides returns the objects that filters in have and in want become.
func (d Dialect) sides(have, want []filter.Filter) (before, after *objects, err error) {
	before, after = newObjects(), newObjects()
	for _, f := range have {
		policers, list, err := d.statements(f)
		if err != nil {
			// Another hand was there, or it was not understood (filter.ForeignError): it differs from whatever is wanted.
			policers, list = bare(f)
		}
		if err := before.add(f, policers, list); err != nil {
			return nil, nil, fmt.Errorf("what the device has: %w", err)
		}
	}
	for _, f := range want {
		policers, list, err := d.statements(f)
		if err != nil {
			return nil, nil, err
		}
		if err := after.add(f, policers, list); err != nil {
			return nil, nil, err
		}
	}
	return before, after, nil
}

// bare returns the objects of f by their names only.
func bare(f filter.Filter) (policers []statement, list statement) {
	for _, p := range f.Policers {
		policers = append(policers, statement{word: "policer", name: p.Name})
	}
	return policers, statement{word: "filter", name: f.Name}
}

// objects are the statements of some filters: policers once each, filters by family.
type objects struct {
	policers []statement
	index    map[string]int // of each policer, by name
	filters  map[string][]statement
}

func newObjects() *objects {
	return &objects{index: map[string]int{}, filters: map[string][]statement{}}
}

// add adds what f becomes. Two filters may name one policer.
func (o *objects) add(f filter.Filter, policers []statement, list statement) error {
	if f.Version != packet.IPv4 && f.Version != packet.IPv6 {
		return fmt.Errorf("filter %s stands in a family that sluice makes no filters in; remove it by hand", f.Name)
	}
	for _, p := range policers {
		if i, twice := o.index[p.name]; !twice {
			o.index[p.name] = len(o.policers)
			o.policers = append(o.policers, p)
		} else if !same(o.policers[i], p) {
			return fmt.Errorf("filter %s: policer %s is another one in another filter", f.Name, p.name)
		}
	}
	word := family(f.Version)
	o.filters[word] = append(o.filters[word], list)
	return nil
}

// edit writes the entries of one list that differ, each with its operation.
func edit(b *bytes.Buffer, have, want []statement) {
	old := make(map[string]statement, len(have))
	for _, s := range have {
		old[s.name] = s
	}
	for _, s := range want {
		if was, ok := old[s.name]; !ok || !same(was, s) {
			s.xml(b, ` nc:operation="replace"`)
		}
		delete(old, s.name)
	}
	for _, s := range have {
		if _, gone := old[s.name]; gone {
			statement{word: s.word, name: s.name}.xml(b, ` nc:operation="delete"`)
		}
	}
}

// same says whether two statements are written alike.
func same(a, b statement) bool {
	return a.word == b.word && a.name == b.name && a.value == b.value && a.form == b.form && slices.Equal(a.values, b.values) && slices.EqualFunc(a.body, b.body, same)
}
