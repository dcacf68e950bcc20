package notation

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// Communities and route targets read back as they were printed, whatever their octets.
func TestCommunitiesReadBack(t *testing.T) {
	t.Parallel()
	extended := rapid.Custom(func(t *rapid.T) flowspec.ExtComm {
		size := rapid.SampledFrom([]int{8, 20}).Draw(t, "size")
		b := rapid.SliceOfN(rapid.Byte(), size, size).Draw(t, "octets")
		if rapid.Bool().Draw(t, "target") {
			b[0], b[1] = rapid.SampledFrom([]byte{0, 1, 2, 0x40}).Draw(t, "type"), 2
			if rapid.Bool().Draw(t, "short") {
				b[2], b[3] = 0, 0
			}
		}
		return flowspec.ExtComm(b)
	})
	plain := rapid.OneOf(rapid.Uint32(), rapid.SampledFrom([]uint32{0xffffff01, 0xffffff02, 0xffffff03, 0xffffff04, 0xffff029a}))
	rapid.Check(t, func(t *rapid.T) {
		want := Communities{rapid.SliceOf(plain).Draw(t, "plain"), rapid.SliceOf(rapid.Custom(func(t *rapid.T) [3]uint32 {
			return [3]uint32{rapid.Uint32().Draw(t, "a"), rapid.Uint32().Draw(t, "b"), rapid.Uint32().Draw(t, "c")}
		})).Draw(t, "large"), rapid.SliceOf(extended).Draw(t, "extended")}
		var got Communities
		for _, s := range want.Texts() {
			if !got.Add(s) {
				t.Fatalf("%q cannot be read", s)
			}
		}
		if !slices.Equal(got.Plain, want.Plain) || !slices.Equal(got.Large, want.Large) || !slices.Equal(got.Extended, want.Extended) {
			t.Fatalf("%+v printed as %q and read as %+v", want, want.Texts(), got)
		}
		for _, c := range want.Extended {
			if back, ok := ParseTarget(TargetText(c)); ok != c.RouteTarget() || ok && back != c {
				t.Fatalf("%s printed as the route target %q and read as %s, %t", c, TargetText(c), back, ok)
			}
		}
	})
}

func TestWordsThatAreNone(t *testing.T) {
	t.Parallel()
	if c := (Communities{}); c.Add("64512:70000") {
		t.Errorf("64512:70000 was read as %+v", c)
	}
	for _, s := range []string{"", "export", "64512", "1:2:3:4", "-1:2", "0x01", "target:1:2:3", "all"} {
		var c Communities
		if c.Add(s) && s != "64512" { // a number of 32 bits is a community
			t.Errorf("%q was read as %+v", s, c)
		}
		if c, ok := ParseTarget(s); ok {
			t.Errorf("%q was read as the route target %s", s, c)
		}
	}
}
