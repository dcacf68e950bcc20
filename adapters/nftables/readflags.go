package nftables

import (
	"errors"
	"fmt"

	"github.com/sluice-gateway/sluice/core/filter"
)

// flags reads a condition on TCP flags, as a list of terms.
func (r *reader) flags(m *filter.Match, c cond) error {
	key := c.String()
	if known, ok := r.terms[key]; ok && m.Flags == nil {
		if c.set != "" {
			r.take("set", c.set)
		}
		m.Flags = known
		return nil
	}
	shift, width := 0, 12
	switch c.field {
	case "tcp flags":
		width = 8
	case "tcp reserved":
		shift, width = 8, 4
	default:
		var offset, bits int
		if n, _ := fmt.Sscanf(c.field, "@th,%d,%d", &offset, &bits); n != 2 || offset < 96 || bits < 1 || offset+bits > 112 || fmt.Sprintf("@th,%d,%d", offset, bits) != c.field {
			return errors.New("it is not understood")
		}
		shift, width = 112-offset-bits, bits
	}
	most := uint32(1)<<width - 1
	number := func(s string) (uint32, error) { return flagNumber(s, most) }
	mask := most
	var err error
	if c.masked {
		if mask, err = number(c.mask); err != nil {
			return err
		}
	}
	if mask<<shift > 0xfff {
		return errors.New("it looks at the data offset")
	}
	vs, err := r.values(c, number)
	if err != nil {
		return err
	}
	allowed := make([]bool, most+1)
	for _, span := range vs {
		for v := span.Lo; v <= span.Hi; v++ {
			allowed[v] = true
		}
	}
	var words flagSet
	some, all, alone := false, true, m.Flags == nil
	for w := range words {
		v := uint32(w) >> shift & most & mask
		words[w] = allowed[v] != c.not && (m.Flags == nil || fulfils(m.Flags, uint16(w)))
		some, all = some || words[w], all && words[w]
	}
	switch {
	case !some:
		return errors.New("no flags satisfy it")
	case all:
		m.Flags = nil
	default:
		m.Flags = words.terms()
	}
	if alone {
		r.terms[key] = m.Flags
	}
	return nil
}

// flagSet is a set of flag words.
type flagSet [1 << 12]bool

func fulfils(terms []filter.FlagTerm, word uint16) bool {
	for _, t := range terms {
		if word&t.Set == t.Set && word&t.Clear == 0 {
			return true
		}
	}
	return false
}

// terms returns terms that hold just the words of s: one for each word, those that differ in one bit made one, bit by bit.
func (s *flagSet) terms() []filter.FlagTerm {
	var list []filter.FlagTerm
	for w, in := range s {
		if in {
			list = append(list, filter.FlagTerm{Set: uint16(w), Clear: ^uint16(w) & 0xfff})
		}
	}
	for bit := uint16(1); bit < 1<<12; bit <<= 1 {
		have := make(map[filter.FlagTerm]bool, len(list))
		for _, t := range list {
			have[t] = true
		}
		kept := list[:0]
		for _, t := range list {
			other := filter.FlagTerm{Set: t.Set ^ bit, Clear: t.Clear ^ bit}
			switch {
			case (t.Set|t.Clear)&bit == 0 || !have[other]:
				kept = append(kept, t)
			case t.Clear&bit != 0:
				kept = append(kept, filter.FlagTerm{Set: t.Set, Clear: t.Clear &^ bit})
			}
		}
		list = kept
	}
	return list
}
