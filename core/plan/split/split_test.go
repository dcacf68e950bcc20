package split_test

import (
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
		for _, part := range r.Parts {
			if trouble := split.Fits(f, part, limits); trouble != nil {
				t.Fatalf("piece %v of %v does not fit: %+v", part, rule, *trouble)
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

// A rule that fits comes back as it is, unless it cannot match.
func TestPartsKeepWhatFits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := families(t)
		rule := drawComponents(t, f)
		limits := drawLimits(t, false)
		if split.Fits(f, rule, limits) != nil {
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
		disjoint := rapid.Bool().Draw(t, "disjoint")
		r, trouble := split.Entries(f, rule, limits, disjoint)
		if trouble != nil {
			return
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
		{"a grid", []flowspec.Component{port(flowspec.DstPort, terms(flowspec.EQ, 1, 3, 5, 7, 9, 11)), port(flowspec.SrcPort, terms(flowspec.EQ, 1, 3, 5, 7, 9, 11))}, 4, ""},
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
