package split

import (
	"math"
	"slices"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// field is one component of the pieces of a branch: as it came, or told in words that may not all fit into one list.
type field struct {
	typ   flowspec.Type
	came  *flowspec.Component
	words []word
	limit *Limit
	lists [][]flowspec.Term // the words in lists that fit
	quota quota
	cut   int // of the note that the field was cut, from 1
}

// fate is what becomes of a component.
type fate int

const (
	stays  fate = iota
	always      // it lets everything through, and what stays says so
	never       // nothing passes
)

// choices returns how many lists the pieces choose from.
func (f *field) choices() int { return max(1, len(f.lists)) }

// perPiece returns how many words fit into one list whichever they are.
func (f *field) perPiece() int {
	k := len(f.words)
	if f.limit.MaxValues > 0 {
		k = min(k, f.limit.MaxValues)
	}
	if f.limit.MaxPairs > 0 {
		widest := 1
		for _, w := range f.words {
			widest = max(widest, len(w.terms))
		}
		k = min(k, f.limit.MaxPairs/widest)
	}
	return k
}

// told returns words in one list.
func (f *field) told(words []uint16) []flowspec.Term {
	n := 0
	for _, w := range words {
		n += len(f.words[w].terms)
	}
	out := make([]flowspec.Term, 0, n)
	for _, w := range words {
		out = append(out, f.words[w].terms...)
	}
	return out
}

// product appends the product of fields to the pieces: the grid, or fewer pieces that overlap where that is allowed.
func (p *parter) product(fields []field) *Trouble {
	grid, long, longest := 1, 0, 0
	var quotas [flowspec.FlowLabel + 1]quota
	for i := range fields {
		n := fields[i].choices()
		quotas[i] = fields[i].quota
		grid = times(grid, n)
		if n > 1 {
			long++
		}
		if n > fields[longest].choices() {
			longest = i
		}
	}
	least := bound(quotas[:len(fields)])
	p.pieces.Bound += least
	p.pieces.Grid = min(p.pieces.Grid+grid, math.MaxInt32)
	n, have := grid, len(p.pieces.Of)
	var over axes
	if !p.disjoint && long > 1 && long <= maxAxes && least < grid && have+least <= p.limits.MaxParts {
		for i := range fields {
			if f := &fields[i]; len(f.lists) > 1 {
				over = over.add(len(f.words), f.perPiece(), over.n)
			}
		}
		n = min(n, cover(over))
	}
	if have+n > p.limits.MaxParts {
		return &Trouble{Type: fields[longest].typ, Why: TooManyParts, Have: have + n, Max: p.limits.MaxParts}
	}
	if n < grid {
		p.overlapping(fields, over)
	} else {
		p.grid(fields, grid)
	}
	return nil
}

// list puts a component into the lists, and returns its number.
func (p *parter) list(c flowspec.Component) int32 {
	p.pieces.Lists = append(p.pieces.Lists, c)
	return int32(len(p.pieces.Lists) - 1)
}

// first puts all that f chooses from into the lists, and returns the number of the first.
func (p *parter) first(f *field) int32 {
	if f.came != nil {
		return p.list(*f.came)
	}
	at := len(p.pieces.Lists)
	for _, terms := range f.lists {
		p.list(flowspec.Component{Type: f.typ, Terms: terms})
	}
	return int32(at)
}

// room appends n pieces of some components each, and returns them.
func (p *parter) room(n, components int) [][]int32 {
	all := p.numbers.take(n * components)[:n*components]
	at := len(p.pieces.Of)
	for range n {
		p.pieces.Of, all = append(p.pieces.Of, all[:components:components]), all[components:]
	}
	return p.pieces.Of[at:]
}

// grid appends the n pieces of the grid of fields, the last field turning fastest.
func (p *parter) grid(fields []field, n int) {
	out := p.room(n, len(fields))
	for k, every := len(fields)-1, 1; k >= 0; k-- {
		first, choices := p.first(&fields[k]), fields[k].choices()
		for i := range out {
			out[i][k] = first + int32(i/every%choices)
		}
		every *= choices
	}
}

// overlapping appends the pieces of the cover of over, whose axes are the long fields in their order.
func (p *parter) overlapping(fields []field, over axes) {
	cover := boxes(over)
	out := p.room(len(cover), len(fields))
	id := 0
	for k := range fields {
		f := &fields[k]
		if len(f.lists) < 2 {
			first := p.first(f)
			for _, part := range out {
				part[k] = first
			}
			continue
		}
		var known []said
		for i, part := range out {
			part[k] = p.say(&known, cover[i][id], f)
		}
		p.recount(f.cut, len(known))
		id++
	}
}

// said is the number of a list that was made for some tokens.
type said struct {
	tokens []uint16
	list   int32
}

// say returns the number of the list of some tokens of f, the one in known where there is one.
func (p *parter) say(known *[]said, tokens []uint16, f *field) int32 {
	for i := range *known {
		if one := &(*known)[i]; slices.Equal(one.tokens, tokens) {
			return one.list
		}
	}
	n := p.list(flowspec.Component{Type: f.typ, Terms: f.told(tokens)})
	*known = append(*known, said{tokens, n})
	return n
}
