package packet

import (
	"fmt"
	"testing"
)

// The rules of these benchmarks are those of docs/performance.md: a rule, and the pieces it becomes when a field holds at most five values.
func benchRules() map[string][2][]Box {
	amp := udp("203.0.113.10/32", func(b *Box) { b.SrcPort, b.Length = points(53), NewValues(Span{512, 65535}) })
	fifteen := udp("203.0.113.10/32", func(b *Box) { b.SrcPort, b.DstPort, b.Length = many(15, 11), nil, nil })
	six := udp("203.0.113.10/32", func(b *Box) { b.SrcPort, b.DstPort, b.Length = many(15, 11), many(10, 7), nil })
	big := udp("203.0.113.10/32", func(b *Box) { b.DstPort, b.SrcPort, b.Length = many(12, 7), many(20, 11), many(20, 5) })
	out := map[string][2][]Box{}
	for _, b := range []Box{amp, fifteen, six, big} {
		pieces := grid(b)
		out[fmt.Sprintf("%d-pieces", len(pieces))] = [2][]Box{{b}, pieces}
	}
	return out
}

func BenchmarkOfAndEqual(b *testing.B) {
	for name, rule := range benchRules() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !Of(rule[0]...).Equal(apart(rule[1])) {
					b.Fatal("not equal")
				}
			}
		})
	}
}

func BenchmarkEqual(b *testing.B) {
	for name, rule := range benchRules() {
		whole, pieces := Of(rule[0]...), apart(rule[1])
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !whole.Equal(pieces) {
					b.Fatal("not equal")
				}
			}
		})
		b.Run(name+"-peeled", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !pieces.Contains(whole) {
					b.Fatal("not contained")
				}
			}
		})
	}
}

func BenchmarkOverlaps(b *testing.B) {
	rule := benchRules()["6-pieces"]
	x, y := Of(rule[0]...), Of(udp("203.0.113.0/24", func(b *Box) { b.SrcPort = NewValues(Span{1024, 65535}) }))
	b.ReportAllocs()
	for b.Loop() {
		x.Overlaps(y)
	}
}

func BenchmarkSub(b *testing.B) {
	rule := benchRules()["6-pieces"]
	x, y := Of(rule[0]...), Of(rule[1][0])
	b.ReportAllocs()
	for b.Loop() {
		x.Sub(y)
	}
}

func BenchmarkWitness(b *testing.B) {
	x := Of(benchRules()["6-pieces"][0]...)
	b.ReportAllocs()
	for b.Loop() {
		x.Witness()
	}
}

func BenchmarkHas(b *testing.B) {
	x := Of(benchRules()["6-pieces"][0]...)
	h, _ := x.Witness()
	b.ReportAllocs()
	for b.Loop() {
		x.Has(h)
	}
}
