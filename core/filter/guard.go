package filter

import (
	"github.com/sluice-gateway/sluice/core/packet"
)

// Guard returns m with the conditions on protocol and fragment offset that a platform with semantics s does not check by itself, so that
// Guard(m, v, s).Set(v, s) is what FlowSpec means by m: ports are those of TCP and UDP, flags those of TCP, type and code those of the
// version's ICMP, all of them only where the offset is zero, since later fragments carry no transport header (RFC 8955 §4.2.2.3 and §4.2.2.12).
//
// Where nothing is left (ICMP with a port, a port of a later fragment) the result matches nothing: its Proto is empty and not nil.
// A list of flags that lets every word through is dropped once the protocol stands in the match.
func Guard(m Match, v packet.Version, s Semantics) Match {
	if !m.Transport() {
		return m
	}
	if m.portsAsked() && !s.PortsCheckProtocol {
		m.Proto = m.Proto.And(tcpAndUDP)
	}
	if m.flagsAsked() && !s.FlagsCheckProtocol {
		m.Proto = m.Proto.And(tcpOnly)
	}
	if m.icmpAsked() && !s.ICMPChecksProtocol {
		m.Proto = m.Proto.And(icmpOnly(v))
	}
	if !s.TransportChecksOffset {
		m = m.atOffsetZero(v)
	}
	if m.flagsAsked() && !s.FlagsCheckProtocol && !s.TransportChecksOffset && anyFlags(m.Flags) {
		m.Flags = nil
	}
	return m
}

// Gaps are the conditions of a match that are not kept to packets that have the field, on a platform that checks nothing by itself: what Guard would put there. Dialects of
// such platforms refuse an entry that has any.
type Gaps struct {
	Ports, Flags, ICMP bool // the protocols of the match hold others than those that have ports, TCP flags, the version's ICMP
	Later              bool // its fragments hold later ones, which have no transport header
}

// Unguarded returns the gaps of m.
func Unguarded(m Match, v packet.Version) Gaps {
	states := m.Fragments
	if v == packet.IPv6 {
		states &= 0x0f // no DF in IPv6
	}
	return Gaps{
		Ports: m.portsAsked() && !within(m.Proto, tcpAndUDP),
		Flags: m.flagsAsked() && !within(m.Proto, tcpOnly),
		ICMP:  m.icmpAsked() && !within(m.Proto, icmpOnly(v)),
		Later: m.Transport() && (m.Fragments == 0 || states&^packet.OffsetZero != 0),
	}
}

// within says whether vs is a condition that all allows no number but its own.
func within(vs, all packet.Values) bool { return vs != nil && len(vs.Sub(all, 255)) == 0 }

// atOffsetZero narrows the fragment states. A mask of no states would read as "no condition", so an impossible one empties the protocols instead.
func (m Match) atOffsetZero(v packet.Version) Match {
	states := packet.OffsetZero
	if m.Fragments != 0 {
		states &= m.Fragments
	}
	if v == packet.IPv6 {
		states &= 0x0f // no DF in IPv6
	}
	if states == 0 {
		m.Proto = packet.Values{}
		return m
	}
	m.Fragments = states
	return m
}

// anyFlags says whether one of terms lets every flag word through.
func anyFlags(terms []FlagTerm) bool {
	for _, t := range terms {
		if t.Set == 0 && t.Clear == 0 {
			return true
		}
	}
	return false
}

// FragmentParts splits a set of fragment states into sets that one entry each can say on platforms that check the offset and the
// flags separately: one part when offset zero and later fragments ask for the same flags, else a part for offset zero and a part for the
// rest. The parts are disjoint; 0 (no condition) is one part.
func FragmentParts(f packet.Frags) []packet.Frags {
	zero, later := f&packet.OffsetZero, f&^packet.OffsetZero
	if zero == 0 || later == 0 || sameFlags(zero, later) {
		return []packet.Frags{f}
	}
	return []packet.Frags{zero, later}
}

// sameFlags says whether later holds, for the same more-fragments and don't-fragment bits, just what zero does: Last stands for Whole
// (no more fragments), Middle for First.
func sameFlags(zero, later packet.Frags) bool {
	for _, df := range []int{0, 4} {
		has := func(f packet.Frags, s packet.Fragment) bool { return f>>(df+int(s))&1 == 1 }
		if has(zero, packet.Whole) != has(later, packet.Last) || has(zero, packet.First) != has(later, packet.Middle) {
			return false
		}
	}
	return true
}
