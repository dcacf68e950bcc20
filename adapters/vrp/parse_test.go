package vrp_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/adapters/dialecttest"
	"github.com/sluice-gateway/sluice/core/filter"
)

// policed is a policy of one rule and the behavior deny, as a router shows it.
func policed(rule string) string {
	return "#\nacl name sluice-v4-1 advance\n " + rule + "\n#\ntraffic classifier sluice-v4-1 operator or\n if-match acl name sluice-v4-1\n#\n" +
		"traffic classifier sluice-v4-rest operator or\n if-match any\n#\ntraffic behavior sluice-deny\n deny\n#\ntraffic behavior sluice-permit\n#\ntraffic policy sluice-in\n share-mode\n" +
		" statistics enable\n classifier sluice-v4-1 behavior sluice-deny precedence 1\n classifier sluice-v4-rest behavior sluice-permit precedence 5117\n#\n"
}

// within is a policy in XML of one rule, with something in its place.
func within(rule string) string {
	return `<data><acl xmlns="urn:huawei:yang:huawei-acl"><groups><group><identity>sluice-v4-1</identity><type>advance</type><rule-advances><rule-advance><name>a</name><id>2</id>` + rule +
		`</rule-advance></rule-advances></group></groups></acl><qos xmlns="urn:huawei:yang:huawei-qos"><classifier-template><traffic-classifiers><traffic-classifier><name>sluice-v4-1</name>` +
		`<rule-acl-prioritys><rule-acl-priority><acl-name>sluice-v4-1</acl-name><priority>1</priority></rule-acl-priority></rule-acl-prioritys></traffic-classifier>` +
		`<traffic-classifier><name>sluice-v4-rest</name><rule-anys><rule-any><protocol-family>ipv4</protocol-family></rule-any></rule-anys></traffic-classifier></traffic-classifiers>` +
		`<traffic-behaviors><traffic-behavior><name>sluice-deny</name><filter-action><filter>deny</filter></filter-action></traffic-behavior><traffic-behavior><name>sluice-permit</name></traffic-behavior></traffic-behaviors>` +
		`<traffic-policys><traffic-policy><name>sluice-in</name><stat-flag>enable</stat-flag><policy-nodes><policy-node><classifier-name>sluice-v4-1</classifier-name><behavior-name>sluice-deny</behavior-name>` +
		`<priority>1</priority></policy-node><policy-node><classifier-name>sluice-v4-rest</classifier-name><behavior-name>sluice-permit</behavior-name><priority>5117</priority></policy-node></policy-nodes>` +
		`</traffic-policy></traffic-policys></classifier-template></qos></data>`
}

var seeds = []string{policed("rule 2 name a permit ip destination 203.0.113.9 0"), within("<action>permit</action><protocol>0</protocol>")}

// hostile is what Parse refuses.
var hostile = map[string]string{
	policed("rule 2 name a deny ip"):                                                                                    "line 3: rule 2 name a deny ip: want a name and permit",
	policed("rule 2 permit ip"):                                                                                         "want a name and permit",
	policed("rule 3 name a permit ip"):                                                                                  "rule 3: sluice writes no line there",
	policed("rule 0 name a permit ip"):                                                                                  "rule 0: sluice writes no line there",
	policed("rule 200000 name a permit ip"):                                                                             `"200000" is no number of 0 to 131071`,
	policed("rule 2 name a permit udp source-port eq 53"):                                                               "ports, flags or ICMP without a condition that keeps the line off later fragments",
	policed("rule 2 name a permit ip source-port eq 53 fragment-type non-subseq"):                                       "ports of another protocol than tcp and udp",
	policed("rule 2 name a permit udp tcp-flag 2 fragment-type non-subseq"):                                             "TCP flags of another protocol than tcp",
	policed("rule 2 name a permit tcp tcp-flag established"):                                                            `tcp-flag: "established" is no number of 0 to 63`,
	policed("rule 2 name a permit tcp tcp-flag 3 mask 2"):                                                               "TCP flags that the mask leaves out",
	policed("rule 2 name a permit udp icmp-type 8"):                                                                     "an ICMP message of another protocol than icmp",
	policed("rule 2 name a permit ip fragment-type fragment"):                                                           `fragment: "fragment" is no word that sluice writes`,
	policed("rule 2 name a permit ip fragment"):                                                                         "fragment: something is missing behind it",
	policed("rule 2 name a permit ip source 198.51.100.1 0.0.0.255"):                                                    "198.51.100.1/24 has bits behind its length",
	policed("rule 2 name a permit ip source 198.51.100.0 0.255.0.255"):                                                  "its bits do not hang together",
	policed("rule 2 name a permit ip source 198.51.100.0"):                                                              "source: something is missing behind it",
	policed("rule 2 name a permit ip source 2001:db8::/32"):                                                             "source: something is missing behind it",
	policed("rule 2 name a permit ip source any source any"):                                                            "source stands there twice",
	policed("rule 2 name a permit ip vpn-instance x"):                                                                   "vpn-instance: sluice writes no such condition",
	policed("rule 2 name a permit ip time-range x"):                                                                     "time-range: sluice writes no such condition",
	policed("rule 2 name a permit ip packet-length neq 3"):                                                              `packet-length: "neq" is not understood`,
	policed("rule 2 name a permit ip packet-length range 3 2"):                                                          `"range 3 2" is no range that sluice writes`,
	policed("rule 2 name a permit ip packet-length lt 0"):                                                               "no number is below 0",
	policed("rule 2 name a permit 0"):                                                                                   "protocol 0 is not understood",
	policed("rule 2 name a permit sctp"):                                                                                `"sctp" is no number of 0 to 255`,
	policed("rule 2 name a permit ip\n rule 2 description ours"):                                                        "sluice writes no such description",
	policed("rule 2 name a permit ip\n rule 2 name b permit ip"):                                                        "its second line takes fragments that its first one takes",
	policed("rule 2 name a permit ip fragment-type non-subseq\n rule 3 name b permit ip fragment-type fragment-subseq"): "rule 3 is another entry than rule 2",
	policed("rule 2 name a permit ip\n rule 4 name b permit ip"):                                                        "rule 4: it says what another rule of the list says",
	policed("rule 2 name a-later permit ip"):                                                                            "not -later at the end",
	policed("step 5"):                                                                                                   "classifier sluice-v4-1: its access list is missing, or empty",
	within("<action>deny</action><protocol>0</protocol>"):                                                               `action is "deny", want "permit"`,
	within("<action>permit</action>"):                                                                                   "rule a: it has no protocol",
	within("<action>permit</action><protocol>0</protocol><vpn-name>x</vpn-name>"):                                       `vpn-name is "x", which sluice does not write`,
	within("<action>permit</action><protocol>0</protocol><ttl-begin>1</ttl-begin>"):                                     "ttl-begin is nothing that sluice writes there",
	within("<action>permit</action><protocol>0</protocol><protocol>1</protocol>"):                                       "protocol stands there twice",
	within("<action>permit</action><protocol>0</protocol><source-ipaddr>192.0.2.1</source-ipaddr>"):                     `source: "" behind 192.0.2.1: want 0, or a mask`,
	within("<action>permit</action><protocol>17</protocol><source-port-begin>1</source-port-begin>"):                    "source-port: 1 to -1 is no range",
	within("<action>permit</action><protocol>17</protocol><source-port-value>1</source-port-value>"):                    "source-port-value is nothing that sluice writes there",
	within(`<action a="b">permit</action><protocol>17</protocol>`):                                                      "action has an attribute a",
	"#\nacl name sluice-v4-1 advance\n rule 2 name a permit ip\n":                                                       "sluice-v4-1 has no # at its end: the text is cut off",
	"#\nacl name sluice-v4-1 advance\n rule 2 name a permit ip\ntraffic policy x\n#\n":                                  "line 4: traffic policy x: the object above has no # at its end",
	"#\nacl name sluice-v4-1 basic\n#\n":                                                                                "line 2: acl name sluice-v4-1 basic bears our mark, but sluice makes no such object",
	"#\ntraffic policy sluice-x\n statistics enable\n#\n":                                                               "it bears our mark, but sluice makes none of that name",
	"#\ntraffic policy sluice-in\n statistics enable\n#\n":                                                              "it has no classifier",
	"#\ntraffic policy sluice-in\n share-mode\n#\n":                                                                     "statistics are not enabled",
	"<data>":              "read XML",
	"<!DOCTYPE a><data/>": "a document type has no place in NETCONF",
	"<rpc-error/>":        "the reply is an error",
}

// spoilt is what another hand may have done to busy.
var spoilt = []dialecttest.Spoilt{
	{" classifier sluice-v4-rest behavior sluice-permit precedence 5117\n", "", "classifier sluice-v4-rest is missing, which lets the rest pass"},
	{"sluice-v4-rest behavior sluice-permit precedence", "sluice-v4-rest behavior sluice-deny precedence", "it should let the rest pass"},
	{"behavior sluice-deny precedence 16\n", "behavior sluice-deny precedence 17\n", "it stands at precedence 17"},
	{"precedence 32\n", "precedence 16\n", "have one precedence"},
	{"if-match acl name sluice-v4-16", "if-match acl name sluice-v4-32", "want the access list of the classifier's own name"},
	{"if-match acl name sluice-v4-16", "if-match ipv6 acl name sluice-v4-16", "it is missing, or takes other packets"},
	{"if-match acl name sluice-v4-16", "if-match acl name sluice-v4-16\n if-match any", "want one condition in it"},
	{"traffic behavior sluice-deny\n", "traffic behavior theirs-deny\n", "its behavior sluice-deny is missing"},
	{" deny\n", " deny\n car cir 1 cbs 1 green pass red discard\n", "deny beside other actions"},
	{" deny\n", " deny\n permit\n", "it stands there twice"},
	{"remark dscp 46", "remark ipv6 dscp 46", "it marks packets of IPv6, and its classifier takes IPv4"},
	{"remark dscp 46", "remark 8021p 4", "sluice writes no such action"},
	{"red discard", "red pass", "sluice writes no such action"},
	{"cir 10000", "cir 0", "want numbers above 0"},
	{"192.0.2.9\n", "192.0.2.9 deny\n", "sluice writes no such action"},
	{"#\ntraffic behavior sluice-deny\n", "#\ntraffic behavior sluice-deny\n#\ntraffic behavior sluice-deny\n", "the behavior stands there twice"},
	{"share-mode", "undo share-mode", "sluice writes no such line"},
	{"classifier sluice-v4-16 behavior", "classifier theirs behavior", "classifier theirs: sluice makes none of that name there"},
	{"classifier sluice-v4-64 behavior sluice-v4-64", "classifier sluice-v4-64 behavior sluice-r-0000000000000004", "two policers are named"},
	{"<share-mode>enable", "<share-mode>disable", `share-mode is "disable"`},
	{"<stat-flag>enable", "<stat-flag>disable", `stat-flag is "disable"`},
	{"<red-action>discard", "<red-action>pass", `red-action is "pass"`},
	{"<green-action>", "<pir>20000</pir><green-action>", "pir is nothing that sluice writes there"},
	{"<nexthop-address>192.0.2.9", "<nexthop-address>192.0.2", "want a next hop of IPv4"},
	{"<ipv4-nexthop>", "<redirect-to-interface/><ipv4-nexthop>", "pbr-ipv4: want one element in it"},
	{"<remark-actions>", "<load-action><balance-type>flow</balance-type></load-action><remark-actions>", "load-action is nothing that sluice writes there"},
	{"<type>advance", "<type>basic", `type is "basic"`},
	{"<protocol-family>ipv4", "<protocol-family>ipv6", "it is missing, or takes other packets"},
}

// What a router shows in other words than ours means the same: words for numbers, defaults, an order of its own, objects of other people between ours.
func TestParseReadsWhatARouterShows(t *testing.T) {
	t.Parallel()
	want := filter.Filter{Name: "sluice-v4", Version: 4, Placement: filter.Alone, Entries: []filter.Entry{
		{Name: "a", Counter: "a", Do: filter.Do{Discard: true}, Match: filter.Match{Dst: prefix("203.0.113.9/32"), Proto: udp, SrcPort: one(53), DSCP: one(46), Fragments: zero}},
	}}
	text := policed("rule 2 name a permit udp dscp ef fragment-type non-subseq source-port eq dns destination 203.0.113.9 0.0.0.0")
	for _, form := range []string{
		text,
		policed("rule 2 name a permit 17 source any destination 203.0.113.9 0 source-port range 53 53 dscp 46 fragment-type non-subseq"),
		strings.Replace(text, "sluice-v4-1 advance", "sluice-v4-1 advance number 42768", 1),
		strings.Replace(text, " if-match acl name sluice-v4-1\n", " if-match acl name sluice-v4-1 precedence 1\n", 1),
		strings.Replace(text, "#\ntraffic policy", "#\ntraffic behavior sluice-v4-9\n remark 8021p 3\n#\nacl name THEIRS advance\n rule 5 deny ip\n#\ninterface GigabitEthernet0/1/0\n traffic-policy sluice-in inbound\n#\ntraffic policy", 1),
		strings.ReplaceAll(text, "\n", "\r\n"),
		within("<action>permit</action><protocol>17</protocol><dest-ipaddr>203.0.113.9</dest-ipaddr><dest-wild>0.0.0.0</dest-wild><dscp>46</dscp><source-port-begin>53</source-port-begin>" +
			"<source-port-end>53</source-port-end><fragment-type>non-subseq</fragment-type><vpn-name>_public_</vpn-name><log-enable>false</log-enable>"),
	} {
		dialecttest.ReadsBack(t, dialect, want, []byte(form))
	}
}

// Where one object of a policy is not understood, both of its filters are foreign: they are one.
func TestForeignFiltersAreNamed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, names string }{
		{policed("rule 2 name a deny ip"), "sluice-v4"},
		{strings.Replace(policed("rule 2 name a deny ip"), "precedence 5117\n", "precedence 5117\n classifier sluice-v6-rest behavior sluice-permit precedence 5118\n", 1), "sluice-v4 sluice-v6"},
		{strings.NewReplacer("#\ntraffic behavior sluice-deny\n deny\n", "#\nacl ipv6 name sluice-v6-1 advance\n rule 2 name a permit ipv6\n#\ntraffic classifier sluice-v6-1 operator or\n if-match ipv6 acl name sluice-v6-1\n"+
			"#\ntraffic classifier sluice-v6-rest operator or\n if-match ipv6 any\n#\ntraffic behavior sluice-deny\n car cir 1 cbs 1 green pass red discard\n",
			"precedence 5117\n", "precedence 5117\n classifier sluice-v6-1 behavior sluice-deny precedence 2559\n classifier sluice-v6-rest behavior sluice-permit precedence 5118\n").Replace(policed("rule 2 name a permit ip")), "sluice-v4 sluice-v6"},
		{strings.Replace(policed("rule 2 name a permit ip"), " statistics enable\n", "", 1), "sluice-v4"},
	} {
		_, err := dialect.Parse([]byte(c.text))
		var foreign *filter.ForeignError
		if !errors.As(err, &foreign) {
			t.Errorf("got %v, want a *filter.ForeignError", err)
			continue
		}
		var names []string
		for _, f := range foreign.Filters {
			names = append(names, f.Name)
			if len(f.Entries) > 0 || f.Placement != "" {
				t.Errorf("%s is shown as if it were understood", f.Name)
			}
		}
		if got := strings.Join(names, " "); got != c.names {
			t.Errorf("got %s, want %s: %v", got, c.names, err)
		}
	}
}

// Two filters rendered one behind the other are one policy, as they are on the router that they are typed into.
func TestBothVersionsInOneText(t *testing.T) {
	t.Parallel()
	six := filter.Filter{Name: "sluice-v6", Version: 6, Placement: filter.Alone, Entries: []filter.Entry{{Name: "a", Counter: "a", Do: filter.Do{Discard: true}}}}
	var text, payload string
	for _, f := range []filter.Filter{busy(), six} {
		r, err := dialect.Render(f)
		if err != nil {
			t.Fatal(err)
		}
		text, payload = text+r.Text, payload+string(r.Payload)
	}
	for _, form := range []string{text, payload} {
		got, err := dialect.Parse([]byte(form))
		if err != nil || len(got) != 2 {
			t.Fatalf("got %d filters, %v", len(got), err)
		}
		for i, want := range []filter.Filter{busy(), six} {
			if err := filter.Same(want, got[i], dialect.Semantics()); err != nil {
				t.Error(err)
			}
		}
	}
	if _, err := dialect.Parse([]byte(text + text)); err == nil || !strings.Contains(err.Error(), "stands there twice") {
		t.Errorf("the same access lists twice: %v", err)
	}
}
