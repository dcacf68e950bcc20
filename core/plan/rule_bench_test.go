package plan

import (
	"net/netip"
	"testing"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/profiles"
)

// BenchmarkRule plans and proves one rule by itself.
func BenchmarkRule(b *testing.B) {
	many := func(n int) (out []uint64) {
		for i := range n {
			out = append(out, uint64(2*i+1))
		}
		return out
	}
	dst := flowspec.Component{Type: flowspec.DstPrefix, Prefix: flowspec.Prefix{Addr: netip.MustParseAddr("203.0.113.9"), Len: 32}}
	for _, c := range []struct {
		name       string
		components []flowspec.Component
		parts      int
	}{
		{"unsplit", []flowspec.Component{dst, listOf(flowspec.Protocol, 17), listOf(flowspec.SrcPort, 53),
			{Type: flowspec.PacketLength, Terms: []flowspec.Term{{Op: flowspec.GE, Value: 512}}}}, 1},
		{"3 parts", []flowspec.Component{dst, listOf(flowspec.Protocol, 17), listOf(flowspec.SrcPort, many(15)...)}, 3},
		{"6 parts", []flowspec.Component{dst, listOf(flowspec.Protocol, 17), listOf(flowspec.DstPort, many(10)...), listOf(flowspec.SrcPort, many(15)...)}, 6},
		{"48 parts", []flowspec.Component{dst, listOf(flowspec.DstPort, many(12)...), listOf(flowspec.SrcPort, many(20)...), listOf(flowspec.PacketLength, many(20)...)}, 48},
	} {
		b.Run(c.name, func(b *testing.B) {
			p, err := profiles.Embedded().Get("asr9k")
			if err != nil {
				b.Fatal(err)
			}
			platform, err := newPlatform(p, Options{})
			if err != nil {
				b.Fatal(err)
			}
			m, err := flowspec.NewMatch(flowspec.IPv4, flowspec.RD{}, c.components...)
			if err != nil {
				b.Fatal(err)
			}
			r := flowspec.Rule{ID: flowspec.NewID("bench", m), Match: m, Action: flowspec.Action{Rate: &flowspec.Rate{Unit: flowspec.Bytes}}}
			d := drafter{platform: platform}
			b.ReportAllocs()
			for b.Loop() {
				if one := d.card(&r); len(one.native.routes) != c.parts {
					b.Fatalf("%d parts, %+v", len(one.native.routes), one.native.refused)
				}
			}
		})
	}
}
