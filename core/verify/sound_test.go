package verify_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/sluice-gateway/sluice/core/certificate"
	"github.com/sluice-gateway/sluice/core/certificate/issue"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/profile"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/core/verify"
	"github.com/sluice-gateway/sluice/profiles"
	"pgregory.net/rapid"
)

var allProfiles = []string{"asr9k", "junos-mx", "junos-mx:term-order=legacy", "arista-eos", "generic", "nokia-sros", "huawei-vrp:redirect-ip=on", "frr:driver=netfilter"}

type fataler interface {
	Helper()
	Fatal(...any)
}

// certified plans rules and returns the certificate, as it comes out of a file.
func certified(t fataler, rules []flowspec.Rule, p *profile.Profile, opt plan.Options) *certificate.Certificate {
	t.Helper()
	snap := rib.Of(rules)
	made, err := plan.Make(snap, p, opt)
	if err != nil {
		t.Fatal(err)
	}
	c, err := issue.For(snap.Rules(), made, p, opt)
	if err != nil {
		t.Fatal(err)
	}
	return reread(t, c)
}

// reread writes c and reads it back.
func reread(t fataler, c *certificate.Certificate) *certificate.Certificate {
	t.Helper()
	var b bytes.Buffer
	if err := certificate.Write(&b, c); err != nil {
		t.Fatal(err)
	}
	out, err := certificate.Read(b.Bytes())
	if err != nil {
		t.Fatal(fmt.Sprintf("%v\n%s", err, b.String()))
	}
	return out
}

func text(c *certificate.Certificate) string {
	var b bytes.Buffer
	certificate.Write(&b, c)
	return b.String()
}

func drawCertificate(t *rapid.T, most int) *certificate.Certificate {
	p, settings, err := profiles.Embedded().Select(pick(t, "profile", allProfiles...))
	if err != nil {
		t.Fatal(err)
	}
	opt := drawOptions(t)
	opt.Settings = settings
	var rules []flowspec.Rule
	for n := rapid.IntRange(1, most).Draw(t, "rules"); n > 0; n-- {
		rules = append(rules, drawRule(t))
	}
	if rapid.IntRange(0, 2).Draw(t, "measured") > 0 {
		opt.Measured = drawMeasured(t, certified(t, rules, p, opt))
	}
	return certified(t, rules, p, opt)
}

// drawInMeasuredOrder draws rules that overlap and fare differently, for a device that was seen to evaluate them as they are asked for.
func drawInMeasuredOrder(t *rapid.T) *certificate.Certificate {
	p, settings, err := profiles.Embedded().Select("junos-mx:term-order=legacy")
	if err != nil {
		t.Fatal(err)
	}
	opt := plan.Options{Settings: settings, NoFilter: true, Remedies: []string{}}
	var rules []flowspec.Rule
	var list []flowspec.Match
	for n := rapid.IntRange(3, 6).Draw(t, "rules"); n > 0; n-- {
		r := drawRule(t)
		if r.Match.Family() == flowspec.IPv4 && !slices.ContainsFunc(list, r.Match.Equal) {
			rules, list = append(rules, r), append(list, r.Match)
		}
	}
	slices.SortFunc(list, flowspec.Compare)
	if opt.Measured, err = plan.NewMeasuredOrder(list); err != nil {
		t.Fatal(err)
	}
	return certified(t, rules, p, opt)
}

// drawMeasured draws an order of rules and entries of c that stand in families whose order is not known: near the one that was asked for, or any.
func drawMeasured(t *rapid.T, c *certificate.Certificate) *plan.MeasuredOrder {
	var list []flowspec.Match
	add := func(family string, one certificate.Clause) {
		m := route(family, certificate.Clause{NLRI: one.NLRI}, 0).match
		unknown := family == "ipv4" && c.Platform.Order == "unknown" || family == "ipv6" && c.Platform.OrderV6 == "unknown"
		if unknown && !slices.ContainsFunc(list, m.Equal) && rapid.IntRange(0, 5).Draw(t, "listed") > 0 {
			list = append(list, m)
		}
	}
	for _, r := range c.Rules {
		add(r.Family, r.Clause)
	}
	for _, e := range c.Entries {
		if e.Stage == certificate.FlowSpec {
			add(c.Rules[e.Rule].Family, e.Clause)
		}
	}
	slices.SortFunc(list, flowspec.Compare)
	if len(list) > 1 && rapid.Bool().Draw(t, "any order") {
		list = rapid.Permutation(list).Draw(t, "measured order")
	}
	order, err := plan.NewMeasuredOrder(list)
	if err != nil {
		t.Fatal(err)
	}
	return order
}

// often checks a property three times as often as rapid does by itself: a check takes less than a millisecond.
func often(t *testing.T, holds func(*rapid.T)) {
	t.Helper()
	for range 3 {
		rapid.Check(t, holds)
	}
}

// drawPoliced draws rules that go to a filter, most of them with a rate.
func drawPoliced(t *rapid.T) *certificate.Certificate {
	p, err := profiles.Embedded().Get("junos-mx")
	if err != nil {
		t.Fatal(err)
	}
	var rules []flowspec.Rule
	for n := rapid.IntRange(2, 6).Draw(t, "rules"); n > 0; n-- {
		r := drawRule(t)
		if rapid.IntRange(0, 3).Draw(t, "limit") > 0 {
			r.Action = flowspec.Action{Rate: &flowspec.Rate{Amount: pick(t, "rate", float32(1e6), 2e6, 700), Unit: flowspec.Bytes}}
		}
		rules = append(rules, r)
	}
	return certified(t, rules, p, plan.Options{NoNative: true})
}

// Whatever the planner makes is verified, and fares in the model as it should.
func TestPlansAreVerified(t *testing.T) {
	t.Parallel()
	often(t, func(t *rapid.T) {
		c := drawCertificate(t, 9)
		if err := verify.Check(c); err != nil {
			t.Fatalf("%v\n%s", err, text(c))
		}
		m, err := modelOf(c)
		if err != nil {
			t.Fatal(err)
		}
		if fault := m.faults(t, drawHeaders(t, 25)); fault != "" {
			t.Fatalf("verified, and %s\n%s", fault, text(c))
		}
	})
}

// A refusal names a place and a reason.
func refusal(t fataler, err error) *verify.Refusal {
	t.Helper()
	var r *verify.Refusal
	if !errors.As(err, &r) || r.Place == "" || r.Reason == "" {
		t.Fatal(fmt.Sprintf("%v is no refusal with place and reason", err))
	}
	return r
}
