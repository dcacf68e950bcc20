package split

import (
	"math"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// A platform that takes != or terms joined by AND can say more with less: "not 80" is one term where the two half-lines around it are two, and
// ">=10 & <=20 & !=15" is three where two ranges are four. The words here are
//
//	a span by itself            one term for a point or a half-line, two for a range
//	neighbouring spans that     a term for each end that is not the end of the field,
//	small gaps part             and one for each number in the gaps
//
// and what a list of them costs adds up over the spans from left to right, so the cheapest list ends with the cheapest last word after the cheapest list of what
// comes before. A word over a gap saves the ends beside it, and they are two terms: gaps of one number pay off, and wider ones only where a platform has no half-lines,
// so that a span at the end of the field costs two terms by itself and one in a chain.

// widestGap is the most numbers in a gap that can pay off.
const widestGap = 3

// chainedWords says spans (tidy, not all of the field) in as few terms as the operators of l allow, or, where l counts words, as few words if that
// makes fewer lists. It returns nil when some span cannot be said.
func (m *memory) chainedWords(spans []packet.Span, top uint32, l *Limit, budget int) []word {
	c := chainer{spans: spans, top: top, named: largest(top, l), limit: l, budget: budget}
	byTerms := c.cheapest(func(terms, words int) uint64 { return uint64(terms)<<32 | uint64(words) })
	if byTerms == nil || l.MaxValues == 0 {
		return byTerms
	}
	byWords := c.cheapest(func(terms, words int) uint64 { return uint64(words)<<32 | uint64(terms) })
	if len(m.pack(byWords, l)) < len(m.pack(byTerms, l)) {
		return byWords
	}
	return byTerms
}

type chainer struct {
	spans      []packet.Span
	top, named uint32
	limit      *Limit
	budget     int
}

// cheapest returns the words for all spans that cost least. cost weighs terms and words, and adds up.
func (c *chainer) cheapest(cost func(terms, words int) uint64) []word {
	const never = math.MaxUint64
	n := len(c.spans)
	least, from := make([]uint64, n+1), make([]int, n+1) // of the spans before i, and where their last word begins
	for end := 1; end <= n; end++ {
		least[end] = never
		gaps := 0
		for begin := end - 1; begin >= 0; begin-- {
			terms, words := 0, 0
			if begin == end-1 {
				terms, words = c.single(begin)
			} else if n := c.gap(begin); n == 0 {
				break
			} else {
				gaps += n
				terms, words = c.chain(begin, end, gaps)
			}
			if terms == 0 || least[begin] == never {
				continue
			}
			if sum := least[begin] + cost(terms, words); sum < least[end] {
				least[end], from[end] = sum, begin
			}
		}
	}
	if least[n] == never {
		return nil
	}
	var out []word
	for end := n; end > 0; end = from[end] {
		out = c.append(out, from[end], end)
	}
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out
}

// gap returns how many numbers part span i from the next, 0 when they are too many or cannot be named.
func (c *chainer) gap(i int) int {
	n := c.spans[i+1].Lo - c.spans[i].Hi - 1
	if n > widestGap || c.spans[i].Hi+n > c.named {
		return 0
	}
	return int(n)
}

// single returns the terms and words of span i by itself, 0 when it cannot be said.
func (c *chainer) single(i int) (terms, words int) {
	var room [2]flowspec.Term
	list := room[:0]
	s := c.spans[i]
	if w, ok := wordOf(s, c.top, c.named, c.limit.Ops, &list); ok && (c.limit.MaxPairs == 0 || len(w.terms) <= c.limit.MaxPairs) {
		return len(w.terms), 1
	}
	if n := uint64(s.Hi) - uint64(s.Lo) + 1; c.limit.Ops&Eq != 0 && s.Hi <= c.named && n <= uint64(c.budget) {
		return int(n), int(n) // number by number
	}
	return 0, 0
}

// chain returns the terms of the spans begin..end-1 in one word, 0 when the platform does not take it. n numbers are in the gaps.
func (c *chainer) chain(begin, end, n int) (terms, words int) {
	lo, hi := c.spans[begin].Lo, c.spans[end-1].Hi
	if lo > 0 {
		n++
	}
	if hi < c.top {
		n++
	}
	op := Chain
	if n == 1 {
		op = Ne
	}
	if c.limit.Ops&op == 0 || c.limit.MaxPairs > 0 && n > c.limit.MaxPairs || lo > c.named || hi < c.top && hi > c.named {
		return 0, 0
	}
	return n, 1
}

// append appends the words for spans begin..end-1, the last first.
func (c *chainer) append(out []word, begin, end int) []word {
	if end-begin > 1 {
		return append(out, word{c.chainTerms(begin, end)})
	}
	s := c.spans[begin]
	var room []flowspec.Term
	if w, ok := wordOf(s, c.top, c.named, c.limit.Ops, &room); ok && (c.limit.MaxPairs == 0 || len(w.terms) <= c.limit.MaxPairs) {
		return append(out, w)
	}
	for v := uint64(s.Hi) + 1; v > uint64(s.Lo); v-- {
		out = append(out, word{[]flowspec.Term{{Op: flowspec.EQ, Value: v - 1}}})
	}
	return out
}

// chainTerms returns spans begin..end-1 as terms joined by AND.
func (c *chainer) chainTerms(begin, end int) (out []flowspec.Term) {
	say := func(op flowspec.Op, v uint32) {
		out = append(out, flowspec.Term{And: len(out) > 0, Op: op, Value: uint64(v)})
	}
	if lo := c.spans[begin].Lo; lo > 0 {
		say(flowspec.GE, lo)
	}
	if hi := c.spans[end-1].Hi; hi < c.top {
		say(flowspec.LE, hi)
	}
	for i := begin; i < end-1; i++ {
		for v := c.spans[i].Hi + 1; v < c.spans[i+1].Lo; v++ {
			say(flowspec.NE, v)
		}
	}
	return out
}
