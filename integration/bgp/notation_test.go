package bgp_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/adapters/bgp"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/notation"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/integration/rig"
)

// The commands that sluice writes for GoBGP, typed into a shell: gobgpd sends the very octets that they were made of.
func TestGoBGPTakesCommands(t *testing.T) {
	t.Parallel()
	lines := []string{
		"match destination 203.0.113.10/32 protocol udp source-port '==53 ==123' packet-length >=400 then discard",
		"match destination 203.0.113.20/32 protocol tcp tcp-flags '=S&!A' then rate-limit 1250000 as 65000 mark 46",
		"match destination 203.0.113.30/32 fragment 'is-fragment' then redirect 65000:666 action sample",
		"match destination 203.0.113.40/32 port '>=1024&<=2048 !=53' then redirect 4200000000:7 action terminal",
		"match destination 203.0.113.50/32 source 192.0.2.0/24 icmp-type 8 icmp-code 0 dscp '46 34' then redirect 192.0.2.1:7",
		"match destination 2001:db8::/32 protocol 58 icmp-type 128 then rate-limit 0.5",
		"match source 2001:db8:1::/48 label 7 then accept",
	}
	read := notation.Read("", []byte(strings.Join(lines, "\n")), notation.Options{})
	if read.Failed() || len(read.Items) != len(lines) {
		t.Fatal(read.Problems)
	}
	var rules []flowspec.Rule
	want := map[string]bool{}
	for _, it := range read.Items {
		rules = append(rules, it.Rule)
		want[notation.Hex(it.Rule)] = true
	}
	var script bytes.Buffer
	if err := notation.Write(&script, notation.GoBGP, rules); err != nil {
		t.Fatal(err)
	}

	host := rig.Subnet()
	g := newGateway(t, host(1), nil)
	g.peer(bgp.PeerConfig{Name: "detector", Address: host(2), Port: rig.GoBGPPort, LocalAddress: host(1), RemoteAS: 64502, Families: both, Source: "detector"})
	g.run()
	b := rig.StartGoBGP(t, 64502, host(2), host(1), []string{"ipv4-flowspec", "ipv6-flowspec"}, "")
	b.Shell(script.String())
	g.saw("all rules as they were meant", func(events []rib.Event) bool {
		got := map[string]bool{}
		for _, e := range events {
			for _, r := range e.Announce {
				got[notation.Hex(flowspec.Rule{Match: r.Match, Action: r.Action, Others: r.Others})] = true
			}
		}
		return len(got) == len(want) && !slices.ContainsFunc(rules, func(r flowspec.Rule) bool { return !got[notation.Hex(r)] })
	})
	withdrawals := strings.NewReplacer(" add ", " del ").Replace(script.String())
	b.Shell(withdrawals)
	b.Holds("ipv4-flowspec", 0)
	b.Holds("ipv6-flowspec", 0)
}
