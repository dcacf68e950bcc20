package table_test

import (
	"fmt"

	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/table"
)

// The exception has slipped behind the rule that it was an exception from.
func ExampleDiff() {
	dns := packet.Everything(packet.IPv4)
	dns.Proto = packet.NewValues(packet.Span{Lo: 17, Hi: 17})
	dns.SrcPort = packet.NewValues(packet.Span{Lo: 53, Hi: 53})
	dns.Frags = packet.OffsetZero
	exception := table.Entry{ID: "resolver", Match: packet.Of(dns)}
	flood := table.Entry{ID: "flood", Match: packet.Of(packet.Everything(packet.IPv4)), Do: table.Outcome{Discard: true}}

	d := table.Diff(table.Table{exception, flood}, table.Table{flood, exception})
	fmt.Println(d.Packet)
	fmt.Printf("want %s (%s), got %s (%s)\n", d.Want, d.WantEntry, d.Got, d.GotEntry)
	// Output:
	// udp 198.51.100.7:53 > 203.0.113.9:40000 len 512
	// want accept (resolver), got discard (flood)
}
