package flowspec_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// A rule as it comes from BGP, what it matches, and what becomes of a malformed one.
func Example() {
	octets, _ := hex.DecodeString("110120cb00710a038111060113013591076c")
	m, err := flowspec.ParseNLRI(flowspec.IPv4, octets)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(m)
	answer := packet.Header{
		Src: netip.MustParseAddr("198.51.100.7"), Dst: netip.MustParseAddr("203.0.113.10"),
		Proto: 17, SrcPort: 53, DstPort: 4444, Length: 1400,
	}
	fmt.Println("a DNS answer matches:", m.Set().Has(answer))
	answer.Fragment, answer.SrcPort, answer.DstPort = packet.Middle, 0, 0
	fmt.Println("a later fragment of it matches:", m.Set().Has(answer))

	octets, _ = hex.DecodeString("06058135038111")
	_, err = flowspec.ParseNLRI(flowspec.IPv4, octets)
	var syntax *flowspec.SyntaxError
	if errors.As(err, &syntax) {
		fmt.Println(err)
	}

	discard := flowspec.ExtComm("\x80\x06\x00\x00\x00\x00\x00\x00")
	action, _, err := flowspec.ParseAction([]flowspec.ExtComm{discard}, netip.Addr{})
	fmt.Println(action, err)
	// Output:
	// destination 203.0.113.10/32; protocol =udp; source-port [ =19 =53 =1900 ];
	// a DNS answer matches: true
	// a later fragment of it matches: false
	// octet 4, protocol: component type 3 after type 5: types must ascend (RFC 8955 §4.2)
	// discard; <nil>
}

// Building a rule: components in any order, values in the shortest form.
func ExampleNewMatch() {
	m, err := flowspec.NewMatch(flowspec.IPv4, flowspec.RD{},
		flowspec.Component{Type: flowspec.DstPort, Terms: []flowspec.Term{{Op: flowspec.GE, Value: 1024}, {And: true, Op: flowspec.NE, Value: 8080}}},
		flowspec.Component{Type: flowspec.DstPrefix, Prefix: flowspec.Prefix{Addr: netip.MustParseAddr("198.51.100.0"), Len: 24}},
	)
	fmt.Println(m, err)
	fmt.Printf("%x\n", m.NLRI())
	// Output:
	// destination 198.51.100.0/24; destination-port >=1024&!=8080; <nil>
	// 0c0118c6336405130400d61f90
}

// The more specific destination goes first, and then the lower component type.
func ExampleCompare() {
	parse := func(s string) flowspec.Match {
		octets, _ := hex.DecodeString(s)
		m, _ := flowspec.ParseNLRI(flowspec.IPv4, octets)
		return m
	}
	exception, discard := parse("060120c6336409"), parse("050118c63364")
	fmt.Println(flowspec.Compare(exception, discard) < 0, exception, discard)
	// Output:
	// true destination 198.51.100.9/32; destination 198.51.100.0/24;
}
