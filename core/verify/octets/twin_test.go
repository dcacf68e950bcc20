package octets

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"pgregory.net/rapid"
)

// The checker reads octets by itself. Here it is held against package flowspec, which it may not share.

var (
	addresses4 = []string{"0.0.0.0", "10.0.0.0", "10.1.2.3", "128.0.0.0", "255.255.255.255"}
	addresses6 = []string{"::", "2001:db8::", "2001:db8::1234:5678:9a00:0", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::ffff:10.1.2.3"}
	values     = []uint64{0, 1, 2, 6, 17, 58, 63, 64, 80, 255, 256, 300, 4095, 65535, 65536, 0xfffff, 0x100000, 1<<32 - 1, 1<<64 - 1}
)

func pick[T any](t *rapid.T, list ...T) T { return rapid.SampledFrom(list).Draw(t, "pick") }

// drawOctets draws an NLRI that is often valid, and not always canonical.
func drawOctets(t *rapid.T, f flowspec.Family) []byte {
	v6 := f == flowspec.IPv6 || f == flowspec.VPNv6
	var body []byte
	if f.VPN() {
		body = append(body, 0, 0, 0xfd, 0xe8, 0, 0, 0, byte(rapid.IntRange(1, 2).Draw(t, "rd")))
	}
	types := rapid.SliceOfNDistinct(rapid.IntRange(1, 13), 0, 4, rapid.ID).Draw(t, "types")
	slices.Sort(types)
	for _, typ := range types {
		body = append(body, byte(typ))
		if typ <= 2 {
			body = append(body, drawPrefix(t, v6)...)
			continue
		}
		for n := rapid.IntRange(1, 3).Draw(t, "pairs"); n > 0; n-- {
			op := byte(rapid.IntRange(0, 7).Draw(t, "op"))
			if typ == 9 || typ == 12 {
				op &= 3
			}
			width := pick(t, 0, 0, 0, 1, 1, 2, 3)
			if typ == 9 {
				width = min(width, 1)
			} else if typ == 11 || typ == 12 {
				width = 0
			}
			op |= byte(width) << 4
			if rapid.Bool().Draw(t, "and") {
				op |= 0x40
			}
			if n == 1 {
				op |= 0x80
			}
			value := pick(t, values...)
			if typ == 9 || typ == 12 {
				value = uint64(rapid.Uint16().Draw(t, "bits")) & pick(t, uint64(0x0f), 0x0e, 0x12, 0xffff)
			}
			body = append(body, op)
			for o := 1<<width - 1; o >= 0; o-- {
				body = append(body, byte(value>>(8*o)))
			}
		}
	}
	if len(body) > 0 && rapid.IntRange(0, 9).Draw(t, "break") == 0 {
		body[rapid.IntRange(0, len(body)-1).Draw(t, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
	}
	if len(body) >= 240 || rapid.IntRange(0, 20).Draw(t, "long form") == 0 {
		return append([]byte{0xf0 | byte(len(body)>>8), byte(len(body))}, body...)
	}
	return append([]byte{byte(len(body))}, body...)
}

func drawPrefix(t *rapid.T, v6 bool) []byte {
	if !v6 {
		p := netip.PrefixFrom(netip.MustParseAddr(pick(t, addresses4...)), pick(t, 0, 1, 8, 15, 24, 31, 32))
		if rapid.IntRange(0, 9).Draw(t, "clean") > 0 {
			p = p.Masked()
		}
		a := p.Addr().As4()
		return append([]byte{byte(p.Bits())}, a[:(p.Bits()+7)/8]...)
	}
	length := pick(t, 0, 1, 8, 33, 64, 104, 127, 128)
	offset := min(pick(t, 0, 0, 0, 1, 20, length/2, length-1), length-1)
	offset = max(offset, 0)
	p := netip.PrefixFrom(netip.MustParseAddr(pick(t, addresses6...)), length-offset)
	if rapid.IntRange(0, 9).Draw(t, "clean") > 0 {
		p = p.Masked()
	}
	a := p.Addr().As16()
	return append([]byte{byte(length), byte(offset)}, a[:(length-offset+7)/8]...)
}

// The checker takes what package flowspec takes and finds canonical, reads the same packets in it, and sorts it the same way.
func TestOctetsAreReadAlike(t *testing.T) {
	t.Parallel()
	taken, ordered := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		f := pick(t, flowspec.IPv4, flowspec.IPv6, flowspec.VPNv4, flowspec.VPNv6)
		var matches []flowspec.Match
		var ours []Match
		for range 3 {
			b := drawOctets(t, f)
			m, err := flowspec.ParseNLRI(f, b)
			got, ourErr := ReadMatch(f.String(), hex.EncodeToString(b), Routes)
			if ok := err == nil && bytes.Equal(m.NLRI(), b); ok != (ourErr == nil) {
				t.Fatalf("%s %x: flowspec says %v (canonical %x), the checker says %v", f, b, err, m.NLRI(), ourErr)
			}
			if ourErr != nil {
				continue
			}
			taken++
			if !got.Set.Equal(m.Set()) {
				t.Fatalf("%s %x: the checker reads %v, flowspec %v", f, b, got.Set, m.Set())
			}
			matches, ours = append(matches, m), append(ours, got)
		}
		for i := range ours {
			for j := range ours {
				if apart := f.VPN() && matches[i].RD() != matches[j].RD(); apart != (ours[i].Plane != ours[j].Plane) {
					t.Fatalf("planes %q and %q", ours[i].Plane, ours[j].Plane)
				} else if apart {
					continue
				}
				ordered++
				if got, want := strings.Compare(ours[i].Key, ours[j].Key), cmp.Compare(flowspec.Compare(matches[i], matches[j]), 0); got != want {
					t.Fatalf("%x and %x: the checker orders them %d, flowspec %d", matches[i].NLRI(), matches[j].NLRI(), got, want)
				}
			}
		}
	})
	if taken == 0 || ordered == 0 {
		t.Error("nothing was taken: the test sees nothing")
	}
}

// The checker understands the action communities that package flowspec understands, and reads the same in them.
func TestActionsAreReadAlike(t *testing.T) {
	t.Parallel()
	pool := []string{
		"8006000000000000", "8006fde800000000", "8006000080000000", "80060000c0000000", "80060000447a0000", "80060001447a0000", "800600007f800000", "80060000ff800000",
		"800c0000447a0000", "800c000000000000", "8007000000000000", "8007000000000001", "8007000000000002", "80070000000000ff", "8009000000000005", "8009000000000045",
		"8009000000000006", "8008fde800000001", "8008fde800000002", "8108c00002090001", "82080000fde80001", "010cc00002090000", "010cc00002090001", "010cc000020a0000",
		"0800000000000000", "0800000000000001", "0800c00002090000", "800b000000000000", "c006000000000000", "0702fde800000001",
		"000c20010db80000000000000000000000090000", "000c20010db80000000000000000000000090001", "000d20010db80000000000000000000000090007", "800d20010db80000000000000000000000090007",
	}
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOfN(rapid.SampledFrom(pool), 0, 4).Draw(t, "communities")
		hop := pick(t, "", "192.0.2.9", "2001:db8::9", "0.0.0.0")
		var ext []flowspec.ExtComm
		for _, c := range texts {
			b, _ := hex.DecodeString(c)
			ext = append(ext, flowspec.ExtComm(b))
		}
		next, _ := netip.ParseAddr(hop)
		a, others, err := flowspec.ParseAction(ext, next)
		if err != nil || len(others) > 0 {
			t.Fatalf("%v, %v", others, err)
		}
		ext, next = a.Communities() // as they stand in certificates: what is asked twice stands once
		texts, hop = nil, ""
		for _, c := range ext {
			texts = append(texts, hex.EncodeToString([]byte(c)))
		}
		if next.IsValid() {
			hop = next.String()
		}
		got := ReadActions(texts, hop)
		if want := outcomeOf(a); got != want {
			t.Fatalf("%q with next hop %q: the checker reads %+v, flowspec %+v", texts, hop, got, want)
		}
	})
	for _, bad := range []string{"800600007fc00000", "8006", "80060000000000zz", "800600000000000000", ""} {
		if got := ReadActions([]string{bad}, ""); got != (Outcome{Unknown: true}) {
			t.Errorf("%q is read as %+v", bad, got)
		}
	}
}

func outcomeOf(a flowspec.Action) Outcome {
	o := Outcome{Discard: a.Discard(), Sample: a.Sample, GoesOn: a.Continue, Unknown: len(a.Unknown) > 0}
	if a.Rate != nil && !a.Discard() {
		o.Rate, o.Unit = a.Rate.Amount, map[flowspec.Unit]string{flowspec.Bytes: "bytes/s", flowspec.Packets: "packets/s"}[a.Rate.Unit]
	}
	if a.Mark != nil {
		o.Mark, o.Marks = *a.Mark, true
	}
	if r := a.Redirect; r != nil {
		o.Redirect, o.Copies = r.Addr.String(), r.Copy
		if !r.NextHop() {
			list, _ := flowspec.Action{Redirect: r}.Communities()
			o.Redirect = hex.EncodeToString([]byte(list[0]))
		}
	}
	return o
}
