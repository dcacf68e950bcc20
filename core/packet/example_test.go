package packet_test

import (
	"fmt"
	"net/netip"

	"github.com/sluice-gateway/sluice/core/packet"
)

func Example() {
	b := packet.Everything(packet.IPv4)
	b.Dst = packet.AddrsIn(netip.MustParsePrefix("203.0.113.10/32"))
	b.Proto = packet.NewValues(packet.Span{Lo: 17, Hi: 17})
	b.SrcPort = packet.NewValues(packet.Span{Lo: 53, Hi: 53}, packet.Span{Lo: 123, Hi: 123})
	b.Frags = packet.OffsetZero // a port is only there
	rule := packet.Of(b)

	b.SrcPort = packet.NewValues(packet.Span{Lo: 53, Hi: 53})
	part := packet.Of(b)

	missing := rule.Sub(part)
	fmt.Println(missing)
	fmt.Println(missing.Witness())
	// Output:
	// ipv4 dst 203.0.113.10 proto 17 sport 123 frag whole,first
	// udp 198.51.100.7:123 > 203.0.113.10:40000 len 512 true
}
