package split

import (
	"math/bits"
	"slices"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// tcpBits are the bits of a TCP flag word. The four bits above them are the data offset in the TCP header, which the
// field holds as zero (RFC 8955 §4.2.2.9).
const tcpBits = 0x0fff

// Cube is the flag words with all bits of Set and no bit of Clear.
type Cube struct{ Set, Clear uint16 }

// conjunction is one group of a TCP flags list, made simple: all bits of set, no bit of clear, some bit of each of some, and not
// all bits of each of gaps. Masks of some and gaps have two bits or more, outside set and clear.
type conjunction struct {
	Cube
	some, gaps []uint16
}

// true says whether g lets every word through.
func (g *conjunction) always() bool {
	return g.Set|g.Clear == 0 && len(g.some)+len(g.gaps) == 0
}

// flagGroups returns the groups of a TCP flags list that some word passes. A list that lets everything through is one group that is always true.
func flagGroups(c *flowspec.Component) []conjunction {
	var out []conjunction
	groups(c.Terms, func(terms []flowspec.Term) bool {
		if g, ok := conjoin(terms); ok {
			out = append(out, g)
		}
		return true
	})
	for i := range out {
		if out[i].always() {
			return []conjunction{{}}
		}
	}
	return out
}

// conjoin makes a group simple. It returns false when no word passes it.
func conjoin(terms []flowspec.Term) (g conjunction, ok bool) {
	for _, t := range terms {
		v, odd := uint16(t.Value)&tcpBits, uint16(t.Value)&^tcpBits != 0
		switch t.Op {
		case flowspec.AllBits:
			if odd {
				return g, false
			}
			g.Set |= v
		case flowspec.NoBit:
			g.Clear |= v
		case flowspec.AnyBit:
			g.some = append(g.some, v)
		case flowspec.NotAll:
			if !odd {
				g.gaps = append(g.gaps, v)
			}
		}
	}
	return g, g.reduce()
}

// reduce moves masks of one bit to Set and Clear and drops what follows from those. It returns false when no word is left.
func (g *conjunction) reduce() bool {
	for again := true; again; {
		again = false
		some, gaps := g.some, g.gaps
		g.some, g.gaps = nil, nil
		for _, v := range some {
			switch v &^= g.Clear; {
			case v&g.Set != 0:
			case v == 0:
				return false
			case bits.OnesCount16(v) == 1:
				g.Set, again = g.Set|v, true
			case !slices.Contains(g.some, v):
				g.some = append(g.some, v)
			}
		}
		for _, v := range gaps {
			switch {
			case v&g.Clear != 0:
			case v&^g.Set == 0:
				return false
			case bits.OnesCount16(v&^g.Set) == 1:
				g.Clear, again = g.Clear|v&^g.Set, true
			case !slices.Contains(g.gaps, v&^g.Set):
				g.gaps = append(g.gaps, v&^g.Set)
			}
		}
	}
	return g.Set&g.Clear == 0
}

// cubes returns g as a union of cubes.
func (g *conjunction) cubes() []Cube {
	out := []Cube{g.Cube}
	for _, v := range g.some {
		out = spread(out, v, func(c *Cube, bit uint16) { c.Set |= bit })
	}
	for _, v := range g.gaps {
		out = spread(out, v, func(c *Cube, bit uint16) { c.Clear |= bit })
	}
	return slices.DeleteFunc(out, func(c Cube) bool { return c.Set&c.Clear != 0 })
}

// spread returns, for each cube and each bit of v, the cube narrowed by that bit.
func spread(cubes []Cube, v uint16, narrow func(*Cube, uint16)) []Cube {
	var out []Cube
	for _, c := range cubes {
		for rest := v; rest != 0; rest &= rest - 1 {
			one := c
			narrow(&one, rest&-rest)
			if !slices.Contains(out, one) {
				out = append(out, one)
			}
		}
	}
	return out
}

// mergeFlags joins groups that say one thing each: "syn" or "fin" is any of syn and fin; "no syn" or "no fin" is not all of them.
func mergeFlags(gs []conjunction, ops Ops) []conjunction {
	if ops&Any != 0 {
		gs = mergeBits(gs, func(g *conjunction) (uint16, bool) {
			switch {
			case g.Clear != 0 || len(g.gaps) > 0:
				return 0, false
			case g.Set == 0 && len(g.some) == 1:
				return g.some[0], true
			}
			return g.Set, len(g.some) == 0 && bits.OnesCount16(g.Set) == 1
		}, func(v uint16) conjunction { return conjunction{some: []uint16{v}} })
	}
	if ops&NotAll != 0 {
		gs = mergeBits(gs, func(g *conjunction) (uint16, bool) {
			switch {
			case g.Set != 0 || len(g.some) > 0:
				return 0, false
			case g.Clear == 0 && len(g.gaps) == 1:
				return g.gaps[0], true
			}
			return g.Clear, len(g.gaps) == 0 && bits.OnesCount16(g.Clear) == 1
		}, func(v uint16) conjunction { return conjunction{gaps: []uint16{v}} })
	}
	return gs
}

// mergeBits replaces the groups for which pick returns a mask by one group of all those masks, in the place of the first.
func mergeBits(gs []conjunction, pick func(*conjunction) (uint16, bool), join func(uint16) conjunction) []conjunction {
	var mask uint16
	n := 0
	for i := range gs {
		if v, ok := pick(&gs[i]); ok {
			mask |= v
			n++
		}
	}
	if n < 2 {
		return gs
	}
	out := make([]conjunction, 0, len(gs)-n+1)
	placed := false
	for i := range gs {
		if _, ok := pick(&gs[i]); !ok {
			out = append(out, gs[i])
		} else if !placed {
			joined := join(mask)
			joined.reduce()
			out, placed = append(out, joined), true
		}
	}
	return out
}

// bitsFit returns the first limit that the bitmask list of c meets, or no Trouble.
func bitsFit(f flowspec.Family, c *flowspec.Component, l *Limit) (trouble Trouble) {
	field := uint16(tcpBits)
	if c.Type == flowspec.Fragment {
		field = fragBits(f)
	}
	groups(c.Terms, func(group []flowspec.Term) bool {
		if len(group) > 1 && l.Ops&Chain == 0 {
			trouble = Trouble{Type: c.Type, Why: NoOperator, Op: Chain}
		}
		for _, t := range group {
			if one := termFits(c.Type, t, field, l); one.Why != "" {
				trouble = one
			}
		}
		return trouble.Why == ""
	})
	if trouble.Why == "" {
		return tooMany(c, l)
	}
	return trouble
}

// termFits is bitsFit for one term.
func termFits(typ flowspec.Type, t flowspec.Term, field uint16, l *Limit) Trouble {
	v := uint16(t.Value)
	switch {
	case v&field == 0:
		return Trouble{Type: typ, Why: OddOperator}
	case l.Ops&bitOp(t.Op) == 0:
		return Trouble{Type: typ, Why: NoOperator, Op: bitOp(t.Op)}
	case v&^field != 0 || l.Bits != 0 && v&^l.Bits != 0:
		return Trouble{Type: typ, Why: NoBits, Have: int(v)}
	case l.MaxBits > 0 && bits.OnesCount16(v) > l.MaxBits:
		return Trouble{Type: typ, Why: NoBits, Have: int(v), Max: l.MaxBits}
	case l.MaxWidth > 0 && octets(t) > l.MaxWidth:
		return Trouble{Type: typ, Why: TooWide, Have: octets(t), Max: l.MaxWidth}
	}
	return Trouble{}
}

// bitOp returns the word of profiles for a bitmask operator.
func bitOp(op flowspec.Op) Ops {
	switch op {
	case flowspec.AnyBit:
		return Any
	case flowspec.AllBits:
		return All
	case flowspec.NoBit:
		return None
	}
	return NotAll
}

// flagWords says groups in the operators of l, one word a group, and returns what each word says. A conjunction that the platform
// cannot say is spread into cubes first: "ack and one of syn, fin" is "ack and syn" or "ack and fin".
func flagWords(gs []conjunction, l *Limit) (out []word, said []conjunction, trouble *Trouble) {
	for i := range gs {
		w, trouble := flagWord(&gs[i], l)
		if trouble == nil {
			out, said = append(out, w), append(said, gs[i])
			continue
		}
		if len(gs[i].some)+len(gs[i].gaps) == 0 {
			return nil, nil, trouble
		}
		for _, c := range gs[i].cubes() {
			one := conjunction{Cube: c}
			w, trouble := flagWord(&one, l)
			if trouble != nil {
				return nil, nil, trouble
			}
			out, said = append(out, w), append(said, one)
		}
	}
	return out, said, nil
}

// flagWord says one conjunction in the operators of l.
func flagWord(g *conjunction, l *Limit) (word, *Trouble) {
	var w word
	say := func(v uint16, ops ...flowspec.Op) *Trouble {
		var first *Trouble
		for _, op := range ops {
			t := flowspec.Term{Op: op, Value: uint64(v), And: len(w.terms) > 0}
			trouble := termFits(flowspec.TCPFlags, t, tcpBits, l)
			if trouble.Why == "" {
				w.terms = append(w.terms, t)
				return nil
			}
			if first == nil {
				one := trouble
				first = &one
			}
		}
		return first
	}
	eachBit := func(v uint16, ops ...flowspec.Op) *Trouble {
		for ; v != 0; v &= v - 1 {
			if trouble := say(v&-v, ops...); trouble != nil {
				return trouble
			}
		}
		return nil
	}
	// A mask of several bits goes in one term where it can, and bit by bit where not.
	sayAll := func(v uint16, whole flowspec.Op, ops ...flowspec.Op) *Trouble {
		if v == 0 || bits.OnesCount16(v) > 1 && say(v, whole) == nil {
			return nil
		}
		return eachBit(v, ops...)
	}
	trouble := sayAll(g.Set, flowspec.AllBits, flowspec.AllBits, flowspec.AnyBit)
	if trouble == nil {
		trouble = sayAll(g.Clear, flowspec.NoBit, flowspec.NoBit, flowspec.NotAll)
	}
	for i := 0; i < len(g.some) && trouble == nil; i++ {
		trouble = say(g.some[i], flowspec.AnyBit)
	}
	for i := 0; i < len(g.gaps) && trouble == nil; i++ {
		trouble = say(g.gaps[i], flowspec.NotAll)
	}
	switch {
	case trouble != nil:
		return word{}, trouble
	case len(w.terms) > 1 && l.Ops&Chain == 0:
		return word{}, &Trouble{Type: flowspec.TCPFlags, Why: NoOperator, Op: Chain}
	case l.MaxPairs > 0 && len(w.terms) > l.MaxPairs:
		return word{}, &Trouble{Type: flowspec.TCPFlags, Why: TooMany, Have: len(w.terms), Max: l.MaxPairs}
	}
	return w, nil
}

// apart says whether no flag word passes two of gs.
func apart(gs []conjunction) bool {
	for i := range gs {
		for j := range gs[:i] {
			for _, a := range gs[i].cubes() {
				for _, b := range gs[j].cubes() {
					if a.meets(b) {
						return false
					}
				}
			}
		}
	}
	return true
}

// cubesApart says whether no flag word is in two of cubes.
func cubesApart(cubes []Cube) bool {
	for i, a := range cubes {
		if slices.ContainsFunc(cubes[:i], a.meets) {
			return false
		}
	}
	return true
}

// meets says whether some flag word is in c and in d.
func (c Cube) meets(d Cube) bool { return c.Set&d.Clear|c.Clear&d.Set == 0 }
