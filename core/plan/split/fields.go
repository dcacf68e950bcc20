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

// list returns the i-th of the lists as a component.
func (f *field) list(i int) flowspec.Component {
	if f.came != nil {
		return *f.came
	}
	return flowspec.Component{Type: f.typ, Terms: f.lists[i]}
}

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

// pieces appends the product of fields to the pieces: the grid, or fewer pieces that overlap where that is allowed.
func (p *parter) pieces(fields []field) *Trouble {
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
	p.result.Bound += least
	p.result.Grid = min(p.result.Grid+grid, math.MaxInt32)
	n := grid
	var over axes
	if !p.disjoint && long > 1 && long <= maxAxes && least < grid && len(p.result.Parts)+least <= p.limits.MaxParts {
		for i := range fields {
			if f := &fields[i]; len(f.lists) > 1 {
				over = over.add(len(f.words), f.perPiece(), over.n)
			}
		}
		n = min(n, cover(over))
	}
	if len(p.result.Parts)+n > p.limits.MaxParts {
		return &Trouble{Type: fields[longest].typ, Why: TooManyParts, Have: len(p.result.Parts) + n, Max: p.limits.MaxParts}
	}
	if n < grid {
		p.overlapping(fields, over)
	} else {
		p.grid(fields, grid)
	}
	return nil
}

// grid appends the n pieces of the grid of fields, the last field turning fastest.
func (p *parter) grid(fields []field, n int) {
	out := room(n, len(fields))
	for i, part := range out {
		for k := len(fields) - 1; k >= 0; k-- {
			f := &fields[k]
			part[k] = f.list(i % f.choices())
			i /= f.choices()
		}
	}
	p.add(out)
}

// add appends pieces.
func (p *parter) add(pieces [][]flowspec.Component) {
	if p.result.Parts == nil {
		p.result.Parts = pieces
		return
	}
	p.result.Parts = append(p.result.Parts, pieces...)
}

// room returns n pieces of some components each, in one allocation.
func room(n, components int) [][]flowspec.Component {
	out := make([][]flowspec.Component, n)
	all := make([]flowspec.Component, n*components)
	for i := range out {
		out[i], all = all[:components:components], all[components:]
	}
	return out
}

// overlapping appends the pieces of the cover of over, whose axes are the long fields in their order.
func (p *parter) overlapping(fields []field, over axes) {
	cover := boxes(over)
	out := room(len(cover), len(fields))
	id := 0
	for k := range fields {
		f := &fields[k]
		if len(f.lists) < 2 {
			for _, part := range out {
				part[k] = f.list(0)
			}
			continue
		}
		var said []said
		for i, part := range out {
			part[k] = flowspec.Component{Type: f.typ, Terms: tell(&said, cover[i][id], f)}
		}
		p.recount(f.cut, len(said))
		id++
	}
	p.add(out)
}

// said is a list that was made for some tokens.
type said struct {
	tokens []uint16
	terms  []flowspec.Term
}

// tell returns the list of some tokens of f, the one in known where there is one.
func tell(known *[]said, tokens []uint16, f *field) []flowspec.Term {
	for i := range *known {
		if one := &(*known)[i]; slices.Equal(one.tokens, tokens) {
			return one.terms
		}
	}
	one := said{tokens, f.told(tokens)}
	*known = append(*known, one)
	return one.terms
}
