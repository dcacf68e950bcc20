package profile

import (
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// numericOps and bitmaskOps are the words of Component.Ops.
var (
	numericOps = []string{"eq", "range", "lt", "gt", "ne", "and"}
	bitmaskOps = []string{"any", "all", "none", "notall", "and"}
)

func isPrefix(t flowspec.Type) bool { return t == flowspec.DstPrefix || t == flowspec.SrcPrefix }

// components reads the components of a stage ("native" or "filter", which begins at where) that serves fams.
func (l *loader) components(where at, d dict[node[rawComponent]], stage string, fams []flowspec.Family) (map[flowspec.Type]Component, map[flowspec.Type]string) {
	out, cannot := map[flowspec.Type]Component{}, map[flowspec.Type]string{}
	for _, e := range d {
		t, ok := flowspec.ParseType(e.Key.s)
		if !ok {
			l.bad(e.Key.at, "%q is not a component%s", e.Key.s, didYouMean(e.Key.s, typeWords()))
			continue
		}
		path := stage + "." + e.Key.s
		raw := e.Val.V
		fact := l.ref(e.Key.at, raw.Fact, path)
		if raw.Cannot {
			if len(raw.Ops) > 0 || raw.Values.set {
				l.bad(e.Key.at, "%s says `cannot` and then what it can", path)
			}
			cannot[t] = fact
			continue
		}
		c := l.component(e, t, path, fams)
		c.Fact = fact
		out[t] = c
	}
	if len(out) == 0 {
		l.bad(where, "`components` is missing under %s", stage)
	}
	return out, cannot
}

func (l *loader) component(e entry[node[rawComponent]], t flowspec.Type, path string, fams []flowspec.Family) Component {
	raw := e.Val.V
	c := Component{
		Ops:        texts(raw.Ops),
		MaxValues:  int(l.whole(raw.Values, 1, 1<<16, "unlimited")),
		ValuesFact: l.limitFact(raw.Values, path+".values"),
		MaxPairs:   int(l.bound(raw.MaxPairs, 1, 1<<16)),
		MinValue:   uint32(l.bound(raw.MinValue, 1, float64(t.Max()))),
		MinFact:    l.limitFact(raw.MinValue, path+".min-value"),
		MaxValue:   uint32(l.bound(raw.MaxValue, 1, float64(t.Max()))),
		Bits:       uint16(l.bound(raw.Bits, 1, float64(t.Max()))),
		BitsV6:     uint16(l.bound(raw.BitsV6, 1, float64(t.Max()))),
		MaxBits:    uint8(l.bound(raw.MaxBits, 1, 16)),
		MaxWidth:   uint8(l.bound(raw.MaxWidth, 1, 8)),
		Offset:     raw.Offset,
		Families:   l.within(raw.Families, fams),
		FactV6:     l.optionalRef(raw.FactV6, path+".fact-v6"),
		Reads:      l.optionalRef(raw.Reads, path+".reads"),
	}
	for _, n := range raw.ExceptV6 {
		c.ExceptV6 = append(c.ExceptV6, uint32(l.bound(n, 0, float64(t.Max()))))
	}
	slices.Sort(c.ExceptV6)
	l.ops(&c, raw, t, e.Key, path)
	if c.MaxPairs > 0 && c.MaxValues > c.MaxPairs {
		l.bad(raw.Values.at, "%s contradicts itself: %d values never fit into %d operator/value pairs", path, c.MaxValues, c.MaxPairs)
	}
	if !t.Bitmask() && (raw.Bits.set || raw.BitsV6.set || raw.MaxBits.set) {
		l.bad(e.Key.at, "%s has no bits: it is compared as a number", path)
	}
	for _, n := range []number{raw.MinValue, raw.MaxValue} {
		if t.Bitmask() && n.set {
			l.bad(n.at, "%s is a set of bits: limit it with `bits`", path)
		}
	}
	if c.ExceptV6 != nil && (t.Bitmask() || isPrefix(t) || !slices.ContainsFunc(fams, func(f flowspec.Family) bool { return f.Version() == 6 })) {
		l.bad(e.Key.at, "`except-v6` is of numbers in rules of IPv6, and %s has none", path)
	}
	if c.MaxValue > 0 && c.MinValue > c.MaxValue {
		l.bad(raw.MinValue.at, "%s contradicts itself: its smallest value is above its largest", path)
	}
	if raw.Offset && (!isPrefix(t) || !slices.ContainsFunc(fams, func(f flowspec.Family) bool { return f.Version() == 6 })) {
		l.bad(e.Key.at, "%s cannot have an offset: only IPv6 prefixes have one (RFC 8956 §3.1)", path)
	}
	if t == flowspec.FlowLabel && slices.ContainsFunc(c.Families, func(f flowspec.Family) bool { return f.Version() == 4 }) {
		l.bad(e.Key.at, "%s is of IPv6 only (RFC 8956 §3.7)", path)
	}
	return c
}

// ops checks the operators of a component and the facts behind single ones.
func (l *loader) ops(c *Component, raw rawComponent, t flowspec.Type, key word, path string) {
	if isPrefix(t) {
		if len(raw.Ops) > 0 || raw.Values.set || raw.MinValue.set || raw.MaxValue.set || raw.MaxWidth.set || raw.MaxPairs.set {
			l.bad(key.at, "%s is a prefix: it has neither operators nor values", path)
		}
		c.MaxValues = 1
		l.opFacts(c, raw, []string{"offset"}, path)
		return
	}
	allowed := numericOps
	if t.Bitmask() {
		allowed = bitmaskOps
	}
	for i, w := range raw.Ops {
		if !slices.Contains(allowed, w.s) {
			l.bad(w.at, "%q is not an operator of %s: write %s", w.s, key.s, strings.Join(allowed, ", "))
		}
		if slices.Contains(c.Ops[:i], w.s) {
			l.bad(w.at, "operator %q is there twice", w.s)
		}
	}
	if len(raw.Ops) == 0 {
		l.bad(key.at, "%s has no operators: add `ops: [...]`, or write `cannot: true`", path)
	}
	if !raw.Values.set {
		l.bad(key.at, "%s does not say how many values it takes: add `values`, a number, unknown or unlimited", path)
	}
	words := append(slices.Clone(allowed), "bits")
	if t == flowspec.Fragment {
		words = append(words, FragmentTokens[:]...)
	}
	l.opFacts(c, raw, words, path)
}

// opFacts reads the facts behind single operators, those in words. A fact of an operator that c does not have says why.
func (l *loader) opFacts(c *Component, raw rawComponent, words []string, path string) {
	for _, f := range raw.OpFacts {
		if !slices.Contains(words, f.Key.s) {
			l.bad(f.Key.at, "%q is not an operator of %s: write one of %s", f.Key.s, path, strings.Join(words, ", "))
		}
		if c.OpFacts == nil {
			c.OpFacts = map[string]string{}
		}
		c.OpFacts[f.Key.s] = l.ref(f.Key.at, f.Val, path+".ops."+f.Key.s)
	}
}

// within reads families that must be among fams. Where an option, or a profile that extends this one, takes families away, those in the list go with them.
func (l *loader) within(list []word, fams []flowspec.Family) []flowspec.Family {
	out := l.families(list)
	if len(out) != len(list) || len(list) == 0 {
		return out
	}
	kept := make([]flowspec.Family, 0, len(out)) // not nil, which would be all of them
	for i, f := range out {
		switch {
		case slices.Contains(fams, f):
			kept = append(kept, f)
		case l.own(list[i].at):
			l.bad(list[i].at, "family %s is not one that the platform takes at all", f)
		}
	}
	return kept
}

func (l *loader) exclusions(list []node[rawExclusion], stage string, has map[flowspec.Type]Component) []Exclusion {
	var out []Exclusion
	for _, n := range list {
		x := Exclusion{Fact: l.ref(n.at, n.V.Fact, stage+".exclude")}
		for _, w := range n.V.Types {
			list := l.types([]word{w})
			if len(list) == 0 {
				continue
			}
			if _, can := has[list[0]]; !can {
				l.bad(w.at, "%s is excluded beside others, but the platform does not take it at all", w.s)
			}
			x.Types = append(x.Types, list...)
		}
		if len(n.V.Types) < 2 {
			l.bad(n.at, "an exclusion names two components or more")
		}
		out = append(out, x)
	}
	return out
}

// needs reads what must stand in a rule.
func (l *loader) needs(list []node[rawNeed], has map[flowspec.Type]Component) []Need {
	var out []Need
	for _, n := range list {
		x := Need{Of: l.types(n.V.Of), OneOf: l.types(n.V.OneOf), Fact: l.ref(n.at, n.V.Fact, "native.needs")}
		if len(x.OneOf) == 0 {
			l.bad(n.at, "`one-of` is missing: the components of which one must stand in the rule")
		}
		for i, t := range x.OneOf {
			if _, can := has[t]; !can {
				l.bad(n.at, "%s is needed, but the platform does not take it at all", n.V.OneOf[i].s)
			}
		}
		if len(n.V.Values) > 0 && (len(x.OneOf) != 1 || isPrefix(x.OneOf[0]) || x.OneOf[0].Bitmask()) {
			l.bad(n.at, "`values` are of one component that is compared as a number")
		}
		for _, v := range n.V.Values {
			if v.word != "" {
				l.bad(v.at, "`%s` has no meaning here: write a number", v.word)
			}
			x.Values = append(x.Values, uint32(l.whole(v, 0, 1<<20-1, "")))
		}
		out = append(out, x)
	}
	return out
}

// types reads words of components.
func (l *loader) types(list []word) []flowspec.Type {
	var out []flowspec.Type
	for _, w := range list {
		t, ok := flowspec.ParseType(w.s)
		if !ok {
			l.bad(w.at, "%q is not a component%s", w.s, didYouMean(w.s, typeWords()))
			continue
		}
		out = append(out, t)
	}
	return out
}

// typeWords returns the words of all component types.
func typeWords() []string {
	var out []string
	for t := flowspec.DstPrefix; t <= flowspec.FlowLabel; t++ {
		out = append(out, t.String())
	}
	return out
}
