package plan_test

import (
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/profile"
	"github.com/sluice-gateway/sluice/profiles"
)

// fataler is a testing.TB or a *rapid.T.
type fataler interface {
	Helper()
	Fatal(...any)
}

// embedded returns a shipped profile.
func embedded(t fataler, name string) (*profile.Profile, map[string]string) {
	t.Helper()
	p, settings, err := profiles.Embedded().Select(name)
	if err != nil {
		t.Fatal(err)
	}
	return p, settings
}

const gamePorts = "80,443,3074,7777,9987,27015,30120"

// TestRulesAlone holds rules by themselves: how each is carried, in how many entries, and the codes of the reasons.
func TestRulesAlone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ profile, rule, want string }{
		{"asr9k", "dst 203.0.113.10/32 proto 17 sport 19,53,111,123,161 -> discard", "native 1"},
		{"asr9k", "dst 203.0.113.10/32 proto 17 sport 19,53,111,123,161,389 -> discard", "rewritten 2 split-values"},
		{"asr9k", "dst 203.0.113.10/32 proto 17 sport 19,53,111,123,161,389,1900,11211 len >=400 -> discard", "rewritten 2 split-values"},
		{"asr9k", "dst 203.0.113.10/32 proto 17 sport 10,11,12,13,14,15 -> rate 1000000", "rewritten 1 assumed-step assumed-floor merged-values"},
		{"asr9k", "dst 203.0.113.10/32 proto 6 flags all(2)&none(16) -> discard", "filter 1 moved-to-filter"},
		{"asr9k", "dst 203.0.113.10/32 proto 6 flags all(4),all(1) -> rate 1250000", "rewritten 1 assumed-step assumed-floor merged-values"},
		{"asr9k", "dst 203.0.113.10/32 proto 6 flags all(0x12) -> discard", "native 1"},
		{"asr9k", "dst 203.0.113.10/32 flags all(0x100) -> discard", "rejected 0 no-bits no-bits"},
		{"asr9k", "dst 203.0.113.20/32 proto 17 dport " + gamePorts + " -> rate 6250000", "rejected 0 rate-split no-action"},
		{"asr9k", "dst 203.0.113.20/32 proto 6 port 179 -> discard", "rewritten 2 rewritten-port"},
		{"asr9k", "dst 203.0.113.20/32 proto 6 port 179 -> rate 1000000", "rejected 0 rate-split no-action"},
		{"asr9k", "dst 203.0.113.20/32 port 179 dport 80 -> rate 1000000", "rewritten 1 assumed-step assumed-floor rewritten-port"},
		{"asr9k", "dst 203.0.113.20/32 port !=80 -> discard", "rewritten 2 rewritten-port"},
		{"asr9k", "dst 203.0.113.20/32 port >=0 -> discard", "rewritten 1 rewritten-port"},
		{"asr9k", "dst 203.0.113.20/32 proto >=0 -> discard", "native 1"},
		{"asr9k", "dst 203.0.113.20/32 proto true -> discard", "rewritten 1 always-true"},
		{"asr9k", "dst 203.0.113.20/32 proto false -> discard", "rewritten 0 never-matches"},
		{"asr9k", "dst 203.0.113.20/32 proto 1 itype 3,8 icode 0,1 -> discard", "rewritten 4 split-values split-values"},
		{"asr9k", "dst 203.0.113.20/32 itype 3 dport 80 -> discard", "rewritten 0 never-matches"},
		{"asr9k", "dst 203.0.113.20/32 frag any(2) -> discard", "native 1"},
		{"asr9k", "dst 203.0.113.20/32 frag any(6) -> discard", "rewritten 2 split-values"},
		{"asr9k", "dst 203.0.113.20/32 frag none(6) -> discard", "rejected 0 no-bits no-bits"},
		{"asr9k", "dst 203.0.113.20/32 dscp 1,3,5,7,9,11,13,15,17 -> discard", "rewritten 2 split-values"},
		{"asr9k", "dst 203.0.113.20/32 dscp 1,3,5,7,9,11,13,15 -> discard", "native 1"},
		{"asr9k", "dst 203.0.113.20/32 -> sample discard", "rejected 0 no-action no-action"},
		{"asr9k", "dst 203.0.113.20/32 -> pps 1000", "rejected 0 no-action no-action"},
		{"asr9k", "dst 203.0.113.20/32 -> mark 10 continue", "rejected 0 no-action no-action"},
		{"asr9k", "dst 203.0.113.30/32 proto 6 dport 443 -> vrf 65000 666", "native 1"},
		{"asr9k", "dst 203.0.113.31/32 proto 6 dport 443 -> simpson 192.0.2.99", "native 1"},
		{"asr9k", "dst 203.0.113.31/32 proto 6 dport 443 -> ietf 192.0.2.99", "rewritten 1 redirect-form"},
		{"asr9k", "dst 203.0.113.31/32 proto 6 dport 443 -> simpson 192.0.2.99 copy", "rejected 0 no-action no-action"},
		{"asr9k", "dst 203.0.113.31/32 -> simpson 2001:db8::99", "rejected 0 redirect-family"},
		{"asr9k", "dst 2001:db8::/32 label 5 -> discard", "rejected 0 no-component no-component"},
		{"asr9k", "dst 203.0.113.20/32 proto 6 port 22,179 flags all(2)&none(16) -> discard", "filter 4 moved-to-filter rewritten-port split-values split-values"},
		{"asr9k", "dst 203.0.113.20/32 proto 6,17 frag none(2) -> discard", "filter 2 moved-to-filter split-values"},
		{"asr9k", "dst 203.0.113.20/32 dport 443 flags all(2)&none(16) icode 1 -> discard", "rewritten 0 never-matches"},
		{"asr9k", "dst 2001:db8::/32 proto 6 flags all(2)&none(16) -> discard", "rejected 0 no-operator no-component"},
		{"junos-mx", "dst 203.0.113.20/32 proto 17 dport " + gamePorts + " -> rate 6250000", "native 1 assumed-step"},
		{"junos-mx", "dst 203.0.113.20/32 proto 6 port 179 -> discard", "native 1"},
		{"junos-mx", "dst 203.0.113.20/32 proto 6 port 179 dport 80 -> discard", "rewritten 1 rewritten-port"},
		{"junos-mx", "dst 203.0.113.20/32 proto 6 port 179,22 dport 80,22 -> discard", "rewritten 2 rewritten-port"},
		{"junos-mx", "dst 203.0.113.20/32 proto 6 port 179,22 dport 80,22 -> rate 1000000", "filter 2 moved-to-filter rewritten-port one-policer"},
		{"junos-mx", "dst 203.0.113.20/32 proto 6 flags all(2)&none(16) -> discard", "native 1"},
		{"junos-mx", "dst 203.0.113.20/32 proto 6 -> rate 999", "rewritten 1 rate-floor assumed-step"},
		{"junos-mx", "dst 203.0.113.20/32 proto 6 -> rate 100", "rewritten 1 inexact rate-floor assumed-step"},
		{"junos-mx", "dst 203.0.113.20/32 proto 6 -> rate 400000000000", "filter 1 moved-to-filter"},
		{"junos-mx", "dst 203.0.113.20/32 -> pps 1000", "filter 1 moved-to-filter assumed-floor"},
		{"junos-mx", "dst 203.0.113.31/32 proto 6 dport 443 -> simpson 192.0.2.99", "rewritten 1 redirect-form"},
		{"junos-mx", "dst 203.0.113.31/32 frag any(4) -> discard", "filter 1 moved-to-filter"},
		{"junos-mx", "dst 203.0.113.31/32 flags all(0x100) -> discard", "rejected 0 no-bits no-bits"},
		{"junos-mx", "dst 203.0.113.20/32 -> mark 10 continue", "rejected 0 actions-not-together"},
		{"arista-eos", "dst 203.0.113.20/32 proto 17 dport " + gamePorts + " -> discard", "rewritten 7 split-values assumed-values"},
		{"arista-eos", "dst 203.0.113.20/32 proto 17 dport " + gamePorts + " -> rate 6250000", "filter 1 moved-to-filter assumed-floor"},
		{"arista-eos", "dst 203.0.113.20/32 dscp 5 -> discard", "filter 1 moved-to-filter"},
		{"arista-eos", "dst 203.0.113.20/32 dscp 5 -> rate 6250000", "rejected 0 no-component rate-split"}, // later fragments apart: two policers
		{"arista-eos", "dst 203.0.113.20/32 dscp 5 frag none(2) -> rate 6250000", "filter 1 moved-to-filter assumed-floor"},
		{"arista-eos", "dst 203.0.113.20/32 dscp 5,6 dport 80 -> rate 6250000", "rejected 0 no-component rate-split"},
		{"arista-eos", "dst 203.0.113.20/32 dscp 5 proto <6 -> discard", "rejected 0 no-component number-too-small"},
		{"arista-eos", "dst 203.0.113.20/32 dscp 5 proto !=6&>0 -> discard", "filter 1 moved-to-filter"},
		{"arista-eos", "dst 203.0.113.20/32 dscp 5 frag any(4) -> discard", "rejected 0 no-component no-bits"},
		{"arista-eos", "dst 203.0.113.20/32 dscp 5 flags all(2) -> discard", "rejected 0 no-component no-component"},
		{"arista-eos", "dst 2001:db8::1/128 dscp 5 -> discard", "filter 1 moved-to-filter"},
		{"arista-eos", "dst 2001:db8::1/128 dscp 5 -> rate 6250000", "filter 1 moved-to-filter assumed-floor"},
		{"arista-eos", "dst 2001:db8::1/128 dscp 5 proto 17 -> discard", "rejected 0 no-component no-component"},
		{"arista-eos", "dst 203.0.113.31/32 -> simpson 192.0.2.99", "filter 1 moved-to-filter"},
		{"generic", "dst 203.0.113.31/32 -> unknown", "rejected 0 unknown-action no-filter"},
		{"generic", "dst 203.0.113.31/32 proto !=6&!=17 -> discard", "native 1"},
		{"generic", "dst 203.0.113.31/32 proto <300 -> discard", "rewritten 1 always-true"},
		{"generic", "proto <300 -> discard", "rewritten 1 reworded"},
	} {
		p, settings := embedded(t, c.profile)
		r := rule(t, c.rule)
		_, verdicts := mustPlan(t, rules(t, c.rule), p, plan.Options{Settings: settings})
		if got := summary(verdicts[r.ID]); got != c.want {
			t.Errorf("%s: %s\n got %s\nwant %s", c.profile, c.rule, got, c.want)
		}
	}
}

// TestTables holds rules together. A line is a rule, and behind # how it is carried.
func TestTables(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, profile, table string
		opt                  plan.Options
	}{
		{name: "an exception above a discard, in RFC order", profile: "junos-mx", table: `
			dst 203.0.113.53/32 proto 17 sport 123 -> accept # native 1
			dst 203.0.112.0/22 proto 17 sport 123 len 76-220,222-1500 -> discard # native 1`},
		{name: "the same where the order is not known", profile: "junos-mx:term-order=legacy", table: `
			dst 203.0.113.53/32 proto 17 sport 123 -> accept # filter 1 moved-with-others
			dst 203.0.112.0/22 proto 17 sport 123 len 76-220,222-1500 -> discard # filter 1 moved-with-others
			dst 198.51.100.1/32 proto 17 -> discard # native 1`},
		{name: "and without a filter", profile: "junos-mx:term-order=legacy", opt: plan.Options{NoFilter: true}, table: `
			dst 203.0.113.53/32 proto 17 sport 123 -> accept # native 1
			dst 203.0.112.0/22 proto 17 sport 123 len 76-220,222-1500 -> discard # rejected 0 order-unknown`},
		{name: "IPv6 on Junos has no known order", profile: "junos-mx", table: `
			dst 2001:db8::1/128 proto 17 -> accept # filter 1 moved-with-others
			dst 2001:db8::/32 proto 17 -> discard # filter 1 moved-with-others
			dst 2001:db8:1::/48 proto 6 -> discard # native 1`},
		{name: "discards in any order", profile: "junos-mx:term-order=legacy", table: `
			dst 203.0.113.53/32 proto 17 -> discard # native 1
			dst 203.0.112.0/22 -> discard # native 1`},
		{name: "a SYN flood with an allow list", profile: "asr9k", table: `
			dst 203.0.113.80/32 src 198.51.100.0/24 proto 6 dport 80,443 -> accept # native 1
			dst 203.0.113.80/32 proto 6 dport 80,443 flags all(2)&none(16) -> rate 12500000 # rejected 0 no-operator no-action`},
		{name: "an exception that is lost takes its discard along", profile: "asr9k", opt: plan.Options{NoFilter: true}, table: `
			dst 203.0.113.80/32 proto 6 flags all(2)&none(16) -> accept # rejected 0 no-operator no-filter
			dst 203.0.113.0/24 proto 6 -> discard # rejected 0 exception-lost
			dst 203.0.113.0/24 proto 17 -> discard # native 1`},
		{name: "and whatever the lost discard hid", profile: "asr9k", opt: plan.Options{NoFilter: true}, table: `
			dst 203.0.113.80/32 proto 6 flags all(2)&none(16) -> accept # rejected 0 no-operator no-filter
			dst 203.0.113.80/32 proto 6 -> discard # rejected 0 exception-lost
			dst 203.0.113.80/32 -> discard # rejected 0 exception-lost
			dst 203.0.113.0/24 -> discard # rejected 0 exception-lost
			src 198.51.100.0/24 -> discard # rejected 0 exception-lost`},
		{name: "but not what another exception hides", profile: "asr9k", opt: plan.Options{NoFilter: true}, table: `
			dst 203.0.113.80/32 proto 6 flags all(2)&none(16) -> accept # rejected 0 no-operator no-filter
			dst 203.0.113.80/32 proto 6 -> accept # native 1 assumed-order
			dst 203.0.113.80/32 -> discard # native 1 assumed-order
			dst 203.0.113.0/24 -> discard # native 1 assumed-order`},
		{name: "unless its packets cannot exist", profile: "asr9k", opt: plan.Options{NoFilter: true}, table: `
			dst 203.0.113.80/32 proto 6 flags all(2)&none(16) len <20 -> accept # rejected 0 no-operator no-filter
			dst 203.0.113.0/24 proto 6 -> discard # native 1`},
		{name: "a lost discard exposes nothing", profile: "asr9k", opt: plan.Options{NoFilter: true}, table: `
			dst 203.0.113.80/32 proto 6 flags all(2)&none(16) -> discard # rejected 0 no-operator no-filter
			dst 203.0.113.0/24 proto 6 -> accept # native 1`},
		{name: "where there is a filter it is not lost", profile: "asr9k", table: `
			dst 203.0.113.80/32 proto 6 flags all(2)&none(16) -> accept # filter 1 moved-to-filter
			dst 203.0.113.0/24 proto 6 -> discard # filter 1 moved-with-others
			dst 203.0.113.0/24 proto 17 -> discard # native 1`},
		{name: "the first chunk of a list falls behind another rule, which loses what the list decides", profile: "asr9k", table: `
			dst 203.0.113.9/32 sport 1,3,5,7,9,11 -> accept # rewritten 2 split-values
			dst 203.0.113.9/32 sport 2-12 -> discard # rewritten 2 remedy-subtract`},
		{name: "the same without remedies", profile: "asr9k", opt: plan.Options{Remedies: []string{}}, table: `
			dst 203.0.113.9/32 sport 1,3,5,7,9,11 -> accept # rewritten 2 split-values
			dst 203.0.113.9/32 sport 2-12 -> discard # rejected 0 order-conflict`},
		{name: "rules that go to the filter take along what overlaps them", profile: "junos-mx", table: `
			dst 203.0.113.80/32 proto 6 port 22,179 dport 22,80 -> rate 1000000 # filter 2 moved-to-filter rewritten-port one-policer
			dst 203.0.113.0/24 proto 6 -> accept # filter 1 moved-with-others
			dst 203.0.113.0/24 proto 17 -> discard # native 1`},
		{name: "a VRF redirect cannot follow them", profile: "junos-mx", table: `
			dst 203.0.113.80/32 proto 6 port 22,179 dport 22,80 -> rate 1000000 # filter 2 moved-to-filter rewritten-port one-policer
			dst 203.0.113.0/24 proto 6 -> vrf 65000 1 # rejected 0 cluster-split no-instance`},
		{name: "but where its instance is named", profile: "junos-mx", opt: plan.Options{Instances: filter.Instances{{Form: flowspec.RedirectAS2, Global: 65000, Local: 1}: "SCRUB"}}, table: `
			dst 203.0.113.80/32 proto 6 port 22,179 dport 22,80 -> rate 1000000 # filter 2 moved-to-filter rewritten-port one-policer
			dst 203.0.113.0/24 proto 6 -> vrf 65000 1 # filter 1 moved-with-others`},
		{name: "both lists share their first chunk", profile: "asr9k", table: `
			dst 203.0.113.9/32 sport 1,3,5,7,9,11 -> accept # rewritten 2 split-values assumed-order
			dst 203.0.113.9/32 sport 1,3,5,7,9,20 -> discard # rewritten 1 split-values shadowed-part assumed-order`},
		{name: "what one stage marks, the next one reads", profile: "junos-mx", table: `
			dst 203.0.113.9/32 dscp 0 frag any(4) -> mark 46 # filter 1 moved-to-filter
			dst 203.0.113.9/32 dscp 46 -> discard # filter 1 moved-with-others
			dst 203.0.113.9/32 dscp 10 -> discard # native 1`},
		{name: "what was sampled in the filter would be sampled again", profile: "junos-mx", table: `
			dst 203.0.113.0/24 frag any(4) -> sample # filter 1 moved-to-filter
			dst 203.0.113.0/24 proto 17 -> sample # filter 1 moved-with-others
			dst 203.0.113.0/24 proto 6 -> accept # filter 1 moved-with-others
			proto 50 -> sample # filter 1 moved-with-others
			dst 198.51.100.0/24 proto 6 -> sample # native 1`},
		{name: "what is discarded or marked twice is discarded or marked once", profile: "junos-mx", table: `
			dst 203.0.113.0/24 frag any(4) -> discard # filter 1 moved-to-filter
			dst 203.0.113.0/24 proto 17 -> discard # native 1
			dst 198.51.100.0/24 frag any(4) -> mark 46 # filter 1 moved-to-filter
			dst 198.51.100.0/24 proto 17 -> mark 46 # native 1`},
		{name: "two rules with one piece", profile: "asr9k", table: `
			dst 203.0.113.9/32 proto 6 port 53 -> discard # rewritten 2 rewritten-port
			dst 203.0.113.9/32 proto 6 dport 53 -> discard # rewritten 0 shadowed-part`},
		{name: "in front of the operator's filter only discards stand", profile: "junos-mx", opt: plan.Options{NoNative: true, Placement: filter.Before}, table: `
			dst 203.0.113.9/32 proto 6 -> discard # filter 1
			dst 203.0.113.9/32 proto 17 dport 53 -> accept # rejected 0 no-native placement-before
			dst 203.0.113.9/32 proto 17 -> discard # rejected 0 no-native exception-lost`},
	} {
		p, settings := embedded(t, c.profile)
		c.opt.Settings = settings
		var lines, want []string
		for _, line := range strings.Split(strings.TrimSpace(c.table), "\n") {
			text, how, _ := strings.Cut(line, "#")
			lines, want = append(lines, strings.TrimSpace(text)), append(want, strings.TrimSpace(how))
		}
		_, verdicts := mustPlan(t, rules(t, strings.Join(lines, "\n")), p, c.opt)
		for i, line := range lines {
			if got := summary(verdicts[rule(t, line).ID]); got != want[i] {
				t.Errorf("%s: %s\n got %s\nwant %s", c.name, line, got, want[i])
			}
		}
	}
}

func TestARefusedRateShowsTwoPackets(t *testing.T) {
	t.Parallel()
	p, _ := embedded(t, "asr9k")
	r := rule(t, "dst 203.0.113.20/32 proto 17 dport "+gamePorts+" -> rate 6250000")
	_, verdicts := mustPlan(t, rules(t, "dst 203.0.113.20/32 proto 17 dport "+gamePorts+" -> rate 6250000"), p, plan.Options{})
	w := verdicts[r.ID].Witness
	if w == nil || w.Other == nil || w.Packet == *w.Other {
		t.Fatalf("witness %+v, want two packets that would not share a policer any more", w)
	}
	if !r.Match.Set().Has(w.Packet) || !r.Match.Set().Has(*w.Other) {
		t.Errorf("the packets %s and %s are not of the rule", w.Packet, *w.Other)
	}
}

func TestAnOrderConflictShowsThePacket(t *testing.T) {
	t.Parallel()
	p, _ := embedded(t, "asr9k")
	text := `dst 203.0.113.9/32 sport 1,3,5,7,9,11 -> accept
		dst 203.0.113.9/32 sport 2-12 -> discard`
	rs := rules(t, text)
	_, verdicts := mustPlan(t, rs, p, plan.Options{Remedies: []string{}})
	w := verdicts[rs[1].ID].Witness
	if w == nil || w.Want != "accept" || w.Got != "discard" || !rs[0].Match.Set().Has(w.Packet) || !rs[1].Match.Set().Has(w.Packet) {
		t.Errorf("witness %+v, want a packet of both rules, accepted by the one and discarded by the other", w)
	}
}

func TestOptionsThatAProfileDoesNotHave(t *testing.T) {
	t.Parallel()
	p, _ := embedded(t, "asr9k")
	for _, opt := range []plan.Options{{Settings: map[string]string{"colour": "blue"}}, {Placement: "behind"}} {
		if _, err := plan.Make(snapshot(t, "dst 192.0.2.1/32 -> discard"), p, opt); err == nil {
			t.Errorf("%+v: no error", opt)
		}
	}
}

func TestWarningsOfTheDevice(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ profile, rule, code string }{
		{"junos-mx", "dst 192.0.2.1/32 -> discard", "term-order"},
		{"junos-mx", "dst 192.0.2.1/32 -> rate 1000000", "rate-per-engine"},
		{"asr9k", "dst 192.0.2.1/32 -> discard", "local-install"},
		{"asr9k", "dst 192.0.2.1/32 -> simpson 192.0.2.9", "redirect-validation"},
		{"arista-eos", "dst 192.0.2.1/32 -> discard", "assumed-scale"},
	} {
		p, settings := embedded(t, c.profile)
		out, _ := mustPlan(t, rules(t, c.rule), p, plan.Options{Settings: settings})
		found := false
		for _, w := range out.Warnings {
			found = found || w.Code == c.code
		}
		if !found {
			t.Errorf("%s, %s: warnings %+v, want %s", c.profile, c.rule, out.Warnings, c.code)
		}
	}
	p, settings := embedded(t, "junos-mx:term-order=legacy")
	out, _ := mustPlan(t, rules(t, "dst 192.0.2.1/32 -> discard"), p, plan.Options{Settings: settings})
	for _, w := range out.Warnings {
		if w.Code == "term-order" {
			t.Errorf("the plan does not rely on RFC order and asks for it: %+v", w)
		}
	}
}

// The weakest fact decides how sure a verdict is, and the order counts only where it decides something.
func TestBasis(t *testing.T) {
	t.Parallel()
	p, _ := embedded(t, "asr9k")
	lone := "dst 203.0.113.9/32 proto 6 -> discard"
	_, verdicts := mustPlan(t, rules(t, lone), p, plan.Options{})
	if v := verdicts[rule(t, lone).ID]; v.Basis != profile.Documented || len(v.Facts) == 0 {
		t.Errorf("a lone rule rests on %s (%v)", v.Basis, v.Facts)
	}
	pair := lone + "\ndst 203.0.113.0/24 -> accept"
	_, verdicts = mustPlan(t, rules(t, pair), p, plan.Options{})
	v := verdicts[rule(t, lone).ID]
	if want := p.Facts[p.Native.Order.Fact].Basis; v.Basis != profile.Weaker(profile.Documented, want) {
		t.Errorf("a rule above another rests on %s (%v), and the order on %s", v.Basis, v.Facts, want)
	}
}
