package filter_test

import (
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/table"
)

// Rules in RFC order, each as one guarded entry with a policer of its own, are the table that the rules ask for, on every platform.
func TestTableIsWhatTheRulesAskFor(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		v, s := versions.Draw(t, "version"), semantics.Draw(t, "semantics")
		f := filter.Filter{Name: "sluice-x", Version: v, Placement: filter.Alone}
		var rules []flowspec.Rule
		matches := map[flowspec.ID]filter.Match{}
		for range rapid.IntRange(1, 3).Draw(t, "rules") {
			rule, m := ruleAndMatch(t, v)
			id := flowspec.NewID("test", rule)
			if _, twice := matches[id]; twice {
				continue
			}
			matches[id] = m
			rules = append(rules, flowspec.Rule{ID: id, Match: rule, Action: ruleAction(t)})
		}
		slices.SortFunc(rules, func(a, b flowspec.Rule) int { return flowspec.Compare(a.Match, b.Match) })
		for _, r := range rules {
			e := filter.Entry{Name: string(r.ID), Match: filter.Guard(matches[r.ID], v, s)}
			e.Do = filter.Do{Redirect: r.Action.Redirect, Mark: r.Action.Mark, Sample: r.Action.Sample, Continue: r.Action.Continue, Discard: r.Action.Discard()}
			if r.Action.Rate != nil && !e.Do.Discard {
				e.Do.Policer = "sluice-" + string(r.ID)
				f.Policers = append(f.Policers, filter.Policer{Name: e.Do.Policer, Rate: *r.Action.Rate, Burst: 1500})
			}
			f.Entries = append(f.Entries, e)
		}
		if d := table.Diff(table.Of(rules), f.Table(s)); d != nil {
			t.Fatalf("%v: %+v", rules, d)
		}
	})
}

func ruleAction(t *rapid.T) flowspec.Action {
	var a flowspec.Action
	if rapid.Bool().Draw(t, "limited") {
		a.Rate = &flowspec.Rate{Amount: float32(rapid.IntRange(0, 2).Draw(t, "rate") * 1000), Unit: flowspec.Bytes, AS: 65000}
	}
	if rapid.Bool().Draw(t, "redirected") {
		a.Redirect = &flowspec.Redirect{Form: flowspec.NextHopIETFv4, Addr: netip.MustParseAddr("192.0.2.99")}
	}
	a.Sample, a.Continue = rapid.Bool().Draw(t, "sample"), rapid.Bool().Draw(t, "continue")
	return a
}

// A term that does not check the protocol holds more packets than the rule, and the table says which.
func TestTableShowsAnUnguardedPort(t *testing.T) {
	t.Parallel()
	f := filter.Filter{Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Alone, Entries: []filter.Entry{
		{Name: "a", Match: filter.Match{SrcPort: packet.Values{{Lo: 53, Hi: 53}}}, Do: filter.Do{Discard: true}},
	}}
	checked := f.Table(filter.Semantics{PortsCheckProtocol: true, TransportChecksOffset: true})
	d := table.Diff(checked, f.Table(filter.Semantics{}))
	if d == nil || d.GotEntry != "a" || d.Packet.Proto == 6 && d.Packet.Fragment < packet.Middle {
		t.Fatalf("got %+v, want a packet that has no port and is discarded", d)
	}
}
