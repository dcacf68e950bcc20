package rib_test

import (
	"context"
	"encoding/hex"
	"fmt"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/rib"
)

// A detector and a person announce the same NLRI. The person is preferred; when he withdraws, the detector's rule is in force
// again.
func Example() {
	r, err := rib.New(rib.Config{Sources: []rib.SourcePolicy{{Name: "detector"}, {Name: "api", Preference: 10}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- r.Run(ctx) }()

	octets, _ := hex.DecodeString("060120cb007109")
	match, _ := flowspec.ParseNLRI(flowspec.IPv4, octets)
	say := func(e rib.Event) {
		done := make(chan error, 1)
		e.Kind, e.Done = rib.Update, done
		if err := r.Send(ctx, e); err != nil {
			fmt.Println(err)
		}
		<-done // durable, where there is a store; in force in any case
		for rule := range r.Snapshot().All() {
			fmt.Println(rule.Source, rule.Match, rule.Action)
		}
	}
	rule := func(s flowspec.Source, a flowspec.Action) []flowspec.Rule {
		return []flowspec.Rule{{ID: flowspec.NewID(s, match), Match: match, Action: a, Source: s}}
	}
	say(rib.Event{Source: "detector", Announce: rule("detector", flowspec.Action{Rate: &flowspec.Rate{Unit: flowspec.Bytes}})})
	before := r.Snapshot()
	say(rib.Event{Source: "api", Announce: rule("api", flowspec.Action{})})
	say(rib.Event{Source: "api", Withdraw: []flowspec.Match{match}})

	changes, ok := r.Snapshot().Since(before.Version)
	fmt.Println("changes in the end:", len(changes), ok)
	cancel()
	<-ended
	// Output:
	// detector destination 203.0.113.9/32; discard;
	// api destination 203.0.113.9/32; accept;
	// detector destination 203.0.113.9/32; discard;
	// changes in the end: 0 true
}
