package junos

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// Parse reads the filters that bear our mark, in the order of their names: from the XML of Render or of a reply to <get-config>, or from
// the text of `show configuration` or `show configuration firewall`. Objects of other names are passed over. Inside ours, everything
// must be understood: a term with a condition that is not, a deactivated one, or one that two statements contradict is a
// *filter.ForeignError that names it. A policer that no filter of ours uses is passed over as well.
//
// A configuration group can add statements to filters without their showing any of it. One that is applied under `firewall` is an error;
// one that is applied to the whole configuration is not seen. A configuration in which inherited statements stand in their places (display
// inheritance, <get-configuration inherit="inherit">) shows them, and no group.
func (d Dialect) Parse(b []byte) ([]filter.Filter, error) {
	r := reader{instances: d.instances, filters: map[string]*readFilter{}, policers: map[string]*readPolicer{}}
	if err := read(b, "firewall", r.line); err != nil {
		return nil, err
	}
	var out []filter.Filter
	errs := r.errs
	for _, name := range slices.Sorted(maps.Keys(r.filters)) {
		rf := r.filters[name]
		f, err := rf.finish(r.policers)
		if err != nil {
			errs = append(errs, err)
			f = filter.Filter{Name: rf.name, Version: rf.version}
		}
		out = append(out, f)
	}
	if len(errs) > 0 {
		err := errors.Join(errs...)
		return nil, &filter.ForeignError{Filters: out, Deactivated: errors.Is(err, errDeactivated), Err: err}
	}
	return out, nil
}

// read calls do for each statement under section, whichever form b has.
func read(b []byte, section string, do func(line) error) error {
	if trimmed := bytes.TrimSpace(b); bytes.HasPrefix(trimmed, []byte("<")) {
		return readXML(trimmed, section, do)
	}
	return readText(string(b), section, do)
}

// reader sorts lines to the objects that they belong to. What is not understood is noted with the object, and the rest read on.
type reader struct {
	instances filter.Instances
	filters   map[string]*readFilter
	policers  map[string]*readPolicer
	errs      []error // about objects that are neither
}

// line takes one statement under `firewall`.
func (r *reader) line(l line) error {
	w := l.words
	switch {
	case groups(w):
		return l.error(fmt.Errorf("%s: a group may add to our filters what does not show; apply it elsewhere, or read the configuration with what is inherited", strings.Join(w, " ")))
	case len(w) >= 4 && w[0] == "family" && w[2] == "filter" && marked(w[3]):
		r.filter(w[1], w[3], w[4:], l)
	case len(w) >= 2 && w[0] == "policer" && marked(w[1]):
		r.policer(w[1], w[2:], l)
	case len(w) >= 2 && marked(w[1]):
		r.errs = append(r.errs, l.error(fmt.Errorf("%s %s bears our mark, but sluice makes no such object there", w[0], w[1])))
	case len(w) >= 4 && w[0] == "family" && marked(w[3]):
		r.errs = append(r.errs, l.error(fmt.Errorf("%s bears our mark, but sluice makes no such object", strings.Join(w[:4], " "))))
	}
	return nil
}

// groups says whether w applies a group to a part of `firewall` that our objects are in.
func groups(w []string) bool {
	n := slices.Index(w, "apply-groups")
	return n == 0 || n == 1 && w[0] == "family" || n == 2 && w[0] == "family" && (w[1] == "inet" || w[1] == "inet6")
}

func marked(name string) bool { return strings.HasPrefix(name, filter.Mark) }

func (r *reader) filter(family, name string, rest []string, l line) {
	f := r.filters[name]
	if f == nil {
		f = &readFilter{name: strings.Clone(name), family: strings.Clone(family), instances: r.instances, index: map[string]*readTerm{}}
		r.filters[f.name] = f
		switch family {
		case "inet":
			f.version = packet.IPv4
		case "inet6":
			f.version = packet.IPv6
		default:
			f.err = l.error(fmt.Errorf("filter %s: sluice makes none in family %s", name, family))
		}
	}
	if f.err != nil {
		return
	}
	err := f.line(rest, l.flaw)
	if f.family != family {
		err = fmt.Errorf("it stands in family %s and in family %s", f.family, family)
	}
	if err != nil {
		f.err = l.error(fmt.Errorf("filter %s: %w", name, err))
	}
}

func (r *reader) policer(name string, rest []string, l line) {
	p := r.policers[name]
	if p == nil {
		p = &readPolicer{leaves: map[string]string{}}
		r.policers[strings.Clone(name)] = p
	}
	if p.err != nil {
		return
	}
	err := l.flaw
	if err == nil {
		err = p.line(rest)
	}
	if err != nil {
		p.err = l.error(fmt.Errorf("policer %s: %w", name, err))
	}
}

// readFilter is a filter as its lines come in.
type readFilter struct {
	name, family string
	version      packet.Version
	instances    filter.Instances
	terms        []*readTerm
	index        map[string]*readTerm
	err          error // the first thing that was not understood
}

// line takes one statement of the filter.
func (f *readFilter) line(w []string, flaw error) error {
	if flaw != nil {
		return fmt.Errorf("%w%s", flaw, where(w))
	}
	if len(w) == 0 {
		return nil
	}
	if w[0] != "term" || len(w) < 2 {
		return fmt.Errorf("%q is not understood", strings.Join(w, " "))
	}
	t := f.index[w[1]]
	if t == nil {
		t = &readTerm{name: strings.Clone(w[1]), v: f.version, instances: f.instances, numbers: map[string]*numberList{}}
		f.index[t.name] = t
		f.terms = append(f.terms, t)
	}
	if err := t.line(w[2:]); err != nil {
		return fmt.Errorf("term %s: %w", t.name, err)
	}
	return nil
}

func where(w []string) string {
	if len(w) < 2 {
		return ""
	}
	return " (" + strings.Join(w, " ") + ")"
}

// finish makes the filter, with the policers that its terms use, in the order of their use.
func (f *readFilter) finish(policers map[string]*readPolicer) (filter.Filter, error) {
	if f.err != nil {
		return filter.Filter{}, f.err
	}
	out := filter.Filter{Name: f.name, Version: f.version, Placement: filter.Before}
	var errs []error
	used := map[string]bool{}
	for i, t := range f.terms {
		if t.name == restTerm || t.name == nothingTerm {
			alone, err := f.tail(t, i)
			if err != nil {
				errs = append(errs, err)
			}
			if alone {
				out.Placement = filter.Alone
			}
			continue
		}
		e, err := t.entry()
		if err != nil {
			errs = append(errs, fmt.Errorf("filter %s, term %s: %w", f.name, t.name, err))
			continue
		}
		out.Entries = append(out.Entries, e)
		if name := e.Do.Policer; name != "" && !used[name] {
			used[name] = true
			p, err := finishPolicer(name, policers[name])
			if err != nil {
				errs = append(errs, fmt.Errorf("filter %s: %w", f.name, err))
			}
			out.Policers = append(out.Policers, p)
		}
	}
	if len(f.terms) == 0 {
		errs = append(errs, fmt.Errorf("filter %s has no term", f.name))
	}
	return out, errors.Join(errs...)
}

// tail checks a term that is no entry, and says whether it makes the filter stand alone.
func (f *readFilter) tail(t *readTerm, i int) (alone bool, err error) {
	m, do, counter, err := t.meaning()
	if err != nil {
		return false, fmt.Errorf("filter %s, term %s: %w", f.name, t.name, err)
	}
	host := unspecified(f.version)
	last := i == len(f.terms)-1 && counter == ""
	switch {
	case t.name == restTerm && last && t.from == 0 && do == filter.Do{}:
		return true, nil
	case t.name == nothingTerm && last && t.from == 2 && m.Src != nil && m.Dst != nil && *m.Src == host && *m.Dst == host && do == filter.Do{Discard: true}:
		return false, nil
	}
	return false, fmt.Errorf("filter %s: term %s is not as sluice writes it", f.name, t.name)
}
