package iosxepolicy

import (
	"bytes"
	"fmt"

	"github.com/sluice-gateway/sluice/adapters/internal/ciscoacl"
	"github.com/sluice-gateway/sluice/adapters/iosxe"
	"github.com/sluice-gateway/sluice/core/filter"
)

// Operations of an <edit-config> (RFC 6241 section 7.2).
const (
	replaces = ` nc:operation="replace"`
	deletes  = ` nc:operation="delete"`
)

// Edit returns what stands in the <config> of an <edit-config> that leads from the policies in have to those in want. Access lists and class maps are mentioned if they differ; a policy in which anything
// changes is replaced whole, for its classes decide in their order. Of a policy that was not understood all that want has of it is written anew. It returns nil when there is nothing to do.
//
// An operation="delete" of something that is not there is an error of the device, which is what should happen when somebody else has removed it.
func (Dialect) Edit(have, want []filter.Filter) ([]byte, error) {
	before, err := objectsOf(have, true)
	if err != nil {
		return nil, fmt.Errorf("what the device has: %w", err)
	}
	after, err := objectsOf(want, false)
	if err != nil {
		return nil, err
	}
	return native(` xmlns:nc="`+ciscoacl.NETCONF+`"`, edits{
		lists:    changes(before.lists, after.lists, iosxe.ListForm().Attributes),
		classes:  changes(before.classes, after.classes, inPolicy),
		policies: changes(before.policies, after.policies, inPolicy),
	}), nil
}

// objects are the access lists, class maps and policy maps of some filters.
type objects struct{ lists, classes, policies []object }

// object is one of them, and how it is written with an operation.
type object struct {
	element, name string
	write         func(operation string) []byte
}

// objectsOf returns the objects of filters. On a device there may be one that was not understood (filter.ForeignError): it differs from whatever is wanted, and only its name is known.
func objectsOf(filters []filter.Filter, onDevice bool) (objects, error) {
	var o objects
	seen := map[string]bool{}
	for _, f := range filters {
		p, err := policyOf(f)
		switch {
		case err != nil && onDevice:
			o.policies = append(o.policies, object{element: "policy-map", name: f.Name, write: func(string) []byte { return nil }})
			continue
		case err != nil:
			return objects{}, err
		}
		o.policies = append(o.policies, object{"policy-map", p.name, p.xml})
		for _, c := range p.classes {
			if seen[c.name] {
				return objects{}, fmt.Errorf("filter %s: class %s is one of another filter too", f.Name, c.name)
			}
			seen[c.name] = true
			o.lists = append(o.lists, object{"extended", c.name, c.listXML})
			o.classes = append(o.classes, object{"class-map", c.name, c.classXML})
		}
	}
	return o, nil
}

// changes writes the objects of after that differ from those of before, and deletes those that are gone.
func changes(before, after []object, attributes string) []byte {
	old := make(map[string]object, len(before))
	for _, x := range before {
		old[x.name] = x
	}
	var out []byte
	for _, x := range after {
		if was, ok := old[x.name]; !ok || !bytes.Equal(was.write(""), x.write("")) {
			out = append(out, x.write(replaces)...)
		}
		delete(old, x.name)
	}
	for _, x := range before {
		if _, gone := old[x.name]; gone {
			out = append(out, written(container(x.element, leaf("name", x.name)), attributes+deletes)...)
		}
	}
	return out
}
