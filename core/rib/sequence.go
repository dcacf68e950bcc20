package rib

import (
	"slices"
	"sort"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// sequence is an immutable list of rules in the order of flowspec.Compare, each NLRI once. It is a list of chunks:
// with replaces the chunks that change and shares all others, so one changed rule costs a few microseconds whatever the length.
type sequence struct {
	chunks [][]*flowspec.Rule // none empty
	n      int
}

// chunkSize is what a chunk is filled to; with splits one that has grown to twice that. Small chunks are cheap to
// copy, and many of them make the list of chunks long, which is copied as well: 128 is best around 10,000 rules and good
// at 100,000.
const chunkSize = 128

// newSequence takes rules that are sorted and unique.
func newSequence(rules []*flowspec.Rule) sequence {
	return sequence{slices.Collect(slices.Chunk(rules, chunkSize)), len(rules)}
}

// Change is one difference between two snapshots. Rules are equal in identity by Match alone.
type Change struct {
	Match    flowspec.Match
	Old, New *flowspec.Rule // what was and what is in force; nil for nothing. Not to be changed.
}

// with returns s after changes, which are sorted by Match, each NLRI once.
func (s sequence) with(changes []Change) sequence {
	next := sequence{chunks: make([][]*flowspec.Rule, 0, len(s.chunks)+1), n: s.n}
	done := 0 // chunks of s that next has
	for len(changes) > 0 {
		at := s.chunkOf(changes[0].Match)
		mine := len(changes)
		if at+1 < len(s.chunks) {
			limit := s.chunks[at+1][0].Match
			mine = sort.Search(len(changes), func(i int) bool { return flowspec.Compare(changes[i].Match, limit) >= 0 })
		}
		next.chunks = append(next.chunks, s.chunks[done:at]...)
		var old []*flowspec.Rule
		if at < len(s.chunks) {
			old = s.chunks[at]
		}
		merged := merge(old, changes[:mine])
		next.n += len(merged) - len(old)
		next.append(merged)
		done = min(at+1, len(s.chunks))
		changes = changes[mine:]
	}
	next.chunks = append(next.chunks, s.chunks[done:]...)
	return next
}

// chunkOf returns the index of the chunk that m is in or belongs into.
func (s sequence) chunkOf(m flowspec.Match) int {
	after := sort.Search(len(s.chunks), func(i int) bool { return flowspec.Compare(s.chunks[i][0].Match, m) > 0 })
	return max(0, after-1)
}

// append adds rules as one chunk, as several when they are too many for one, and to the last chunk when both are small:
// withdrawals must not leave a long list of tiny chunks behind.
func (s *sequence) append(rules []*flowspec.Rule) {
	if last := len(s.chunks) - 1; last >= 0 && len(rules)+len(s.chunks[last]) < chunkSize/2 {
		s.chunks[last] = slices.Concat(s.chunks[last], rules)
		return
	}
	if len(rules) < 2*chunkSize {
		if len(rules) > 0 {
			s.chunks = append(s.chunks, rules)
		}
		return
	}
	s.chunks = slices.AppendSeq(s.chunks, slices.Chunk(rules, chunkSize))
}

// merge applies changes to the rules of a chunk.
func merge(rules []*flowspec.Rule, changes []Change) []*flowspec.Rule {
	merged := make([]*flowspec.Rule, 0, len(rules)+len(changes))
	for _, c := range changes {
		i, found := find(rules, c.Match)
		merged = append(merged, rules[:i]...)
		rules = rules[i:]
		if found {
			rules = rules[1:]
		}
		if c.New != nil {
			merged = append(merged, c.New)
		}
	}
	return append(merged, rules...)
}

func find(rules []*flowspec.Rule, m flowspec.Match) (int, bool) {
	return slices.BinarySearchFunc(rules, m, func(r *flowspec.Rule, m flowspec.Match) int { return flowspec.Compare(r.Match, m) })
}

// find returns the rule with match m, or nil.
func (s sequence) find(m flowspec.Match) *flowspec.Rule {
	if len(s.chunks) == 0 {
		return nil
	}
	chunk := s.chunks[s.chunkOf(m)]
	if i, found := find(chunk, m); found {
		return chunk[i]
	}
	return nil
}
