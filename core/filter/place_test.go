package filter_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/core/filter"
)

// However a list of entries changes: places rise, none is above the last, and no entry moves without need. Needed is what a slow twin says: the fewest entries that
// must move are all but a longest run of entries in their old order, and only where a gap is too small all may move.
func TestPlacesAreKept(t *testing.T) {
	t.Parallel()
	kept := 0
	rapid.Check(t, func(t *rapid.T) {
		p := filter.Places{Last: rapid.SampledFrom([]uint32{12, 40, 1000}).Draw(t, "last"), Step: rapid.SampledFrom([]uint32{1, 2, 10}).Draw(t, "step")}
		var have filter.Filter
		for range 5 {
			names := rapid.SliceOfNDistinct(rapid.IntRange(0, 11), 0, 8, rapid.ID).Draw(t, "entries")
			var want filter.Filter
			for _, n := range names {
				want.Entries = append(want.Entries, filter.Entry{Name: fmt.Sprint(n)})
			}
			before, err := p.Of(have)
			if err != nil {
				t.Fatal(err)
			}
			held := map[string]uint32{}
			for i, e := range have.Entries {
				held[e.Name] = before[i]
			}
			got := p.Keep(have, want)
			at, err := p.Of(got)
			if err != nil {
				t.Fatal(err)
			}
			stayed, spread := 0, len(at) > 0 && got.Entries[0].Place == 0
			for i := range at {
				if at[i] == 0 || at[i] > p.Last || i > 0 && at[i] <= at[i-1] {
					t.Fatalf("places %v of 1 to %d", at, p.Last)
				}
				if got.Entries[i].Name != want.Entries[i].Name {
					t.Fatalf("entries changed places: %v", got.Entries)
				}
				if at[i] == held[want.Entries[i].Name] {
					stayed++
				}
			}
			if most := longestRise(held, want.Entries); !spread && stayed < most {
				t.Fatalf("%d entries stayed at their places, %d could have: %v became %v", stayed, most, held, at)
			}
			if !spread {
				kept += stayed
			}
			for i := range got.Entries {
				got.Entries[i].Place = at[i]
			}
			have = got
		}
	})
	if kept == 0 {
		t.Error("no entry ever stayed")
	}
}

// longestRise returns the length of a longest subsequence of entries whose places rise, by trying all of them.
func longestRise(held map[string]uint32, entries []filter.Entry) int {
	best := 0
	for set := range 1 << len(entries) {
		n, last, good := 0, uint32(0), true
		for i, e := range entries {
			if set>>i&1 == 0 {
				continue
			}
			at := held[e.Name]
			good = good && at > last
			last = at
			n++
		}
		if good {
			best = max(best, n)
		}
	}
	return best
}

func TestTooManyEntriesForTheirPlaces(t *testing.T) {
	t.Parallel()
	_, err := filter.Places{Last: 3, Step: 1}.Of(filter.Filter{Entries: make([]filter.Entry, 3)})
	if err == nil || err.Error() != "3 entries: there is room for 2" {
		t.Errorf("got %v", err)
	}
}
