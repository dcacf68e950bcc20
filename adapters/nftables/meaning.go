package nftables

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// meaning puts rules together: what they match, and what they do.
func (r *reader) meaning(e *filter.Entry, rules []rule, around filter.Match) error {
	var matches []filter.Match
	var does []statement
	for i, one := range rules {
		n := 0
		for n < len(one.statements) && one.statements[n].verb == match {
			n++
		}
		m, err := r.conditions(one.statements[:n], around)
		if err != nil {
			return err
		}
		matches = append(matches, m)
		if i > 0 && !slices.Equal(one.statements[n:], does) {
			return errors.New("two rules of it do not do the same")
		}
		does = one.statements[n:]
	}
	var err error
	if e.Match, err = r.either(matches); err != nil {
		return err
	}
	if len(does) == 1 && does[0].verb == jumpTo {
		if does, err = r.own(does[0].name, &e.Match); err != nil {
			return err
		}
	} else if slices.ContainsFunc(does, func(s statement) bool { return s.verb == police }) {
		return errors.New("a limit in the rule itself lets packets pass to the next rule")
	}
	return r.does(e, does)
}

// errTwo stands against rules of one name that no entry becomes.
var errTwo = errors.New("several rules have its name, and are not the two of an entry about either port")

// either joins the two rules of an entry in which either port may be one of a list: those by the source port, and those by the destination port of packets that
// the first does not match.
func (r *reader) either(ms []filter.Match) (filter.Match, error) {
	if len(ms) == 1 {
		return ms[0], nil
	}
	if len(ms) != 2 {
		return filter.Match{}, errTwo
	}
	a, b := ms[0], ms[1]
	if a.SrcPort == nil || b.DstPort == nil || b.SrcPort == nil || len(a.SrcPort.And(b.SrcPort)) > 0 {
		return filter.Match{}, errTwo
	}
	out := a
	out.SrcPort, out.Port = a.SrcPort.Or(b.SrcPort), a.SrcPort.Or(b.DstPort)
	if slices.Equal(out.SrcPort, packet.Values{{Lo: 0, Hi: 65535}}) {
		out.SrcPort = nil
	}
	if s := (filter.Semantics{}); !a.Set(r.v, s).Or(b.Set(r.v, s)).Equal(out.Set(r.v, s)) {
		return filter.Match{}, errTwo
	}
	return out, nil
}

// own reads the chain of an entry: what it turns away, which narrows m, and what it does.
func (r *reader) own(name string, m *filter.Match) ([]statement, error) {
	c := r.chains[name]
	if c == nil || c.base != "" || !r.take("chain", name) {
		return nil, fmt.Errorf("chain %s is not there, of another kind or reached twice", name)
	}
	n := 0
	for n < len(c.rules) && turnsAway(c.rules[n]) {
		n++
	}
	if err := r.away(c.rules[:n], m); err != nil {
		return nil, fmt.Errorf("chain %s: %w", name, err)
	}
	var does []statement
	for _, one := range c.rules[n:] {
		list := one.statements
		if one.comment != "" || len(list) > 2 || len(list) == 2 && (list[0].verb != police || list[1].verb != drop) || len(list) == 1 && list[0].verb == police {
			return nil, fmt.Errorf("chain %s: %q is not as sluice writes it", name, one)
		}
		s := list[0]
		if s.verb == turnAway {
			s.verb = goOn
		}
		does = append(does, s)
	}
	return does, nil
}

// turnsAway says whether r turns some packets away.
func turnsAway(r rule) bool {
	return len(r.statements) > 1 && r.statements[len(r.statements)-1].verb == turnAway
}

// away narrows m by the rules that turn packets away: first fragments, as turnedAway writes it, then numbers in the gaps of lists. A packet that lacks
// the field is not turned away, so the rule that leads here must ask for it.
func (r *reader) away(rules []rule, m *filter.Match) error {
	f, n := guardedStates(rules)
	if n > 0 {
		if r.v != packet.IPv6 {
			return errors.New("IPv4 has no fragment header")
		}
		m.Fragments = f
	}
	for _, one := range rules[n:] {
		c := one.statements[0].cond
		field, known := numberFields[c.field]
		if one.comment != "" || len(one.statements) != 2 || one.statements[0].verb != match || !known || c.not || c.set != "" || *field.of(m) == nil {
			return fmt.Errorf("%q is not as sluice writes it", one)
		}
		c.not = true
		if err := r.condition(m, c); err != nil {
			return err
		}
	}
	return nil
}

// guardedStates returns the IPv6 fragment states that the rules at the beginning of list do not turn away, and how many rules say so; 0 where there are none.
func guardedStates(list []rule) (packet.Frags, int) {
	n := 0
	for n < len(list) && list[n].statements[0].verb == match && numberFields[list[n].statements[0].cond.field].of == nil {
		n++
	}
	if f, ok := awayStates[ruleLines(list[:n])]; ok {
		return f, n
	}
	return 0, 0
}

// awayStates leads from what turnedAway returns, as text, to the states that it leaves.
var awayStates = func() map[string]packet.Frags {
	out := map[string]packet.Frags{}
	for f := packet.Frags(1); f < states(packet.IPv6); f++ {
		out[ruleLines(turnedAway(f))] = f
	}
	return out
}()

func ruleLines(list []rule) string {
	var b strings.Builder
	for _, r := range list {
		b.WriteString(r.String() + "\n")
	}
	return b.String()
}

// does reads what an entry does.
func (r *reader) does(e *filter.Entry, list []statement) error {
	if len(list) == 0 {
		return errors.New("it does not say how it ends")
	}
	end := list[len(list)-1]
	list = list[:len(list)-1]
	switch end.verb {
	case accept:
	case drop:
		e.Do.Discard = true
	case goOn:
		e.Do.Continue = true
	default:
		return fmt.Errorf("%s is not understood at its end", end)
	}
	rank := lookup
	for _, s := range list {
		if s.verb <= rank {
			return fmt.Errorf("%s is not in its place", s)
		}
		rank = s.verb
		if err := r.aside(e, s); err != nil {
			return err
		}
	}
	if e.Do.Discard && e.Do.Policer != "" {
		return errors.New("it limits, and drops the rest as well")
	}
	return nil
}

// aside reads one statement in front of the verdict.
func (r *reader) aside(e *filter.Entry, s statement) error {
	switch s.verb {
	case count:
		if !r.counters[s.name] {
			return fmt.Errorf("counter %s is not there", s.name)
		}
		r.take("counter", s.name)
		e.Counter = s.name
	case police:
		e.Do.Policer = s.name
		return r.policer(s.name)
	case mark:
		if s.cond.field != dscpField(r.v) || e.Do.Continue {
			return fmt.Errorf("%s is not understood here", s)
		}
		n := uint8(s.value)
		e.Do.Mark = &n
	case dup:
		a, err := netip.ParseAddr(s.name)
		if err != nil || !a.Is6() || a.Is4In6() || a.Zone() != "" || r.v != packet.IPv6 || e.Do.Continue {
			return fmt.Errorf("%s is not understood here", s)
		}
		e.Do.Redirect = &flowspec.Redirect{Form: flowspec.NextHopIETFv6, Addr: a, Copy: !e.Do.Discard}
		e.Do.Discard = false
	default:
		return fmt.Errorf("%s is not understood here", s)
	}
	return nil
}

// policer adds the policer of that name, once.
func (r *reader) policer(name string) error {
	l, ok := r.limits[name]
	if !ok {
		return fmt.Errorf("limit %s is not there", name)
	}
	if !r.take("limit", name) {
		return nil
	}
	amount, unit, burst, err := l.policer()
	r.policers = append(r.policers, filter.Policer{Name: name, Rate: flowspec.Rate{Amount: amount, Unit: unit}, Burst: burst})
	return err
}
