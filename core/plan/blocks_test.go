package plan

import (
	"testing"

	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/profile"
)

// twinBlocks counts the aligned blocks of lo..hi by going down the tree of halves: a half that is wholly inside is one block. No cover by
// aligned blocks has fewer, as each of them has a number that no larger block of the range holds.
func twinBlocks(lo, hi, first, last int) int {
	switch {
	case hi < first || last < lo:
		return 0
	case lo <= first && last <= hi:
		return 1
	}
	middle := (first + last) / 2
	return twinBlocks(lo, hi, first, middle) + twinBlocks(lo, hi, middle+1, last)
}

func TestBlocksOfEveryRange(t *testing.T) {
	t.Parallel()
	for lo := range 256 {
		for hi := lo; hi < 256; hi++ {
			got := blocks(packet.Span{Lo: uint32(lo), Hi: uint32(hi)}, profile.Slots{Each: 1, Prefixes: true})
			if want := twinBlocks(lo, hi, 0, 255); got != want {
				t.Fatalf("%d-%d: %d blocks, want %d", lo, hi, got, want)
			}
		}
	}
	for _, c := range []struct {
		lo, hi uint32
		n      int
	}{{1, 65534, 30}, {0, 65535, 1}, {1024, 65535, 6}, {0, 0xfffff, 1}, {1, 0xfffff, 20}} {
		if got := blocks(packet.Span{Lo: c.lo, Hi: c.hi}, profile.Slots{Each: 1, Prefixes: true}); got != c.n {
			t.Errorf("%d-%d: %d blocks, want %d", c.lo, c.hi, got, c.n)
		}
		if got := blocks(packet.Span{Lo: c.lo, Hi: c.hi}, profile.Slots{Each: 1}); got != 1 {
			t.Errorf("%d-%d in one: %d", c.lo, c.hi, got)
		}
	}
}
