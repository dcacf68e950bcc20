package profile

import (
	"cmp"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// Load reads one profile that extends no other. A profile that loads is complete and consistent: every capability rests on a fact, every fact has a
// source or says that it is assumed. The error is Problems; file is only used in it.
func Load(file string, b []byte) (*Profile, error) {
	raw, err := parse(file, b)
	if err != nil {
		return nil, err
	}
	return build(raw, nil)
}

// parse reads the file as it is written. The error is Problems.
func parse(file string, b []byte) (*node[rawProfile], error) {
	raw, err := read(b)
	if err != nil {
		return nil, Problems{problemOf(err).in(file, b)}
	}
	stamp(reflect.ValueOf(raw), &source{file, b})
	return raw, nil
}

// build turns the written form into a Profile; base is the one that it extends, or nil.
func build(raw *node[rawProfile], base *Profile) (*Profile, error) {
	l := &loader{p: &Profile{Facts: map[string]Fact{}}, src: raw.Src, used: map[string]bool{}}
	if base == nil && raw.V.Extends.s != "" {
		l.bad(raw.V.Extends.at, "no profile %q is known here", raw.V.Extends.s)
		return nil, l.problems
	}
	whole := *raw
	if base != nil {
		whole.V = inherit(base.raw, raw.V)
	}
	l.profile(&whole)
	if len(l.problems) == 0 {
		l.p.Extends, l.p.raw = raw.V.Extends.s, whole.V
		l.variants(&whole)
		l.prune(raw.V.Facts)
	}
	if len(l.problems) > 0 {
		slices.SortStableFunc(l.problems, func(a, b Problem) int {
			return cmp.Or(strings.Compare(a.File, b.File), a.Line-b.Line, a.Column-b.Column)
		})
		return nil, l.problems
	}
	return l.p, nil
}

// inherit returns raw over what it extends. Its name is its own, and so are its aliases but where it corrects a profile of the same name.
func inherit(base, raw rawProfile) rawProfile {
	if raw.Name.s != base.Name.s {
		base.Aliases = nil
	}
	base.Name, base.Extends = word{}, word{}
	return over(base, raw)
}

// loader turns the written form into a Profile and collects what is wrong with it. It goes on after a problem,
// so that one run shows all of them.
type loader struct {
	p        *Profile
	src      *source // the file that is read; places in another one are of what it extends
	with     string  // the settings that are tried, or ""
	used     map[string]bool
	problems Problems
}

func (l *loader) bad(a at, format string, args ...any) {
	if a.Src == nil {
		a.Src = l.src
	}
	p := Problem{Line: max(a.line, 1), Column: max(a.col, 1), Message: fmt.Sprintf(format, args...)}.in(a.Src.file, a.Src.text) // a null has no place
	if a.Src != l.src {
		p.Message += fmt.Sprintf(" (in %s, which extends this)", l.src.file)
	}
	if l.with != "" {
		p.Message += " (with " + l.with + ")"
	}
	l.problems = append(l.problems, p)
}

// own says whether a is a place in the profile's own file, and that as it stands there: no option changed it.
func (l *loader) own(a at) bool { return a.line != 0 && a.Src == l.src && l.with == "" }

func isTrue(b *bool) bool { return b != nil && *b }

// prune drops the facts that were inherited and that nothing rests on any more.
func (l *loader) prune(own []node[rawFact]) {
	kept := l.p.factOrder[:0]
	for _, id := range l.p.factOrder {
		if l.used[id] || slices.ContainsFunc(own, func(f node[rawFact]) bool { return f.V.ID.s == id }) {
			kept = append(kept, id)
			continue
		}
		delete(l.p.Facts, id)
	}
	l.p.factOrder = kept
}

var nameForm = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]*$`)

func (l *loader) profile(n *node[rawProfile]) {
	raw, p := &n.V, l.p
	l.required(n.at, raw.Name, "name")
	for _, w := range append([]word{raw.Name}, raw.Aliases...) {
		if w.s != "" && !nameForm.MatchString(w.s) {
			l.bad(w.at, "%q cannot be a name: use small letters, digits, dots and hyphens", w.s)
		}
	}
	p.Name, p.Vendor, p.Platform, p.Releases = raw.Name.s, raw.Vendor.s, raw.Platform.s, raw.Releases.s
	p.Aliases = texts(raw.Aliases)
	l.required(n.at, raw.Vendor, "vendor")
	l.required(n.at, raw.Platform, "platform")
	l.facts(raw.Facts)

	if raw.Native.written() {
		p.Native = l.native(raw.Native)
	}
	if raw.Filter.written() {
		p.Filter = l.filter(raw.Filter)
	}
	if !raw.Native.written() && !raw.Filter.written() {
		l.bad(n.at, "a profile needs `native`, `filter` or both")
	}
	if raw.Pipeline.written() {
		p.Pipeline = l.pipeline(raw.Pipeline)
	}
	p.Options = l.options(raw.Options)
	p.Behaviour = l.behaviour(raw.Behaviour)
	for _, w := range raw.Warnings {
		p.Warnings = append(p.Warnings, l.warning(w))
	}
}

func (l *loader) required(a at, w word, key string) {
	if strings.TrimSpace(w.s) == "" {
		if w.line != 0 {
			a = w.at
		}
		l.bad(a, "`%s` is missing", key)
	}
}

func (l *loader) facts(list []node[rawFact]) {
	for _, n := range list {
		l.required(n.at, n.V.ID, "id")
		if n.V.ID.s != "" {
			l.fact(n.V.ID.s, n)
		}
	}
}

var checkedForm = regexp.MustCompile(`^20[0-9][0-9]-(0[1-9]|1[0-2])(-[0-3][0-9])?$`)

// fact adds a fact under an ID.
func (l *loader) fact(id string, n node[rawFact]) {
	raw := n.V
	where := n.at
	if raw.ID.line != 0 {
		where = raw.ID.at
	}
	if _, twice := l.p.Facts[id]; twice {
		l.bad(where, "fact %q is there twice", id)
		return
	}
	if raw.ID.s != "" && !nameForm.MatchString(id) {
		l.bad(where, "%q cannot be the id of a fact: use small letters, digits, dots and hyphens", id)
	}
	f := Fact{ID: id, Text: raw.Text.s, Source: raw.Source.s, Checked: raw.Checked.s, Basis: Basis(raw.Basis.s)}
	l.required(where, raw.Text, "text")
	switch {
	case f.Basis == "":
		l.bad(where, "fact %q needs a basis: measured, documented or assumed", id)
	case f.Basis.rank() == 0:
		l.bad(raw.Basis.at, "%q is not a basis: write measured, documented or assumed", f.Basis)
	case f.Basis != Assumed && f.Source == "":
		l.bad(where, "fact %q says %s but names no source: add `source`, or write `basis: assumed`", id, f.Basis)
	}
	if f.Checked != "" && !checkedForm.MatchString(f.Checked) {
		l.bad(raw.Checked.at, "%q is not a date: write the year and month, such as 2026-11", f.Checked)
	}
	if f.Checked == "" && f.Source != "" {
		l.bad(where, "fact %q does not say when its source was read: add `checked: 2026-11`", id)
	}
	l.p.Facts[id] = f
	l.p.factOrder = append(l.p.factOrder, id)
}

// ref returns the ID of a fact. path names a fact written in place; where is used when there is none at all.
func (l *loader) ref(where at, r factRef, path string) string {
	switch {
	case r.Inline != nil:
		if id := r.Inline.V.ID.s; id != "" {
			path = id
		}
		l.fact(path, *r.Inline)
		l.used[path] = true
		return path
	case r.id == "":
		l.bad(where, "%s rests on no fact: add `fact: ID`, or a fact {text, source, checked, basis} in place", path)
		return ""
	}
	l.known(r)
	return r.id
}

// optionalRef is ref for a fact that may be left out.
func (l *loader) optionalRef(r factRef, path string) string {
	if r.line == 0 {
		return ""
	}
	return l.ref(r.at, r, path)
}

func (l *loader) known(r factRef) {
	l.used[r.id] = true
	if _, ok := l.p.Facts[r.id]; !ok {
		l.bad(r.at, "no fact has the id %q%s", r.id, didYouMean(r.id, l.p.factOrder))
	}
}

var families = []flowspec.Family{flowspec.IPv4, flowspec.IPv6, flowspec.VPNv4, flowspec.VPNv6}

func (l *loader) families(list []word) []flowspec.Family {
	var out []flowspec.Family
	for _, w := range list {
		i := slices.IndexFunc(families, func(f flowspec.Family) bool { return f.String() == w.s })
		if i < 0 {
			l.bad(w.at, "%q is not a family: write ipv4, ipv6, vpnv4 or vpnv6", w.s)
			continue
		}
		if slices.Contains(out, families[i]) {
			l.bad(w.at, "family %s is there twice", w.s)
			continue
		}
		out = append(out, families[i])
	}
	return out
}

func (l *loader) native(n node[rawNative]) *Native {
	raw := n.V
	if isTrue(raw.Cannot) {
		if l.own(raw.Families.at) || len(raw.Components) > 0 && l.own(raw.Components[0].Key.at) || l.own(raw.Actions.at) {
			l.bad(n.at, "native says `cannot` and then what it can")
		}
		l.p.NoNative = l.ref(n.at, raw.Fact, "native")
		return nil
	}
	out := &Native{Families: l.families(raw.Families.V.List)}
	if raw.Cannot == nil && l.own(raw.Fact.at) {
		l.bad(raw.Fact.at, "`fact` of native is for `cannot`: what it can has facts of its own")
	}
	switch {
	case !raw.Families.written():
		l.bad(n.at, "`families` is missing under native")
	case len(out.Families) == 0:
		l.bad(raw.Families.at, "`list` of families is empty")
	}
	if raw.Families.written() {
		out.Fact = l.ref(raw.Families.at, raw.Families.V.Fact, "native.families")
	}
	out.Components, out.Cannot = l.components(n.at, raw.Components, "native", out.Families)
	out.Exclude = l.exclusions(raw.Exclude, "native", out.Components)
	out.Needs = l.needs(raw.Needs, out.Components)
	out.Actions = l.actions(n.at, raw.Actions, "native", out.Families)
	out.RedirectFails = l.fails(raw.Fails)

	if !raw.Order.written() {
		l.bad(n.at, "`order` is missing under native")
	} else {
		out.Order = l.order(raw.Order, "native.order")
	}
	if raw.OrderV6.written() {
		o := l.order(raw.OrderV6, "native.order-v6")
		out.OrderV6 = &o
	}
	out.MaxNLRI = int(l.bound(raw.MaxNLRI, 1, 4095))
	out.MaxNLRIFact = l.limitFact(raw.MaxNLRI, "native.max-nlri")
	out.Offsets, out.OffsetsFact = l.offsets(raw.IPv6Offset)
	out.MaxRules = l.count(n.at, raw.MaxRules, "native.max-rules")
	out.Cost = l.cost(raw.Cost, "native", out.Families, out.Components)
	return out
}

// offsets reads the form of IPv6 prefixes with an offset.
func (l *loader) offsets(n node[rawOffset]) (flowspec.OffsetForm, string) {
	if !n.written() {
		return flowspec.OffsetUnsaid, ""
	}
	form, ok := flowspec.ParseOffsetForm(n.V.Form.s)
	if !ok {
		l.bad(n.at, "%q is not a form of IPv6 prefixes with an offset: write %s", n.V.Form.s, strings.Join(flowspec.OffsetForms, " or "))
	}
	return form, l.ref(n.at, n.V.Fact, "native.ipv6-offset")
}

func (l *loader) order(n node[rawOrder], path string) Order {
	o := Order{Kind: n.V.Kind.s, ByReceivedOctets: n.V.ByReceivedOctets, PrefixLever: n.V.PrefixLever, AlwaysFalse: n.V.AlwaysFalse,
		Fact: l.ref(n.at, n.V.Fact, path)}
	l.orderWord(n.V.Kind, n.at)
	if (o.PrefixLever || o.AlwaysFalse) && !o.ByReceivedOctets {
		l.bad(n.at, "%s: prefix-lever and always-false are of use only with by-received-octets", path)
	}
	return o
}

func (l *loader) orderWord(w word, where at) {
	if w.line != 0 {
		where = w.at
	}
	if w.s != "rfc8955" && w.s != "unknown" {
		l.bad(where, "%q is not an order: write rfc8955 or unknown", w.s)
	}
}

func (l *loader) pipeline(n node[rawPipeline]) []string {
	l.ref(n.at, n.V.Fact, "pipeline")
	for _, w := range n.V.Stages {
		if w.s != "filter" && w.s != "flowspec" {
			l.bad(w.at, "%q is not a stage: write filter or flowspec", w.s)
		}
	}
	return texts(n.V.Stages)
}

var moments = []string{"always", "native", "native-ipv4", "native-ipv6", "redirect", "rate", "filter", "filter-redirect", "filter-rate"}

func (l *loader) warning(n node[rawWarning]) Warning {
	raw := n.V
	w := Warning{Code: raw.Code.s, When: raw.When.s, Unless: raw.Unless.s, Text: raw.Text.s,
		Command: strings.TrimRight(raw.Command.s, "\n"), Above: int(l.bound(raw.Above, 1, 1<<24)), Fact: l.ref(n.at, raw.Fact, "warning "+raw.Code.s)}
	l.required(n.at, raw.Code, "code")
	l.required(n.at, raw.Text, "text")
	if !slices.Contains(moments, w.When) {
		l.bad(n.at, "%q does not say when the warning matters: write one of %s", w.When, strings.Join(moments, ", "))
	}
	if w.Above > 0 && !strings.HasPrefix(w.When, "native") {
		l.bad(raw.Above.at, "`above` counts native rules: write `when: native` beside it")
	}
	if w.Unless != "" {
		name, value, _ := strings.Cut(w.Unless, "=")
		if o, ok := l.p.Options[name]; !ok || !slices.Contains(o.Values, value) {
			l.bad(raw.Unless.at, "%q names no option and value of this profile", w.Unless)
		}
	}
	return w
}

func texts(list []word) []string {
	var out []string
	for _, w := range list {
		out = append(out, w.s)
	}
	return out
}
