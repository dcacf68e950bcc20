package verify

import (
	"errors"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/certificate"
)

// sample is a certificate that holds: an exception and a discard in a filter, a rate in FlowSpec beside them.
func sample() *certificate.Certificate {
	values := func(n uint32) certificate.Values { return certificate.Values{{n, n}} }
	return &certificate.Certificate{
		Version: 1, Profile: "sample",
		Platform: certificate.Platform{Order: "rfc8955", OrderV6: "rfc8955", Placement: "alone",
			Filter: &certificate.Semantics{SharedPolicer: true}},
		Rules: []certificate.Rule{
			{ID: "exception", Family: "ipv4", NLRI: "090120cb00710a038106", Actions: []string{}, Carried: "filter", Exact: true},
			{ID: "discard", Family: "ipv4", NLRI: "050118cb0071", Actions: []string{"8006000000000000"}, Carried: "filter", Exact: true},
			{ID: "rate", Family: "ipv4", NLRI: "090120c6336401038111", Actions: []string{"80060000447a0000"}, Carried: "native", Exact: true},
		},
		Policers: []certificate.Policer{{Name: "p", Rate: 1000, Unit: "bytes/s"}},
		Entries: []certificate.Entry{
			{Rule: 0, Name: "a", Match: &certificate.Match{Dst: "203.0.113.10/32", Proto: values(6)}, Do: &certificate.Do{}},
			{Rule: 1, Name: "b", Match: &certificate.Match{Dst: "203.0.113.0/24"}, Do: &certificate.Do{Discard: true}},
			{Rule: 2, NLRI: "090120c6336401038111", Actions: []string{"80060000447a0000"}},
		},
	}
}

// Each fault is refused, in its place and for its reason.
func TestRefusals(t *testing.T) {
	t.Parallel()
	mark := uint8(64)
	port := func(c *certificate.Certificate) *certificate.Match {
		c.Rules[0].NLRI = "0c0120cb00710a038106058150"
		m := c.Entries[0].Match
		m.DstPort = certificate.Values{{80, 80}}
		return m
	}
	for name, c := range map[string]struct {
		change        func(*certificate.Certificate)
		place, reason string
		packet        string
	}{
		"as it is":           {func(*certificate.Certificate) {}, "", "", ""},
		"no NLRI":            {func(c *certificate.Certificate) { c.Rules[0].NLRI = "05" }, "rule 0 (exception)", "no octets", ""},
		"a reserved bit":     {func(c *certificate.Certificate) { c.Rules[0].NLRI = "090120cb00710a038906" }, "rule 0 (exception)", "component 3: a reserved bit is set", ""},
		"no family":          {func(c *certificate.Certificate) { c.Rules[0].Family = "ipv5" }, "rule 0 (exception)", `no family "ipv5"`, ""},
		"a rule twice":       {func(c *certificate.Certificate) { c.Rules = append(c.Rules, c.Rules[0]) }, "rule", "the same NLRI as rule", ""},
		"an unknown carrier": {func(c *certificate.Certificate) { c.Rules[0].Carried = "somehow" }, "rule 0 (exception)", `carried "somehow"`, ""},
		"not understood":     {func(c *certificate.Certificate) { c.Rules[0].Actions = []string{"800b000000000000"} }, "rule 0 (exception)", "not understood", ""},
		"an exact rejection": {func(c *certificate.Certificate) { c.Rules[0].Carried = "rejected" }, "rule 0 (exception)", "said to be carried exactly", ""},
		"no such rule":       {func(c *certificate.Certificate) { c.Entries[0].Rule = 3 }, "entry 0", "there is no rule 3", ""},
		"below":              {func(c *certificate.Certificate) { c.Entries[0].Rule = -1 }, "entry 0", "there is no rule -1", ""},
		"both kinds":         {func(c *certificate.Certificate) { c.Entries[2].Name = "c" }, "entry 2", "both a route and an entry of a filter", ""},
		"no kind":            {func(c *certificate.Certificate) { c.Entries[0].Do = nil }, "entry 0", "no entry of a filter", ""},
		"no filter":          {func(c *certificate.Certificate) { c.Platform.Filter = nil }, "entry 0", "no entry of a filter", ""},
		"carried natively":   {func(c *certificate.Certificate) { c.Rules[0].Carried = "native" }, "entry 0", "said to be carried otherwise", ""},
		"another prefix":     {func(c *certificate.Certificate) { c.Entries[0].Match.Dst = "203.0.113.11/31" }, "entry 0", "is no prefix", ""},
		"wider":              {func(c *certificate.Certificate) { c.Entries[0].Match.Dst = "203.0.113.8/30" }, "entry 0", "none of rule 0", "tcp "},
		"narrower":           {func(c *certificate.Certificate) { c.Entries[1].Match.Dst = "203.0.113.0/25" }, "rule 1 (discard)", "no entry of it takes this packet", "> 203.0.113.1"},
		"an empty range":     {func(c *certificate.Certificate) { c.Entries[0].Match.Proto = certificate.Values{{7, 6}} }, "entry 0", "7-6 is no range", ""},
		"a protocol of 256":  {func(c *certificate.Certificate) { c.Entries[0].Match.Proto = certificate.Values{{6, 256}} }, "entry 0", "6-256 is no range", ""},
		"no fragment state":  {func(c *certificate.Certificate) { c.Entries[0].Match.Fragments = []string{"some"} }, "entry 0", "no fragment state some", ""},
		"a later fragment":   {func(c *certificate.Certificate) { port(c) }, "entry 0", "none of rule 0", " frag "},
		"first fragments too": {func(c *certificate.Certificate) {
			port(c).Fragments = []string{"whole", "whole df", "first", "first df"}
		}, "", "", ""},
		"a mark of 64":       {func(c *certificate.Certificate) { c.Entries[0].Do.Mark = &mark }, "entry 0", "a mark above 63", ""},
		"no policer":         {func(c *certificate.Certificate) { c.Entries[0].Do.Policer = "q" }, "entry 0", "a policer that is not there", ""},
		"a policer too many": {func(c *certificate.Certificate) { c.Entries[0].Do.Policer = "p" }, "entry 0", "something else than rule 0", ""},
		"a policer of 0":     {func(c *certificate.Certificate) { c.Policers[0].Rate = 0 }, "policer p", "no rate", ""},
		"a lower rate":       {func(c *certificate.Certificate) { c.Entries[2].Actions = []string{"8006000044790000"} }, "entry 2", "below", ""},
		"a higher rate":      {func(c *certificate.Certificate) { c.Entries[2].Actions = []string{"80060000447ec000"} }, "entry 2", "more than 1 %", ""},
		"a rate in packets":  {func(c *certificate.Certificate) { c.Entries[2].Actions = []string{"800c0000447a0000"} }, "entry 2", "something else", ""},
		"two buckets": {func(c *certificate.Certificate) {
			c.Rules[2].Carried, c.Entries[2].NLRI = "rewritten", "0c0120c6336401038111058150"
			c.Entries = append(c.Entries, certificate.Entry{Rule: 2, NLRI: "090120c6336401038111", Actions: c.Entries[2].Actions})
		}, "entry 3", "do not share one", ""},
		"one order":                  {func(c *certificate.Certificate) { c.Entries[0], c.Entries[1] = c.Entries[1], c.Entries[0] }, "entry 0", "before rule 0 (exception)", "tcp "},
		"an unknown order is enough": {func(c *certificate.Certificate) { c.Platform.Order = "unknown" }, "", "", ""},
		"an order of its own":        {func(c *certificate.Certificate) { c.Platform.Order = "as listed" }, "platform", `"as listed"`, ""},
		"two stages": {func(c *certificate.Certificate) {
			c.Rules[0].Carried = "native"
			c.Entries[0] = certificate.Entry{Rule: 0, NLRI: c.Rules[0].NLRI}
		}, "entry 1", "in another stage of the device, entry 0", "tcp "},
		"behind ours is another": {func(c *certificate.Certificate) { c.Platform.Placement = "before" }, "entry 0", "operator's filter", ""},
		"an exception lost": {func(c *certificate.Certificate) {
			c.Rules[0].Carried, c.Rules[0].Exact = "rejected", false
			c.Entries = c.Entries[1:]
		}, "rule 1 (discard)", "worse than rule 0 (exception), which is rejected", "tcp "},
		"a discard lost": {func(c *certificate.Certificate) {
			c.Rules[1].Carried, c.Rules[1].Exact = "rejected", false
			c.Entries = append(c.Entries[:1], c.Entries[2])
		}, "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			given := sample()
			c.change(given)
			err := Check(given)
			if c.place == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var r *Refusal
			if !errors.As(err, &r) || !strings.HasPrefix(r.Place, c.place) || !strings.Contains(r.Reason, c.reason) {
				t.Fatalf("got %v, want %s: %s", err, c.place, c.reason)
			}
			if r.Packet == nil && c.packet != "" || r.Packet != nil && (c.packet == "" || !strings.Contains(r.Packet.String(), c.packet)) {
				t.Errorf("packet %v, want %q", r.Packet, c.packet)
			}
		})
	}
}

// Past its bound the checker says so, and never that something is proven.
func TestWorkIsBounded(t *testing.T) {
	t.Parallel()
	enough := 0
	for ; enough < 10_000; enough++ {
		err := check(sample(), enough)
		if err == nil {
			break
		}
		if !strings.Contains(err.Error(), "larger than this checker's bound") {
			t.Fatalf("%d steps: %v", enough, err)
		}
	}
	if enough < 6*perQuestion || enough == 10_000 {
		t.Errorf("%d steps were enough", enough)
	}
}
