package vrp_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// A router refuses a line that its access list has already, so entries that ask for the same are in two, whatever their names and however they got there.
func TestALineIsSaidOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := filter.Filter{Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Alone}
		few := []filter.Match{{Dst: prefix("203.0.113.9/32"), Fragments: 0xee}, {Dst: prefix("203.0.113.9/32"), Fragments: 0xcc}, {Dst: prefix("203.0.113.10/32")}, {}}
		for i := range rapid.IntRange(1, 12).Draw(t, "entries") {
			e := large(i + 1).Entries[i]
			e.Match, e.Do = rapid.SampledFrom(few).Draw(t, "match"), filter.Do{Discard: rapid.Bool().Draw(t, "discard")}
			f.Entries = append(f.Entries, e)
		}
		less := f
		less.Entries = slices.Delete(slices.Clone(f.Entries), len(f.Entries)/2, len(f.Entries)/2+1)
		d := newDevice()
		d.Edit(t, edit(t, nil, []filter.Filter{less}))
		d.Edit(t, edit(t, d.holds(t, []filter.Filter{less}), []filter.Filter{f}))
		r, err := dialect.Render(d.holds(t, []filter.Filter{f})[0])
		if err != nil {
			t.Fatal(err)
		}
		for _, section := range strings.Split(r.Text, "#\n") {
			said := map[string]bool{}
			for _, l := range strings.Split(section, "\n") {
				if _, what, found := strings.Cut(l, " permit "); found {
					if said[what] {
						t.Fatalf("%q stands there twice\n%s", what, r.Text)
					}
					said[what] = true
				}
			}
		}
	})
}

// The most that a policy has room for.
func TestRoomInAPolicy(t *testing.T) {
	t.Parallel()
	for n, fits := range map[int]bool{2558: true, 2559: false} {
		if _, err := dialect.Render(checkered(n)); (err == nil) != fits {
			t.Errorf("%d entries, each of another kind than its neighbours: %v", n, err)
		}
	}
	full := checkered(2558)
	for i := range full.Entries {
		full.Entries[i].Place = uint32(i+1)<<16 | 50
	}
	want := full
	want.Entries = slices.Insert(slices.Delete(slices.Clone(full.Entries), 2000, 2001), 10, large(3000).Entries[2999])
	d := newDevice()
	d.Edit(t, edit(t, nil, []filter.Filter{full}))
	d.Edit(t, edit(t, d.holds(t, []filter.Filter{full}), []filter.Filter{want})) // all get new places
	d.holds(t, []filter.Filter{want})
}
