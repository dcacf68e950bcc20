package sros_test

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

// Nokia's own models judge what Render writes: names, places, ranges, choices.

// yang returns the directory of Nokia's models.
func yang(t *testing.T) string { return rig.NokiaModels(t) }

// lint says whether the models take config. The groups of the configuration, a model that is not here, are a list of names in stub/.
func lint(t *testing.T, dir string, config []byte) (ok bool, output string) {
	t.Helper()
	return rig.Yanglint(t, "xml", config, models(dir)...)
}

// models are the arguments of yanglint.
func models(dir string) []string {
	return []string{"-p", dir, "-p", filepath.Join(dir, "stub"), filepath.Join(dir, "nokia-conf.yang")}
}

var (
	names  = regexp.MustCompile(`<filter-name>[^<]*|<policer-name>[^<]*|<policer>[^<]+`)
	inside = regexp.MustCompile(`(?s)^(<configure xmlns="[^"]*"><filter>)(.*)(</filter></configure>)$`)
)

func TestModelsTakeWhatIsRendered(t *testing.T) {
	t.Parallel()
	dir := yang(t)
	// One process for many filters: each has names of its own, in one configuration.
	generator := rapid.Custom(suite.Sayable)
	var around [2]string
	var all bytes.Buffer
	kinds := map[string]int{}
	for seed := range 400 {
		f := generator.Example(seed)
		r, err := dialect.Render(f)
		if err != nil {
			t.Fatal(err)
		}
		kinds[string(f.Placement)+f.Name] += len(f.Entries)
		m := inside.FindSubmatch(r.Payload)
		if m == nil {
			t.Fatalf("the payload is another one than the models have: %s", r.Payload)
		}
		around = [2]string{string(m[1]), string(m[3])}
		all.Write(names.ReplaceAll(m[2], fmt.Appendf(nil, "$0-%d", seed)))
	}
	if len(kinds) != 4 || bytes.Count(all.Bytes(), []byte("<pir>")) < 20 {
		t.Fatalf("got entries of %v, want both versions in both placements, and policers", kinds)
	}
	if ok, out := lint(t, dir, []byte(around[0]+all.String()+around[1])); !ok {
		t.Error(out)
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
		{"<drop/>", "<drop/><accept/>"}, // a choice
		{"<drop/>", ""},                 // which is mandatory
		{"<protocol>tcp</protocol>", "<next-header>tcp</next-header>"},
		{"<eq>53</eq>", "<eq>53</eq><gt>54</gt>"},
		{"<port><gt>1023</gt></port>", "<port><gt>1023</gt></port><src-port><eq>1</eq></src-port>"},
		{"<dscp>ef</dscp>", "<dscp>46</dscp>"},
		{"<end>1500</end>", ""},
		{"<fragment>non-first-only</fragment>", "<fragment>is-fragment</fragment>"},
		{"<address>192.0.2.9</address>", "<address>192.0.2.256</address>"},
		{"<entry-id>1000</entry-id>", "<entry-id>2097152</entry-id>"},
		{"<description>r-0000000000000001</description>", "<description>" + strings.Repeat("x", 81) + "</description>"},
		{"<pir>10000</pir>", "<pir>2000000001</pir>"},
		{"<pir>10000</pir>", "<pir>10000</pir><pps-pir>10</pps-pir>"},
		{"sr:conf", "sr:config"},
	}, models(dir)...)
}

// yanglint takes edits as well, the operations aside, which it does not know.
func TestModelsTakeEdits(t *testing.T) {
	t.Parallel()
	dir := yang(t)
	less := busy()
	less.Entries = less.Entries[2:]
	less.Policers = nil
	edit, err := dialect.Edit([]filter.Filter{less}, []filter.Filter{busy()})
	if err != nil {
		t.Fatal(err)
	}
	if ok, out := lint(t, dir, dialecttest.WithoutOperations(edit)); !ok {
		t.Error(out)
	}
}
