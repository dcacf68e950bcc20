package flowspec

import (
	"encoding/binary"
	"errors"
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func communities(t testing.TB, s string) []ExtComm {
	t.Helper()
	var list []ExtComm
	for _, word := range strings.Fields(s) {
		list = append(list, ExtComm(unhex(t, word)))
	}
	return list
}

func TestParseAction(t *testing.T) {
	t.Parallel()
	const v6 = "20010db8000000000000000000000001"
	for _, c := range []struct {
		name, in, hop, want string
		others              int
	}{
		{name: "nothing", in: "", want: "accept;"},
		{name: "discard", in: "8006fde800000000", want: "discard;"},
		{name: "discard by packets", in: "800c000000000000", want: "discard;"},
		{name: "100 Mbit/s", in: "800600004b3ebc20", want: "rate-limit 12500000;"},
		{name: "1000 packets/s", in: "800c0000447a0000", want: "rate-limit 1000 packets;"},
		{name: "negative rate", in: "80060000bf800000", want: "discard;"},
		{name: "negative zero", in: "8006000080000000", want: "discard;"},
		{name: "negative infinity", in: "80060000ff800000", want: "discard;"},
		{name: "infinity", in: "800600007f800000", want: "accept;"},
		{name: "infinity and mark", in: "800600007f800000 800900000000002e", want: "mark 46;"},
		{name: "infinity and a limit", in: "800600007f800000 800600004b3ebc20",
			want: "extended-community 0x800600007f800000; extended-community 0x800600004b3ebc20;"},
		{name: "T bit: continue", in: "8007000000000001", want: "action terminal;"},
		{name: "S bit", in: "8007000000000002", want: "action sample;"},
		{name: "both, and other bits", in: "8007ffffffffffff", want: "action sample-terminal;"},
		{name: "neither", in: "8007000000000000", want: "accept;"},
		{name: "two traffic-actions", in: "8007000000000001 8007000000000002",
			want: "extended-community 0x8007000000000001; extended-community 0x8007000000000002;"},
		{name: "mark", in: "800900000000002e", want: "mark 46;"},
		{name: "mark with other bits", in: "80090000000000ee", want: "mark 46;"},
		{name: "mark 0", in: "8009000000000000", want: "mark 0;"},
		{name: "two marks", in: "8009000000000001 8009000000000002 8006000000000000",
			want: "discard; extended-community 0x8009000000000001; extended-community 0x8009000000000002;"},
		{name: "redirect", in: "8008fde80000029a", want: "redirect 65000:666;"},
		{name: "redirect with a large number", in: "8008fde8000f4240", want: "redirect 65000:1000000;"},
		{name: "redirect to a four-octet AS", in: "8208000fde80029a", want: "redirect 1040000:666;"},
		{name: "four octets for a small AS", in: "82080000fde8029a", want: "extended-community 0x82080000fde8029a;"},
		{name: "redirect to an address route target", in: "8108c00002010005", want: "extended-community 0x8108c00002010005;"},
		{name: "redirect to an IPv6 route target", in: "000d" + v6 + "0005", want: "extended-community 0x000d" + v6 + "0005;"},
		{name: "next hop of MP_REACH", in: "0800000000000000", hop: "192.0.2.99", want: "redirect 192.0.2.99;"},
		{name: "copy to it", in: "0800000000000001", hop: "2001:db8::1", want: "copy 2001:db8::1;"},
		{name: "next hop missing", in: "0800000000000000", want: "extended-community 0x0800000000000000;"},
		{name: "next hop zero", in: "0800000000000000", hop: "0.0.0.0", want: "extended-community 0x0800000000000000;"},
		{name: "next hop in the value", in: "0800c00002630000", hop: "192.0.2.1", want: "extended-community 0x0800c00002630000;"},
		{name: "other bits beside the copy bit", in: "0800000000000003", hop: "192.0.2.1", want: "extended-community 0x0800000000000003;"},
		{name: "IETF", in: "010cc00002630000", hop: "192.0.2.1", want: "redirect-to-nexthop-ietf 192.0.2.99;"},
		{name: "IETF copy", in: "010cc0000263ffff", want: "extended-community 0x010cc00002630001;"},
		{name: "IETF IPv6", in: "000c" + v6 + "fffe", want: "redirect-to-nexthop-ietf 2001:db8::1;"},
		{name: "IETF IPv6 copy", in: "000c" + v6 + "0001", want: "extended-community 0x000c" + v6 + "0001;"},
		{name: "both forms, one address", in: "0800000000000000 010cc00002630000", hop: "192.0.2.99", want: "redirect-to-nexthop-ietf 192.0.2.99;"},
		{name: "both forms, the other order", in: "010cc00002630000 0800000000000000", hop: "192.0.2.99", want: "redirect-to-nexthop-ietf 192.0.2.99;"},
		{name: "both forms, two addresses", in: "0800000000000000 010cc00002630000", hop: "192.0.2.98",
			want: "extended-community 0x0800000000000000; extended-community 0x010cc00002630000;"},
		{name: "both forms, one without address", in: "0800000000000000 010cc00002630000",
			want: "extended-community 0x0800000000000000; extended-community 0x010cc00002630000;"},
		{name: "both forms, copy differs", in: "0800000000000001 010cc00002630000", hop: "192.0.2.99",
			want: "extended-community 0x0800000000000001; extended-community 0x010cc00002630000;"},
		{name: "VRF and next hop", in: "8008fde80000029a 010cc00002630000 8006000000000000",
			want: "discard; extended-community 0x8008fde80000029a; extended-community 0x010cc00002630000;"},
		{name: "one thing twice", in: "8008fde80000029a 8008fde80000029a", want: "redirect 65000:666;"},
		{name: "one rate, two AS numbers", in: "800600004b3ebc20 8006fde84b3ebc20", want: "rate-limit 12500000;"},
		{name: "two rates", in: "8006000000000000 800600004b3ebc20",
			want: "extended-community 0x8006000000000000; extended-community 0x800600004b3ebc20;"},
		{name: "two units", in: "800600004b3ebc20 800c0000447a0000",
			want: "extended-community 0x800600004b3ebc20; extended-community 0x800c0000447a0000;"},
		{name: "discard in two units", in: "8006000000000000 800c000000000000", want: "discard;"},
		{name: "interface-set", in: "0702000000010002 4702000000010002",
			want: "extended-community 0x0702000000010002; extended-community 0x4702000000010002;"},
		{name: "types not known", in: "80ff000000000000 8209000000000000 080c000000000000 0900000000000000 c006000000000000 410cc00002630000",
			want: "extended-community 0x80ff000000000000; extended-community 0x8209000000000000; extended-community 0x080c000000000000; " +
				"extended-community 0x0900000000000000; extended-community 0xc006000000000000; extended-community 0x410cc00002630000;"},
		{name: "other IPv6 spellings", in: "800b" + v6 + "0005 800d" + v6 + "0005",
			want: "extended-community 0x800b" + v6 + "0005; extended-community 0x800d" + v6 + "0005;"},
		{name: "route targets and others", in: "0002fde800000001 0202000fde800001 0102c00002010001 0002" + v6 + "0001 8006000000000000 0002fde800000001",
			want: "discard;", others: 4},
		{name: "everything at once", in: "800600004b3ebc20 8007000000000002 8008fde80000029a 800900000000002e",
			want: "rate-limit 12500000; redirect 65000:666; mark 46; action sample;"},
	} {
		var hop netip.Addr
		if c.hop != "" {
			hop = netip.MustParseAddr(c.hop)
		}
		a, others, err := ParseAction(communities(t, c.in), hop)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := a.String(); got != c.want || len(others) != c.others {
			t.Errorf("%s:\n got %s and %d others\nwant %s and %d", c.name, got, len(others), c.want, c.others)
		}
		checkAction(t, communities(t, c.in), hop)
	}
}

func TestNegativeZeroIsWrittenAsZero(t *testing.T) {
	t.Parallel()
	a, _, err := ParseAction(communities(t, "8006000080000000"), netip.Addr{})
	if err != nil {
		t.Fatal(err)
	}
	if ext, _ := a.Communities(); !slices.Equal(ext, communities(t, "8006000000000000")) {
		t.Errorf("got %v", ext)
	}
}

func TestParseActionRefuses(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]string{
		"NaN":               "800600007fc00000",
		"NaN of packets":    "800c0000ffc00001",
		"NaN beside a rate": "8006000000000000 800600007f800001",
		"seven octets":      "80060000000000",
		"no octets":         "8006000000000000 800700000000000000",
	} {
		_, _, err := ParseAction(communities(t, in), netip.Addr{})
		var e *ActionError
		if !errors.As(err, &e) || !strings.Contains(err.Error(), "RFC ") || !strings.Contains(err.Error(), "0x") {
			t.Errorf("%s: got %v, want an *ActionError that names community and section", name, err)
		}
	}
}

// checkAction parses in, writes what came out, and parses that: nothing is lost, nothing is invented, and writing is
// stable.
func checkAction(t testing.TB, in []ExtComm, nextHop netip.Addr) {
	t.Helper()
	a, others, err := ParseAction(in, nextHop)
	if err != nil {
		return
	}
	if r := a.Rate; r != nil && !(r.Amount >= 0 && !math.IsInf(float64(r.Amount), 0)) {
		t.Fatalf("%v: rate %v", in, r.Amount)
	}
	for _, c := range slices.Concat(a.Unknown, others) {
		if !slices.Contains(in, c) {
			t.Fatalf("%v: %s was invented", in, c)
		}
	}
	ext, hop := a.Communities()
	if !slices.IsSorted(ext) {
		t.Fatalf("%v: %v is not sorted", in, ext)
	}
	back, rest, err := ParseAction(ext, hop)
	if err != nil || len(rest) != 0 || !back.Equal(a) || !a.Equal(back) || back.String() == "" {
		t.Fatalf("%v: %s was written as %v and read as %s (others %v, %v)", in, a, ext, back, rest, err)
	}
	again, hopAgain := back.Communities()
	if !slices.Equal(again, ext) || hopAgain != hop {
		t.Fatalf("%v: written as %v, then as %v", in, ext, again)
	}
}

func TestActionsSurviveAnyMixture(t *testing.T) {
	t.Parallel()
	property(t, func(t *rapid.T) {
		var in []ExtComm
		for range rapid.IntRange(0, 5).Draw(t, "communities") {
			kind := rapid.SampledFrom([]uint16{0x8006, 0x8007, 0x8008, 0x8009, 0x800c, 0x8108, 0x8208, 0x0800, 0x010c, 0x000c, 0x000d, 0x0002, 0x0702, 0x4006}).Draw(t, "kind")
			size := 6
			if kind == 0x000c || kind == 0x000d {
				size = 18
			}
			value := make([]byte, size)
			for range rapid.IntRange(0, 2).Draw(t, "octets set") {
				value[rapid.IntRange(0, size-1).Draw(t, "at")] = rapid.SampledFrom([]byte{1, 2, 0x7f, 0x80, 0xff}).Draw(t, "octet")
			}
			in = append(in, ExtComm(append(binary.BigEndian.AppendUint16(nil, kind), value...)))
		}
		hop := rapid.SampledFrom([]netip.Addr{{}, netip.IPv4Unspecified(), netip.MustParseAddr("0.0.0.1"), netip.MustParseAddr("::1")}).Draw(t, "next hop")
		checkRapidAction(t, in, hop)
	})
}

func checkRapidAction(t *rapid.T, in []ExtComm, hop netip.Addr) {
	a, _, err := ParseAction(in, hop)
	if err != nil {
		return
	}
	slices.Reverse(in)
	b, _, err := ParseAction(in, hop)
	if err != nil || !a.Equal(b) {
		t.Fatalf("the order of communities matters: %s, then %s (%v)", a, b, err)
	}
}

func TestActionEqual(t *testing.T) {
	t.Parallel()
	hop := netip.MustParseAddr("192.0.2.99")
	rate := func(amount float32, u Unit, as uint16) Action { return Action{Rate: &Rate{amount, u, as}} }
	redirect := func(r Redirect) Action { return Action{Redirect: &r} }
	for _, c := range []struct {
		a, b Action
		want bool
	}{
		{Action{}, Action{}, true},
		{Action{}, rate(0, Bytes, 0), false},
		{rate(0, Bytes, 0), rate(0, Packets, 7), true},
		{rate(500, Bytes, 0), rate(500, Bytes, 7), true},
		{rate(500, Bytes, 0), rate(500, Packets, 0), false},
		{Action{Sample: true}, Action{Continue: true}, false},
		{Action{Unknown: []ExtComm{"a", "b"}}, Action{Unknown: []ExtComm{"b", "a"}}, true},
		{Action{Unknown: []ExtComm{"a"}}, Action{}, false},
		{redirect(Redirect{Form: NextHopSimpson, Addr: hop}), redirect(Redirect{Form: NextHopIETFv4, Addr: hop}), true},
		{redirect(Redirect{Form: NextHopSimpson, Addr: hop}), redirect(Redirect{Form: NextHopIETFv4, Addr: hop, Copy: true}), false},
		{redirect(Redirect{Form: RedirectAS2, Global: 1, Local: 2}), redirect(Redirect{Form: RedirectAS4, Global: 1, Local: 2}), false},
	} {
		if got := c.a.Equal(c.b); got != c.want || c.b.Equal(c.a) != c.want {
			t.Errorf("%s and %s: got equal %v, want %v", c.a, c.b, got, c.want)
		}
	}
}
