package flowspec

import (
	"bytes"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// A rule in a VPN matches what it matched, keeps its place among those of its VPN, and reads back as it was written.
func TestInVPN(t *testing.T) {
	t.Parallel()
	property(t, func(t *rapid.T) {
		f := rapid.SampledFrom(allFamilies).Draw(t, "family")
		draw := func() Match {
			m, err := ParseNLRI(f, octets(t, f, 4))
			if err != nil {
				t.Skip(err)
			}
			return m
		}
		a, b := draw(), draw()
		var rd RD
		copy(rd[:], rapid.SliceOfN(rapid.Byte(), 8, 8).Draw(t, "rd"))
		va, err := a.InVPN(rd)
		if err != nil {
			t.Fatal(err)
		}
		vb, err := b.InVPN(rd)
		if err != nil {
			t.Fatal(err)
		}
		if !va.Family().VPN() || va.Family().Version() != f.Version() || va.RD() != rd {
			t.Fatalf("%v of family %v, route distinguisher %x", va, va.Family(), va.RD())
		}
		if read, err := ParseNLRI(va.Family(), va.NLRI()); err != nil || !read.Equal(va) {
			t.Fatalf("%x reads as %v, %v", va.NLRI(), read, err)
		}
		if !va.Set().Equal(a.Set()) {
			t.Fatalf("%v matches other packets than %v", va, a)
		}
		if !f.VPN() && Compare(va, vb) != Compare(a, b) {
			t.Fatalf("%v and %v changed places", a, b)
		}
		if f.VPN() {
			back, err := va.InVPN(a.RD())
			if err != nil || !back.Equal(a) {
				t.Fatalf("%v came back as %v, %v", a, back, err)
			}
		}
	})
}

// Eight octets more can be too many.
func TestInVPNTooLong(t *testing.T) {
	t.Parallel()
	terms := make([]Term, 1363) // of three octets each
	for i := range terms {
		terms[i] = Term{Op: EQ, Value: uint64(1000 + i)}
	}
	long, err := NewMatch(IPv4, RD{}, Component{Type: DstPort, Terms: terms})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := long.InVPN(RD{}); err == nil || !strings.Contains(err.Error(), "an NLRI has at most 4095") {
		t.Errorf("%d octets: got %v", len(long.NLRI())+8, err)
	}
}

func TestRouteTarget(t *testing.T) {
	t.Parallel()
	for c, want := range map[ExtComm]bool{
		"\x00\x02\xfc\x00\x00\x00\x00\x64":                        true,
		"\x40\x02\xfc\x00\x00\x00\x00\x64":                        true, // not transitive
		"\x01\x02\xc0\x00\x02\x01\x00\x64":                        true,
		"\x02\x02\x00\x01\x00\x00\x00\x64":                        true,
		"\x00\x03\xfc\x00\x00\x00\x00\x64":                        false, // route origin
		"\x80\x08\xfc\x00\x00\x00\x00\x64":                        false, // redirect, which names a route target and is none
		"\x03\x02\xfc\x00\x00\x00\x00\x64":                        false,
		ExtComm("\x00\x02" + string(bytes.Repeat([]byte{1}, 18))): true,
		ExtComm("\x01\x02" + string(bytes.Repeat([]byte{1}, 18))): false,
		"\x00\x02": false,
	} {
		if got := c.RouteTarget(); got != want {
			t.Errorf("%s: %v, want %v", c, got, want)
		}
	}
}
