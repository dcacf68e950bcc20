package sros_test

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/profiles"
)

// What the planner puts into a filter for an SR OS router, the dialect can write, and it reads back as the same plan: a plan never promises a filter that is
// refused later, and a device that holds it is left alone.
func TestPlannedFiltersAreRendered(t *testing.T) {
	t.Parallel()
	p, err := profiles.Embedded().Get("nokia-sros")
	if err != nil {
		t.Fatal(err)
	}
	carried := 0
	rapid.Check(t, func(t *rapid.T) {
		var rules []flowspec.Rule
		seen := map[flowspec.ID]bool{}
		for range rapid.IntRange(1, 4).Draw(t, "rules") {
			r := rule(t)
			if !seen[r.ID] {
				seen[r.ID] = true
				rules = append(rules, r)
			}
		}
		opt := plan.Options{NoNative: rapid.Bool().Draw(t, "no native"), Placement: rapid.SampledFrom([]filter.Placement{filter.Alone, filter.Before}).Draw(t, "placement")}
		made, err := plan.Make(rib.Of(rules), p, opt)
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
	if carried == 0 {
		t.Error(errors.New("no rule was carried by a filter"))
	}
	t.Logf("%d entries", carried)
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
	for kind := flowspec.Protocol; kind <= flowspec.Fragment; kind++ {
		if rapid.IntRange(0, 4).Draw(t, kind.String()) > 0 {
			continue
		}
		c := flowspec.Component{Type: kind}
		for i := range rapid.IntRange(1, 3).Draw(t, "terms") {
			op, top := 7, kind.Max()
			if kind.Bitmask() {
				op, top = 3, min(top, 0x7f)
			}
			value := rapid.Uint32Range(0, top).Draw(t, "value")
			if kind == flowspec.Fragment && v == packet.IPv6 {
				value &^= 1 // no DF
			}
			c.Terms = append(c.Terms, flowspec.Term{And: i > 0 && rapid.Bool().Draw(t, "and"), Op: flowspec.Op(rapid.IntRange(0, op).Draw(t, "op")), Value: uint64(value)})
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
	do := sayableAction(t, filter.Alone, v)
	r.Action.Redirect, r.Action.Mark = do.Redirect, do.Mark
	switch {
	case do.Discard:
		r.Action.Rate = &flowspec.Rate{Unit: flowspec.Bytes}
	case do.Policer != "":
		r.Action.Rate = &flowspec.Rate{Amount: rapid.OneOf(rapid.Float32Range(1, 2.6e11), rapid.SampledFrom([]float32{28262126, 2.5e11, 250000015360, 12.5e9, 1})).Draw(t, "rate"), Unit: flowspec.Bytes}
	}
	return r
}
