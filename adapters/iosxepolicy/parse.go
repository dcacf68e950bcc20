package iosxepolicy

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/adapters/internal/ciscoacl"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// Parse reads the policies that bear our mark, in the order of their names, and the class maps and access lists that they refer to: from the XML of Render or of a reply to <get-config>, or from
// the text of `show running-config` or a part of it. Objects of other names are passed over, and so are class maps and lists of ours that no policy of ours refers to: they do nothing. In what it
// reads, everything must be understood and be as Render writes it; what is not is a *filter.ForeignError that names it.
func (Dialect) Parse(b []byte) ([]filter.Filter, error) {
	r := &reader{classes: map[string]*readClass{}, lists: map[string]*readList{}}
	var err error
	if trimmed := bytes.TrimSpace(b); bytes.HasPrefix(trimmed, []byte("<")) {
		err = r.xml(trimmed)
	} else {
		err = r.text(string(b))
	}
	if err != nil {
		return nil, err
	}
	return r.filters()
}

// reader holds the objects of ours as they come in.
type reader struct {
	policies []*readPolicy
	classes  map[string]*readClass
	lists    map[string]*readList
}

// trouble is the first thing in an object that was not understood.
type trouble struct{ err error }

func (t *trouble) fail(err error) {
	if t.err == nil {
		t.err = err
	}
}

type readPolicy struct {
	trouble
	name  string
	order []*readUse
}

// readUse is a class of a policy and its actions.
type readUse struct {
	class       string
	does        action
	police, set bool // it polices, it marks
	conform     string
}

type readClass struct {
	trouble
	group string // its access list
	dscp  packet.Values
	quiet bool
}

type readList struct {
	trouble
	lines []ciscoacl.ReadLine
}

// policy begins the policy of that name.
func (r *reader) policy(name string) *readPolicy {
	p := &readPolicy{name: name}
	for _, other := range r.policies {
		if other.name == name {
			other.fail(errors.New("it stands there twice"))
			return p // and what it holds goes nowhere
		}
	}
	r.policies = append(r.policies, p)
	return p
}

// class begins the class map of that name, of which a device has one.
func (r *reader) class(name, matches string) *readClass {
	c := &readClass{}
	if old := r.classes[name]; old != nil {
		old.fail(errors.New("it stands there twice"))
		return c
	}
	if matches != "match-all" {
		c.fail(fmt.Errorf("%s: sluice writes match-all", matches))
	}
	r.classes[name] = c
	return c
}

// list begins the access list of that name.
func (r *reader) list(name string) *readList {
	l := &readList{}
	if old := r.lists[name]; old != nil {
		old.fail(errors.New("it stands there twice"))
		return l
	}
	r.lists[name] = l
	return l
}

// accessGroup takes the list of a class.
func (c *readClass) accessGroup(name string) error {
	if c.group != "" {
		return errors.New("it has two access lists")
	}
	c.group = name
	return nil
}

// filters puts policies, classes and lists together.
func (r *reader) filters() ([]filter.Filter, error) {
	slices.SortStableFunc(r.policies, func(a, b *readPolicy) int { return strings.Compare(a.name, b.name) })
	var out []filter.Filter
	var errs []error
	for _, p := range r.policies {
		f, err := r.filter(p)
		if err != nil {
			errs = append(errs, fmt.Errorf("policy map %s: %w", p.name, err))
			f = filter.Filter{Name: p.name, Version: packet.IPv4}
		}
		out = append(out, f)
	}
	if len(errs) > 0 {
		return nil, &filter.ForeignError{Filters: out, Err: errors.Join(errs...)}
	}
	return out, nil
}

// filter makes the filter of a policy.
func (r *reader) filter(p *readPolicy) (filter.Filter, error) {
	f := filter.Filter{Name: strings.Clone(p.name), Version: packet.IPv4, Placement: filter.Alone}
	if p.err != nil {
		return f, p.err
	}
	for i, u := range p.order {
		if u.class == "class-default" && i == len(p.order)-1 && !u.police && !u.set && !u.does.drop {
			break // what it does without being there
		}
		e, policer, err := r.entry(p.name, u)
		if err != nil {
			return f, fmt.Errorf("class %s: %w", u.class, err)
		}
		f.Entries = append(f.Entries, e)
		if policer != nil {
			f.Policers = append(f.Policers, *policer)
		}
	}
	return f, errors.Join(f.Check(), filter.CheckName(f.Name, false))
}

// entry makes the entry of a class in a policy, and its policer.
func (r *reader) entry(policy string, u *readUse) (filter.Entry, *filter.Policer, error) {
	name, ours := strings.CutPrefix(strings.Clone(u.class), policy+"-")
	if !ours {
		return filter.Entry{}, nil, errors.New("its name is not that of the policy with the name of an entry behind it")
	}
	e := filter.Entry{Name: name, Rule: filter.RuleOf(name), Counter: filter.CounterOf(name)}
	c := r.classes[u.class]
	switch {
	case filter.CheckName(name, false) != nil:
		return e, nil, filter.CheckName(name, false)
	case c == nil:
		return e, nil, errors.New("there is no class map of that name")
	case c.err != nil:
		return e, nil, fmt.Errorf("class map: %w", c.err)
	case c.group != u.class:
		return e, nil, fmt.Errorf("class map: access list %q, want the one of the same name", c.group)
	}
	l := r.lists[c.group]
	if l == nil {
		return e, nil, errors.New("there is no access list of that name")
	}
	m, err := l.match()
	if err != nil {
		return e, nil, fmt.Errorf("access list: %w", err)
	}
	e.Match = m
	e.Match.DSCP = c.dscp
	if c.quiet {
		e.Counter = ""
	}
	var p *filter.Policer
	e.Do, p, err = u.do(name)
	return e, p, err
}

// match is what the lines of a list permit together: the packets between two prefixes, of some protocols or of any.
func (l *readList) match() (filter.Match, error) {
	var m filter.Match
	if l.err != nil {
		return m, l.err
	}
	for i, one := range l.lines {
		n := one.Match
		plain := filter.Match{Src: n.Src, Dst: n.Dst, Proto: n.Proto}
		switch {
		case one.Number != uint32(i+1)*linesApart:
			return m, fmt.Errorf("number %d: sluice writes no line there", one.Number)
		case one.Grant != "permit":
			return m, fmt.Errorf("number %d: want a line that permits", one.Number)
		case one.Word != "" || !sameConditions(n, plain):
			return m, fmt.Errorf("number %d: it asks for more than protocol and addresses", one.Number)
		case i == 0:
			m = plain
			continue
		case n.Proto == nil || m.Proto == nil || !samePrefixes(m, n):
			return m, fmt.Errorf("number %d: it differs from the first line by more than its protocol", one.Number)
		}
		m.Proto = m.Proto.Or(n.Proto)
	}
	if len(l.lines) == 0 {
		return m, errors.New("it has no lines")
	}
	return m, nil
}

// sameConditions says whether m has no condition that plain does not have.
func sameConditions(m, plain filter.Match) bool {
	return !m.Transport() && m.DSCP == nil && m.Length == nil && m.Label == nil && m.Fragments == 0 && samePrefixes(m, plain)
}

func samePrefixes(m, n filter.Match) bool {
	return (m.Src == nil) == (n.Src == nil) && (m.Dst == nil) == (n.Dst == nil) && (m.Src == nil || *m.Src == *n.Src) && (m.Dst == nil || *m.Dst == *n.Dst)
}

// do is what a class does, and its policer, in the words of a filter.
func (u *readUse) do(entry string) (filter.Do, *filter.Policer, error) {
	a := u.does
	switch {
	case a.drop && (u.police || u.set):
		return filter.Do{}, nil, errors.New("drop beside another action")
	case a.drop:
		return filter.Do{Discard: true}, nil, nil
	case !u.police && !u.set:
		return filter.Do{}, nil, errors.New("it does nothing, where sluice has a policer that transmits")
	case !u.police:
		return filter.Do{Mark: a.mark}, nil, nil
	case u.conform != "transmit" || a.bc == 0:
		return filter.Do{}, nil, fmt.Errorf("want cir and bc, and transmit for what conforms to them, not %q", u.conform)
	case a == passing:
		return filter.Do{}, nil, nil
	case a.exceed != "drop":
		return filter.Do{}, nil, fmt.Errorf("%q for what exceeds the rate, want drop", a.exceed)
	}
	p := filter.Policer{Name: filter.Mark + entry, Rate: flowspec.Rate{Amount: float32(float64(a.cir) / 8), Unit: flowspec.Bytes}, Burst: a.bc}
	if float64(p.Rate.Amount)*8 != float64(a.cir) {
		return filter.Do{}, nil, fmt.Errorf("cir %d: no rate of a rule is that", a.cir)
	}
	return filter.Do{Policer: p.Name, Mark: a.mark}, &p, nil
}
