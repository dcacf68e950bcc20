package iosxepolicy

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/adapters/internal/ciscoacl"
	"github.com/sluice-gateway/sluice/adapters/iosxe"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// policy is a filter as IOS XE has it.
type policy struct {
	name    string
	classes []class
}

// class is an entry: a class map, the access list of the same name, and what the policy does to it.
type class struct {
	name  string // of the class map and of its list
	quiet bool   // nobody asked for the counter
	lines []ciscoacl.Statement
	dscp  string // "": any
	does  action
}

// action is what a policy does to a class: it drops, or marks and polices.
type action struct {
	drop    bool
	mark    *uint8
	cir, bc uint64 // bits/s and octets; 0: no policer
	exceed  string // what becomes of what exceeds the rate: transmit or drop
}

// passing is the policer of a class that only lets pass, with the smallest numbers that Cisco-IOS-XE-policy takes ("police 8000 1000" is in the Catalyst 4500 Software Configuration Guide too).
var passing = action{cir: leastRate, bc: leastBurst, exceed: "transmit"}

// The numbers of a policer, as Cisco-IOS-XE-policy of 17.18.1 has them (police-bit-rate-type, police-burst-type).
const (
	leastRate, mostRate   = 8000, 100_000_000_000
	leastBurst, mostBurst = 1000, 512_000_000
)

// quietWord is the description of a class whose counter nobody asked for.
const quietWord = "uncounted"

// linesApart is the distance of the numbers of lines, that of the system itself.
const linesApart = 10

// policyOf returns what f becomes.
func policyOf(f filter.Filter) (policy, error) {
	if err := f.Check(); err != nil {
		return policy{}, err
	}
	var errs []error
	if f.Version != packet.IPv4 {
		for _, e := range f.Entries {
			errs = append(errs, fmt.Errorf("filter %s, entry %s: IPv6: access lists of IPv6 permit neighbour discovery by themselves, and whether the list of a class does is not written down", f.Name, e.Name))
		}
		if len(errs) == 0 {
			errs = append(errs, fmt.Errorf("filter %s: IPv6: a policy of ours has classes of IPv4 only", f.Name))
		}
	}
	if f.Placement != filter.Alone {
		errs = append(errs, fmt.Errorf("filter %s: it cannot stand before another filter: an interface takes one policy in each direction", f.Name))
	}
	if err := filter.CheckName(f.Name, false); err != nil {
		errs = append(errs, fmt.Errorf("filter %s: %w", f.Name, err))
	}
	p := policy{name: f.Name}
	users := map[string]int{}
	for _, e := range f.Entries {
		users[e.Do.Policer]++
	}
	policers := map[string]filter.Policer{}
	for _, one := range f.Policers {
		policers[one.Name] = one
	}
	for _, e := range f.Entries {
		c, err := classOf(f.Name, e)
		if e.Do.Policer != "" {
			err = errors.Join(err, c.does.police(policers[e.Do.Policer], e.Name, users[e.Do.Policer]))
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("filter %s, entry %s: %w", f.Name, e.Name, err))
		}
		p.classes = append(p.classes, c)
	}
	return p, errors.Join(errs...)
}

// classOf returns what an entry of the filter called name becomes, but for its policer.
func classOf(name string, e filter.Entry) (class, error) {
	c := class{name: name + "-" + e.Name, quiet: e.Counter == ""}
	errs := []error{filter.CheckName(e.Name, false), filter.CheckName(c.name, false)}
	if e.Counter != "" && e.Counter != filter.CounterOf(e.Name) {
		errs = append(errs, fmt.Errorf("counter: %q, but IOS XE counts by class, and the count of %s is %q", e.Counter, e.Name, filter.CounterOf(e.Name)))
	}
	var err error
	c.lines, c.dscp, err = conditions(e.Match)
	errs = append(errs, err)
	c.does, err = actionOf(e.Do)
	return c, errors.Join(append(errs, err)...)
}

// conditions returns the lines of a list and the DSCP of a class that are m. Each error names the condition that cannot be said.
func conditions(m filter.Match) (lines []ciscoacl.Statement, dscp string, err error) {
	var errs []error
	refuse := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	fragments := "a list that permits them takes later fragments along, and that the list of a class knows a word that keeps those off is not written down"
	for _, x := range []struct {
		asked bool
		what  string
	}{
		{m.Port != nil || m.SrcPort != nil || m.DstPort != nil, "port: " + fragments},
		{m.Flags != nil, "tcp-flags: " + fragments},
		{m.ICMPType != nil || m.ICMPCode != nil, "icmp-type: " + fragments},
		{ciscoacl.StatesOf(m, packet.IPv4) != packet.AnyFrags, "fragment: that the list of a class looks at the word for later fragments is not written down"},
		{m.Length != nil, "packet-length: whether a packet as long as one of the bounds of `match packet length` is inside is not said in one way"},
		{m.Label != nil, "flow-label: IPv4 has none"},
	} {
		if x.asked {
			refuse("%s", x.what)
		}
	}
	switch {
	case m.DSCP == nil:
	case len(m.DSCP) == 1 && m.DSCP[0].Lo == m.DSCP[0].Hi:
		dscp = strconv.FormatUint(uint64(m.DSCP[0].Lo), 10)
	case len(m.DSCP) == 0:
		refuse("dscp: no number is left, the entry matches nothing")
	default:
		refuse("dscp: a class compares one; what several of them mean beside a list is not written down")
	}
	bare := filter.Match{Src: m.Src, Dst: m.Dst}
	if m.Proto == nil {
		line, err := iosxe.Permit(bare)
		return []ciscoacl.Statement{line}, dscp, errors.Join(append(errs, err)...)
	}
	if len(m.Proto) == 0 {
		refuse("protocol: no number is left, the entry matches nothing")
	}
	for _, s := range m.Proto {
		for n := s.Lo; n <= s.Hi; n++ {
			bare.Proto = packet.Values{{Lo: n, Hi: n}}
			line, err := iosxe.Permit(bare)
			lines, errs = append(lines, line), append(errs, err)
		}
	}
	return lines, dscp, errors.Join(errs...)
}

// actionOf returns what a policy does for do, but for the numbers of its policer.
func actionOf(do filter.Do) (action, error) {
	var errs []error
	for _, x := range []struct {
		asked bool
		what  string
	}{
		{do.Redirect != nil, "redirect: a policy does not redirect; policy routing is an object of its own, one for each interface"},
		{do.Sample, "sample: a class samples nothing"},
		{do.Continue, "continue: the first class that matches ends the evaluation"},
		{do.Discard && (do.Policer != "" || do.Mark != nil), "discard: drop is the only action of its class"},
	} {
		if x.asked {
			errs = append(errs, errors.New(x.what))
		}
	}
	switch {
	case do.Discard:
		return action{drop: true}, errors.Join(errs...)
	case do.Policer == "" && do.Mark == nil:
		return passing, errors.Join(errs...)
	}
	return action{mark: do.Mark}, errors.Join(errs...)
}

// police limits to p. A policer is an action of one class and has no name, so entries cannot share it, and its name is that of its entry.
func (a *action) police(p filter.Policer, entry string, users int) error {
	rate := float64(p.Rate.Amount) * 8
	switch {
	case users > 1:
		return fmt.Errorf("policer %s: several entries share it: police is an action of one class, and each would have a bucket of its own", p.Name)
	case p.Name != filter.Mark+entry:
		return fmt.Errorf("policer %s: want the name %s%s: police has no name, and is known by its entry", p.Name, filter.Mark, entry)
	case p.Rate.Unit != flowspec.Bytes:
		return fmt.Errorf("policer %s: the model has rates in packets, and no page says that a policy on an interface takes them", p.Name)
	case rate != math.Trunc(rate) || rate < leastRate || rate > mostRate:
		return fmt.Errorf("policer %s: rate %v: police takes whole bits/s, %d to %d", p.Name, p.Rate.Amount, leastRate, mostRate)
	case p.Burst < leastBurst || p.Burst > mostBurst:
		return fmt.Errorf("policer %s: burst %d: police takes %d to %d octets", p.Name, p.Burst, leastBurst, mostBurst)
	}
	a.cir, a.bc, a.exceed = uint64(rate), p.Burst, "drop"
	return nil
}

// listText is the access list of the class.
func (c class) listText() string {
	var b strings.Builder
	b.WriteString("ip access-list extended " + c.name + "\n")
	for i, l := range c.lines {
		fmt.Fprintf(&b, " %d %s\n", (i+1)*linesApart, l.Words())
	}
	return b.String()
}

// classText is the class map.
func (c class) classText() string {
	text := "class-map match-all " + c.name + "\n"
	if c.quiet {
		text += " description " + quietWord + "\n"
	}
	text += " match access-group name " + c.name + "\n"
	if c.dscp != "" {
		text += " match dscp " + c.dscp + "\n"
	}
	return text
}

// doesText is what the policy does to the class.
func (c class) doesText() string {
	text := " class " + c.name + "\n"
	if c.does.drop {
		return text + "  drop\n"
	}
	if c.does.cir > 0 {
		text += fmt.Sprintf("  police cir %d bc %d\n   conform-action transmit\n   exceed-action %s\n", c.does.cir, c.does.bc, c.does.exceed)
	}
	if c.does.mark != nil {
		text += fmt.Sprintf("  set dscp %d\n", *c.does.mark)
	}
	return text
}
