package ciscoacl

import (
	"errors"
	"fmt"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// Writer collects the statements of a line, and what stands against them.
type Writer struct {
	V     packet.Version
	Out   []Statement
	Spell *Spelling
	errs  []error
}

// Refuse notes a condition that cannot be said, and why.
func (w *Writer) Refuse(format string, args ...any) {
	w.errs = append(w.errs, fmt.Errorf(format, args...))
}

// Err returns all that was refused.
func (w *Writer) Err() error { return errors.Join(w.errs...) }

// Guarded refuses conditions on transport fields that are not kept to packets that have these fields. The words of a line depend on its protocol, and what it does
// to later fragments on what it does to all others.
func (w *Writer) Guarded(m filter.Match) {
	if (m.Port != nil || m.DstPort != nil || m.SrcPort != nil) && !Only(m.Proto, 6, 17) {
		w.Refuse("protocol: a line with ports begins with tcp or udp")
	}
	if m.Flags != nil && !Only(m.Proto, 6) {
		w.Refuse("protocol: a line with TCP flags begins with tcp")
	}
	if (m.ICMPType != nil || m.ICMPCode != nil) && !Only(m.Proto, ICMP(w.V)) {
		w.Refuse("protocol: a line with an ICMP type begins with %s", w.Spell.ICMP[w.V])
	}
	if m.Transport() && StatesOf(m, w.V)&LaterFragments != 0 {
		w.Refuse("fragment: an entry with ports, flags or ICMP must ask for fragment offset 0, for later fragments have no such fields")
	}
	if m.Port != nil {
		w.Refuse("port: a line has a source port and a destination port, and no \"either of them\"; write an entry for each")
	}
}

// Only says whether vs is one of numbers.
func Only(vs packet.Values, numbers ...uint32) bool {
	for _, n := range numbers {
		if len(vs) == 1 && vs[0] == (packet.Span{Lo: n, Hi: n}) {
			return true
		}
	}
	return false
}

// ICMP is the protocol number of the ICMP of version v.
func ICMP(v packet.Version) uint32 {
	if v == packet.IPv6 {
		return 58
	}
	return 1
}

// Single returns the one span of vs. Lists are refused.
func (w *Writer) Single(what string, vs packet.Values) (packet.Span, bool) {
	switch len(vs) {
	case 0:
		w.Refuse("%s: no number is left, the entry matches nothing", what)
	case 1:
		return vs[0], true
	default:
		w.Refuse("%s: a line takes one number or one range, not %d of them; write an entry for each", what, len(vs))
	}
	return packet.Span{}, false
}

// Number returns the one number of vs.
func (w *Writer) Number(what string, vs packet.Values) (uint32, bool) {
	s, ok := w.Single(what, vs)
	if ok && s.Lo != s.Hi {
		w.Refuse("%s: a line takes one number, and no range", what)
		return 0, false
	}
	return s.Lo, ok
}

// Bit is the name of one TCP flag.
type Bit struct {
	Name string
	Bit  uint16
}

// TCPBits are the flags that lines name.
var TCPBits = []Bit{{"fin", 0x01}, {"syn", 0x02}, {"rst", 0x04}, {"psh", 0x08}, {"ack", 0x10}, {"urg", 0x20}}

// Flags returns match-all and one term with all of its flags, or match-any and several terms of one flag each, any of which may hold, as lines spell them: +syn -ack. It
// returns "" for what was refused.
func (w *Writer) Flags(terms []filter.FlagTerm) (word string, bits []string) {
	possible, err := filter.PossibleFlags(terms, 0x3f, "a line names the six bits fin, syn, rst, psh, ack and urg only")
	if err != nil {
		w.errs = append(w.errs, err)
		return "", nil
	}
	for _, t := range possible {
		names := literals(t)
		if len(possible) > 1 && len(names) > 1 {
			w.Refuse("tcp-flags: a line takes one term of several flags or several terms of one flag; write an entry for each")
			return "", nil
		}
		bits = append(bits, names...)
	}
	if len(possible) == 1 {
		return "match-all", bits
	}
	return "match-any", bits
}

// literals returns a term as lines spell it: +syn -ack.
func literals(t filter.FlagTerm) []string {
	var out []string
	for _, b := range TCPBits {
		if t.Set&b.Bit != 0 {
			out = append(out, "+"+b.Name)
		}
	}
	for _, b := range TCPBits {
		if t.Clear&b.Bit != 0 {
			out = append(out, "-"+b.Name)
		}
	}
	return out
}
