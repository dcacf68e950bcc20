package plan_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/profile"
)

// A verdict rests on the least sure of what is needed for what is sent.
func TestWeakestFact(t *testing.T) {
	t.Parallel()
	const documented, assumed = profile.Documented, profile.Assumed
	for _, c := range []struct {
		profile, rule string
		want          profile.Basis
		fact          string // that must be among the facts, or not where it begins with "-"
	}{
		{"asr9k", "dst 203.0.113.1/32 frag any(2) -> discard", documented, "-other-fragments"}, // every guide lists is-fragment
		{"asr9k", "dst 203.0.113.1/32 frag any(1) -> discard", assumed, "other-fragments"},
		{"asr9k", "dst 203.0.113.1/32 frag any(4) -> discard", assumed, "other-fragments"},
		{"asr9k", "dst 203.0.113.1/32 frag any(8) -> discard", assumed, "other-fragments"},
		{"asr9k", "dst 2001:db8::1/128 frag any(2) -> discard", assumed, "one-fragment-v6"},
		{"junos-mx", "dst 203.0.113.1/32 proto 17 -> discard", documented, "-flow-terms"},
		{"junos-mx", "dst 203.0.113.1/32 proto 17 dport 53 -> discard", assumed, "flow-terms"},
		{"junos-mx", "dst 203.0.113.1/32 proto 6 flags all(2) -> discard", assumed, "flow-terms"},
		{"junos-mx", "dst 203.0.113.1/32 itype 8 -> discard", assumed, "flow-terms"},
		{"junos-mx", "dst 203.0.113.1/32 len <100 -> discard", documented, "half-lines"},
		{"junos-mx", "dst 203.0.113.1/32 len !=100 -> discard", documented, "half-lines"}, // became two half-lines
		{"arista-eos", "dst 203.0.113.1/32 dport !=80 -> discard", assumed, "rfc5575"},    // likewise
	} {
		p, settings := embedded(t, c.profile)
		r := rule(t, c.rule)
		_, verdicts := mustPlan(t, rules(t, c.rule), p, plan.Options{Settings: settings, NoFilter: true})
		v := verdicts[r.ID]
		name, not := strings.CutPrefix(c.fact, "-")
		if v.Basis != c.want || slices.Contains(v.Facts, name) == not {
			t.Errorf("%s: %s: %s on %v, want %s and the fact %s", c.profile, c.rule, v.Basis, v.Facts, c.want, c.fact)
		}
	}
}

// A warning that is about many rules waits until there are so many.
func TestWarningAbove(t *testing.T) {
	t.Parallel()
	p, settings := embedded(t, "junos-mx")
	for _, n := range []int{3500, 3501} {
		var text strings.Builder
		for i := range n {
			fmt.Fprintf(&text, "dst 10.%d.%d.1/32 proto 17 -> discard\n", i>>8, i&0xff)
		}
		got, _ := mustPlan(t, rules(t, text.String()), p, plan.Options{Settings: settings})
		warned := slices.ContainsFunc(got.Warnings, func(r plan.Reason) bool { return r.Code == "fast-lookup" })
		if warned != (n > 3500) {
			t.Errorf("%d rules: warned: %v", n, warned)
		}
	}
}

// Reasons read as a person would say them.
func TestWordsOfReasons(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ profile, rule, want string }{
		{"asr9k", "dst 203.0.113.1/32 proto 6 flags all(4),all(1) -> discard", "tcp-flags: 1 value says the same as 2"},
		{"arista-eos", "dst 203.0.113.1/32 proto 6 flags none(2) -> discard", "tcp-flags: arista-eos cannot ask whether none of the bits is set"},
		{"asr9k", "dst 203.0.113.1/32 proto 6 flags all(2)&none(16) -> discard", "tcp-flags: cisco-asr9k does not take terms joined by &"},
	} {
		p, settings := embedded(t, c.profile)
		_, verdicts := mustPlan(t, rules(t, c.rule), p, plan.Options{Settings: settings, NoFilter: true})
		reasons := verdicts[rule(t, c.rule).ID].Reasons
		if !slices.ContainsFunc(reasons, func(r plan.Reason) bool { return r.Message == c.want }) {
			t.Errorf("%s: %+v, want %q", c.rule, reasons, c.want)
		}
	}
}
