package sros_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/adapters/dialecttest"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// one is a filter with one entry, of which lines are all but its name.
func one(lines string) string {
	return "configure {\n filter {\n" + listed("entry 1000 {\n description \"a\"\n"+lines+"\n}") + " }\n}\n"
}

// listed is a filter with those entries, as `info` in `configure filter` shows it.
func listed(entries string) string {
	return "ip-filter \"sluice-v4\" {\n default-action accept\n type packet-length\n" + entries + "\n }\n"
}

const dropped = "\naction {\n drop\n }"

// Each case is a match that a device may show in one of ours, and what it means.
func TestParseConditions(t *testing.T) {
	t.Parallel()
	zero := packet.OffsetZero
	span := func(lo, hi uint32) packet.Values { return packet.Values{{Lo: lo, Hi: hi}} }
	for lines, want := range map[string]filter.Match{
		"protocol udp": {Proto: udp},
		"protocol 17":  {Proto: udp},
		"protocol gre": {Proto: span(47, 47)},
		"protocol 250": {Proto: span(250, 250)},
		"protocol tcp-udp\n src-port {\n eq 53\n }":                                       {Proto: packet.Values{{Lo: 6, Hi: 6}, {Lo: 17, Hi: 17}}, SrcPort: dns, Fragments: zero},
		"protocol udp\n dst-port {\n gt 1023\n }":                                         {Proto: udp, DstPort: span(1024, 65535), Fragments: zero},
		"protocol udp\n port {\n range {\n start 20\n end 21\n }\n }":                     {Proto: udp, Port: span(20, 21), Fragments: zero},
		"fragment false\n protocol udp\n dst-port {\n lt 1024\n }":                        {Proto: udp, DstPort: span(0, 1023), Fragments: 0x11},
		"fragment true\n protocol udp\n dst-port {\n eq 53\n }":                           {Proto: udp, DstPort: dns, Fragments: 0x22},
		"protocol icmp\n icmp {\n type 8\n code 0\n }":                                    {Proto: ping, ICMPType: span(8, 8), ICMPCode: span(0, 0), Fragments: zero},
		"protocol tcp\n tcp-flags {\n syn true\n ack false\n ns false\n }":                {Proto: tcp, Flags: []filter.FlagTerm{{Set: 2, Clear: 0x110}}, Fragments: zero},
		"src-ip {\n address 198.51.100.7\n }\n dst-ip {\n address \"203.0.113.0/24\"\n }": {Src: prefixOf("198.51.100.7/32"), Dst: prefixOf("203.0.113.0/24")},
		"src-ip {\n address 0.0.0.0/0\n }":                                                {},
		"fragment true":                                                                   {Fragments: 0xee},
		"fragment non-first-only":                                                         {Fragments: 0xcc},
		"packet-length {\n range {\n end 9\n start 1\n }\n }":                             {Length: span(1, 9)},
		"packet-length {\n gt 1000\n } # a comment":                                       {Length: span(1001, 65535)},
	} {
		f := filter.Filter{Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Alone, Entries: []filter.Entry{{Name: "a", Match: want, Do: filter.Do{Discard: true}}}}
		dialecttest.ReadsBack(t, dialect, f, []byte(one("match {\n"+lines+"\n}"+dropped)))
	}
}

// Each case is an action that a device may show, and what it means.
func TestParseActions(t *testing.T) {
	t.Parallel()
	ef := uint8(46)
	redirect := filter.Do{Redirect: &flowspec.Redirect{Form: flowspec.NextHopIETFv4}}
	redirect.Redirect.Addr = prefixOf("192.0.2.9/32").Addr()
	for lines, want := range map[string]filter.Do{
		"drop":                                {Discard: true},
		"accept":                              {},
		"accept\n remark {\n dscp ef\n }":     {Mark: &ef},
		"remark {\n dscp \"ef\"\n }\n accept": {Mark: &ef},
		"forward {\n next-hop {\n nh-ip {\n address 192.0.2.9\n indirect true\n }\n }\n }": redirect,
	} {
		f := filter.Filter{Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Alone, Entries: []filter.Entry{{Name: "a", Do: want}}}
		dialecttest.ReadsBack(t, dialect, f, []byte(one("action {\n"+lines+"\n }")))
	}
}

func matching(lines string) string { return one("match {\n" + lines + "\n}" + dropped) }

func doing(lines string) string { return one("action {\n" + lines + "\n }") }

func entry(number, lines string) string {
	return "entry " + number + " {\n description \"a\"\n" + lines + dropped + "\n}\n"
}

const limits = "accept\n rate-limit {\n policer \"sluice-p\"\n }"

func policed(leaves string) string {
	return "policer \"sluice-p\" {\n" + leaves + "\n}\n" + listed("entry 1000 {\n description \"a\"\n action {\n"+limits+"\n }\n}")
}

// hostile is what is not understood inside our objects.
var hostile = map[string]string{
	matching("ttl {\n eq 1\n }"):                                                "ip-filter sluice-v4: entry 1000: line 9: ttl: nothing that sluice writes there",
	matching("ip {\n address 1.2.3.4\n }"):                                      "ip: nothing that sluice writes there",
	matching("dscp ef"):                                                         "dscp: a filter of type packet-length has no such condition in IPv4",
	matching("next-header udp"):                                                 "next-header: nothing that sluice writes there",
	matching("protocol rvd"):                                                    `protocol: "rvd" is no name that sluice knows`,
	matching("protocol 256"):                                                    `protocol: "256" is no name`,
	matching("protocol"):                                                        "protocol: want one value",
	matching("protocol tcp udp"):                                                "protocol: want one value",
	matching("protocol tcp\n protocol udp"):                                     "line 10: protocol: it stands there twice",
	matching("protocol-list \"x\""):                                             "protocol-list: nothing that sluice writes there",
	matching("fragment maybe"):                                                  `fragment: "maybe" is no condition that sluice writes in IPv4`,
	matching("src-ip {\n }"):                                                    "src-ip: want an address",
	matching("src-ip {\n address 1.2.3.4/24\n }"):                               "1.2.3.4/24 has bits behind its length",
	matching("src-ip {\n address 2001:db8::/32\n }"):                            `"2001:db8::/32" is no prefix of IPv4`,
	matching("src-ip {\n address 1.2.3.4\n mask 255.0.255.0\n }"):               "mask: nothing that sluice writes there",
	matching("src-ip {\n ip-prefix-list [\"x\"]\n }"):                           "ip-prefix-list: nothing that sluice writes there",
	matching("protocol udp\n src-port {\n eq 53\n gt 54\n }"):                   "src-port: want one of eq, lt, gt and range",
	matching("protocol udp\n src-port {\n eq 65536\n }"):                        `"65536" is no number of 0 to 65535`,
	matching("protocol udp\n src-port {\n lt 0\n }"):                            `"0" is no number of 1 to 65535`,
	matching("protocol udp\n src-port {\n gt 65535\n }"):                        `"65535" is no number of 0 to 65534`,
	matching("protocol udp\n src-port {\n range {\n start 9\n }\n }"):           "range: want a start and an end",
	matching("protocol udp\n src-port {\n range {\n start 9\n end 1\n}\n}"):     "range: it runs backwards",
	matching("protocol udp\n src-port {\n port-list [\"x\"]\n }"):               "port-list: nothing that sluice writes there",
	matching("src-port {\n eq 53\n }"):                                          "protocol: an entry with ports must name tcp or udp",
	matching("protocol udp\n src-port {\n lt 1024\n }"):                         "its conditions hold for zero, so it matches later fragments as well",
	matching("protocol icmp\n icmp {\n type 0\n }"):                             "its conditions hold for zero",
	matching("protocol tcp\n tcp-flags {\n ack false\n }"):                      "its conditions hold for zero",
	matching("fragment true\n protocol tcp\n tcp-flags {\n ack false\n }"):      "its conditions hold for zero",
	matching("fragment non-first-only\n protocol udp\n src-port {\n eq 53\n }"): "no packet is a fragment of that kind and has those fields",
	matching("protocol tcp\n tcp-established"):                                  "tcp-established: nothing that sluice writes there",
	matching("protocol tcp\n tcp-flags {\n syn maybe\n }"):                      "syn: want true or false",
	matching("protocol tcp\n tcp-flags {\n }"):                                  "tcp-flags: want a flag",
	matching("protocol tcp\n tcp-flags {\n xyz true\n }"):                       "xyz: nothing that sluice writes there",
	matching("protocol icmp\n icmp {\n type 256\n }"):                           `type: "256" is no number of 0 to 255`,
	doing("drop\n accept"):                                                      "action: want one of accept, drop and forward",
	doing("ignore-match"):                                                       "ignore-match: nothing that sluice writes there",
	doing("fc ef\n accept"):                                                     "fc: nothing that sluice writes there",
	doing("drop\n remark {\n dscp ef\n }"):                                      "action: it does more than sluice writes",
	doing("accept\n remark {\n dscp 46\n }"):                                    `dscp: "46" is no name that sluice knows`,
	doing("drop yes"):                                                           "drop: want no value",
	doing("accept\n rate-limit {\n pir 8000\n }"):                               "rate-limit: want policer and nothing else",
	doing("accept\n rate-limit {\n policer \"theirs\"\n }"):                     "policer: theirs is none of ours",
	doing(limits): "policer sluice-p is used and not there",
	doing("forward {\n next-hop {\n nh-ip {\n address 192.0.2.9\n }\n }\n }"):                  "nh-ip: want an address, and indirect true",
	doing("forward {\n next-hop {\n nh-ip {\n address ::1\n indirect true\n }\n }\n }"):        `"::1" is no address of IPv4`,
	doing("forward {\n router-instance \"Base\"\n }"):                                          "forward: want next-hop and nothing else",
	one("match {\n protocol udp\n }"):                                                          "entry 1000: it has no action",
	one("log 101" + dropped):                                                                   "log: nothing that sluice writes there",
	one("pbr-down-action-override accept" + dropped):                                           "pbr-down-action-override: nothing that sluice writes there",
	listed("entry 1000 {" + dropped + "\n}"):                                                   "entry 1000: it has no description",
	listed("entry 1000 {\n description \"a b\"" + dropped + "\n}"):                             "want letters, digits and hyphens only",
	listed(entry("1000", "") + entry("1000", "")):                                              "sluice writes no entry 1000 beside it",
	listed(entry("1000", "") + entry("1001", "match {\n protocol udp\n}")):                     "entry 1001 is another one, or of another name",
	listed(entry("1000", "") + entry("1002", "")):                                              "sluice writes no entry 1002 beside it",
	listed(entry("1005", "")):                                                                  "entry 1005: sluice writes no entry 1005 beside it",
	listed(entry("1000", "") + entry("1010", "")):                                              "two entries are named a",
	listed(entry("9", "")):                                                                     "sluice writes entries of 10 to 999999",
	listed(entry("1000000", "")):                                                               "sluice writes entries of 10 to 999999",
	listed(entry("x", "")):                                                                     "entry x: its number is none",
	listed("subscriber-mgmt {\n}"):                                                             "subscriber-mgmt: nothing that sluice writes there",
	listed("apply-groups [\"g\"]"):                                                             "apply-groups: nothing that sluice writes there",
	listed("scope system"):                                                                     "scope system, type packet-length, default-action accept: not as sluice writes it",
	listed("scope embedded") + listed(""):                                                      "sluice-v4 stands there twice",
	strings.Replace(listed(""), "packet-length", "normal", 1):                                  "type normal",
	strings.Replace(listed(""), "default-action accept\n", "", 1):                              "default-action drop",
	strings.Replace(matching("fragment true"), "ip-filter", "ipv6-filter", 1):                  `"true" is no condition that sluice writes in IPv6`,
	strings.Replace(matching("packet-length {\n lt 65536\n }"), "ip-filter", "ipv6-filter", 1): `"65536" is no number`,
	strings.Replace(matching("packet-length {\n eq 65535\n }"), "ip-filter", "ipv6-filter", 1): "packet-length: longer packets are left out",
	"mac-filter \"sluice-v4\" {\n}\n":                                                          "mac-filter: sluice-v4 bears our mark, but sluice makes no such object",
	policed("pir 8000"):                                                                        "policer sluice-p: pir or mbs is missing",
	policed("pir 8000\n mbs auto"):                                                             `mbs: "auto" is no number`,
	policed("pir 0\n mbs 15000"):                                                               `pir: "0" is no number of 1 to 2000000000`,
	policed("pps-pir 100\n mbs 15000"):                                                         "pps-pir: nothing that sluice writes there",
	policed("scope system\n pir 8000\n mbs 15000"):                                             "scope: system, want filter",
	policed("pir 8000\n mbs 15000") + "policer \"sluice-p\" {\n pir 1\n mbs 1\n}":              "of another policer by its name",
	"ip-filter \"sluice-v4\" {\n":                                                              "the text is cut off",
	"}\n":                                                                                      "line 1: a } too many",
	"ip-filter \"sluice-v4 {\n":                                                                "line 1: a quotation mark is open",
	"<data><configure><filter><ip-filter><filter-name>sluice-v4</filter-name>":                 "read XML: ",
	"<rpc-reply><rpc-error/></rpc-reply>":                                                      "the reply is an error",
	"<data/><data/>":                                                                           "a second element data behind the first",
	"<configure xmlns=\"urn:nokia.com:sros:ns:yang:sr:conf\"><filter><ip-filter xmlns:nc=\"x\" nc:operation=\"delete\"><filter-name>sluice-v4</filter-name></ip-filter></filter></configure>": "ip-filter: it has an attribute operation",
}

// A filter that is not understood is named, so that it can be shown and replaced.
func TestForeignFiltersAreNamed(t *testing.T) {
	t.Parallel()
	_, err := dialect.Parse([]byte(listed("chain-to-system-filter true") + strings.ReplaceAll(listed(""), "ip-filter \"sluice-v4\"", "ipv6-filter \"sluice-v6\"")))
	var foreign *filter.ForeignError
	if !errors.As(err, &foreign) || len(foreign.Filters) != 2 || foreign.Filters[0].Name != "sluice-v4" || foreign.Filters[0].Placement != "" || foreign.Filters[1].Placement != filter.Alone {
		t.Errorf("got %#v", err)
	}
}

// What belongs to others is passed over, wherever it stands.
func TestOthersArePassedOver(t *testing.T) {
	t.Parallel()
	config := `# TiMOS-C-25.3.R1
configure {
    groups {
        group "ports" {
            filter {
                log 101 {
                }
            }
        }
    }
    apply-groups ["ports"]
    card 1 {
        card-type "iom { x"
    }
    filter {
        log 101 {
            description "a \"log\""
        }
        match-list {
            port-list "web" {
                port 80 { }
            }
        }
        policer "theirs" {
            pir 100
        }
        ip-filter "EDGE" {
            entry 10 {
                log 101
            }
            embed {
                filter "sluice-v4" offset 0 { }
            }
        }
` + strings.Replace(listed(""), "default", "scope embedded\ndefault", 1) + `
    }
    system {
        values [
            a
            b
        ]
    }
}
persistent-indices { }
`
	config = strings.NewReplacer("port 80 { }", "port 80 {\n}", "offset 0 { }", "offset 0 {\n}", "persistent-indices { }", "persistent-indices {\n}").Replace(config)
	dialecttest.ReadsBack(t, dialect, filter.Filter{Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Before}, []byte(config))
	other := `<data><configure xmlns="urn:other"><filter><ip-filter><filter-name>sluice-x</filter-name></ip-filter></filter></configure><configure xmlns="urn:nokia.com:sros:ns:yang:sr:conf"><filter><ip-filter><filter-name>EDGE</filter-name></ip-filter></filter></configure></data>`
	if got, err := dialect.Parse([]byte(other)); err != nil || len(got) != 0 {
		t.Errorf("got %v, %v", got, err)
	}
}

// A group that is applied may add to our filters what does not show.
func TestGroupsThatReachOurFilters(t *testing.T) {
	t.Parallel()
	text := func(name, content, applied string) string {
		return fmt.Sprintf("configure {\n groups {\n group \"g\" {\n filter {\n %s \"%s\" {\n }\n }\n %s\n }\n group \"h\" {\n filter {\n ipv6-filter \"<.*>\" {\n }\n }\n }\n }\n %s\n filter {\n }\n}", "ip-filter", name, content, applied)
	}
	for config, want := range map[string]string{
		text("<sluice.*>", "", `apply-groups ["g"]`):                  `group g has ip-filter "<sluice.*>"`,
		text("sluice-v4", "", `apply-groups [ "g" ]`):                 `group g has ip-filter "sluice-v4"`,
		text("EDGE", "", "filter {\n apply-groups [\"g\" \"h\"]\n }"): `group h has ipv6-filter "<.*>"`,
		text("EDGE", `apply-groups ["h"]`, `apply-groups ["g"]`):      `group h has ipv6-filter "<.*>"`,
		text("EDGE", "", `apply-groups ["i"]`):                        "group i is applied and not shown",
		text("EDGE", "", `apply-groups ["g"]`):                        "",
		text("<.*>", "", ""):                                          "",
		`<configure><groups><group><name>g</name><filter><policer><policer-name>&lt;.*&gt;</policer-name></policer></filter></group></groups><apply-groups>g</apply-groups></configure>`: `group g has policer "<.*>"`,
	} {
		_, err := dialect.Parse([]byte(config))
		if got := fmt.Sprint(err); want == "" && err != nil || !strings.Contains(got, want) {
			t.Errorf("got %v, want %q\n%s", err, want, config)
		}
	}
}
