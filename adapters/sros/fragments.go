package sros

import (
	"errors"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// later are the states with an offset above zero: they have no transport header.
const later = packet.AnyFrags &^ packet.OffsetZero

// fragmentWord is a value of `fragment`, and the states that it lets through.
type fragmentWord struct {
	word   string // "": no condition
	states packet.Frags
}

// fragmentWords are those of IPv4: "non-fragmented IP packets are packets that have the MF bit set to zero and have the Fragment Offset field also set to zero", true is all others
// (Router Configuration Guide 14.0, "fragment"), first-only and non-first-only are the initial and the other fragments (22.7). None of them looks at don't-fragment.
var fragmentWords = []fragmentWord{{"", packet.AnyFrags}, {"false", 0x11}, {"first-only", 0x22}, {"non-first-only", later}, {"true", 0xee}}

// wordsFor returns the values of version v that mean one thing. In IPv6 `false` is a packet without a fragment header, so it leaves atomic fragments (RFC 6946) out, which are whole;
// what first-only makes of them is not said.
func wordsFor(v packet.Version) []fragmentWord {
	if v == packet.IPv6 {
		return []fragmentWord{fragmentWords[0], fragmentWords[3]}
	}
	return fragmentWords
}

// written are the values, one after the other, by which an entry gets just the states of m, by one entry where that goes, else by two.
func written(m filter.Match, v packet.Version) ([]string, error) {
	states := statesOf(m, v)
	if m.Transport() && states&later != 0 {
		return nil, errors.New("fragment: an entry with ports, flags or ICMP must ask for fragment offset 0, for later fragments have no such fields")
	}
	if states == 0 {
		return nil, errors.New("fragment: no state is left, the entry matches nothing")
	}
	words := wordsFor(v)
	for _, a := range words {
		if reach(m, a.states) == states {
			return []string{a.word}, nil
		}
	}
	for i, a := range words {
		for _, b := range words[:i] {
			if a.states&b.states == 0 && reach(m, a.states|b.states) == states {
				return []string{b.word, a.word}, nil
			}
		}
	}
	if m.Transport() && v == packet.IPv6 {
		return nil, errors.New("fragment: its conditions on ports, flags or ICMP hold for zero, so they match later fragments as well, and in IPv6 no word keeps just those off")
	}
	return nil, errors.New("fragment: no words of SR OS say just this")
}

// reach returns what is left of states for an entry that asks for them and for m: no later fragment fulfils a condition that zero does not.
func reach(m filter.Match, states packet.Frags) packet.Frags {
	if failsForZero(m) {
		states &= packet.OffsetZero
	}
	return states
}

// statesOf returns the fragment states that m asks for, in both halves for IPv6, which has no DF.
func statesOf(m filter.Match, v packet.Version) packet.Frags {
	f := m.Fragments
	if v == packet.IPv6 {
		f &= 0x0f
		f |= f << 4
	}
	if f == 0 && m.Fragments == 0 {
		return packet.AnyFrags
	}
	return f
}

// failsForZero says whether one of the conditions of m on the transport header is not fulfilled by zeros, and so by no later fragment.
func failsForZero(m filter.Match) bool {
	for _, vs := range []packet.Values{m.Port, m.DstPort, m.SrcPort, m.ICMPType, m.ICMPCode} {
		if len(vs) > 0 && vs[0].Lo > 0 {
			return true
		}
	}
	return len(m.Flags) == 1 && m.Flags[0].Set != 0
}
