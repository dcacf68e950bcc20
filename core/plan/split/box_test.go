package split_test

import (
	"testing"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/plan/split"
	"pgregory.net/rapid"
)

// What a rule loses to another one is said as rules again, exactly.
func TestBoxesSayDifferences(t *testing.T) {
	t.Parallel()
	said := 0
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.SampledFrom([]flowspec.Family{flowspec.IPv4, flowspec.IPv6}).Draw(t, "family")
		a, b := drawMatch(t, f, "a"), drawMatch(t, f, "b")
		left := a.Set().Sub(b.Set())
		var got packet.Set
		rules, ok := split.Boxes(f, left)
		if !ok {
			return
		}
		for _, components := range rules {
			m, err := flowspec.NewMatch(f, flowspec.RD{}, components...)
			if err != nil {
				t.Fatalf("%v: %v", left, err)
			}
			got = got.Or(m.Set())
		}
		said++
		if !got.Equal(left) {
			t.Fatalf("%s without %s is %v, said as %v", a, b, left, got)
		}
	})
	if said == 0 {
		t.Error("no difference could be said")
	}
}

// drawMatch draws a rule with conditions that often meet those of another one.
func drawMatch(t *rapid.T, f flowspec.Family, name string) flowspec.Match {
	var cs []flowspec.Component
	number := func(typ flowspec.Type, values ...uint64) {
		if rapid.IntRange(0, 2).Draw(t, name+typ.String()) != 0 {
			return
		}
		lo := rapid.SampledFrom(values).Draw(t, "lo")
		hi := lo + uint64(rapid.IntRange(0, 3).Draw(t, "more"))
		cs = append(cs, flowspec.Component{Type: typ, Terms: []flowspec.Term{{Op: flowspec.GE, Value: lo}, {And: true, Op: flowspec.LE, Value: hi}}})
	}
	number(flowspec.Protocol, 1, 5, 6, 17, 57)
	number(flowspec.Port, 0, 53, 65533)
	number(flowspec.DstPort, 0, 52, 53)
	number(flowspec.SrcPort, 0, 51, 55)
	if rapid.IntRange(0, 3).Draw(t, name+"flags") == 0 {
		cs = append(cs, flowspec.Component{Type: flowspec.TCPFlags, Terms: []flowspec.Term{
			{Op: rapid.SampledFrom([]flowspec.Op{flowspec.AnyBit, flowspec.AllBits, flowspec.NoBit, flowspec.NotAll}).Draw(t, "op"),
				Value: rapid.SampledFrom([]uint64{1, 2, 3, 18}).Draw(t, "bits")}}})
	}
	number(flowspec.PacketLength, 0, 64, 65532)
	number(flowspec.DSCP, 0, 10, 60)
	if rapid.IntRange(0, 3).Draw(t, name+"frag") == 0 {
		cs = append(cs, flowspec.Component{Type: flowspec.Fragment, Terms: []flowspec.Term{
			{Op: rapid.SampledFrom([]flowspec.Op{flowspec.AnyBit, flowspec.AllBits, flowspec.NoBit}).Draw(t, "op"),
				Value: rapid.SampledFrom([]uint64{2, 4, 6, 8}).Draw(t, "bits")}}})
	}
	if len(cs) == 0 {
		cs = append(cs, flowspec.Component{Type: flowspec.Protocol, Terms: []flowspec.Term{{Op: flowspec.EQ, Value: 17}}})
	}
	m, err := flowspec.NewMatch(f, flowspec.RD{}, cs...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
