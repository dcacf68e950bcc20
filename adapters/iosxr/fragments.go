package iosxr

import (
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// laterFragments are the states with an offset above zero: they have no transport header.
const laterFragments = packet.AnyFrags &^ packet.OffsetZero

// fragmentWord is a condition on fragments, and the states that it lets through.
type fragmentWord struct {
	word   string // behind fragment-type; "" no condition; fragments and offsetWord stand by themselves
	states packet.Frags
}

// fragmentWords are the conditions of IPv4, the shorter first. `fragments` is an offset above zero; the types are the table of "ACL IP Fragments Matching - NCS55xx and
// NCS5xx": dont-fragment DF=1, first-fragment MF=1 and offset 0, is-fragment any fragment, last-fragment MF=0 and an offset. Mind that is-fragment of FlowSpec (RFC
// 8955 section 4.2.2.12) is `fragments` here: the first fragment is none.
var fragmentWords = []fragmentWord{
	{"", packet.AnyFrags},
	{"fragments", laterFragments},
	{"first-fragment", 0x22},
	{"last-fragment", 0x88},
	{"is-fragment", 0xee},
	{"dont-fragment", 0xf0},
	{"dont-fragment first-fragment", 0x20},
	{"dont-fragment last-fragment", 0x80},
	{"dont-fragment is-fragment", 0xe0},
	{offsetWord, packet.OffsetZero},
}

// offsetWord is a feature of the model that not every line card has; one without it refuses the configuration. It is used where nothing else will do: in front of another list.
const offsetWord = "fragment-offset eq 0"

// wordsFor returns the conditions of version v. The types of IPv6 (first-fragment, is-fragment) are left alone: what they say of a packet with a fragment header that is whole
// (RFC 8200 section 4.5) is not written down.
func wordsFor(v packet.Version) []fragmentWord {
	if v == packet.IPv6 {
		return fragmentWords[:2]
	}
	return fragmentWords
}

// part is a part of an access list, by the packets that get there.
type part uint8

const (
	whole part = iota // all of them: the list has one part
	later             // later fragments, and all others: a line here must keep off those
	first             // packets at offset zero
)

// wordIn returns the condition by which a line in p matches just states of those packets that it is to match there.
func wordIn(p part, states packet.Frags, v packet.Version) (string, bool) {
	for _, w := range wordsFor(v) {
		if w.in(p) && w.states&p.reach() == states {
			return w.word, true
		}
	}
	return "", false
}

// reach is the states of packets that a line in p may match.
func (p part) reach() packet.Frags {
	switch p {
	case later:
		return laterFragments
	case first:
		return packet.OffsetZero
	}
	return packet.AnyFrags
}

// in says whether w may stand in p: in front of the packets at offset zero, only what is about later fragments.
func (w fragmentWord) in(p part) bool { return p != later || w.states&packet.OffsetZero == 0 }

// statesOf returns the fragment states that m asks for, in both halves for IPv6, which has no DF.
func statesOf(m filter.Match, v packet.Version) packet.Frags {
	f := m.Fragments
	if v == packet.IPv6 {
		f &= 0x0f
		f |= f << 4
	}
	if f == 0 {
		return packet.AnyFrags
	}
	return f
}

// plain says whether one line in a list of one part matches what m does, with the action of do.
func plain(m filter.Match, do filter.Do, v packet.Version) bool {
	states := statesOf(m, v)
	if m.Transport() {
		// A deny with Layer 4 information leaves later fragments to the next line (Cisco IOS IP Configuration Guide, "IP Extended Access Lists with Fragment
		// Control"; Cisco document 8014). Of IPv6 nobody says it.
		_, ok := wordIn(first, states, v)
		return ok && do.Discard && v == packet.IPv4
	}
	_, ok := wordIn(whole, states, v)
	return ok
}

// needsParts says whether m is better said in a list of two parts, or only there.
func needsParts(m filter.Match, v packet.Version) bool {
	word, ok := wordIn(whole, statesOf(m, v), v)
	return m.Transport() || !ok || word == offsetWord
}

// inParts says whether f needs two parts. In front of the operator's list there is none for later fragments: it would have to permit them at its end.
func inParts(f filter.Filter) bool {
	if f.Placement != filter.Alone {
		return false
	}
	for _, e := range f.Entries {
		if needsParts(e.Match, f.Version) {
			return true
		}
	}
	return false
}
