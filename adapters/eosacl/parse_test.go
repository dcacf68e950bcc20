package eosacl_test

import (
	"testing"

	"github.com/sluice-gateway/sluice/adapters/dialecttest"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

const tail = "   2147483640 permit ip any any\n!\n"

func lines(lines string) string {
	return "ip access-list sluice-v4\n   counters per-entry\n" + lines + tail
}

// list is a list of one entry, in two parts.
func list(line string) string {
	return lines("   10000000 permit ip any any fragments\n   10001000 remark a\n   10001001 " + line + "\n")
}

// Each case is a line that a device may show for one of ours, and what it means.
func TestParseLines(t *testing.T) {
	t.Parallel()
	span := func(lo, hi uint32) packet.Values { return packet.Values{{Lo: lo, Hi: hi}} }
	for line, want := range map[string]filter.Match{
		"deny udp any any":                              {Proto: udp},
		"deny 17 any any":                               {Proto: udp},
		"deny ospf any any":                             {Proto: span(89, 89)},
		"deny udp any eq domain any":                    {Proto: udp, SrcPort: dns},
		"deny udp any any eq netbios-ns":                {Proto: udp, DstPort: span(137, 137)},
		"deny tcp any gt 1023 any lt 1024":              {Proto: tcp, SrcPort: span(1024, 65535), DstPort: span(0, 1023)},
		"deny tcp any any neq www":                      {Proto: tcp, DstPort: packet.Values{{Lo: 0, Hi: 79}, {Lo: 81, Hi: 65535}}},
		"deny tcp any any eq ftp-data https":            {Proto: tcp, DstPort: packet.Values{{Lo: 20, Hi: 20}, {Lo: 443, Hi: 443}}},
		"deny tcp any range 1000 1100 any range 10 20":  {Proto: tcp, SrcPort: span(1000, 1100), DstPort: span(10, 20)},
		"deny icmp any any unreachable":                 {Proto: ping, ICMPType: span(3, 3)},
		"deny icmp any any 3 4":                         {Proto: ping, ICMPType: span(3, 3), ICMPCode: span(4, 4)},
		"deny ip any any dscp ef":                       {DSCP: span(46, 46)},
		"deny ip 198.51.100.0 0.0.0.255 any":            {Src: prefixOf("198.51.100.0/24")},
		"deny ip 203.0.113.0/24 host 192.0.2.1 dscp 10": {Src: prefixOf("203.0.113.0/24"), Dst: prefixOf("192.0.2.1/32"), DSCP: span(10, 10)},
	} {
		got, err := dialect.Parse([]byte(list(line)))
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		want.Fragments = zero
		f := filter.Filter{Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Alone, Entries: []filter.Entry{{Name: "a", Match: want, Do: filter.Do{Discard: true}, Counter: "a"}}}
		if err := filter.Same(f, got[0], dialect.Semantics()); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
}

// hostile is what is not understood inside our objects.
var hostile = map[string]string{
	list("deny udp any any log"):                                                 `line 5: 10001001 deny udp any any log: "log" is nothing that sluice writes there`,
	list("deny udp any any ttl eq 1"):                                            `"ttl" is nothing that sluice writes there`,
	list("deny tcp any any established"):                                         `"established" is nothing that sluice writes there`,
	list("deny tcp any any neq www ssh"):                                         `"ssh" is nothing that sluice writes there`,
	list("deny tcp any any syn"):                                                 `"syn" is nothing that sluice writes there`,
	list("deny icmp any any host-unreachable"):                                   `"host-unreachable" is no number of 0 to 255`,
	list("permit ip any any nexthop-group NH"):                                   `"nexthop-group" is nothing that sluice writes there`,
	list("permit vlan 234 0xFFF ip any any"):                                     `"vlan" is no number of 0 to 255`,
	list("deny 0 any any"):                                                       "protocol 0 is nothing that sluice writes",
	list("deny udp any eq 65536 any"):                                            `"65536" is no number of 0 to 65535`,
	list("deny udp any range 9 1 any"):                                           "the range runs backwards",
	list("deny gre any eq 1 any"):                                                "ports of another protocol than tcp and udp",
	list("deny ip 192.0.2.1/24 any"):                                             "192.0.2.1/24 has bits behind its length",
	list("deny ip 192.0.2.0 0.0.255.0 any"):                                      "is neither a length nor the mask of a prefix",
	list("deny ip any any dscp 64"):                                              `"64" is no number of 0 to 63`,
	list("deny ip any any dscp"):                                                 `"" is no number of 0 to 63`,
	list("deny ip any any fragments"):                                            "number 10001001: no packet that gets there is a fragment of that kind",
	list("deny ip any"):                                                          "destination: : want any, host",
	list("allow ip any any"):                                                     "want permit, deny or remark",
	list("deny ip any any\n   extra"):                                            "want a number and an entry behind it",
	list("deny ip any any\n   10002001 deny ip any any"):                         "number 10002001: want a remark in front of it",
	list("deny ip any any\n   10002000 remark b"):                                "place 200: a remark has no entry behind it",
	list("deny ip any any\n   10002000 remark b c\n   10002001 deny ip any any"): "want letters, digits, hyphens and underscores only",
	list("deny ip any any\n   10002000 remark a\n   10002001 deny udp any any"):  "two entries are named a",
	list("deny ip any any\n   10001001 deny udp any any"):                        "two lines have the number 10001001",
	list("deny ip any any\n   1000 remark a\n   1001 deny udp any any"):          "number 1001: among the lines for later fragments one may match other packets",
	lines("   10 remark a\n   20 deny ip any any\n"):                             "number 20: want a remark there, with the name of the entry behind it",
	lines("   10000000 permit udp any any fragments\n"):                          "it should permit the rest of the later fragments",
	lines("   10001000 remark a\n   10001001 permit udp any eq 1 any\n"):         "no line in front of it takes the later fragments",
	"ip access-list sluice-v4\n" + tail:                                          "counters per-entry is missing, so that its lines count nothing",
	"ip access-list sluice-v4\n   counters per-entry\n!\n":                       "access list sluice-v4: it has no lines",
	"ip access-list sluice-v4\n   counters per-entry\n   10001000 remark a\n   10001001 deny ip any any\n!\n": "it cannot stand before another filter",
	lines("") + lines(""): "it stands there twice",
	"ip access-list standard sluice-v4\n   10 permit any\n!\n": "bears our mark, but sluice makes no such object",
	"mac access-list sluice-l2\n   10 permit any any\n!\n":     "bears our mark, but sluice makes no such object",
	"ipv6 access-list sluice-v6\n   counters per-entry\n   10001000 remark a\n   10001001 deny udp any any\n   2147483640 permit ipv6 any any\n!\n": `"udp" is no protocol of IPv6 that sluice writes`,
	"ipv6 access-list sluice-v6\n   counters per-entry\n   10001000 remark a\n   10001001 deny ipv6 any any dscp 1\n!\n":                            `"dscp" is nothing that sluice writes there`,
	`["ip access-list sluice-v4", ""]`: "line 2: an empty command",
	`["ip access-list sluice-v4"] []`:  "something stands behind the commands",
	`[1]`:                              "the commands are no JSON array of strings",
}

// spoilt is what is not as sluice writes it.
var spoilt = []dialecttest.Spoilt{
	{"counters per-entry", "no counters per-entry", "want a number and an entry behind it"},
	{"eq 443", "eq 443 established", `"established" is nothing that sluice writes there`},
	{"10001001 permit", "10001003 permit", "number 10001003: sluice writes no line there"},
	{"2147483640 permit", "2147483640 deny", "it should permit the rest"},
	{" remark r-0000000000000001", " remark", "place 100: remark: "},
}
