package openconfig_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/adapters/dialecttest"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// What is not as sluice writes it, inside a set of ours, is an error that names it; the filters that it is about are listed.
func TestParseRefuses(t *testing.T) {
	t.Parallel()
	r, err := dialect.Render(busy())
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(r.Text), "") // no blanks but in descriptions, which lose theirs
	text = strings.ReplaceAll(text, "counterr-", " counter r-")
	for _, c := range []struct{ old, new, want string }{
		{`"name":"sluice-v4","type":"ACL_IPV4","config"`, `"name":"sluice-v4","type":"ACL_MIXED","config"`, `no sets of type "ACL_MIXED"`},
		{`"config":{"name":"sluice-v4","type":"ACL_IPV4"}`, `"config":{"name":"sluice-x","type":"ACL_IPV4"}`, `config: name: "sluice-x"`},
		{`"config":{"name":"sluice-v4","type":"ACL_IPV4"}`, `"config":{"name":"sluice-v4","type":"ACL_IPV4","description":"x"}`, `description: "x"`},
		{`"acl-entries"`, `"arista-x:extra":{"a":1},"acl-entries"`, "arista-x:extra: sluice writes no such thing"},
		{`"config":{"sequence-id":100,`, `"config":{"sequence-id":101,`, `sequence-id 100: config: sequence-id: "101"`},
		{`{"sequence-id":200,"config":{"sequence-id":200,`, `{"sequence-id":100,"config":{"sequence-id":100,`, "sequence-id 100 is there twice"},
		{`{"sequence-id":200,`, `{"sequence-id":-200,`, `"-200" is no number`},
		{`"description":"r-0000000000000002"`, `"description":"somebody's note"`, "want the name of the entry"},
		{`"description":"r-0000000000000002"`, `"description":"r-0000000000000001"`, "two entries are named"},
		{`"forwarding-action":"DROP"`, `"forwarding-action":"REJECT"`, `forwarding-action: "REJECT"`},
		{`"forwarding-action":"DROP"`, `"forwarding-action":"DROP","log-action":"LOG_SYSLOG"`, `log-action: "LOG_SYSLOG"`},
		{`"actions":{"config":{"forwarding-action":"DROP"}}`, `"actions":{"config":{}}`, "it has no forwarding-action"},
		{`"openconfig-packet-match-types:IP_TCP"`, `"other:IP_TCP"`, `"other:IP_TCP" is no number`},
		{`"openconfig-packet-match-types:TCP_SYN"`, `"TCP_NOT_ACK"`, `"TCP_NOT_ACK" is no flag`},
		{`"openconfig-icmpv4-types:ECHO"`, `"ECHO_REQUEST"`, "is no type that sluice knows"},
		{`"explicit-detail-match-mode":"ALL"`, `"explicit-detail-match-mode":"SOME"`, "is not understood"},
		{`"explicit-tcp-flags":["openconfig-packet-match-types:TCP_SYN"]`, `"builtin-detail":"TCP_INITIAL"`, "is not understood"},
		{`"fragment-offsets":[0]`, `"fragment-offsets":["ANY"]`, "sluice writes 0"},
		{`"fragment-offsets":[0]`, `"fragment-offsets":[0,1]`, "sluice writes 0"},
		{`"source-port":53`, `"source-port":"53..52"`, "no port or range of ports"},
		{`"source-port":53`, `"source-port-set":"DNS"`, "source-port-set: sluice writes no such thing"},
		{`"dscp-set":[1,2]`, `"dscp":1,"dscp-set":[1]`, "do not stand together"},
		{`"dscp-set":[1,2]`, `"dscp":64`, "no number of 0 to 63"},
		{`"dscp-set":[1,2]`, `"hop-limit":1`, "hop-limit: sluice writes no such thing"},
		{`"source-address":"203.0.113.9/32"`, `"source-address":"203.0.113.9/24"`, "no prefix of IPv4"},
		{`"source-address":"203.0.113.9/32"`, `"source-address":"2001:db8::/32"`, "no prefix of IPv4"},
		{`"description":"accept-rest"`, `"description":"accept-most"`, "its last entry is not accept-rest"},
		{`"destination-address":"0.0.0.0/0"}},"actions":{"config":{"forwarding-action":"ACCEPT"}}}]`, `"destination-address":"0.0.0.0/0","length":1}},"actions":{"config":{"forwarding-action":"ACCEPT"}}}]`, "accept-rest does not accept everything"},
		{`"destination-address":"0.0.0.0/0"}},"actions":{"config":{"forwarding-action":"ACCEPT"}}}]`, `"destination-address":"0.0.0.0/0"}},"actions":{"config":{"forwarding-action":"DROP"}}}]`, "accept-rest does not accept everything"},
		{`"ipv4":{"config":{"source-address":"203`, `"l2":{"config":{"ethertype":1}},"ipv4":{"config":{"source-address":"203`, "l2: sluice writes no such thing"},
	} {
		spoilt := strings.Replace(text, c.old, c.new, 1)
		if spoilt == text {
			t.Errorf("no %s in\n%s", c.old, text)
			continue
		}
		got, err := dialect.Parse([]byte(spoilt))
		var foreign *filter.ForeignError
		if !errors.As(err, &foreign) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "filter sluice-v4: ") {
			t.Errorf("%s: got %v, %v\nwant a *ForeignError with %q", c.new, got, err, c.want)
			continue
		}
		if len(foreign.Filters) != 1 || foreign.Filters[0].Name != "sluice-v4" || len(foreign.Filters[0].Entries) > 0 {
			t.Errorf("%s: the error is about %+v", c.new, foreign.Filters)
		}
	}
}

// hostile are documents that are not whole, or say something twice.
var hostile = map[string]string{
	`{"openconfig-acl:acl":{}} x`:                          "something stands behind",
	`{"openconfig-acl:acl":{"acl-sets":{},"acl-sets":{}}}`: "it is there twice",
	`{"openconfig-acl:acl":{"acl-sets":null}}`:             "null where a value belongs",
	`[]`:                              "a list where none belongs",
	`"acl"`:                           "want a JSON object",
	`{"openconfig-acl:acl"`:           "EOF",
	`{` + strings.Repeat(`"a":{`, 10): "EOF",
	`{"a":[[1]]}`:                     "a list where none belongs",
	`{"a":` + strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 101):              "nested too deep",
	`<acl xmlns="http://openconfig.net/yang/acl"><acl-sets></acl>`:                       "syntax error",
	`<acl xmlns="http://openconfig.net/yang/acl"><acl-sets operation="delete"/></acl>`:   "its attribute operation is not understood",
	`<acl xmlns="http://openconfig.net/yang/acl"><acl-sets>x<acl-set/></acl-sets></acl>`: "text between its elements",
	strings.Repeat("<a>", 100): "nested too deep",
}

// Replies wrap the sets, hold other people's, and state beside configuration; entries come in any order.
func TestParseReadsReplies(t *testing.T) {
	t.Parallel()
	const reply = `<rpc-reply xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" message-id="1"><data>
  <acl xmlns="http://openconfig.net/yang/acl"><state><counter-capability>AGGREGATE_ONLY</counter-capability></state><acl-sets>
    <acl-set><name>EDGE</name><type>ACL_IPV4</type><acl-entries><acl-entry><sequence-id>1</sequence-id><ipv4><config><hop-limit>1</hop-limit></config></ipv4></acl-entry></acl-entries></acl-set>
    <acl-set xmlns:p="http://openconfig.net/yang/packet-match-types" xmlns:oc-acl="http://openconfig.net/yang/acl"><name>sluice-v4</name><type>oc-acl:ACL_IPV4</type><state><name>sluice-v4</name></state>
      <config><type>oc-acl:ACL_IPV4</type><name>sluice-v4</name></config><acl-entries>
      <acl-entry><sequence-id>4294967295</sequence-id><config><sequence-id>4294967295</sequence-id><description>accept-rest</description></config><ipv4/><l2/><actions><config><forwarding-action>ACCEPT</forwarding-action><log-action>LOG_NONE</log-action></config></actions></acl-entry>
      <acl-entry><sequence-id>20</sequence-id><config><sequence-id>20</sequence-id><description>b</description></config><actions><config><forwarding-action>ACCEPT</forwarding-action></config></actions>
        <ipv4><config><protocol>6</protocol></config></ipv4><transport><config><source-port>ANY</source-port></config></transport></acl-entry>
      <acl-entry><sequence-id>10</sequence-id><config><description>a counter c</description><sequence-id>10</sequence-id></config><state><matched-packets>7</matched-packets></state>
        <ipv4><config><protocol>p:IP_UDP</protocol><dscp>46</dscp></config></ipv4><actions><config><forwarding-action>oc-acl:DROP</forwarding-action></config></actions></acl-entry>
    </acl-entries></acl-set></acl-sets></acl></data></rpc-reply>`
	got, err := dialect.Parse([]byte(reply))
	if err != nil || len(got) != 1 {
		t.Fatalf("got %+v, %v", got, err)
	}
	f := got[0]
	if f.Name != "sluice-v4" || f.Version != packet.IPv4 || len(f.Entries) != 2 || f.Entries[0].Name != "a" || f.Entries[0].Counter != "c" || !f.Entries[0].Do.Discard || f.Entries[1].Name != "b" {
		t.Errorf("got %+v", f)
	}
	r, err := dialect.Render(f)
	if err != nil {
		t.Fatal(err)
	}
	dialecttest.ReadsBack(t, dialect, f, []byte(r.Text))
	for _, nothing := range []string{"", "\n", "{}", `{"openconfig-interfaces:interfaces":{"a":[1,2]}}`, "<data/>", `<acl xmlns="urn:other"><acl-sets><acl-set><name>sluice-x</name></acl-set></acl-sets></acl>`} {
		if got, err := dialect.Parse([]byte(nothing)); err != nil || len(got) != 0 {
			t.Errorf("%q: got %+v, %v", nothing, got, err)
		}
	}
}
