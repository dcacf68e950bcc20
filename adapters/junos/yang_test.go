package junos_test

import (
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/integration/rig"
)

// Juniper's own models judge what Render writes. They are lax (a port "banana" passes), so this is about structure: names, places,
// choices; the meaning is the business of the round trip.

// yang returns the directory of Juniper's models.
func yang(t *testing.T) string { return rig.Models(t) }

// lint says whether the models take config.
func lint(t *testing.T, dir string, config []byte) (ok bool, output string) {
	t.Helper()
	return rig.Yanglint(t, "xml", config, models(dir)...)
}

// models are the arguments of yanglint.
func models(dir string) []string {
	return []string{"-p", dir, filepath.Join(dir, "junos-conf-root@2024-01-01.yang"), filepath.Join(dir, "junos-conf-firewall@2024-01-01.yang")}
}

func TestModelsTakeWhatIsRendered(t *testing.T) {
	t.Parallel()
	dir := yang(t)
	// One process for many filters: their terms are put into one of each version and placement.
	generator := rapid.Custom(suite.Sayable)
	merged := map[string]*filter.Filter{}
	for seed := range 200 {
		f := generator.Example(seed)
		name := string(f.Placement) + f.Name
		if merged[name] == nil {
			merged[name] = &filter.Filter{Name: f.Name, Version: f.Version, Placement: f.Placement}
		}
		m := merged[name]
		rename := func(s string) string { return s + "-" + string(rune('a'+seed/26)) + string(rune('a'+seed%26)) }
		for _, p := range f.Policers {
			p.Name = rename(p.Name)
			m.Policers = append(m.Policers, p)
		}
		for _, e := range f.Entries {
			e.Name = rename(e.Name)
			if e.Do.Policer != "" {
				e.Do.Policer = rename(e.Do.Policer)
			}
			m.Entries = append(m.Entries, e)
		}
	}
	if len(merged) != 4 {
		t.Fatalf("got %d kinds of filters, want both versions in both placements", len(merged))
	}
	for name, f := range merged {
		r, err := dialect.Render(*f)
		if err != nil {
			t.Fatal(err)
		}
		if ok, out := lint(t, dir, r.Payload); !ok {
			t.Errorf("%s, %d entries: %s", name, len(f.Entries), out)
		}
	}
}

// The rig tells right from wrong: the same payload spoilt is refused.
func TestModelsRefuseWhatIsWrong(t *testing.T) {
	t.Parallel()
	dir := yang(t)
	r, err := dialect.Render(busy())
	if err != nil {
		t.Fatal(err)
	}
	rig.ModelsRefuse(t, "xml", r.Payload, [][2]string{
		{"<protocol>tcp</protocol>", "<protocol>tcp</protocol><protocol-except>udp</protocol-except>"},
		{"<discard/>", "<discard/><accept/>"},
		{"<filter-specific/>", "<filter-exact/>"},
		{"<next>term</next>", "<next>filter</next>"},
		{"<routing-instance><routing-instance-name>SCRUB</routing-instance-name></routing-instance>", "<routing-instance>SCRUB</routing-instance>"},
		{"<routing-instance><routing-instance-name>SCRUB</routing-instance-name></routing-instance>", "<routing-instance><routing-instance-name>SCRUB</routing-instance-name></routing-instance><accept/>"},
		{"<if-exceeding-pps><pps-limit>5000</pps-limit>", "<if-exceeding-pps><bandwidth-limit>5000</bandwidth-limit>"},
		{"<pps-limit>5000</pps-limit><packet-burst>500</packet-burst></if-exceeding-pps>", "<pps-limit>5000</pps-limit><packet-burst>500</packet-burst></if-exceeding-pps><if-exceeding/>"},
		{"<sample/>", "<sample>yes</sample>"},
		{"<fragment-offset>0</fragment-offset>", "<last-fragment/>"},
		{"<name>r-0000000000000001</name>", ""},
		{firewallXMLNS, "urn:example"},
	}, models(dir)...)
}

const firewallXMLNS = "http://yang.juniper.net/junos/conf/firewall"
