package filter

import (
	"fmt"
	"slices"
	"sort"
)

// Places is how a language that numbers its entries gives them places: 1 to Last, so that one changed rule is a small change.
type Places struct {
	Last uint32
	Step uint32 // between the places of entries that are new together; the rest of it is room for later ones
}

// Of returns where the entries of f stand: where they say, or evenly spread where one does not or they contradict each other. It is an error if there
// are more entries than places.
func (p Places) Of(f Filter) ([]uint32, error) {
	out, last, good := make([]uint32, len(f.Entries)), uint32(0), true
	for i, e := range f.Entries {
		good = good && e.Place > last && e.Place <= p.Last
		last, out[i] = e.Place, e.Place
	}
	if good {
		return out, nil
	}
	step := min(uint64(p.Step), uint64(p.Last)/uint64(len(out)+1))
	if step == 0 {
		return nil, fmt.Errorf("%d entries: there is room for %d", len(out), p.Last-1)
	}
	for i := range out {
		out[i] = uint32(uint64(i+1) * step)
	}
	return out, nil
}

// Keep gives the entries of want places: to as many as can be those that they have in have, to the others some in between. Where there is no room in between,
// all places are given up, and Of spreads the entries evenly.
func (p Places) Keep(have, want Filter) Filter {
	at, err := p.Of(have)
	if err != nil {
		return want
	}
	held := make(map[string]uint32, len(have.Entries))
	for i, e := range have.Entries {
		held[e.Name] = at[i]
	}
	want.Entries = slices.Clone(want.Entries)
	had := make([]uint32, len(want.Entries))
	for i, e := range want.Entries {
		had[i] = held[e.Name]
		want.Entries[i].Place = 0
	}
	begin, low := 0, uint32(0)
	for _, stays := range append(Rising(had), len(had)) { // and the end of the list
		high := p.Last + 1
		if stays < len(had) {
			high = had[stays]
		}
		if !p.fill(want.Entries[begin:stays], low, high) {
			for i := range want.Entries {
				want.Entries[i].Place = 0
			}
			return want
		}
		if stays < len(had) {
			want.Entries[stays].Place = high
		}
		begin, low = stays+1, high
	}
	return want
}

// fill gives entries places between low and high; at the end of the list in the usual steps.
func (p Places) fill(entries []Entry, low, high uint32) bool {
	n := uint32(len(entries))
	step := (high - low) / (n + 1)
	if n > 0 && step == 0 {
		return false
	}
	if high > p.Last {
		step = min(step, p.Step)
	}
	for i := range entries {
		entries[i].Place = low + step*uint32(i+1)
	}
	return true
}

// Rising returns the indices of a longest sequence of numbers above zero that rise (patience sorting).
func Rising(numbers []uint32) []int {
	var tails []int // of the sequence of each length, the index where it ends lowest
	before := make([]int, len(numbers))
	for i, n := range numbers {
		if n == 0 {
			continue
		}
		k := sort.Search(len(tails), func(k int) bool { return numbers[tails[k]] >= n })
		if before[i] = -1; k > 0 {
			before[i] = tails[k-1]
		}
		if k == len(tails) {
			tails = append(tails, i)
		} else {
			tails[k] = i
		}
	}
	if len(tails) == 0 {
		return nil
	}
	out := make([]int, len(tails))
	at := tails[len(tails)-1]
	for k := len(out) - 1; k >= 0; k-- {
		out[k], at = at, before[at]
	}
	return out
}
