package reconcile

import (
	"strings"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
)

// untilReceipt waits until a rule has come as far on the one device, and returns the receipt.
func (b *bench) untilReceipt(r flowspec.Rule, want ReceiptState) (got Receipt) {
	b.t.Helper()
	b.until("receipt "+string(want), func() bool { got = b.rec.Receipts(r)[0]; return got.State == want })
	return got
}

// A receipt tells of a filter rule whether it was read back, and in the router's words why not.
func TestReceiptOfAFilter(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.rules.goLive(t)
	one, two := discard(t, 1, 53), discard(t, 2, 53)
	b.set(one)
	b.start()
	held := b.untilReceipt(one, RuleHeld)
	if held.Since.IsZero() && held.Error != "" {
		t.Errorf("receipt %+v", held)
	}
	b.router.change(func(r *router) { r.refuse = "no space in TCAM" })
	b.set(one, two)
	refused := b.untilReceipt(two, RuleRefused)
	if !strings.Contains(refused.Error, "no space in TCAM") || len(refused.Attempts) != 1 || refused.Attempts[0].Outcome != device.WasRefused {
		t.Errorf("receipt %+v", refused)
	}
	if got := b.untilReceipt(one, RuleHeld); got.Error != "" {
		t.Errorf("the rule that is there: %+v", got)
	}
	b.router.change(func(r *router) { r.refuse = ""; r.unreachable = true })
	b.rec.Sync("mx1")
	if got := b.untilReceipt(two, RuleFailed); !strings.Contains(got.Error, "no route to host") {
		t.Errorf("receipt %+v", got)
	}
	b.router.change(func(r *router) { r.unreachable = false })
	b.rec.Sync("mx1")
	var got Receipt
	b.until("the attempt in the receipt", func() bool { got = b.rec.Receipts(two)[0]; return got.State == RuleHeld && len(got.Attempts) == 3 }) // it is written down right after
	if n := len(got.Attempts); n != 3 || got.Attempts[2].Outcome != device.Delivered || !got.Since.Equal(got.Attempts[2].At) {
		t.Errorf("receipt %+v", got)
	}

	b.stop()
	b.start()
	if after := b.untilReceipt(two, RuleHeld); len(after.Attempts) != 3 || !after.Since.Equal(got.Since) {
		t.Errorf("after a restart: %+v, want as before: %+v", after, got)
	}
	b.freeze("mx1", device.Freeze{})
	three := discard(t, 3, 53)
	b.set(one, two, three)
	b.untilReceipt(three, RuleFrozen)
	b.untilReceipt(two, RuleHeld)
	if err := b.rec.Thaw("mx1"); err != nil {
		t.Fatal(err)
	}
	b.untilReceipt(three, RuleHeld)
	b.stop()
	b.router.change(func(r *router) { r.running = nil })
	b.start()
	b.wait(Frozen)
	if got := b.rec.Receipts(three)[0]; got.State != RuleFrozen && got.State != RuleDrifted {
		t.Errorf("where somebody removed the filter: %+v", got)
	}
}

// What is only sent never says more; what ends soon says so; what the platform cannot carry is refused without an attempt.
func TestReceiptOfARoute(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.withPeer(false)
	soon := discard(t, 1, 53)
	soon.Expires = b.now().Add(30 * time.Second)
	later := discard(t, 2, 53)
	later.Expires = b.now().Add(time.Hour)
	odd := rule(t, flowspec.Action{Unknown: []flowspec.ExtComm{"\x07\x02\x00\x00\x00\x01\x00\x02"}}, 3, 53)
	b.set(soon, later, odd)
	b.start()
	b.untilReceipt(later, RuleSent)
	b.untilReceipt(soon, RuleExpiring)
	if got := b.untilReceipt(odd, RuleRefused); got.Error == "" || len(got.Attempts) != 0 {
		t.Errorf("receipt %+v", got)
	}
	b.untilReceipt(discard(t, 4, 53), RulePending) // no plan has it
}

// forgotten is a Loc-RIB that knows until when rules of a lost source are kept.
type forgotten struct {
	*rules
	until map[flowspec.ID]time.Time
}

func (f forgotten) Stale(id flowspec.ID) (time.Time, bool) {
	until, found := f.until[id]
	return until, found
}

// What a lost source left says so, and until when, and still counts for what is known of it: sent over BGP, held in a filter. What is refused or not given yet is not stale beside that.
func TestReceiptOfAStaleRule(t *testing.T) {
	t.Parallel()
	for _, filter := range []bool{true, false} {
		b := newBench(t)
		want := RuleHeld
		if !filter {
			b.withPeer(false)
			want = RuleSent
		}
		stays, lost := discard(t, 1, 53), discard(t, 2, 53)
		odd := rule(t, flowspec.Action{Unknown: []flowspec.ExtComm{"\x07\x02\x00\x00\x00\x01\x00\x02"}}, 3, 53)
		until := b.now().Add(time.Hour)
		b.set(stays, lost, odd)
		b.source = forgotten{b.rules, map[flowspec.ID]time.Time{lost.ID: until, odd.ID: until}}
		b.start()
		b.wait(InSync)
		if got := b.untilReceipt(lost, RuleStale); got.Standing != want || !got.Until.Equal(until) || got.Error != "" {
			t.Errorf("receipt %+v", got)
		}
		if got := b.untilReceipt(stays, want); got.Standing != "" || !got.Until.IsZero() {
			t.Errorf("receipt %+v", got)
		}
		b.untilReceipt(odd, RuleRefused)
		sent, held, err := b.rec.Given("mx1")
		if err != nil || sent+held != 2 || (held == 2) != filter {
			t.Errorf("%d sent, %d held, error %v", sent, held, err)
		}
		if tally, err := b.rec.Tally("mx1"); err != nil || tally[RuleStale] != 1 || tally[want] != 1 || tally[RuleRefused] != 1 {
			t.Errorf("tally %v, error %v", tally, err)
		}
	}
}

// What ended while a device was frozen is known by its ID, in the next life of the gateway as well, until the device is thawed.
func TestReceiptOfAnOverdueRule(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.withPeer(false)
	ended := discard(t, 1, 53)
	b.set(ended, discard(t, 2, 53))
	b.start()
	b.wait(InSync)
	b.freeze("mx1", device.Freeze{Until: b.now().Add(time.Hour)})
	if _, _, found := b.rec.Overdue(ended.ID); found {
		t.Error("overdue before it has ended")
	}
	b.set(discard(t, 2, 53))
	for range 2 {
		b.untilOverdue(1)
		r, receipts, found := b.rec.Overdue(ended.ID)
		if !found || r.ID != ended.ID || len(receipts) != 1 || receipts[0].State != RuleOverdue || receipts[0].Device != "mx1" || receipts[0].Until.IsZero() {
			t.Errorf("rule %v, receipts %+v, found %v", r, receipts, found)
		}
		if tally, err := b.rec.Tally("mx1"); err != nil || tally[RuleOverdue] != 1 {
			t.Errorf("tally %v, error %v", tally, err)
		}
		b.stop()
		b.withPeer(false)
		b.start()
	}
	b.untilOverdue(1)
	if err := b.rec.Thaw("mx1"); err != nil {
		t.Fatal(err)
	}
	b.wait(InSync)
	if _, _, found := b.rec.Overdue(ended.ID); found {
		t.Error("thawed, and still overdue")
	}
}

// The history of a device that fails in the same way again and again is one line, and that of a busy one is bounded.
func TestHistoryIsBounded(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.rules.goLive(t)
	b.router.change(func(r *router) { r.unreachable = true })
	b.set(discard(t, 1, 53))
	b.start()
	for range 3 {
		b.rec.Sync("mx1")
		b.wait(Unreachable)
	}
	b.until("the attempts", func() bool {
		h, err := b.rec.History("mx1")
		return err == nil && len(h) == 1 && h[0].Times >= 2 && h[0].Outcome == device.NotReached && !h[0].Last.IsZero()
	})
	b.router.change(func(r *router) { r.unreachable = false })
	b.rec.Sync("mx1")
	for i := range device.MostRemembered + 10 {
		b.set(discard(t, byte(i), 53))
		b.wait(InSync)
	}
	h, err := b.rec.History("mx1")
	if err != nil || len(h) != device.MostRemembered {
		t.Errorf("%d attempts, error %v", len(h), err)
	}
	if last := h[len(h)-1]; len(last.Rules) != 2 || last.Took < 0 {
		t.Errorf("the last one: %+v", last)
	}
	if _, err := b.rec.History("nobody"); err == nil {
		t.Error("a history of nobody")
	}
}
