package reconcile

import (
	"fmt"
	"testing"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/core/table"
	"pgregory.net/rapid"
)

// tableOf returns what rules ask for, in their order.
func tableOf(s rib.Snapshot) table.Table {
	var out table.Table
	for _, r := range s.Rules() {
		out = append(out, table.Entry{ID: string(r.ID), Match: r.Match.Set(), Do: table.Want(r), Continue: r.Action.Continue})
	}
	return out
}

// drawRules draws rules that overlap, of every severity.
func drawRules(rt *rapid.T, name string) rib.Snapshot {
	var list []flowspec.Rule
	for i := range rapid.IntRange(0, 6).Draw(rt, name) {
		label := fmt.Sprint(name, i)
		a := rapid.SampledFrom([]flowspec.Action{
			{}, {Sample: true}, {Rate: &flowspec.Rate{Amount: 1e6, Unit: flowspec.Bytes}}, {Rate: &flowspec.Rate{Unit: flowspec.Bytes}}, {Continue: true}, {Sample: true, Continue: true},
		}).Draw(rt, label)
		var ports []uint64
		for _, p := range []uint64{53, 123} {
			if rapid.Bool().Draw(rt, label+"port") {
				ports = append(ports, p)
			}
		}
		if ports == nil {
			ports = []uint64{53}
		}
		list = append(list, ruleFor(rt, a, byte(rapid.IntRange(1, 2).Draw(rt, label+"host")), ports...))
	}
	return rib.Of(list)
}

// What may go before the rest treats no packet worse than what was there, and with the rest it is what is wanted.
func TestEaseTreatsNoPacketWorse(t *testing.T) {
	t.Parallel()
	partly := 0
	rapid.Check(t, func(rt *rapid.T) {
		base, live := drawRules(rt, "base"), drawRules(rt, "live")
		free, withheld := ease(base, live, false)
		eased := base.With(free)
		if d := table.Severer(tableOf(base), tableOf(eased)); d != nil {
			rt.Fatalf("%v\nto\n%v\nless %v: %s fares as %v instead of %v", base.Rules(), live.Rules(), withheld, d.Packet, d.Got, d.Want)
		}
		whole := eased.With(withheld)
		if left := whole.Changes(live); len(left) > 0 {
			rt.Fatalf("left over: %v", left)
		}
		if again, _ := ease(eased, live, false); len(again) > 0 {
			rt.Logf("a second time: %v", again) // what stood in the way may have gone
		}
		if len(free) > 0 && len(withheld) > 0 {
			partly++
		}
	})
	if partly == 0 {
		t.Error("nothing was ever withheld in part: the test sees nothing")
	}
}
