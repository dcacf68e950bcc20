package flowspec

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Rules in their order: each is evaluated before those below it (RFC 8955 §5.1).
var ordered4 = []string{
	"06 01 20 0a000001",                    // 10.0.0.1/32, the most specific
	"06 01 20 0a0000ff",                    // the last address of the prefix below
	"05 01 18 0a0000",                      // 10.0.0.0/24
	"0d 01 10 0a00 02 20 0a090901 03 8106", // 10.0.0.0/16 with a source and a protocol
	"0a 01 10 0a00 02 20 0a090901",         // the same without the protocol: fewer components
	"09 01 10 0a00 03 0106 8111",           // a list of protocols: 0x01 sorts before 0x81
	"07 01 10 0a00 03 8101",                // one protocol, no source: a higher type than a source
	"07 01 10 0a00 03 8106",                // memcmp goes on to the value
	"08 01 10 0a00 03 910006",              // the same number in two octets
	"04 01 10 0a00",                        // nothing but the destination
	"04 01 09 0a80",                        // its ninth bit is set, and that of the next is padding
	"03 01 08 0a",
	"04 01 10 0b00", // a disjoint destination: the lower address first, however specific
	"03 01 08 0b",   // 10.0.0.0/8 would be above; this holds 11.0.0.0/16 and comes after it
	"06 01 20 0c000001",
	"02 01 00",             // any destination: less specific than all above
	"06 02 20 0a000001",    // no destination
	"07 03 0106 0111 8101", // three protocols
	"05 03 0106 8111",      // the same two, then the end bit: 0x81 after 0x01
	"06 03 8106 05 8150",
	"03 03 8106",
	"07 05 0150 0151 8152", // longer lists do not come first by length: memcmp decides
	"05 05 0150 8151",
	"03 0b 812e",
	"03 0c 8002",
}

// The same in IPv6 (RFC 8956 §4).
var ordered6 = []string{
	"13 01 80 00 20010db8000000000000000000000001", // offset 0, /128
	"07 01 20 00 20010db8",                         // offset 0, /32
	"07 01 20 00 20010db9",                         // disjoint
	"03 01 00 00",                                  // every address, and offset 0 still goes before every other offset
	"07 01 40 20 00000001",                         // offset 32: 32 bits of pattern
	"05 01 30 20 0000",                             // the same offset, less specific
	"05 01 30 20 0001",                             // the same offset, disjoint, although a later bit
	"0f 01 80 21 00000000000000000000 0000",        // offset 33: more specific than all above, and below them
	"04 02 41 40 80",                               // source; one bit of pattern
	"03 03 813a",
	"06 0d a100000005",
}

func TestCompareOrder(t *testing.T) {
	t.Parallel()
	for f, list := range map[Family][]string{IPv4: ordered4, IPv6: ordered6} {
		for i := range list {
			for j := range list {
				a, b := parse(t, f, list[i]), parse(t, f, list[j])
				if got, want := Compare(a, b), i-j; sign(got) != sign(want) {
					t.Errorf("Compare(%s, %s) = %d, want %d", a, b, got, sign(want))
				}
			}
		}
	}
}

func TestCompareFamilies(t *testing.T) {
	t.Parallel()
	in := []Match{
		parse(t, IPv4, "03 038111"), parse(t, IPv6, "03 038106"),
		parse(t, VPNv4, "0b 0000fde800000001 038111"), parse(t, VPNv4, "0b 0000fde800000002 038106"),
		parse(t, VPNv6, "0b 0000fde800000001 038106"),
	}
	if !slices.IsSortedFunc(in, Compare) {
		t.Error("families, then route distinguishers, must ascend")
	}
}

func TestCompareEqualsItsTwin(t *testing.T) {
	t.Parallel()
	property(t, func(t *rapid.T) {
		f := rapid.SampledFrom(allFamilies).Draw(t, "family")
		var m [3]Match
		var r [3]slowRule
		for i := range m {
			m[i], r[i], _ = checkAgainstTwin(t, f, octets(t, f, 3))
		}
		for i := range m {
			for j := range m {
				got, want := Compare(m[i], m[j]), slowCompare(r[i], r[j])
				if f.VPN() && string(r[i].rd) != string(r[j].rd) {
					want = sign(slices.Compare(r[i].rd, r[j].rd))
				}
				if sign(got) != want {
					t.Fatalf("Compare(%x, %x) = %d, twin %d", m[i].NLRI(), m[j].NLRI(), got, want)
				}
				if (got == 0) != m[i].Equal(m[j]) {
					t.Fatalf("Compare(%x, %x) = %d", m[i].NLRI(), m[j].NLRI(), got)
				}
				if sign(Compare(m[j], m[i])) != -sign(got) {
					t.Fatalf("not antisymmetric: %x and %x", m[i].NLRI(), m[j].NLRI())
				}
			}
		}
		if Compare(m[0], m[1]) <= 0 && Compare(m[1], m[2]) <= 0 && Compare(m[0], m[2]) > 0 {
			t.Fatalf("not transitive: %x, %x, %x", m[0].NLRI(), m[1].NLRI(), m[2].NLRI())
		}
	})
}

func sign(n int) int { return max(-1, min(1, n)) }

func TestRankAgreesWithCompare(t *testing.T) {
	t.Parallel()
	var decided, all int
	property(t, func(t *rapid.T) {
		var m [2]Match
		for i := range m {
			f := rapid.SampledFrom(allFamilies).Draw(t, "family")
			m[i], _, _ = checkAgainstTwin(t, f, octets(t, f, 3))
		}
		a, b := m[0].Rank(), m[1].Rank()
		if c := Compare(m[0], m[1]); a < b && c >= 0 || a > b && c <= 0 {
			t.Fatalf("ranks %x and %x, and Compare(%x, %x) = %d", a, b, m[0].NLRI(), m[1].NLRI(), c)
		}
		all++
		if a != b {
			decided++
		}
	})
	if decided*2 < all {
		t.Errorf("ranks decided %d of %d", decided, all)
	}
	for f, list := range map[Family][]string{IPv4: ordered4, IPv6: ordered6} {
		for i := range list[1:] {
			if a, b := parse(t, f, list[i]).Rank(), parse(t, f, list[i+1]).Rank(); a > b {
				t.Errorf("%s: ranks %x and %x", list[i], a, b)
			}
		}
	}
}
