package vrp_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/adapters/dialecttest"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/integration/rig"
)

// Huawei's own models judge what Render writes: names, places, ranges, choices, and the conditions between them.

// public is what huawei-acl asks of the VPN instance that rules have by default.
const public = `<network-instance xmlns="urn:huawei:yang:huawei-network-instance"><instances><instance><name>_public_</name><afs xmlns="urn:huawei:yang:huawei-l3vpn">` +
	`<af><type>ipv4-unicast</type></af><af><type>ipv6-unicast</type></af></afs></instance></instances></network-instance>`

// lint says whether the models take config.
func lint(t *testing.T, config []byte) (ok bool, output string) {
	t.Helper()
	models, around := rig.HuaweiModels(t), filepath.Join(t.TempDir(), "public.xml")
	if err := os.WriteFile(around, []byte(public), 0o600); err != nil {
		t.Fatal(err)
	}
	stub, model := filepath.Join(models, "stub"), func(name string) string { return filepath.Join(models, name+".yang") }
	return rig.Yanglint(t, "xml", config, "-m", "-p", models, "-p", stub, model("stub/huawei-l3vpn"), model("huawei-acl"), model("huawei-qos"), model("stub/huawei-pbr"), around)
}

var ours = regexp.MustCompile(`sluice-(in|deny|permit|v[46]|r-[0-9a-f]{16})`)

func TestModelsTakeWhatIsRendered(t *testing.T) {
	t.Parallel()
	// One process for many filters: each has names of its own, in one configuration.
	generator := rapid.Custom(suite.Sayable)
	var all []string
	kinds := map[string]int{}
	for seed := range 300 {
		f := generator.Example(seed)
		r, err := dialect.Render(f)
		if err != nil {
			t.Fatal(err)
		}
		kinds[f.Name] += len(f.Entries)
		all = append(all, ours.ReplaceAllString(string(r.Payload), fmt.Sprintf("sluice-%d-$1", seed)))
	}
	if len(kinds) != 2 || strings.Count(strings.Join(all, ""), "<cir>") < 20 {
		t.Fatalf("got entries of %v, want both versions, and policers", kinds)
	}
	for len(all) > 0 {
		n := min(len(all), 50)
		if ok, out := lint(t, joined(all[:n])); !ok {
			t.Error(out)
		}
		all = all[n:]
	}
}

// joined is one configuration of several: the models have each root once.
func joined(configs []string) []byte {
	var lists4, lists6, classes, behaviors, policies strings.Builder
	for _, c := range configs {
		for _, part := range []struct {
			name string
			to   *strings.Builder
		}{{"groups", &lists4}, {"group6s", &lists6}, {"traffic-classifiers", &classes}, {"traffic-behaviors", &behaviors}, {"traffic-policys", &policies}} {
			if _, in, found := strings.Cut(c, "<"+part.name+">"); found {
				in, _, _ = strings.Cut(in, "</"+part.name+">")
				part.to.WriteString(in)
			}
		}
	}
	return fmt.Appendf(nil, `<acl xmlns="urn:huawei:yang:huawei-acl"><groups>%s</groups><group6s>%s</group6s></acl><qos xmlns="urn:huawei:yang:huawei-qos"><classifier-template><traffic-classifiers>%s</traffic-classifiers>`+
		`<traffic-behaviors>%s</traffic-behaviors><traffic-policys>%s</traffic-policys></classifier-template></qos>`, &lists4, &lists6, &classes, &behaviors, &policies)
}

// The rig tells right from wrong: the same payload spoilt is refused.
func TestModelsRefuseWhatIsWrong(t *testing.T) {
	t.Parallel()
	r, err := dialect.Render(busy())
	if err != nil {
		t.Fatal(err)
	}
	if ok, out := lint(t, r.Payload); !ok {
		t.Fatalf("before anything is spoilt: %s", out)
	}
	for _, c := range [][2]string{
		{"<action>permit</action>", ""},                                                                                               // mandatory
		{"<protocol>17</protocol>", ""},                                                                                               // a mandatory choice
		{"<protocol>17</protocol>", "<protocol>47</protocol>"},                                                                        // ports need tcp or udp
		{"<protocol>6</protocol>", "<protocol>17</protocol>"},                                                                         // flags need tcp
		{"<fragment-type>non-subseq</fragment-type>", "<fragment-type>fragment-subseq</fragment-type>"},                               // later fragments have no ports
		{"<fragment-type>fragment-spe-first</fragment-type>", "<fragment-type>first</fragment-type>"},                                 // no such word
		{"<dest-wild>0.0.0.0</dest-wild>", ""},                                                                                        // both or none
		{"<source-port-begin>53</source-port-begin>", "<source-port-begin>54</source-port-begin>"},                                    // backwards
		{"<dest-port-begin>1024</dest-port-begin>", "<dest-port-begin>0</dest-port-begin>"},                                           // everything
		{"<tcp-flag-mask>18</tcp-flag-mask>", "<tcp-flag-mask>64</tcp-flag-mask>"},                                                    // six bits
		{"<icmp-type>3</icmp-type>", ""},                                                                                              // a code needs a type
		{"<dscp>8</dscp>", "<dscp>64</dscp>"},                                                                                         // six bits
		{"<id>200</id>", "<id>100</id>"},                                                                                              // unique
		{"<name>r-0000000000000001</name>", "<name>" + strings.Repeat("x", 33) + "</name>"},                                           // 32 characters
		{"<type>advance</type>", "<type>basic</type>"},                                                                                // another kind of list
		{"<acl-name>sluice-v4-16</acl-name>", "<acl-name>sluice-v4-17</acl-name>"},                                                    // a reference to nothing
		{"<behavior-name>sluice-deny</behavior-name>", "<behavior-name>sluice-drop</behavior-name>"},                                  // the same
		{"<priority>5117</priority>", "<priority>5120</priority>"},                                                                    // out of range
		{"<cbs>150000</cbs>", ""},                                                                                                     // cir needs it
		{"<cir>10000</cir>", "<cir>4294967296</cir>"},                                                                                 // 32 bits
		{"<red-action>discard</red-action>", "<red-action>drop</red-action>"},                                                         // no such word
		{"<remark-value>46</remark-value>", "<remark-value>64</remark-value>"},                                                        // a DSCP
		{"<nexthop-address>192.0.2.9<", "<nexthop-address>192.0.2.256<"},                                                              // no address
		{"<protocol-family>ipv4<", "<protocol-family>ip<"},                                                                            // no such word
		{"<packet-len-begin>0</packet-len-begin><packet-len-end>99<", "<packet-len-begin>0</packet-len-begin><packet-len-end>65535<"}, // everything
		{"huawei-qos", "huawei-qoss"},
	} {
		spoilt := strings.Replace(string(r.Payload), c[0], c[1], 1)
		if spoilt == string(r.Payload) {
			t.Errorf("the payload has no %s", c[0])
		}
		if ok, _ := lint(t, []byte(spoilt)); ok {
			t.Errorf("%s in place of %s is taken", c[1], c[0])
		}
	}
}

// yanglint takes edits as well, the operations aside, which it does not know: what an edit of a whole filter says, and one that is a configuration by itself.
func TestModelsTakeEdits(t *testing.T) {
	t.Parallel()
	less := busy()
	less.Entries, less.Policers = nil, nil
	add := edit(t, []filter.Filter{less}, []filter.Filter{busy()})
	config := strings.Replace(string(dialecttest.WithoutOperations(add)), "<traffic-behaviors>", "<traffic-behaviors><traffic-behavior><name>sluice-permit</name></traffic-behavior>", 1)
	if ok, out := lint(t, []byte(config)); !ok {
		t.Errorf("%s\n%s", out, config)
	}
}
