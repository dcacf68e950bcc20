package split

import "github.com/sluice-gateway/sluice/core/packet"

// quota is what counts towards the least number of pieces: so many tokens of a field must be told, and a piece tells at most so many of them. Zero
// limits are none.
type quota struct {
	tokens, values int // spans that no single value of a list reaches two of, and the values that a piece takes
	pairs, room    int // operator and value pairs that they take together, and those that a piece takes
}

// over says whether one piece cannot tell all of q.
func (q quota) over() bool {
	return q.values > 0 && q.tokens > q.values || q.room > 0 && q.pairs > q.room
}

// of returns how many pieces it takes when each token must be in n of them.
func (q quota) of(n int) int {
	out := n
	if q.values > 0 {
		out = max(out, ceil(times(q.tokens, n), q.values))
	}
	if q.room > 0 {
		out = max(out, ceil(times(q.pairs, n), q.room))
	}
	return out
}

// bound returns a number of pieces that no cover of a product of fields is below, whatever lists of the same components it is made of: Schönheim's bound, as
// in axes.least, with what each field is known to need at least. Fields beyond some are not looked at, which makes the bound no less true.
func bound(fields []quota) int {
	var long [maxAxes]quota
	n := 0
	for _, q := range fields {
		if q.over() && n < len(long) {
			long[n], n = q, n+1
		}
	}
	return boundOf(&long, 1<<n-1)
}

// boundOf is bound for some of the fields in long, those whose bits are set.
func boundOf(long *[maxAxes]quota, some int) int {
	out := 1
	for i := range long {
		if some&(1<<i) != 0 {
			out = max(out, long[i].of(boundOf(long, some&^(1<<i))))
		}
	}
	return out
}

// numberQuota returns what the numbers in spans, said in words, need at least. Where terms are not joined by AND, each word lies in one span; the ends of a range
// are numbers that two pairs tell, and no fewer. A chain reaches over a gap with a term for each number in it, so it ends at gaps that are wider than a list is long.
func numberQuota(spans []packet.Span, ws []word, l *Limit) quota {
	q := quota{tokens: len(ws), values: l.MaxValues, room: l.MaxPairs}
	if l.Ops&Chain == 0 {
		for _, w := range ws {
			q.pairs += len(w.terms)
		}
		return q
	}
	q.tokens = 1
	for i := 1; i < len(spans); i++ {
		if l.MaxPairs > 0 && uint64(spans[i].Lo) > uint64(spans[i-1].Hi)+1+uint64(l.MaxPairs) {
			q.tokens++
		}
	}
	q.pairs = q.tokens
	return q
}
