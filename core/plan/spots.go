package plan

import (
	"cmp"
	"slices"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// piece is a route of a rewritten rule in the order in which the device will evaluate.
type piece struct {
	match  flowspec.Match
	owner  int32
	part   int32
	behind int32 // how many cards stand in front of it, in the order that was asked for
}

// spot is a place in that order: of a piece, or of a rule as it came.
type spot struct {
	owner int32
	at    int32 // in pieces; whole for a rule as it came
}

const whole int32 = -1

// place appends the pieces of card i.
func (s *sweep) place(out []piece, i int32) []piece {
	w := s.ways[i]
	if w == nil {
		return out
	}
	for k := range w.routes {
		m := w.routes[k].Match
		out = append(out, piece{m, i, int32(k), s.behind(m, i)})
	}
	return out
}

// behind returns how many cards stand in front of a piece of card i with match m. Most pieces stand near their ghosts.
func (s *sweep) behind(m flowspec.Match, i int32) int32 {
	cards := s.pl.cards
	inFront := func(j int32) bool {
		c := flowspec.Compare(cards[j].rule.Match, m)
		return c < 0 || c == 0 && j <= i
	}
	lo, hi := int32(0), int32(len(cards)) // it is one of lo to hi
	if inFront(i) {
		lo = i + 1
		for step := int32(1); i+step < hi; step *= 2 {
			if !inFront(i + step) {
				hi = i + step
				break
			}
			lo = i + step + 1
		}
	} else {
		hi = i
		for step := int32(1); i-step >= lo; step *= 2 {
			if inFront(i - step) {
				lo = i - step + 1
				break
			}
			hi = i - step
		}
	}
	for lo < hi {
		if mid := (lo + hi) / 2; inFront(mid) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// comparePieces orders pieces as the device does; of equal NLRIs only that of the earlier rule is sent.
func comparePieces(a, b piece) int {
	if a.behind != b.behind {
		return cmp.Compare(a.behind, b.behind)
	}
	return cmp.Or(flowspec.Compare(a.match, b.match), cmp.Compare(a.owner, b.owner), cmp.Compare(a.part, b.part))
}

// merge puts fresh, which is in order, in the place of the pieces that renewed cards had.
func (s *sweep) merge(fresh []piece, renewed []int32) {
	if len(s.pieces) == 0 {
		s.pieces = fresh
	} else {
		gone := make([]bool, len(s.pl.cards))
		for _, i := range renewed {
			gone[i] = true
		}
		out := make([]piece, 0, len(s.pieces)+len(fresh))
		for _, one := range s.pieces {
			if gone[one.owner] {
				continue
			}
			for len(fresh) > 0 && comparePieces(fresh[0], one) < 0 {
				out, fresh = append(out, fresh[0]), fresh[1:]
			}
			out = append(out, one)
		}
		s.pieces = append(out, fresh...)
	}
	clear(s.from)
	for i := range s.pieces {
		s.from[s.pieces[i].owner+1]++
	}
	for i := range s.pl.cards {
		s.from[i+1] += s.from[i]
	}
	s.of = slices.Grow(s.of[:0], len(s.pieces))[:len(s.pieces)]
	for x := len(s.pieces) - 1; x >= 0; x-- { // from[i+1] goes down to what from[i] was
		at := &s.from[s.pieces[x].owner+1]
		*at--
		s.of[*at] = int32(x)
	}
	copy(s.from, s.from[1:])
	s.from[len(s.pl.cards)] = int32(len(s.pieces))
}

// after returns the place of the first piece behind the ghost of card i.
func (s *sweep) after(i int32) int32 {
	at, _ := slices.BinarySearchFunc(s.pieces, i+1, func(p piece, n int32) int { return cmp.Compare(p.behind, n) })
	return int32(at)
}

// places returns where the pieces of card j stand.
func (s *sweep) places(j int32) []int32 { return s.of[s.from[j]:s.from[j+1]] }

// before says whether the device evaluates a before b.
func (s *sweep) before(a, b spot) bool {
	switch {
	case a.at == whole && b.at == whole:
		return a.owner < b.owner
	case a.at == whole:
		return a.owner < s.pieces[b.at].behind
	case b.at == whole:
		return s.pieces[a.at].behind <= b.owner
	}
	return a.at < b.at
}
