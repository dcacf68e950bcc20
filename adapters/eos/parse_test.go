package eos_test

import (
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/adapters/dialecttest"
	"github.com/sluice-gateway/sluice/core/filter"
)

// spoilt is what is not as sluice writes it, inside an object of ours.
var spoilt = []dialecttest.Spoilt{
	{"protocol udp source port 53", "protocol udp source port domain", "no number stands there"},
	{"protocol udp source port 53", "protocol udp source port field-set DNS", "no number stands there"},
	{"protocol udp source port 53", "protocol udp source port", "no number stands there"},
	{"protocol udp source port 53", "protocol udp source port 53 source port 54", "twice"},
	{"protocol udp source port 53", "protocol tcp flags initial", "is no number or range"},
	{"protocol udp source port 53", "protocol 47 source port 53", "a port of a protocol other than tcp and udp"},
	{"protocol udp source port 53", "protocol udp source port 53-52", "no number or range"},
	{"protocol udp source port 53", "protocol udp source port 65536", "no number or range"},
	{"protocol udp source port 53", "protocol udp source port 53\n         protocol tcp source port 54", "its protocols have different conditions"},
	{"protocol udp source port 53", "protocol udp source port 53\n         fragment offset 1-8191", "do not stand together"},
	{"protocol udp source port 53", "protocol udp type 8", "a type of a protocol other than icmp"},
	{"protocol udp source port 53", "protocol 0", "no number or range of 1 to 255"},
	{"source prefix 203.0.113.9/32", "source prefix field-set ANY", "sluice writes no such condition"},
	{"source prefix 203.0.113.9/32", "source prefix 203.0.113.9/24", "want a prefix"},
	{"source prefix 203.0.113.9/32", "source prefix 203.0.113.9/32\n         source prefix 203.0.113.10/32", "a second prefix"},
	{"ip length 40-100", "ip length 40-100 200", "sluice writes no such condition"},
	{"ip length 40-100", "ttl 1", "sluice writes no such condition"},
	{"ip length 40-100", "ip length 40-100\n         fragment", "sluice writes no such condition"},
	{"ip length 40-100", "ip length 40-100\n         fragment offset 0-8191", "sluice writes no offset but 1-8191"},
	{"            drop", "            drop\n            set dscp 8", "a match that drops does nothing else"},
	{"            drop", "            drop\n            log", "sluice writes no such action"},
	{"            drop", "            drop\n            drop", "twice"},
	{"            drop", "            redirect next-hop 192.0.2.1 192.0.2.2", "sluice writes no such action"},
	{"            drop", "            redirect next-hop 2001:db8::1", "want a next hop of IPv4"},
	{"            drop", "            set dscp 64", "no number or range"},
	{"            drop", "            set traffic class 5", "sluice writes no such action"},
	{"100000000 bps", "100000000 pps", "want rate N bps burst-size N bytes"},
	{"100000000 bps", "0 bps", "want numbers above 0"},
	{"100000000 bps", "100000001 gbps", "no rate that a rule can ask for"},
	{"1250000 bytes", "1250 kbytes", "want rate N bps burst-size N bytes"},
	{"match r-0000000000000002 ipv4", "match r-0000000000000001 ipv4", "it is there twice"},
	{"match r-0000000000000002 ipv4", "match r-0000000000000002 mac", "is not understood"},
	{"      match later-rest ipv4\n         fragment offset 1-8191\n      !\n", "", "the part for later fragments is not what the entries ask for"},
	{"match later-rest ipv4\n         fragment offset 1-8191\n", "match later-rest ipv4\n         fragment offset 1-8191\n         actions\n            drop\n", "another action: discard"},
	{"match later-r-0000000000000003 ipv4\n         protocol icmp\n", "match later-r-0000000000000003 ipv4\n         protocol tcp\n", "entry later-r-0000000000000003: it matches"},
	{"match later-r-0000000000000003 ipv4\n         protocol icmp\n         fragment offset 1-8191\n", "match later-r-0000000000000003 ipv4\n         protocol icmp\n", "it matches"},
	{"      match ipv4-all-default ipv4\n", "      match ipv4-all-default ipv4\n         actions\n            drop\n", "the default of our policy lets everything pass"},
	{"      match ipv4-all-default ipv4\n", "      match ipv4-all-default ipv4\n      match x ipv4\n         protocol tcp\n", "behind the default"},
	{"      match ipv4-all-default ipv4\n", "      match ipv4-other ipv4\n         protocol tcp\n", "is taken by a match of the policy's own"},
	{"      match ipv4-all-default ipv4\n", "      match later-x ipv4\n         protocol tcp\n", "stands in front of the entries"},
	{"      match ipv4-all-default ipv4\n", "      match x ipv4\n", "it has no condition"},
	{"      match ipv4-all-default ipv4\n", "      description x\n", "is not understood"},
	{"traffic-policy sluice-in", "traffic-policy sluice-other", "sluice makes none of that name"},
	{"   traffic-policy sluice-in", "   field-set ipv4 prefix sluice-x\n      10.0.0.0/8\n   traffic-policy sluice-in", "sluice makes no such object"},
}

// A missing copy is read as what it says: the entry no longer takes later fragments. It differs from what was wanted.
func TestParseSeesAMissingCopy(t *testing.T) {
	t.Parallel()
	f := busy()
	r, err := dialect.Render(f)
	if err != nil {
		t.Fatal(err)
	}
	start := strings.Index(r.Text, "      match later-r-0000000000000003")
	end := strings.Index(r.Text, "      match later-rest")
	got, err := dialect.Parse([]byte(r.Text[:start] + r.Text[end:]))
	if err != nil || len(got) != 1 {
		t.Fatalf("got %v, %v", got, err)
	}
	if err := filter.Same(f, got[0], dialect.Semantics()); err == nil || !strings.Contains(err.Error(), "it does not match") {
		t.Errorf("got %v, want a packet that is not matched", err)
	}
}

// hostile are commands of the wrong mode, an empty one, and something behind them.
var hostile = map[string]string{
	`["traffic-policies", "traffic-policy sluice-in", "match a ipv4", "protocol tcp", "drop"]`:            "something stands inside it",
	`["traffic-policies", "traffic-policy sluice-in", "match a ipv4", "actions", "drop", "protocol tcp"]`: "a condition behind the actions",
	`["traffic-policies", "traffic-policy sluice-in", "match a ipv4", "protocol tcp", "exit"]`:            "sluice writes no such condition",
	`["traffic-policies", "traffic-policy sluice-in", "no match a ipv4"]`:                                 "is not understood",
	`["traffic-policies", "traffic-policy sluice-in"]`:                                                    "has no match",
	`["traffic-policies", ""]`: "an empty command",
	`["traffic-policies"] x`:   "something stands behind the commands",
	`[1]`:                      "no JSON array of strings",
}

// A whole configuration: other people's objects are passed over, both versions are read from one policy, and what EOS shows in its own way is
// understood.
func TestParseReadsAConfiguration(t *testing.T) {
	t.Parallel()
	const config = `! Command: show running-config
! device: edge1 (DCS-7280SR3-48YC8, EOS-4.32.1F)
hostname edge1
!
traffic-policies
   counter interface per-interface ingress
   field-set ipv4 prefix DEMO
      10.0.0.0/8 192.168.0.0/16
   !
   traffic-policy EDGE
      match anything ipv4
         ttl 10, 20-30
         actions
            set traffic class 5
      !
      match ipv4-all-default ipv4
         actions
            drop
   !
   traffic-policy sluice-in
      counter b a
      match later-a ipv4
         protocol 50, 51-60
         fragment offset 1-8191
         !
         actions
            drop
            count a
      !
      match later-rest ipv4
         fragment offset 1-8191
      !
      match a ipv4
         !! somebody's remark
         protocol 50, 51-60
         actions
            drop
            count a
      !
      match b ipv4
         protocol 17 source port 53, 123 destination port all
         actions
            police rate 10 mbps burst-size 15000 bytes
            count b
            set dscp ef
      !
      match ipv4-all-default ipv4
      !
      match c ipv6
         dscp af11
         destination prefix 2001:db8::/32
         actions
            drop
      !
      match ipv6-all-default ipv6
   !
!
interface Ethernet1
   traffic-policy input sluice-in
!
end
`
	got, err := dialect.Parse([]byte(config))
	if err != nil || len(got) != 2 || got[0].Name != "sluice-v4" || got[1].Name != "sluice-v6" {
		t.Fatalf("got %+v, %v", got, err)
	}
	v4, v6 := got[0], got[1]
	if len(v4.Entries) != 2 || len(v6.Entries) != 1 || v4.Entries[0].Counter != "a" || *v4.Entries[1].Do.Mark != 46 || v4.Policers[0].Rate.Amount != 1250000 || len(v4.Entries[1].Match.SrcPort) != 2 || v4.Entries[1].Match.DstPort != nil {
		t.Errorf("got %+v and %+v", v4, v6)
	}
	for _, f := range got {
		r, err := dialect.Render(f)
		if err != nil {
			t.Fatal(err)
		}
		dialecttest.ReadsBack(t, dialect, f, r.Payload)
	}
	for _, nothing := range []string{"", "\n", "[]", "hostname x\n", "traffic-policies\n   traffic-policy EDGE\n", "interface Ethernet1\n   traffic-policy input sluice-in\n"} {
		if got, err := dialect.Parse([]byte(nothing)); err != nil || len(got) != 0 {
			t.Errorf("%q: got %+v, %v", nothing, got, err)
		}
	}
	if _, err := dialect.Parse([]byte("traffic-policies\n\ttraffic-policy sluice-in\n")); err == nil {
		t.Error("a tab is taken for a blank")
	}
}
