package vrp

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// Parse reads the traffic policies that bear our mark, and what they refer to, in the order of their names: from the XML of Render or of a reply to <get-config>, or from the text of
// `display current-configuration` or a part of it. Objects of other names are passed over, and so are access lists, classifiers and behaviors of ours that no policy of
// ours refers to: they do nothing. Inside ours, everything must be understood and stand where Render puts it; what does not is a *filter.ForeignError that names it.
func (Dialect) Parse(b []byte) ([]filter.Filter, error) {
	r := &reader{faults: map[string]error{}}
	var err error
	if trimmed := bytes.TrimSpace(b); bytes.HasPrefix(trimmed, []byte("<")) {
		err = readXML(trimmed, r)
	} else {
		err = readText(string(b), r)
	}
	if err != nil {
		return nil, err
	}
	return r.finish()
}

func marked(name string) bool { return strings.HasPrefix(name, filter.Mark) }

// reader gathers the objects of ours.
type reader struct {
	config
	faults map[string]error // of an object that was not understood, by its name
	errs   []error          // about what is no object of ours at all
}

// fault notes the first thing in an object that was not understood.
func (r *reader) fault(name string, err error) {
	if r.faults[name] == nil {
		r.faults[name] = err
	}
}

// list returns the access list of that name to put rules into.
func (r *reader) list(name string, v packet.Version) *list {
	if slices.ContainsFunc(r.lists, func(l list) bool { return l.name == name }) {
		r.fault(name, errors.New("the access list stands there twice"))
	}
	r.lists = append(r.lists, list{name: strings.Clone(name), v: v})
	return &r.lists[len(r.lists)-1]
}

func (r *reader) class(k classifier) {
	if slices.ContainsFunc(r.classes, func(o classifier) bool { return o.name == k.name }) {
		r.fault(k.name, errors.New("the classifier stands there twice"))
	}
	r.classes = append(r.classes, k)
}

// behavior takes a behavior. The same one may come again: filters rendered one behind the other have it both.
func (r *reader) behavior(a behavior) {
	i := slices.IndexFunc(r.behaviors, func(o behavior) bool { return o.name == a.name })
	if i < 0 {
		r.behaviors = append(r.behaviors, a)
	} else if r.behaviors[i] != a {
		r.fault(a.name, errors.New("the behavior stands there twice"))
	}
}

// policy takes a policy. Whoever goes into its view again adds to it.
func (r *reader) policy(p policy) {
	if i := slices.IndexFunc(r.policies, func(o policy) bool { return o.name == p.name }); i >= 0 {
		r.policies[i].nodes = append(r.policies[i].nodes, p.nodes...)
		return
	}
	r.policies = append(r.policies, p)
}

// finish makes the filters.
func (r *reader) finish() ([]filter.Filter, error) {
	x := index{faults: r.faults, lists: map[string]list{}, classes: map[string]classifier{}, behaviors: map[string]behavior{}}
	for _, l := range r.lists {
		x.lists[l.name] = l
	}
	for _, k := range r.classes {
		x.classes[k.name] = k
	}
	for _, a := range r.behaviors {
		x.behaviors[a.name] = a
	}
	seen := map[string]bool{}
	for _, p := range r.policies {
		seen[p.name] = true
	}
	for name := range r.faults { // a policy that was not understood at all
		if !seen[name] && strings.HasSuffix(name, policyMark) {
			r.policies = append(r.policies, policy{name: name})
		}
	}
	slices.SortStableFunc(r.policies, func(a, b policy) int { return strings.Compare(a.name, b.name) })
	errs := r.errs
	var out []filter.Filter
	for _, p := range slices.CompactFunc(r.policies, func(a, b policy) bool { return a.name == b.name }) {
		fs, err := x.filters(p)
		if err != nil {
			errs = append(errs, fmt.Errorf("traffic policy %s: %w", p.name, err))
		}
		out = append(out, fs...)
	}
	if len(errs) > 0 {
		return nil, &filter.ForeignError{Filters: out, Err: errors.Join(errs...)}
	}
	return out, nil
}

// index finds objects by their names.
type index struct {
	faults    map[string]error
	lists     map[string]list
	classes   map[string]classifier
	behaviors map[string]behavior
}

// nodeName is how a filter names its classifiers.
var nodeName = regexp.MustCompile(`^(.*)-v([46])-(rest|[1-9][0-9]*)$`)

// filters returns the filters that p is: those of which it has a classifier for the rest. What was not understood is in neither.
func (x index) filters(p policy) ([]filter.Filter, error) {
	base, ok := strings.CutSuffix(p.name, policyMark)
	if !ok {
		return nil, errors.New("it bears our mark, but sluice makes none of that name")
	}
	var faults []error
	if err := x.faults[p.name]; err != nil {
		faults = append(faults, err)
	}
	nodes := map[packet.Version][]node{}
	for _, n := range p.nodes {
		m := nodeName.FindStringSubmatch(n.class)
		if m == nil || m[1] != base {
			faults = append(faults, fmt.Errorf("classifier %s: sluice makes none of that name there", n.class))
			continue
		}
		v := packet.IPv4
		if m[2] == "6" {
			v = packet.IPv6
		}
		nodes[v] = append(nodes[v], n)
	}
	if len(nodes) == 0 && len(faults) == 0 {
		faults = append(faults, errors.New("it has no classifier"))
	}
	var out []filter.Filter
	for _, v := range []packet.Version{packet.IPv4, packet.IPv6} {
		if len(nodes[v]) == 0 && (len(faults) == 0 || len(nodes) > 0 || v == packet.IPv6) {
			continue
		}
		f := filter.Filter{Name: base + "-v" + strconv.Itoa(int(v)), Version: v}
		got, err := x.filter(f, nodes[v])
		if err != nil {
			faults = append(faults, err)
		}
		if err != nil || len(faults) > 0 {
			got = f
		}
		out = append(out, got)
	}
	if len(out) == 2 {
		for _, limited := range out[0].Policers {
			if slices.ContainsFunc(out[1].Policers, func(q filter.Policer) bool { return q.Name == limited.Name }) {
				faults = append(faults, fmt.Errorf("behavior %s: it limits packets of both versions, each by itself", limited.Name))
			}
		}
	}
	if len(faults) > 0 { // the filters are one policy
		for i, f := range out {
			out[i] = filter.Filter{Name: f.Name, Version: f.Version}
		}
	}
	return out, errors.Join(faults...)
}

// filter makes one filter of its nodes.
func (x index) filter(f filter.Filter, nodes []node) (filter.Filter, error) {
	f.Placement = filter.Alone
	slices.SortFunc(nodes, func(a, b node) int { return int(a.precedence) - int(b.precedence) })
	rest := false
	for i, n := range nodes {
		if i > 0 && n.precedence == nodes[i-1].precedence {
			return f, fmt.Errorf("classifiers %s and %s have one precedence", nodes[i-1].class, n.class)
		}
		do, p, err := x.does(n, f.Version)
		if err != nil {
			return f, err
		}
		if n.class == restName(f.Name) {
			if rest = true; do != (filter.Do{}) || n.precedence != restPrecedence(f.Version) {
				return f, fmt.Errorf("classifier %s: it should let the rest pass, at precedence %d", n.class, restPrecedence(f.Version))
			}
			continue
		}
		if err := x.entries(&f, n, do, p); err != nil {
			return f, fmt.Errorf("classifier %s: %w", n.class, err)
		}
	}
	if !rest {
		return f, fmt.Errorf("classifier %s is missing, which lets the rest pass", restName(f.Name))
	}
	return f, f.Check()
}

// does returns what the packets of a node meet.
func (x index) does(n node, v packet.Version) (filter.Do, *filter.Policer, error) {
	for _, name := range []string{n.class, n.behavior} {
		if err := x.faults[name]; err != nil {
			return filter.Do{}, nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	k, ok := x.classes[n.class]
	if !ok || k.v != v || k.all != strings.HasSuffix(n.class, "-rest") {
		return filter.Do{}, nil, fmt.Errorf("classifier %s: it is missing, or takes other packets than those of its access list", n.class)
	}
	a, ok := x.behaviors[n.behavior]
	if !ok {
		return filter.Do{}, nil, fmt.Errorf("classifier %s: its behavior %s is missing", n.class, n.behavior)
	}
	do, p, err := a.does(v)
	if err != nil {
		return do, nil, fmt.Errorf("behavior %s: %w", n.behavior, err)
	}
	return do, p, nil
}

// entries appends the entries of a node to f.
func (x index) entries(f *filter.Filter, n node, do filter.Do, p *filter.Policer) error {
	number, err := strconv.ParseUint(n.class[len(f.Name)+1:], 10, 32)
	l, ok := x.lists[n.class]
	switch {
	case err != nil || number > lastClass || n.precedence != precedence(uint32(number), f.Version):
		return fmt.Errorf("it stands at precedence %d, and not where its number says", n.precedence)
	case !ok || l.v != f.Version || len(l.rules) == 0:
		return errors.New("its access list is missing, or empty")
	}
	if p != nil {
		f.Policers = append(f.Policers, *p)
	}
	slices.SortFunc(l.rules, func(a, b rule) int { return int(a.id) - int(b.id) })
	said := map[rule]bool{}
	for i := 0; i < len(l.rules); {
		next := i + 1
		if next < len(l.rules) && l.rules[next].id/perSeat == l.rules[i].id/perSeat {
			next++
		}
		e, err := entry(l.rules[i:next], f.Version)
		switch first := l.rules[i].id; {
		case err != nil:
			return fmt.Errorf("rule %d: %w", first, err)
		case first%perSeat != 0 || first == 0 || first/perSeat > lastSeat || next-i > 1 && l.rules[i+1].id == first:
			return fmt.Errorf("rule %d: sluice writes no line there, or one only", first)
		}
		if !says(said, l.rules[i:next]) {
			return fmt.Errorf("rule %d: it says what another rule of the list says", l.rules[i].id)
		}
		e.Do, e.Place = do, uint32(number)<<classShift|l.rules[i].id/perSeat
		f.Entries = append(f.Entries, e)
		i = next
	}
	return nil
}
