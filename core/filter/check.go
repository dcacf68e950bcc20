package filter

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strings"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// Check says what is wrong with f as data: names, references, numbers out of range, and what its placement forbids. It knows no
// vendor. All faults are reported together.
func (f Filter) Check() error {
	var errs []error
	fault := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if !ours(f.Name) {
		fault("filter %q: its name must begin with %q", f.Name, Mark)
	}
	if f.Version != packet.IPv4 && f.Version != packet.IPv6 {
		fault("filter %s: IP version %d, want 4 or 6", f.Name, f.Version)
	}
	if f.Placement != Alone && f.Placement != Before {
		fault("filter %s: placement %q, want %q or %q", f.Name, f.Placement, Alone, Before)
	}
	used := f.checkPolicers(fault)
	seen := make(map[string]bool, len(f.Entries))
	for i, e := range f.Entries {
		if e.Name == "" {
			fault("filter %s: entry %d has no name", f.Name, i+1)
			continue
		}
		if seen[e.Name] {
			fault("filter %s: two entries are named %s", f.Name, e.Name)
		}
		seen[e.Name] = true
		if err := e.check(f); err != nil {
			fault("filter %s, entry %s: %w", f.Name, e.Name, err)
		}
		if e.Do.Policer == "" {
			continue
		}
		if _, ok := used[e.Do.Policer]; !ok {
			fault("filter %s, entry %s: policer %s is not one of the filter's", f.Name, e.Name, e.Do.Policer)
			continue
		}
		used[e.Do.Policer] = true
	}
	for _, p := range f.Policers {
		if !used[p.Name] {
			fault("filter %s: policer %s is used by no entry", f.Name, p.Name)
		}
	}
	return errors.Join(errs...)
}

// ours says whether name is one that sluice gives to objects.
func ours(name string) bool { return strings.HasPrefix(name, Mark) && len(name) > len(Mark) }

// checkPolicers checks each policer and returns their names, none of them used yet.
func (f Filter) checkPolicers(fault func(string, ...any)) map[string]bool {
	used := make(map[string]bool, len(f.Policers))
	for _, p := range f.Policers {
		if _, twice := used[p.Name]; twice {
			fault("filter %s: two policers are named %s", f.Name, p.Name)
		}
		used[p.Name] = false
		if !ours(p.Name) {
			fault("filter %s: policer %q: its name must begin with %q", f.Name, p.Name, Mark)
		}
		if a := float64(p.Rate.Amount); !(a > 0) || math.IsInf(a, 0) {
			fault("filter %s: policer %s: rate %v, want a number above 0 (rate 0 is an entry that discards)", f.Name, p.Name, a)
		}
		if p.Rate.Unit != flowspec.Bytes && p.Rate.Unit != flowspec.Packets {
			fault("filter %s: policer %s: its rate counts neither bytes nor packets", f.Name, p.Name)
		}
		if p.Burst == 0 {
			fault("filter %s: policer %s: burst 0 would let nothing through", f.Name, p.Name)
		}
	}
	return used
}

// check looks at one entry of f.
func (e Entry) check(f Filter) error {
	var errs []error
	if e.Do.Mark != nil && *e.Do.Mark > 63 {
		errs = append(errs, fmt.Errorf("mark %d, want a DSCP of 0 to 63", *e.Do.Mark))
	}
	// Whatever ends evaluation here, the operator's filter behind ours never sees.
	if f.Placement == Before && !e.Do.Discard && !e.Do.Continue {
		errs = append(errs, errors.New("it would end evaluation without discarding, and so bypass the operator's filter: before another filter an entry discards or continues; narrow the discards instead of accepting in front of them"))
	}
	return errors.Join(append(errs, e.Match.check(f.Version)...)...)
}

// check looks at the conditions of a match.
func (m Match) check(v packet.Version) []error {
	var errs []error
	for _, side := range []struct {
		name string
		p    *netip.Prefix
	}{{"destination", m.Dst}, {"source", m.Src}} {
		if side.p == nil {
			continue
		}
		switch {
		case !side.p.IsValid():
			errs = append(errs, fmt.Errorf("%s is no valid prefix", side.name))
		case side.p.Addr().Is4() != (v == packet.IPv4) || side.p.Addr().Is4In6():
			errs = append(errs, fmt.Errorf("%s %s is not of IP version %d", side.name, side.p, v))
		case *side.p != side.p.Masked():
			errs = append(errs, fmt.Errorf("%s %s has bits behind its length, want %s", side.name, side.p, side.p.Masked()))
		}
	}
	for _, c := range m.numbers() {
		if err := checkValues(c.values, c.max); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", c.name, err))
		}
	}
	if m.Label != nil && v == packet.IPv4 {
		errs = append(errs, errors.New("IPv4 has no flow label"))
	}
	for _, t := range m.Flags {
		if (t.Set|t.Clear)>>12 != 0 {
			errs = append(errs, fmt.Errorf("TCP flags %#04x and not %#04x: there are 12 flag bits", t.Set, t.Clear))
		}
	}
	return errs
}

// number is one numeric condition of a match: its name in FlowSpec, its values, and the largest number of its field.
type number struct {
	name   string
	values packet.Values
	max    uint32
}

func (m Match) numbers() []number {
	return []number{
		{"protocol", m.Proto, 255},
		{"port", m.Port, 65535},
		{"destination-port", m.DstPort, 65535},
		{"source-port", m.SrcPort, 65535},
		{"icmp-type", m.ICMPType, 255},
		{"icmp-code", m.ICMPCode, 255},
		{"packet-length", m.Length, 65535},
		{"dscp", m.DSCP, 63},
		{"flow-label", m.Label, 1<<20 - 1},
	}
}

// checkValues says whether vs is canonical and within 0..top.
func checkValues(vs packet.Values, top uint32) error {
	for i, s := range vs {
		if s.Lo > s.Hi || s.Hi > top {
			return fmt.Errorf("%d-%d is no range of 0 to %d", s.Lo, s.Hi, top)
		}
		if i > 0 && (s.Lo <= vs[i-1].Hi || s.Lo == vs[i-1].Hi+1) {
			return fmt.Errorf("%d-%d should stand before, or be joined with, %d-%d", s.Lo, s.Hi, vs[i-1].Lo, vs[i-1].Hi)
		}
	}
	return nil
}
