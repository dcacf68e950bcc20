package issue_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/certificate"
	"github.com/sluice-gateway/sluice/core/certificate/issue"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/profiles"
)

// twoRules are an exception and a discard around it, with a note that is nobody's business.
func twoRules(t *testing.T) []flowspec.Rule {
	t.Helper()
	var out []flowspec.Rule
	for i, octets := range []string{"\x09\x01\x20\xcb\x00\x71\x0a\x03\x81\x06", "\x05\x01\x18\xcb\x00\x71"} {
		m, err := flowspec.ParseNLRI(flowspec.IPv4, []byte(octets))
		if err != nil {
			t.Fatal(err)
		}
		r := flowspec.Rule{ID: flowspec.NewID("customer", m), Match: m, Source: "customer", Note: "hunter2"}
		if i == 1 {
			r.Action.Rate = &flowspec.Rate{Unit: flowspec.Bytes}
		}
		out = append(out, r)
	}
	return out
}

func TestCertificates(t *testing.T) {
	t.Parallel()
	p, settings, err := profiles.Embedded().Select("junos-mx:term-order=legacy")
	if err != nil {
		t.Fatal(err)
	}
	opt := plan.Options{Settings: settings}
	snap := rib.Of(twoRules(t))
	made, err := plan.Make(snap, p, opt)
	if err != nil {
		t.Fatal(err)
	}
	var texts [2]bytes.Buffer
	for i := range texts {
		c, err := issue.For(snap.Rules(), made, p, opt)
		if err != nil {
			t.Fatal(err)
		}
		if err := certificate.Write(&texts[i], c); err != nil {
			t.Fatal(err)
		}
		if c.Platform.Order != "unknown" || c.Settings["term-order"] != "legacy" || len(c.Facts) == 0 {
			t.Errorf("it says %+v with %v and %d facts", c.Platform, c.Settings, len(c.Facts))
		}
	}
	if !bytes.Equal(texts[0].Bytes(), texts[1].Bytes()) {
		t.Error("equal plans give unequal certificates")
	}
	for _, private := range []string{"hunter2", "customer"} {
		if strings.Contains(texts[0].String(), private) {
			t.Errorf("the certificate says %q", private)
		}
	}
	if _, err := issue.For(snap.Rules()[:1], made, p, opt); err == nil || !strings.Contains(err.Error(), "not one of these rules") {
		t.Errorf("a plan of other rules: %v", err)
	}
	other := *made
	other.Verdicts = append(other.Verdicts, made.Verdicts[0])
	if _, err := issue.For(snap.Rules(), &other, p, opt); err == nil {
		t.Error("two verdicts on one rule are taken")
	}
	if _, err := issue.For(snap.Rules(), made, p, plan.Options{Settings: map[string]string{"no": "such"}}); err == nil {
		t.Error("a setting that the profile does not have is taken")
	}
}
