package eos

import (
	"errors"
	"fmt"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// laterStates are the states of fragments behind the first.
const laterStates = packet.AnyFrags &^ packet.OffsetZero

// later returns the entries of the part for later fragments, which stands in front of those of f: a copy of each entry that takes such packets,
// and one that lets the rest of them pass. It is empty where no entry needs it: where none is about packets at offset zero only.
//
// A copy that limits would have a policer of its own. That is right where the entry takes nothing but later fragments, for then its own match
// never meets a packet, and an error where it takes both.
func later(f filter.Filter) ([]filter.Entry, error) {
	if f.Version == packet.IPv6 || !hasOffsetZero(f.Entries) {
		return nil, nil
	}
	var out []filter.Entry
	var errs []error
	for _, e := range f.Entries {
		switch states := statesOf(e.Match); {
		case states&laterStates == 0:
			continue
		case states&packet.OffsetZero != 0 && e.Do.Policer != "":
			errs = append(errs, fmt.Errorf("filter %s, entry %s: policer %s: later fragments are looked at apart from other packets, and each part would have a policer of its own; limit packets at offset zero, or later fragments", f.Name, e.Name, e.Do.Policer))
		}
		e.Name, e.Match.Fragments = laterMark+e.Name, statesOf(e.Match)&laterStates
		out = append(out, e)
	}
	return append(out, filter.Entry{Name: laterRest, Match: filter.Match{Fragments: laterStates}}), errors.Join(errs...)
}

// hasOffsetZero says whether one of entries is about packets at offset zero only.
func hasOffsetZero(entries []filter.Entry) bool {
	for _, e := range entries {
		if statesOf(e.Match)&laterStates == 0 {
			return true
		}
	}
	return false
}

// statesOf returns the fragment states of the packets that m takes. Transport headers are at offset zero only.
func statesOf(m filter.Match) packet.Frags {
	states := packet.AnyFrags
	if m.Fragments != 0 {
		states = m.Fragments
	}
	if m.Transport() {
		states &= packet.OffsetZero
	}
	return states
}
