package eos

import (
	"errors"
	"fmt"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// Parse reads the filters that bear our mark, in the order of their policies, IPv4 first: from the commands of Render, or from the text of
// `show running-config`, whole or its section traffic-policies. Policies and field sets of other names are passed over. Inside ours,
// everything must be understood: a match with a condition that is not, or a part for later fragments that is not what the entries ask for, is a
// *filter.ForeignError that names it. A policy without any match of an IP version holds no filter of that version.
func (Dialect) Parse(b []byte) ([]filter.Filter, error) {
	root, err := read(b)
	if err != nil {
		return nil, err
	}
	r := reader{seen: map[string]bool{}}
	for _, n := range root.body {
		if n.is("traffic-policies") && len(n.words) == 1 {
			for _, k := range n.body {
				r.object(k)
			}
		}
	}
	if len(r.errs) > 0 {
		return nil, &filter.ForeignError{Filters: r.filters, Err: errors.Join(r.errs...)}
	}
	return r.filters, nil
}

// reader gathers filters. What is not understood is noted, and the rest read on.
type reader struct {
	filters []filter.Filter
	seen    map[string]bool
	errs    []error
}

func marked(name string) bool { return strings.HasPrefix(name, filter.Mark) }

// object takes one statement of `traffic-policies`.
func (r *reader) object(n *node) {
	last := n.words[len(n.words)-1]
	switch {
	case n.is("traffic-policy") && len(n.words) == 2:
		if marked(last) {
			r.policy(n, last)
		}
	case marked(last):
		r.errs = append(r.errs, n.error(fmt.Errorf("%s bears our mark, but sluice makes no such object", n)))
	}
}

// policy takes one traffic policy of ours.
func (r *reader) policy(n *node, name string) {
	base, ok := strings.CutSuffix(name, "-in")
	switch {
	case !ok || !strings.HasPrefix(base+"-v4", filter.Mark):
		r.errs = append(r.errs, n.error(fmt.Errorf("traffic-policy %s bears our mark, but sluice makes none of that name", name)))
		return
	case r.seen[name]:
		r.errs = append(r.errs, n.error(fmt.Errorf("traffic-policy %s is there twice", name)))
		return
	}
	r.seen[name] = true
	lists := map[packet.Version]*readFilter{}
	var faults []error // of the policy as a whole
	for _, k := range n.body {
		if err := collect(lists, k); err != nil {
			faults = append(faults, k.error(fmt.Errorf("traffic-policy %s: %w", name, err)))
		}
	}
	if len(lists) == 0 && len(faults) == 0 {
		faults = append(faults, n.error(fmt.Errorf("traffic-policy %s has no match", name)))
	}
	r.errs = append(r.errs, faults...)
	for _, v := range []packet.Version{packet.IPv4, packet.IPv6} {
		list := lists[v]
		if list == nil {
			continue
		}
		f := filter.Filter{Name: base + "-v" + version(v), Version: v}
		got, err := list.finish(f)
		if err != nil {
			r.errs = append(r.errs, fmt.Errorf("filter %s: %w", f.Name, err))
		}
		if err != nil || len(faults) > 0 {
			got = f
		}
		r.filters = append(r.filters, got)
	}
}

// collect sorts one statement of a policy to the filters.
func collect(lists map[packet.Version]*readFilter, n *node) error {
	switch {
	case n.is("counter") && len(n.words) > 1 && len(n.body) == 0:
		return nil // a counter that is not declared is one that no match counts with
	case n.is("match") && len(n.words) == 3 && n.words[2] == "ipv4":
		return add(lists, packet.IPv4, n)
	case n.is("match") && len(n.words) == 3 && n.words[2] == "ipv6":
		return add(lists, packet.IPv6, n)
	}
	return fmt.Errorf("%q is not understood", n)
}

func add(lists map[packet.Version]*readFilter, v packet.Version, n *node) error {
	l := lists[v]
	if l == nil {
		l = &readFilter{version: v, names: map[string]bool{}}
		lists[v] = l
	}
	l.take(n)
	return nil
}

// readFilter is the matches of one IP version as they come in.
type readFilter struct {
	version packet.Version
	names   map[string]bool
	early   filter.Filter // the part for later fragments
	late    filter.Filter // the entries
	ended   bool          // the default was there
	errs    []error
}

// take takes one match.
func (l *readFilter) take(n *node) {
	name := n.words[1]
	fault := func(err error) { l.errs = append(l.errs, n.error(fmt.Errorf("match %s: %w", name, err))) }
	switch {
	case l.names[name]:
		fault(errors.New("it is there twice"))
		return
	case l.ended:
		fault(errors.New("it stands behind the default"))
		return
	}
	l.names[name] = true
	if name == restMark+version(l.version)+"-all-default" {
		if l.ended = true; len(n.body) > 0 {
			fault(fmt.Errorf("%q: the default of our policy lets everything pass", n.body[0]))
		}
		return
	}
	e, p, err := readMatch(n, l.version)
	if err != nil {
		fault(err)
		return
	}
	into := &l.late
	if strings.HasPrefix(name, laterMark) {
		if into = &l.early; len(l.late.Entries) > 0 {
			fault(errors.New("the part for later fragments stands in front of the entries"))
		}
	} else if err := checkEntryName(name); err != nil {
		fault(err)
	}
	into.Entries = append(into.Entries, e)
	if p != nil {
		into.Policers = append(into.Policers, *p)
	}
}

// finish makes the filter, and proves that its part for later fragments is the one that its entries ask for.
func (l *readFilter) finish(f filter.Filter) (filter.Filter, error) {
	if len(l.errs) > 0 {
		return filter.Filter{}, errors.Join(l.errs...)
	}
	f.Placement, f.Entries, f.Policers = filter.Alone, l.late.Entries, l.late.Policers
	if len(l.early.Entries) > 0 {
		for i := range f.Entries { // one that has no copy sees packets at offset zero only
			if m := &f.Entries[i].Match; m.Fragments == 0 && !l.names[laterMark+f.Entries[i].Name] {
				m.Fragments = packet.OffsetZero
			}
		}
	}
	want, err := later(f)
	if err != nil {
		return filter.Filter{}, err
	}
	asked := filter.Filter{Name: f.Name, Version: f.Version, Entries: want, Policers: policersOf(want, f.Policers)}
	found := filter.Filter{Name: f.Name, Version: f.Version, Entries: l.early.Entries, Policers: l.early.Policers}
	if err := filter.Same(asked, found, Dialect{}.Semantics()); err != nil {
		return filter.Filter{}, fmt.Errorf("the part for later fragments is not what the entries ask for: %w", err)
	}
	return f, nil
}

// policersOf returns those of policers that entries use.
func policersOf(entries []filter.Entry, policers []filter.Policer) []filter.Policer {
	used := map[string]bool{}
	for _, e := range entries {
		used[e.Do.Policer] = true
	}
	var out []filter.Policer
	for _, p := range policers {
		if used[p.Name] {
			out = append(out, p)
		}
	}
	return out
}

// readMatch reads one match; its policer is nil where it has none.
func readMatch(n *node, v packet.Version) (filter.Entry, *filter.Policer, error) {
	m := reading{v: v}
	e := filter.Entry{Name: n.words[1]}
	e.Rule = filter.RuleOf(e.Name)
	var policer *filter.Policer
	acted := false
	for _, k := range n.body {
		var err error
		switch {
		case acted:
			err = errors.New("a condition behind the actions")
		case k.is("actions") && len(k.words) == 1:
			acted = true
			policer, err = readActions(&e, k.body, v)
		case len(k.body) > 0:
			err = errors.New("something stands inside it")
		default:
			err = m.condition(k)
		}
		if err != nil {
			return e, nil, k.error(fmt.Errorf("%s: %w", k, err))
		}
	}
	if m.conditions == 0 {
		return e, nil, errors.New("it has no condition, and what it takes is not documented")
	}
	var err error
	e.Match, err = m.match()
	return e, policer, err
}
