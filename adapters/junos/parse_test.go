package junos_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/sluice-gateway/sluice/adapters/dialecttest"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// Each case is a `from` that a device may show for a term of ours, and what it means.
func TestParseConditions(t *testing.T) {
	t.Parallel()
	for from, want := range map[string]filter.Match{
		`protocol [ tcp udp ];`:                                      {Proto: packet.Values{{Lo: 6, Hi: 6}, {Lo: 17, Hi: 17}}},
		`protocol 17;`:                                               {Proto: udp},
		`protocol-except udp;`:                                       {Proto: packet.Values{{Lo: 0, Hi: 16}, {Lo: 18, Hi: 255}}},
		`source-port [ domain 123 ];`:                                {SrcPort: packet.Values{{Lo: 53, Hi: 53}, {Lo: 123, Hi: 123}}},
		`destination-port ftp-data;`:                                 {DstPort: packet.Values{{Lo: 20, Hi: 20}}},
		`source-port-except [ 0-79 81-65535 ];`:                      {SrcPort: packet.Values{{Lo: 80, Hi: 80}}},
		`icmp-type echo-request;`:                                    {ICMPType: packet.Values{{Lo: 8, Hi: 8}}},
		`dscp ef;`:                                                   {DSCP: packet.Values{{Lo: 46, Hi: 46}}},
		`packet-length [ 64 65-70 ];`:                                {Length: packet.Values{{Lo: 64, Hi: 70}}},
		`tcp-flags "syn & !ack";`:                                    {Flags: []filter.FlagTerm{{Set: 2, Clear: 0x10}}},
		`tcp-flags "!(syn | ack)";`:                                  {Flags: []filter.FlagTerm{{Clear: 0x12}}},
		`tcp-flags "(syn, fin) + !rst";`:                             {Flags: []filter.FlagTerm{{Set: 2, Clear: 4}, {Set: 1, Clear: 4}}},
		`tcp-flags "!(syn & !ack) | rst";`:                           {Flags: []filter.FlagTerm{{Clear: 2}, {Set: 0x10}, {Set: 4}}},
		`tcp-flags 0x12;`:                                            {Flags: []filter.FlagTerm{{Set: 0x12}}},
		`is-fragment;`:                                               {Fragments: 0xcc},
		`fragment-offset 0;`:                                         {Fragments: packet.OffsetZero},
		`fragment-offset-except 0;`:                                  {Fragments: 0xcc},
		`first-fragment; fragment-flags "more-fragments";`:           {Fragments: 0x22},
		`fragment-flags "!dont-fragment";`:                           {Fragments: 0x0f},
		`fragment-offset 0; fragment-flags "!more-fragments";`:       {Fragments: 0x11},
		`is-fragment; fragment-flags "dont-fragment & !0x2";`:        {Fragments: 0x80},
		`source-address 198.51.100.7;`:                               {Src: prefixOf("198.51.100.7/32")},
		`/* by hand */ destination-address { 203.0.113.0/24; } # ok`: {Dst: prefixOf("203.0.113.0/24")},
	} {
		config := "family inet { filter sluice-v4 { term a { from { " + from + "\n } then discard; } } }"
		got, err := dialect.Parse([]byte(config))
		if err != nil {
			t.Errorf("%s: %v", from, err)
			continue
		}
		f := filter.Filter{Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Before, Entries: []filter.Entry{{Name: "a", Match: want, Do: filter.Do{Discard: true}}}}
		if err := filter.Same(f, got[0], dialect.Semantics()); err != nil {
			t.Errorf("%s: %v", from, err)
		}
	}
}

func term(s string) string { return "family inet { filter sluice-v4 { term a { " + s + " } } }" }

func policed(s string) string {
	return "policer sluice-p { " + s + " } " + term("then { policer sluice-p; accept; }")
}

const limits = "if-exceeding { bandwidth-limit 8m; burst-size-limit 15k; } "

// hostile is what is not understood inside our objects.
var hostile = map[string]string{
	"inactive: family inet { filter sluice-v4 { term a { then discard; } } }":                                            "filter sluice-v4: it is deactivated",
	"family inet { inactive: filter sluice-v4 { term a { then discard; } } }":                                            "filter sluice-v4: it is deactivated",
	"family inet { filter sluice-v4 { inactive: term a { then discard; } } }":                                            "it is deactivated (term a then discard)",
	term("from { inactive: protocol udp; } then discard;"):                                                               "it is deactivated (term a from protocol udp)",
	"family inet { protect: filter sluice-v4 { term a { then discard; } } }":                                             "it is protected",
	term("from { ttl 1; } then discard;"):                                                                                "term a: from ttl 1: sluice writes no such condition",
	term("from { payload-protocol udp; } then discard;"):                                                                 "from payload-protocol udp: sluice writes no such condition",
	term("from { source-address { 192.0.2.0/24 except; } } then discard;"):                                               "want one prefix and nothing behind it",
	term("from { source-address { 192.0.2.0/24; 198.51.100.0/24; } } then discard;"):                                     "a second prefix",
	term("from { source-address 192.0.2.1/24; } then discard;"):                                                          "want a prefix of IPv4 without bits behind its length",
	term("from { protocol udp; protocol-except tcp; } then discard;"):                                                    "it stands beside its opposite",
	term("from { protocol etherip; } then discard;"):                                                                     `"etherip" is no number of 0 to 255`,
	term("from { destination-port ftp-data-ssh; } then discard;"):                                                        `"data-ssh" is no number of 0 to 65535`,
	term("from { port-except 80; } then discard;"):                                                                       "whether one of the two ports or both must be outside",
	term("from { dscp 64; } then discard;"):                                                                              `"64" is no number of 0 to 63`,
	term("from { destination-port 90-80; } then discard;"):                                                               "the range runs backwards",
	term("from { first-fragment; } then discard;"):                                                                       "may match unfragmented packets",
	term("from { fragment-offset 1-5; } then discard;"):                                                                  "fragment-offset other than 0 is not understood",
	term("from { is-fragment; fragment-offset 0; } then discard;"):                                                       "no packet has the fragment offset and flags asked for",
	term("from { port 1; source-port 2; } then discard;"):                                                                "port stands beside source-port",
	term(`from { tcp-flags "ece"; } then discard;`):                                                                      `"ece" is no flag`,
	term(`from { tcp-flags "syn & !syn"; } then discard;`):                                                               "no flags satisfy it",
	term(`from { tcp-flags "(syn"; } then discard;`):                                                                     "a parenthesis is not closed",
	term(`from { tcp-flags "syn ack"; } then discard;`):                                                                  `"ack" is left over`,
	term("then { accept; discard; }"):                                                                                    "the term ends by accept already",
	term("then { routing-instance OTHER; }"):                                                                             "which route target the routing instance OTHER imports is not said",
	term("then { routing-instance { SCRUB; topology voice; } }"):                                                         "want one routing-instance-name and nothing else",
	term("then { routing-instance SCRUB; accept; }"):                                                                     "the term ends by routing-instance already",
	term("then { next-ip { address 192.0.2.9; routing-instance SCRUB; } }"):                                              "want one address and nothing else",
	term("then { port-mirror; }"):                                                                                        "then port-mirror: sluice writes no such action",
	term("then reject;"):                                                                                                 "sluice writes no such action",
	term("then { policer other; accept; }"):                                                                              "policer other is not one of ours",
	term("then { policer sluice-p; accept; }"):                                                                           "policer sluice-p is used and not there",
	term("filter other;"):                                                                                                "filter other: it is not understood",
	"family inet { filter sluice-v4 { layer2-policer; term a { then discard; } } }":                                      `"layer2-policer" is not understood`,
	"family inet { filter sluice-v4 { interface-specific; term a { then discard; } } }":                                  `"interface-specific" is not understood`,
	"family inet { filter sluice-v4 { apply-groups x; term a { then discard; } } }":                                      `"apply-groups x" is not understood`,
	"firewall { apply-groups g; family inet { filter sluice-v4 { term a { then discard; } } } }":                         "line 1: apply-groups g: a group may add to our filters",
	"firewall { family { apply-groups g; inet { filter sluice-v4 { term a { then discard; } } } } }":                     "family apply-groups g: a group may add to our filters",
	"family inet { apply-groups [ g h ]; filter sluice-v4 { term a { then discard; } } }":                                "family inet apply-groups g: a group may add to our filters",
	`<configuration><firewall><family><inet6><apply-groups>g</apply-groups></inet6></family></firewall></configuration>`: "family inet6 apply-groups g: a group may add to our filters",
	"family inet { filter sluice-v4; }":                                                                                  "filter sluice-v4 has no term",
	"family any { filter sluice-v4 { term a { then discard; } } }":                                                       "sluice makes none in family any",
	"filter sluice-v4 { term a { then discard; } }":                                                                      "bears our mark, but sluice makes no such object",
	"firewall { three-color-policer sluice-x { action { } } }":                                                           "bears our mark, but sluice makes no such object",
	"family inet { prefix-action sluice-x { count; } }":                                                                  "bears our mark, but sluice makes no such object",
	"family inet { filter sluice-v4 { term accept-rest { then accept; } term a { then discard; } } }":                    "term accept-rest is not as sluice writes it",
	"family inet { filter sluice-v4 { term a { then discard; } term accept-rest { then discard; } } }":                   "term accept-rest is not as sluice writes it",
	"family inet { filter sluice-v4 { term accept-rest { from { protocol udp; } then accept; } } }":                      "term accept-rest is not as sluice writes it",
	policed(limits + "then discard;"):                                                                                    "policer sluice-p: filter-specific is missing",
	policed("filter-specific; " + limits):                                                                                "then discard is missing",
	policed("filter-specific; " + limits + "then { discard; loss-priority high; }"):                                      `"then loss-priority high" is not understood`,
	policed("filter-specific; shared-bandwidth-policer; " + limits + "then discard;"):                                    `"shared-bandwidth-policer" is not understood`,
	policed("filter-specific; if-exceeding { bandwidth-percent 5; burst-size-limit 15k; } then discard;"):                `"if-exceeding bandwidth-percent 5" is not understood`,
	policed("filter-specific; if-exceeding { bandwidth-limit 100000001; burst-size-limit 15k; } then discard;"):          "is no rate that a rule can ask for",
	policed("filter-specific; if-exceeding { bandwidth-limit 8t; burst-size-limit 15k; } then discard;"):                 `"8t" is no number above 0`,
	"family inet { filter sluice-v4 { term a { then discard; }":                                                          "a block is not closed",
	"family inet { filter sluice-v4 { term a { then discard } } }":                                                       "} in a statement",
	`system { message "open; }`:                                                                                          "a quoted word is not closed",
	"}":                                                                                                                  "a brace closes nothing",
	"apply-groups [ g h ]; family inet { filter sluice-v4 { term a { then discard; } } }":                                "apply-groups h: a group may add to our filters",
	"family inet { protect: inactive: filter sluice-v4 { term a { then discard; } } }":                                   "filter sluice-v4: it is deactivated",
	"family inet { [ a ]; }":                                                                                             "[ where a statement should begin",
	`<rpc-reply><rpc-error/></rpc-reply>`:                                                                                "the reply is an error",
	`<config/>`:                                                                                                          "element config, want a configuration",
	`<configuration/><configuration/>`:                                                                                   "a second element",
	`<configuration>`:                                                                                                    "unexpected EOF",
	`<!DOCTYPE x><configuration/>`:                                                                                       "a document type has no place",
	inFilter(`<term><from/></term>`):                                                                                     "term begins with from, not with its name",
	inFilter(`<term><then><discard/></then><name>a</name></term>`):                                                       "term begins with then, not with its name",
	inFilter(`<term/>`): "a term has no name",
	inFilter(`<term inactive="inactive"><name>a</name><then><discard/></then></term>`):                                                                                         "it is deactivated (term a then discard)",
	inFilter(`<term delete="delete"><name>a</name><then><discard/></then></term>`):                                                                                             "it has an attribute delete",
	inFilter(`<term><name>a</name>text<then><discard/></then></term>`):                                                                                                         "has both text and elements",
	`<configuration><firewall inactive="inactive"><family><inet><filter><name>sluice-v4</name><term><name>a</name></term></filter></inet></family></firewall></configuration>`: "it is deactivated",
}

func inFilter(xml string) string {
	return "<configuration><firewall><family><inet><filter><name>sluice-v4</name>" + xml + "</filter></inet></family></firewall></configuration>"
}

// Everything that is not ours may look as it likes.
func TestParsePassesOverWhatIsNotOurs(t *testing.T) {
	t.Parallel()
	const mine = "filter sluice-v4 { term a { then discard; } term accept-rest { then accept; } }"
	for _, config := range []string{
		"## Last changed: 2026-11-23\nversion 24.4R1; apply-groups re0; system { host-name mx; } firewall { family inet { " + mine + " } } routing-options { flow { term-order standard; } }",
		`system { login { message "do \"not\" log in { ; \\n` + "\n" + `[ here"; } } firewall { family inet { ` + mine + ` } } policy-options { as-path A ".* [ 1 2 ] \.$"; } ## SECRET-DATA`,
		"family inet { filter EDGE { interface-specific; term x { from { ttl 1; source-prefix-list { a; b except; } } then { policer p; reject; } } } " + mine + " inactive: filter OLD; }",
		"family vpls { apply-groups g; } policer p { apply-groups g; logical-interface-policer; if-exceeding { bandwidth-percent 5; burst-size-limit 15k; } } three-color-policer q { action { } } family vpls { filter F { term t; } } family inet { " + mine + " }",
		"policer sluice-left-over { filter-specific; } family inet { " + mine + " }",
		`<rpc-reply xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" xmlns:junos="http://xml.juniper.net/junos/24.4R1/junos" message-id="1"><data><configuration xmlns="http://xml.juniper.net/xnm/1.1/xnm" junos:changed-seconds="1"><version>24.4</version>
			<firewall><filter><name>old</name><term><name>x</name></term></filter><family><inet><filter><name>EDGE</name><term inactive="inactive"><name>x</name></term></filter>
			<filter junos:changed-seconds="1"><name>sluice-v4</name><term><name>a</name><then><discard/></then></term><term><name>accept-rest</name><then><accept/></then></term></filter></inet></family></firewall></configuration></data></rpc-reply>`,
	} {
		got, err := dialect.Parse([]byte(config))
		if err != nil || len(got) != 1 || len(got[0].Entries) != 1 || got[0].Placement != filter.Alone {
			t.Errorf("%s\ngot %+v, %v", config, got, err)
		}
	}
	for _, nothing := range []string{"", "\n", "<configuration/>", "<rpc-reply><data/></rpc-reply>", "<data><configuration><firewall/></configuration></data>"} {
		if got, err := dialect.Parse([]byte(nothing)); err != nil || len(got) != 0 {
			t.Errorf("%q: got %+v, %v", nothing, got, err)
		}
	}
}

// A device shows names where numbers were written, and k, m and g for thousands.
func TestParseReadsAmountsAsJunosShowsThem(t *testing.T) {
	t.Parallel()
	r, err := dialect.Render(busy())
	if err != nil {
		t.Fatal(err)
	}
	shown := []byte(r.Text)
	for _, c := range [][2]string{{"100000000;", "100m;"}, {"1250000;", "1250k;"}, {"source-port 53;", "source-port domain;"}, {"icmp-type 8;", "icmp-type echo-request;"}, {"protocol tcp;", "protocol 6;"}} {
		if !bytes.Contains(shown, []byte(c[0])) {
			t.Fatalf("no %s in\n%s", c[0], shown)
		}
		shown = bytes.Replace(shown, []byte(c[0]), []byte(c[1]), 1)
	}
	dialecttest.ReadsBack(t, dialect, busy(), shown)
}

// netconfd (yuma123 2.13) took the edits that lead to these filters, one after the other, and answered <get-config> so.
func TestParseRepliesOfNetconfd(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"2-syn-flood", "10-fragments"} {
		f, _ := dialecttest.Golden(t, name)
		reply, err := os.ReadFile("testdata/netconfd/" + name + ".xml")
		if err != nil {
			t.Fatal(err)
		}
		dialecttest.ReadsBack(t, dialect, f, reply)
	}
	reply, err := os.ReadFile("testdata/netconfd/none.xml")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := dialect.Parse(reply); err != nil || len(got) != 0 {
		t.Errorf("after the deletion: got %+v, %v", got, err)
	}
}
