package filter_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// matches says directly, field by field, whether an entry with m matches h: the slow twin of Match.Set.
func matches(m filter.Match, s filter.Semantics, h packet.Header) bool {
	v6 := h.Dst.Is6()
	ports := m.Port != nil || m.DstPort != nil || m.SrcPort != nil
	icmp := m.ICMPType != nil || m.ICMPCode != nil
	ownICMP := uint8(1)
	if v6 {
		ownICMP = 58
	}
	state := h.Fragment
	bit := packet.Frags(1) << state
	if h.DF {
		bit <<= 4
	}
	later := state == packet.Middle || state == packet.Last
	switch {
	case m.Dst != nil && !m.Dst.Contains(h.Dst), m.Src != nil && !m.Src.Contains(h.Src),
		ports && s.PortsCheckProtocol && h.Proto != 6 && h.Proto != 17,
		m.Flags != nil && s.FlagsCheckProtocol && h.Proto != 6,
		icmp && s.ICMPChecksProtocol && h.Proto != ownICMP,
		(ports || icmp || m.Flags != nil) && s.TransportChecksOffset && later,
		m.Fragments != 0 && m.Fragments&bit == 0:
		return false
	}
	flags := m.Flags == nil
	for _, t := range m.Flags {
		flags = flags || h.Flags&t.Set == t.Set && h.Flags&t.Clear == 0
	}
	return flags && m.Proto.Has(uint32(h.Proto)) && m.DstPort.Has(uint32(h.DstPort)) && m.SrcPort.Has(uint32(h.SrcPort)) &&
		(m.Port.Has(uint32(h.DstPort)) || m.Port.Has(uint32(h.SrcPort))) &&
		m.ICMPType.Has(uint32(h.ICMPType)) && m.ICMPCode.Has(uint32(h.ICMPCode)) &&
		m.Length.Has(uint32(h.Length)) && m.DSCP.Has(uint32(h.DSCP)) && m.Label.Has(h.Label)
}

func TestSetMatchesWhatTheEntryMatches(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		v := versions.Draw(t, "version")
		m, s, h := match(v).Draw(t, "match"), semantics.Draw(t, "semantics"), header(v).Draw(t, "header")
		if got, want := m.Set(v, s).Has(h), matches(m, s, h); got != want {
			t.Fatalf("%+v of %v on %+v: the set says %v, the entry %v", m, h, s, got, want)
		}
	})
}

// A guarded match means on every platform what FlowSpec means by it. FlowSpec's own meaning comes from core/flowspec.
func TestGuardedMatchMeansWhatFlowSpecMeans(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		v := versions.Draw(t, "version")
		rule, m := ruleAndMatch(t, v)
		s := semantics.Draw(t, "semantics")
		got, want := filter.Guard(m, v, s).Set(v, s), rule.Set()
		if !got.Equal(want) {
			more, _ := got.Sub(want).Witness()
			less, _ := want.Sub(got).Witness()
			t.Fatalf("%s\nas %+v on %+v: too many, such as %s; too few, such as %s", rule, filter.Guard(m, v, s), s, more, less)
		}
	})
}

// A match without gaps is guarded already, and one that Guard made has none, unless nothing is left of it.
func TestUnguarded(t *testing.T) {
	t.Parallel()
	open := 0
	rapid.Check(t, func(t *rapid.T) {
		v := versions.Draw(t, "version")
		_, m := ruleAndMatch(t, v)
		none := filter.Semantics{}
		guarded := filter.Guard(m, v, none)
		if gaps := filter.Unguarded(m, v); gaps != (filter.Gaps{}) {
			open++
		} else if !guarded.Set(v, none).Equal(m.Set(v, none)) {
			t.Fatalf("no gaps in %+v, and yet it is not %+v", m, guarded)
		}
		if gaps := filter.Unguarded(guarded, v); gaps != (filter.Gaps{}) && !guarded.Set(v, none).Empty() {
			t.Fatalf("gaps %+v in %+v", gaps, guarded)
		}
	})
	if open == 0 {
		t.Error("no match had a gap")
	}
}

// ruleAndMatch draws the components of a rule and the same conditions as a match, not guarded.
func ruleAndMatch(t *rapid.T, v packet.Version) (flowspec.Match, filter.Match) {
	var m filter.Match
	var components []flowspec.Component
	family, fragments := flowspec.IPv4, packet.Frags(0xff)
	if v == packet.IPv6 {
		family, fragments = flowspec.IPv6, 0x0f
	}
	dst := prefix(v).Draw(t, "dst")
	if m.Dst = dst; dst != nil {
		components = append(components, flowspec.Component{Type: flowspec.DstPrefix, Prefix: flowspec.Prefix{Addr: dst.Addr(), Len: uint8(dst.Bits())}})
	}
	for _, c := range []struct {
		kind flowspec.Type
		to   *packet.Values
	}{
		{flowspec.Protocol, &m.Proto}, {flowspec.Port, &m.Port}, {flowspec.DstPort, &m.DstPort}, {flowspec.SrcPort, &m.SrcPort},
		{flowspec.ICMPType, &m.ICMPType}, {flowspec.ICMPCode, &m.ICMPCode}, {flowspec.PacketLength, &m.Length}, {flowspec.DSCP, &m.DSCP},
	} {
		if rapid.IntRange(0, 3).Draw(t, c.kind.String()) > 0 {
			continue
		}
		comp := flowspec.Component{Type: c.kind}
		for range rapid.IntRange(1, 2).Draw(t, "terms") {
			comp.Terms = append(comp.Terms, flowspec.Term{Op: flowspec.Op(rapid.IntRange(0, 7).Draw(t, "op")), Value: uint64(rapid.Uint32Range(0, c.kind.Max()).Draw(t, "value"))})
		}
		*c.to = comp.Values()
		if *c.to == nil { // every number: still a condition, for a packet without the field does not match
			*c.to = packet.NewValues(packet.Span{Hi: c.kind.Max()})
		}
		components = append(components, comp)
	}
	if rapid.IntRange(0, 3).Draw(t, "tcp-flags") == 0 {
		bits := rapid.SampledFrom([]uint16{0, 1, 2, 0x12, 0x3f}).Draw(t, "bits")
		m.Flags = []filter.FlagTerm{{Set: bits}}
		components = append(components, flowspec.Component{Type: flowspec.TCPFlags, Terms: []flowspec.Term{{Op: flowspec.AllBits, Value: uint64(bits)}}})
	}
	if rapid.IntRange(0, 3).Draw(t, "fragment") == 0 {
		// is-fragment (bit 1): Middle and Last; first-fragment (bit 2): First.
		later := rapid.Bool().Draw(t, "later")
		value := uint64(4)
		m.Fragments = 0x22 & fragments
		if later {
			value, m.Fragments = 2, 0xcc&fragments
		}
		components = append(components, flowspec.Component{Type: flowspec.Fragment, Terms: []flowspec.Term{{Op: flowspec.AnyBit, Value: value}}})
	}
	if len(components) == 0 {
		components = append(components, flowspec.Component{Type: flowspec.Protocol, Terms: []flowspec.Term{{Op: flowspec.EQ, Value: 6}}})
		m.Proto = packet.Values{{Lo: 6, Hi: 6}}
	}
	rule, err := flowspec.NewMatch(family, flowspec.RD{}, components...)
	if err != nil {
		t.Fatal(err)
	}
	return rule, m
}

func TestFragmentPartsAreDisjointAndWhole(t *testing.T) {
	t.Parallel()
	for f := range 256 {
		var sum packet.Frags
		for _, p := range filter.FragmentParts(packet.Frags(f)) {
			if sum&p != 0 {
				t.Errorf("%#x: part %#x overlaps", f, p)
			}
			sum |= p
		}
		if sum != packet.Frags(f) {
			t.Errorf("%#x: the parts make %#x", f, sum)
		}
	}
}
