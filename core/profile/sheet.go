package profile

import (
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// Line is one capability in words, for people: "match", "source-port", "5 values".
type Line struct {
	Group string   `json:"group"` // "match", "action", "order", "limit", "behaviour", "filter"
	Name  string   `json:"name"`
	Says  string   `json:"says"`
	Basis Basis    `json:"basis,omitempty"` // weakest of the facts
	Facts []string `json:"facts"`           // IDs
}

// Sheet returns everything that p says, a line for each capability. The lines of different profiles have the same groups and names, so
// that they make a matrix; what a profile does not know is "not known".
func (p *Profile) Sheet() []Line {
	s := sheet{p: p}
	if p.Native != nil {
		s.native()
	} else {
		s.add("match", "families", "no FlowSpec", p.NoNative)
	}
	s.behaviour()
	if p.Filter != nil {
		s.filter()
	} else {
		s.add("filter", "dialect", "none", p.NoFilter)
	}
	return s.lines
}

type sheet struct {
	p     *Profile
	lines []Line
}

func (s *sheet) add(group, name, says string, facts ...string) {
	l := Line{Group: group, Name: name, Says: says, Facts: []string{}}
	for _, id := range facts {
		if id == "" || slices.Contains(l.Facts, id) {
			continue
		}
		l.Facts = append(l.Facts, id)
		l.Basis = Weaker(l.Basis, s.p.Facts[id].Basis)
	}
	s.lines = append(s.lines, l)
}

func (s *sheet) native() {
	n := s.p.Native
	s.add("match", "families", familyWords(n.Families), n.Fact)
	s.components("match", "", n.Components, n.Cannot, n.Exclude)
	s.needs(n.Needs)
	s.actions("action", "", n.Actions)
	fails := "not known"
	if n.RedirectFails.To != "" {
		fails = n.RedirectFails.To + "s"
	}
	s.add("action", "failed redirect", fails, n.RedirectFails.Fact)
	s.add("order", "IPv4 order", orderWords(n.Order), n.Order.Fact)
	v6 := n.OrderFor(6)
	s.add("order", "IPv6 order", orderWords(v6), v6.Fact)
	nlri := "no limit known"
	if n.MaxNLRI > 0 {
		nlri = fmt.Sprintf("%d octets", n.MaxNLRI)
	}
	s.add("limit", "NLRI", nlri, n.MaxNLRIFact)
	if n.Offsets != flowspec.OffsetUnsaid {
		s.add("limit", "IPv6 offsets", n.Offsets.String(), n.OffsetsFact)
	}
	s.add("limit", "rules", n.MaxRules.words(), n.MaxRules.Fact)
	s.cost("limit", "TCAM slots", n.Cost)
}

// needs adds a line for each component, or for any rule, that is taken only with others.
func (s *sheet) needs(list []Need) {
	for _, n := range list {
		of := "every rule"
		if len(n.Of) > 0 {
			of = typesText(n.Of, ", ")
		}
		says := typesText(n.OneOf, " or ")
		for i, v := range n.Values {
			sep := " or "
			if i == 0 {
				sep = " "
			}
			says += sep + strconv.FormatUint(uint64(v), 10)
		}
		s.add("match", "needed by "+of, says, n.Fact)
	}
}

func typesText(types []flowspec.Type, sep string) string {
	var out []string
	for _, t := range types {
		out = append(out, t.String())
	}
	return strings.Join(out, sep)
}

func (s *sheet) behaviour() {
	for _, t := range Topics {
		if b, ok := s.p.Behaviour[t.Word]; ok {
			s.add("behaviour", t.Word, b.Says, b.Fact)
		}
	}
}

func (s *sheet) filter() {
	f := s.p.Filter
	var versions []string
	for _, v := range f.Versions {
		versions = append(versions, "IPv"+strconv.Itoa(v))
	}
	s.add("filter", "dialect", f.Dialect+", "+strings.Join(versions, " and "), f.Fact)
	s.components("filter", "filter ", f.Components, f.Cannot, f.Exclude)
	s.actions("filter", "filter ", f.Actions)
	s.add("filter", "shared policer", canWords(f.SharedPolicer), f.SharedPolicer.Fact)
	if f.OffsetApart.OK {
		s.add("filter", "later fragments apart", canWords(f.OffsetApart), f.OffsetApart.Fact)
	}
	s.add("filter", "burst", fmt.Sprintf("%d ms of the rate, %d bytes or more", f.BurstMS, f.BurstMin), f.BurstFact)
	s.add("filter", "entries", f.MaxEntries.words(), f.MaxEntries.Fact)
	s.cost("filter", "filter TCAM slots", f.Cost)
}

func (s *sheet) components(group, prefix string, has map[flowspec.Type]Component, cannot map[flowspec.Type]string, exclude []Exclusion) {
	for t := flowspec.DstPrefix; t <= flowspec.FlowLabel; t++ {
		name := prefix + t.String()
		c, ok := has[t]
		switch {
		case ok:
			says, facts := c.words(t), []string{c.Fact, c.ValuesFact, c.MinFact, c.Reads}
			if c.For(flowspec.IPv6) || c.For(flowspec.VPNv6) {
				facts = append(facts, c.FactV6)
			}
			for _, op := range slices.Concat(c.Ops, FragmentTokens[:]) {
				facts = append(facts, c.OpFacts[op])
			}
			var apart []string
			for _, x := range exclude {
				if others := x.beside(t); others != "" {
					apart, facts = append(apart, others), append(facts, x.Fact)
				}
			}
			if len(apart) > 0 {
				says += "; not with " + strings.Join(apart, ", ")
			}
			s.add(group, name, says, facts...)
			s.also(c)
		case cannot[t] != "":
			s.add(group, name, "no", cannot[t])
		default:
			s.add(group, name, "not known")
		}
	}
}

// also adds the facts about what c cannot to the last line; they say why not, and make it no less sure.
func (s *sheet) also(c Component) {
	last := &s.lines[len(s.lines)-1]
	for _, op := range slices.Sorted(maps.Keys(c.OpFacts)) {
		if id := c.OpFacts[op]; !slices.Contains(c.Ops, op) && !slices.Contains(last.Facts, id) {
			last.Facts = append(last.Facts, id)
		}
	}
}

// beside names the components that x forbids beside t, or "".
func (x Exclusion) beside(t flowspec.Type) string {
	if !slices.Contains(x.Types, t) {
		return ""
	}
	var others []string
	for _, o := range x.Types {
		if o != t {
			others = append(others, o.String())
		}
	}
	return strings.Join(others, " and ")
}

func (s *sheet) actions(group, prefix string, a Actions) {
	for _, c := range []struct {
		name string
		can  Can
	}{{"accept", a.Accept}, {"discard", a.Discard}, {"mark", a.Mark}, {"sample", a.Sample}, {"continue", a.Continue}, {"copy", a.Copy}} {
		s.add(group, prefix+c.name, canWords(c.can), c.can.Fact)
	}
	for _, c := range []struct {
		name string
		rate RateLimit
	}{{"rate in bytes", a.RateBytes}, {"rate in packets", a.RatePackets}} {
		s.add(group, prefix+c.name, c.rate.words(), c.rate.Fact, c.rate.StepFact, c.rate.FloorFact, c.rate.CeilingFact)
	}
	for _, x := range a.Exclude {
		s.add(group, prefix+x.A+" with "+x.B, "no", x.Fact)
	}
	for f := flowspec.RedirectAS2; f <= flowspec.NextHopIETFv6; f++ {
		s.add(group, prefix+"redirect "+RedirectWord(f), canWords(a.Redirects[f]), a.Redirects[f].Fact)
	}
}

func (c Component) words(t flowspec.Type) string {
	var out []string
	switch {
	case isPrefix(t) && c.Offset:
		out = append(out, "yes, IPv6 with offset")
	case isPrefix(t):
		out = append(out, "yes")
		if c.OpFacts["offset"] != "" {
			out[0] = "yes, without offset"
		}
	case c.MaxValues == Unlimited:
		out = append(out, "any number of values")
	case c.MaxValues == 0:
		out = append(out, "1 value a rule, limit not known")
	case c.MaxValues == 1:
		out = append(out, "1 value")
	default:
		out = append(out, fmt.Sprintf("%d values", c.MaxValues))
	}
	if ops := c.opWords(t); ops != "" {
		out = append(out, ops)
	}
	if c.MaxPairs > 0 {
		out = append(out, fmt.Sprintf("%d operators", c.MaxPairs))
	}
	if c.MinValue > 0 {
		out = append(out, fmt.Sprintf("from %d", c.MinValue))
	}
	if c.MaxValue > 0 {
		out = append(out, fmt.Sprintf("up to %d", c.MaxValue))
	}
	if c.ExceptV6 != nil {
		out = append(out, "in IPv6 not "+exceptWords(c.ExceptV6))
	}
	if n := bits.OnesCount16(c.Bits); n > 0 && t != flowspec.Fragment {
		out = append(out, fmt.Sprintf("%d bits", n))
	}
	if t == flowspec.Fragment && c.Bits != 0 {
		out = append(out, fragmentWords(c.Bits))
	}
	if c.MaxBits == 1 {
		out = append(out, "one bit each")
	}
	if c.MaxWidth == 1 {
		out = append(out, "1 octet")
	}
	if c.Families != nil {
		out = append(out, familyWords(c.Families)+" only")
	}
	return strings.Join(out, ", ")
}

// exceptWords lists numbers.
func exceptWords(numbers []uint32) string {
	words := make([]string, len(numbers))
	for i, n := range numbers {
		words[i] = strconv.FormatUint(uint64(n), 10)
	}
	return strings.Join(words, "/")
}

// opWords names the operators where some are missing.
func (c Component) opWords(t flowspec.Type) string {
	if isPrefix(t) {
		return ""
	}
	all, signs := numericOps[:4], map[string]string{"eq": "=", "range": "ranges", "lt": "<", "gt": ">", "ne": "!=", "and": "joined by and"}
	if t.Bitmask() {
		all, signs = bitmaskOps, map[string]string{"any": "any", "all": "all", "none": "none", "notall": "not all", "and": "joined by and"}
	}
	missing := false
	var words []string
	for _, op := range all {
		missing = missing || !slices.Contains(c.Ops, op)
	}
	for _, op := range c.Ops {
		words = append(words, signs[op])
	}
	if !missing {
		return ""
	}
	return strings.Join(words, " ") + " only"
}

func fragmentWords(mask uint16) string {
	var out []string
	for i, w := range []string{"DF", "is", "first", "last"} {
		if mask&(1<<i) != 0 {
			out = append(out, w)
		}
	}
	return strings.Join(out, "/")
}

func canWords(c Can) string {
	switch {
	case !c.OK && c.Fact == "":
		return "not known"
	case !c.OK:
		return "no"
	case c.Instance:
		return "where the instance is named"
	case c.Families != nil:
		return familyWords(c.Families) + " only"
	}
	return "yes"
}

func (r RateLimit) words() string {
	switch {
	case !r.OK && r.Fact == "":
		return "not known"
	case !r.OK:
		return "no"
	}
	out := []string{"counted in " + r.Unit}
	for _, l := range []struct {
		name string
		n    float64
	}{{"steps of", r.Step}, {"from", r.Floor}, {"up to", r.Ceiling}} {
		if l.n > 0 {
			out = append(out, l.name+" "+strconv.FormatFloat(l.n, 'f', -1, 64))
		}
	}
	if r.RefuseBelow {
		out = append(out, "refused below")
	}
	if r.Step == 0 {
		out = append(out, "step not known")
	}
	return strings.Join(out, ", ")
}

func (n Number) words() string {
	switch {
	case n.N == Unlimited:
		return "not limited"
	case n.N == 0:
		return "not known"
	case n.Soft:
		return fmt.Sprintf("%d tested, more may fit", n.N)
	}
	return strconv.Itoa(n.N)
}

func orderWords(o Order) string {
	if o.Kind == "unknown" {
		return "not known"
	}
	if o.ByReceivedOctets {
		return "RFC 8955, over the octets received"
	}
	return "RFC 8955"
}

func familyWords(list []flowspec.Family) string {
	var out []string
	for _, f := range list {
		out = append(out, map[flowspec.Family]string{flowspec.IPv4: "IPv4", flowspec.IPv6: "IPv6", flowspec.VPNv4: "VPNv4", flowspec.VPNv6: "VPNv6"}[f])
	}
	return strings.Join(out, " ")
}
