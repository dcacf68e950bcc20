package review

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/notation"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/core/rulegen"
	"github.com/sluice-gateway/sluice/core/table"
)

// slow finds what Of finds by taking rules away and comparing tables: first, from the top, those that no packet reaches, then, from the bottom, those
// whose packets fare the same without them.
func slow(t *rapid.T, rules []flowspec.Rule) map[int]Kind {
	found := map[int]Kind{}
	without := func(i int) table.Table {
		var keep table.Table
		for _, e := range table.Of(rules) {
			n := slices.IndexFunc(rules, func(r flowspec.Rule) bool { return string(r.ID) == e.ID })
			if found[n] == "" && n != i {
				keep = append(keep, e)
			}
		}
		return keep
	}
	equal := func(a, b table.Table) bool {
		d := table.Diff(a, b)
		if d != nil && d.Unproven {
			t.Skip("not proven")
		}
		return d == nil
	}
	for i, r := range rules {
		if _, can := r.Match.Set().Witness(); !can {
			found[i] = NeverMatches
			continue
		}
		// A rule that no packet reaches can do anything: a discard and a redirect are the same then, and no rule at all is too.
		as := func(o table.Outcome) table.Table {
			all := without(-1)
			n := slices.IndexFunc(all, func(e table.Entry) bool { return e.ID == string(r.ID) })
			all[n].Do, all[n].Continue = o, false
			return all
		}
		if equal(as(table.Outcome{Discard: true}), as(table.Outcome{Redirect: "192.0.2.254"})) {
			found[i] = Shadowed
		}
	}
	for i := len(rules) - 1; i >= 0; i-- {
		if found[i] == "" && equal(without(-1), without(i)) {
			found[i] = Redundant
		}
	}
	return found
}

func address(f flowspec.Family, i int) netip.Addr {
	if f == flowspec.IPv6 {
		return netip.AddrFrom16([16]byte{0x20, 1, 0x0d, 0xb8, 15: byte(i)})
	}
	return netip.AddrFrom4([4]byte{10, 0, 0, byte(i)})
}

func pick[T any](t *rapid.T, name string, list ...T) T { return rapid.SampledFrom(list).Draw(t, name) }

// drawRules draws a table so small that rules lie in each other, in unions of others, and beside each other.
func drawRules(t *rapid.T) []flowspec.Rule {
	f := pick(t, "family", flowspec.IPv4, flowspec.IPv4, flowspec.IPv6)
	offsets := f == flowspec.IPv6 && rapid.Bool().Draw(t, "offsets")
	var rules []flowspec.Rule
	for n := rapid.IntRange(1, 9).Draw(t, "rules"); n > 0; n-- {
		var out []flowspec.Component
		for _, typ := range []flowspec.Type{flowspec.DstPrefix, flowspec.SrcPrefix} {
			bits := pick(t, "bits", 32, 31, 31, 30, 0, -1, -1)
			if bits < 0 || typ == flowspec.SrcPrefix && rapid.IntRange(0, 2).Draw(t, "source") > 0 {
				continue
			}
			p := flowspec.Prefix{Len: uint8(bits)}
			if f == flowspec.IPv6 && bits > 0 {
				p.Len += 96
			}
			a := netip.PrefixFrom(address(f, rapid.IntRange(0, 3).Draw(t, "host")), int(p.Len)).Masked().Addr()
			if offsets && p.Len > 96 && rapid.Bool().Draw(t, "offset") {
				p.Offset = 96
				b := a.As16()
				clear(b[:12])
				a = netip.AddrFrom16(b)
			}
			p.Addr = a
			out = append(out, flowspec.Component{Type: typ, Prefix: p})
		}
		numbers := func(typ flowspec.Type, often int, pool ...uint64) {
			if rapid.IntRange(1, 10).Draw(t, "has") > often {
				return
			}
			c := flowspec.Component{Type: typ}
			for k := rapid.IntRange(1, 2).Draw(t, "terms"); k > 0; k-- {
				c.Terms = append(c.Terms, flowspec.Term{Op: pick(t, "op", flowspec.EQ, flowspec.EQ, flowspec.GE, flowspec.LE), Value: pick(t, "value", pool...)})
			}
			out = append(out, c)
		}
		numbers(flowspec.Protocol, 3, 1, 6, 17)
		numbers(flowspec.DstPort, 3, 0, 80, 81, 65535)
		numbers(flowspec.ICMPType, 1, 8)
		numbers(flowspec.PacketLength, 1, 10, 19, 100)
		if len(out) == 0 {
			numbers(flowspec.Protocol, 10, 6, 17, 255)
		}
		m, err := flowspec.NewMatch(f, flowspec.RD{}, out...)
		if err != nil {
			t.Fatal(err)
		}
		rules = append(rules, flowspec.Rule{ID: flowspec.NewID("test", m), Match: m, Action: drawAction(t), Source: "test"})
	}
	return rib.Of(rules).Rules()
}

func drawAction(t *rapid.T) (a flowspec.Action) {
	mark := uint8(5)
	switch rapid.IntRange(0, 7).Draw(t, "action") {
	case 0, 1:
	case 2, 3, 4:
		a.Rate = &flowspec.Rate{}
	case 5:
		a.Rate = &flowspec.Rate{Amount: 1e6}
	case 6:
		a.Mark = &mark
	case 7:
		a.Sample = true
	}
	a.Continue = rapid.IntRange(0, 5).Draw(t, "continue") == 0
	return a
}

// offset says whether r has an IPv6 prefix with an offset.
func offset(r flowspec.Rule) bool {
	for c := range r.Match.All() {
		if c.Type.Prefix() && c.Prefix.Offset > 0 {
			return true
		}
	}
	return false
}

func describe(rules []flowspec.Rule) string {
	var b strings.Builder
	for i, r := range rules {
		fmt.Fprintf(&b, "%d: %s\n", i, notation.Text(r))
	}
	return b.String()
}

// What is found is what can be taken away, no more and no less; and all of it can go at once.
func TestFindingsAreWhatCanBeTakenAway(t *testing.T) {
	t.Parallel()
	seen := map[Kind]int{}
	rapid.Check(t, func(t *rapid.T) {
		rules := drawRules(t)
		got := review(newIndex(rules, pick(t, "large", 2, 2, large)), tableSteps)
		if got.NotLooked > 0 && !slices.ContainsFunc(rules, offset) { // patterns in pieces are many, and may cost the whole budget
			t.Fatalf("%d of a small table not looked at\n%s", got.NotLooked, describe(rules))
		}
		want := slow(t, rules)
		kinds := map[int]Kind{}
		for _, f := range got.Findings {
			kinds[f.Rule] = f.Kind
			seen[f.Kind]++
			for _, by := range f.By {
				if f.Kind == Shadowed && by >= f.Rule || f.Kind == Redundant && by <= f.Rule {
					t.Fatalf("%s %d by %d", f.Kind, f.Rule, by)
				}
			}
			if f.Kind == Shadowed && len(f.By) == 0 {
				t.Fatalf("%d is shadowed by nothing", f.Rule)
			}
		}
		for i := range rules {
			if kinds[i] != want[i] && got.NotLooked == 0 {
				t.Fatalf("rule %d: got %q, want %q\n%s", i, kinds[i], want[i], describe(rules))
			}
		}
		var keep []flowspec.Rule
		for i, r := range rules {
			if kinds[i] == "" {
				keep = append(keep, r)
			}
		}
		if d := table.Diff(table.Of(rules), table.Of(keep)); d != nil && !(d.Unproven && slices.ContainsFunc(rules, offset)) {
			t.Fatalf("without the rules found: %s\n%s", d, describe(rules))
		}
	})
	for _, k := range []Kind{NeverMatches, Shadowed, Redundant} {
		if seen[k] == 0 {
			t.Errorf("nothing was %s: the test looks at nothing", k)
		}
	}
}

// In a customer's filter, long lists of ports for one destination, rules lie in unions of others in all ways. Whatever is left there does something.
func TestNothingMoreCanBeTakenAway(t *testing.T) {
	t.Parallel()
	rules := rib.Of(rulegen.Customer(flowspec.IPv4, 500, 1)).Rules()
	got := Of(rules)
	found := map[string]bool{}
	for _, f := range got.Findings {
		found[string(rules[f.Rule].ID)] = true
	}
	all := table.Of(rules)
	keep := slices.DeleteFunc(slices.Clone(all), func(e table.Entry) bool { return found[e.ID] })
	if d := table.Diff(all, keep); d != nil || got.NotLooked > 0 || len(found) < 50 {
		t.Fatalf("%d found, %d not looked at; without them: %v", len(found), got.NotLooked, d)
	}
	for i := range keep {
		if d := table.Diff(keep, slices.Delete(slices.Clone(keep), i, i+1)); d == nil {
			t.Errorf("%s can be taken away as well, and was not found", keep[i].Match)
		}
	}
}

// The tables that the rest is measured with are looked at whole, and much is left of the budget.
func TestLargeTablesAreLookedAt(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]func(flowspec.Family, int, uint64) []flowspec.Rule{"mix": rulegen.Mix, "mitigation": rulegen.Mitigation, "discards": rulegen.Discards, "customer": rulegen.Customer} {
		rules := rib.Of(kind(flowspec.IPv4, 20_000, 1)).Rules()
		if got := review(NewIndex(rules), tableSteps/10); got.NotLooked > 0 || len(got.Findings) < len(rules)/50 {
			t.Errorf("%s: %d not looked at, %d found", name, got.NotLooked, len(got.Findings))
		}
	}
}

// With fewer steps less is found, never something else, and what was not looked at is counted.
func TestLittleBudgetFindsLess(t *testing.T) {
	t.Parallel()
	short := 0
	rapid.Check(t, func(t *rapid.T) {
		rules := drawRules(t)
		all := Of(rules)
		few := review(newIndex(rules, pick(t, "large", 2, large)), rapid.IntRange(0, 60).Draw(t, "budget"))
		short += few.NotLooked
		var keep []flowspec.Rule
		gone := map[int]bool{}
		for _, f := range few.Findings {
			gone[f.Rule] = true
		}
		for i, r := range rules {
			if !gone[i] {
				keep = append(keep, r)
			}
		}
		if d := table.Diff(table.Of(rules), table.Of(keep)); d != nil && !(d.Unproven && slices.ContainsFunc(rules, offset)) {
			t.Fatalf("without the rules found: %s\n%s", d, describe(rules))
		}
		if few.NotLooked == 0 && len(few.Findings) != len(all.Findings) {
			t.Fatalf("%d found, want %d, and nothing was left out\n%s", len(few.Findings), len(all.Findings), describe(rules))
		}
	})
	if short == 0 {
		t.Error("the budget always sufficed: the test looks at nothing")
	}
}

// The rules that an index yields are all that share packets with a rule.
func TestIndexMissesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rules := drawRules(t)
		x := newIndex(rules, pick(t, "large", 2, large))
		for i := range rules {
			above, below := slices.Collect(x.Above(i)), slices.Collect(x.Below(i))
			if !slices.IsSorted(above) || !slices.IsSorted(below) {
				t.Fatalf("rule %d: above %v, below %v\n%s", i, above, below, describe(rules))
			}
			for j := range rules {
				near := j < i && slices.Contains(above, j) || j > i && slices.Contains(below, j)
				if j != i && !near && x.Set(i).Overlaps(x.Set(j)) {
					t.Fatalf("rule %d misses %d\n%s", i, j, describe(rules))
				}
			}
		}
	})
}
