package gnmi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	gpb "github.com/openconfig/gnmi/proto/gnmi"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
)

// edit is what a Set does.
type edit struct {
	remove  []set
	replace []set   // with values as they are sent
	entries []entry // of other sets, which are both there and wanted
}

// entry is one entry of a set. Without a value it is deleted.
type entry struct {
	set    set
	number string
	value  json.RawMessage
}

func (e entry) path() *gpb.Path {
	p := e.set.path()
	p.Elem = append(p.Elem, &gpb.PathElem{Name: "acl-entries"}, &gpb.PathElem{Name: "acl-entry", Key: map[string]string{"sequence-id": e.number}})
	return p
}

// editOf returns what leads from a device that has these sets to what c desires of the filters in its steps; written is what they become.
func editOf(have []set, c device.Change, written []set) edit {
	e := edit{replace: written}
	stays := map[string]bool{}
	for _, s := range written {
		stays[s.key()] = true
	}
	touched := map[string]bool{}
	for _, step := range c.Steps {
		touched[step.Filter.Name] = true
	}
	for _, s := range have {
		if touched[s.name] && !stays[s.key()] {
			e.remove = append(e.remove, s)
		}
	}
	return e
}

// narrowed returns e with those sets told entry by entry of which have has all but a few. have is what the device holds, as it is understood.
func (a *Adapter) narrowed(e edit, have []filter.Filter) (edit, error) {
	out := edit{remove: e.remove}
	for _, s := range e.replace {
		old, ok := a.understood(have, s)
		if !ok {
			out.replace = append(out.replace, s)
			continue
		}
		entries, whole, err := between(old, s)
		if err != nil {
			return e, err
		}
		if whole {
			out.replace = append(out.replace, s)
			continue
		}
		out.entries = append(out.entries, entries...)
	}
	return out, nil
}

// understood returns the set of have that stands where s does, as the dialect writes it. It is false where there is none, or where another hand made of it what we do not understand.
func (a *Adapter) understood(have []filter.Filter, s set) (set, bool) {
	for _, f := range have {
		if f.Name == s.name && typeOf(f.Version) == s.kind {
			old, err := a.rendered(f)
			return old, err == nil
		}
	}
	return set{}, false
}

// between returns the entries that lead from have to want, which bear one name. whole says that the set is replaced with less.
func between(have, want set) (out []entry, whole bool, err error) {
	old, _, err := have.entries()
	if err != nil {
		return nil, false, err
	}
	values, numbers, err := want.entries()
	if err != nil {
		return nil, false, err
	}
	for _, number := range numbers {
		if was, there := old[number]; there && bytes.Equal(was, values[number]) {
			delete(old, number)
			continue
		}
		delete(old, number)
		value, err := outermost(values[number])
		if err != nil {
			return nil, false, err
		}
		out = append(out, entry{want, number, value})
	}
	for _, number := range slices.Sorted(maps.Keys(old)) {
		out = append(out, entry{want, number, nil})
	}
	return out, len(out) > len(numbers), nil
}

// entries returns the entries of a set that we wrote by their numbers, and these in the order in which they stand.
func (s set) entries() (values map[string]json.RawMessage, numbers []string, err error) {
	o, err := asObject(s.value)
	if err != nil {
		return nil, nil, err
	}
	in, err := o.object("acl-entries")
	if err != nil {
		return nil, nil, err
	}
	list, err := in.items("acl-entry")
	if err != nil {
		return nil, nil, err
	}
	values = make(map[string]json.RawMessage, len(list))
	for _, value := range list {
		o, err := asObject(value)
		if err != nil {
			return nil, nil, err
		}
		number, err := o.word("sequence-id")
		if err != nil {
			return nil, nil, err
		}
		values[number], numbers = value, append(numbers, number)
	}
	return values, numbers, nil
}

// back returns what leads back to a device that has these sets, from whatever e left of them.
func (e edit) back(have []set) (out edit, err error) {
	was := map[string]bool{}
	for _, s := range have {
		was[s.key()] = true
	}
	touched := map[string]bool{}
	for _, one := range e.entries {
		touched[one.set.name] = true
	}
	for _, s := range slices.Concat(e.remove, e.replace) {
		touched[s.name] = true
		if !was[s.key()] {
			out.remove = append(out.remove, s)
		}
	}
	for _, s := range have {
		if !touched[s.name] {
			continue
		}
		if s.value, err = outermost(s.value); err != nil {
			return out, fmt.Errorf("%s: %w", s.name, err)
		}
		out.replace = append(out.replace, s)
	}
	return out, nil
}

// text is what people see of e.
func (e edit) text() ([]byte, error) {
	type replacement struct {
		Path  string          `json:"path"`
		Value json.RawMessage `json:"value"`
	}
	var out struct {
		Delete  []string      `json:"delete,omitempty"`
		Replace []replacement `json:"replace,omitempty"`
	}
	word := func(s set) string { return fmt.Sprintf("/acl/acl-sets/acl-set[name=%s][type=%s]", s.name, s.kind) }
	for _, s := range e.remove {
		out.Delete = append(out.Delete, word(s))
	}
	for _, s := range e.replace {
		out.Replace = append(out.Replace, replacement{word(s), s.value})
	}
	return json.MarshalIndent(out, "", "  ")
}
