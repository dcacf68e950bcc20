package table

import (
	"fmt"
	"slices"
	"testing"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// listed returns t, made of rules, as a device may list it that goes through its destinations in another order: those for a part of another still come first, and rules for one
// destination keep their order, as those without one do. With sources, it goes through the sources in another order as well. It turns address bits over and sorts by what comes out.
func listed(tb testing.TB, rules []flowspec.Rule, sources bool) []flowspec.Rule {
	tb.Helper()
	type shown struct{ real, turned flowspec.Rule }
	all := make([]shown, len(rules))
	for i, r := range rules {
		var cs []flowspec.Component
		for c := range r.Match.All() {
			if c.Type == flowspec.DstPrefix || sources && c.Type == flowspec.SrcPrefix {
				raw := c.Prefix.Addr.AsSlice()
				for n := range raw {
					if n > 0 && n*8 < int(c.Prefix.Len) { // whole octets, so that prefixes stay inside each other
						raw[n] ^= 0x5a
					}
				}
				c = prefix(c.Type, addrOf(raw), int(c.Prefix.Len))
			}
			cs = append(cs, c)
		}
		m, err := flowspec.NewMatch(r.Match.Family(), flowspec.RD{}, cs...)
		if err != nil {
			tb.Fatal(err)
		}
		t := r
		t.Match = m
		all[i] = shown{r, t}
	}
	slices.SortFunc(all, func(a, b shown) int { return flowspec.Compare(a.turned.Match, b.turned.Match) })
	out := make([]flowspec.Rule, len(all))
	for i := range all {
		out[i] = all[i].real
	}
	return out
}

// inOrder is Of for rules that stand in their order already.
func inOrder(rules []flowspec.Rule) Table {
	t := make(Table, len(rules))
	for i, r := range rules {
		t[i] = Entry{ID: string(r.ID), Match: r.Match.Set(), Do: Want(r), Continue: r.Action.Continue}
	}
	return t
}

// BenchmarkAudit compares what a device lists with what was asked: the same rules, in the order of the device, and cut into the pieces that it was given. One in two hundred has no
// destination: at 100,000 that is one group of about 480.
func BenchmarkAudit(b *testing.B) {
	for _, v6 := range []bool{false, true} {
		for _, n := range []int{1_000, 10_000, 100_000} {
			rules := mixOf(b, n, 7, v6)
			want := Of(rules)
			dump := inOrder(listed(b, rules, false))
			for _, c := range []struct {
				name string
				got  Table
			}{{"same", slices.Clone(want)}, {"listed", dump}, {"listed-split", halved(dump)}, {"sources-split", halved(inOrder(listed(b, rules, true)))}} {
				b.Run(fmt.Sprintf("v6=%v/%d/%s", v6, n, c.name), func(b *testing.B) {
					for b.Loop() {
						if d := Diff(want, c.got); d != nil {
							b.Fatal(d)
						}
					}
				})
			}
		}
	}
}
