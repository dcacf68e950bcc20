package sros

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// Parse reads the filters that bear our mark, in the order of their names: from the XML of Render or of a reply to <get-config>, or from the text of `info`, at the root (which
// `admin show configuration` prints as well) or in `configure filter`. Objects of other names are passed over, and so is a policer that no filter of ours uses. Inside ours, everything must be
// understood and stand where Render puts it: an entry at another number, without its description, or with a condition that is not understood is a *filter.ForeignError
// that names it.
//
// A configuration group can add statements to filters without their showing any of it. One that is applied to the configuration or under `filter`, and holds filters or
// policers that may be ours, is an error; what is applied and not shown may hold them.
func (Dialect) Parse(b []byte) ([]filter.Filter, error) {
	r := reader{policers: map[string]*node{}}
	if trimmed := bytes.TrimSpace(b); bytes.HasPrefix(trimmed, []byte("<")) {
		root, err := readXML(trimmed)
		if err != nil {
			return nil, err
		}
		if err := r.outer(root); err != nil {
			return nil, err
		}
		return r.finish()
	}
	root, err := readText(string(b))
	if err != nil {
		return nil, err
	}
	if err := r.outer(root); err != nil {
		return nil, err
	}
	if root.kid("configure") == nil {
		r.filter(root)
	}
	return r.finish()
}

func marked(name string) bool { return strings.HasPrefix(name, filter.Mark) }

// reader collects our objects.
type reader struct {
	filters  []*node
	policers map[string]*node
	errs     []error // about objects that are no filters
}

// outer takes what stands around the configuration.
func (r *reader) outer(n *node) error {
	for _, k := range n.kids {
		switch k.name {
		case "rpc-reply", "data", "config":
			if err := r.outer(k); err != nil {
				return err
			}
		case "rpc-error":
			return errors.New("the reply is an error, not a configuration")
		case "configure":
			if err := reaching(k); err != nil {
				return err
			}
			for _, f := range k.kids {
				if f.name == "filter" {
					r.filter(f)
				}
			}
		}
	}
	return nil
}

// filter takes what stands under `configure filter`.
func (r *reader) filter(n *node) {
	for _, k := range n.kids {
		if k.flaw == "" && len(k.words) == 0 && len(k.kids) == 0 || len(k.words) == 0 || !marked(k.words[0]) {
			continue
		}
		name := k.words[0]
		switch k.name {
		case "policer":
			if r.policers[name] != nil {
				k.flaw = "of another policer by its name" // seen by strange
			}
			r.policers[name] = k
		case "ip-filter", "ipv6-filter":
			r.filters = append(r.filters, k)
		default:
			r.errs = append(r.errs, k.errorf("%s bears our mark, but sluice makes no such object", name))
		}
	}
}

// finish makes the filters.
func (r *reader) finish() ([]filter.Filter, error) {
	slices.SortStableFunc(r.filters, func(a, b *node) int {
		return cmp.Or(strings.Compare(a.words[0], b.words[0]), strings.Compare(a.name, b.name))
	})
	var out []filter.Filter
	errs := r.errs
	for i, n := range r.filters {
		f := filter.Filter{Name: n.words[0], Version: packet.IPv4}
		if n.name == "ipv6-filter" {
			f.Version = packet.IPv6
		}
		if i > 0 && n.name == r.filters[i-1].name && n.words[0] == r.filters[i-1].words[0] {
			errs = append(errs, n.errorf("%s stands there twice", f.Name))
			out[len(out)-1] = f
			continue
		}
		read, err := r.readFilter(n, f)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s %s: %w", n.name, f.Name, err))
			read = f
		}
		out = append(out, read)
	}
	if len(errs) > 0 {
		return nil, &filter.ForeignError{Filters: out, Err: errors.Join(errs...)}
	}
	return out, nil
}

// readFilter makes one filter, whose name and version f has.
func (r *reader) readFilter(n *node, f filter.Filter) (filter.Filter, error) {
	if err := n.strange(); err != nil {
		return f, err
	}
	if _, err := n.value(); err != nil {
		return f, err
	}
	leaves := map[string]string{"default-action": "drop", "scope": "template", "type": "normal"} // the defaults of the model
	var entries []numbered
	err := n.body(func(k *node) error {
		if k.name == "entry" {
			e, err := readEntry(k, f.Version)
			entries = append(entries, e)
			return err
		}
		if _, ours := leaves[k.name]; !ours {
			return k.foreign()
		}
		value, err := k.leaf()
		leaves[k.name] = value
		return err
	})
	if err != nil {
		return f, err
	}
	for placement, scope := range scopes {
		if leaves["scope"] == scope {
			f.Placement = placement
		}
	}
	if f.Placement == "" || leaves["default-action"] != "accept" || leaves["type"] != filterType {
		return f, fmt.Errorf("scope %s, type %s, default-action %s: not as sluice writes it", leaves["scope"], leaves["type"], leaves["default-action"])
	}
	if f.Entries, err = join(entries, f.Version); err != nil {
		return f, err
	}
	if f.Policers, err = r.used(f.Entries); err != nil {
		return f, err
	}
	return f, f.Check()
}

// used returns the policers that entries name, in the order of their use.
func (r *reader) used(entries []filter.Entry) ([]filter.Policer, error) {
	var out []filter.Policer
	seen := map[string]bool{}
	for _, e := range entries {
		name := e.Do.Policer
		if name == "" || seen[name] {
			continue
		}
		seen[name] = true
		n := r.policers[name]
		if n == nil {
			return nil, fmt.Errorf("policer %s is used and not there", name)
		}
		p, err := readPolicer(n)
		if err != nil {
			return nil, fmt.Errorf("policer %s: %w", name, err)
		}
		out = append(out, p)
	}
	return out, nil
}

// reaching says which group that is applied to the configuration or to its filters reaches into our objects.
func reaching(configure *node) error {
	applied := appliedIn(configure)
	for _, k := range configure.kids {
		if k.name == "filter" {
			applied = append(applied, appliedIn(k)...)
		}
	}
	groups := configure.kid("groups")
	for i := 0; i < len(applied); i++ { // grows, if groups apply groups
		var group *node
		for _, g := range kidsOf(groups) {
			if g.name == "group" && len(g.words) == 1 && g.words[0] == applied[i] {
				group = g
			}
		}
		if group == nil {
			return fmt.Errorf("group %s is applied and not shown: it may add to our filters what does not show", applied[i])
		}
		for _, f := range group.kids {
			for _, object := range f.kids {
				if f.name == "filter" && len(object.words) > 0 && pattern(object.words[0]) {
					return fmt.Errorf("group %s has %s %q, which may add to our filters what does not show: name the objects it is for, or take it off", applied[i], object.name, object.words[0])
				}
			}
		}
		for _, name := range appliedIn(group) {
			if !slices.Contains(applied, name) {
				applied = append(applied, name)
			}
		}
	}
	return nil
}

// appliedIn returns the groups that are applied just there.
func appliedIn(n *node) []string {
	var out []string
	for _, k := range n.kids {
		if k.name == "apply-groups" {
			out = append(out, k.words...)
		}
	}
	return out
}

func kidsOf(n *node) []*node {
	if n == nil {
		return nil
	}
	return n.kids
}
