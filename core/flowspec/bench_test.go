package flowspec

import (
	"net/netip"
	"testing"
)

func benchMatches(b *testing.B) (short, port, v6 Match) {
	short = framed(b, IPv4, "0120cb00710a 038111 06 0113 0135 9107 6c 0a 93 0200 0b 812e")
	port = framed(b, IPv4, "0120cb00710a 03 8111 04 0150 8151")
	v6 = framed(b, IPv6, "0180 00 20010db8000000000000000000000001 03 8111 06 0135 91076c")
	return short, port, v6
}

func BenchmarkParseNLRI(b *testing.B) {
	short, _, v6 := benchMatches(b)
	for _, m := range []Match{short, v6} {
		b.Run(m.Family().String(), func(b *testing.B) {
			octets, f := m.NLRI(), m.Family()
			b.SetBytes(int64(len(octets)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ParseNLRI(f, octets); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkNewMatch(b *testing.B) {
	p := Component{Type: DstPrefix, Prefix: Prefix{Addr: netip.MustParseAddr("203.0.113.10"), Len: 32}}
	proto := Component{Type: Protocol, Terms: []Term{{Op: EQ, Value: 17}}}
	ports := Component{Type: SrcPort, Terms: []Term{{Op: EQ, Value: 19}, {Op: EQ, Value: 53}, {Op: EQ, Value: 1900}}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := NewMatch(IPv4, RD{}, p, proto, ports); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompare(b *testing.B) {
	x := framed(b, IPv4, "0120cb00710a 038111 06 0113 0135 91076c")
	y := framed(b, IPv4, "0120cb00710a 038111 06 0113 0135 91076d")
	b.ReportAllocs()
	for b.Loop() {
		if Compare(x, y) >= 0 {
			b.Fatal("wrong order")
		}
	}
}

func BenchmarkSet(b *testing.B) {
	short, port, v6 := benchMatches(b)
	for name, m := range map[string]Match{"ipv4": short, "port": port, "ipv6": v6} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if m.Set().Empty() {
					b.Fatal("empty")
				}
			}
		})
	}
}

func BenchmarkAll(b *testing.B) {
	short, _, _ := benchMatches(b)
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for range short.All() {
			n++
		}
		if n != 5 {
			b.Fatal(n)
		}
	}
}

func BenchmarkString(b *testing.B) {
	short, _, _ := benchMatches(b)
	b.ReportAllocs()
	for b.Loop() {
		if short.String() == "" {
			b.Fatal("empty")
		}
	}
}
