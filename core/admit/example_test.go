package admit_test

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"time"

	"github.com/sluice-gateway/sluice/core/admit"
	"github.com/sluice-gateway/sluice/core/flowspec"
)

func ExamplePolicy_Check() {
	policy := admit.Policy{
		Destinations: []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")},
		Actions:      []string{"discard", "rate-limit"},
	}
	discard := flowspec.Action{Rate: &flowspec.Rate{Unit: flowspec.Bytes}}
	for _, s := range []string{"060120c6336409", "060120cb007109", "03038111"} {
		octets, _ := hex.DecodeString(s)
		match, _ := flowspec.ParseNLRI(flowspec.IPv4, octets)
		fmt.Println(policy.Check(flowspec.Rule{Match: match, Action: discard}, time.Now()))
	}
	// Output:
	// <nil>
	// not admitted: destination 203.0.113.9/32 is outside what this source may filter: 198.51.100.0/24
	// not admitted: a rule without destination matches packets to everyone; this source may filter: 198.51.100.0/24
}
