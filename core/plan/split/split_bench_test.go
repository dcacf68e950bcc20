package split

import (
	"testing"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// BenchmarkParts cuts the rules that the benchmarks of package plan cut, and some with fewer pieces than the grid has.
func BenchmarkParts(b *testing.B) {
	l := &Limits{MaxParts: 256}
	for t := range l.Of {
		l.Of[t] = Limit{OK: true, Ops: Eq | Range | Lt | Gt, MaxValues: 5}
	}
	odd := func(typ flowspec.Type, n int) flowspec.Component {
		c := flowspec.Component{Type: typ}
		for i := range n {
			c.Terms = append(c.Terms, flowspec.Term{Op: flowspec.EQ, Value: uint64(2*i + 1)})
		}
		return c
	}
	proto := flowspec.Component{Type: flowspec.Protocol, Terms: []flowspec.Term{{Op: flowspec.EQ, Value: 17}}}
	for _, c := range []struct {
		name  string
		rule  []flowspec.Component
		parts int
	}{
		{"3 parts", []flowspec.Component{proto, odd(flowspec.SrcPort, 15)}, 3},
		{"6 parts", []flowspec.Component{proto, odd(flowspec.DstPort, 10), odd(flowspec.SrcPort, 15)}, 6},
		{"48 parts", []flowspec.Component{odd(flowspec.DstPort, 12), odd(flowspec.SrcPort, 20), odd(flowspec.PacketLength, 20)}, 48},
		{"7 x 7", []flowspec.Component{odd(flowspec.DstPort, 7), odd(flowspec.SrcPort, 7)}, 3},
		{"11 x 11", []flowspec.Component{odd(flowspec.DstPort, 11), odd(flowspec.SrcPort, 11)}, 7},
	} {
		b.Run(c.name, func(b *testing.B) {
			var cutter Cutter
			b.ReportAllocs()
			for b.Loop() {
				r, trouble := cutter.Parts(flowspec.IPv4, c.rule, l, false)
				if trouble != nil || len(r.Of) != c.parts {
					b.Fatal(trouble)
				}
			}
		})
	}
}
