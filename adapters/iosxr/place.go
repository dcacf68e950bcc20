package iosxr

import (
	"fmt"
	"slices"
	"sort"

	"github.com/sluice-gateway/sluice/core/filter"
)

// The numbers of lines. An entry at place p has its remark at p*perPlace, and itself behind that, counted from the beginning of its part.
const (
	perPlace   = 10
	usualStep  = 100 // between the places of entries that are new together: room for 99 in between
	lastPlace  = 999_999
	laterBegin = 0
	laterEnd   = 10_000_000 // permit the rest of the later fragments
	firstBegin = laterEnd
	firstEnd   = firstBegin + (lastPlace+1)*perPlace
	listEnd    = 2_147_483_640 // permit the rest; sequence numbers end at 2147483643
)

// begin is where the lines of p begin. A list of one part has it where packets with a transport header go.
func (p part) begin() uint32 {
	if p == later {
		return laterBegin
	}
	return firstBegin
}

// places returns where the entries of f stand: where they say, or evenly spread where one does not or they contradict each other.
func places(f filter.Filter) ([]uint32, error) {
	out, last, good := make([]uint32, len(f.Entries)), uint32(0), true
	for i, e := range f.Entries {
		good = good && e.Place > last && e.Place <= lastPlace
		last, out[i] = e.Place, e.Place
	}
	if good {
		return out, nil
	}
	step := min(usualStep, lastPlace/(len(out)+1))
	if step == 0 {
		return nil, fmt.Errorf("%d entries: the numbers of an access list have room for %d here", len(out), lastPlace)
	}
	for i := range out {
		out[i] = uint32((i + 1) * step)
	}
	return out, nil
}

// keepPlaces gives the entries of want places: to as many as can be those that they have in have, to the others some in between. Where there is no room
// in between, all places are given up, and Render spreads the entries evenly.
func keepPlaces(have, want filter.Filter) filter.Filter {
	at, err := places(have)
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
	stay := rising(had)
	stay = append(stay, len(want.Entries)) // the end of the list
	begin, low := 0, uint32(0)
	for _, at := range stay {
		high := uint32(lastPlace + 1)
		if at < len(had) {
			high = had[at]
		}
		if !fill(want.Entries[begin:at], low, high) {
			for i := range want.Entries {
				want.Entries[i].Place = 0
			}
			return want
		}
		if at < len(had) {
			want.Entries[at].Place = high
		}
		begin, low = at+1, high
	}
	return want
}

// fill gives entries places between low and high; at the end of the list in the usual steps.
func fill(entries []filter.Entry, low, high uint32) bool {
	n := uint32(len(entries))
	step := (high - low) / (n + 1)
	if n > 0 && step == 0 {
		return false
	}
	if high > lastPlace {
		step = min(step, usualStep)
	}
	for i := range entries {
		entries[i].Place = low + step*uint32(i+1)
	}
	return true
}

// rising returns the indices of a longest sequence of numbers above zero that rise (patience sorting).
func rising(numbers []uint32) []int {
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
