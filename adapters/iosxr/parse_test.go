package iosxr_test

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/sluice-gateway/sluice/adapters/dialecttest"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// list is a list of one entry, in two parts.
func list(line string) string {
	return "ipv4 access-list sluice-v4\n 10000000 permit ipv4 any any fragments\n 10001000 remark a\n 10001001 " + line + "\n 2147483640 permit ipv4 any any\n!\n"
}

// Each case is a line that a device may show for one of ours, and what it means.
func TestParseLines(t *testing.T) {
	t.Parallel()
	zero := packet.OffsetZero
	span := func(lo, hi uint32) packet.Values { return packet.Values{{Lo: lo, Hi: hi}} }
	for line, want := range map[string]filter.Match{
		"deny udp any any":                                           {Proto: udp, Fragments: zero},
		"deny 17 any any":                                            {Proto: udp, Fragments: zero},
		"deny gre any any":                                           {Proto: span(47, 47), Fragments: zero},
		"deny ahp any any":                                           {Proto: span(51, 51), Fragments: zero},
		"deny udp any eq domain any":                                 {Proto: udp, SrcPort: dns, Fragments: zero},
		"deny udp any any eq ntp":                                    {Proto: udp, DstPort: span(123, 123), Fragments: zero},
		"deny udp any any eq netbios-ns":                             {Proto: udp, DstPort: span(137, 137), Fragments: zero},
		"deny tcp any gt 1023 any lt 1024":                           {Proto: tcp, SrcPort: span(1024, 65535), DstPort: span(0, 1023), Fragments: zero},
		"deny tcp any any neq www":                                   {Proto: tcp, DstPort: packet.Values{{Lo: 0, Hi: 79}, {Lo: 81, Hi: 65535}}, Fragments: zero},
		"deny tcp any any range ftp-data ftp":                        {Proto: tcp, DstPort: span(20, 21), Fragments: zero},
		"deny icmp any any echo":                                     {Proto: ping, ICMPType: span(8, 8), Fragments: zero},
		"deny icmp any any ttl-exceeded":                             {Proto: ping, ICMPType: span(11, 11), ICMPCode: span(0, 0), Fragments: zero},
		"deny icmp any any 3 4":                                      {Proto: ping, ICMPType: span(3, 3), ICMPCode: span(4, 4), Fragments: zero},
		"deny ipv4 any any dscp ef":                                  {DSCP: span(46, 46), Fragments: zero},
		"deny ipv4 any any dscp range af11 af13":                     {DSCP: span(10, 14), Fragments: zero},
		"deny ipv4 any any packet-length gt 1000":                    {Length: span(1001, 65535), Fragments: zero},
		"deny tcp any any match-all -ack +syn":                       {Proto: tcp, Flags: []filter.FlagTerm{{Set: 2, Clear: 0x10}}, Fragments: zero},
		"deny tcp any any match-any +syn +fin":                       {Proto: tcp, Flags: []filter.FlagTerm{{Set: 2}, {Set: 1}}, Fragments: zero},
		"deny ipv4 198.51.100.0 0.0.0.255 any":                       {Src: prefixOf("198.51.100.0/24"), Fragments: zero},
		"deny ipv4 198.51.100.7 0.0.0.0 203.0.113.0/24":              {Src: prefixOf("198.51.100.7/32"), Dst: prefixOf("203.0.113.0/24"), Fragments: zero},
		"deny ipv4 0.0.0.0 255.255.255.255 any":                      {Fragments: zero},
		"deny ipv4 any any fragment-type first-fragment":             {Fragments: 0x22},
		"deny ipv4 any any fragment-offset eq 0":                     {Fragments: zero},
		"deny ipv4 any any fragment-type dont-fragment":              {Fragments: 0x30},
		"deny udp any any packet-length range 1 9 dscp 1":            {Proto: udp, Length: span(1, 9), DSCP: span(1, 1), Fragments: zero},
		"deny ipv4   host 192.0.2.1\t any fragment-type is-fragment": {Src: prefixOf("192.0.2.1/32"), Fragments: 0x22},
	} {
		got, err := dialect.Parse([]byte(list(line)))
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		f := filter.Filter{Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Alone, Entries: []filter.Entry{{Name: "a", Match: want, Do: filter.Do{Discard: true}}}}
		if err := filter.Same(f, got[0], dialect.Semantics()); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
}

const tail = " 2147483640 permit ipv4 any any\n!\n"

func lines(lines string) string { return "ipv4 access-list sluice-v4\n" + lines + tail }

// hostile is what is not understood inside our objects.
var hostile = map[string]string{
	list("deny udp any any ttl eq 1"):                                                       `line 4: 10001001 deny udp any any ttl eq 1: "ttl" is nothing that sluice writes there`,
	list("deny udp any any log"):                                                            `"log" is nothing that sluice writes there`,
	list("deny ipv4 any any icmp-off"):                                                      `"icmp-off" is nothing that sluice writes there`,
	list("permit ipv4 any any nexthop1 vrf BLUE"):                                           "nexthop1 vrf BLUE is no next hop of IPv4",
	list("permit ipv4 any any nexthop1 ipv6 2001:db8::1"):                                   "is no next hop of IPv4",
	list("permit ipv4 any any nexthop1 ipv4 192.0.2.1 nexthop2"):                            `"nexthop2" is nothing`,
	list("deny ipv4 any any nexthop1 ipv4 192.0.2.1"):                                       "a line that denies has a next hop",
	list("deny etherip any any"):                                                            `"etherip" is no number of 0 to 255`,
	list("deny ipv6 any any"):                                                               `"ipv6" is no number`,
	list("deny udp any eq 65536 any"):                                                       `"65536" is no number of 0 to 65535`,
	list("deny udp any range 9 1 any"):                                                      "the range runs backwards",
	list("deny udp any lt 0 any"):                                                           "no number is lt 0",
	list("deny gre any eq 1 any"):                                                           "ports of another protocol than tcp and udp",
	list("deny udp any any match-all +syn"):                                                 "TCP flags of another protocol than tcp",
	list("deny tcp any any match-all +syn -syn"):                                            "match-all +syn -syn is not understood",
	list("deny tcp any any match-all syn"):                                                  "match-all without flags",
	list("deny tcp any any established"):                                                    `"established" is nothing that sluice writes there`,
	list("deny icmp any any tos-bits"):                                                      `"tos-bits" is no number of 0 to 255`,
	list("deny icmp any any 8 256"):                                                         "an ICMP type stands there twice",
	list("deny ipv4 192.0.2.1/24 any"):                                                      "192.0.2.1/24 has bits behind its length",
	list("deny ipv4 192.0.2.0 0.0.255.0 any"):                                               "is neither a length nor the mask of a prefix",
	list("deny ipv4 net-group G any"):                                                       "net-group: want any, host, a prefix",
	list("deny ipv4 2001:db8::/32 any"):                                                     "is no address of IPv4",
	list("deny ipv4 any any dscp 64"):                                                       `"64" is no number of 0 to 63`,
	list("deny ipv4 any any dscp 1 dscp 2"):                                                 "dscp stands there twice",
	list("deny ipv4 any any fragments"):                                                     "number 10001001: no packet that gets there is a fragment of that kind",
	list("deny ipv4 any any fragment-offset eq 1"):                                          `"fragment-offset eq 1" is no condition on fragments that sluice writes`,
	list("deny ipv4 any any fragment-type fragments"):                                       `"fragments" is no type of fragments`,
	list("deny ipv4 any any fragment-type middle-fragment"):                                 "is no condition on fragments that sluice writes",
	list("deny ipv4 any any counter a b"):                                                   `"b" is nothing that sluice writes there`,
	list("deny ipv4 any"):                                                                   "destination: : want any, host",
	list("allow ipv4 any any"):                                                              "want permit, deny or remark",
	list("deny ipv4 any any\n extra"):                                                       "want a number and an entry behind it",
	list("deny ipv4 any any\n 10002001 deny ipv4 any any"):                                  "number 10002001: want a remark in front of it",
	list("deny ipv4 any any\n 10002000 remark b"):                                           "place 200: a remark has no entry behind it",
	list("deny ipv4 any any\n 10002000 remark b c\n 10002001 deny ipv4 any any"):            "want letters, digits and hyphens only",
	list("deny ipv4 any any\n 10002000 remark a\n 10002001 deny udp any any"):               "two entries are named a",
	list("deny ipv4 any any\n 10001001 deny udp any any"):                                   "two lines have the number 10001001",
	list("deny ipv4 any any\n 10001005 deny udp any any"):                                   "number 10001005: sluice writes no line there",
	list("deny ipv4 any any\n 20000000 deny udp any any"):                                   "number 20000000: sluice writes no line there",
	list("deny ipv4 any any\n 1000 remark a\n 1001 deny udp any any"):                       "number 1001: among the lines for later fragments one may match other packets",
	list("deny ipv4 any any\n 1000 remark a\n 1001 deny udp any any fragments"):             "it is another entry than number 1001",
	lines(" 10000000 permit udp any any fragments\n"):                                       "it should permit the rest of the later fragments",
	lines(" 1000 remark a\n 1001 deny ipv4 any any fragments\n"):                            "one of the lines is missing that permit the rest",
	lines(" 10001000 remark a\n 10001001 permit udp any eq 1 any\n"):                        "no line in front of it takes the later fragments",
	"ipv4 access-list sluice-v4\n 2147483640 permit udp any any\n!\n":                       "it should permit the rest",
	"ipv4 access-list sluice-v4\n 10000000 permit ipv4 any any fragments\n!\n":              "one of the lines is missing",
	"ipv4 access-list sluice-v4\n!\n":                                                       "access list sluice-v4: it has no lines",
	lines("") + lines(""):                                                                   "it stands there twice",
	"ipv4 access-list sluice-v4\n 2147483640 permit ipv4 any any\n":                         "the text is cut off",
	"ipv4 access-list sluice-v4\n 2147483640 permit ipv4 any any\nipv6 access-list x\n!\n":  "has no ! at its end",
	"ethernet-services access-list sluice-l2\n 10 permit any any\n!\n":                      "bears our mark, but sluice makes no such object",
	"ipv6 access-list sluice-v6\n 10001000 remark a\n 10001001 deny udp any eq 53 any\n!\n": "no line in front of it takes the later fragments",
	"ipv4 access-list sluice-v4\n 10001000 remark a\n 10001001 deny ipv4 any any\n 2147483640 remark no entries\n!\n":                 "it has entries, and a remark that there are none",
	`<ipv4><access-lists><access-list><access-list-name>sluice-v4</access-list-name><sequences/></access-list></access-lists></ipv4>`: "it has no lines",
	`<configuration/>`:                         "element configuration, want ipv4 or ipv6",
	`<ipv4/><ipv6/>`:                           "a second element ipv6 behind the first",
	`<rpc-reply><rpc-error/></rpc-reply>`:      "the reply is an error",
	`<data><ipv4-acl-and-prefix-list/></data>`: "these are the access lists of another model",
	`<ipv4>`: "read XML: ",
}

// spoilt is what is not as sluice writes it in the XML of a filter.
var spoilt = []dialecttest.Spoilt{
	{"<deny>", `<deny><log/>`, "log is nothing that sluice writes there"},
	{"<deny>", `<deny>x`, "deny has text in it"},
	{"<deny>", `<deny xc:operation="delete" xmlns:xc="urn:x">`, "deny has an attribute operation"},
	{"<access-list>", `<access-list operation="delete">`, "access-list has an attribute operation"},
	{"<access-list-name>", `<acl-type/><access-list-name>`, "acl-type is nothing that sluice writes there"},
	{"<any/>", `<any/><host>192.0.2.1</host>`, "want any, host, or an address with its length"},
	{"<any/>", `<net-group>g</net-group>`, "net-group is nothing"},
	{"<protocol>tcp</protocol>", "<protocol>tcp</protocol><protocol>tcp</protocol>", "a protocol stands there twice"},
	{"<protocol>tcp</protocol>", "<range><start-protocol>1</start-protocol><end-protocol>2</end-protocol></range>", "range is nothing"},
	{"<protocol>tcp</protocol>", "", "protocol, source or destination is missing"},
	{"<match-all>", "<established/><match-all>", "tcp-flags: want one element in it"},
	{"<tcp-bits>+syn -ack</tcp-bits>", "<tcp-bits>+syn -nonce</tcp-bits>", `"-nonce" is no flag`},
	{"<eq>53</eq>", "<eq>53</eq><neq>54</neq>", "port: want one operator"},
	{"<eq>53</eq>", "<range><start-value>1</start-value></range>", "want a start-value and an end-value"},
	{"<message-type>8</message-type>", "<message-type>8</message-type><message-type>9</message-type>", "message-type stands there twice"},
	{"<message-type>8</message-type>", "<message-type-name>Echo2</message-type-name>", `icmp: "Echo2" is no message that sluice knows`},
	{"<message-type>8</message-type>", "<message-type-name>HostTOSUnreachable</message-type-name>", `is no message that sluice knows`},
	{"<message-type>8</message-type>", "<message-code>0</message-code>", "icmp: want a message-type"},
	{"<remark>r-0000000000000001</remark>", "<remark>r-0000000000000001</remark><permit/>", "protocol, source or destination is missing"},
	{"<remark>r-0000000000000001</remark>", "", "want one of permit, deny and remark"},
	{"<sequence-number>10001000</sequence-number>", "<sequence-number>x</sequence-number>", "invalid syntax"},
	{"<fragments/>", "<fragments>1</fragments>", "fragments: not as the model has it"},
	{"<fragments/>", "<headers>fragments</headers>", "headers: IPv4 has none"},
	{"<dscp-value>46</dscp-value>", "<dscp-value>46</dscp-value><dscp-bitmask>3</dscp-bitmask>", "dscp: want one operator"},
	{"<nexthop1>", "<nexthop1><track>t</track>", "nexthop1: want an address and nothing else"},
}

// A device may spell what it holds otherwise: names for numbers, hosts as prefixes, replies around it.
func TestParseOtherSpellings(t *testing.T) {
	t.Parallel()
	r, err := dialect.Render(busy())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range [][2]string{
		{"<eq>53</eq>", "<eq>DNS</eq>"},
		{"<protocol>udp</protocol>", "<eq>17</eq>"},
		{"<host>203.0.113.9</host>", "<address>203.0.113.9</address><wildcard-mask>0.0.0.0</wildcard-mask>"},
		{"<host>203.0.113.9</host>", "<address>203.0.113.9</address><prefix-length>32</prefix-length>"},
		{"<message-type>8</message-type>", "<message-type-name>Echo</message-type-name>"},
		{"<dscp-value>46</dscp-value>", "<eq>ef</eq>"},
		{"<tcp-bits>+syn -ack</tcp-bits>", "<tcp-bits>-ack +syn </tcp-bits>"},
		{"<access-lists>", "<access-list-options><icmp-off/></access-list-options><access-lists>"},
		{"<access-lists>", `<prefix-lists xmlns="urn:other"/><access-lists><!-- theirs --><access-list><access-list-name>OTHER</access-list-name><anything/></access-list>`},
		{` xmlns="http://cisco.com/ns/yang/Cisco-IOS-XR-um-ipv4-access-list-cfg"`, ""},
	} {
		other := strings.ReplaceAll(string(r.Payload), c[0], c[1])
		if other == string(r.Payload) {
			t.Errorf("the payload has no %s", c[0])
		}
		dialecttest.ReadsBack(t, dialect, busy(), []byte(other))
		dialecttest.ReadsBack(t, dialect, busy(), []byte(`<?xml version="1.0"?><rpc-reply xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"><data><other xmlns="urn:x"/>`+other+`<ipv4 xmlns="urn:theirs"><access-lists/></ipv4></data></rpc-reply>`))
	}
	text := "Sun Nov 29 19:00:00.000 UTC\nhostname r1\ninterface TenGigE0/0/0/0\n ipv4 access-group sluice-v4 ingress\n!\nipv4 access-list OTHER\n 10 permit banana\n!\n" + r.Text + "end\n"
	dialecttest.ReadsBack(t, dialect, busy(), []byte(strings.ReplaceAll(text, "\n", "\r\n")))
}

// Other people's hands: the filters are named, those that were understood are there, and the error says what was not.
func TestParseReportsForeignHands(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("testdata/render/7-ipv6.txtar")
	if err != nil {
		t.Fatal(err)
	}
	_, err = dialect.Parse([]byte(list("deny ipv4 any any log") + string(dialecttest.Part(t, txtar.Parse(b), "text"))))
	var foreign *filter.ForeignError
	if !errors.As(err, &foreign) {
		t.Fatalf("got %v, want a *filter.ForeignError", err)
	}
	if n := len(foreign.Filters); n != 2 || foreign.Filters[0].Name != "sluice-v4" || foreign.Filters[0].Entries != nil || len(foreign.Filters[1].Entries) != 2 {
		got, _ := json.Marshal(foreign.Filters)
		t.Errorf("got %s, want sluice-v4 bare and sluice-v6 whole", got)
	}
}
