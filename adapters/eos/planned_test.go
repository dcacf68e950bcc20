package eos_test

import (
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/profiles"
)

// What the planner puts into a filter for EOS, the dialect can write: a plan never promises a filter that is refused later.
func TestPlannedFiltersAreRendered(t *testing.T) {
	t.Parallel()
	p, err := profiles.Embedded().Get("arista-eos")
	if err != nil {
		t.Fatal(err)
	}
	carried := 0
	rapid.Check(t, func(t *rapid.T) {
		var rules []flowspec.Rule
		seen := map[flowspec.ID]bool{}
		for range rapid.IntRange(1, 3).Draw(t, "rules") {
			r := rule(t)
			if !seen[r.ID] {
				seen[r.ID] = true
				rules = append(rules, r)
			}
		}
		made, err := plan.Make(rib.Of(rules), p, plan.Options{NoNative: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range made.Desired.Filters {
			r, err := dialect.Render(f)
			if err != nil {
				t.Fatalf("%v\n%v", err, rules)
			}
			carried += len(f.Entries)
			readsBack(t, f, []byte(r.Text))
			readsBack(t, f, r.Payload)
		}
	})
	t.Logf("%d entries", carried)
	if carried == 0 {
		t.Error("no rule was carried by a filter")
	}
}

// rule draws a rule of IPv4 or IPv6 with components and actions of every kind.
func rule(t *rapid.T) flowspec.Rule {
	v, family := packet.IPv4, flowspec.IPv4
	if rapid.IntRange(0, 3).Draw(t, "ipv6") == 0 {
		v, family = packet.IPv6, flowspec.IPv6
	}
	var components []flowspec.Component
	for _, kind := range []flowspec.Type{flowspec.DstPrefix, flowspec.SrcPrefix} {
		if p := prefix(t, kind.String(), v); p != nil {
			components = append(components, flowspec.Component{Type: kind, Prefix: flowspec.Prefix{Addr: p.Addr(), Len: uint8(p.Bits())}})
		}
	}
	for kind := flowspec.Protocol; kind <= flowspec.DSCP; kind++ {
		if kind == flowspec.TCPFlags || rapid.IntRange(0, 4).Draw(t, kind.String()) > 0 {
			continue
		}
		components = append(components, flowspec.Component{Type: kind, Terms: terms(t, 7, kind.Max())})
	}
	if rapid.IntRange(0, 3).Draw(t, "tcp-flags") == 0 {
		components = append(components, flowspec.Component{Type: flowspec.TCPFlags, Terms: terms(t, 3, 0x7f)})
	}
	if rapid.IntRange(0, 3).Draw(t, "fragment") == 0 {
		top := uint32(15)
		c := flowspec.Component{Type: flowspec.Fragment, Terms: terms(t, 3, top)}
		if v == packet.IPv6 {
			for i := range c.Terms {
				c.Terms[i].Value &^= 1
			}
		}
		components = append(components, c)
	}
	if len(components) == 0 {
		components = append(components, flowspec.Component{Type: flowspec.Protocol, Terms: []flowspec.Term{{Op: flowspec.EQ, Value: 47}}})
	}
	m, err := flowspec.NewMatch(family, flowspec.RD{}, components...)
	if err != nil {
		t.Fatal(err)
	}
	r := flowspec.Rule{ID: flowspec.NewID("test", m), Match: m, Source: "test"}
	r.Action.Sample = rapid.IntRange(0, 9).Draw(t, "sample") == 0
	if rapid.Bool().Draw(t, "limited") {
		r.Action.Rate = &flowspec.Rate{Amount: rapid.SampledFrom([]float32{0, 0, 999.7, 1250.3, 12500000, 3e12}).Draw(t, "rate"), Unit: rapid.SampledFrom([]flowspec.Unit{flowspec.Bytes, flowspec.Packets}).Draw(t, "unit")}
	}
	if rapid.IntRange(0, 3).Draw(t, "marked") == 0 {
		mark := uint8(8)
		r.Action.Mark = &mark
	}
	switch rapid.IntRange(0, 3).Draw(t, "end") {
	case 0:
		r.Action.Continue = rapid.IntRange(0, 9).Draw(t, "continue") == 0
	case 1:
		if !r.Action.Discard() {
			r.Action.Redirect = nextHop(v)
		}
	}
	return r
}

// terms draws a list of operators up to op and values up to top.
func terms(t *rapid.T, op int, top uint32) []flowspec.Term {
	var out []flowspec.Term
	for i := range rapid.IntRange(1, 3).Draw(t, "terms") {
		out = append(out, flowspec.Term{And: i > 0 && rapid.Bool().Draw(t, "and"), Op: flowspec.Op(rapid.IntRange(0, op).Draw(t, "op")), Value: uint64(rapid.Uint32Range(0, top).Draw(t, "value"))})
	}
	return out
}

func nextHop(v packet.Version) *flowspec.Redirect {
	if v == packet.IPv6 {
		return &flowspec.Redirect{Form: flowspec.NextHopIETFv6, Addr: netip.MustParseAddr("2001:db8::99")}
	}
	return &flowspec.Redirect{Form: flowspec.NextHopIETFv4, Addr: netip.MustParseAddr("192.0.2.99")}
}
