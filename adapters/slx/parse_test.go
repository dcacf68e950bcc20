package slx_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/adapters/dialecttest"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// one is a list of one line.
func one(rule string) string {
	return "ip access-list extended sluice-v4\n seq 10 " + rule + "\n seq 65535 permit ip any any\n!\n"
}

// hostile is what is not as sluice writes it, or no object of ours.
var hostile = map[string]string{
	one("permit tcp any any eq 443"):                                                                 `line 2: seq 10 permit tcp any any eq 443: "eq" is nothing that sluice writes there`,
	one("permit tcp any eq 443 any"):                                                                 `destination: "eq": want any, host and an address`,
	one("hard-drop ip any any"):                                                                      `"hard-drop": want permit or deny`,
	one("deny ip any any log"):                                                                       `"log" is nothing that sluice writes there`,
	one("deny ip any any count log"):                                                                 `"log" is nothing that sluice writes there`,
	one("deny ip any any fragment"):                                                                  `"fragment" is nothing that sluice writes there`,
	one("deny tcp any any sync"):                                                                     `"sync" is nothing that sluice writes there`,
	one("deny ip any any vlan 5"):                                                                    `"vlan" is nothing that sluice writes there`,
	one("deny ip any"):                                                                               `destination: "": want any`,
	one("deny ip any any\n \v"):                                                                      "want seq, a number and a rule",
	one("deny"):                                                                                      `protocol: "" is no name that sluice knows`,
	one("deny ip host 192.0.2.0/24 any"):                                                             `"192.0.2.0/24" is no address`,
	one("deny ip 192.0.2.0 0.255.0.255 any"):                                                         `"0.255.0.255" is no wildcard mask of a prefix`,
	one("deny ip 192.0.2.1 0.0.0.255 any"):                                                           "192.0.2.1/24 has bits behind its length",
	one("deny ip 192.0.2.1/24 any"):                                                                  "192.0.2.1/24 has bits behind its length",
	one("deny ip host 2001:db8::1 any"):                                                              "2001:db8::1/128 is not of IP version 4",
	one("deny ip 2001:db8::/32 any"):                                                                 "is not of IP version 4",
	one("deny 0 any any"):                                                                            `protocol: "0" is no name that sluice knows`,
	one("deny 256 any any"):                                                                          `protocol: "256" is no name`,
	one("deny ospf any any"):                                                                         `protocol: "ospf" is no name`,
	one("deny ipv6 any any"):                                                                         `protocol: "ipv6" is no name`,
	one("deny ip any any\n seq 10 permit ip any any"):                                                "two lines have the number 10",
	one("deny ip any any\n seq 0 permit ip any any"):                                                 "number 0: sluice writes lines of 1 to 65000, and 65535",
	one("deny ip any any\n seq 65001 permit ip any any"):                                             "number 65001: sluice writes lines",
	one("deny ip any any\n seq x permit ip any any"):                                                 "number x: sluice writes lines",
	one("deny ip any any\n permit ip any any"):                                                       "want seq, a number and a rule",
	one("deny ip any any\n ! a"):                                                                     "want seq, a number and a rule",
	"! seq 20 is a\n" + one("deny ip any any"):                                                       "a names the line 20, which is not there",
	"! seq 10 is a\n! seq 10 is b\n" + one("deny ip any any"):                                        `name "a b": want letters, digits and hyphens only`,
	"! seq 10 is a_b\n" + one("deny ip any any"):                                                     `name "a_b": want letters, digits and hyphens only`,
	"! seq 65535 is a\n" + one("deny ip any any"):                                                    "a names the line 65535, which is not there",
	one("deny ip any any\n seq 65535 permit ip any any"):                                             "it stands there twice",
	"! seq 20 is line-10\n" + one("deny ip any any\n seq 20 deny ip any any"):                        "two entries are named line-10",
	"ip access-list extended sluice-v4\n seq 10 deny ip any any\n":                                   "the line is missing that permits the rest",
	"ip access-list extended sluice-v4\n seq 65535 deny ip any any\n":                                "the last line does not permit the rest",
	"ip access-list extended sluice-v4\n seq 65535 permit ip any any count\n":                        "the last line does not permit the rest",
	"ip access-list extended sluice-v4\n":                                                            "the line is missing that permits the rest",
	one("deny ip any any") + one("deny ip any any"):                                                  "it stands there twice",
	one("deny ip any any") + "ipv6 access-list extended sluice-v4\n":                                 "it stands there twice",
	"ip access-list standard sluice-v4\n seq 10 deny any\n":                                          "bears our mark, but sluice makes no such object",
	"mac access-list extended sluice-l2\n":                                                           "bears our mark, but sluice makes no such object",
	"ipv6 access-list extended sluice-v6\n seq 10 deny ipv6 any 2001:db8::/32\n":                     "the hardware does not look at it in IPv6",
	"ipv6 access-list extended sluice-v6\n seq 10 deny tcp any any\n":                                `sluice writes ipv6 only, not "tcp"`,
	"ipv6 access-list extended sluice-v6\n seq 10 deny ipv6 host fe80::1%e any\n":                    "is no address",
	"ipv6 access-list extended sluice-v6\n seq 10 deny ipv6 2001:db8:: ::ff any\n":                   "want any, host and an address, or a prefix",
	"ip access-list extended sluice-" + strings.Repeat("x", 57) + "\n seq 65535 permit ip any any\n": "want 1 to 63 characters",
}

// spoilt is what another hand does to a list of ours.
var spoilt = []dialecttest.Spoilt{
	{"deny ip any host", "hard-drop ip any host", "want permit or deny"},
	{"permit tcp 198.51.100.0 0.0.0.255", "permit tcp 198.51.100.0 0.0.0.254", "is no wildcard mask of a prefix"},
	{"203.0.113.9 count", "203.0.113.9 count log", "is nothing that sluice writes there"},
	{" seq 65535 permit ip any any\n", "", "the line is missing that permits the rest"},
	{" seq 20 deny", " seq 10 deny", "r-0000000000000002 names the line 20, which is not there"},
	{"is r-0000000000000002", "is r-0000000000000001", "two entries are named r-0000000000000001"},
	{"list extended sluice", "list standard sluice", "makes no such object"},
}

// What a device shows has no names: entries are named after their numbers. Others' lists, and where ours is applied, are passed over.
func TestParseReadsAConfiguration(t *testing.T) {
	t.Parallel()
	const config = `! seq 10 is nothing-of-ours
hostname SLX
mac access-list extended L2
 seq 10 permit any any
!
ip access-list standard MGMT
 seq 10 permit 10.0.0.0 0.255.255.255
!
ip access-list extended EDGE
 seq 10 permit tcp any any eq 443 sync count log
!
ip access-list extended sluice-v4
 seq 10 deny 17 any 203.0.113.0/24 count
 seq 15 permit icmp 198.51.100.0 0.0.0.255 host 203.0.113.9
 seq 65535 permit ip any any
!
ipv6 access-list extended sluice-v6
 seq 65535 permit ipv6 any any
!
interface Ethernet 0/1
 ip access-group sluice-v4 in
 no shutdown
!
`
	got, err := dialect.Parse([]byte(config))
	if err != nil || len(got) != 2 || len(got[1].Entries) != 0 || got[1].Version != packet.IPv6 {
		t.Fatalf("got %+v, %v", got, err)
	}
	src, dst, host := netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("203.0.113.9/32")
	want := filter.Filter{Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Alone, Entries: []filter.Entry{
		{Name: "line-10", Match: filter.Match{Proto: udp, Dst: &dst}, Do: filter.Do{Discard: true}, Counter: "line-10"},
		{Name: "line-15", Match: filter.Match{Proto: dialecttest.One(1), Src: &src, Dst: &host}},
	}}
	if err := filter.Same(want, got[0], dialect.Semantics()); err != nil || got[0].Entries[1].Place != 15 {
		t.Errorf("place %d: %v", got[0].Entries[1].Place, err)
	}
}

// A list that is not understood is named, and the others are read.
func TestForeignListsAreNamed(t *testing.T) {
	t.Parallel()
	_, err := dialect.Parse([]byte(one("deny ip any any log") + "ipv6 access-list extended sluice-v6\n seq 65535 permit ipv6 any any\n"))
	var foreign *filter.ForeignError
	if !errors.As(err, &foreign) || len(foreign.Filters) != 2 || foreign.Filters[0].Placement != "" || foreign.Filters[1].Placement != filter.Alone {
		t.Errorf("got %#v", err)
	}
}
