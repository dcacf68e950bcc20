package admit

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// What a rule costs beside 200 devices with a BGP session and a connection for filters each.
func BenchmarkOwnSessions(b *testing.B) {
	var list []Session
	for i := range 200 {
		far := netip.AddrFrom4([4]byte{10, 0, byte(i), 1})
		near := netip.AddrFrom4([4]byte{10, 1, 0, 1})
		list = append(list, Session{"bgp", near, far, 179}, Session{"bgp", far, near, 179}, Session{"netconf", near, far, 830})
	}
	own, err := NewSessions(list...)
	if err != nil {
		b.Fatal(err)
	}
	tcp := flowspec.Component{Type: flowspec.Protocol, Terms: []flowspec.Term{{Op: flowspec.EQ, Value: 6}}}
	http := flowspec.Component{Type: flowspec.DstPort, Terms: []flowspec.Term{{Op: flowspec.EQ, Value: 80}}}
	for _, c := range []struct {
		name string
		rule flowspec.Rule
	}{{"elsewhere", rule(b, "203.0.113.9/32", tcp)}, {"udp", rule(b, "", udp)}, {"tcp", rule(b, "", tcp, http)}} {
		b.Run(fmt.Sprint(c.name), func(b *testing.B) {
			for b.Loop() {
				if own.Check(c.rule) != nil {
					b.Fatal("kept out")
				}
			}
		})
	}
}
