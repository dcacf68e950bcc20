package split_test

import (
	"slices"
	"testing"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/plan/split"
	"pgregory.net/rapid"
)

func families(t *rapid.T) flowspec.Family {
	return rapid.SampledFrom([]flowspec.Family{flowspec.IPv4, flowspec.IPv6}).Draw(t, "family")
}

// Whatever the rule and the platform are: either there is trouble, or the pieces match exactly the packets of the rule and each of them fits.
func TestPartsMatchWhatTheRuleMatches(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := families(t)
		rule := drawComponents(t, f)
		limits := drawLimits(t, false)
		disjoint := rapid.Bool().Draw(t, "disjoint")
		r, trouble := split.Parts(f, rule, limits, disjoint)
		if trouble != nil {
			return
		}
		if r.Bound > len(r.Parts) || (r.Bound == 0) != (len(r.Parts) == 0) {
			t.Fatalf("%d pieces of %v, and never fewer than %d", len(r.Parts), rule, r.Bound)
		}
		for _, part := range r.Parts {
			if !split.Fits(f, part, limits) {
				t.Fatalf("piece %v of %v does not fit", part, rule)
			}
			if _, err := flowspec.NewMatch(f, flowspec.RD{}, part...); err != nil {
				t.Fatalf("piece %v of %v: %v", part, rule, err)
			}
		}
		for range 60 {
			h := drawPacket(t, f)
			n := 0
			for _, part := range r.Parts {
				if matches(part, h) {
					n++
				}
			}
			want := matches(rule, h)
			if want != (n > 0) {
				t.Fatalf("rule %v, pieces %v: packet %+v matches the rule: %v, pieces that match: %d", rule, r.Parts, h, want, n)
			}
			if disjoint && n > 1 {
				t.Fatalf("rule %v, pieces %v: packet %+v is in %d pieces", rule, r.Parts, h, n)
			}
		}
	})
}

// What is plainly taken is taken.
func TestTakenAsFitsSays(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := families(t)
		rule, limits := drawComponents(t, f), drawLimits(t, false)
		for i := range rule {
			l := &limits.Of[rule[i].Type]
			if got, want := split.Taken(f, &rule[i], l), split.Meets(f, &rule[i], l); got != (want.Why == "") {
				t.Fatalf("%v under %+v: taken %v, but %+v", rule[i], *l, got, want)
			}
		}
	})
}

// A Cutter that has cut anything before cuts each rule as if it were the first.
func TestCutterCutsAsPartsDoes(t *testing.T) {
	t.Parallel()
	var cutter split.Cutter
	rapid.Check(t, func(t *rapid.T) {
		f := families(t)
		rule, limits, disjoint := drawComponents(t, f), drawLimits(t, false), rapid.Bool().Draw(t, "disjoint")
		want, unable := split.Parts(f, rule, limits, disjoint)
		got, trouble := cutter.Parts(f, rule, limits, disjoint)
		if unable != nil || trouble != nil {
			if unable == nil || trouble == nil || *trouble != *unable {
				t.Fatalf("rule %v: trouble %+v, want %+v", rule, trouble, unable)
			}
			return
		}
		if got.Grid != want.Grid || got.Bound != want.Bound || !slices.Equal(got.Changes, want.Changes) || len(got.Of) != len(want.Parts) {
			t.Fatalf("rule %v: got %+v, want %+v", rule, got, want)
		}
		for i, numbers := range got.Of {
			for k, n := range numbers {
				if one := want.Parts[i][k]; got.Lists[n].Type != one.Type || got.Lists[n].Prefix != one.Prefix || !slices.Equal(got.Lists[n].Terms, one.Terms) {
					t.Fatalf("rule %v, piece %d: %v, want %v", rule, i, got.Lists[n], one)
				}
			}
		}
	})
}

// A rule that fits comes back as it is, unless it cannot match.
func TestPartsKeepWhatFits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := families(t)
		rule := drawComponents(t, f)
		limits := drawLimits(t, false)
		if !split.Fits(f, rule, limits) {
			return
		}
		r, trouble := split.Parts(f, rule, limits, false)
		if trouble != nil || len(r.Parts) != 1 || len(r.Changes) != 0 {
			t.Fatalf("rule %v fits, and became %v (%v)", rule, r.Parts, trouble)
		}
	})
}

// Entries match exactly the packets of the rule, even on a platform that checks neither the protocol nor the fragment offset by itself.
func TestEntriesMatchWhatTheRuleMatches(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := families(t)
		rule := drawComponents(t, f)
		limits := drawLimits(t, true)
		proto := &limits.Of[flowspec.Protocol]
		proto.MinValue, proto.MaxValue = rapid.Uint32Range(0, 2).Draw(t, "smallest"), rapid.SampledFrom([]uint32{0, 20, 254}).Draw(t, "largest")
		if rapid.Bool().Draw(t, "reserved") {
			proto.Except = []uint32{1, 58}
		}
		disjoint := rapid.Bool().Draw(t, "disjoint")
		r, trouble := split.Entries(f, rule, limits, disjoint)
		if trouble != nil {
			return
		}
		if r.Bound > len(r.Entries) || (r.Bound == 0) != (len(r.Entries) == 0) {
			t.Fatalf("%d entries of %v, and never fewer than %d", len(r.Entries), rule, r.Bound)
		}
		for _, e := range r.Entries {
			for typ, v := range e.Values {
				if l := &limits.Of[typ]; l.MaxValues > 0 && l.Ops&split.Range != 0 && len(v) > l.MaxValues {
					t.Fatalf("entry %+v of %v has %d values, at most %d fit", e, rule, len(v), l.MaxValues)
				}
			}
			for _, s := range e.Values[flowspec.Protocol] {
				if s.Lo < proto.MinValue || proto.MaxValue > 0 && s.Hi > proto.MaxValue {
					t.Fatalf("entry %+v of %v names protocols %d to %d, and %d to %d can be named", e, rule, s.Lo, s.Hi, proto.MinValue, proto.MaxValue)
				}
				for _, n := range proto.Except {
					if s.Lo <= n && n <= s.Hi {
						t.Fatalf("entry %+v of %v names protocol %d, which is taken", e, rule, n)
					}
				}
			}
		}
		for range 60 {
			h := drawPacket(t, f)
			n := 0
			for _, e := range r.Entries {
				if entryMatches(e, h) {
					n++
				}
			}
			want := matches(rule, h)
			if want != (n > 0) {
				t.Fatalf("rule %v, entries %+v: packet %+v matches the rule: %v, entries that match: %d", rule, r.Entries, h, want, n)
			}
			if disjoint && n > 1 {
				t.Fatalf("rule %v, entries %+v: packet %+v is in %d entries", rule, r.Entries, h, n)
			}
		}
	})
}

func terms(op flowspec.Op, values ...uint64) (out []flowspec.Term) {
	for _, v := range values {
		out = append(out, flowspec.Term{Op: op, Value: v})
	}
	return out
}

// TestParts holds the cases that operators meet, with the limits of a platform like ASR 9000 and of one that takes everything.
func TestParts(t *testing.T) {
	t.Parallel()
	asr := &split.Limits{MaxParts: 256}
	all := split.Eq | split.Range | split.Lt | split.Gt
	for typ := flowspec.DstPrefix; typ <= flowspec.Fragment; typ++ {
		asr.Of[typ] = split.Limit{OK: typ != flowspec.Port, Ops: all, MaxValues: 5}
	}
	asr.Of[flowspec.ICMPType] = split.Limit{OK: true, Ops: split.Eq, MaxValues: 1}
	asr.Of[flowspec.ICMPCode] = split.Limit{OK: true, Ops: split.Eq, MaxValues: 1}
	asr.Of[flowspec.TCPFlags] = split.Limit{OK: true, Ops: split.Any | split.All | split.None | split.NotAll, MaxValues: 1, Bits: 0xff}
	asr.Of[flowspec.Fragment] = split.Limit{OK: true, Ops: split.Any | split.All, MaxValues: 1, Bits: 0x0f, MaxBits: 1}
	port := func(typ flowspec.Type, t []flowspec.Term) flowspec.Component {
		return flowspec.Component{Type: typ, Terms: t}
	}
	and := func(a, b flowspec.Term) []flowspec.Term { b.And = true; return []flowspec.Term{a, b} }
	for _, c := range []struct {
		name  string
		rule  []flowspec.Component
		parts int
		why   split.Why
	}{
		{"five ports", []flowspec.Component{port(flowspec.DstPort, terms(flowspec.EQ, 1, 3, 5, 7, 9))}, 1, ""},
		{"six ports", []flowspec.Component{port(flowspec.DstPort, terms(flowspec.EQ, 1, 3, 5, 7, 9, 11))}, 2, ""},
		{"six adjacent ports are one range", []flowspec.Component{port(flowspec.DstPort, terms(flowspec.EQ, 1, 2, 3, 4, 5, 6))}, 1, ""},
		{"a cover", []flowspec.Component{port(flowspec.DstPort, terms(flowspec.EQ, 1, 3, 5, 7, 9, 11)), port(flowspec.SrcPort, terms(flowspec.EQ, 1, 3, 5, 7, 9, 11))}, 3, ""},
		{"port", []flowspec.Component{port(flowspec.Port, terms(flowspec.EQ, 53))}, 2, ""},
		{"port beside a destination port that it holds", []flowspec.Component{port(flowspec.Port, terms(flowspec.EQ, 53, 80)), port(flowspec.DstPort, terms(flowspec.EQ, 53))}, 1, ""},
		{"port beside another destination port", []flowspec.Component{port(flowspec.Port, terms(flowspec.EQ, 53)), port(flowspec.DstPort, terms(flowspec.EQ, 80))}, 1, ""},
		{"not equal", []flowspec.Component{port(flowspec.DstPort, terms(flowspec.NE, 80))}, 1, ""},
		{"any port is still TCP or UDP", []flowspec.Component{port(flowspec.Port, terms(flowspec.GE, 0))}, 1, ""},
		{"nothing", []flowspec.Component{port(flowspec.Protocol, terms(flowspec.EQ, 300))}, 0, ""},
		{"icmp grid", []flowspec.Component{port(flowspec.ICMPType, terms(flowspec.EQ, 3, 8)), port(flowspec.ICMPCode, terms(flowspec.EQ, 0, 1))}, 4, ""},
		{"icmp range", []flowspec.Component{port(flowspec.ICMPType, and(flowspec.Term{Op: flowspec.GE, Value: 3}, flowspec.Term{Op: flowspec.LE, Value: 6}))}, 4, ""},
		{"syn and not ack", []flowspec.Component{port(flowspec.TCPFlags, and(flowspec.Term{Op: flowspec.AllBits, Value: 2}, flowspec.Term{Op: flowspec.NoBit, Value: 16}))}, 0, split.NoOperator},
		{"rst or fin is any of both", []flowspec.Component{port(flowspec.TCPFlags, terms(flowspec.AllBits, 1, 4))}, 1, ""},
		{"syn+ack or fin", []flowspec.Component{port(flowspec.TCPFlags, terms(flowspec.AllBits, 0x12, 1))}, 2, ""},
		{"two octets of flags", []flowspec.Component{port(flowspec.TCPFlags, []flowspec.Term{{Op: flowspec.AllBits, Value: 2, Width: 2}})}, 1, ""},
		{"nonce sum flag", []flowspec.Component{port(flowspec.TCPFlags, terms(flowspec.AllBits, 0x100))}, 0, split.NoBits},
		{"any fragment", []flowspec.Component{port(flowspec.Fragment, terms(flowspec.AnyBit, 6))}, 2, ""},
		{"no fragment", []flowspec.Component{port(flowspec.Fragment, terms(flowspec.NoBit, 6))}, 0, split.NoBits},
	} {
		r, trouble := split.Parts(flowspec.IPv4, c.rule, asr, false)
		if trouble != nil {
			if trouble.Why != c.why {
				t.Errorf("%s: trouble %+v, want %q", c.name, *trouble, c.why)
			}
			continue
		}
		if c.why != "" || len(r.Parts) != c.parts {
			t.Errorf("%s: %d pieces %v, want %d, trouble %q", c.name, len(r.Parts), r.Parts, c.parts, c.why)
		}
	}
}

// A filter without negated flags, or without conjunctions of them, is not asked for them.
func TestEntriesKeepToTheOperatorsOfFlags(t *testing.T) {
	t.Parallel()
	synNoAck := flowspec.Component{Type: flowspec.TCPFlags, Terms: []flowspec.Term{{Op: flowspec.AllBits, Value: 2}, {Op: flowspec.NoBit, Value: 16, And: true}}}
	synAck := flowspec.Component{Type: flowspec.TCPFlags, Terms: []flowspec.Term{{Op: flowspec.AllBits, Value: 0x12}}}
	every := split.Any | split.All | split.None | split.NotAll | split.Chain
	for _, c := range []struct {
		rule flowspec.Component
		ops  split.Ops
		op   split.Ops // that is missing
	}{
		{synNoAck, every, 0},
		{synNoAck, every &^ split.Chain, split.Chain},
		{synNoAck, split.Any | split.All | split.Chain, split.None},
		{synAck, split.All, 0},
		{synAck, split.Any | split.Chain, 0},
		{synAck, split.Any, split.Chain},
	} {
		l := &split.Limits{MaxParts: 16}
		l.Of[flowspec.Protocol] = split.Limit{OK: true, Ops: split.Eq}
		l.Of[flowspec.TCPFlags] = split.Limit{OK: true, Ops: c.ops}
		l.Of[flowspec.Fragment] = split.Limit{OK: true, Ops: every}
		_, trouble := split.Entries(flowspec.IPv4, []flowspec.Component{c.rule}, l, false)
		if got := trouble != nil; got != (c.op != 0) || got && (trouble.Why != split.NoOperator || trouble.Op != c.op) {
			t.Errorf("%v with %b: trouble %+v, want operator %b missing", c.rule.Terms, c.ops, trouble, c.op)
		}
	}
}

// An overlapping cover where the actions allow it, a grid where not; and how many pieces there are at least.
func TestPartsAndTheirBound(t *testing.T) {
	t.Parallel()
	odd := func(typ flowspec.Type, n int) flowspec.Component {
		c := flowspec.Component{Type: typ}
		for i := range n {
			c.Terms = append(c.Terms, flowspec.Term{Op: flowspec.EQ, Value: uint64(2*i + 1)})
		}
		return c
	}
	ranges := func(typ flowspec.Type, n int) flowspec.Component {
		c := flowspec.Component{Type: typ}
		for i := range n {
			c.Terms = append(c.Terms, flowspec.Term{Op: flowspec.GE, Value: uint64(10*i + 1)}, flowspec.Term{And: true, Op: flowspec.LE, Value: uint64(10*i + 5)})
		}
		return c
	}
	mixed := odd(flowspec.DstPort, 2)
	mixed.Terms = append(mixed.Terms, ranges(flowspec.DstPort, 4).Terms[2:]...)
	five, pairs := split.Limit{OK: true, Ops: split.Eq | split.Range, MaxValues: 5}, split.Limit{OK: true, Ops: split.Eq | split.Range, MaxPairs: 5}
	for _, c := range []struct {
		name                  string
		rule                  []flowspec.Component
		limit                 split.Limit
		overlap, apart, bound int
	}{
		{"one list", []flowspec.Component{odd(flowspec.DstPort, 12)}, five, 3, 3, 3},
		{"7 x 7", []flowspec.Component{odd(flowspec.DstPort, 7), odd(flowspec.SrcPort, 7)}, five, 3, 4, 3},
		{"11 x 11", []flowspec.Component{odd(flowspec.DstPort, 11), odd(flowspec.SrcPort, 11)}, five, 7, 9, 7},
		{"12 x 12", []flowspec.Component{odd(flowspec.DstPort, 12), odd(flowspec.SrcPort, 12)}, five, 8, 9, 8},
		{"16 x 16", []flowspec.Component{odd(flowspec.DstPort, 16), odd(flowspec.SrcPort, 16)}, five, 14, 16, 13},
		{"6 x 6 x 6", []flowspec.Component{odd(flowspec.DstPort, 6), odd(flowspec.SrcPort, 6), odd(flowspec.PacketLength, 6)}, five, 4, 8, 4},
		{"8 ports", []flowspec.Component{odd(flowspec.Port, 8)}, five, 4, 6, 4},
		{"8 ports and 7 lengths", []flowspec.Component{odd(flowspec.Port, 8), odd(flowspec.PacketLength, 7)}, five, 8, 12, 8},
		{"7 ports and 7 lengths", []flowspec.Component{odd(flowspec.Port, 7), odd(flowspec.PacketLength, 7)}, five, 6, 12, 6},
		{"ranges by pairs", []flowspec.Component{ranges(flowspec.DstPort, 3), ranges(flowspec.SrcPort, 3)}, pairs, 3, 4, 3},
		{"long words first", []flowspec.Component{mixed}, pairs, 2, 2, 2},
	} {
		l := &split.Limits{MaxParts: 256}
		for typ := range l.Of {
			l.Of[typ] = c.limit
		}
		l.Of[flowspec.Port] = split.Limit{}
		for _, disjoint := range []bool{false, true} {
			r, trouble := split.Parts(flowspec.IPv4, c.rule, l, disjoint)
			want := c.overlap
			if disjoint {
				want = c.apart
			}
			entries, _ := split.Entries(flowspec.IPv4, c.rule, l, disjoint)
			if c.limit.MaxValues > 0 && (len(entries.Entries) != want || entries.Bound != c.bound) {
				t.Errorf("%s, disjoint %v: %d entries, bound %d; want %d and %d", c.name, disjoint, len(entries.Entries), entries.Bound, want, c.bound)
			}
			if trouble != nil || len(r.Parts) != want || r.Bound != c.bound {
				t.Errorf("%s, disjoint %v: %d pieces, bound %d (%+v); want %d and %d", c.name, disjoint, len(r.Parts), r.Bound, trouble, want, c.bound)
			}
		}
	}
}

func TestFragmentsOfIPv6HaveNoDF(t *testing.T) {
	t.Parallel()
	l := &split.Limits{MaxParts: 16}
	l.Of[flowspec.Fragment] = split.Limit{OK: true, Ops: split.Any | split.All, Bits: 0x0e}
	rule := []flowspec.Component{{Type: flowspec.Fragment, Terms: []flowspec.Term{{Op: flowspec.AnyBit, Value: 3}}}}
	r, trouble := split.Parts(flowspec.IPv6, rule, l, false)
	if trouble != nil || len(r.Parts) != 1 || r.Parts[0][0].Terms[0].Value != 2 {
		t.Fatalf("got %v, %v; want is-fragment alone: DF does not exist and is ignored", r.Parts, trouble)
	}
	for _, h := range []packet.Header{{Src: address(flowspec.IPv6, 0), Dst: address(flowspec.IPv6, 0), Fragment: packet.Middle}} {
		if !matches(r.Parts[0], h) {
			t.Errorf("a middle fragment does not match %v", r.Parts[0])
		}
	}
}
