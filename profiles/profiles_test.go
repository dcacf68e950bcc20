package profiles

import (
	"bytes"
	"encoding/json"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/profile"
)

var update = flag.Bool("update", false, "write docs/profiles.md and schema.json anew")

// Every embedded profile loads, which is all that `sluice profile lint` checks, and has cases, which `sluice profile test` holds it against.
func TestEmbedded(t *testing.T) {
	t.Parallel()
	for _, p := range Embedded().All() {
		if _, err := fs.Stat(Files(), "testdata/"+p.Name+".txt"); err != nil {
			t.Errorf("%s has no cases: %v", p.Name, err)
		}
		if len(p.Facts) == 0 {
			t.Errorf("%s rests on nothing", p.Name)
		}
		if want := "profiles/" + p.Name + ".yaml"; Embedded().File(p.Name) != want {
			t.Errorf("profile %s is in %s, want %s", p.Name, Embedded().File(p.Name), want)
		}
	}
}

// Who limits a rate says which octets it counts, or that this is not known; who passes rules on does not limit.
func TestRatesSayWhatTheyCount(t *testing.T) {
	t.Parallel()
	for _, p := range Embedded().All() {
		limits := p.Native != nil && p.Native.Actions.RateBytes.OK || p.Filter != nil && p.Filter.Actions.RateBytes.OK
		passesOn := strings.HasPrefix(p.Behaviour["enforcement"].Says, "nothing is filtered")
		if _, says := p.Behaviour["policer-octets"]; limits && !passesOn && !says {
			t.Errorf("%s limits rates and has no behaviour policer-octets", p.Name)
		}
	}
}

// What an operator asks of every platform that filters is answered, if only by "not known": where, how many filters beside each other, whether packets to the router itself are meant, and what becomes of redirects
// and of too many rules.
func TestAskedOfEveryPlatform(t *testing.T) {
	t.Parallel()
	for _, p := range Embedded().All() {
		if says := p.Behaviour["enforcement"].Says; strings.HasPrefix(says, "nothing is filtered") || p.Vendor == "IETF" {
			continue
		}
		topics := []string{"interfaces", "to-router", "filters-per-interface"}
		if p.Native != nil {
			topics = append(topics, "unresolved-redirect", "stripped-redirect", "prefix-limit")
		}
		for _, topic := range topics {
			if _, says := p.Behaviour[topic]; !says {
				t.Errorf("%s has no behaviour %s", p.Name, topic)
			}
		}
	}
}

// What is read when it is asked for is what is read at once.
func TestReadWhenAsked(t *testing.T) {
	t.Parallel()
	whole, err := profile.LoadFS(Files(), "profiles")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(Embedded().All()), len(whole.All()); got != want {
		t.Errorf("%d profiles, want %d", got, want)
	}
	for _, want := range whole.All() {
		for _, name := range append([]string{want.Name}, want.Aliases...) {
			if got, err := Embedded().Get(name); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s is read otherwise on its own (%v)", name, err)
			}
		}
	}
}

// The limits that plans, scenarios and the documentation count on.
func TestLimits(t *testing.T) {
	t.Parallel()
	get := func(name string) *profile.Profile {
		p, err := Embedded().Get(name)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	asr, mx, eos, rfc := get("asr9k").Native, get("junos-mx"), get("arista-eos").Native, get("generic").Native

	for typ, want := range map[flowspec.Type]int{
		flowspec.Protocol: 8, flowspec.DstPort: 5, flowspec.SrcPort: 5, flowspec.ICMPType: 1, flowspec.ICMPCode: 1,
		flowspec.TCPFlags: 1, flowspec.PacketLength: 5, flowspec.DSCP: 8, flowspec.Fragment: 1,
	} {
		if got := asr.Components[typ].MaxValues; got != want {
			t.Errorf("asr9k: %s takes %d values, want %d", typ, got, want)
		}
	}
	for _, typ := range []flowspec.Type{flowspec.Port, flowspec.FlowLabel} {
		if _, can := asr.Components[typ]; can || asr.Cannot[typ] == "" {
			t.Errorf("asr9k: %s must be known as one it cannot match", typ)
		}
	}
	for form := flowspec.RedirectAS2; form <= flowspec.NextHopIETFv6; form++ {
		want := form <= flowspec.RedirectAS4 || form == flowspec.NextHopSimpson
		if got := asr.Actions.Redirects[form].OK; got != want {
			t.Errorf("asr9k: redirect %s: %v, want %v", profile.RedirectWord(form), got, want)
		}
		if got := eos.Actions.Redirects[form].OK; got != (form == flowspec.RedirectAS2) {
			t.Errorf("arista-eos: redirect %s: %v", profile.RedirectWord(form), got)
		}
		if got := rfc.Actions.Redirects[form].OK; got == (form >= flowspec.NextHopSimpson) {
			t.Errorf("generic: redirect %s: %v", profile.RedirectWord(form), got)
		}
	}
	if asr.Actions.RatePackets.OK || asr.Actions.Sample.OK || asr.Actions.Continue.OK || asr.MaxRules.N != 3000 || !asr.MaxRules.Soft {
		t.Error("asr9k: rates in packets, sample, continue or the scale is wrong")
	}
	if len(mx.Native.Exclude) != 2 || mx.Native.Components[flowspec.TCPFlags].Bits != 0x3f || mx.Native.Components[flowspec.TCPFlags].MaxWidth != 1 {
		t.Error("junos-mx: port beside other ports, or TCP flags, is wrong")
	}
	if mx.Native.OrderFor(4).Kind != "rfc8955" || mx.Native.OrderFor(6).Kind != "unknown" {
		t.Error("junos-mx: order is wrong")
	}
	if r := mx.Native.Actions.RateBytes; r.Floor != 8000 || r.Unit != "bits/s" || mx.Facts[r.FloorFact].Basis != profile.Assumed {
		t.Error("junos-mx: the floor of a rate is wrong")
	}
	if eos.Components[flowspec.DstPort].MaxValues != 0 {
		t.Error("arista-eos: the number of values must be unknown")
	}
	for typ := flowspec.DstPrefix; typ <= flowspec.FlowLabel; typ++ {
		if _, can := rfc.Components[typ]; !can {
			t.Errorf("generic: %s is missing", typ)
		}
	}
}

// docs/profiles.md is what `sluice profile matrix --format markdown` prints; schema.json is what the loader reads.
func TestGenerated(t *testing.T) {
	t.Parallel()
	var page bytes.Buffer
	if err := profile.WriteMarkdown(&page, profile.WithSwitched(Embedded().All())); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string][]byte{filepath.Join("..", "docs", "profiles.md"): page.Bytes(), "schema.json": profile.Schema()} {
		if *update {
			if err := os.WriteFile(file, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(file)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not current: run `go generate ./profiles` (%v)", file, err)
		}
	}
}

// The schema knows the keys of the embedded profiles, level by level.
func TestSchema(t *testing.T) {
	t.Parallel()
	var schema map[string]any
	if err := json.Unmarshal(profile.Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	for _, file := range profile.FilesIn(Files()) {
		b, err := fs.ReadFile(Files(), file)
		if err != nil {
			t.Fatal(err)
		}
		var doc map[string]any
		if err := yaml.Unmarshal(b, &doc); err != nil {
			t.Fatal(err)
		}
		if strange := strangers(schema, doc, schema, ""); len(strange) > 0 {
			t.Errorf("%s: the schema does not know %v", file, strange)
		}
		doc["vender"] = "ACME"
		if native, ok := doc["native"].(map[string]any); ok {
			native["famlies"] = "ACME"
		} else {
			doc["natve"] = "ACME"
		}
		if got := strangers(schema, doc, schema, ""); len(got) != 2 {
			t.Errorf("%s: the schema finds %v of two unknown keys", file, got)
		}
	}
}

// strangers returns the keys of doc that an object schema does not name. Alternatives and lists are not looked into.
func strangers(root, doc, schema map[string]any, path string) (out []string) {
	properties, _ := schema["properties"].(map[string]any)
	for key, val := range doc {
		sub, known := properties[key].(map[string]any)
		if !known {
			sub, known = schema["additionalProperties"].(map[string]any)
		}
		if !known {
			out = append(out, path+key)
			continue
		}
		if ref, ok := sub["$ref"].(string); ok {
			sub = root["$defs"].(map[string]any)[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
		}
		if m, ok := val.(map[string]any); ok && sub["type"] == "object" {
			out = append(out, strangers(root, m, sub, path+key+".")...)
		}
	}
	return out
}

// The profile that docs/profiles-writing.md shows is a good one.
func TestShownProfile(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "docs", "profiles-writing.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(page), "```yaml\nname: ")
	text, _, end := strings.Cut(rest, "```")
	if !ok || !end {
		t.Fatal("the page shows no profile")
	}
	p, err := profile.Load("profiles-writing.md", []byte("name: "+text))
	if err != nil {
		t.Fatal(err)
	}
	if p.Name != "acme-edge" || p.Native.Components[flowspec.DstPort].MaxValues != 1 {
		t.Errorf("got %s with %d ports", p.Name, p.Native.Components[flowspec.DstPort].MaxValues)
	}
}
