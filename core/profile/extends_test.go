package profile

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// overlaid loads the small profile as "box", and files over it, and returns what profile name became.
func overlaid(t *testing.T, name string, files ...string) (*Profile, error) {
	t.Helper()
	base, err := LoadFS(shelf(t, "0.yaml", small), "base")
	if err != nil {
		t.Fatal(err)
	}
	fsys := fstest.MapFS{}
	for i, f := range files {
		fsys[string(rune('a'+i))+".yaml"] = &fstest.MapFile{Data: []byte(f)}
	}
	lib, err := base.Overlay(fsys, "own")
	if err != nil {
		return nil, err
	}
	return lib.Get(name)
}

// A profile that extends another one has what it writes, and of the other what it does not write.
func TestExtends(t *testing.T) {
	t.Parallel()
	p, err := overlaid(t, "chest", `name: chest
extends: box
platform: Chest 2
facts:
  - {id: guess, text: Somebody says so now., source: a talk, checked: 2026-11, basis: documented}
  - {id: lab, text: It was seen., source: a lab, checked: 2026-11, basis: measured}
native:
  components:
    protocol: {ops: [eq], values: 1, fact: lab}
    port: {ops: [eq], values: 1, fact: lab}
  exclude: []
  actions:
    rate-bytes: {cannot: true, fact: lab}
    redirects:
      rt-as4: {fact: lab}
warnings:
  - {code: lamp, when: always, text: light it, fact: lab}
without: [knob]
`)
	if err != nil {
		t.Fatal(err)
	}
	n := p.Native
	var warnings []string
	for _, w := range p.Warnings {
		warnings = append(warnings, w.Code)
	}
	for _, c := range []struct {
		what      string
		got, want any
	}{
		{"its own name", p.Name + " " + p.Platform + " " + p.Vendor, "chest Chest 2 ACME"},
		{"no alias of the other", len(p.Aliases), 0},
		{"a component replaced whole", n.Components[portType(t, "protocol")].Ops, []string{"eq"}},
		{"a component added", n.Components[portType(t, "port")].MaxValues, 1},
		{"a component kept", n.Components[portType(t, "destination-port")].MaxValues, Unlimited},
		{"a list emptied", len(n.Exclude), 0},
		{"an action replaced", n.Actions.RateBytes, RateLimit{Fact: "lab"}},
		{"an action kept", n.Actions.Discard.OK, true},
		{"redirects of both", n.Actions.Redirects[flowspec.RedirectAS2].OK && n.Actions.Redirects[flowspec.RedirectAS4].OK, true},
		{"a fact replaced", p.Facts["guess"].Basis, Documented},
		{"a fact kept", p.Facts["manual"].Source, "ACME manual, ch. 7"},
		{"the order kept", n.OrderFor(6).Kind, "unknown"},
		{"warnings", warnings, []string{"lamp"}},
		{"options kept", p.OptionNames(), []string{"term-order"}},
	} {
		if !cmp.Equal(c.got, c.want) {
			t.Errorf("%s: got %v, want %v", c.what, c.got, c.want)
		}
	}
	legacy, err := p.With(map[string]string{"term-order": "legacy"})
	if err != nil || legacy.Native.Order.Kind != "unknown" || legacy.Native.Components[portType(t, "port")].MaxValues != 1 || p.Native.Order.Kind != "rfc8955" {
		t.Errorf("with an option of the other: %v, %+v", err, legacy.Native.Order)
	}
}

// A profile may correct the one of its own name, which keeps its aliases; and take FlowSpec away and give it back.
func TestExtendsItsOwnName(t *testing.T) {
	t.Parallel()
	p, err := overlaid(t, "crate", `name: box
extends: box
facts: [{id: dark, text: The lamp is off., basis: assumed}]
native: {cannot: true, fact: dark}
options:
  lamp:
    values: ["off", "on"]
    text: the lamp
    fact: dark
    set:
      "on": {native: {cannot: false, max-rules: unknown}}
`)
	if err != nil {
		t.Fatal(err)
	}
	on, err := p.With(map[string]string{"lamp": "on"})
	if err != nil {
		t.Fatal(err)
	}
	if p.Native != nil || p.NoNative != "dark" || on.Native == nil || on.Native.MaxRules.N != 0 || on.Native.Components[portType(t, "protocol")].MaxValues != 8 {
		t.Errorf("off %+v, on %+v", p.Native, on.Native)
	}
	if got := on.Title(); got != "box:lamp=on" {
		t.Errorf("title %q", got)
	}
	if s := p.Switched(); len(s) != 1 || s[0] != on {
		t.Errorf("switched on by %v", s)
	}
	if s := on.Otherwise(func(v *Profile) bool { return v.Native == nil }); len(s) != 1 || s[0] != p || on.Switched() != nil {
		t.Errorf("switched off by %v", s)
	}
	if s := p.Otherwise(func(*Profile) bool { return true }); !slices.Contains(s, on) || slices.Contains(s, p) {
		t.Errorf("it is its own other setting: %v", s)
	}
	if _, there := p.Facts["native.source-port"]; !there {
		t.Error("a fact that only the option rests on is gone")
	}
}

func TestExtendsRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, want string
		files      []string
	}{
		{"nobody", `own/a.yaml:2:10: no profile "sarcophagus" is known here`, []string{"name: chest\nextends: sarcophagus\n"}},
		{"two levels", "own/b.yaml:2:10: chest extends box itself", []string{"name: chest\nextends: box\n", "name: trunk\nextends: chest\n"}},
		{"a mistake in its own part", `own/a.yaml:3:43: no fact has the id "manul": did you mean "manual"`,
			[]string{"name: chest\nextends: box\nnative: {components: {destination: {fact: manul}}}\n"}},
		{"a mistake that it makes of the other's", "base/0.yaml:24:16: destination-port is excluded beside others, but the platform does not take it at all (in own/a.yaml, which extends this)",
			[]string{"name: chest\nextends: box\nnative: {components: {destination-port: {cannot: true, fact: manual}}}\n"}},
		{"cannot and can", "own/a.yaml:3:9: native says `cannot` and then what it can",
			[]string{"name: chest\nextends: box\nnative: {cannot: true, fact: manual, components: {destination: {fact: manual}}}\n"}},
		{"an alias that is taken", `own/a.yaml:1:1: alias "crate" already leads to profile "box"`, []string{"name: chest\nextends: box\naliases: [crate]\n"}},
		{"options that meet", `own/a.yaml:9:7: options "term-order" and "pace" both set native.order`, []string{`name: chest
extends: box
options:
  pace:
    values: [slow, fast]
    text: how fast
    fact: manual
    set:
      fast: {native: {order: {kind: unknown, fact: manual}}}
`}},
		{"too many options", "combine in more than 64 ways", []string{"name: chest\nextends: box\noptions:\n  o1: {values: [a, b, c, d, e], text: x, fact: manual}\n" +
			"  o2: {values: [a, b, c, d, e], text: x, fact: manual}\n  o3: {values: [a, b, c, d, e], text: x, fact: manual}\n"}},
		{"a topic that is none", `"colour" is not a topic of behaviour`, []string{"name: chest\nextends: box\nbehaviour: {colour: {says: red, fact: manual}}\n"}},
		{"behaviour without words", "`says` is missing", []string{"name: chest\nextends: box\nbehaviour: {overflow: {fact: manual}}\n"}},
		{"behaviour without a fact", "behaviour.overflow rests on no fact", []string{"name: chest\nextends: box\nbehaviour: {overflow: {says: stops}}\n"}},
		{"a need of what it cannot", "flow-label is needed, but the platform does not take it at all", []string{"name: chest\nextends: box\nnative: {needs: [{one-of: [flow-label], fact: manual}]}\n"}},
		{"a need of nothing", "`one-of` is missing", []string{"name: chest\nextends: box\nnative: {needs: [{of: [protocol], fact: manual}]}\n"}},
		{"a need of values of two", "`values` are of one component", []string{"name: chest\nextends: box\nnative: {needs: [{one-of: [protocol, source-port], values: [6], fact: manual}]}\n"}},
		{"a need of a word", "`unlimited` has no meaning here", []string{"name: chest\nextends: box\nnative: {needs: [{one-of: [protocol], values: [unlimited], fact: manual}]}\n"}},
		{"a smallest bit", "is a set of bits", []string{"name: chest\nextends: box\nnative: {components: {tcp-flags: {ops: [any], values: 1, min-value: 1, fact: manual}}}\n"}},
		{"a smallest above the largest", "its smallest value is above its largest", []string{"name: chest\nextends: box\nnative: {components: {protocol: {ops: [eq], values: 1, min-value: 9, max-value: 8, fact: manual}}}\n"}},
		{"bits that are something else", "`except-v6` is of numbers", []string{"name: chest\nextends: box\nnative: {components: {tcp-flags: {ops: [any], values: 1, except-v6: [1], fact: manual}}}\n"}},
		{"a number that the field cannot hold", "256 is out of range", []string{"name: chest\nextends: box\nnative: {components: {protocol: {ops: [eq], values: 1, except-v6: [256], fact: manual}}}\n"}},
		{"below no floor", "has no floor that a rate could be below", []string{"name: chest\nextends: box\nnative: {actions: {rate-bytes: {unit: bits/s, step: 8, floor: unknown, below-floor: refused, ceiling: unknown, fact: manual}}}\n"}},
		{"below the floor something", `"dropped" does not say what becomes`, []string{"name: chest\nextends: box\nnative: {actions: {rate-bytes: {unit: bits/s, step: 8, floor: 8, below-floor: dropped, ceiling: unknown, fact: manual}}}\n"}},
	} {
		_, err := overlaid(t, "chest", c.files...)
		var ps Problems
		if !errors.As(err, &ps) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

// Laid over anything, a profile wins with all that it has: no key is forgotten.
func TestOverKeepsEverything(t *testing.T) {
	t.Parallel()
	for _, text := range []string{small, smallFilter} {
		raw, err := parse("box.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		other, err := parse("other.yaml", []byte("name: other\nnative: {max-rules: unknown}\nfilter: {dialect: x}\n"))
		if err != nil {
			t.Fatal(err)
		}
		if got := over(rawProfile{}, raw.V); !reflect.DeepEqual(got, raw.V) {
			t.Errorf("over nothing: %+v", got)
		}
		if got := over(raw.V, rawProfile{}); !reflect.DeepEqual(got, raw.V) {
			t.Errorf("under nothing: %+v", got)
		}
		if got := over(raw.V, raw.V); !reflect.DeepEqual(got, raw.V) {
			t.Errorf("over itself: %+v", got)
		}
		got := over(other.V, raw.V)
		if raw.V.Native.written() && !reflect.DeepEqual(got.Native, raw.V.Native) || raw.V.Filter.written() && !reflect.DeepEqual(got.Filter, raw.V.Filter) {
			t.Errorf("over a profile with less: %+v", got)
		}
	}
}
