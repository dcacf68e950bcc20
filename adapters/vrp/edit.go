package vrp

import (
	"fmt"
	"slices"

	"github.com/sluice-gateway/sluice/core/filter"
)

// Operations of an <edit-config> (RFC 6241 section 7.2).
const (
	netconfNamespace = "urn:ietf:params:xml:ns:netconf:base:1.0"
	replaces         = ` nc:operation="replace"`
	deletes          = ` nc:operation="delete"`
)

// Edit returns what stands in the <config> of an <edit-config> that leads from the filters in have to those in want. Of objects that are in both only the lines are mentioned
// that differ: entries keep their places, and new ones get places between their neighbours. Where one of the filters was not understood, the policy and all that belongs to
// want are replaced whole. It returns nil when there is nothing to do.
//
// An operation="delete" of something that is not there is an error of the device, which is what should happen when somebody else has removed it.
func (d Dialect) Edit(have, want []filter.Filter) ([]byte, error) {
	before, understood := config{}, true
	held := map[string]filter.Filter{}
	for _, f := range have {
		c, _, err := configOf(f)
		if err != nil { // another hand was there (filter.ForeignError), and it differs from whatever is wanted
			understood = false
			continue
		}
		held[f.Name] = f
		if err := before.join(c); err != nil {
			return nil, err
		}
	}
	var after config
	for _, f := range want {
		if old, ok := held[f.Name]; ok && understood {
			f = keep(old, f)
		}
		c, _, err := configOf(f)
		if err != nil {
			return nil, err
		}
		if err := after.join(c); err != nil {
			return nil, fmt.Errorf("filter %s: %w", f.Name, err)
		}
	}
	if !understood {
		before = before.without(have, want)
	}
	var t tree
	t.lists(before.lists, after.lists)
	t.classes = changes(before.classes, after.classes, classifier.element, func(k classifier) element { return container("traffic-classifier", leaf("name", k.name)) })
	t.behaviors = changes(before.behaviors, after.behaviors, behavior.element, func(a behavior) element { return container("traffic-behavior", leaf("name", a.name)) })
	t.policies = policyChanges(before.policies, after.policies)
	return t.bytes(` xmlns:nc="` + netconfNamespace + `"`), nil
}

// join adds the objects of another filter; behaviors and the policy may be shared.
func (c *config) join(o config) error {
	c.lists, c.classes = append(c.lists, o.lists...), append(c.classes, o.classes...)
	have := make(map[string]behavior, len(c.behaviors))
	for _, a := range c.behaviors {
		have[a.name] = a
	}
	for _, a := range o.behaviors {
		switch b, ok := have[a.name]; {
		case !ok:
			c.behaviors = append(c.behaviors, a)
		case a != b || a.cir > 0:
			return fmt.Errorf("policer %s stands in another filter too, and each would have a bucket of its own", a.name)
		}
	}
	for _, p := range o.policies {
		if i := slices.IndexFunc(c.policies, func(q policy) bool { return q.name == p.name }); i >= 0 {
			c.policies[i].nodes = append(c.policies[i].nodes, p.nodes...)
		} else {
			c.policies = append(c.policies, p)
		}
	}
	return nil
}

// without returns nothing that could be taken to be on the device: one of the filters in have was not understood, and the other shares its policy. What is deleted are policies
// that want has no filter of.
func (c config) without(have, want []filter.Filter) config {
	var out config
	wanted := map[string]bool{}
	for _, f := range want {
		if n, err := namesOf(f); err == nil {
			wanted[n.policy()] = true
		}
	}
	for _, f := range have {
		n, err := namesOf(f)
		if err == nil && !wanted[n.policy()] && !slices.ContainsFunc(out.policies, func(p policy) bool { return p.name == n.policy() }) {
			out.policies = append(out.policies, policy{name: n.policy()})
		}
	}
	return out
}

// changes returns what leads from before to after: those that are new or differ, whole, and the names of those that are gone.
func changes[T comparable](before, after []T, whole, named func(T) element) []element {
	key := func(x T) string { return named(x).body[0].value }
	old := make(map[string]T, len(before))
	for _, x := range before {
		old[key(x)] = x
	}
	kept := make(map[string]bool, len(after))
	var out []element
	for _, x := range after {
		kept[key(x)] = true
		if was, ok := old[key(x)]; !ok || was != x {
			out = append(out, whole(x).with(replaces))
		}
	}
	for _, x := range before {
		if !kept[key(x)] {
			out = append(out, named(x).with(deletes))
		}
	}
	return out
}

// lists adds what leads from one set of access lists to another; of those in both, the lines that differ.
func (t *tree) lists(before, after []list) {
	old := make(map[string]list, len(before))
	for _, l := range before {
		old[l.name] = l
	}
	kept := make(map[string]bool, len(after))
	for _, l := range after {
		kept[l.name] = true
		was, ok := old[l.name]
		if !ok {
			t.list(l.v, l.element().with(replaces))
			continue
		}
		whole := func(r rule) element { return r.element(l.v) }
		named := func(r rule) element { return container("rule-advance", leaf("name", r.name)) }
		if lines := changes(was.rules, l.rules, whole, named); len(lines) > 0 {
			t.list(l.v, container(groupElement(l.v), leaf("identity", l.name), container("rule-advances", lines...)))
		}
	}
	for _, l := range before {
		if !kept[l.name] {
			t.list(l.v, container(groupElement(l.v), leaf("identity", l.name)).with(deletes))
		}
	}
}

// policyChanges returns what leads from one set of policies to another; of those in both, the nodes that differ.
func policyChanges(before, after []policy) []element {
	var out []element
	find := func(ps []policy, name string) *policy {
		for i := range ps {
			if ps[i].name == name {
				return &ps[i]
			}
		}
		return nil
	}
	for _, p := range after {
		was := find(before, p.name)
		if was == nil {
			out = append(out, p.element().with(replaces))
			continue
		}
		nodes := changes(was.nodes, p.nodes, node.element, func(n node) element { return container("policy-node", leaf("classifier-name", n.class)) })
		if len(nodes) > 0 {
			out = append(out, container("traffic-policy", leaf("name", p.name), container("policy-nodes", nodes...)))
		}
	}
	for _, p := range before {
		if find(after, p.name) == nil {
			out = append(out, container("traffic-policy", leaf("name", p.name)).with(deletes))
		}
	}
	return out
}
