package reconcile

import (
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
)

// flowing gives the bench a session and a second way to its router, which counts what counters has.
func flowing(t *testing.T) (*bench, *counted) {
	b := newBench(t)
	b.rules.goLive(t)
	b.withPeer(false)
	c := &counted{}
	b.dev.Flows = Flows{Reader: c, Every: time.Millisecond}
	return b, c
}

// A rule that was sent by BGP is counting when its router shows a counter of its NLRI that has moved: by the octets, or by the text where no other rule has the same.
func TestFlowsMakeSentRulesCounting(t *testing.T) {
	t.Parallel()
	b, c := flowing(t)
	one, two, three := discard(t, 1, 53), discard(t, 2, 53), discard(t, 3, 53)
	octets, text := device.NLRIName(one.Match), device.FlowName(two.Match)
	c.set(map[string]device.Counter{octets: {}, text: {}, device.NLRIName(discard(t, 9, 53).Match): {Packets: 7}}, nil)
	b.set(one, two, three)
	b.start()
	b.untilReceipt(one, RuleSent)
	b.until("counters to be read", func() bool { totals := b.rec.Totals(); return len(totals) == 1 && !totals[0].Read.IsZero() })
	if n := b.rec.Counts(); n[one.ID].Hit() || b.rec.Totals()[0].Packets != 0 {
		t.Errorf("nothing of ours was counted: %v", n)
	}
	c.set(map[string]device.Counter{octets: {Packets: 2, Bytes: 200}, device.FlowName(one.Match): {Packets: 90}, text: {Packets: 3, Bytes: 300}}, nil)
	for rule, want := range map[*flowspec.Rule]Count{&one: {Packets: 2, Bytes: 200}, &two: {Packets: 3, Bytes: 300}} {
		got := b.untilReceipt(*rule, RuleCounting)
		if got.Count == nil || got.Count.Packets != want.Packets || got.Count.Bytes != want.Bytes || got.Standing != "" {
			t.Errorf("%+v, count %+v, want %+v", got, got.Count, want)
		}
	}
	if got := b.untilReceipt(three, RuleSent); got.Count != nil {
		t.Errorf("no counter was shown of it, and it has %+v", got.Count)
	}
	if sent, held, err := b.rec.Given("mx1"); sent != 3 || held != 0 || err != nil {
		t.Errorf("%d sent, %d held, %v", sent, held, err)
	}
	// Silence says nothing; a hit does.
	if got := b.rec.Activity(three, time.Hour); got.State != NotKnown {
		t.Errorf("%+v", got)
	}
	if got := b.rec.Activity(one, time.Hour); got.State != Active {
		t.Errorf("%+v", got)
	}

	// The router begins anew: what was counted stays counted. What it does not show any more is forgotten.
	c.set(map[string]device.Counter{octets: {Packets: 1, Bytes: 100}}, nil)
	b.until("more", func() bool { return b.rec.Counts()[one.ID].Packets == 3 })
	b.untilReceipt(two, RuleSent)
	b.stop()
}

// A router that shows texts counts two rules that differ in the octets of a number alone under one name: it is neither's.
func TestFlowsOfOneText(t *testing.T) {
	t.Parallel()
	b, c := flowing(t)
	narrow := discard(t, 1, 53)
	wide := narrow
	var list []flowspec.Component
	for one := range narrow.Match.All() {
		if one.Type == flowspec.SrcPort {
			one.Terms[0].Width = 2
		}
		list = append(list, one)
	}
	var err error
	if wide.Match, err = flowspec.NewMatch(narrow.Match.Family(), flowspec.RD{}, list...); err != nil {
		t.Fatal(err)
	}
	if wide.Match.Equal(narrow.Match) || wide.Match.String() != narrow.Match.String() {
		t.Fatalf("%v and %v should differ in their octets alone", wide.Match, narrow.Match)
	}
	wide.ID = flowspec.NewID(wide.Source, wide.Match)
	c.set(map[string]device.Counter{device.FlowName(wide.Match): {Packets: 5}}, nil)
	b.set(narrow, wide)
	b.start()
	b.until("counters to be read", func() bool { totals := b.rec.Totals(); return len(totals) == 1 && !totals[0].Read.IsZero() })
	b.untilReceipt(narrow, RuleSent)
	b.untilReceipt(wide, RuleSent)
	c.set(map[string]device.Counter{device.FlowName(wide.Match): {Packets: 6}, device.NLRIName(wide.Match): {Packets: 6}}, nil)
	b.untilReceipt(wide, RuleCounting)
	if n := b.rec.Counts(); n[narrow.ID].Hit() {
		t.Errorf("counts %v", n)
	}
	b.stop()
}
