package openconfig_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/integration/rig"
)

// The models themselves judge what Render writes, in both forms.

// lint says whether the models take config.
func lint(t *testing.T, form string, config []byte) (ok bool, output string) {
	t.Helper()
	return rig.Yanglint(t, form, config, rig.OpenConfigACL(t)...)
}

func TestModelsTakeWhatIsRendered(t *testing.T) {
	t.Parallel()
	// One process for many filters: their entries are put into one of each version.
	generator := rapid.Custom(suite.Sayable)
	merged := map[string]*filter.Filter{}
	for seed := range 200 {
		f := generator.Example(seed)
		if merged[f.Name] == nil {
			merged[f.Name] = &filter.Filter{Name: f.Name, Version: f.Version, Placement: f.Placement}
		}
		for _, e := range f.Entries {
			e.Name += fmt.Sprintf("-%d", seed)
			merged[f.Name].Entries = append(merged[f.Name].Entries, e)
		}
	}
	if len(merged) != 2 {
		t.Fatalf("got %d kinds of filters, want both versions", len(merged))
	}
	for name, f := range merged {
		r, err := dialect.Render(*f)
		if err != nil {
			t.Fatal(err)
		}
		for form, config := range map[string][]byte{"json": []byte(r.Text), "xml": r.Payload} {
			if ok, out := lint(t, form, config); !ok {
				t.Errorf("%s as %s, %d entries: %s", name, form, len(f.Entries), out)
			}
		}
	}
}

// A set and its attachment to an interface are taken together: the model has a reference between them.
func TestModelsTakeTheAttachment(t *testing.T) {
	t.Parallel()
	r, err := dialect.Render(busy())
	if err != nil {
		t.Fatal(err)
	}
	const head = `{"openconfig-acl:acl":{`
	interfaces := strings.TrimPrefix(r.Attach[0], head)
	sets := strings.TrimPrefix(strings.Join(strings.Fields(r.Text), " "), `{ "openconfig-acl:acl": {`)
	both := `{"openconfig-interfaces:interfaces":{"interface":[{"name":"Ethernet1","config":{"name":"Ethernet1","type":"iana-if-type:ethernetCsmacd"},"subinterfaces":{"subinterface":[{"index":0,"config":{"index":0}}]}}]},` +
		`"openconfig-acl:acl":{` + strings.TrimSuffix(strings.TrimSpace(sets), "} }") + "," + interfaces
	both = strings.Replace(both, `,"type":"iana-if-type:ethernetCsmacd"`, "", 1)
	ok, out := lint(t, "json", []byte(both))
	// The interface's own mandatory type is of a module that is not loaded here; nothing else may be missing.
	if !ok && (strings.Count(out, "libyang err") != 1 || !strings.Contains(out, `"type"`)) {
		t.Errorf("%s\n%s", out, both)
	}
	if ok, _ := lint(t, "json", []byte(strings.Replace(both, `"set-name":"sluice-v4"`, `"set-name":"sluice-x"`, 1))); ok {
		t.Error("an attachment of a set that is not there is taken")
	}
}

// The rig tells right from wrong: the same payload spoilt is refused.
func TestModelsRefuseWhatIsWrong(t *testing.T) {
	t.Parallel()
	r, err := dialect.Render(busy())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range [][3]string{
		{"json", `"openconfig-packet-match-types:IP_TCP"`, `"openconfig-packet-match-types:IP_ESP"`},
		{"json", `"openconfig-packet-match-types:TCP_SYN"`, `"openconfig-packet-match-types:TCP_NOT_ACK"`},
		{"json", `"openconfig-icmpv4-types:ECHO"`, `"openconfig-icmpv4-types:ECHO_REQUEST"`},
		{"json", `"detail-mode": "EXPLICIT"`, `"detail-mode": "BUILTIN"`},
		{"json", `"source-port": 53`, `"source-port": "53-54"`},
		{"json", `"length": 53`, `"length": "40..53"`},
		{"json", `"203.0.113.9/32"`, `"203.0.113.9"`},
		{"json", `"forwarding-action": "DROP"`, `"log-action": "LOG_NONE"`},
		{"json", `"sequence-id": 100,`, `"sequence-id": 101,`},
		{"json", `"dscp-set"`, `"dscps"`},
		{"json", `"fragment-offsets": [
                      0`, `"fragment-offsets": [
                      8192`},
		{"xml", "<protocol", "<protocols"},
		{"xml", "oc-pkt-match-types:IP_TCP", "IP_TCP"},
		{"xml", "<type>ACL_IPV4</type>", "<type>ACL_IPV5</type>"},
		{"xml", "http://openconfig.net/yang/acl", "urn:example"},
	} {
		config := r.Text
		if c[0] == "xml" {
			config = string(r.Payload)
		}
		spoilt := strings.Replace(config, c[1], c[2], 1)
		if spoilt == config {
			t.Errorf("the payload has no %s:\n%s", c[1], config)
		}
		if ok, _ := lint(t, c[0], []byte(spoilt)); ok {
			t.Errorf("%s in place of %s is taken", c[2], c[1])
		}
	}
}
