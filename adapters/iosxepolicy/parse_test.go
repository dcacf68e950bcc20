package iosxepolicy_test

import (
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/adapters/dialecttest"
)

// parts of a text that holds one class.
const (
	listOfA  = "ip access-list extended sluice-v4-a\n 10 permit udp any any\n!\n"
	classOfA = "class-map match-all sluice-v4-a\n match access-group name sluice-v4-a\n!\n"
	policyA  = "policy-map sluice-v4\n class sluice-v4-a\n  drop\n!\n"
)

// hostile is what Parse refuses, and what it says.
var hostile = map[string]string{
	classOfA + policyA:                                      "there is no access list of that name",
	listOfA + policyA:                                       "there is no class map of that name",
	listOfA + listOfA + classOfA + policyA:                  "it stands there twice",
	listOfA + classOfA + classOfA + policyA:                 "it stands there twice",
	listOfA + classOfA + policyA + policyA:                  "it stands there twice",
	listOfA + classOfA + strings.TrimSuffix(policyA, "!\n"): "the text is cut off",
	listOfA + classOfA + "policy-map type inspect sluice-v4\n class sluice-v4-a\n  drop\n!\n":                                                                                  "sluice makes no such object",
	listOfA + classOfA + "policy-map sluice-v4\n  drop\n!\n":                                                                                                                   "want a class in front of it",
	listOfA + classOfA + "policy-map sluice-v4\n class sluice-v4-a\n!\n":                                                                                                       "it does nothing",
	listOfA + classOfA + "policy-map sluice-v4\n class class-default\n class sluice-v4-a\n  drop\n!\n":                                                                         "class class-default: its name is not that of the policy",
	listOfA + classOfA + "policy-map sluice-v4\n class class-default\n  drop\n!\n":                                                                                             "class class-default: its name is not that of the policy",
	listOfA + classOfA + "policy-map sluice-v4\n class VOICE\n  drop\n!\n":                                                                                                     "class VOICE: its name is not that of the policy",
	listOfA + "class-map match-all sluice-v4-a\n match dscp 1\n!\n" + policyA:                                                                                                  `access list ""`,
	listOfA + "class-map match-all sluice-v4-a\n match access-group name VOICE\n!\n" + policyA:                                                                                 `access list "VOICE"`,
	listOfA + "class-map match-all sluice-v4-a\n match packet length min 5\n!\n" + policyA:                                                                                     "sluice writes no such line in a class map",
	"ip access-list extended sluice-v4-a\n!\n" + classOfA + policyA:                                                                                                            "it has no lines",
	"ip access-list extended sluice-v4-a\n 10 permit udp any any fragments\n!\n" + classOfA + policyA:                                                                          "it asks for more than protocol and addresses",
	"ip access-list extended sluice-v4-a\n 10 permit udp any any eq 53\n!\n" + classOfA + policyA:                                                                              "it asks for more than protocol and addresses",
	"ip access-list extended sluice-v4-a\n 10 permit ip any any\n 20 permit 6 any any\n!\n" + classOfA + policyA:                                                               "it differs from the first line",
	"ip access-list extended sluice-v4-a\n 10 permit 17 any any\n 20 permit 6 any host 192.0.2.1\n!\n" + classOfA + policyA:                                                    "it differs from the first line",
	listOfA + classOfA + "policy-map sluice-v4\n class sluice-v4-a\n  police cir 8001 bc 1000 conform-action transmit exceed-action transmit\n!\n":                             `"transmit" for what exceeds the rate, want drop`,
	listOfA + classOfA + "policy-map sluice-v4\n class sluice-v4-a\n  police cir 8000 bc 1000\n   conform-action drop\n   exceed-action drop\n!\n":                             `not "drop"`,
	listOfA + classOfA + "policy-map sluice-v4\n class sluice-v4-a\n  police cir 8000 bc 1000\n   conform-action transmit\n   exceed-action drop\n   violate-action drop\n!\n": "sluice writes no such line in a policy map",
	listOfA + classOfA + "policy-map sluice-v4\n class sluice-v4-a\n  police cir 99999999 bc 1000 conform-action transmit exceed-action drop\n!\n":                             "no rate of a rule is that",
	listOfA + classOfA + "policy-map sluice-v4\n class sluice-v4-a\n  police cir 8000\n!\n":                                                                                    "want cir and bc",
	"<native><policy><policy-map><name>sluice-v4</name><name>sluice-v5</name></policy-map></policy></native>":                                                                  "it has two names",
	"<native>": "read XML", "<interfaces/>": "read XML: element interfaces", "<data><rpc-error/></data>": "the reply is an error",
}

// spoilt is what another hand does to the text of busy, or to its XML.
var spoilt = []dialecttest.Spoilt{
	{"10 permit ip 198.51.100.0 0.0.0.255 host", "10 deny ip 198.51.100.0 0.0.0.255 host", "want a line that permits"},
	{"10 permit udp", "15 permit udp", "sluice writes no line there"},
	{"10 permit udp any host 203.0.113.9\n", "10 remark mine\n", "want a line that permits"},
	{"10 permit udp any host 203.0.113.9", "10 permit udp any host 203.0.113.9 log", `"log"`},
	{"match-all sluice-v4-r-0000000000000003", "match-any sluice-v4-r-0000000000000003", "sluice writes match-all"},
	{" match dscp 0\n", " match dscp 0\n match not dscp 1\n", "sluice writes no such line in a class map"},
	{" match dscp 0\n", " match dscp 0\n match dscp 1\n", "it has two DSCPs"},
	{" match dscp 0\n", " match dscp 0 1\n", "sluice writes no such line in a class map"},
	{" description uncounted", " description VOICE", "sluice writes no such line in a class map"},
	{"  set dscp 8\n", "  set dscp 8\n  set qos-group 1\n", "sluice writes no such line in a policy map"},
	{"  drop\n", "  drop\n  bandwidth 8\n", "sluice writes no such line in a policy map"},
	{"<prematch>match-all</prematch>", "<prematch>match-any</prematch>", "sluice writes match-all"},
	{"<match><access-group>", "<match><not/><access-group>", "not is nothing that sluice writes there"},
	{"<action-type>drop</action-type>", "<action-type>trust</action-type>", `action "trust" is nothing`},
	{"<exceed-drop><exceed-action><drop/>", "<exceed-drop><exceed-action><transmit/>", "exceed-drop is nothing that sluice writes there"},
	{"<bc>15000</bc>", "<bc>15000</bc><be>15000</be>", "be is nothing that sluice writes there"},
	{"<class><name>sluice-v4-r-0000000000000002</name>", "<class><name>sluice-v4-r-0000000000000002</name><type>inspect</type>", "type is nothing that sluice writes there"},
	{"<policy-map xmlns=", `<policy-map operation="x" xmlns=`, "has an attribute operation"},
}

var seeds = []string{
	listOfA + classOfA + "policy-map sluice-v4\n class sluice-v4-a\n  police cir 8000 bc 1500 conform-action transmit  exceed-action drop\n  set dscp ef\n class class-default\n!\n",
	"ip access-list extended sluice-v4-a\n 10 permit gre any any\n!\nclass-map match-all sluice-v4-a\n description uncounted\n match dscp af11\n match access-group name sluice-v4-a\n!\n" + policyA,
}

// A device shows protocols and DSCPs as words, a policer in one line or in three, and class-default where somebody has asked for it.
func TestParseReadsWhatDevicesShow(t *testing.T) {
	t.Parallel()
	r, err := dialect.Render(busy())
	if err != nil {
		t.Fatal(err)
	}
	shown := r.Text
	for _, c := range [][2]string{
		{"20 permit gre", "20 permit 47"}, {"match dscp 0", "match dscp default"}, {"set dscp 8", "set dscp cs1"}, {"\n   conform-action transmit\n   exceed-action drop", " conform-action transmit  exceed-action drop "},
		{"  police cir 8000 bc 1000\n   conform-action transmit\n   exceed-action drop\n  set dscp 8\n!", "  set dscp cs1\n  police cir 8000 bc 1000\n   conform-action transmit \n   exceed-action drop \n class class-default\n!"},
	} {
		if !strings.Contains(shown, c[0]) {
			t.Errorf("the text has no %q", c[0])
		}
		shown = strings.Replace(shown, c[0], c[1], 1)
	}
	shown = "Building configuration...\n!\nclass-map match-any VOICE\n match dscp ef\nip access-list extended sluice-v4\n 10 permit ip any any\n" + shown + "interface Loopback0\n ip address 192.0.2.1 255.255.255.255\n!\nend\n"
	dialecttest.ReadsBack(t, dialect, busy(), []byte(shown))
}
