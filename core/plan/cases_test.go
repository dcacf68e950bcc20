package plan_test

import (
	"testing"

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

// TestRulesAlone holds one rule each: how it is carried, in how many entries, and why.
func TestRulesAlone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ profile, rule, want string }{
		{"asr9k", "dst 203.0.113.10/32 proto 17 sport 19,53,111,123,161 -> discard", "native 1"},
		{"asr9k", "dst 203.0.113.10/32 proto 17 sport 19,53,111,123,161,389 -> discard", "x"},
		{"asr9k", "dst 203.0.113.10/32 proto 17 sport 19,53,111,123,161,389,1900,11211 len >=400 -> discard", "x"},
		{"asr9k", "dst 203.0.113.10/32 proto 6 flags all(2)&none(16) -> discard", "x"},
		{"asr9k", "dst 203.0.113.20/32 proto 17 dport 80,443,3074,7777,9987,27015,30120 -> rate 6250000", "x"},
		{"junos-mx", "dst 203.0.113.20/32 proto 17 dport 80,443,3074,7777,9987,27015,30120 -> rate 6250000", "x"},
		{"arista-eos", "dst 203.0.113.20/32 proto 17 dport 80,443,3074,7777,9987,27015,30120 -> rate 6250000", "x"},
		{"asr9k", "dst 203.0.113.20/32 proto 6 port 179 -> discard", "x"},
		{"junos-mx", "dst 203.0.113.20/32 proto 6 port 179 -> discard", "x"},
		{"junos-mx", "dst 203.0.113.20/32 proto 6 port 179 dport 80 -> discard", "x"},
		{"junos-mx", "dst 203.0.113.20/32 proto 6 port 179 dport 80 -> rate 1000000", "x"},
		{"junos-mx", "dst 203.0.113.20/32 proto 6 -> rate 999", "x"},
		{"junos-mx", "dst 203.0.113.20/32 proto 6 flags all(0x100) -> discard", "x"},
		{"asr9k", "dst 203.0.113.30/32 proto 6 dport 443 -> vrf 65000 666", "x"},
		{"asr9k", "dst 203.0.113.31/32 proto 6 dport 443 -> ietf 192.0.2.99", "x"},
		{"junos-mx", "dst 203.0.113.31/32 proto 6 dport 443 -> simpson 192.0.2.99", "x"},
		{"arista-eos", "dst 203.0.113.31/32 proto 6 dport 443 -> simpson 192.0.2.99", "x"},
		{"generic", "dst 203.0.113.31/32 -> unknown", "x"},
		{"generic", "dst 203.0.113.31/32 proto !=6&!=17 -> discard", "x"},
		{"generic", "itype 3 dport 80 -> discard", "x"},
	} {
		p, settings := embedded(t, c.profile)
		r := rule(t, c.rule)
		_, verdicts := mustPlan(t, rules(t, c.rule), p, plan.Options{Settings: settings})
		v := verdicts[r.ID]
		t.Logf("%s %s: %s basis %s facts %v", c.profile, c.rule, summary(v), v.Basis, v.Facts)
		for _, r := range v.Reasons {
			t.Logf("    %s %s %q hint %q src %q", r.Code, r.Severity, r.Message, r.Hint, r.Source)
		}
		if v.Witness != nil {
			t.Logf("    witness %+v other %+v", *v.Witness, v.Witness.Other)
		}
		for _, e := range v.Entries {
			if e.Route != nil {
				t.Logf("    %s then %s", e.Route.Match, e.Route.Action)
			} else {
				t.Logf("    %+v", *e.Filter)
			}
		}
	}
}
