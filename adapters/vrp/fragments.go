package vrp

import (
	"errors"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// later are the states with an offset above zero: they have no transport header.
const later = packet.AnyFrags &^ packet.OffsetZero

// fragmentWord is a condition on fragments, and the states that it lets through.
type fragmentWord struct {
	word   string // "": no condition
	states packet.Frags
}

// fragmentWords are those of each version (fragment-type and fragment-ipv6-type in huawei-acl of 8.22: "non-fragmented packet", "first fragment or non-fragment packets",
// "first fragment of a packet", "non-first fragment"). None of them looks at don't-fragment. Of the two words that IPv4 has for later fragments one is written; other systems
// of Huawei understand the other, `fragment`, as any fragment, so it is not read either.
var fragmentWords = map[packet.Version][]fragmentWord{
	packet.IPv4: {{"", packet.AnyFrags}, {"non-subseq", packet.OffsetZero}, {"non-fragment", 0x11}, {"fragment-spe-first", 0x22}, {"fragment-subseq", later}},
	packet.IPv6: {{"", packet.AnyFrags}, {"fragment", later}},
}

// wordOf returns the condition that is written so; nil where there is none.
func wordOf(word string, v packet.Version) *fragmentWord {
	for i, w := range fragmentWords[v] {
		if w.word == word {
			return &fragmentWords[v][i]
		}
	}
	return nil
}

// written are the conditions by which an entry gets just the states of m, in one line where that goes, else in two.
func written(m filter.Match, v packet.Version) ([]string, error) {
	states := statesOf(m, v)
	if v == packet.IPv4 && transport(m) && states&later != 0 {
		return nil, errors.New("fragment: an entry with ports, flags or ICMP must ask for fragment offset 0, for later fragments have no such fields")
	}
	words := fragmentWords[v]
	for _, a := range words {
		if a.states == states {
			return []string{a.word}, nil
		}
	}
	for _, a := range words {
		if b := words[len(words)-1]; a.states&b.states == 0 && a.states|b.states == states {
			return []string{a.word, b.word}, nil
		}
	}
	return nil, errors.New("fragment: no words of VRP say just this")
}

// statesOf returns the fragment states that m asks for, in both halves for IPv6, which has no DF.
func statesOf(m filter.Match, v packet.Version) packet.Frags {
	f := m.Fragments
	if f == 0 {
		return packet.AnyFrags
	}
	if v == packet.IPv6 {
		f &= 0x0f
		f |= f << 4
	}
	return f
}

// transport says whether m looks behind the IP header.
func transport(m filter.Match) bool {
	return m.Port != nil || m.DstPort != nil || m.SrcPort != nil || m.ICMPType != nil || m.ICMPCode != nil || m.Flags != nil
}
