package iosxr_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// The sentences of a list, as public sources show it: number, action, protocol, addresses with ports behind them, conditions, next hop last (batfish's CiscoXr_acl.g4; the
// listings of Cisco's tutorials "ACL IP Fragments Matching", "ACL Packet Length Matching", "ACL Based Forwarding" and "Chained ACL" for NCS 5500). match-all, numbers of
// dscp and counter have the words of Cisco-IOS-XR-um-ipv4-access-list-cfg, which is "derived from CLI".
var sentences = map[packet.Version]*regexp.Regexp{
	packet.IPv4: lineGrammar("ipv4", `\d+\.\d+\.\d+\.\d+`, `icmp`),
	packet.IPv6: lineGrammar("ipv6", `[0-9a-f:]+`, `icmpv6`),
}

func lineGrammar(family, address, icmp string) *regexp.Regexp {
	const (
		number = `\d+`
		port   = `(?: (?:eq|gt|lt) \d+| range \d+ \d+)?`
	)
	side := `(?: any| host ` + address + `| ` + address + `/\d+)`
	length := `(?: packet-length (?:(?:eq|gt|lt) \d+|range \d+ \d+))?`
	dscp := `(?: dscp (?:(?:(?:gt|lt) )?\d+|range \d+ \d+))?`
	fragment := `(?: fragments)?`
	if family == "ipv4" {
		fragment = `(?: fragments| fragment-offset eq 0| fragment-type (?:first-fragment|last-fragment|is-fragment|dont-fragment(?: (?:first|last|is)-fragment)?))?`
	}
	counter := `(?: counter [A-Za-z0-9-]{1,64})?`
	after := dscp + length + fragment + counter
	transport := `(?:tcp|udp)` + side + port + side + port + `(?: match-(?:all|any)(?: [+-](?:fin|syn|rst|psh|ack|urg))+)?` + after
	message := icmp + side + side + `(?: \d+(?: \d+)?)?` + after
	other := `(?:` + family + `|` + number + `|igmp|gre|esp|ahp|ospf|pim)` + side + side + after
	entry := `(?:` + transport + `|` + message + `|` + other + `)`
	return regexp.MustCompile(`^ ` + number + ` (?:remark [A-Za-z0-9-]+(?: entries)?|deny ` + entry + `|permit ` + entry + `(?: nexthop1 ` + family + ` ` + address + `)?)$`)
}

// grammar says which line of text is none of those, and whether the list is closed.
func grammar(f filter.Filter, text string) error {
	lines := strings.Split(text, "\n")
	if len(lines) < 3 || !strings.HasSuffix(text, "!\n") {
		return errors.New("the list is not closed")
	}
	for _, l := range lines[1 : len(lines)-2] {
		if !sentences[f.Version].MatchString(l) {
			return fmt.Errorf("no such line: %q", l)
		}
	}
	return nil
}

func TestGrammar(t *testing.T) {
	t.Parallel()
	for _, wrong := range []string{
		" 10 permit gre any any eq 80", " 10 deny ipv4 any any nexthop1 ipv4 192.0.2.1", " 10 deny udp any any match-all syn", " deny udp any any",
		" 10 deny udp any any fragments packet-length eq 1", " 10 deny ipv4 any 203.0.113.9", " 10 deny udp any any counter a b",
	} {
		if sentences[packet.IPv4].MatchString(wrong) {
			t.Errorf("the grammar takes %q", wrong)
		}
	}
}
