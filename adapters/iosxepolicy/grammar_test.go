package iosxepolicy_test

import (
	"fmt"
	"regexp"
	"testing"

	"github.com/sluice-gateway/sluice/core/filter"
)

// The grammar of the text, as Cisco's guides have it: "Applying QoS Features Using the MQC", "Configuring Traffic Policing", "permit (IP)". A reference is to an object of the text.
var grammar = regexp.MustCompile(`^(?:ip access-list extended [a-z0-9-]+\n(?: \d+ permit (?:ip|tcp|udp|icmp|gre|esp|\d+)(?: any| host \d+\.\d+\.\d+\.\d+| \d+\.\d+\.\d+\.\d+ \d+\.\d+\.\d+\.\d+){2}\n)+!\n)*` +
	`(?:class-map match-all [a-z0-9-]+\n(?: description uncounted\n)? match access-group name [a-z0-9-]+\n(?: match dscp \d+\n)?!\n)*` +
	`policy-map [a-z0-9-]+\n(?: class [a-z0-9-]+\n(?:  drop\n|(?:  police cir \d+ bc \d+\n   conform-action transmit\n   exceed-action (?:transmit|drop)\n)?(?:  set dscp \d+\n)?))*!\n$`)

func keepsToGrammar(_ filter.Filter, text string) error {
	if !grammar.MatchString(text) {
		return fmt.Errorf("no such text")
	}
	return nil
}

func TestGrammarRefuses(t *testing.T) {
	t.Parallel()
	for _, wrong := range []string{
		"policy-map a\n class b\n  drop\n", "policy-map a\n class b\n  drop\n  set dscp 1\n!\n", "class-map match-any b\n match access-group name b\n!\npolicy-map a\n!\n",
		"ip access-list extended b\n 10 deny ip any any\n!\npolicy-map a\n!\n", "ip access-list extended b\n 10 permit udp any any eq 53\n!\npolicy-map a\n!\n",
	} {
		if grammar.MatchString(wrong) {
			t.Errorf("the grammar takes %q", wrong)
		}
	}
}
