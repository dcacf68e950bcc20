package packet

import (
	"math"
	"net/netip"
	"testing"
)

// Sizes are those of the fields that are narrowed, out of all headers of the version.
func TestSize(t *testing.T) {
	t.Parallel()
	all4, all6 := Of(Everything(IPv4)).Size(), Of(Everything(IPv6)).Size()
	if want := 32 + 32 + 8 + 16 + 16 + 8 + 8 + 16 + 6 + 12 + 3.0; math.Abs(all4-want) > 1e-9 {
		t.Errorf("all of IPv4: got %v, want %v", all4, want)
	}
	if want := all4 + 2*96 + 20 - 1; math.Abs(all6-want) > 1e-9 {
		t.Errorf("all of IPv6: got %v, want %v", all6, want)
	}
	box := Everything(IPv4)
	box.Dst = AddrsIn(netip.MustParsePrefix("192.0.2.0/24"))
	box.Proto = Values{{Lo: 16, Hi: 17}}
	one := Of(box)
	if got, want := one.Size(), all4-24-7; math.Abs(got-want) > 1e-9 {
		t.Errorf("got %v, want %v", got, want)
	}
	other := box
	other.Dst = AddrsIn(netip.MustParsePrefix("198.51.100.0/24"))
	other.Src = AddrsIn(netip.MustParsePrefix("198.51.100.0/24"))
	if got, want := one.Or(Of(other)).Size(), math.Log2(math.Exp2(one.Size())+math.Exp2(Of(other).Size())); math.Abs(got-want) > 1e-9 {
		t.Errorf("of two boxes: got %v, want %v", got, want)
	}
	like := Everything(IPv6)
	like.Dst = AddrsLike(netip.MustParseAddr("::7"), netip.MustParseAddr("::ff"))
	if got, want := Of(like).Size(), all6-8; math.Abs(got-want) > 1e-9 {
		t.Errorf("of a pattern: got %v, want %v", got, want)
	}
	if got := (Set{}).Size(); !math.IsInf(got, -1) {
		t.Errorf("of nothing: got %v", got)
	}
}
