package plan_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"testing"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/rib"
)

// mixed returns n rules like those of mitigation systems: most for one victim address, a few for networks, and a few for everybody.
func mixed(tb testing.TB, n int, seed uint64) []flowspec.Rule {
	tb.Helper()
	return generate(tb, n, seed, mixedAction)
}

// mitigation returns rules like mixed, but with the actions of mitigation systems: discards, and some rates for single victims.
func mitigation(tb testing.TB, n int, seed uint64) []flowspec.Rule {
	tb.Helper()
	rules := generate(tb, n, seed, func(r *rand.Rand) flowspec.Action {
		if r.IntN(20) == 0 {
			return flowspec.Action{Rate: &flowspec.Rate{Amount: float32(1000 * (1 + r.IntN(1e6))), Unit: flowspec.Bytes}}
		}
		return flowspec.Action{Rate: &flowspec.Rate{Unit: flowspec.Bytes}}
	})
	for i := range rules {
		if c, ok := rules[i].Match.Component(flowspec.DstPrefix); !ok || c.Prefix.Len < 32 {
			rules[i].Action = flowspec.Action{Rate: &flowspec.Rate{Unit: flowspec.Bytes}}
		}
	}
	return rules
}

func generate(tb testing.TB, n int, seed uint64, action func(*rand.Rand) flowspec.Action) []flowspec.Rule {
	tb.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	victims := max(1, n/4)
	seen := make(map[string]bool, n)
	out := make([]flowspec.Rule, 0, n)
	for len(out) < n {
		components := mixedPrefixes(r, victims)
		components = append(components, mixedMatch(r)...)
		m, err := flowspec.NewMatch(flowspec.IPv4, flowspec.RD{}, components...)
		if err != nil {
			tb.Fatal(err)
		}
		if seen[string(m.NLRI())] {
			continue
		}
		seen[string(m.NLRI())] = true
		out = append(out, flowspec.Rule{ID: flowspec.NewID("bench", m), Match: m, Action: action(r), Source: "bench"})
	}
	return out
}

func mixedPrefixes(r *rand.Rand, victims int) (out []flowspec.Component) {
	v := r.IntN(victims)
	addr := netip.AddrFrom4([4]byte{10, byte(v >> 16), byte(v >> 8), byte(v)})
	bits := 32
	switch p := r.Float64(); {
	case p < 0.005:
		bits = -1
	case p < 0.015:
		bits = 16
	case p < 0.07:
		bits = 24
	}
	if bits > 0 {
		p := netip.PrefixFrom(addr, bits).Masked()
		out = append(out, flowspec.Component{Type: flowspec.DstPrefix, Prefix: flowspec.Prefix{Addr: p.Addr(), Len: uint8(bits)}})
	}
	if r.Float64() < 0.06 || bits < 0 {
		p := netip.PrefixFrom(netip.AddrFrom4([4]byte{198, byte(r.IntN(64)), byte(r.IntN(256)), 0}), 24)
		out = append(out, flowspec.Component{Type: flowspec.SrcPrefix, Prefix: flowspec.Prefix{Addr: p.Addr(), Len: 24}})
	}
	return out
}

func eq(t flowspec.Type, values ...uint64) flowspec.Component {
	c := flowspec.Component{Type: t}
	for _, v := range values {
		c.Terms = append(c.Terms, flowspec.Term{Op: flowspec.EQ, Value: v})
	}
	return c
}

var reflectors = []uint64{17, 19, 53, 69, 111, 123, 137, 161, 389, 520, 1434, 1900, 3283, 3389, 5353, 11211}

func mixedMatch(r *rand.Rand) []flowspec.Component {
	some := func(n int) []uint64 {
		p := r.Perm(len(reflectors))[:n]
		out := make([]uint64, n)
		for i := range p {
			out[i] = reflectors[p[i]]
		}
		return out
	}
	ge := func(t flowspec.Type, v uint64) flowspec.Component {
		return flowspec.Component{Type: t, Terms: []flowspec.Term{{Op: flowspec.GE, Value: v}}}
	}
	switch p := r.Float64(); {
	case p < 0.34:
		return []flowspec.Component{eq(flowspec.Protocol, 17), eq(flowspec.SrcPort, some(1)...), ge(flowspec.PacketLength, uint64(200+r.IntN(600)))}
	case p < 0.45:
		return []flowspec.Component{eq(flowspec.Protocol, 17), eq(flowspec.SrcPort, some(2+r.IntN(14))...)}
	case p < 0.65:
		return []flowspec.Component{eq(flowspec.Protocol, 6), eq(flowspec.DstPort, uint64(r.IntN(1024)), uint64(1024+r.IntN(60000))),
			{Type: flowspec.TCPFlags, Terms: []flowspec.Term{{Op: flowspec.AllBits, Value: 2}}}}
	case p < 0.75:
		lo := uint64(r.IntN(60000))
		return []flowspec.Component{eq(flowspec.Protocol, 17), {Type: flowspec.DstPort, Terms: []flowspec.Term{
			{Op: flowspec.GE, Value: lo}, {And: true, Op: flowspec.LE, Value: lo + 1000}}}}
	case p < 0.83:
		return []flowspec.Component{eq(flowspec.Protocol, 6, 17), eq(flowspec.Port, some(1+r.IntN(3))...)}
	case p < 0.90:
		return []flowspec.Component{eq(flowspec.Protocol, 17), {Type: flowspec.Fragment, Terms: []flowspec.Term{{Op: flowspec.AnyBit, Value: 2}}}}
	case p < 0.95:
		return []flowspec.Component{eq(flowspec.Protocol, 1), eq(flowspec.ICMPType, uint64(r.IntN(20)))}
	}
	return []flowspec.Component{eq(flowspec.Protocol, uint64(r.IntN(255)))}
}

func mixedAction(r *rand.Rand) flowspec.Action {
	mark := uint8(r.IntN(64))
	switch r.IntN(10) {
	case 0:
		return flowspec.Action{}
	case 1:
		return flowspec.Action{Rate: &flowspec.Rate{Amount: float32(1000 * (1 + r.IntN(1e6))), Unit: flowspec.Bytes}}
	case 2:
		return flowspec.Action{Redirect: &flowspec.Redirect{Form: flowspec.RedirectAS2, Global: 65000, Local: uint32(r.IntN(4))}}
	case 3:
		return flowspec.Action{Mark: &mark}
	}
	return flowspec.Action{Rate: &flowspec.Rate{Unit: flowspec.Bytes}}
}

func BenchmarkMake(b *testing.B) {
	for _, name := range []string{"generic", "asr9k", "junos-mx", "junos-mx:term-order=legacy"} {
		for _, n := range []int{1_000, 10_000, 100_000} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				p, settings := embedded(b, name)
				snap := rib.Of(mixed(b, n, 1))
				b.ReportAllocs()
				var carried map[plan.Carried]int
				for b.Loop() {
					out, err := plan.Make(snap, p, plan.Options{Settings: settings})
					if err != nil {
						b.Fatal(err)
					}
					carried = map[plan.Carried]int{}
					for _, v := range out.Verdicts {
						carried[v.Carried]++
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/rule")
				for _, c := range []plan.Carried{plan.Native, plan.Rewritten, plan.InFilter, plan.Rejected} {
					b.ReportMetric(float64(carried[c]), string(c))
				}
			})
		}
	}
}

// BenchmarkMemory reports what a plan of 100,000 rules keeps.
func BenchmarkMemory(b *testing.B) {
	p, settings := embedded(b, "asr9k")
	snap := rib.Of(mixed(b, 100_000, 1))
	var before, after runtime.MemStats
	for b.Loop() {
		runtime.GC()
		runtime.ReadMemStats(&before)
		pl := plan.NewPlanner(p, plan.Options{Settings: settings})
		out, err := pl.Plan(snap)
		if err != nil {
			b.Fatal(err)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e6, "MB")
		runtime.KeepAlive(out)
		runtime.KeepAlive(pl)
	}
}
