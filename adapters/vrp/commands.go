package vrp

import (
	"fmt"

	"github.com/sluice-gateway/sluice/core/filter"
)

// Commands returns what is typed in the system view, in two-stage mode, to lead from the filters in have to those in want, both complete; nil when there is nothing to do. Of access lists and policies that are in both only the
// lines are typed that differ; classifiers and behaviors that differ are made anew. VRP refuses to delete what something else refers to, so references go first and come last. It leads back to the system view.
//
// Where one of the filters was not understood nothing is typed: what another hand put beside our lines would stay, since VRP has no word for "replace".
func (d Dialect) Commands(have, want []filter.Filter) ([]string, error) {
	var before, after config
	held := map[string]filter.Filter{}
	for _, f := range have {
		c, _, err := configOf(f)
		if err != nil {
			return nil, fmt.Errorf("filter %s holds what is not understood, and a terminal of VRP cannot replace it: put it right by hand, or deliver over NETCONF: %w", f.Name, err)
		}
		held[f.Name] = f
		if err := before.join(c); err != nil {
			return nil, err
		}
	}
	for _, f := range want {
		if old, ok := held[f.Name]; ok {
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
	classes := compare(before.classes, after.classes, func(k classifier) string { return k.name })
	behaviors := compare(before.behaviors, after.behaviors, func(a behavior) string { return a.name })
	var t typist
	t.release(before.policies, after.policies, classes, behaviors)
	for _, k := range classes.gone {
		t.add("undo traffic classifier " + k.name)
	}
	for _, a := range behaviors.gone {
		t.add("undo traffic behavior " + a.name)
	}
	t.lists(before.lists, after.lists)
	for _, k := range classes.come {
		t.view("traffic classifier "+k.name+" operator or", k.line())
	}
	for _, a := range behaviors.come {
		t.view("traffic behavior "+a.name, a.lines()...)
	}
	t.refer(before.policies, after.policies, classes, behaviors)
	return t.lines, nil
}

// difference is what goes and what comes of one kind of objects; one that differs does both.
type difference[T any] struct {
	gone, come []T
	moved      map[string]bool // by name
}

func compare[T comparable](before, after []T, name func(T) string) difference[T] {
	out := difference[T]{moved: map[string]bool{}}
	old, now := map[string]T{}, map[string]T{}
	for _, x := range before {
		old[name(x)] = x
	}
	for _, x := range after {
		now[name(x)] = x
		if was, there := old[name(x)]; !there || was != x {
			out.come = append(out.come, x)
			out.moved[name(x)] = true
		}
	}
	for _, x := range before {
		if is, there := now[name(x)]; !there || is != x {
			out.gone = append(out.gone, x)
			out.moved[name(x)] = true
		}
	}
	return out
}

// typist collects lines.
type typist struct{ lines []string }

func (t *typist) add(lines ...string) { t.lines = append(t.lines, lines...) }

// view types lines in a view of their own, if there are any.
func (t *typist) view(head string, lines ...string) {
	if len(lines) > 0 {
		t.add(head)
		t.add(lines...)
		t.add("quit")
	}
}

// nodesOf returns the nodes of the policy of that name, by their classifier, and whether there is one.
func nodesOf(policies []policy, name string) (map[string]node, bool) {
	for _, p := range policies {
		if p.name != name {
			continue
		}
		out := map[string]node{}
		for _, n := range p.nodes {
			out[n.class] = n
		}
		return out, true
	}
	return nil, false
}

// stays says whether a node of a policy is the same afterwards, and so is what it refers to.
func stays(n node, after map[string]node, classes difference[classifier], behaviors difference[behavior]) bool {
	is, there := after[n.class]
	return there && is == n && !classes.moved[n.class] && !behaviors.moved[n.behavior]
}

// release types away what refers to objects that go or change.
func (t *typist) release(before, after []policy, classes difference[classifier], behaviors difference[behavior]) {
	for _, p := range before {
		now, there := nodesOf(after, p.name)
		if !there {
			t.add("undo traffic policy " + p.name)
			continue
		}
		var lines []string
		for _, n := range p.nodes {
			if !stays(n, now, classes, behaviors) {
				lines = append(lines, "undo classifier "+n.class)
			}
		}
		t.view("traffic policy "+p.name, lines...)
	}
}

// refer types what refers to objects, now that they are there.
func (t *typist) refer(before, after []policy, classes difference[classifier], behaviors difference[behavior]) {
	for _, p := range after {
		old, there := nodesOf(before, p.name)
		var lines []string
		if !there {
			lines = append(lines, "share-mode", "statistics enable")
		}
		for _, n := range p.nodes {
			if !stays(n, old, classes, behaviors) {
				lines = append(lines, n.line())
			}
		}
		t.view("traffic policy "+p.name, lines...)
	}
}

// lists types what leads from one set of access lists to another. A number that another rule is to have is free first.
func (t *typist) lists(before, after []list) {
	old := map[string]list{}
	for _, l := range before {
		old[l.name] = l
	}
	for _, l := range after {
		was := old[l.name]
		delete(old, l.name)
		rules := compare(was.rules, l.rules, func(r rule) string { return fmt.Sprint(r.id) })
		var lines []string
		for _, r := range rules.gone {
			lines = append(lines, fmt.Sprintf("undo rule %d", r.id))
		}
		for _, r := range rules.come {
			lines = append(lines, r.lines(l.v)...)
		}
		t.view("acl "+family(l.v)+"name "+l.name+" advance", lines...)
	}
	for _, l := range before {
		if _, gone := old[l.name]; gone {
			t.add("undo acl " + family(l.v) + "name " + l.name)
		}
	}
}
