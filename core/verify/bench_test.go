package verify_test

import (
	"bytes"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/core/certificate"
	"github.com/sluice-gateway/sluice/core/certificate/issue"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/core/verify"
	"github.com/sluice-gateway/sluice/profiles"
)

// mitigation returns n rules like those of mitigation systems: most for one victim address, a few for networks, one in two hundred for everybody.
func mitigation(tb testing.TB, n int) []flowspec.Rule {
	tb.Helper()
	r := rand.New(rand.NewPCG(1, 1))
	ports := []uint64{17, 19, 53, 69, 111, 123, 137, 161, 389, 520, 1434, 1900, 3283, 3389, 5353, 11211}
	eq := func(t flowspec.Type, values ...uint64) flowspec.Component {
		c := flowspec.Component{Type: t}
		for _, v := range values {
			c.Terms = append(c.Terms, flowspec.Term{Op: flowspec.EQ, Value: v})
		}
		return c
	}
	some := func(n int) (out []uint64) {
		for _, i := range r.Perm(len(ports))[:n] {
			out = append(out, ports[i])
		}
		return out
	}
	seen := map[string]bool{}
	out := make([]flowspec.Rule, 0, n)
	for len(out) < n {
		v := r.IntN(max(1, n/4))
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
		var cs []flowspec.Component
		if bits > 0 {
			cs = append(cs, flowspec.Component{Type: flowspec.DstPrefix, Prefix: flowspec.Prefix{Addr: netip.PrefixFrom(addr, bits).Masked().Addr(), Len: uint8(bits)}})
		}
		if r.Float64() < 0.06 || bits < 0 {
			cs = append(cs, flowspec.Component{Type: flowspec.SrcPrefix, Prefix: flowspec.Prefix{Addr: netip.AddrFrom4([4]byte{198, byte(r.IntN(64)), byte(r.IntN(256)), 0}), Len: 24}})
		}
		switch p := r.Float64(); {
		case p < 0.45:
			cs = append(cs, eq(flowspec.Protocol, 17), eq(flowspec.SrcPort, some(1+r.IntN(15))...))
		case p < 0.65:
			cs = append(cs, eq(flowspec.Protocol, 6), eq(flowspec.DstPort, uint64(r.IntN(1024)), uint64(1024+r.IntN(60000))))
		case p < 0.75:
			lo := uint64(r.IntN(60000))
			cs = append(cs, eq(flowspec.Protocol, 17), flowspec.Component{Type: flowspec.DstPort, Terms: []flowspec.Term{{Op: flowspec.GE, Value: lo}, {And: true, Op: flowspec.LE, Value: lo + 1000}}})
		case p < 0.83:
			cs = append(cs, eq(flowspec.Protocol, 6, 17), eq(flowspec.Port, some(1+r.IntN(3))...))
		case p < 0.90:
			cs = append(cs, eq(flowspec.Protocol, 17), flowspec.Component{Type: flowspec.Fragment, Terms: []flowspec.Term{{Op: flowspec.AnyBit, Value: 2}}})
		default:
			cs = append(cs, eq(flowspec.Protocol, uint64(r.IntN(256))))
		}
		m, err := flowspec.NewMatch(flowspec.IPv4, flowspec.RD{}, cs...)
		if err != nil {
			tb.Fatal(err)
		}
		if seen[string(m.NLRI())] {
			continue
		}
		seen[string(m.NLRI())] = true
		a := flowspec.Action{Rate: &flowspec.Rate{Unit: flowspec.Bytes}}
		switch r.IntN(6) {
		case 0:
			a = flowspec.Action{}
		case 1:
			a = flowspec.Action{Redirect: &flowspec.Redirect{Form: flowspec.RedirectAS2, Global: 65000, Local: 1}}
		case 2:
			a.Rate.Amount = float32(1000 * (1 + r.IntN(1e6)))
		}
		out = append(out, flowspec.Rule{ID: flowspec.NewID("bench", m), Match: m, Action: a, Source: "bench"})
	}
	return out
}

// BenchmarkCertificate issues, writes, reads and checks certificates of generated tables. The time of each is reported.
func BenchmarkCertificate(b *testing.B) {
	for _, bench := range []struct {
		profile string
		rules   int
	}{{"asr9k", 1_000}, {"asr9k", 10_000}, {"asr9k", 100_000}, {"junos-mx", 10_000}, {"junos-mx", 100_000}, {"junos-mx:term-order=legacy", 10_000}} {
		b.Run(bench.profile+"/"+strconv.Itoa(bench.rules), func(b *testing.B) {
			p, settings, err := profiles.Embedded().Select(bench.profile)
			if err != nil {
				b.Fatal(err)
			}
			snap := rib.Of(mitigation(b, bench.rules))
			opt := plan.Options{Settings: settings}
			made, err := plan.Make(snap, p, opt)
			if err != nil {
				b.Fatal(err)
			}
			rules := snap.Rules()
			var issued, read, checked time.Duration
			size := 0
			rejected := 0
			for _, v := range made.Verdicts {
				if v.Carried == plan.Rejected {
					rejected++
				}
			}
			for b.Loop() {
				start := time.Now()
				c, err := issue.For(rules, made, p, opt)
				if err != nil {
					b.Fatal(err)
				}
				var text bytes.Buffer
				if err := certificate.Write(&text, c); err != nil {
					b.Fatal(err)
				}
				size = text.Len()
				issued += time.Since(start)
				start = time.Now()
				if c, err = certificate.Read(text.Bytes()); err != nil {
					b.Fatal(err)
				}
				read += time.Since(start)
				start = time.Now()
				if err := verify.Check(c); err != nil {
					b.Fatal(err)
				}
				checked += time.Since(start)
			}
			per := func(d time.Duration) float64 { return float64(d.Milliseconds()) / float64(b.N) }
			b.ReportMetric(per(issued), "ms-issue")
			b.ReportMetric(per(read), "ms-read")
			b.ReportMetric(per(checked), "ms-check")
			b.ReportMetric(float64(size)/1e6, "MB")
			b.ReportMetric(float64(rejected), "rejected")
		})
	}
}
