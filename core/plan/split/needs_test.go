package split_test

import (
	"slices"
	"testing"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan/split"
	"pgregory.net/rapid"
)

// holds says whether v is in a list of numeric terms, read from RFC 8955 §4.2.1.1: terms joined by AND bind tighter than OR.
func holds(list []flowspec.Term, v uint64) bool {
	any, all := false, true
	for i, t := range list {
		if i > 0 && !t.And {
			any, all = any || all, true
		}
		one := false
		switch t.Op {
		case flowspec.EQ:
			one = v == t.Value
		case flowspec.NE:
			one = v != t.Value
		case flowspec.LT:
			one = v < t.Value
		case flowspec.LE:
			one = v <= t.Value
		case flowspec.GT:
			one = v > t.Value
		case flowspec.GE:
			one = v >= t.Value
		}
		all = all && one
	}
	return any || all
}

// A rule that a platform would take for more packets never fits, and neither does any piece of one: a number below the smallest, or what is needed beside it
// missing or with another number in it.
func TestNeedsAreMet(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		least := uint32(rapid.IntRange(1, 4).Draw(t, "least"))
		values := []uint32{6, 17}
		limits := &split.Limits{MaxParts: 256}
		for typ := flowspec.DstPrefix; typ <= flowspec.FlowLabel; typ++ {
			limits.Of[typ] = split.Limit{OK: typ != flowspec.Port || rapid.Bool().Draw(t, "port"), Ops: 1<<10 - 1, MaxValues: rapid.IntRange(0, 3).Draw(t, "values")}
		}
		limits.Of[flowspec.DstPort].MinValue = least
		limits.Of[flowspec.SrcPort].MinValue = least
		reserved := uint32(rapid.IntRange(4, 6).Draw(t, "reserved"))
		limits.Of[flowspec.SrcPort].Except = []uint32{reserved, 65535}
		ports := uint16(1<<flowspec.Port | 1<<flowspec.DstPort | 1<<flowspec.SrcPort)
		limits.Needs = []split.Need{{Of: ports, OneOf: 1 << flowspec.Protocol, Values: values}, {OneOf: 1<<flowspec.DstPrefix | 1<<flowspec.SrcPrefix}}
		obeys := func(part []flowspec.Component) bool {
			has := map[flowspec.Type][]flowspec.Term{}
			for _, c := range part {
				has[c.Type] = append(make([]flowspec.Term, 0), c.Terms...)
			}
			_, dst := has[flowspec.DstPrefix]
			_, src := has[flowspec.SrcPrefix]
			if !dst && !src {
				return false
			}
			proto, named := has[flowspec.Protocol]
			for typ, list := range has {
				if ports&(1<<typ) == 0 {
					continue
				}
				if !named {
					return false
				}
				for v := uint64(0); v < uint64(least) && typ != flowspec.Port; v++ {
					if holds(list, v) {
						return false
					}
				}
				if typ == flowspec.SrcPort && (holds(list, uint64(reserved)) || holds(list, 65535)) {
					return false
				}
			}
			for v := uint64(0); v < 256; v++ {
				if named && holds(proto, v) && !slices.Contains(values, uint32(v)) && (has[flowspec.Port] != nil || has[flowspec.DstPort] != nil || has[flowspec.SrcPort] != nil) {
					return false
				}
			}
			return true
		}
		f := families(t)
		rule := drawComponents(t, f)
		if split.Fits(f, rule, limits) && !obeys(rule) {
			t.Fatalf("%v fits", rule)
		}
		r, trouble := split.Parts(f, rule, limits, rapid.Bool().Draw(t, "disjoint"))
		if trouble != nil {
			return
		}
		for _, part := range r.Parts {
			if !obeys(part) {
				t.Fatalf("%v became %v", rule, part)
			}
		}
	})
}

// What a platform is known to take is not refused with the rest.
func TestNeeds(t *testing.T) {
	t.Parallel()
	limits := &split.Limits{MaxParts: 256}
	for typ := flowspec.DstPrefix; typ <= flowspec.FlowLabel; typ++ {
		limits.Of[typ] = split.Limit{OK: true, Ops: 1<<10 - 1, MaxValues: 2}
	}
	limits.Of[flowspec.DstPort].MinValue = 1
	limits.Of[flowspec.SrcPort].Except = []uint32{43, 51}
	limits.Needs = []split.Need{{Of: 1 << flowspec.DstPort, OneOf: 1 << flowspec.Protocol, Values: []uint32{6, 17}}}
	component := func(typ flowspec.Type, t ...flowspec.Term) flowspec.Component {
		return flowspec.Component{Type: typ, Terms: t}
	}
	eq := func(v uint64) flowspec.Term { return flowspec.Term{Op: flowspec.EQ, Value: v} }
	ge := func(v uint64) flowspec.Term { return flowspec.Term{Op: flowspec.GE, Value: v} }
	le := func(v uint64) flowspec.Term { return flowspec.Term{Op: flowspec.LE, Value: v} }
	both := func(a, b flowspec.Term) []flowspec.Term { b.And = true; return []flowspec.Term{a, b} }
	tcp := component(flowspec.Protocol, eq(6))
	for _, c := range []struct {
		name string
		rule []flowspec.Component
		why  split.Why
	}{
		{"a port of TCP", []flowspec.Component{tcp, component(flowspec.DstPort, eq(80))}, ""},
		{"ports of TCP and UDP, more than fit", []flowspec.Component{component(flowspec.Protocol, eq(6), eq(17)), component(flowspec.DstPort, eq(1), eq(3), eq(5))}, ""},
		{"from 1 on", []flowspec.Component{tcp, component(flowspec.DstPort, ge(1))}, ""},
		{"no port", []flowspec.Component{component(flowspec.SrcPort, eq(80))}, ""},
		{"port 0", []flowspec.Component{tcp, component(flowspec.DstPort, eq(0))}, split.TooSmall},
		{"up to 80", []flowspec.Component{tcp, component(flowspec.DstPort, le(80))}, split.TooSmall},
		{"not 80", []flowspec.Component{tcp, component(flowspec.DstPort, flowspec.Term{Op: flowspec.NE, Value: 80})}, split.TooSmall},
		{"a number that is taken", []flowspec.Component{component(flowspec.SrcPort, eq(51))}, split.Reserved},
		{"a range around it", []flowspec.Component{component(flowspec.SrcPort, both(ge(44), le(60))...)}, split.Reserved},
		{"the numbers between those that are", []flowspec.Component{component(flowspec.SrcPort, both(ge(44), le(50))...)}, ""},
		{"no protocol", []flowspec.Component{component(flowspec.DstPort, eq(80))}, split.NeedsBeside},
		{"a third protocol", []flowspec.Component{component(flowspec.Protocol, eq(6), eq(132)), component(flowspec.DstPort, eq(80))}, split.NeedsBeside},
		{"a range of protocols", []flowspec.Component{component(flowspec.Protocol, both(ge(6), le(17))...), component(flowspec.DstPort, eq(80))}, split.NeedsBeside},
	} {
		r, trouble := split.Parts(flowspec.IPv4, c.rule, limits, false)
		var why split.Why
		if trouble != nil {
			why = trouble.Why
		}
		if why != c.why || why == "" && len(r.Parts) == 0 {
			t.Errorf("%s: trouble %q, %d pieces; want %q", c.name, why, len(r.Parts), c.why)
		}
	}
}
