package openconfig

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// Parse reads the filters that bear our mark, in the order of their names: from the JSON or the XML of Render, or from a reply to gNMI's Get of the
// root or to <get-config>. Sets of other names are passed over, and so are containers of operational state. Inside ours, everything must be
// understood: an entry with a leaf that is not, or a set that does not end by accepting the rest, is a *filter.ForeignError that names it.
func (Dialect) Parse(b []byte) ([]filter.Filter, error) {
	acls, err := read(b)
	if err != nil {
		return nil, err
	}
	var out []filter.Filter
	var errs []error
	seen := map[string]bool{}
	for _, acl := range acls {
		for _, sets := range acl.all("acl-sets") {
			for _, set := range sets.all("acl-set") {
				f, ours, err := readSet(set)
				if !ours {
					continue
				}
				if seen[f.Name] {
					err = errors.Join(err, errors.New("it is there twice"))
				}
				seen[f.Name] = true
				if err != nil {
					errs = append(errs, fmt.Errorf("filter %s: %w", f.Name, err))
					f = filter.Filter{Name: f.Name, Version: f.Version}
				}
				out = append(out, f)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b filter.Filter) int { return cmp.Compare(a.Name, b.Name) })
	if len(errs) > 0 {
		return nil, &filter.ForeignError{Filters: out, Err: errors.Join(errs...)}
	}
	return out, nil
}

// all returns the elements of that name inside e.
func (e *element) all(name string) []*element {
	var out []*element
	for _, k := range e.body {
		if k.name == name {
			out = append(out, k)
		}
	}
	return out
}

// text returns the value of the leaf of that name, "" where there is none.
func (e *element) text(name string) string {
	for _, k := range e.body {
		if k.name == name && k.leaf {
			return k.value
		}
	}
	return ""
}

// each calls do for every element of e but operational state, and says which one was not understood. Only names of lists may come again.
func (e *element) each(lists []string, do func(*element) error) error {
	seen := map[string]bool{}
	for _, k := range e.body {
		if k.name == "state" {
			continue
		}
		err := error(nil)
		if seen[k.name] && !slices.Contains(lists, k.name) {
			err = errors.New("it is there twice")
		} else {
			err = do(k)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", k.name, err)
		}
		seen[k.name] = true
	}
	return nil
}

var errUnknown = errors.New("sluice writes no such thing")

// readSet reads one set, and says whether it is ours.
func readSet(set *element) (f filter.Filter, ours bool, err error) {
	name, kind := set.text("name"), strings.TrimPrefix(set.text("type"), aclModule+":")
	if !strings.HasPrefix(name, filter.Mark) {
		return f, false, nil
	}
	f = filter.Filter{Name: name, Placement: filter.Alone}
	switch kind {
	case aclIPv4:
		f.Version = packet.IPv4
	case aclIPv6:
		f.Version = packet.IPv6
	default:
		return f, true, fmt.Errorf("sluice makes no sets of type %q", kind)
	}
	var entries []numbered
	err = set.each(nil, func(k *element) error {
		switch k.name {
		case "name", "type":
			return nil
		case "config":
			return k.each(nil, func(k *element) error {
				if k.name == "name" && k.value == name || k.name == "type" && strings.TrimPrefix(k.value, aclModule+":") == kind {
					return nil
				}
				return fmt.Errorf("%q: %w", k.value, errUnknown)
			})
		case "acl-entries":
			return k.each([]string{"acl-entry"}, func(k *element) error {
				if k.name != "acl-entry" {
					return errUnknown
				}
				e, err := readEntry(k, f.Version)
				entries = append(entries, e)
				if err != nil {
					return fmt.Errorf("sequence-id %s: %w", k.text("sequence-id"), err)
				}
				return nil
			})
		}
		return errUnknown
	})
	if err != nil {
		return f, true, err
	}
	f.Entries, err = inOrder(entries)
	return f, true, err
}

// numbered is an entry with its number.
type numbered struct {
	filter.Entry
	sequence uint64
}

// inOrder puts entries in the order of their numbers, and takes the last off, which has to accept the rest.
func inOrder(entries []numbered) ([]filter.Entry, error) {
	slices.SortStableFunc(entries, func(a, b numbered) int { return cmp.Compare(a.sequence, b.sequence) })
	names := map[string]bool{}
	var out []filter.Entry
	for i, e := range entries {
		if i > 0 && entries[i-1].sequence == e.sequence {
			return nil, fmt.Errorf("sequence-id %d is there twice", e.sequence)
		}
		if names[e.Name] {
			return nil, fmt.Errorf("two entries are named %s", e.Name)
		}
		names[e.Name] = true
		out = append(out, e.Entry)
	}
	n := len(out) - 1
	if n < 0 || out[n].Name != restName {
		return nil, fmt.Errorf("its last entry is not %s", restName)
	}
	if rest := out[n]; rest.Do.Discard || rest.Counter != "" || !everything(rest.Match) {
		return nil, fmt.Errorf("%s does not accept everything", restName)
	}
	return out[:n], nil
}

// everything says whether m has no condition but prefixes of all addresses.
func everything(m filter.Match) bool {
	if m.Src != nil && m.Src.Bits() > 0 || m.Dst != nil && m.Dst.Bits() > 0 {
		return false
	}
	return m.Proto == nil && !m.Transport() && m.Length == nil && m.DSCP == nil && m.Label == nil && m.Fragments == 0
}

// readEntry reads one entry.
func readEntry(entry *element, v packet.Version) (out numbered, err error) {
	r := reading{v: v}
	number := entry.text("sequence-id")
	if out.sequence, err = strconv.ParseUint(number, 10, 32); err != nil {
		return out, fmt.Errorf("%q is no number", number)
	}
	action, described := "", ""
	err = entry.each(nil, func(k *element) error {
		switch {
		case k.name == "sequence-id":
			return nil
		case k.name == "config":
			return k.each(nil, func(k *element) error {
				switch {
				case k.name == "description":
					described = k.value
					return nil
				case k.name == "sequence-id" && k.value == number:
					return nil
				}
				return fmt.Errorf("%q: %w", k.value, errUnknown)
			})
		case k.name == "ipv4" && v == packet.IPv4, k.name == "ipv6" && v == packet.IPv6:
			return k.each(nil, r.family)
		case k.name == "transport":
			return inConfig(k, []string{"explicit-tcp-flags"}, r.transportLeaf)
		case k.name == "actions":
			return inConfig(k, nil, func(k *element) error {
				value := strings.TrimPrefix(k.value, aclModule+":")
				if k.name == "forwarding-action" && (value == "ACCEPT" || value == "DROP") {
					action = value
					return nil
				}
				if k.name == "log-action" && value == "LOG_NONE" { // the default
					return nil
				}
				return fmt.Errorf("%q: %w", k.value, errUnknown)
			})
		case len(k.body) == 0 && !k.leaf:
			return nil // an empty container
		}
		return errUnknown
	})
	if err != nil {
		return out, err
	}
	if action == "" {
		return out, errors.New("it has no forwarding-action")
	}
	out.Do.Discard, out.Place = action == "DROP", uint32(out.sequence)
	if err := out.named(described); err != nil {
		return out, err
	}
	out.Match, err = r.match()
	return out, err
}

// named takes the names out of a description.
func (e *numbered) named(described string) error {
	name, counter, found := strings.Cut(described, counterWord)
	err := checkName(name)
	if found {
		err = errors.Join(err, checkName(counter))
	}
	if err != nil {
		return fmt.Errorf("description %q: want the name of the entry, and of its counter: %w", described, err)
	}
	e.Name, e.Counter = name, counter
	e.Rule = filter.RuleOf(name)
	return nil
}

// inConfig calls do for each leaf of the container config of e, which has nothing else.
func inConfig(e *element, lists []string, do func(*element) error) error {
	return e.each(nil, func(k *element) error {
		if k.name != "config" {
			return errUnknown
		}
		return k.each(lists, do)
	})
}
