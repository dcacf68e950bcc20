package filter_test

import (
	"fmt"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// A platform that checks neither protocol nor offset also matches what has no port at all, until the match says so.
func ExampleGuard() {
	var router filter.Semantics // checks nothing by itself
	dns := filter.Match{SrcPort: packet.NewValues(packet.Span{Lo: 53, Hi: 53})}
	fragment, _ := packet.ParseHeader("udp 198.51.100.7 > 203.0.113.9 len 1400 frag last")
	fragment.SrcPort = 53 // the octets at that place happen to read so

	fmt.Println(dns.Set(packet.IPv4, router).Has(fragment))
	fmt.Println(filter.Guard(dns, packet.IPv4, router).Set(packet.IPv4, router).Has(fragment))
	// Output:
	// true
	// false
}
