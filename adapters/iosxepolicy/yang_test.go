package iosxepolicy_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/adapters/dialecttest"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/integration/rig"
)

// Cisco's own models judge what Render writes: names, places, ranges, choices, and which actions go together.

// lint says whether the models take config.
func lint(t *testing.T, config []byte) (ok bool, output string) {
	t.Helper()
	return rig.Yanglint(t, "xml", config, models(t)...)
}

// models are the arguments of yanglint.
func models(t *testing.T) []string {
	dir := rig.CiscoXEModels(t)
	out := []string{"-p", dir}
	for _, name := range []string{"native", "acl", "policy"} {
		out = append(out, filepath.Join(dir, "Cisco-IOS-XE-"+name+".yang"))
	}
	return out
}

var ours = regexp.MustCompile(`<name>sluice-v4`)

func TestModelsTakeWhatIsRendered(t *testing.T) {
	t.Parallel()
	// One process for many filters: each has its own names.
	generator := rapid.Custom(suite.Sayable)
	filters := append([]func(int) []byte{}, func(int) []byte { return render(t, busy()).Payload })
	for range 200 {
		filters = append(filters, func(seed int) []byte { return render(t, generator.Example(seed)).Payload })
	}
	var lists, policies bytes.Buffer
	parts := regexp.MustCompile(`(?s)^<native xmlns="[^"]*">(?:<ip><access-list>(.*)</access-list></ip>)?<policy>(.*)</policy></native>$`)
	for i, payload := range filters {
		m := parts.FindSubmatch(ours.ReplaceAll(payload(i), fmt.Appendf(nil, "$0-%d", i)))
		if m == nil {
			t.Fatalf("the payload is another one than the models have: %s", payload(i))
		}
		lists.Write(m[1])
		policies.Write(m[2])
	}
	config := `<native xmlns="http://cisco.com/ns/yang/Cisco-IOS-XE-native"><ip><access-list>` + lists.String() + "</access-list></ip><policy>" + policies.String() + "</policy></native>"
	if n := strings.Count(config, "<class>"); n < 200 {
		t.Fatalf("only %d classes", n)
	}
	if ok, out := lint(t, []byte(config)); !ok {
		t.Error(out)
	}
}

// The rig tells right from wrong: the same payload spoilt is refused.
func TestModelsRefuseWhatIsWrong(t *testing.T) {
	t.Parallel()
	rig.ModelsRefuse(t, "xml", render(t, busy()).Payload, [][2]string{
		{"<prematch>match-all</prematch>", ""},
		{"<prematch>match-all</prematch>", "<prematch>all</prematch>"},
		{"<dscp>46</dscp>", "<dscp>64</dscp>"},
		{"<cir>1000000</cir>", "<cir>7999</cir>"},
		{"<cir>1000000</cir>", "<cir>100000000001</cir>"},
		{"<bc>15000</bc>", "<bc>999</bc>"},
		{"<action-type>drop</action-type>", "<action-type>discard</action-type>"},
		{"<action-type>police</action-type>", "<action-type>set</action-type>"},
		{"<exceed-drop><exceed-action><drop/></exceed-action></exceed-drop>", "<exceed-drop><exceed-action><transmit/></exceed-action></exceed-drop>"},
		{"<conform-transmit><conform-action><transmit/></conform-action></conform-transmit><exceed-transmit>", "<conform-drop><conform-action><drop/></conform-action></conform-drop><exceed-transmit>"},
		{"<dscp-val>8</dscp-val>", "<dscp-val>64</dscp-val>"},
		{"Cisco-IOS-XE-policy", "Cisco-IOS-XE-qos"},
	}, models(t)...)
}

// yanglint takes edits as well, the operations aside, which it does not know.
func TestModelsTakeEdits(t *testing.T) {
	t.Parallel()
	less := busy()
	less.Entries, less.Policers = less.Entries[2:], less.Policers[1:]
	var edits [][]byte
	for _, filters := range [][2][]filter.Filter{{{less}, {busy()}}, {{busy()}, {less}}, {{busy()}, nil}} {
		edit, err := dialect.Edit(filters[0], filters[1])
		if err != nil {
			t.Fatal(err)
		}
		edit = regexp.MustCompile(`<class-map[^>]*nc:operation="delete"[^>]*>.*?</class-map>`).ReplaceAll(edit, nil) // a mandatory leaf is not told where one goes
		edits = append(edits, dialecttest.WithoutOperations(edit))
	}
	for i, taken := range rig.YanglintAll(t, "xml", edits, models(t)...) {
		if !taken {
			t.Errorf("refused: %s", edits[i])
		}
	}
}

func render(t *testing.T, f filter.Filter) filter.Rendered {
	t.Helper()
	r, err := dialect.Render(f)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
