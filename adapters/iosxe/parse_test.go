package iosxe_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/adapters/dialecttest"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/table"
)

// list is an access list of one entry.
func list(line string) string {
	return "ip access-list extended sluice-v4\n 10000000 permit ip any any fragments\n 10001000 remark a\n 10001001 " + line + "\n 2147483640 permit ip any any\n!\n"
}

func list6(line string) string {
	return "ipv6 access-list sluice-v6\n sequence 10000000 permit ipv6 any any fragments\n sequence 10001000 remark a\n sequence 10001001 " + line + "\n sequence 2147483640 permit ipv6 any any\n!\n"
}

const rest = " 2147483640 permit ip any any\n!\n"

func one(lines string) string { return "ip access-list extended sluice-v4\n" + lines + rest }

// unnumbered is an access list of these lines, as classic IOS shows it.
func unnumbered(lines ...string) string {
	return "ip access-list extended sluice-v4\n " + strings.Join(lines, "\n ") + "\n!\n"
}

// hostile are texts that are not what Render writes, and what Parse says of them.
var hostile = map[string]string{
	list("deny udp any any ttl eq 1"):                                                                  `line 4: 10001001 deny udp any any ttl eq 1: "ttl" is nothing that sluice writes there`,
	list("deny udp any any log"):                                                                       `"log" is nothing that sluice writes there`,
	list("deny udp any any option any-options"):                                                        `"option" is nothing that sluice writes there`,
	list("deny tcp any any established"):                                                               `"established" is nothing that sluice writes there`,
	list("deny tcp any any syn"):                                                                       `"syn" is nothing that sluice writes there`,
	list("deny ip any any time-range NIGHT"):                                                           `"time-range" is nothing that sluice writes there`,
	list("evaluate OTHER"):                                                                             "want permit, deny or remark",
	list("deny etherip any any"):                                                                       `"etherip" is no number of 0 to 255`,
	list("deny ipv6 any any"):                                                                          `"ipv6" is no number`,
	list("deny 0 any any"):                                                                             "protocol 0 is nothing that sluice writes",
	list6("deny ahp any any"):                                                                          "protocol 51 is nothing that sluice writes",
	list6("deny 60 any any"):                                                                           "protocol 60 is nothing that sluice writes",
	list("deny object-group G any any"):                                                                `"object-group" is no number`,
	list("deny udp any eq 65536 any"):                                                                  `"65536" is no number of 0 to 65535`,
	list("deny udp any eq 1 2 3 4 5 6 7 8 9 10 11 any"):                                                "11: want any, host",
	list("deny udp any neq 1 2 any"):                                                                   "2: want any, host",
	list("deny udp any range 9 1 any"):                                                                 "the range runs backwards",
	list("deny udp any lt 0 any"):                                                                      "no number is lt 0",
	list("deny udp any gt 1 2 any"):                                                                    "2: want any, host",
	list("deny gre any eq 1 any"):                                                                      "ports of another protocol than tcp and udp",
	list("deny udp any any match-all +syn"):                                                            "TCP flags of another protocol than tcp",
	list("deny tcp any any match-all +syn -syn"):                                                       "match-all +syn -syn is not understood",
	list("deny tcp any any match-all syn"):                                                             "match-all without flags",
	list("deny icmp any any port-unreachable"):                                                         `"port-unreachable" is no number of 0 to 255`,
	list("deny icmp any any 8 256"):                                                                    "an ICMP type stands there twice",
	list("deny ip 192.0.2.1 0.0.0.255 any"):                                                            "192.0.2.1/24 has bits behind its length",
	list("deny ip 192.0.2.0 0.0.255.0 any"):                                                            "is neither a length nor the mask of a prefix",
	list("deny ip 192.0.2.0 255.255.255.0 any"):                                                        "is neither a length nor the mask of a prefix",
	list("deny ip host www.example.net any"):                                                           "is no address of IPv4",
	list("deny ip any any dscp 64"):                                                                    `"64" is no number of 0 to 63`,
	list("deny ip any any dscp 1 dscp 2"):                                                              "dscp stands there twice",
	list("deny ip any any flow-label 1"):                                                               `"flow-label" is nothing that sluice writes there`,
	list("deny ip any any fragments"):                                                                  "number 10001001: no packet that gets there is a fragment of that kind",
	list("deny ip any"):                                                                                "destination: : want any, host",
	list("allow ip any any"):                                                                           "want permit, deny or remark",
	list("deny ip any any\n deny udp any any"):                                                         "some lines have numbers, and some have none",
	list("deny ip any any\n 10002001 deny ip any any"):                                                 "number 10002001: want a remark in front of it",
	list("deny ip any any\n 10002000 remark b"):                                                        "place 200: a remark has no entry behind it",
	list("deny ip any any\n 10002000 remark b c\n 10002001 deny ip any any"):                           "want letters, digits and hyphens only",
	list("deny ip any any\n 10002000 remark a\n 10002001 deny udp any any"):                            "two entries are named a",
	list("deny ip any any\n 10001001 deny udp any any"):                                                "two lines have the number 10001001",
	list("deny ip any any\n 10001005 deny udp any any"):                                                "number 10001005: sluice writes no line there",
	list("deny ip any any\n 10 permit tcp any any"):                                                    "number 10: want a remark there",
	list("deny ip any any\n 1000 remark a\n 1001 deny udp any any"):                                    "number 1001: among the lines for later fragments one may match other packets",
	list("deny ip any any\n 1000 remark a\n 1001 deny udp any any fragments"):                          "it is another entry than number 1001",
	one(" 10000000 permit udp any any fragments\n"):                                                    "it should permit the rest of the later fragments",
	one(" 1000 remark a\n 1001 deny ip any any fragments\n"):                                           "one of the lines is missing that permit the rest",
	one(" 10001000 remark a\n 10001001 permit udp any eq 1 any\n"):                                     "no line in front of it takes the later fragments",
	"ip access-list extended sluice-v4\n 10001000 remark a\n 10001001 deny ip any any\n!\n":            "it cannot stand before another filter",
	"ip access-list extended sluice-v4\n 2147483640 permit udp any any\n!\n":                           "it should permit the rest",
	"ip access-list extended sluice-v4\n!\n":                                                           "access list sluice-v4: it has no lines",
	one("") + one(""):                                                                                  "it stands there twice",
	"ip access-list extended sluice-v4\n 2147483640 permit ip any any\n":                               "the text is cut off",
	"ip access-list standard sluice-v4\n 10 permit any\n!\n":                                           "bears our mark, but sluice makes no such object",
	"ip access-list role-based sluice-v4\n 10 permit ip\n!\n":                                          "bears our mark, but sluice makes no such object",
	list6("deny tcp any any match-all +syn"):                                                           "match-all: an IPv6 access list has no such word",
	list6("deny ipv6 any any flow-label 1048576"):                                                      `"1048576" is no number of 0 to 1048575`,
	list6("deny icmp any any echo-request"):                                                            `"echo-request" is no number of 0 to 255`,
	list6("deny ipv6 any any undetermined-transport"):                                                  `"undetermined-transport" is nothing that sluice writes there`,
	list6("deny ipv6 any 192.0.2.0/24"):                                                                "is no address of IPv6",
	list6("deny ipv6 any any\n 10002001 permit ipv6 any any"):                                          "want a number and an entry",
	unnumbered("permit ip any any", "deny udp any any"):                                                "want a remark in front of each line, and a line behind it",
	unnumbered("remark a", "remark b", "deny udp any any", "permit ip any any"):                        "want a remark in front of each line, and a line behind it",
	unnumbered("remark a", "deny udp any any"):                                                         "it cannot stand before another filter",
	unnumbered("remark a", "deny ip any any", "permit ip any any fragments", "permit ip any any"):      "among the lines for later fragments one may match other packets",
	`<native><ip><access-list><extended><name>sluice-v4</name></extended></access-list></ip></native>`: "it has no lines",
	`<native><ip><access-list><standard><name>sluice-v4</name></standard></access-list></ip></native>`: "standard sluice-v4 bears our mark, but sluice makes no such object",
	`<native><ip><access-list><extended/></access-list></ip></native>`:                                 "an access list has no name",
	`<configuration/>`:                                                                                 "element configuration, want native",
	`<native/><native/>`:                                                                               "a second element native behind the first",
	`<rpc-reply><rpc-error/></rpc-reply>`:                                                              "the reply is an error",
	`<native>`:                                                                                         "read XML: ",
}

// spoilt are changes to what busy is written as.
var spoilt = []dialecttest.Spoilt{
	{"<action>deny</action>", "<action>deny</action><log/>", "log: want a value"},
	{"<action>deny</action>", "<action>deny</action><time-range>NIGHT</time-range>", "time-range is nothing that sluice writes there"},
	{"<action>deny</action>", "<action>drop</action>", `action "drop", want permit or deny`},
	{"<action>deny</action>", "", `action "", want permit or deny`},
	{"<action>deny</action>", "<action>deny</action><ttl><eq>1</eq></ttl>", "ttl: want a value"},
	{"<ace-rule>", "<ace-rule>x", "ace-rule has text in it"},
	{"<ace-rule>", `<ace-rule xc:operation="delete" xmlns:xc="urn:x">`, "ace-rule has an attribute operation"},
	{"<name>sluice-v4</name>", "<name>sluice-v4</name><default/>", "default is nothing that sluice writes there"},
	{"<any/>", "<any/><host-address>192.0.2.1</host-address>", "want any, a host, or an address with its mask"},
	{"<any/>", "<object-group>g</object-group>", "want any, a host, or an address with its mask"},
	{"<any/>", "<any>1</any>", "any: not as the model has it"},
	{"<dst-any/>", "<dst-host>h</dst-host>", "want any, a host, or an address with its mask"},
	{"<mask>0.0.0.255</mask>", "", "want any, a host, or an address with its mask"},
	{"<mask>0.0.0.255</mask>", "<mask>24</mask>", "want any, a host, or an address with its mask"},
	{"<protocol>tcp</protocol>", "<protocol>tcp</protocol><protocol>tcp</protocol>", "protocol stands there twice"},
	{"<protocol>tcp</protocol>", "<protocol>object-group</protocol>", "is no number of 0 to 255"},
	{"<protocol>tcp</protocol>", "", "protocol, source or destination is missing"},
	{"<plussyn/>", "<plusece/>", `"+ece" is no flag`},
	{"<plussyn/>", "<plussyn>1</plussyn>", "plussyn: not as the model has it"},
	{"</match-all>", "</match-all><match-any><plusfin/></match-any>", "tcp-flags stands there twice"},
	{"</match-all>", "</match-all><established/>", "established: want a value"},
	{"<src-eq>53</src-eq>", "<src-eq>53</src-eq><src-neq>54</src-neq>", "source port stands there twice"},
	{"<src-eq>53</src-eq>", "<src-eq>53</src-eq><src-eq-port3>54</src-eq-port3>", "src-eq-port3 is nothing that sluice writes there"},
	{"<src-eq>53</src-eq>", "<src-neq>53</src-neq><src-neq-port2>54</src-neq-port2>", "src-neq-port2 is nothing that sluice writes there"},
	{"<src-eq>53</src-eq>", "<src-eq>dns</src-eq>", `"dns" is no number`},
	{"<dst-range2>2048</dst-range2>", "", `"" is no number of 0 to 65535`},
	{"<msg-type>8</msg-type>", "<named-msg-type>host-unknown</named-msg-type>", "is no message that sluice knows"},
	{"<msg-type>8</msg-type>", "", "msg-code is nothing that sluice writes there"},
	{"<remark>r-0000000000000001</remark>", "", "want an ace-rule or a remark"},
	{"<remark>r-0000000000000001</remark>", "<remark>r-0000000000000001</remark><remarks>x</remarks>", "it has two remarks"},
	{"<remark>r-0000000000000001</remark>", "<remark>r-0000000000000001</remark><evaluate>X</evaluate>", "evaluate is nothing that sluice writes there"},
	{"<sequence>10001000</sequence>", "<sequence>x</sequence>", "invalid syntax"},
	{"<fragments/>", "<fragments>1</fragments>", "fragments: not as the model has it"},
	{"<dscp>46</dscp>", "<dscp>46</dscp><flow-label>1</flow-label>", "flow-label is nothing that sluice writes there"},
}

// A device may spell what it holds otherwise: names for numbers, prefixes with other masks, replies around it.
func TestOtherSpellings(t *testing.T) {
	t.Parallel()
	r, err := dialect.Render(busy())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range [][2]string{
		{"<src-eq>53</src-eq>", "<src-eq>domain</src-eq>"},
		{"<dst-eq>19</dst-eq><dst-eq-port2>123</dst-eq-port2>", "<dst-eq>ntp</dst-eq><dst-eq-port2>chargen</dst-eq-port2>"},
		{"<protocol>udp</protocol>", "<protocol>17</protocol>"},
		{"<dst-host-address>203.0.113.9</dst-host-address>", "<dest-ipv4-address>203.0.113.9</dest-ipv4-address><dest-mask>0.0.0.0</dest-mask>"},
		{"<dscp>46</dscp>", "<dscp>ef</dscp>"},
		{"<remark>r-0000000000000001</remark>", "<remarks>r-0000000000000001</remarks>"},
		{"<remark>r-0000000000000001</remark>", "<remark>r-0000000000000001</remark><remarks>r-0000000000000001</remarks>"},
		{"<plussyn/><minusack/>", "<minusack/><plussyn/>"},
		{"<access-list>", "<domain/><access-list><!-- theirs --><standard><name>OTHER</name></standard><extended><name>OTHER</name><anything/></extended>"},
		{` xmlns="http://cisco.com/ns/yang/Cisco-IOS-XE-acl"`, ""},
	} {
		other := strings.ReplaceAll(string(r.Payload), c[0], c[1])
		if other == string(r.Payload) {
			t.Errorf("the payload has no %s", c[0])
		}
		reads(t, busy(), other)
		reads(t, busy(), `<?xml version="1.0"?><rpc-reply xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"><data><other xmlns="urn:x"/>`+other+`<native xmlns="urn:theirs"><ip/></native></data></rpc-reply>`)
	}
	text := "hostname r1\ninterface Gi0/0/0\n ip access-group sluice-v4 in\n!\nip access-list extended OTHER\n permit banana\n" + r.Text + "ip access-list extended LAST\n 10 permit ip any any\nend\n"
	reads(t, busy(), strings.ReplaceAll(text, "\n", "\r\n"))
	for line, want := range map[string]filter.Match{
		"deny icmp any any echo":                    {Proto: ping, ICMPType: dialecttest.One(8)},
		"deny tcp any any eq www 443 cmd":           {Proto: tcp, DstPort: packet.Values{{Lo: 80, Hi: 80}, {Lo: 443, Hi: 443}, {Lo: 514, Hi: 514}}},
		"deny udp any neq syslog any":               {Proto: udp, SrcPort: packet.Values{{Lo: 0, Hi: 513}, {Lo: 515, Hi: 65535}}},
		"deny esp any any":                          {Proto: dialecttest.One(50)},
		"deny ip 0.0.0.0 255.255.255.255 any":       {},
		"deny tcp any gt 1023 any lt 1024 dscp cs1": {Proto: tcp, SrcPort: packet.Values{{Lo: 1024, Hi: 65535}}, DstPort: packet.Values{{Lo: 0, Hi: 1023}}, DSCP: dialecttest.One(8)},
	} {
		want.Fragments = packet.OffsetZero
		reads(t, filter.Filter{Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Alone, Entries: []filter.Entry{{Name: "a", Counter: "a", Match: want, Do: filter.Do{Discard: true}}}}, list(line))
	}
	v6 := filter.Filter{Name: "sluice-v6", Version: packet.IPv6, Placement: filter.Alone, Entries: []filter.Entry{{Name: "a", Counter: "a", Match: filter.Match{Label: dialecttest.One(5), Fragments: 3}, Do: filter.Do{Discard: true}}}}
	inFront := list6("deny ipv6 any any flow-label 5")
	reads(t, v6, inFront)
	reads(t, v6, regexp.MustCompile(`(?m)^ sequence (\d+) (.*)$`).ReplaceAllString(inFront, " $2 sequence $1"))
}

// reads fails unless text is read as f and nothing else.
func reads(t *testing.T, f filter.Filter, text string) {
	t.Helper()
	got, err := dialect.Parse([]byte(text))
	if err != nil || len(got) != 1 {
		t.Errorf("%d filters, %v\n%s", len(got), err, text)
		return
	}
	if err := filter.Same(f, got[0], dialect.Semantics()); err != nil {
		t.Errorf("%v\n%s", err, text)
	}
}

// Classic IOS shows lists without numbers. They do the same, and have the same entries; only which of two entries that no packet meets came first is lost.
func TestListsWithoutNumbers(t *testing.T) {
	t.Parallel()
	number := regexp.MustCompile(`(?m)^ (?:sequence )?\d+ `)
	names := func(f filter.Filter) []string {
		var out []string
		for _, e := range f.Entries {
			out = append(out, e.Name+" "+e.Counter)
		}
		slices.Sort(out)
		return out
	}
	parted := 0
	rapid.Check(t, func(t *rapid.T) {
		f := suite.Sayable(t)
		r, err := dialect.Render(f)
		if err != nil {
			t.Fatal(err)
		}
		text := number.ReplaceAllString(r.Text, " ")
		got, err := dialect.Parse([]byte(text))
		if err != nil || len(got) != 1 {
			t.Fatalf("%d filters, %v\n%s", len(got), err, text)
		}
		if !slices.Equal(names(f), names(got[0])) {
			t.Fatalf("got entries %v\n%s", names(got[0]), text)
		}
		if d := table.Diff(f.Table(dialect.Semantics()), got[0].Table(dialect.Semantics())); d != nil {
			t.Fatalf("%v\n%s", d, text)
		}
		if strings.Contains(text, "\n permit ip any any fragments\n") && len(f.Entries) > 1 {
			parted++
		}
	})
	if parted == 0 {
		t.Error("no list had two parts")
	}
}
