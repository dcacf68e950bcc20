package table

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/sluice-gateway/sluice/core/packet"
	"pgregory.net/rapid"
)

// Where a table can be brought into order by destination, it decides every packet as before, by the same entries in the same order.
func TestByDestinationDecidesTheSame(t *testing.T) {
	t.Parallel()
	lined, refused := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		in := drawTable(t, rapid.Bool().Draw(t, "passes"))
		if rapid.Bool().Draw(t, "smallest first") {
			slices.SortStableFunc(in, func(a, b Entry) int {
				x, _ := aimOf(&a, 0)
				y, _ := aimOf(&b, 0)
				return x.compare(y)
			})
			for range rapid.IntRange(0, 2).Draw(t, "swaps") {
				if len(in) > 1 {
					i := rapid.IntRange(1, len(in)-1).Draw(t, "at")
					in[i], in[i-1] = in[i-1], in[i]
				}
			}
		}
		out, ok := byDestination(in)
		if !ok {
			refused++
			return
		}
		lined++
		if len(out) != len(in) {
			t.Fatalf("%d entries became %d", len(in), len(out))
		}
		for _, h := range twinPackets() {
			ids, does := in.Classify(h)
			gotIDs, got := out.Classify(h)
			if !slices.Equal(ids, gotIDs) || !slices.Equal(does, got) {
				t.Fatalf("%v meets %v, and %v in the other order\nin %v\nout %v", h, ids, gotIDs, in, out)
			}
		}
	})
	t.Logf("%d tables were lined up, %d were not", lined, refused)
	if lined < 20 || refused < 20 {
		t.Errorf("%d tables were lined up and %d were not: too few to tell", lined, refused)
	}
}

// The audit of a device that lists its rules in another order of destinations: equal where it holds what was asked, whole or in pieces, and a witness where one entry differs.
func TestAuditInAnotherOrder(t *testing.T) {
	t.Parallel()
	for _, v6 := range []bool{false, true} {
		rules := mixOf(t, 1000, 7, v6)
		want := Of(rules)
		dump, sources := inOrder(listed(t, rules, false)), inOrder(listed(t, rules, true))
		if identical(want, dump) {
			t.Fatal("the device lists its rules in our order: nothing is tested")
		}
		for what, got := range map[string]Table{"listed": dump, "in pieces": halved(dump), "named otherwise": renamed(dump), "sources as well": sources, "sources in pieces": halved(sources)} {
			if d := Diff(want, got); d != nil {
				t.Errorf("v6=%v, %s: %v", v6, what, d)
			}
			if d := Severer(want, got); d != nil {
				t.Errorf("v6=%v, %s: %v", v6, what, d)
			}
		}
		for at := 3; at < len(dump); at += 97 {
			got := slices.Delete(slices.Clone(dump), at, at+1)
			d, shadowed := Diff(want, got), Diff(dump, got)
			if (d == nil) != (shadowed == nil) {
				t.Fatalf("v6=%v, without entry %d: %v in one order, %v in the other", v6, at, d, shadowed)
			}
			if d != nil {
				confirm(t, want, got, d)
			}
		}
	}
}

// renamed returns t with other names of entries and policers.
func renamed(t Table) Table {
	t = slices.Clone(t)
	for i := range t {
		t[i].ID += "'"
		if t[i].Do.Policer != "" {
			t[i].Do.Policer += "'"
		}
	}
	return t
}

// The slow twin of the audit: tables of some size over the small universe, compared packet by packet.
func TestDiffOfTablesLinedUp(t *testing.T) {
	t.Parallel()
	equal, different := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		var want Table
		for i := range fewest + rapid.IntRange(0, 8).Draw(t, "more") {
			name := fmt.Sprintf("r%d", i)
			want = append(want, Entry{ID: name, Match: drawSet(t), Do: drawOutcome(t, name)})
		}
		if rapid.IntRange(0, 4).Draw(t, "any order") > 0 {
			want = slices.DeleteFunc(want, func(e Entry) bool { _, one := aimOf(&e, 0); return !one })
			for len(want) < fewest {
				b := packet.Everything(packet.IPv4)
				b.Dst = packet.AddrsIn(netip.MustParsePrefix("10.0.0.1/32"))
				want = append(want, Entry{ID: "filler", Match: packet.Of(b), Do: Outcome{Discard: true}})
			}
			slices.SortStableFunc(want, func(a, b Entry) int {
				x, _ := aimOf(&a, 0)
				y, _ := aimOf(&b, 0)
				x.at, y.at = 0, 0
				return x.compare(y)
			})
		}
		got := slices.Clone(want)
		for range rapid.IntRange(0, 300).Draw(t, "swaps") { // neighbours that do not overlap change places, and now and then others
			i := rapid.IntRange(1, len(got)-1).Draw(t, "at")
			if !got[i].Match.Overlaps(got[i-1].Match) || rapid.IntRange(0, 400).Draw(t, "all the same") == 0 {
				got[i], got[i-1] = got[i-1], got[i]
			}
		}
		if rapid.IntRange(0, 2).Draw(t, "disturbed") == 0 {
			got = disturb(t, got)
			for i := range got {
				got[i].Continue = false
			}
		}
		d := Diff(want, got)
		why, differ := slowDiff(want, got)
		if (d != nil) != differ {
			t.Fatalf("Diff says %v, packet by packet it is %v %s", d, differ, why)
		}
		if d == nil {
			equal++
			return
		}
		different++
		confirm(t, want, got, d)
	})
	t.Logf("%d pairs of tables equal, %d different", equal, different)
}
