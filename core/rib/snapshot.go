package rib

import (
	"cmp"
	"iter"
	"slices"
	"sync"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// Snapshot is the Loc-RIB at one moment: the rules in force, one for each family and NLRI. It is immutable. The zero Snapshot has
// no rules. Copies share everything.
type Snapshot struct {
	Version uint64 // grows by one with each published change
	*state
}

// state is what the copies of one snapshot share.
type state struct {
	rules   sequence
	history history

	once sync.Once
	flat []flowspec.Rule // Rules, once somebody asked
}

// Of returns a snapshot of rules, for pre-flight: of rules with the same family and NLRI the last one stands. Replaced tells which
// do not.
func Of(rules []flowspec.Rule) Snapshot {
	order := ordered(rules)
	standing := make([]*flowspec.Rule, 0, len(rules))
	for i, at := range order {
		if i+1 == len(order) || !rules[at].Match.Equal(rules[order[i+1]].Match) {
			standing = append(standing, &rules[at])
		}
	}
	// The caller keeps its slice: the snapshot needs rules of its own.
	own := make([]flowspec.Rule, len(standing))
	for i, r := range standing {
		own[i] = *r
		standing[i] = &own[i]
	}
	s := Snapshot{Version: 1, state: &state{rules: newSequence(standing)}}
	s.once.Do(func() { s.flat = own })
	return s
}

// Replaced returns the indices, ascending, of the rules that do not stand in Of(rules), because a later one has the same family and NLRI.
func Replaced(rules []flowspec.Rule) []int {
	var replaced []int
	order := ordered(rules)
	for i, at := range order[:max(0, len(order)-1)] {
		if rules[at].Match.Equal(rules[order[i+1]].Match) {
			replaced = append(replaced, at)
		}
	}
	slices.Sort(replaced)
	return replaced
}

// ordered returns the indices of rules in the order of Compare; equal NLRIs stay as they came.
func ordered(rules []flowspec.Rule) []int {
	type ranked struct {
		rank  uint64
		index int
	}
	byRank := make([]ranked, len(rules))
	for i := range rules {
		byRank[i] = ranked{rules[i].Match.Rank(), i}
	}
	slices.SortFunc(byRank, func(a, b ranked) int {
		if a.rank != b.rank {
			return cmp.Compare(a.rank, b.rank)
		}
		return cmp.Or(flowspec.Compare(rules[a.index].Match, rules[b.index].Match), cmp.Compare(a.index, b.index))
	})
	order := make([]int, len(byRank))
	for i, r := range byRank {
		order[i] = r.index
	}
	return order
}

// Len returns the number of rules.
func (s Snapshot) Len() int {
	if s.state == nil {
		return 0
	}
	return s.rules.n
}

// All yields the rules in the order of flowspec.Compare. They must not be changed.
func (s Snapshot) All() iter.Seq[*flowspec.Rule] {
	return func(yield func(*flowspec.Rule) bool) {
		if s.state == nil {
			return
		}
		for _, chunk := range s.rules.chunks {
			for _, r := range chunk {
				if !yield(r) {
					return
				}
			}
		}
	}
}

// Rules returns the rules in the order of flowspec.Compare. The caller must not change the slice. The first call for a snapshot
// copies all of them (256 octets each); All does not.
func (s Snapshot) Rules() []flowspec.Rule {
	if s.state == nil {
		return nil
	}
	s.once.Do(func() {
		s.flat = make([]flowspec.Rule, 0, s.rules.n)
		for r := range s.All() {
			s.flat = append(s.flat, *r)
		}
	})
	return s.flat
}

// Find returns the rule in force for a match, or false.
func (s Snapshot) Find(m flowspec.Match) (flowspec.Rule, bool) {
	if s.state == nil || !m.Valid() {
		return flowspec.Rule{}, false
	}
	if r := s.rules.find(m); r != nil {
		return *r, true
	}
	return flowspec.Rule{}, false
}

// Since returns what changed from a version to this one, sorted by Match, each NLRI once: what was added and withdrawn in between is not
// in it. It returns false when that is too long ago, or was never: then compare with all of Rules.
func (s Snapshot) Since(version uint64) ([]Change, bool) {
	switch {
	case version == s.Version:
		return nil, true
	case version > s.Version || s.state == nil:
		return nil, false
	}
	return s.history.since(version, s.Version)
}

// with returns the next snapshot: s after changes, which are sorted by Match, each NLRI once.
func (s Snapshot) with(changes []Change) Snapshot {
	var now sequence
	var past history
	if s.state != nil {
		now, past = s.rules, s.history
	}
	return Snapshot{Version: s.Version + 1, state: &state{rules: now.with(changes), history: past.with(changes)}}
}

// history is what changed in the last versions, oldest first. Snapshots share the array behind it: an older
// one has a shorter slice and never looks beyond its end, and only the RIB's goroutine appends.
type history struct {
	steps   [][]Change
	changes int // in all steps
}

// Bounds of a history. A reader that is further behind reads everything, which is then about as fast.
const (
	maxSteps   = 4096
	maxChanges = 65536
)

func (h history) with(changes []Change) history {
	h.steps = append(h.steps, changes)
	h.changes += len(changes)
	for len(h.steps) > 1 && (len(h.steps) > maxSteps || h.changes > maxChanges) {
		h.changes -= len(h.steps[0])
		h.steps = h.steps[1:]
	}
	return h
}

func (h history) since(from, to uint64) ([]Change, bool) {
	n := to - from
	if n > uint64(len(h.steps)) {
		return nil, false
	}
	steps := h.steps[uint64(len(h.steps))-n:]
	if n == 1 {
		return steps[0], true
	}
	return squash(slices.Concat(steps...)), true
}

// squash makes one change of all changes to an NLRI, which are in order of time.
func squash(all []Change) []Change {
	slices.SortStableFunc(all, func(a, b Change) int { return flowspec.Compare(a.Match, b.Match) })
	out := all[:0]
	for _, c := range all {
		if last := len(out) - 1; last >= 0 && out[last].Match.Equal(c.Match) {
			out[last].New = c.New
			continue
		}
		out = append(out, c)
	}
	return slices.DeleteFunc(out, func(c Change) bool { return c.Old == c.New })
}
