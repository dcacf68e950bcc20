package flowtext

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// iosxrWords are the components that sources show. Those with bits (TCPFlags:~0x10, Frag:~IsF) are not among them: no source has a rule with its octets beside what is printed for it.
var iosxrWords = map[string]flowspec.Type{
	"Dest": flowspec.DstPrefix, "Source": flowspec.SrcPrefix, "Proto": flowspec.Protocol, "DPort": flowspec.DstPort, "SPort": flowspec.SrcPort,
	"ICMPType": flowspec.ICMPType, "ICMPCode": flowspec.ICMPCode, "Length": flowspec.PacketLength, "DSCP": flowspec.DSCP,
}

// IOSXR reads a flow of IPv4 as IOS XR writes it, in flow-notation of Cisco-IOS-XR-flowspec-oper and in `show flowspec`: `Dest:198.51.100.7/32,Proto:=17,DPort:=53|>=1024&<=2047`. Sources: the tutorial
// "BGP FlowSpec on NCS5500" (xrdocs.io), Cisco's BGP configuration guide ("show bgp ipv4 flowspec"), XRv 9000 (net4fungr.github.io, "kustom-metrics").
func IOSXR(flow string) (flowspec.Match, error) {
	var list []flowspec.Component
	for _, word := range strings.Split(flow, ",") {
		name, value, found := strings.Cut(word, ":")
		t, known := iosxrWords[name]
		if !found || !known {
			return flowspec.Match{}, fmt.Errorf("no source shows how %q is meant", word)
		}
		c := flowspec.Component{Type: t}
		if t.Prefix() {
			var err error
			if c, err = prefix(value, t); err != nil {
				return flowspec.Match{}, err
			}
			list = append(list, c)
			continue
		}
		for _, a := range strings.Split(value, "|") {
			terms, err := alternative(a, t)
			if err != nil {
				return flowspec.Match{}, err
			}
			c.Terms = append(c.Terms, terms...)
		}
		list = append(list, c)
	}
	return match(list)
}

// IOSXRBytes reads the octets of an NLRI without its length, as IOS XR shows them in hexadecimal: `0x01200A326464038106059104D2`, which was 10.50.100.100/32, protocol 6, destination port 1234 (`show flowspec
// ipv4 nlri`). In IPv6 a prefix with an offset that does not read alike in every form is an error.
func IOSXRBytes(f flowspec.Family, text string) (flowspec.Match, error) {
	digits, found := strings.CutPrefix(text, "0x")
	if !found {
		return flowspec.Match{}, fmt.Errorf("%q does not begin with 0x", text)
	}
	body, err := hex.DecodeString(digits)
	if err != nil {
		return flowspec.Match{}, fmt.Errorf("%q: %w", text, err)
	}
	nlri, err := flowspec.AppendNLRI(nil, f, flowspec.RD{}, body)
	if err != nil {
		return flowspec.Match{}, err
	}
	return flowspec.ParseNLRIAs(f, nlri, flowspec.OffsetUnsaid)
}
