package bgp_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/adapters/bgp"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/integration/rig"
)

// wholePrefix is ::1234:5678:9a00:0/104 with offset 64 as ExaBGP and GoBGP write it; RFC 8956 §3.8 has 08016840123456789a.
const wholePrefix = "100168400000000000000000123456789a"

// birdOffset makes BIRD announce the rule of its commit 072821e5, which says how it was written before.
const birdOffset = "protocol static { flow6 { table f6; };\nroute flow6 { dst 0:0:0:1:1234:5678:9800:0/104 offset 60; } { bgp_ext_community.add((generic, 0x80060000, 0x0)); }; }\n"

// ExaBGP and GoBGP write IPv6 prefixes with an offset whole, and read them so; BIRD 2.0.12 writes and reads them from the octet on that has the offset. A rule of each gets to the others.
func TestPrefixesWithOffsets(t *testing.T) {
	t.Parallel()
	host := rig.Subnet()
	v6 := []flowspec.Family{flowspec.IPv6}
	g := newGateway(t, host(1), nil)
	g.peer(bgp.PeerConfig{Name: "exa", Address: host(2), LocalAddress: host(1), RemoteAS: 64502, Passive: true, Families: both, Source: "exa", Device: true,
		OffsetsIn: flowspec.OffsetWhole, OffsetsOut: flowspec.OffsetWhole})
	g.peer(bgp.PeerConfig{Name: "go", Address: host(3), Port: rig.GoBGPPort, LocalAddress: host(1), RemoteAS: 64503, Families: v6, Source: "go", Device: true,
		OffsetsIn: flowspec.OffsetWhole, OffsetsOut: flowspec.OffsetWhole})
	g.peer(bgp.PeerConfig{Name: "bird", Address: host(4), Port: rig.BIRDPort, LocalAddress: host(1), RemoteAS: 64504, Families: v6, Source: "bird", Device: true,
		OffsetsIn: flowspec.OffsetFromOctet, OffsetsOut: flowspec.OffsetFromOctet})
	g.forms["exa"], g.forms["go"], g.forms["bird"] = asItCame, asItCame, asItCame
	bird := rig.StartBIRD(t, 64504, host(4), host(1), "passive yes; flow6 { table f6; import all; export where source = RTS_STATIC; };", birdOffset)
	gobgp := rig.StartGoBGP(t, 64503, host(3), host(1), []string{"ipv6-flowspec"}, "")
	g.run()
	exa := rig.StartExaBGP(t, 64502, host(2), host(1))

	exa.Say("announce flow route { match { destination ::1234:5678:9a00:0/104/64; next-header udp; } then { discard; } }")
	gobgp.Ctl("global", "rib", "-a", "ipv6-flowspec", "add", "match", "source", "0:0:8::/45/37", "protocol", "tcp", "then", "discard")
	bird.Holds("f6", 3, "dst ::1234:5678:9a00:0/104 offset 64; next header 17;", "src 0:0:8::/45 offset 37; next header 6;", "dst ::1:1234:5678:9800:0/104 offset 60;")
	gobgp.Holds("ipv6-flowspec", 3, "destination: ::1234:5678:9a00:0/104/64", "source: 0:0:8::/45/37", "destination: ::1:1234:5678:9800:0/104/60")
	rig.Until(t, "ExaBGP to print the rules of the others", func() (bool, string) {
		out := exa.Heard()
		return strings.Contains(out, `"source-ipv6": [ "0:0:8::/45/37" ]`) && strings.Contains(out, `"destination-ipv6": [ "::1:1234:5678:9800:0/104/60" ]`), out
	})
	for _, p := range g.speaker.Status() {
		if p.In.Refused != 0 {
			t.Errorf("%s: refused %+v", p.Name, p.In.Last)
		}
	}
	exa.Say("withdraw flow route { match { destination ::1234:5678:9a00:0/104/64; next-header udp; } then { discard; } }")
	bird.Holds("f6", 2, "src")
	gobgp.Holds("ipv6-flowspec", 2, "source")
}

// From a source of whom nobody said how it writes them they are refused, and the refusal says what to write.
func TestPrefixesWithOffsetsUnsaid(t *testing.T) {
	t.Parallel()
	host := rig.Subnet()
	g := newGateway(t, host(1), nil)
	g.peer(bgp.PeerConfig{Name: "exa", Address: host(2), LocalAddress: host(1), RemoteAS: 64502, Passive: true, Families: both, Source: "exa"})
	g.peer(bgp.PeerConfig{Name: "go", Address: host(3), Port: rig.GoBGPPort, LocalAddress: host(1), RemoteAS: 64503, Families: both[1:], Source: "go"})
	g.peer(bgp.PeerConfig{Name: "bird", Address: host(4), Port: rig.BIRDPort, LocalAddress: host(1), RemoteAS: 64504, Families: both[1:], Source: "bird"})
	rig.StartBIRD(t, 64504, host(4), host(1), "passive yes; flow6 { table f6; import none; export all; };", birdOffset)
	gobgp := rig.StartGoBGP(t, 64503, host(3), host(1), []string{"ipv6-flowspec"}, "")
	g.run()
	exa := rig.StartExaBGP(t, 64502, host(2), host(1))
	gobgp.Ctl("global", "rib", "-a", "ipv6-flowspec", "add", "match", "destination", "::1234:5678:9a00:0/104/64", "then", "discard")
	gobgp.Ctl("global", "rib", "-a", "ipv6-flowspec", "add", "match", "destination", "2001:db8::/32", "then", "discard")
	exa.Say("announce flow route { match { destination ::1234:5678:9a00:0/104/64; } then { discard; } }")
	exa.Say("announce flow route { match { destination 2001:db8::/32; } then { discard; } }")
	g.saw("the two rules without an offset", func(events []rib.Event) bool {
		n := 0
		for _, e := range events {
			n += len(e.Announce)
		}
		return n == 2
	})
	rig.Until(t, "a refusal of all three", func() (bool, string) {
		st := g.speaker.Status()
		return !slices.ContainsFunc(st, func(p bgp.PeerStatus) bool { return p.In.Refused == 0 }), fmt.Sprintf("%+v", st)
	})
	want := map[string][2]string{
		"exa":  {wholePrefix, "that is what `ipv6-offset: whole-prefix` says of it"},
		"go":   {wholePrefix, "that is what `ipv6-offset: whole-prefix` says of it"},
		"bird": {"0901683c011234567898", "from a sender of from-octet, as \"destination ::1:1234:5678:9800:0/104/60;\": `ipv6-offset` of the sender says which"},
	}
	for _, p := range g.speaker.Status() {
		if last := p.In.Last[0]; last.Hex() != want[p.Name][0] || !strings.Contains(last.Reason, want[p.Name][1]) {
			t.Errorf("%s: refused %s: %s", p.Name, last.Hex(), last.Reason)
		}
	}
}
