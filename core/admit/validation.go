package admit

import (
	"net/netip"
	"slices"

	"github.com/gaissmai/bart"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// Validation compares rules with unicast routes (RFC 8955 §6, RFC 9117), and does so again when routes change: a rule that is refused is kept, and may be admitted later. Routes and rules are of
// one table each: the global one, "", or that of a VPN. A Validation belongs to one goroutine at a time.
type Validation struct{ tables map[string]*validated }

// validated is one table: its routes, and the rules that depend on them.
type validated struct {
	routes unicast
	rules  map[ruleKey]*candidate
	byDest bart.Table[[]*candidate] // those with a destination
}

// ruleKey names a rule of a source.
type ruleKey struct {
	source flowspec.Source
	family flowspec.Family
	nlri   string
}

// candidate is a rule, admitted or not.
type candidate struct {
	rule flowspec.Rule
	dest netip.Prefix // invalid: it has none
	path Path
	why  *NotAdmitted // nil: admitted
	old  bool         // to be said again, see Again
}

// Verdict is what became of a rule when routes changed.
type Verdict struct {
	Rule flowspec.Rule
	Why  *NotAdmitted // nil: it is admitted now
}

// NewValidation returns one without routes and rules.
func NewValidation() *Validation { return &Validation{tables: map[string]*validated{}} }

func (v *Validation) table(name string) *validated {
	t := v.tables[name]
	if t == nil {
		t = &validated{rules: map[ruleKey]*candidate{}}
		v.tables[name] = t
	}
	return t
}

func keyOf(source flowspec.Source, m flowspec.Match) ruleKey {
	return ruleKey{source, m.Family(), string(m.NLRI())}
}

// Rule takes a rule, in place of the one with its NLRI that its source said before, and judges it: nil is admitted. A later change of routes judges it again.
func (v *Validation) Rule(table string, r flowspec.Rule, p Path) *NotAdmitted {
	t := v.table(table)
	t.forget(keyOf(r.Source, r.Match))
	c := &candidate{rule: r, path: p}
	if d, ok := destination(r.Match); ok {
		c.dest = d.Masked()
		list, _ := t.byDest.Get(c.dest)
		t.byDest.Insert(c.dest, append(list, c))
	}
	c.why = t.routes.check(c.dest, p)
	t.rules[keyOf(r.Source, r.Match)] = c
	return c.why
}

// Forget drops a rule that its source withdrew.
func (v *Validation) Forget(table string, source flowspec.Source, m flowspec.Match) {
	v.table(table).forget(keyOf(source, m))
}

// Lost drops all rules of a source.
func (v *Validation) Lost(table string, source flowspec.Source) {
	v.table(table).forgetAll(func(c *candidate) bool { return c.rule.Source == source })
}

// Again notes that a source begins to say its rules of a family again; Ended drops those that it did not say since, with 0 of all families.
func (v *Validation) Again(table string, source flowspec.Source, f flowspec.Family) {
	for _, c := range v.table(table).rules {
		if c.rule.Source == source && c.rule.Match.Family() == f {
			c.old = true
		}
	}
}

// Ended is the end of what Again began.
func (v *Validation) Ended(table string, source flowspec.Source, f flowspec.Family) {
	v.table(table).forgetAll(func(c *candidate) bool {
		return c.old && c.rule.Source == source && (f == 0 || c.rule.Match.Family() == f)
	})
}

// Refused counts the rules of a source that are not admitted as routes are now.
func (v *Validation) Refused(table string, source flowspec.Source) (n int) {
	for _, c := range v.table(table).rules {
		if c.rule.Source == source && c.why != nil {
			n++
		}
	}
	return n
}

func (t *validated) forgetAll(goes func(*candidate) bool) {
	for k, c := range t.rules {
		if goes(c) {
			t.forget(k)
		}
	}
}

func (t *validated) forget(k ruleKey) {
	c := t.rules[k]
	if c == nil {
		return
	}
	delete(t.rules, k)
	if !c.dest.IsValid() {
		return
	}
	list, _ := t.byDest.Get(c.dest)
	var left []*candidate
	for _, o := range list {
		if o != c {
			left = append(left, o)
		}
	}
	if left == nil {
		t.byDest.Delete(c.dest)
	} else {
		t.byDest.Insert(c.dest, left)
	}
}

// Routes takes what a neighbour withdraws and then announces by one path, and returns the rules that fare otherwise now.
func (v *Validation) Routes(table, neighbour string, withdraw, announce []netip.Prefix, p Path) []Verdict {
	t := v.table(table)
	n := t.routes.neighbour(neighbour)
	touched := map[*candidate]bool{}
	for _, at := range withdraw {
		if n.withdraw(at) {
			t.touch(at, touched)
		}
	}
	for _, at := range announce {
		if n.announce(at, p) {
			t.touch(at, touched)
		}
	}
	return t.judge(touched)
}

// touch adds the rules that a route to at matters to: those inside it, whose best route it may be, and those around it, for clause c.
func (t *validated) touch(at netip.Prefix, touched map[*candidate]bool) {
	if t.byDest.Size() == 0 {
		return
	}
	for _, list := range t.byDest.Subnets(at) {
		for _, c := range list {
			touched[c] = true
		}
	}
	for _, list := range t.byDest.Supernets(at) {
		for _, c := range list {
			touched[c] = true
		}
	}
}

// RoutesStale notes that a neighbour is to say its routes of one IP version again, or with 0 of both: its session ended, or it said so. They count until RoutesSwept.
func (v *Validation) RoutesStale(table, neighbour string, version int) {
	v.table(table).routes.neighbour(neighbour).lost(version)
}

// RouteCount returns how many routes a neighbour has.
func (v *Validation) RouteCount(table, neighbour string) int {
	n := v.table(table).routes.neighbour(neighbour)
	return n.fresh.Size() + n.old.Size()
}

// RoutesSwept drops what a neighbour did not say again of one IP version, or with 0 of both, and returns the rules that fare otherwise now.
func (v *Validation) RoutesSwept(table, name string, version int) []Verdict {
	t := v.table(table)
	n := t.routes.neighbour(name)
	swept := n.old.Size()
	n.sweep(version)
	if n.fresh.Size()+n.old.Size() == 0 {
		t.routes.from = slices.DeleteFunc(t.routes.from, func(o *neighbour) bool { return o == n })
	}
	if swept == 0 {
		return nil
	}
	all := map[*candidate]bool{}
	for _, c := range t.rules {
		all[c] = true
	}
	return t.judge(all)
}

// judge looks at rules again, and returns those that fare otherwise.
func (t *validated) judge(rules map[*candidate]bool) []Verdict {
	var out []Verdict
	for c := range rules {
		was := c.why
		if c.why = t.routes.check(c.dest, c.path); (c.why == nil) != (was == nil) {
			out = append(out, Verdict{c.rule, c.why})
		}
	}
	return out
}
