package split

import (
	"math/bits"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// The bits of a fragment component (RFC 8955 §4.2.2.12).
const (
	dontFragment  = 1
	isFragment    = 2 // offset > 0
	firstFragment = 4
	lastFragment  = 8
)

// fragBits returns the bits that a fragment component of family f can name. IPv6 has no DF: the bit is zero on sending and ignored
// on receipt (RFC 8956 §3.6).
func fragBits(f flowspec.Family) uint16 {
	if f == flowspec.IPv6 || f == flowspec.VPNv6 {
		return isFragment | firstFragment | lastFragment
	}
	return dontFragment | isFragment | firstFragment | lastFragment
}

// everyState returns the fragment states of packets of family f.
func everyState(f flowspec.Family) packet.Frags {
	if f == flowspec.IPv6 || f == flowspec.VPNv6 {
		return 0x0f
	}
	return 0xff
}

// stateBits are the bits of a packet in state packet.Fragment(i&3), with DF for i >= 4.
var stateBits = [8]uint16{
	0, firstFragment, isFragment, isFragment | lastFragment,
	dontFragment, dontFragment | firstFragment, dontFragment | isFragment, dontFragment | isFragment | lastFragment,
}

// states returns the fragment states that one term lets through.
func states(f flowspec.Family, t flowspec.Term) (out packet.Frags) {
	v := uint16(t.Value) & fragBits(f)
	for i, d := range stateBits {
		var ok bool
		switch t.Op {
		case flowspec.AnyBit:
			ok = d&v != 0
		case flowspec.AllBits:
			ok = d&v == v
		case flowspec.NoBit:
			ok = d&v == 0
		case flowspec.NotAll:
			ok = d&v != v
		}
		if ok {
			out |= 1 << i
		}
	}
	return out & everyState(f)
}

// statesOf returns the fragment states that the list of c lets through.
func statesOf(f flowspec.Family, c *flowspec.Component) (out packet.Frags) {
	groups(c.Terms, func(group []flowspec.Term) bool {
		set := everyState(f)
		for _, t := range group {
			set &= states(f, t)
		}
		out |= set
		return true
	})
	return out
}

// fragWords says a set of states in words that l takes: single terms, and conjunctions where l has them. disjoint
// asks for words that share no state.
func fragWords(f flowspec.Family, want packet.Frags, l *Limit, disjoint bool) ([]word, *Trouble) {
	var out []word
	for left := want; left != 0; {
		best, bestSet := word{}, packet.Frags(0)
		eachFragWord(f, l, func(w word, set packet.Frags) {
			switch {
			case set&^want != 0, disjoint && set&^left != 0:
			case bits.OnesCount8(uint8(set&left)) > bits.OnesCount8(uint8(bestSet&left)):
				best, bestSet = w, set
			}
		})
		if bestSet&left == 0 {
			return nil, &Trouble{Type: flowspec.Fragment, Why: NoBits, Have: int(left), Max: l.MaxBits}
		}
		out, left = append(out, best), left&^bestSet
	}
	return out, nil
}

// eachFragWord calls visit with every word that l takes, shorter ones first.
func eachFragWord(f flowspec.Family, l *Limit, visit func(word, packet.Frags)) {
	var singles []flowspec.Term
	for v := uint16(1); v < 16; v++ {
		for _, op := range []flowspec.Op{flowspec.AnyBit, flowspec.AllBits, flowspec.NoBit, flowspec.NotAll} {
			t := flowspec.Term{Op: op, Value: uint64(v)}
			if trouble := termFits(flowspec.Fragment, t, fragBits(f), l); trouble.Why == "" {
				singles = append(singles, t)
				visit(word{[]flowspec.Term{t}}, states(f, t))
			}
		}
	}
	if l.Ops&Chain == 0 || l.MaxPairs == 1 {
		return
	}
	for i, a := range singles {
		for _, b := range singles[:i] {
			b.And = true
			visit(word{[]flowspec.Term{a, b}}, states(f, a)&states(f, b))
		}
	}
}

// fragCubes cuts a set of states into sets that are each a conjunction of at most three conditions (offset zero or not, more
// fragments or not, DF or not): what the conditions of a filter entry can say. They share no state.
func fragCubes(f flowspec.Family, want packet.Frags) []packet.Frags {
	every := everyState(f)
	var out []packet.Frags
	for left := want; left != 0; {
		var best packet.Frags
		for i := range 27 {
			set := every & condition(i%3, 0x33) & condition(i/3%3, 0x66) & condition(i/9, 0xf0)
			if set&^left == 0 && bits.OnesCount8(uint8(set)) > bits.OnesCount8(uint8(best)) {
				best = set
			}
		}
		out, left = append(out, best), left&^best
	}
	return out
}

// condition returns no condition, a set of states, or its complement.
func condition(choice int, set packet.Frags) packet.Frags {
	switch choice {
	case 0:
		return packet.AnyFrags
	case 1:
		return set
	}
	return ^set
}
