package profile

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// maxVariants bounds the combinations of the options of one profile: each is loaded and checked with the profile.
const maxVariants = 64

// With returns p as it is on a device whose knobs stand as settings say; options that are not set stay as they are in p, which is at the first of
// their values unless p came from With itself. Without settings that change anything it returns p itself. A copy of a profile in which a limit was changed has
// no other settings than its own.
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
	key := p.settingsKey(settings)
	if key == p.settings { // also a copy of a profile in which somebody changed a limit
		return p, nil
	}
	if p.variants[p.settings] != p {
		return nil, fmt.Errorf("profile %s was changed: choose its options first", p.Name)
	}
	return p.variants[key], nil
}

// settingsKey names p with settings by what differs from the defaults: "cam-type=packet-length".
func (p *Profile) settingsKey(settings map[string]string) string {
	now := map[string]string{}
	for _, one := range strings.Fields(p.settings) {
		name, value, _ := strings.Cut(one, "=")
		now[name] = value
	}
	maps.Copy(now, settings)
	var out []string
	for _, name := range p.OptionNames() {
		if value, ok := now[name]; ok && value != p.Options[name].Values[0] {
			out = append(out, name+"="+value)
		}
	}
	return strings.Join(out, " ")
}

// Title returns the name with the settings that differ from the defaults, as Select reads it: "cisco-ncs5500:etcam=true".
func (p *Profile) Title() string {
	if p.settings == "" {
		return p.Name
	}
	return p.Name + ":" + strings.ReplaceAll(p.settings, " ", ":")
}

// Switched returns the settings of a single option under which a profile that filters nothing by FlowSpec does, each as the profile of such a device.
func (p *Profile) Switched() []*Profile {
	if p.Native != nil {
		return nil
	}
	return p.Otherwise(func(v *Profile) bool { return v.Native != nil })
}

// Otherwise returns the settings of a single option under which a device is as fits asks, each as the profile of such a device.
func (p *Profile) Otherwise(fits func(*Profile) bool) []*Profile {
	var out []*Profile
	for _, name := range p.OptionNames() {
		for _, value := range p.Options[name].Values {
			if v := p.variants[p.settingsKey(map[string]string{name: value})]; v != nil && v != p && fits(v) {
				out = append(out, v)
			}
		}
	}
	return out
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

func (l *loader) options(d dict[node[rawOption]]) map[string]Option {
	if len(d) == 0 {
		return nil
	}
	out := map[string]Option{}
	for i, e := range d {
		raw := e.Val.V
		o := Option{Values: texts(raw.Values), Text: raw.Text.s, Fact: l.ref(e.Key.at, raw.Fact, "options."+e.Key.s)}
		l.required(e.Key.at, raw.Text, "text")
		if len(o.Values) < 2 {
			l.bad(e.Key.at, "option %q needs two values or more, the default first", e.Key.s)
		}
		for _, w := range append([]word{e.Key}, raw.Values...) {
			if !nameForm.MatchString(w.s) {
				l.bad(w.at, "%q cannot be the name or the value of an option: use small letters, digits, dots and hyphens", w.s)
			}
		}
		for _, s := range raw.Set {
			switch {
			case !slices.Contains(o.Values, s.Key.s):
				l.bad(s.Key.at, "%q is not a value of option %q", s.Key.s, e.Key.s)
			case s.Key.s == o.Values[0]:
				l.bad(s.Key.at, "%q is the default of option %q: the profile says what holds then", s.Key.s, e.Key.s)
			}
			for _, other := range d[:i] {
				for _, t := range other.Val.V.Set {
					if path, both := clash(s.Val.V.paths(), t.Val.V.paths()); both {
						l.bad(s.Key.at, "options %q and %q both set %s", other.Key.s, e.Key.s, strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(path, ".")), ".v.", "."))
					}
				}
			}
		}
		out[e.Key.s] = o
	}
	return out
}

// setting is one value of one option, and what it changes.
type setting struct {
	text   string
	change rawProfile
}

// variants loads the profile once for each combination of settings that differs from the defaults.
func (l *loader) variants(whole *node[rawProfile]) {
	combinations := [][]setting{nil}
	for _, name := range l.p.OptionNames() {
		o := l.p.Options[name]
		var changes dict[node[rawChange]]
		for _, e := range whole.V.Options {
			if e.Key.s == name {
				changes = e.Val.V.Set
			}
		}
		all := combinations
		for _, value := range o.Values[1:] {
			s := setting{text: name + "=" + value}
			for _, c := range changes {
				if c.Key.s == value {
					s.change = c.Val.V.profile()
				}
			}
			for _, c := range combinations {
				all = append(all, append(slices.Clone(c), s))
			}
		}
		if combinations = all; len(combinations) > maxVariants {
			l.bad(whole.V.Options[0].Key.at, "the options combine in more than %d ways", maxVariants)
			return
		}
	}
	l.p.variants = map[string]*Profile{"": l.p}
	for _, c := range combinations[1:] {
		l.variant(whole, c)
	}
}

func (l *loader) variant(whole *node[rawProfile], combination []setting) {
	one := *whole
	var texts []string
	for _, s := range combination {
		one.V = over(one.V, s.change)
		texts = append(texts, s.text)
	}
	key := strings.Join(texts, " ")
	v := &loader{p: &Profile{Facts: map[string]Fact{}}, src: l.src, with: key, used: map[string]bool{}}
	v.profile(&one)
	l.problems = append(l.problems, v.problems...)
	for id := range v.used {
		l.used[id] = true
	}
	for _, id := range v.p.factOrder { // those written in place where only this setting reads them
		if _, there := l.p.Facts[id]; !there {
			l.p.Facts[id], l.p.factOrder = v.p.Facts[id], append(l.p.factOrder, id)
		}
	}
	v.p.Extends, v.p.settings, v.p.raw, v.p.variants = l.p.Extends, key, l.p.raw, l.p.variants
	v.prune(nil)
	l.p.variants[key] = v.p
}

// behaviour reads what no plan computes with.
func (l *loader) behaviour(d dict[node[rawBehaviour]]) map[string]Behaviour {
	if len(d) == 0 {
		return nil
	}
	out := map[string]Behaviour{}
	for _, e := range d {
		if !slices.Contains(topicWords(), e.Key.s) {
			l.bad(e.Key.at, "%q is not a topic of behaviour: write one of %s", e.Key.s, strings.Join(topicWords(), ", "))
		}
		l.required(e.Val.at, e.Val.V.Says, "says")
		out[e.Key.s] = Behaviour{Says: e.Val.V.Says.s, Fact: l.ref(e.Key.at, e.Val.V.Fact, "behaviour."+e.Key.s)}
	}
	return out
}

func topicWords() []string {
	var out []string
	for _, t := range Topics {
		out = append(out, t.Word)
	}
	return out
}
