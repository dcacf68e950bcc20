package table

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// mix returns n rules such as a network under attack has: nearly all for single addresses, a quarter as many addresses as rules,
// amplification by source port, floods by destination port and flags, ranges, fragments, ICMP, and one in two hundred for any destination.
func mix(t testing.TB, n int, seed uint64) []flowspec.Rule {
	t.Helper()
	return mixOf(t, n, seed, false)
}

// mixOf is mix for either IP version. In IPv6 a destination has the octets of one in IPv4 at its end, and sources are /64s.
func mixOf(t testing.TB, n int, seed uint64, v6 bool) []flowspec.Rule {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	seen := map[string]bool{}
	family, icmp, echo := flowspec.IPv4, uint64(1), uint64(8)
	if v6 {
		family, icmp, echo = flowspec.IPv6, 58, 128
	}
	rules := make([]flowspec.Rule, 0, n)
	for len(rules) < n {
		cs := addresses(r, n, v6)
		switch x := r.IntN(100); {
		case x < 45:
			cs = append(cs, numbers(flowspec.Protocol, 17), numbers(flowspec.SrcPort, ports(r, 1+r.IntN(4))...))
		case x < 65:
			cs = append(cs, numbers(flowspec.Protocol, 6), numbers(flowspec.DstPort, ports(r, 1+r.IntN(8))...))
			if r.IntN(2) == 0 {
				cs = append(cs, flowspec.Component{Type: flowspec.TCPFlags, Terms: []flowspec.Term{{Op: flowspec.AllBits, Value: 2}, {And: true, Op: flowspec.NoBit, Value: 16}}})
			}
		case x < 75:
			lo := uint64(r.IntN(60000))
			cs = append(cs, numbers(flowspec.Protocol, 17), flowspec.Component{Type: flowspec.DstPort, Terms: []flowspec.Term{{Op: flowspec.GE, Value: lo}, {And: true, Op: flowspec.LE, Value: lo + 1000}}})
		case x < 83:
			cs = append(cs, numbers(flowspec.Port, ports(r, 1+r.IntN(4))...))
		case x < 90:
			cs = append(cs, flowspec.Component{Type: flowspec.Fragment, Terms: []flowspec.Term{{Op: flowspec.AnyBit, Value: 2}}})
		case x < 95:
			cs = append(cs, numbers(flowspec.Protocol, icmp), numbers(flowspec.ICMPType, echo))
		default:
			cs = append(cs, numbers(flowspec.Protocol, uint64(r.IntN(256))))
		}
		m, err := flowspec.NewMatch(family, flowspec.RD{}, cs...)
		if err != nil {
			t.Fatal(err)
		}
		if seen[string(m.NLRI())] {
			continue
		}
		seen[string(m.NLRI())] = true
		rule := flowspec.Rule{Match: m, ID: flowspec.ID(fmt.Sprint(len(rules)))}
		switch r.IntN(6) {
		case 0:
		case 1:
			rule.Action.Rate = &flowspec.Rate{Amount: 1e6, Unit: flowspec.Bytes}
		case 2:
			rule.Action.Mark = new(uint8)
		default:
			rule.Action.Rate = &flowspec.Rate{}
		}
		rules = append(rules, rule)
	}
	return rules
}

// addresses draws the prefixes of a rule.
func addresses(r *rand.Rand, n int, v6 bool) (cs []flowspec.Component) {
	host := [4]byte{10, byte(r.IntN(n/4+1) >> 16), byte(r.IntN(n/4+1) >> 8), byte(r.IntN(n/4 + 1))}
	add := func(typ flowspec.Type, a [4]byte, bits int) {
		if !v6 {
			cs = append(cs, prefix(typ, netip.AddrFrom4(a), bits))
			return
		}
		long := [16]byte{0: 0x20, 1: 1, 2: 0x0d, 3: 0xb8, 12: a[0], 13: a[1], 14: a[2], 15: a[3]}
		if typ == flowspec.SrcPrefix {
			long = [16]byte{0: 0x20, 1: 2, 2: a[0], 3: a[1], 4: a[2]}
			bits = 64
		} else {
			bits += 96
		}
		cs = append(cs, prefix(typ, netip.AddrFrom16(long), bits))
	}
	switch x := r.IntN(1000); {
	case x < 930:
		add(flowspec.DstPrefix, host, 32)
	case x < 985:
		add(flowspec.DstPrefix, host, 24)
	case x < 995:
		add(flowspec.DstPrefix, host, 16)
	}
	if r.IntN(100) < 6 || len(cs) == 0 {
		add(flowspec.SrcPrefix, [4]byte{byte(11 + r.IntN(200)), byte(r.IntN(256)), byte(r.IntN(256)), 0}, 24)
	}
	return cs
}

func ports(r *rand.Rand, n int) (out []uint64) {
	for range n {
		out = append(out, uint64(r.IntN(65536)))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func prefix(typ flowspec.Type, a netip.Addr, bits int) flowspec.Component {
	p := netip.PrefixFrom(a, bits).Masked()
	return flowspec.Component{Type: typ, Prefix: flowspec.Prefix{Addr: p.Addr(), Len: uint8(bits)}}
}

func numbers(typ flowspec.Type, values ...uint64) flowspec.Component {
	c := flowspec.Component{Type: typ}
	for _, v := range values {
		c.Terms = append(c.Terms, flowspec.Term{Op: flowspec.EQ, Value: v})
	}
	return c
}

// halved returns t with every entry of several source ports split in two, policers shared: a split as a planner makes it.
func halved(t Table) Table {
	var out Table
	for _, e := range t {
		boxes := e.Match.Boxes()
		if len(boxes) != 1 || len(boxes[0].SrcPort) < 2 {
			out = append(out, e)
			continue
		}
		for n, half := range [][]packet.Span{boxes[0].SrcPort[:1], boxes[0].SrcPort[1:]} {
			b := boxes[0]
			b.SrcPort = packet.NewValues(half...)
			out = append(out, Entry{ID: fmt.Sprintf("%s-%d", e.ID, n), Match: packet.Of(b), Do: e.Do})
		}
	}
	return out
}

func disjoint(n int) Table {
	out := make(Table, n)
	for i := range out {
		b := packet.Everything(packet.IPv4)
		b.Dst = packet.AddrsIn(netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 32))
		out[i] = Entry{ID: fmt.Sprint(i), Match: packet.Of(b), Do: Outcome{Discard: true}}
		if i%3 == 0 {
			out[i].Do = limit(out[i].ID, 100)
		}
	}
	return out
}

func BenchmarkDiffDisjoint(b *testing.B) {
	want := disjoint(10_000)
	got := slices.Clone(want)
	slices.Reverse(got)
	for _, c := range []struct {
		name string
		got  Table
	}{{"same", slices.Clone(want)}, {"reversed", got}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if d := Diff(want, c.got); d != nil {
					b.Fatal(d)
				}
			}
		})
	}
}

// bothVersions runs a benchmark on a table of n rules of IPv4, and on its twin of IPv6, which should take no more than half as long again.
func bothVersions(b *testing.B, name string, n int, run func(*testing.B, Table)) {
	for _, v6 := range []bool{false, true} {
		t := Of(mixOf(b, n, 7, v6))
		b.Run(fmt.Sprintf("%s/v6=%v", name, v6), func(b *testing.B) { run(b, t) })
	}
}

func BenchmarkDiffMix(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		bothVersions(b, fmt.Sprint(n), n, func(b *testing.B, want Table) {
			got := halved(want)
			for b.Loop() {
				if d := Diff(want, got); d != nil {
					b.Fatal(d)
				}
			}
		})
	}
}

// BenchmarkDiffLostEntry looks for the one entry that a table of 10,000 lacks.
func BenchmarkDiffLostEntry(b *testing.B) {
	want := Of(mix(b, 10_000, 7))
	got := slices.Delete(slices.Clone(want), 5_000, 5_001)
	for b.Loop() {
		if d := Diff(want, got); d == nil || d.Unproven {
			b.Fatal(d)
		}
	}
}

func BenchmarkSeverer(b *testing.B) {
	bothVersions(b, "10000", 10_000, func(b *testing.B, want Table) {
		got := halved(want)
		for b.Loop() {
			if d := Severer(want, got); d != nil {
				b.Fatal(d)
			}
		}
	})
}

func BenchmarkClusters(b *testing.B) {
	bothVersions(b, "10000", 10_000, func(b *testing.B, t Table) {
		for b.Loop() {
			Clusters(t)
		}
	})
}

func BenchmarkOf(b *testing.B) {
	rules := mix(b, 10_000, 7)
	b.ReportAllocs()
	for b.Loop() {
		Of(rules)
	}
}

// BenchmarkDiffResorted compares with a table whose split rules were sorted again, as a router does with routes: outcomes are one, so that the
// inverted pairs are benign and all have to be looked at.
func BenchmarkDiffResorted(b *testing.B) {
	for _, n := range []int{1_000, 10_000} {
		rules := mix(b, n, 7)
		for i := range rules {
			rules[i].Action = flowspec.Action{Rate: &flowspec.Rate{}}
			if i%50 == 0 { // a few exceptions for one address each
				rules[i].Action = flowspec.Action{}
			}
		}
		want := Of(rules)
		got := halved(want)
		r := rand.New(rand.NewPCG(9, 9))
		for range len(got) / 2 { // neighbours within sight of each other change places
			i := r.IntN(len(got) - 10)
			k := i + 1 + r.IntN(9)
			if got[i].Do == got[k].Do || !got[i].Match.Overlaps(got[k].Match) {
				got[i], got[k] = got[k], got[i]
			}
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				Diff(want, got)
			}
		})
	}
}

// BenchmarkDiffOneVictim is a thousand rules for one address, every other one with another outcome.
func BenchmarkDiffOneVictim(b *testing.B) {
	r := rand.New(rand.NewPCG(3, 3))
	var rules []flowspec.Rule
	for i := range 1000 {
		lo := uint64(r.IntN(60000))
		m, err := flowspec.NewMatch(flowspec.IPv4, flowspec.RD{}, prefix(flowspec.DstPrefix, netip.MustParseAddr("203.0.113.9"), 32), numbers(flowspec.Protocol, 17),
			flowspec.Component{Type: flowspec.SrcPort, Terms: []flowspec.Term{{Op: flowspec.GE, Value: lo}, {And: true, Op: flowspec.LE, Value: lo + uint64(r.IntN(3000))}, {Op: flowspec.EQ, Value: uint64(i)}}})
		if err != nil {
			b.Fatal(err)
		}
		a := flowspec.Action{}
		if i%2 == 0 {
			a.Rate = &flowspec.Rate{Amount: float32(i % 10 * 1000), Unit: flowspec.Bytes}
		}
		rules = append(rules, flowspec.Rule{ID: flowspec.ID(fmt.Sprint(i)), Match: m, Action: a})
	}
	want := Of(rules)
	got := halved(want)
	b.Run("same", func(b *testing.B) {
		for b.Loop() {
			if d := Diff(want, got); d != nil {
				b.Fatal(d)
			}
		}
	})
	shuffled := slices.Clone(got)
	r.Shuffle(len(shuffled), func(i, k int) { shuffled[i], shuffled[k] = shuffled[k], shuffled[i] })
	b.Run("shuffled", func(b *testing.B) {
		for b.Loop() {
			if d := Diff(want, shuffled); d == nil || d.Unproven {
				b.Fatal(d)
			}
		}
	})
}

// BenchmarkDiffOneRule compares a rule with what it became, whole or in two pieces: what planning does for each rule that overlaps no other.
func BenchmarkDiffOneRule(b *testing.B) {
	want := Of(mix(b, 1000, 7))
	for name, got := range map[string]func(Table) Table{"whole": slices.Clone[Table], "halved": halved} {
		b.Run(name, func(b *testing.B) {
			var gots []Table
			for i := range want {
				gots = append(gots, got(want[i:i+1]))
			}
			b.ReportAllocs()
			for b.Loop() {
				for i := range want {
					if d := Diff(want[i:i+1], gots[i]); d != nil {
						b.Fatal(d)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(want)), "ns/rule")
		})
	}
}

// BenchmarkSevererLenient compares with a table that lacks every tenth entry.
func BenchmarkSevererLenient(b *testing.B) {
	want := Of(mix(b, 10_000, 7))
	got := halved(want)
	n := 0
	got = slices.DeleteFunc(got, func(Entry) bool { n++; return n%10 == 0 })
	b.ReportMetric(0, "unproven")
	for b.Loop() {
		if d := Severer(want, got); d != nil && d.Unproven {
			b.ReportMetric(1, "unproven")
		}
	}
}

// BenchmarkDiffNative splits rules of several source ports into two routes, and sorts all routes as a router does.
func BenchmarkDiffNative(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		rules := mix(b, n, 7)
		for _, discard := range []bool{true, false} {
			if discard {
				for i := range rules {
					rules[i].Action = flowspec.Action{Rate: &flowspec.Rate{}}
				}
			} else {
				rules = mix(b, n, 7)
			}
			want := Of(rules)
			got := Of(splitRules(b, rules))
			for i := range got {
				if got[i].Do.Policer != "" {
					got[i].Do.Policer = got[i].ID[:len(got[i].ID)-1]
				}
			}
			b.Run(fmt.Sprintf("%d-discard=%v", n, discard), func(b *testing.B) {
				var d *Difference
				for b.Loop() {
					d = Diff(want, got)
				}
				b.Log(d)
			})
		}
	}
}

func splitRules(b *testing.B, rules []flowspec.Rule) (out []flowspec.Rule) {
	for _, r := range rules {
		c, ok := r.Match.Component(flowspec.SrcPort)
		if !ok || len(c.Terms) < 2 {
			r.ID += "a"
			out = append(out, r)
			continue
		}
		for n, half := range [][]flowspec.Term{c.Terms[:1], c.Terms[1:]} {
			var cs []flowspec.Component
			for x := range r.Match.All() {
				if x.Type == flowspec.SrcPort {
					x.Terms = half
				}
				cs = append(cs, x)
			}
			m, err := flowspec.NewMatch(flowspec.IPv4, flowspec.RD{}, cs...)
			if err != nil {
				b.Fatal(err)
			}
			part := r
			part.Match, part.ID = m, r.ID+flowspec.ID("ab"[n:n+1])
			out = append(out, part)
		}
	}
	return out
}

func addrOf(raw []byte) netip.Addr {
	a, _ := netip.AddrFromSlice(raw)
	return a
}
