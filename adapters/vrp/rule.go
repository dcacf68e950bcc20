package vrp

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// twin is what the name of the second rule of an entry ends with; in the model the name is the key.
const twin = "-later"

// longestRule is what the name of a rule has at most (huawei-acl of 8.22).
const longestRule = 32

// rules returns the lines that say e, one or two, without their numbers.
func rules(e filter.Entry, v packet.Version) ([]rule, error) {
	w := writer{v: v, r: blank}
	w.match(e.Match)
	words, err := written(e.Match, v)
	if err := errors.Join(append(w.errs, err, checkEntryName(e.Name), checkCounter(e))...); err != nil {
		return nil, err
	}
	w.r.name, w.r.uncounted = e.Name, e.Counter == ""
	out := make([]rule, len(words))
	for i, word := range words {
		out[i] = w.r
		out[i].fragment = word
		if i > 0 {
			out[i].name += twin
		}
	}
	return out, nil
}

// linesOf returns the lines of each entry of f.
func linesOf(f filter.Filter) ([][]rule, error) {
	out := make([][]rule, len(f.Entries))
	var errs []error
	for i, e := range f.Entries {
		var err error
		if out[i], err = rules(e, f.Version); err != nil {
			errs = append(errs, fmt.Errorf("entry %s: %w", e.Name, err))
		}
	}
	return out, errors.Join(errs...)
}

// checkEntryName holds names to what rules take, with room for what the second one's ends with.
func checkEntryName(name string) error {
	if len(name) > longestRule-len(twin) || strings.HasSuffix(name, twin) {
		return fmt.Errorf("name %q: want up to %d characters, and not %s at the end", name, longestRule-len(twin), twin)
	}
	return filter.CheckName(name, false)
}

// checkCounter refuses counters that cannot be read back: a policy counts by rule, and whose they are follows from the rule's name.
func checkCounter(e filter.Entry) error {
	if e.Counter != "" && e.Counter != counterOf(e.Name) {
		return fmt.Errorf("counter: %q, but a policy counts by rule, and those of %s add up to %q", e.Counter, e.Name, counterOf(e.Name))
	}
	return nil
}

// counterOf returns the name of the counter of an entry: that of its rule's first entry.
func counterOf(name string) string {
	if m := ruleName.FindStringSubmatch(name); m != nil {
		return "r-" + m[1]
	}
	return name
}

// writer writes the conditions of one entry.
type writer struct {
	v    packet.Version
	r    rule
	errs []error
}

// refuse notes a condition that cannot be said, by its name in FlowSpec.
func (w *writer) refuse(format string, args ...any) {
	w.errs = append(w.errs, fmt.Errorf(format, args...))
}

func (w *writer) match(m filter.Match) {
	w.r.src, w.r.dst = open(m.Src), open(m.Dst)
	w.number("dscp", m.DSCP, &w.r.dscp)
	if m.Label != nil {
		w.refuse("flow-label: a rule has no such condition")
	}
	if w.v == packet.IPv6 {
		w.notInIPv6(m)
		return
	}
	w.number("protocol", m.Proto, &w.r.proto)
	if w.r.proto == 0 {
		w.refuse("protocol: how a line names protocol 0 is not written down")
	}
	w.span("packet-length", m.Length, &w.r.length)
	w.transport(m)
}

// open returns the prefix, or the zero one where it leaves everything open.
func open(p *netip.Prefix) netip.Prefix {
	if p == nil || p.Bits() == 0 {
		return netip.Prefix{}
	}
	return *p
}

// notInIPv6 refuses what a line of IPv6 cannot say exactly.
func (w *writer) notInIPv6(m filter.Match) {
	for _, x := range []struct {
		asked     bool
		what, why string
	}{
		{m.Proto != nil, "protocol", "a line looks at the first extension header only, and a rule means the protocol behind all of them"},
		{transport(m), "ports, flags and ICMP", "nothing keeps a line with them off later fragments, and they need a protocol"},
		{m.Length != nil, "packet-length", "a line of IPv6 has no such condition"},
	} {
		if x.asked {
			w.refuse("%s: %s", x.what, x.why)
		}
	}
}

// number writes a condition that takes one number.
func (w *writer) number(what string, vs packet.Values, to *int) {
	switch {
	case vs == nil:
	case len(vs) == 1 && vs[0].Lo == vs[0].Hi:
		*to = int(vs[0].Lo)
	default:
		w.refuse("%s: a line takes one number", what)
	}
}

// span writes a condition that takes one number or one range. The model refuses a range of all numbers, which is no condition.
func (w *writer) span(what string, vs packet.Values, to *span) {
	switch {
	case vs == nil || len(vs) == 1 && vs[0] == packet.Span{Lo: 0, Hi: top}:
	case len(vs) == 1:
		*to = span{vs[0].Lo, vs[0].Hi, true}
	default:
		w.refuse("%s: a line takes one number or one range", what)
	}
}

// transport writes what is behind the IP header. The model takes ports, TCP flags and ICMP fields beside their protocol only.
func (w *writer) transport(m filter.Match) {
	if m.Port != nil {
		w.refuse("port: a line asks for source and destination port both; write them in entries of their own")
	}
	if (m.DstPort != nil || m.SrcPort != nil) && w.r.proto != tcp && w.r.proto != udp {
		w.refuse("port: the entry must ask for protocol 6 or 17, one of them")
	}
	w.span("destination-port", m.DstPort, &w.r.dport)
	w.span("source-port", m.SrcPort, &w.r.sport)
	if (m.ICMPType != nil || m.ICMPCode != nil) && w.r.proto != icmp {
		w.refuse("icmp: the entry must ask for protocol 1")
	}
	w.number("icmp-type", m.ICMPType, &w.r.kind)
	w.number("icmp-code", m.ICMPCode, &w.r.code)
	if m.ICMPCode != nil && m.ICMPType == nil {
		w.refuse("icmp-code: a code stands behind a type")
	}
	if m.Flags != nil {
		w.tcpFlags(m.Flags)
	}
}

// tcpFlags writes the flags that are set and those that are clear, as a value under a mask. Without a mask all six bits count (the default of the model is 63), so the bits of
// a mask are those that are looked at.
func (w *writer) tcpFlags(terms []filter.FlagTerm) {
	switch {
	case w.r.proto != tcp:
		w.refuse("tcp-flags: the entry must ask for protocol 6")
	case len(terms) != 1:
		w.refuse("tcp-flags: a line has one value and one mask, so it cannot ask for one thing or another")
	case (terms[0].Set|terms[0].Clear)&^0x3f != 0:
		w.refuse("tcp-flags: a line knows six flags, of which ECE, CWR and NS are none")
	case terms[0].Set&terms[0].Clear != 0:
		w.refuse("tcp-flags: a flag is asked to be set and clear, which none is; the entry matches nothing")
	default:
		w.r.flags, w.r.masked = uint8(terms[0].Set), uint8(terms[0].Set|terms[0].Clear)
	}
}

// match returns what r matches; fragments are the affair of its caller.
func (r rule) match() filter.Match {
	var m filter.Match
	if r.src.IsValid() {
		m.Src = &r.src
	}
	if r.dst.IsValid() {
		m.Dst = &r.dst
	}
	m.Proto, m.DSCP, m.ICMPType, m.ICMPCode = one(r.proto), one(r.dscp), one(r.kind), one(r.code)
	m.SrcPort, m.DstPort, m.Length = r.sport.values(), r.dport.values(), r.length.values()
	if r.masked != 0 {
		m.Flags = []filter.FlagTerm{{Set: uint16(r.flags), Clear: uint16(r.masked &^ r.flags)}}
	}
	return m
}

func one(n int) packet.Values {
	if n < 0 {
		return nil
	}
	return packet.Values{{Lo: uint32(n), Hi: uint32(n)}}
}

func (s span) values() packet.Values {
	if !s.set {
		return nil
	}
	return packet.Values{{Lo: s.lo, Hi: s.hi}}
}

// check says what in r is no line of version v that sluice writes.
func (r rule) check(v packet.Version) error {
	switch {
	case v == packet.IPv6 && (r.proto >= 0 || r.transport() || r.length.set):
		return errors.New("a line of IPv6 with more than addresses, DSCP and fragment")
	case (r.sport.set || r.dport.set) && r.proto != tcp && r.proto != udp:
		return errors.New("ports of another protocol than tcp and udp")
	case r.masked != 0 && r.proto != tcp:
		return errors.New("TCP flags of another protocol than tcp")
	case (r.kind >= 0 || r.code >= 0) && r.proto != icmp || r.code >= 0 && r.kind < 0:
		return errors.New("an ICMP message of another protocol than icmp, or a code without a type")
	case r.flags&^r.masked != 0:
		return errors.New("TCP flags that the mask leaves out")
	}
	return nil
}

func (r rule) transport() bool {
	return r.sport.set || r.dport.set || r.masked != 0 || r.kind >= 0 || r.code >= 0
}

// entry returns the entry that one or two rules are.
func entry(rs []rule, v packet.Version) (filter.Entry, error) {
	first := rs[0]
	e := filter.Entry{Name: first.name, Match: first.match()}
	if err := checkEntryName(e.Name); err != nil {
		return e, err
	}
	if m := ruleName.FindStringSubmatch(e.Name); m != nil {
		e.Rule = flowspec.ID(m[1])
	}
	if !first.uncounted {
		e.Counter = counterOf(e.Name)
	}
	var states packet.Frags
	for i, r := range rs {
		if err := r.check(v); err != nil {
			return e, err
		}
		word := wordOf(r.fragment, v)
		switch {
		case word == nil:
			return e, fmt.Errorf("fragment: %q is no word that sluice writes", r.fragment)
		case r.transport() && word.states&later != 0:
			return e, errors.New("ports, flags or ICMP without a condition that keeps the line off later fragments")
		case states&word.states != 0:
			return e, errors.New("its second line takes fragments that its first one takes")
		}
		states |= word.states
		same := r
		same.id, same.name, same.fragment = first.id, first.name, first.fragment
		if i > 0 && (same != first || r.name != first.name+twin) {
			return e, fmt.Errorf("rule %d is another entry than rule %d", r.id, first.id)
		}
	}
	if e.Match.Fragments = states; states == packet.AnyFrags {
		e.Match.Fragments = 0
	}
	return e, nil
}
