package verify

import (
	"errors"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/certificate"
)

// sample is a certificate that holds: a rate in FlowSpec, an exception and a discard in a filter beside it.
func sample() *certificate.Certificate {
	limited := []string{"80060000447a0000"}
	rate, exception, discard := clauseOf("090120c6336401038111", limited...), clauseOf("090120cb00710a038106"), clauseOf("050118cb0071", "8006000000000000")
	return &certificate.Certificate{
		Version: 2, Profile: "sample",
		Platform: certificate.Platform{Order: "rfc8955", OrderV6: "rfc8955", Placement: "alone",
			Filter: &certificate.Semantics{SharedPolicer: true}},
		Rules: []certificate.Rule{
			{ID: "rate", Family: "ipv4", Clause: rate, Exact: true},
			{ID: "exception", Family: "ipv4", Clause: exception, Exact: true},
			{ID: "discard", Family: "ipv4", Clause: discard, Exact: true},
		},
		Entries: []certificate.Entry{
			{Rule: 0, Stage: "flowspec", Clause: rate},
			{Rule: 1, Stage: "filter", Clause: exception, Name: "a"},
			{Rule: 2, Stage: "filter", Clause: discard, Name: "b"},
		},
	}
}

func clauseOf(nlri string, actions ...string) certificate.Clause {
	return certificate.Clause{NLRI: nlri, Actions: append([]string{}, actions...)}
}

// Each fault is refused, in its place and for its reason.
func TestRefusals(t *testing.T) {
	t.Parallel()
	// port makes the exception one for a port, whose entry looks at nothing else by itself.
	port := func(c *certificate.Certificate, fragments string) {
		c.Rules[1].NLRI = "0c0120cb00710a038106058150"
		c.Entries[1].NLRI = c.Rules[1].NLRI
		if fragments != "" {
			c.Entries[1].NLRI = "0f0120cb00710a038106058150" + fragments
		}
	}
	// limit puts the rate into the filter, as two entries for two ports.
	limit := func(c *certificate.Certificate, policers ...string) {
		c.Rules[0].NLRI = "0e0120c63364010381110501508151"
		c.Entries = c.Entries[1:]
		for i, nlri := range []string{"0c0120c6336401038111058150", "0c0120c6336401038111058151"} {
			c.Entries = append(c.Entries, certificate.Entry{Rule: 0, Stage: "filter", Clause: clauseOf(nlri, "80060000447a0000"), Policer: policers[i]})
		}
		c.Platform.Filter.TransportChecksOffset, c.Platform.Filter.PortsCheckProtocol = true, true
	}
	for name, c := range map[string]struct {
		change        func(*certificate.Certificate)
		place, reason string
		packet        string
	}{
		"as it is":             {func(*certificate.Certificate) {}, "", "", ""},
		"no NLRI":              {func(c *certificate.Certificate) { c.Rules[1].NLRI = "0" }, "rule 1 (exception)", "odd length hex string", ""},
		"a length alone":       {func(c *certificate.Certificate) { c.Rules[1].NLRI = "05" }, "rule 1 (exception)", "the length octets do not fit", ""},
		"a reserved bit":       {func(c *certificate.Certificate) { c.Rules[1].NLRI = "090120cb00710a038906" }, "rule 1 (exception)", "a reserved bit is set, or a value is too long, up to octet 10", ""},
		"no family":            {func(c *certificate.Certificate) { c.Rules[1].Family = "ipv5" }, "rule 1 (exception)", "no family", ""},
		"a rule twice":         {func(c *certificate.Certificate) { c.Rules = append(c.Rules, c.Rules[2]) }, "rule 3 (discard)", "rule 2 (discard) is evaluated after it, or has the same NLRI", ""},
		"rules in disorder":    {func(c *certificate.Certificate) { c.Rules[0], c.Rules[1] = c.Rules[1], c.Rules[0] }, "rule 1 (rate)", "evaluated after it", ""},
		"routes in disorder":   {func(c *certificate.Certificate) { c.Entries = append(c.Entries, c.Entries[0]) }, "entry 3", "entry 0 is evaluated after it, or", ""},
		"not understood":       {func(c *certificate.Certificate) { c.Rules[1].Actions = []string{"800b000000000000"} }, "rule 1 (exception)", "not understood", ""},
		"no community":         {func(c *certificate.Certificate) { c.Rules[1].Actions = []string{"8006"} }, "rule 1 (exception)", "not understood", ""},
		"an exact rejection":   {func(c *certificate.Certificate) { c.Rules[1].Rejected = true }, "rule 1 (exception)", "said to be carried exactly", ""},
		"no such rule":         {func(c *certificate.Certificate) { c.Entries[1].Rule = 3 }, "entry 1", "there is no rule 3", ""},
		"below":                {func(c *certificate.Certificate) { c.Entries[1].Rule = -1 }, "entry 1", "there is no rule -1", ""},
		"of a rejected rule":   {func(c *certificate.Certificate) { c.Rules[1].Rejected, c.Rules[1].Exact = true, false }, "entry 1", "rule 1 (exception), which is rejected", ""},
		"no stage":             {func(c *certificate.Certificate) { c.Entries[1].Stage = "rules" }, "entry 1", "", ""},
		"no filter":            {func(c *certificate.Certificate) { c.Platform.Filter = nil }, "entry 1", `no stage "filter"`, ""},
		"no filter, policed":   {func(c *certificate.Certificate) { limit(c, "p", "p"); c.Platform.Filter = nil }, "entry 0", `no stage "filter"`, ""},
		"wider":                {func(c *certificate.Certificate) { c.Entries[1].NLRI = "09011fcb00710a038106" }, "entry 1", "none of rule 1", "tcp "},
		"narrower":             {func(c *certificate.Certificate) { c.Entries[2].NLRI = "060119cb007100" }, "rule 2 (discard)", "no entry of it takes this packet", "> 203.0.113.1"},
		"a later fragment":     {func(c *certificate.Certificate) { port(c, "") }, "entry 1", "none of rule 1", " frag "},
		"no later fragment":    {func(c *certificate.Certificate) { port(c, "0c820a") }, "", "", ""},
		"a policer too many":   {func(c *certificate.Certificate) { c.Entries[1].Policer = "p" }, "entry 1", "nothing for policer", ""},
		"a policed route":      {func(c *certificate.Certificate) { c.Entries[0].Policer = "p" }, "entry 0", "nothing for policer", ""},
		"a rate too many":      {func(c *certificate.Certificate) { c.Entries[1].Actions = []string{"80060000447a0000"} }, "entry 1", "something else than rule 1", ""},
		"a lower rate":         {func(c *certificate.Certificate) { c.Entries[0].Actions = []string{"8006000044790000"} }, "entry 0", "below", ""},
		"a higher rate":        {func(c *certificate.Certificate) { c.Entries[0].Actions = []string{"80060000447ec000"} }, "entry 0", "more than 1 %", ""},
		"a rate in packets":    {func(c *certificate.Certificate) { c.Entries[0].Actions = []string{"800c0000447a0000"} }, "entry 0", "something else", ""},
		"one bucket":           {func(c *certificate.Certificate) { limit(c, "p", "p") }, "", "", ""},
		"two buckets":          {func(c *certificate.Certificate) { limit(c, "p", "q") }, "entry 3", "do not share one", ""},
		"a bucket each":        {func(c *certificate.Certificate) { limit(c, "", "") }, "entry 3", "do not share one", ""},
		"buckets of their own": {func(c *certificate.Certificate) { limit(c, "p", "p"); c.Platform.Filter.SharedPolicer = false }, "entry 3", "do not share one", ""},
		"one bucket, two rates": {func(c *certificate.Certificate) {
			limit(c, "p", "p")
			c.Entries[3].Actions = []string{"80060000447a1000"}
		}, "entry 3", "do not share one", ""},
		"another rule's bucket": {func(c *certificate.Certificate) {
			limit(c, "p", "p")
			for _, one := range []*certificate.Clause{&c.Rules[1].Clause, &c.Entries[0].Clause} {
				one.Actions = []string{"80060000447a0000"}
			}
			c.Entries[0].Policer = "p"
		}, "entry 2", "also that of entry 0", ""},
		"one order":                  {func(c *certificate.Certificate) { c.Entries[1], c.Entries[2] = c.Entries[2], c.Entries[1] }, "entry 1", "before entry 2 of rule 1 (exception)", "tcp "},
		"an unknown order is enough": {func(c *certificate.Certificate) { c.Platform.Order = "unknown" }, "", "", ""},
		"an order of its own":        {func(c *certificate.Certificate) { c.Platform.Order = "as listed" }, "platform", `"as listed"`, ""},
		"two stages":                 {func(c *certificate.Certificate) { c.Entries[1].Stage = "flowspec" }, "entry 2", "in another stage of the device, entry 1", "tcp "},
		"behind ours is another":     {func(c *certificate.Certificate) { c.Platform.Placement = "before" }, "entry 1", "operator's filter", ""},
		"an exception lost": {func(c *certificate.Certificate) {
			c.Rules[1].Rejected, c.Rules[1].Exact = true, false
			c.Entries = append(c.Entries[:1], c.Entries[2])
		}, "rule 2 (discard)", "worse than rule 1 (exception), which is rejected", "tcp "},
		"a discard lost": {func(c *certificate.Certificate) {
			c.Rules[2].Rejected, c.Rules[2].Exact = true, false
			c.Entries = c.Entries[:2]
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
