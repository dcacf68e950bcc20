package profile

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// With returns p as it is on a device whose knobs stand as settings say; options that are not set keep their default, the first of
// their values. Without settings that change anything it returns p itself.
func (p *Profile) With(settings map[string]string) (*Profile, error) {
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		o, ok := p.Options[name]
		if !ok {
			return nil, fmt.Errorf("profile %s has no option %q%s", p.Name, name, p.options())
		}
		if !slices.Contains(o.Values, settings[name]) {
			return nil, fmt.Errorf("profile %s: option %s is one of %s, not %q", p.Name, name, strings.Join(o.Values, ", "), settings[name])
		}
	}
	out := p
	for _, name := range p.OptionNames() {
		o := p.Options[name]
		value, ok := settings[name]
		if !ok && len(o.Values) > 0 {
			value = o.Values[0]
		}
		for _, what := range slices.Sorted(maps.Keys(o.Set[value])) {
			if out == p {
				out = p.copyNative()
			}
			out.set(what, o.Set[value][what], o.Fact)
		}
	}
	return out, nil
}

// copyNative returns a copy of p whose Native can be changed.
func (p *Profile) copyNative() *Profile {
	out := *p
	if p.Native != nil {
		n := *p.Native
		out.Native = &n
	}
	return &out
}

func (p *Profile) set(what, value, fact string) {
	if p.Native == nil {
		return
	}
	switch what {
	case "order":
		p.Native.Order = Order{Kind: value, Fact: fact}
	case "order-v6":
		p.Native.OrderV6 = &Order{Kind: value, Fact: fact}
	}
}

func (p *Profile) options() string {
	if len(p.Options) == 0 {
		return ": it has none"
	}
	return " (it has " + strings.Join(p.OptionNames(), ", ") + ")"
}

// OptionNames returns the names of the options, sorted.
func (p *Profile) OptionNames() []string { return slices.Sorted(maps.Keys(p.Options)) }

// Applies says whether w is to be shown under settings: Unless silences it.
func (w Warning) Applies(settings map[string]string) bool {
	name, value, ok := strings.Cut(w.Unless, "=")
	return !ok || settings[name] != value
}

// FactIDs returns the IDs of all facts in the order of the file.
func (p *Profile) FactIDs() []string { return slices.Clone(p.factOrder) }

// OrderFor returns the order in which the platform evaluates rules of that IP version.
func (n *Native) OrderFor(version uint8) Order {
	if version == 6 && n.OrderV6 != nil {
		return *n.OrderV6
	}
	return n.Order
}
