package plan_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/profile"
	"github.com/sluice-gateway/sluice/core/rib"
)

// resized returns a profile with other limits of FlowSpec and of filters.
func resized(t testing.TB, name string, change func(*profile.Native, *profile.Filter)) *profile.Profile {
	t.Helper()
	like, _ := embedded(t, name)
	p, native := *like, *like.Native
	p.Native = &native
	if like.Filter != nil {
		f := *like.Filter
		p.Filter = &f
	}
	change(p.Native, p.Filter)
	return &p
}

// An NLRI that is longer than a receiver takes is cut at its lists, whatever their own limits are.
func TestLongRulesAreCut(t *testing.T) {
	t.Parallel()
	p := resized(t, "generic", func(n *profile.Native, _ *profile.Filter) { n.MaxNLRI = 239 })
	var ports []string
	for i := range 200 {
		ports = append(ports, fmt.Sprint(1000+2*i))
	}
	text := "dst 203.0.113.9/32 proto 17 sport " + strings.Join(ports, ",") + " -> discard"
	_, verdicts := mustPlan(t, rules(t, text), p, plan.Options{})
	v := verdicts[rule(t, text).ID]
	if v.Carried != plan.Rewritten || len(v.Entries) < 3 {
		t.Fatalf("%s", summary(v))
	}
	for _, e := range v.Entries {
		if n := len(e.Route.Match.NLRI()); n > 240 {
			t.Errorf("an NLRI of %d octets", n)
		}
	}
	limited := strings.Replace(text, "discard", "rate 1000000", 1)
	_, verdicts = mustPlan(t, rules(t, limited), p, plan.Options{})
	if got := summary(verdicts[rule(t, limited).ID]); got != "rejected 0 rate-split no-filter" {
		t.Errorf("with a rate: %s", got)
	}
	short := resized(t, "generic", func(n *profile.Native, _ *profile.Filter) { n.MaxNLRI = 8 })
	_, verdicts = mustPlan(t, rules(t, text), short, plan.Options{})
	if got := summary(verdicts[rule(t, text).ID]); got != "rejected 0 too-long no-filter" {
		t.Errorf("with room for nothing: %s", got)
	}
}

// Where a device holds a fixed number of rules, the first in precedence have the room: what is left out stands below them and exposes nothing.
func TestRulesOverTheLimit(t *testing.T) {
	t.Parallel()
	text := `
		dst 203.0.113.1/32 -> accept
		dst 203.0.113.2/32 -> discard
		dst 203.0.113.0/24 -> discard`
	hard := resized(t, "asr9k", func(n *profile.Native, _ *profile.Filter) { n.MaxRules = profile.Number{N: 2} })
	out, _ := mustPlan(t, rules(t, text), hard, plan.Options{})
	if len(out.Desired.Routes) != 2 || summary(*out.Verdicts[2]) != "rejected 0 over-budget" {
		t.Errorf("%d routes, the last rule: %s", len(out.Desired.Routes), summary(*out.Verdicts[2]))
	}
	soft := resized(t, "asr9k", func(n *profile.Native, _ *profile.Filter) { n.MaxRules = profile.Number{N: 2, Soft: true} })
	out, _ = mustPlan(t, rules(t, text), soft, plan.Options{})
	warned := false
	for _, w := range out.Warnings {
		warned = warned || w.Code == "over-scale"
	}
	if len(out.Desired.Routes) != 3 || !warned {
		t.Errorf("%d routes, warnings %+v", len(out.Desired.Routes), out.Warnings)
	}
	full := resized(t, "junos-mx", func(_ *profile.Native, f *profile.Filter) { f.MaxEntries = profile.Number{N: 2} })
	out, _ = mustPlan(t, rules(t, text), full, plan.Options{NoNative: true})
	if len(out.Desired.Filters) != 1 || len(out.Desired.Filters[0].Entries) != 2 || out.Verdicts[2].Carried != plan.Rejected {
		t.Errorf("filters %+v, the last rule: %s", out.Desired.Filters, summary(*out.Verdicts[2]))
	}
}

// A device counts in steps; the rate goes up to the next one, and what was asked and what is sent stand in the verdict.
func TestRatesGoUp(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		step, floor float64
		unit        string
		asked       float32
		got         float32
		exact       bool
	}{
		{step: 22, floor: 22, unit: "kbits/s", asked: 2750, got: 2750, exact: true},
		{step: 22, floor: 22, unit: "kbits/s", asked: 2751, got: 5500, exact: false},
		{step: 22, floor: 22, unit: "kbits/s", asked: 1, got: 2750, exact: false},
		{step: 22, floor: 22, unit: "kbits/s", asked: 12500000, got: 12501500, exact: true},
		{step: 1, floor: 1, unit: "kbits/s", asked: 100, got: 125, exact: false},
		{step: 1, floor: 8000, unit: "bits/s", asked: 1000000.0625, got: 1000000.125, exact: true},
		{step: 1, floor: 8000, unit: "bits/s", asked: 1250000000, got: 1250000000, exact: true},
		{step: profile.Unlimited, floor: profile.Unlimited, unit: "bytes/s", asked: 7, got: 7, exact: true},
	} {
		p := resized(t, "asr9k", func(n *profile.Native, _ *profile.Filter) {
			n.Actions.RateBytes = profile.RateLimit{OK: true, Unit: c.unit, Step: c.step, Floor: c.floor, Ceiling: profile.Unlimited}
		})
		r := rule(t, "dst 203.0.113.9/32 -> rate 1")
		r.Action.Rate.Amount = c.asked
		_, verdicts := mustPlan(t, []flowspec.Rule{r}, p, plan.Options{})
		v := verdicts[r.ID]
		if len(v.Entries) != 1 || v.Exact != c.exact || v.Entries[0].Route.Action.Rate.Amount != c.got {
			t.Errorf("%v bytes/s in steps of %v %s: %s, %s", c.asked, c.step, c.unit, summary(v), v.Entries[0].Route.Action)
		}
		changed := v.Carried == plan.Rewritten
		if changed != (c.got != c.asked) {
			t.Errorf("%v bytes/s became %v, and is carried %s", c.asked, c.got, v.Carried)
		}
	}
}

func TestNoRulesNoPlan(t *testing.T) {
	t.Parallel()
	p, _ := embedded(t, "junos-mx")
	for _, snap := range []rib.Snapshot{{}, rib.Of(nil), rib.Of([]flowspec.Rule{})} {
		out, err := plan.Make(snap, p, plan.Options{})
		if err != nil || len(out.Verdicts)+len(out.Desired.Routes)+len(out.Desired.Filters) != 0 {
			t.Errorf("%+v, %v", out, err)
		}
	}
}

// An IPv6 prefix with an offset is measured as the receiver is written it, and refused where nobody knows how it reads this one.
func TestOffsetsAsTheReceiverReadsThem(t *testing.T) {
	t.Parallel()
	withOffset := func(addr string, bits, offset uint8) flowspec.Rule {
		m, err := flowspec.NewMatch(flowspec.IPv6, flowspec.RD{}, flowspec.Component{Type: flowspec.DstPrefix, Prefix: flowspec.Prefix{Addr: netip.MustParseAddr(addr), Len: bits, Offset: offset}})
		if err != nil {
			t.Fatal(err)
		}
		r := rule(t, "dst 2001:db8::/32 -> discard")
		return flowspec.Rule{ID: r.ID, Match: m, Action: r.Action, Source: r.Source}
	}
	eight, odd := withOffset("::1234:5678:9a00:0", 104, 64), withOffset("::1:1234:5678:9800:0", 104, 60)
	for _, c := range []struct {
		form flowspec.OffsetForm
		room int
		rule flowspec.Rule
		want string
	}{
		{flowspec.OffsetUnsaid, 8, eight, "native 1"},
		{flowspec.OffsetRFC8956, 8, eight, "native 1"},
		{flowspec.OffsetWhole, 16, eight, "native 1"},
		{flowspec.OffsetWhole, 15, eight, "rejected 0 too-long no-filter"},
		{flowspec.OffsetFromOctet, 9, odd, "native 1"},
		{flowspec.OffsetEights, 8, eight, "native 1"},
		{flowspec.OffsetEights, 0, odd, "rejected 0 no-offset no-filter"},
	} {
		p := resized(t, "generic", func(n *profile.Native, _ *profile.Filter) { n.Offsets, n.MaxNLRI = c.form, c.room })
		_, verdicts := mustPlan(t, []flowspec.Rule{c.rule}, p, plan.Options{})
		if got := summary(verdicts[c.rule.ID]); got != c.want {
			t.Errorf("%v as %q within %d octets: %s, want %s", c.rule.Match, c.form, c.room, got, c.want)
		}
	}
}
