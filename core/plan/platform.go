package plan

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/plan/split"
	"github.com/sluice-gateway/sluice/core/profile"
)

// maxParts bounds the pieces of one rule.
const maxParts = 256

// platform is a profile made ready for planning: words became bits, and facts became numbers.
type platform struct {
	profile *profile.Profile
	opt     Options
	facts   *facts
	steps   int        // that settling may take; below 0: as plane.budget says
	party   int        // how many rules of a bucket are settled with each other: largestParty
	native  *mechanism // nil: cannot, or must not
	filter  *mechanism
	// Why there is no native or filter mechanism, and the way of every rule then.
	noNative, noFilter       Reason
	noNativeWay, noFilterWay *way
	findings                 findings
	components               sync.Pool // of *components
	unsures                  sync.Map  // of *profile.RateLimit: a *planned with what is not known about it
	joints                   joints
	remedies                 *remedies // of planners that plan at the same time; nil: there are none
}

// mechanism is one way to carry rules: FlowSpec, or a filter.
type mechanism struct {
	families [flowspec.VPNv6 + 1]*familyLimits
	actions  *profile.Actions
	fact     string
	facts    factSet         // fact, ready to be added up
	filter   *profile.Filter // nil for FlowSpec
	native   *profile.Native // nil for filters
}

// familyLimits is what a mechanism takes of rules of one family.
type familyLimits struct {
	family  flowspec.Family
	limits  split.Limits
	tight   []split.Limits // the same with ever shorter lists, for NLRIs that grow too long
	facts   [flowspec.FlowLabel + 1]string
	reads   [flowspec.FlowLabel + 1]string            // facts about where a field is found
	sets    [flowspec.FlowLabel + 1]factSet           // facts and reads, ready to be added up
	counts  [flowspec.FlowLabel + 1]factSet           // values, ready to be added up
	values  [flowspec.FlowLabel + 1]string            // fact of the number of values, where it is another one
	ops     [flowspec.FlowLabel + 1]map[string]string // facts of single operators
	opSets  [flowspec.FlowLabel + 1]*operatorSets     // ops, ready to be added up; nil: none
	guessed [flowspec.FlowLabel + 1]bool              // the number of values is unknown
	exclude []string                                  // facts of limits.Exclude
	needs   []string                                  // facts of limits.Needs
	least   [flowspec.FlowLabel + 1]string            // facts of smallest values
	cannot  [flowspec.FlowLabel + 1]string            // fact that says why a component is missing
	order   profile.Order
	ordered []Reason // what is said of a rule about which the order decides something
}

// newPlatform makes p ready with opt.
func newPlatform(p *profile.Profile, opt Options) (*platform, error) {
	p, err := p.With(opt.Settings)
	if err != nil {
		return nil, err
	}
	if opt.Placement == "" {
		opt.Placement = filter.Alone
	}
	if opt.Placement != filter.Alone && opt.Placement != filter.Before {
		return nil, fmt.Errorf("placement %q: want %q or %q", opt.Placement, filter.Alone, filter.Before)
	}
	for _, name := range opt.Remedies {
		if !slices.Contains(Remedies, name) {
			return nil, fmt.Errorf("remedy %q: there are %s", name, strings.Join(Remedies, ", "))
		}
	}
	if err := opt.Measured.contradicts(p); err != nil {
		return nil, err
	}
	out := &platform{profile: p, opt: opt, facts: newFacts(p), steps: -1, party: largestParty}
	switch {
	case p.Native == nil:
		out.noNative = Reason{Code: "no-native", Severity: Error, Message: p.Name + " has no FlowSpec", Source: out.facts.source(p.NoNative)}
		if why, ok := p.Facts[p.NoNative]; ok {
			out.noNative.Message, out.noNative.Source = p.Name+" filters nothing by FlowSpec", strings.TrimSuffix(why.Text, ".")
			if why.Source != "" {
				out.noNative.Source += " (" + why.Source + ")"
			}
		}
		for _, other := range p.Switched() {
			out.noNative.Hint = "where that is otherwise, plan for " + other.Title()
		}
	case opt.NoNative:
		out.noNative = Reason{Code: "no-native", Severity: Error, Message: "this device gets no FlowSpec by BGP"}
	default:
		out.native = newNative(p.Native, out.facts)
		for f := range out.native.families {
			if opt.Families != nil && !slices.Contains(opt.Families, flowspec.Family(f)) {
				out.native.families[f] = nil
			} else if l := out.native.families[f]; l != nil {
				l.ordered = out.saidOfOrder(l.order)
			}
		}
	}
	switch {
	case p.Filter == nil:
		out.noFilter = Reason{Code: "no-filter", Severity: Error, Message: "there is no filter dialect for " + p.Name, Source: out.facts.source(p.NoFilter)}
	case opt.NoFilter:
		out.noFilter = Reason{Code: "no-filter", Severity: Error, Message: "this device has no filter adapter",
			Hint: "give the device a filter adapter, and rules that its FlowSpec cannot carry go to a filter"}
	default:
		out.filter = newInFilter(p.Filter, out.facts)
	}
	// What is missing is a remark beside what the other mechanism refuses.
	if out.filter != nil {
		out.noNative.Severity = Note
	}
	if out.native != nil {
		out.noFilter.Severity = Note
	}
	out.noNativeWay = (&way{finding: &finding{carried: Native, exact: true}}).refuse(out.noNative)
	out.noFilterWay = (&way{finding: &finding{carried: InFilter, exact: true}}).refuse(out.noFilter)
	return out, nil
}

func newNative(n *profile.Native, facts *facts) *mechanism {
	m := &mechanism{actions: &n.Actions, fact: n.Fact, native: n}
	facts.add(&m.facts, m.fact)
	for _, f := range n.Families {
		l := newFamilyLimits(f, n.Components, n.Cannot, n.Exclude, n.Needs)
		if n.Offsets == flowspec.OffsetEights {
			l.eights()
		}
		l.number(facts)
		l.order = n.Order
		if f.Version() == packet.IPv6 && n.OrderV6 != nil {
			l.order = *n.OrderV6
		}
		m.families[f] = l
	}
	return m
}

func newInFilter(p *profile.Filter, facts *facts) *mechanism {
	m := &mechanism{actions: &p.Actions, fact: p.Fact, filter: p}
	facts.add(&m.facts, m.fact)
	for _, v := range p.Versions {
		f := flowspec.IPv4
		if v == 6 {
			f = flowspec.IPv6
		}
		m.families[f] = newFamilyLimits(f, p.Components, p.Cannot, p.Exclude, nil)
		m.families[f].number(facts)
	}
	return m
}

func newFamilyLimits(f flowspec.Family, components map[flowspec.Type]profile.Component, cannot map[flowspec.Type]string, exclude []profile.Exclusion, needs []profile.Need) *familyLimits {
	out := &familyLimits{family: f}
	out.limits.MaxParts = maxParts
	for t := flowspec.DstPrefix; t <= flowspec.FlowLabel; t++ {
		c, ok := components[t]
		out.cannot[t] = cannot[t]
		if !ok || !c.For(f) {
			if ok {
				out.cannot[t] = c.FactFor(f)
			}
			continue
		}
		out.limits.Of[t] = limitOf(&c, f)
		out.facts[t] = c.FactFor(f)
		out.values[t], out.ops[t], out.reads[t] = c.ValuesFact, c.OpFacts, c.Reads
		out.guessed[t] = c.MaxValues == 0 && t > flowspec.SrcPrefix
		out.least[t] = c.MinFact
	}
	for _, x := range exclude {
		out.limits.Exclude = append(out.limits.Exclude, setOf(x.Types))
		out.exclude = append(out.exclude, x.Fact)
	}
	for _, n := range needs {
		out.limits.Needs = append(out.limits.Needs, split.Need{Of: setOf(n.Of), OneOf: setOf(n.OneOf), Values: n.Values})
		out.needs = append(out.needs, n.Fact)
	}
	for k := 64; k > 0; k /= 4 {
		l := out.limits
		for t := range l.Of {
			if l.Of[t].MaxValues == 0 || l.Of[t].MaxValues > k {
				l.Of[t].MaxValues = k
			}
			if most := max(2*k, 4); !flowspec.Type(t).Bitmask() && (l.Of[t].MaxPairs == 0 || l.Of[t].MaxPairs > most) {
				l.Of[t].MaxPairs = most // one value may be a long chain
			}
		}
		out.tight = append(out.tight, l)
	}
	return out
}

// eights leaves only prefixes whose offset is a multiple of 8.
func (l *familyLimits) eights() {
	for _, t := range []flowspec.Type{flowspec.DstPrefix, flowspec.SrcPrefix} {
		l.limits.Of[t].Eights = true
		for i := range l.tight {
			l.tight[i].Of[t].Eights = true
		}
	}
}

// setOf returns types as a set (1 << type).
func setOf(types []flowspec.Type) (set uint16) {
	for _, t := range types {
		set |= 1 << t
	}
	return set
}

// operatorSets is the facts of single operators, by the words of operatorWord, and of the bits of a fragment component.
type operatorSets struct {
	words  [len(operatorWords)]factSet
	tokens [len(profile.FragmentTokens)]factSet
}

// newOperatorSets returns the facts of ops, or nil where there are none.
func newOperatorSets(ops map[string]string, facts *facts) *operatorSets {
	if len(ops) == 0 {
		return nil
	}
	out := new(operatorSets)
	for i, word := range operatorWords {
		if id := ops[word]; id != "" {
			facts.add(&out.words[i], id)
		}
	}
	for i, token := range profile.FragmentTokens {
		if id := ops[token]; id != "" {
			facts.add(&out.tokens[i], id)
		}
	}
	return out
}

// number makes the facts of components ready to be added up.
func (l *familyLimits) number(facts *facts) {
	for t := range l.facts {
		l.opSets[t] = newOperatorSets(l.ops[t], facts)
		if l.limits.Of[t].OK {
			facts.add(&l.sets[t], l.facts[t])
			if l.reads[t] != "" {
				facts.add(&l.sets[t], l.reads[t])
			}
			if l.values[t] != "" {
				facts.add(&l.counts[t], l.values[t])
			}
		} else if l.cannot[t] != "" {
			facts.add(&l.sets[t], l.cannot[t])
		}
	}
}

// limitOf turns the words of a profile into a limit of package split.
func limitOf(c *profile.Component, f flowspec.Family) split.Limit {
	l := split.Limit{
		OK: true, MaxValues: c.MaxValues, MaxPairs: c.MaxPairs, MinValue: c.MinValue, MaxValue: c.MaxValue, Bits: c.Bits,
		MaxBits: int(c.MaxBits), MaxWidth: int(c.MaxWidth), Offset: c.Offset,
	}
	switch c.MaxValues {
	case 0: // not known: one a rule is right whatever the limit is
		l.MaxValues = 1
	case profile.Unlimited:
		l.MaxValues = 0
	}
	if f.Version() == packet.IPv6 {
		l.Except = c.ExceptV6
		if c.BitsV6 != 0 {
			l.Bits = c.BitsV6
		}
	}
	for i, word := range opWords {
		if slices.Contains(c.Ops, word) {
			l.Ops |= 1 << i
		}
	}
	return l
}

// opWords are the words of profiles for the bits of split.Ops, in the order of the bits.
var opWords = [...]string{"eq", "range", "lt", "gt", "ne", "and", "any", "all", "none", "notall"}

// opWord returns the word of profiles for one operator.
func opWord(op split.Ops) string {
	for i, word := range opWords {
		if op == 1<<i {
			return word
		}
	}
	return "?"
}

// facts numbers the facts of a profile, so that a verdict can gather them cheaply, and remembers sets that come up again.
type facts struct {
	byID    map[string]int
	list    []profile.Fact
	sources []string // of list, in words
	mu      sync.RWMutex
	lookup  map[factSet]*factList
}

// factSet is a set of facts by number.
type factSet [4]uint64

// noFact stands for a capability without a fact: as sure as an assumption.
const noFact = 255

type factList struct {
	ids   []string
	basis profile.Basis
}

func newFacts(p *profile.Profile) *facts {
	out := &facts{byID: make(map[string]int, len(p.Facts)), lookup: make(map[factSet]*factList)}
	ids := make([]string, 0, len(p.Facts))
	for id := range p.Facts {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		f := p.Facts[id]
		f.ID = id
		out.byID[id] = len(out.list)
		out.list = append(out.list, f)
		source := f.Source
		if source == "" {
			source = strings.TrimSpace("assumed: " + f.Text)
		}
		out.sources = append(out.sources, source)
	}
	return out
}

// join puts the facts of o into s.
func (s *factSet) join(o *factSet) {
	for k := range s {
		s[k] |= o[k]
	}
}

// add puts the fact id into s.
func (f *facts) add(s *factSet, id string) {
	n, ok := f.byID[id]
	if !ok || n >= noFact {
		n = noFact
	}
	s[n/64] |= 1 << (n % 64)
}

// source returns what is said of where fact id comes from.
func (f *facts) source(id string) string {
	n, ok := f.byID[id]
	if !ok {
		return ""
	}
	return f.sources[n]
}

// basis returns how sure fact id is.
func (f *facts) basis(id string) profile.Basis {
	n, ok := f.byID[id]
	if !ok {
		return profile.Assumed
	}
	return f.list[n].Basis
}

// read returns the facts in s and the weakest basis among them.
func (f *facts) read(s factSet) *factList {
	f.mu.RLock()
	l, ok := f.lookup[s]
	f.mu.RUnlock()
	if ok {
		return l
	}
	l = &factList{basis: profile.Measured}
	for n, one := range f.list {
		if s[n/64]&(1<<(n%64)) != 0 {
			l.ids = append(l.ids, one.ID)
			l.basis = profile.Weaker(l.basis, one.Basis)
		}
	}
	if s[noFact/64]&(1<<(noFact%64)) != 0 {
		l.basis = profile.Assumed
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lookup[s] = l
	return l
}
