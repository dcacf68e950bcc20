package split

import (
	"fmt"
	"testing"
)

// BenchmarkCover looks for the pieces of a shape that came up before, and builds them.
func BenchmarkCover(b *testing.B) {
	for _, c := range []struct{ m, k []int }{
		{[]int{10, 15}, []int{5, 5}}, {[]int{7, 7}, []int{5, 5}}, {[]int{11, 11}, []int{5, 5}}, {[]int{16, 16}, []int{5, 5}}, {[]int{12, 20, 20}, []int{5, 5, 5}},
	} {
		a := axesOf(c.m, c.k)
		b.Run(fmt.Sprint(c.m), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				boxes(a)
			}
		})
	}
}

// BenchmarkCoverNew looks at shapes that never came up: the dearest kinds.
func BenchmarkCoverNew(b *testing.B) {
	for _, c := range []struct{ m, k []int }{
		{[]int{16, 16}, []int{5, 5}}, {[]int{63, 64}, []int{5, 5}}, {[]int{61, 62}, []int{7, 6}}, {[]int{16, 16, 15}, []int{5, 5, 5}}, {[]int{8, 8, 8, 8}, []int{3, 3, 3, 3}},
		{[]int{1000, 1001}, []int{70, 71}},
	} {
		a := axesOf(c.m, c.k)
		b.Run(fmt.Sprint(c.m), func(b *testing.B) {
			for b.Loop() {
				clear(covers.of)
				cover(a)
			}
		})
	}
}
