package plan_test

import (
	"fmt"
	"net/netip"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/profiles"
)

// An ASR 9000 takes five ports in one rule: the sixth moves to a rule of its own.
func Example() {
	ports := flowspec.Component{Type: flowspec.SrcPort}
	for _, port := range []uint64{19, 53, 111, 123, 161, 389} {
		ports.Terms = append(ports.Terms, flowspec.Term{Op: flowspec.EQ, Value: port})
	}
	victim := flowspec.Prefix{Addr: netip.MustParseAddr("203.0.113.10"), Len: 32}
	match, err := flowspec.NewMatch(flowspec.IPv4, flowspec.RD{}, flowspec.Component{Type: flowspec.DstPrefix, Prefix: victim}, ports)
	if err != nil {
		panic(err)
	}
	discard := flowspec.Action{Rate: &flowspec.Rate{Unit: flowspec.Bytes}}
	rule := flowspec.Rule{ID: flowspec.NewID("example", match), Match: match, Action: discard, Source: "example"}

	asr9k, err := profiles.Embedded().Get("asr9k")
	if err != nil {
		panic(err)
	}
	p, err := plan.Make(rib.Of([]flowspec.Rule{rule}), asr9k, plan.Options{})
	if err != nil {
		panic(err)
	}
	v := p.Verdicts[0]
	fmt.Printf("%s, exact: %v\n", v.Carried, v.Exact)
	for _, e := range v.Entries {
		fmt.Println(e.Route.Match)
	}
	fmt.Println(v.Reasons[0].Message)
	// Output:
	// rewritten, exact: true
	// destination 203.0.113.10/32; source-port [ =19 =53 =111 =123 =161 ];
	// destination 203.0.113.10/32; source-port =389;
	// source-port: 6 values in 2 lists, at most 5 in each
}
