package profile

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
)

// small is a profile with one of most things. The cases of TestLoadRefuses change one line of it.
const small = `name: box
aliases: [crate]
vendor: ACME
platform: Box 1
facts:
  - id: manual
    text: The manual lists it.
    source: ACME manual, ch. 7
    checked: 2026-11
    basis: documented
  - id: guess
    text: Nobody says so.
    basis: assumed
native:
  families: {list: [ipv4, ipv6], fact: manual}
  components:
    destination: {fact: manual}
    protocol: {ops: [eq, range], values: 8, fact: manual}
    destination-port: {ops: [eq], values: {value: unlimited, fact: guess}, fact: manual}
    source-port: {ops: [eq], values: unknown, fact: {text: seen once, source: a lab, checked: 2026-10, basis: measured}}
    tcp-flags: {ops: [any], values: 1, bits: 0x3f, max-bits: 1, fact: manual}
    flow-label: {cannot: true, fact: guess}
  exclude:
    - {types: [destination-port, source-port], fact: manual}
  actions:
    discard: {fact: manual}
    rate-bytes: {unit: bits/s, step: 64000, floor: {value: 64000, fact: guess}, ceiling: unknown, fact: manual}
    copy: {cannot: true, fact: guess}
    redirects:
      rt-as2: {families: [ipv4], fact: manual}
    exclude:
      - {actions: [rate, mark], fact: guess}
  order: {kind: rfc8955, fact: guess}
  order-v6: {kind: unknown, fact: guess}
  max-nlri: {value: 239, fact: manual}
  max-rules: {value: 1000, soft: true, fact: manual}
options:
  term-order:
    values: [standard, legacy]
    text: how terms are ordered
    fact: manual
    set:
      legacy: {native: {order: {kind: unknown, fact: guess}}}
warnings:
  - code: knob
    when: native
    unless: term-order=legacy
    text: turn it
    command: |
      set knob
       on
    fact: manual
`

func TestLoad(t *testing.T) {
	t.Parallel()
	p, err := Load("box.yaml", []byte(small))
	if err != nil {
		t.Fatal(err)
	}
	n := p.Native
	port, flags := n.Components[portType(t, "destination-port")], n.Components[portType(t, "tcp-flags")]
	label := portType(t, "flow-label")
	_, takesLabel := n.Components[label]
	for _, c := range []struct {
		what      string
		got, want any
	}{
		{"values", port.MaxValues, Unlimited},
		{"fact of the values", port.ValuesFact, "guess"},
		{"unknown values", n.Components[portType(t, "source-port")].MaxValues, 0},
		{"inline fact", p.Facts[n.Components[portType(t, "source-port")].Fact].Text, "seen once"},
		{"bits", flags.Bits, uint16(0x3f)},
		{"most bits", flags.MaxBits, uint8(1)},
		{"a component it cannot", takesLabel, false},
		{"and why", n.Cannot[label], "guess"},
		{"step", n.Actions.RateBytes.Step, 64000.0},
		{"fact of the floor", n.Actions.RateBytes.FloorFact, "guess"},
		{"an action it cannot", n.Actions.Copy, Can{Fact: "guess"}},
		{"an action nobody wrote", n.Actions.Mark, Can{}},
		{"order of IPv6", n.OrderFor(6).Kind, "unknown"},
		{"order of IPv4", n.OrderFor(4).Kind, "rfc8955"},
		{"octets", n.MaxNLRI, 239},
		{"rules", n.MaxRules, Number{N: 1000, Soft: true, Fact: "manual"}},
		{"command", p.Warnings[0].Command, "set knob\n on"},
		{"facts in order", strings.Join(p.FactIDs(), " "), "manual guess native.source-port"},
	} {
		if !cmp.Equal(c.got, c.want) {
			t.Errorf("%s: got %v, want %v", c.what, c.got, c.want)
		}
	}
}

// Each case changes one line of the small profile and expects the problem at the place named, with these words.
func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, old, new, at, want string }{
		{"unknown key", "vendor: ACME", "vender: ACME", "box.yaml:3:1", "vender"},
		{"key twice", "vendor: ACME", "name: again", "box.yaml:3:1", "name"},
		{"broken YAML", "aliases: [crate]", "aliases: [crate", "box.yaml:", ""},
		{"an anchor", "{ops: [eq, range], values: 8, fact: manual}", "&p {ops: [eq, range], values: 8, fact: manual}", "box.yaml:18:15", "write the value out"},
		{"an alias", "destination: {fact: manual}", "destination: *p", "box.yaml:17:18", "write the value out"},
		{"a tag", "aliases: [crate]", "aliases: !!seq [crate]", "box.yaml:2:10", "write the value out"},
		{"no name", "name: box", "name: ''", "box.yaml:1:7", "`name` is missing"},
		{"name with spaces", "name: box", "name: My Box", "box.yaml:1:7", "cannot be a name"},
		{"second document", "warnings:", "---\nwarnings:", "box.yaml:45:1", "second document"},
		{"fact without source", "    source: ACME manual, ch. 7\n", "", "box.yaml:6:9", "names no source"},
		{"fact without basis", "    basis: documented\n", "", "box.yaml:6:9", "needs a basis"},
		{"fact without date", "    checked: 2026-11\n    basis", "    basis", "box.yaml:6:9", "when its source was read"},
		{"wrong date", "checked: 2026-11\n", "checked: last year\n", "box.yaml:9:14", "not a date"},
		{"wrong basis", "basis: documented", "basis: rumoured", "box.yaml:10:12", "not a basis"},
		{"fact twice", "id: guess", "id: manual", "box.yaml:11:9", "there twice"},
		{"capability without fact", "destination: {fact: manual}", "destination: {offset: true}", "box.yaml:17:5", "rests on no fact"},
		{"dangling fact", "discard: {fact: manual}", "discard: {fact: manuel}", "box.yaml:26:21", `did you mean "manual"`},
		{"an instance of BGP", "rt-as2: {families: [ipv4], fact: manual}", "rt-as2: {instance: true, fact: manual}", "box.yaml:30:15", "instance is about a filter that redirects to a route target"},
		{"unknown form of offsets", "max-nlri: {value: 239, fact: manual}", "ipv6-offset: {form: whole, fact: manual}", "box.yaml:", "write rfc8956 or whole-prefix or from-octet or multiples-of-8"},
		{"form without fact", "max-nlri: {value: 239, fact: manual}", "ipv6-offset: {form: rfc8956}", "box.yaml:", "native.ipv6-offset"},
		{"unknown component", "    protocol:", "    protocl:", "box.yaml:18:5", `did you mean "protocol"`},
		{"a fact of a token of what has none", "{ops: [eq, range], values: 8,", "{ops: [eq, range], op-facts: {is-fragment: manual}, values: 8,", "box.yaml:18:45", "not an operator of native.protocol"},
		{"a count of what is not counted", "when: native\n", "when: rate\n    above: 3\n", "box.yaml:47:12", "counts native rules"},
		{"unknown operator", "[eq, range]", "[eq, between]", "box.yaml:18:26", "not an operator of protocol"},
		{"operator of the other kind", "ops: [any]", "ops: [eq]", "box.yaml:21:23", "not an operator of tcp-flags"},
		{"operator twice", "[eq, range]", "[eq, eq]", "box.yaml:18:26", "twice"},
		{"no operators", "{ops: [eq, range], values: 8,", "{values: 8,", "box.yaml:18:5", "no operators"},
		{"no number of values", "values: 8, ", "", "box.yaml:18:5", "how many values"},
		{"values a word", "values: 8", "values: many", "box.yaml:18:42", "not a limit"},
		{"values zero", "values: 8", "values: 0", "box.yaml:18:42", "out of range"},
		{"more values than pairs", "values: 8", "values: 8, max-pairs: 5", "box.yaml:18:42", "never fit"},
		{"too large a value", "values: 8", "values: 8, max-value: 300", "box.yaml:18:56", "out of range"},
		{"bits of a number", "values: 8", "values: 8, bits: 3", "box.yaml:18:5", "has no bits"},
		{"prefix with values", "destination: {fact", "destination: {values: 3, fact", "box.yaml:17:5", "neither operators nor values"},
		{"offset of a number", "values: 8", "values: 8, offset: true", "box.yaml:18:5", "only IPv6 prefixes"},
		{"flow label in IPv4", "flow-label: {cannot: true,", "flow-label: {ops: [eq], values: 1, families: [ipv4],", "box.yaml:22:5", "of IPv6 only"},
		{"cannot and can", "cannot: true, fact: guess}\n  exclude", "cannot: true, ops: [eq], fact: guess}\n  exclude", "box.yaml:22:5", "and then what it can"},
		{"unknown family", "[ipv4, ipv6]", "[ipv4, ipx]", "box.yaml:15:27", "not a family"},
		{"family not offered", "rt-as2: {families: [ipv4]", "rt-as2: {families: [vpnv4]", "box.yaml:30:27", "not one that the platform takes"},
		{"exclusion of one", "[destination-port, source-port]", "[source-port]", "box.yaml:24:7", "two components or more"},
		{"exclusion of what it cannot", "[destination-port, source-port]", "[destination-port, dscp]", "box.yaml:24:34", "does not take it at all"},
		{"wrong unit", "unit: bits/s", "unit: parsecs", "box.yaml:27:24", "not a unit"},
		{"no floor", "floor: {value: 64000, fact: guess}, ", "", "box.yaml:27:17", "does not name its floor"},
		{"ceiling below the floor", "ceiling: unknown", "ceiling: 8", "box.yaml:27:", "below the floor"},
		{"unknown redirect", "rt-as2:", "rt-as3:", "box.yaml:30:7", "not a form of redirect"},
		{"unknown action", "[rate, mark]", "[rate, paint]", "box.yaml:32:26", "not an action"},
		{"unknown order", "kind: rfc8955", "kind: random", "box.yaml:33:17", "not an order"},
		{"number without fact", "max-rules: {value: 1000, soft: true, fact: manual}", "max-rules: 1000", "box.yaml:36:14", "rests on no fact"},
		{"option without a second value", "[standard, legacy]", "[standard]", "box.yaml:38:3", "two values"},
		{"setting of no value", "      legacy: {native", "      modern: {native", "box.yaml:43:7", "not a value of option"},
		{"setting of what cannot be set", "legacy: {native", "legacy: {nature", "box.yaml:43:16", `unknown field "nature": write one of native, filter, pipeline, behaviour, warnings, without`},
		{"setting of the default", "      legacy: {native", "      standard: {native", "box.yaml:43:7", "is the default"},
		{"setting of an order that is none", "{kind: unknown, fact: guess}}}", "{kind: random, fact: guess}}}", "box.yaml:43:39", "not an order: write rfc8955 or unknown (with term-order=legacy)"},
		{"unknown moment", "when: native", "when: full moon", "box.yaml:45:5", "when the warning matters"},
		{"warning unless nothing", "term-order=legacy", "term-order=modern", "box.yaml:47:13", "names no option"},
		{"neither native nor filter", small[strings.Index(small, "native:"):strings.Index(small, "options:")], "", "box.yaml:1:1", "`native`, `filter` or both"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			text := strings.Replace(small, c.old, c.new, 1)
			if text == small {
				t.Fatalf("%q is not in the small profile", c.old)
			}
			_, err := Load("box.yaml", []byte(text))
			var ps Problems
			if !errors.As(err, &ps) {
				t.Fatalf("got %v, want problems", err)
			}
			for _, p := range ps {
				if strings.HasPrefix(p.String(), c.at) && strings.Contains(p.Message, c.want) {
					return
				}
			}
			t.Errorf("got\n%v\nwant %q at %s", ps, c.want, c.at)
		})
	}
}

// smallFilter is a profile of a platform that has filters and no FlowSpec.
const smallFilter = `name: box
vendor: ACME
platform: Box 1
facts:
  - {id: manual, text: It is in the manual., source: ACME manual, checked: 2026-11, basis: documented}
filter:
  dialect: acme
  fact: manual
  versions: [4, 6]
  semantics: {ports-check-protocol: true, transport-checks-offset: true, flags-check-protocol: true, icmp-checks-protocol: true, tail-discards: false, fact: manual}
  components:
    destination: {fact: manual}
    protocol: {ops: [eq, range], values: unlimited, min-value: 1, except-v6: [51, 43], fact: manual}
    destination-port: {ops: [eq, range], values: unlimited, fact: manual}
  actions:
    discard: {fact: manual}
    rate-bytes: {unit: kbits/s, step: 1, floor: none, ceiling: unknown, fact: manual}
  shared-policer: {fact: manual}
  offset-apart: {families: [ipv4], fact: manual}
  burst: {milliseconds: 50, min-bytes: 3000, max-bytes: 1000000, fact: manual}
  max-entries: {value: 4000, fact: manual}
pipeline: {stages: [filter], fact: manual}
`

func TestLoadFilter(t *testing.T) {
	t.Parallel()
	p, err := Load("box.yaml", []byte(smallFilter))
	if err != nil {
		t.Fatal(err)
	}
	f := p.Filter
	for _, c := range []struct {
		what      string
		got, want any
	}{
		{"FlowSpec", p.Native == nil, true},
		{"dialect", f.Dialect, "acme"},
		{"versions", f.Versions, []int{4, 6}},
		{"semantics", f.Semantics, filter.Semantics{PortsCheckProtocol: true, TransportChecksOffset: true, FlagsCheckProtocol: true, ICMPChecksProtocol: true}},
		{"no floor", f.Actions.RateBytes.Floor, float64(Unlimited)},
		{"unknown ceiling", f.Actions.RateBytes.Ceiling, 0.0},
		{"shared policer", f.SharedPolicer, Can{OK: true, Fact: "manual"}},
		{"later fragments apart", f.OffsetApart, Can{OK: true, Families: []flowspec.Family{flowspec.IPv4}, Fact: "manual"}},
		{"a smallest number", f.Components[flowspec.Protocol].MinValue, uint32(1)},
		{"numbers that are something else in IPv6", f.Components[flowspec.Protocol].ExceptV6, []uint32{43, 51}},
		{"burst", []uint64{uint64(f.BurstMS), f.BurstMin, f.BurstMax}, []uint64{50, 3000, 1000000}},
		{"entries", f.MaxEntries, Number{N: 4000, Fact: "manual"}},
		{"stages", p.Pipeline, []string{"filter"}},
	} {
		if !cmp.Equal(c.got, c.want) {
			t.Errorf("%s: got %v, want %v", c.what, c.got, c.want)
		}
	}
	for _, c := range []struct{ name, old, new, want string }{
		{"no dialect", "  dialect: acme\n", "", "`dialect` is missing"},
		{"no versions", "[4, 6]", "[]", "`versions` is missing"},
		{"a strange version", "[4, 6]", "[4, 5]", "5 is not an IP version"},
		{"a version twice", "[4, 6]", "[4, 4]", "there twice"},
		{"guessed semantics", "tail-discards: false, ", "", "never guessed"},
		{"no semantics", smallFilter[strings.Index(smallFilter, "  semantics"):strings.Index(smallFilter, "  components")], "", "`semantics` is missing"},
		{"a rate without a burst", smallFilter[strings.Index(smallFilter, "  burst"):strings.Index(smallFilter, "  max-entries")], "", "`burst` is missing"},
		{"a burst that cannot be", "min-bytes: 3000", "min-bytes: 3000000", "contradicts itself"},
		{"entries without a fact", "{value: 4000, fact: manual}", "4000", "rests on no fact"},
		{"no entries", "  max-entries: {value: 4000, fact: manual}\n", "", "is missing"},
		{"unlimited steps", "step: 1", "step: unlimited", "`unlimited` has no meaning here"},
		{"a fraction of a value", "values: unlimited", "values: 1.5", "out of range"},
		{"an unknown bound", "values: unlimited", "values: unlimited, max-pairs: unknown", "cannot be kept"},
		{"fragments apart without a fact", "{families: [ipv4], fact: manual}", "{families: [ipv4]}", "rests on no fact"},
		{"a smallest prefix", "destination: {fact", "destination: {min-value: 1, fact", "neither operators nor values"},
		{"a strange stage", "[filter]", "[fog]", "not a stage"},
		{"a stage without a fact", "{stages: [filter], fact: manual}", "{stages: [filter]}", "rests on no fact"},
		{"an exclusion of one action", "  shared-policer", "    exclude: [{actions: [rate], fact: manual}]\n  shared-policer", "names two of them"},
		{"a limit without its value", "{value: 4000, fact: manual}", "{fact: manual}", "needs `value`"},
		{"a list for a word", "dialect: acme", "dialect: [acme]", "not a list"},
		{"a word for a mapping", "actions:\n    discard: {fact: manual}\n    rate", "actions: nothing\n#  rate", ""},
	} {
		text := strings.Replace(smallFilter, c.old, c.new, 1)
		if text == smallFilter {
			t.Errorf("%s: %q is not in the profile", c.name, c.old)
			continue
		}
		if _, err := Load("box.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

func TestFactFor(t *testing.T) {
	t.Parallel()
	both := Component{Fact: "four", FactV6: "six", Families: []flowspec.Family{flowspec.IPv4, flowspec.IPv6}}
	one := Component{Fact: "four"}
	for _, c := range []struct {
		c    Component
		f    flowspec.Family
		fact string
		can  bool
	}{
		{both, flowspec.IPv4, "four", true}, {both, flowspec.IPv6, "six", true}, {both, flowspec.VPNv6, "six", false}, {both, flowspec.VPNv4, "four", false},
		{one, flowspec.IPv6, "four", true}, {one, flowspec.VPNv4, "four", true},
	} {
		if got, can := c.c.FactFor(c.f), c.c.For(c.f); got != c.fact || can != c.can {
			t.Errorf("%s: got %s, %v; want %s, %v", c.f, got, can, c.fact, c.can)
		}
	}
	if (Can{Families: both.Families}).For(flowspec.IPv4) || !(Can{OK: true}).For(flowspec.VPNv6) {
		t.Error("a capability holds for the wrong families")
	}
}

func TestEmptyFile(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "# nothing\n", "- a list\n", "word\n"} {
		if _, err := Load("x.yaml", []byte(text)); err == nil || !strings.HasPrefix(err.Error(), "x.yaml:1:1: ") {
			t.Errorf("%q: got %v", text, err)
		}
	}
}
