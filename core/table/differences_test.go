package table

import (
	"fmt"
	"slices"
	"testing"

	"github.com/sluice-gateway/sluice/core/packet"
	"pgregory.net/rapid"
)

// Differences finds every pair of entries that decide a packet which fares differently, as looking at each packet does, and says of each what it is.
func TestDifferencesAgreePacketByPacket(t *testing.T) {
	t.Parallel()
	count := map[Kind]int{}
	rapid.Check(t, func(t *rapid.T) {
		want := drawTable(t, false)
		got := drawTable(t, false)
		if rapid.IntRange(0, 5).Draw(t, "related") > 0 {
			got = disturb(t, want)
		}
		for i := range got {
			got[i].Continue = false
		}
		list, more := Differences(want, got, 1000)
		if (len(list) == 0) != (Diff(want, got) == nil) || more {
			t.Fatalf("%v (more: %v), and Diff says %v", list, more, Diff(want, got))
		}
		pairs := map[string]bool{}
		for _, d := range list {
			confirm(t, want, got, &d)
			count[d.Kind]++
			if d.Kind == Shared {
				continue
			}
			about := deciders(want, got, d.Packet)
			if pairs[about] {
				t.Fatalf("entries %s are told twice: %v", about, list)
			}
			pairs[about] = true
			w, g := doesOf(want, d.Packet), doesOf(got, d.Packet)
			if over, under := worse(w, g), worse(g, w); d.Kind == Over && (!over || under) || d.Kind == Under && (!under || over) || d.Kind == Other && over != under {
				t.Fatalf("%v is not %s", d, d.Kind)
			}
		}
		for _, h := range twinPackets() {
			if about := deciders(want, got, h); !alike(doing(doesOf(want, h)), doing(doesOf(got, h))) && !pairs[about] {
				t.Fatalf("%v fares differently, and entries %s are not told: %v", h, about, list)
			}
		}
		if most := rapid.IntRange(1, 3).Draw(t, "most"); len(list) > 0 {
			few, more := Differences(want, got, most)
			if len(few) != min(most, len(list)) || more != (len(list) > most) {
				t.Fatalf("%d of %d, more: %v", len(few), len(list), more)
			}
		}
	})
	t.Log(count)
	for _, k := range []Kind{Over, Under, Ordered, Shared, Other} {
		if count[k] == 0 {
			t.Errorf("no difference was of kind %s", k)
		}
	}
}

// deciders names the two entries that decide h.
func deciders(want, got Table, h packet.Header) string {
	first := func(t Table) int { return slices.IndexFunc(t, func(e Entry) bool { return e.Match.Has(h) }) }
	return fmt.Sprint(first(want), first(got))
}

func TestDifferencesWhereEntriesContinue(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := drawTable(t, true)
		got := disturb(t, want)
		list, more := Differences(want, got, 1000)
		if (len(list) == 0) != (Diff(want, got) == nil) || more {
			t.Fatalf("%v (more: %v), and Diff says %v", list, more, Diff(want, got))
		}
		for _, d := range list {
			confirm(t, want, got, &d)
		}
	})
}

func TestKinds(t *testing.T) {
	t.Parallel()
	m := disjoint(2)
	one := func(do Outcome) Table { return Table{{ID: "1", Match: m[0].Match, Do: do}} }
	discard, all := Outcome{Discard: true}, Entry{ID: "all", Match: packet.Of(packet.Everything(packet.IPv4))}
	for _, c := range []struct {
		name      string
		want, got Table
		kinds     []Kind
	}{
		{"equal", one(discard), one(discard), nil},
		{"over", one(Outcome{}), one(discard), []Kind{Over}},
		{"under", one(limit("p", 10)), one(limit("p", 20)), []Kind{Under}},
		{"order", append(one(discard), all), append(Table{all}, one(discard)...), []Kind{Ordered}},
		{"other", one(Outcome{Redirect: "a"}), one(Outcome{Redirect: "b"}), []Kind{Other}},
		{"two of one kind", Table{{Match: m[0].Match, Do: discard}, {Match: m[1].Match, Do: discard}}, nil, []Kind{Under, Under}},
		{"policer", Table{{Match: m[0].Match, Do: limit("p", 10)}, {Match: m[1].Match, Do: limit("p", 10)}},
			Table{{Match: m[0].Match, Do: limit("p", 10)}, {Match: m[1].Match, Do: limit("q", 10)}}, []Kind{Shared}},
		{"over and under", Table{{Match: m[0].Match, Do: discard}, {Match: m[1].Match}}, Table{{Match: m[1].Match, Do: discard}}, []Kind{Over, Under}},
	} {
		list, more := Differences(c.want, c.got, 10)
		var got []Kind
		for _, d := range list {
			got = append(got, d.Kind)
		}
		if !slices.Equal(got, c.kinds) || more {
			t.Errorf("%s: got %v, want %v", c.name, list, c.kinds)
		}
	}
}
