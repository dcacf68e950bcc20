package junos

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// A bit-field expression joins names of bits with ! (not), & or + (and), | or , (or) and parentheses, in that precedence ("Firewall
// Filter Match Conditions Based on Bit-Field Values"). Here it is a list of terms, any of which may hold.

// bit is the name of one bit.
type bit struct {
	name string
	bit  uint16
}

// tcpBits are the low-order six bits of the flags octet, and the only ones that the pages name.
var tcpBits = []bit{{"fin", 0x01}, {"syn", 0x02}, {"rst", 0x04}, {"push", 0x08}, {"ack", 0x10}, {"urgent", 0x20}}

// The flags of the IPv4 header, in the numbers that the pages give for fragment-flags.
const (
	moreFragments = 0x2
	dontFragment  = 0x4
)

var fragmentBits = []bit{{"dont-fragment", dontFragment}, {"more-fragments", moreFragments}}

// bitExpression writes terms; a term without bits makes it "", no condition.
func bitExpression(terms []filter.FlagTerm, bits []bit) string {
	var parts []string
	for _, t := range terms {
		var literals []string
		for _, b := range bits {
			if t.Set&b.bit != 0 {
				literals = append(literals, b.name)
			}
		}
		for _, b := range bits {
			if t.Clear&b.bit != 0 {
				literals = append(literals, "!"+b.name)
			}
		}
		switch part := strings.Join(literals, " & "); {
		case part == "":
			return ""
		case len(literals) > 1:
			parts = append(parts, "("+part+")")
		default:
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, " | ")
}

// fragmentStates returns the states at offset zero whose flags any of terms lets through: Whole and First stand for more-fragments
// clear and set.
func fragmentStates(terms []filter.FlagTerm) packet.Frags {
	var f packet.Frags
	for i, flags := range []uint16{0: 0, 1: moreFragments, 2: dontFragment, 3: dontFragment | moreFragments} {
		for _, t := range terms {
			if flags&t.Set == t.Set && flags&t.Clear == 0 {
				f |= 1 << (i%2 + i/2*4)
			}
		}
	}
	return f
}

// maxTerms bounds what negations of long expressions multiply out to.
const maxTerms = 64

// parseBits reads an expression over bits.
func parseBits(s string, bits []bit) ([]filter.FlagTerm, error) {
	p := bitParser{rest: s, bits: bits}
	terms, err := p.or(0)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", s, err)
	}
	if p.next() != 0 {
		return nil, fmt.Errorf("%q: %q is left over", s, p.rest)
	}
	return terms, nil
}

type bitParser struct {
	rest string
	bits []bit
}

// next returns the first byte that is no space, without taking it; 0 at the end.
func (p *bitParser) next() byte {
	p.rest = strings.TrimLeft(p.rest, " \t")
	if p.rest == "" {
		return 0
	}
	return p.rest[0]
}

// take takes the next byte when it is one of set.
func (p *bitParser) take(set string) bool {
	if c := p.next(); c == 0 || strings.IndexByte(set, c) < 0 {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

func (p *bitParser) or(depth int) ([]filter.FlagTerm, error) {
	out, err := p.and(depth)
	for err == nil && p.take("|,") {
		var more []filter.FlagTerm
		more, err = p.and(depth)
		out = append(out, more...)
	}
	if len(out) > maxTerms {
		err = fmt.Errorf("more than %d terms", maxTerms)
	}
	return out, err
}

func (p *bitParser) and(depth int) ([]filter.FlagTerm, error) {
	out, err := p.unary(depth)
	for err == nil && p.take("&+") {
		var more []filter.FlagTerm
		if more, err = p.unary(depth); err == nil {
			out, err = both(out, more)
		}
	}
	return out, err
}

func (p *bitParser) unary(depth int) ([]filter.FlagTerm, error) {
	if depth > 32 {
		return nil, fmt.Errorf("nested too deep")
	}
	if p.take("!") {
		terms, err := p.unary(depth + 1)
		if err != nil {
			return nil, err
		}
		return neither(terms)
	}
	if p.take("(") {
		terms, err := p.or(depth + 1)
		if err == nil && !p.take(")") {
			err = fmt.Errorf("a parenthesis is not closed")
		}
		return terms, err
	}
	return p.bit()
}

// bit reads a name, or a number, which stands for all of its bits.
func (p *bitParser) bit() ([]filter.FlagTerm, error) {
	p.next()
	n := strings.IndexAny(p.rest, " \t!&+|,()")
	if n < 0 {
		n = len(p.rest)
	}
	word := p.rest[:n]
	p.rest = p.rest[n:]
	var all uint16
	for _, b := range p.bits {
		if b.name == word {
			return []filter.FlagTerm{{Set: b.bit}}, nil
		}
		all |= b.bit
	}
	if v, err := strconv.ParseUint(word, 0, 16); err == nil && v != 0 && uint16(v)&^all == 0 {
		return []filter.FlagTerm{{Set: uint16(v)}}, nil
	}
	return nil, fmt.Errorf("%q is no flag", word)
}

// both returns the terms of a AND b.
func both(a, b []filter.FlagTerm) ([]filter.FlagTerm, error) {
	var out []filter.FlagTerm
	for _, x := range a {
		for _, y := range b {
			t := filter.FlagTerm{Set: x.Set | y.Set, Clear: x.Clear | y.Clear}
			if t.Set&t.Clear == 0 {
				out = append(out, t)
			}
		}
	}
	if len(out) > maxTerms {
		return nil, fmt.Errorf("more than %d terms", maxTerms)
	}
	return out, nil
}

// neither returns the terms of NOT terms.
func neither(terms []filter.FlagTerm) ([]filter.FlagTerm, error) {
	out := []filter.FlagTerm{{}}
	for _, t := range terms {
		var not []filter.FlagTerm
		for b := uint16(1); b != 0; b <<= 1 {
			if t.Set&b != 0 {
				not = append(not, filter.FlagTerm{Clear: b})
			}
			if t.Clear&b != 0 {
				not = append(not, filter.FlagTerm{Set: b})
			}
		}
		var err error
		if out, err = both(out, not); err != nil {
			return nil, err
		}
	}
	return out, nil
}
