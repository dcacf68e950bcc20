package dialecttest

import (
	"maps"
	"net/netip"
	"slices"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// Rule draws a rule of IPv4 or IPv6 with components and actions of every kind.
func Rule(t *rapid.T) flowspec.Rule {
	v, family := packet.IPv4, flowspec.IPv4
	if rapid.IntRange(0, 3).Draw(t, "ipv6") == 0 {
		v, family = packet.IPv6, flowspec.IPv6
	}
	m, err := flowspec.NewMatch(family, flowspec.RD{}, components(t, v)...)
	if err != nil {
		t.Fatal(err)
	}
	return flowspec.Rule{ID: flowspec.NewID("test", m), Match: m, Source: "test", Action: ruleAction(t, v)}
}

func components(t *rapid.T, v packet.Version) []flowspec.Component {
	var out []flowspec.Component
	for _, kind := range []flowspec.Type{flowspec.DstPrefix, flowspec.SrcPrefix} {
		if p := Prefix(t, kind.String(), v); p != nil {
			out = append(out, flowspec.Component{Type: kind, Prefix: flowspec.Prefix{Addr: p.Addr(), Len: uint8(p.Bits())}})
		}
	}
	for kind := flowspec.Protocol; kind <= flowspec.Fragment; kind++ {
		if rapid.IntRange(0, 4).Draw(t, kind.String()) > 0 {
			continue
		}
		op, top := 7, kind.Max()
		if kind.Bitmask() {
			op, top = 3, min(top, 0x7f)
		}
		c := flowspec.Component{Type: kind, Terms: terms(t, op, top)}
		if kind == flowspec.Fragment && v == packet.IPv6 {
			for i := range c.Terms {
				c.Terms[i].Value &^= 1 // no DF
			}
		}
		out = append(out, c)
	}
	if len(out) == 0 {
		out = append(out, flowspec.Component{Type: flowspec.Protocol, Terms: []flowspec.Term{{Op: flowspec.EQ, Value: 47}}})
	}
	return out
}

// terms draws a list of operators up to op and values up to top.
func terms(t *rapid.T, op int, top uint32) []flowspec.Term {
	var out []flowspec.Term
	for i := range rapid.IntRange(1, 3).Draw(t, "terms") {
		out = append(out, flowspec.Term{And: i > 0 && rapid.Bool().Draw(t, "and"), Op: flowspec.Op(rapid.IntRange(0, op).Draw(t, "op")), Value: uint64(rapid.Uint32Range(0, top).Draw(t, "value"))})
	}
	return out
}

// ruleAction draws what a rule does: most discard or limit, some do several things at once.
func ruleAction(t *rapid.T, v packet.Version) flowspec.Action {
	var a flowspec.Action
	switch rapid.IntRange(0, 5).Draw(t, "action") {
	case 0, 1:
		a.Rate = &flowspec.Rate{Unit: rapid.SampledFrom([]flowspec.Unit{flowspec.Bytes, flowspec.Packets}).Draw(t, "unit")}
	case 2, 3:
		// Rates that no language says exactly, and the bounds of some that it does.
		amount := rapid.OneOf(rapid.Float32Range(1, 2.6e11), rapid.SampledFrom([]float32{1, 999.7, 1250, 1250.3, 12500000, 28262126, 12.5e9, 2.5e11, 250000015360, 3e12})).Draw(t, "rate")
		a.Rate = &flowspec.Rate{Amount: amount, Unit: rapid.SampledFrom([]flowspec.Unit{flowspec.Bytes, flowspec.Bytes, flowspec.Packets}).Draw(t, "unit")}
	}
	if rapid.IntRange(0, 4).Draw(t, "marked") == 0 {
		mark := rapid.Uint8Range(0, 63).Draw(t, "mark")
		a.Mark = &mark
	}
	a.Sample = rapid.IntRange(0, 4).Draw(t, "sample") == 0
	switch rapid.IntRange(0, 4).Draw(t, "end") { // an entry ends in one way: what discards, what redirects and what continues are three
	case 0:
		a.Continue = !a.Discard()
	case 1:
		if !a.Discard() {
			a.Redirect = NextHop(v)
		}
	}
	return a
}

// instance draws a redirect to a route target that one of the routing instances imports.
func (s Suite) instance(t *rapid.T) *flowspec.Redirect {
	to, _ := s.Instances.Target(rapid.SampledFrom(slices.Sorted(maps.Values(s.Instances))).Draw(t, "instance"))
	return &to
}

// NextHop is a redirect to an address of version v.
func NextHop(v packet.Version) *flowspec.Redirect {
	if v == packet.IPv6 {
		return &flowspec.Redirect{Form: flowspec.NextHopIETFv6, Addr: netip.MustParseAddr("2001:db8::99")}
	}
	return &flowspec.Redirect{Form: flowspec.NextHopIETFv4, Addr: netip.MustParseAddr("192.0.2.99")}
}
