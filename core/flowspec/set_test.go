package flowspec

import (
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/core/packet"
)

func TestSetHoldsWhatTheRFCMatches(t *testing.T) {
	t.Parallel()
	hits := 0
	property(t, func(t *rapid.T) {
		f := rapid.SampledFrom([]Family{IPv4, IPv4, IPv6, IPv6, VPNv4, VPNv6}).Draw(t, "family")
		m, r, _ := checkAgainstTwin(t, f, octets(t, f, rapid.IntRange(1, 4).Draw(t, "most components")))
		set := m.Set()
		for range 20 {
			h := header(t, r)
			want := slowMatches(r, h)
			if got := set.Has(h); got != want {
				t.Fatalf("%s\nNLRI %x\npacket %s\ngot %v, want %v", m, m.NLRI(), h, got, want)
			}
			if want {
				hits++
			}
		}
		if w, ok := set.Witness(); ok && !slowMatches(r, w) {
			t.Fatalf("%s\nNLRI %x\nwitness %s does not match", m, m.NLRI(), w)
		}
	})
	if hits < 100 {
		t.Errorf("only %d packets matched: the generator has become useless", hits)
	}
}

func TestSetTraps(t *testing.T) {
	t.Parallel()
	tcp := packet.Header{Src: netip.MustParseAddr("198.51.100.1"), Dst: netip.MustParseAddr("203.0.113.9"),
		Proto: 6, SrcPort: 1024, DstPort: 80, Flags: 0x12, Length: 60}
	with := func(h packet.Header, change func(*packet.Header)) packet.Header {
		change(&h)
		return h
	}
	udp := with(tcp, func(h *packet.Header) { h.Proto, h.Flags = 17, 0 })
	sctp := with(tcp, func(h *packet.Header) { h.Proto, h.Flags, h.SrcPort, h.DstPort = 132, 0, 0, 0 })
	first := with(udp, func(h *packet.Header) { h.Fragment = packet.First })
	middle := with(udp, func(h *packet.Header) { h.Fragment, h.SrcPort, h.DstPort = packet.Middle, 0, 0 })
	last := with(middle, func(h *packet.Header) { h.Fragment = packet.Last })
	ping := with(sctp, func(h *packet.Header) { h.Proto, h.ICMPType = 1, 8 })
	all := []packet.Header{tcp, udp, sctp, first, middle, last, ping}
	for _, c := range []struct {
		name, in string
		want     []packet.Header
	}{
		{"AND on the first pair is not there", "05 05 4150 8111", []packet.Header{tcp, udp, first}},
		{"never: always false", "03 038006", nil},
		{"always true", "03 038706", all},
		{"below 300 in one octet of protocol", "04 0394012c", all},
		{"never: equal 300 in one octet of protocol", "04 0391012c", nil},
		{"not 300", "04 0396012c", all},
		{"never: any of no bits", "03 098000", nil},
		{"all of no bits", "03 098100", []packet.Header{tcp}},
		{"none of no bits", "03 098200", []packet.Header{tcp}},
		{"never: not all of no bits", "03 098300", nil},
		{"all is not equality", "03 098102", []packet.Header{tcp}},
		{"never: a bit over the data offset", "04 0991 1002", nil},
		{"never: first and later fragment at once", "03 0c8106", nil},
		{"first or later fragment", "03 0c8006", []packet.Header{first, middle, last}},
		{"later fragment", "03 0c8002", []packet.Header{middle, last}},
		{"last fragment", "03 0c8108", []packet.Header{last}},
		{"not a fragment", "03 0c8206", []packet.Header{tcp, udp, sctp, ping}},
		{"port 80", "03 048150", []packet.Header{tcp, udp, first}},
		{"port 80 and destination port 1024", "07 048150 05910400", nil},
		{"port 1024 and destination port 80", "07 04910400 058150", []packet.Header{tcp, udp, first}},
		{"port not 80: either port may differ", "03 048650", []packet.Header{tcp, udp, first}},
		{"ports above 0 do not exist in SCTP or later fragments", "03 058300", []packet.Header{tcp, udp, first}},
		{"never: ICMP type and port", "06 048150 078108", nil},
		{"never: ICMP type of UDP", "06 038111 078108", nil},
		{"ICMP type", "03 078108", []packet.Header{ping}},
		{"every destination", "02 0100", all},
	} {
		set := parse(t, IPv4, c.in).Set()
		for _, h := range all {
			want := false
			for _, w := range c.want {
				want = want || h == w
			}
			if got := set.Has(h); got != want {
				t.Errorf("%s: packet %s: got %v, want %v", c.name, h, got, want)
			}
		}
		if strings.HasPrefix(c.name, "never") != set.Empty() {
			t.Errorf("%s: got the set %s", c.name, set)
		}
	}
}

// A prefix of length 0 changes no packet, and changes the place of the rule.
func TestEveryDestinationIsNotNoDestination(t *testing.T) {
	t.Parallel()
	with, without := parse(t, IPv4, "05 0100 038111"), parse(t, IPv4, "03 038111")
	if !with.Set().Equal(without.Set()) {
		t.Error("destination 0.0.0.0/0 keeps packets out")
	}
	if Compare(with, without) >= 0 || with.Equal(without) {
		t.Error("a rule with a destination goes before one without")
	}
}

// The two boxes of a port rule share no packet: each packet is in one piece of the rule.
func TestSetOfPortIsDisjoint(t *testing.T) {
	t.Parallel()
	boxes := parse(t, IPv4, "0a 04 0150 8151 05 0319 c5ff").Set().Boxes()
	if len(boxes) != 2 || packet.Of(boxes[0]).Overlaps(packet.Of(boxes[1])) {
		t.Errorf("got %d boxes: %v", len(boxes), boxes)
	}
}

// Rules that differ in octets and not in packets, and the reverse.
func TestSetEquality(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, a, b string
		f          Family
		same       bool
	}{
		{"width of a value", "03 058150", "04 05910050", IPv4, true},
		{"order of a list", "06 05 0150 9101bb", "06 05 1101bb 8150", IPv4, true},
		{"a range and its members", "07 05 0150 0151 8152", "05 05 0350 c552", IPv4, true},
		{"any destination and none", "02 0100", "04 03970000", IPv4, true},
		{"port and both ports", "03 048150", "06 058150 068150", IPv4, false},
		{"port and destination port within it", "06 048150 058150", "03 058150", IPv4, true},
		{"flags imply TCP", "06 038106 098102", "03 098102", IPv4, true},
		{"ports do not imply TCP", "06 038106 058150", "03 058150", IPv4, false},
		{"DF is nothing in IPv6", "03 0c8100", "03 0c8101", IPv6, true},
		{"a pattern later", "04 011008 01", "05 011000 2001", IPv6, false},
	} {
		if got := parse(t, c.f, c.a).Set().Equal(parse(t, c.f, c.b).Set()); got != c.same {
			t.Errorf("%s: %s and %s: got equal %v, want %v", c.name, c.a, c.b, got, c.same)
		}
	}
}
