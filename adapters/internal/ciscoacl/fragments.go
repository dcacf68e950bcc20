package ciscoacl

import (
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// LaterFragments are the states with an offset above zero: they have no transport header.
const LaterFragments = packet.AnyFrags &^ packet.OffsetZero

// FragmentWord is a condition on fragments, and the states that it lets through.
type FragmentWord struct {
	Word   string // "": no condition
	States packet.Frags
	// Last: it is used where nothing else will do.
	Last bool
}

// part is a part of an access list, by the packets that get there.
type part uint8

const (
	whole part = iota // all of them: the list has one part
	later             // later fragments, and all others: a line here must keep off those
	first             // packets at offset zero
)

// wordIn returns the condition by which a line in p matches just states of those packets that it is to match there.
func wordIn(p part, states packet.Frags, words []FragmentWord) (string, bool) {
	for _, w := range words {
		if w.in(p) && w.States&p.reach() == states {
			return w.Word, true
		}
	}
	return "", false
}

// reach is the states of packets that a line in p may match.
func (p part) reach() packet.Frags {
	switch p {
	case later:
		return LaterFragments
	case first:
		return packet.OffsetZero
	}
	return packet.AnyFrags
}

// in says whether w may stand in p: in front of the packets at offset zero, only what is about later fragments.
func (w FragmentWord) in(p part) bool { return p != later || w.States&packet.OffsetZero == 0 }

// StatesOf returns the fragment states that m asks for, in both halves for IPv6, which has no DF: none, where it asks for packets with DF only.
func StatesOf(m filter.Match, v packet.Version) packet.Frags {
	f := m.Fragments
	switch {
	case f == 0:
		return packet.AnyFrags
	case v == packet.IPv6:
		f &= 0x0f
		f |= f << 4
	}
	return f
}

// plain says whether one line in a list of one part matches what m does, with the action of do.
func plain(m filter.Match, do filter.Do, v packet.Version, words []FragmentWord) bool {
	states := StatesOf(m, v)
	if m.Transport() {
		// A deny with Layer 4 information leaves later fragments to the next line (Cisco IOS IP Configuration Guide, "IP Extended Access Lists with Fragment
		// Control"; Cisco document 8014). Of IPv6 nobody says it.
		_, ok := wordIn(first, states, words)
		return ok && do.Discard && v == packet.IPv4
	}
	_, ok := wordIn(whole, states, words)
	return ok
}

// needsParts says whether m is better said in a list of two parts, or only there.
func needsParts(m filter.Match, v packet.Version, words []FragmentWord) bool {
	if m.Transport() {
		return true
	}
	for _, w := range words {
		if w.States == StatesOf(m, v) && !w.Last {
			return false
		}
	}
	return true
}

// inParts says whether f needs two parts. In front of the operator's list there is none for later fragments: it would have to permit them at its end.
func inParts(f filter.Filter, words []FragmentWord) bool {
	if f.Placement != filter.Alone {
		return false
	}
	for _, e := range f.Entries {
		if needsParts(e.Match, f.Version, words) {
			return true
		}
	}
	return false
}
