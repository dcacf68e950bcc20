package profile

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// Together returns the profile of routers that are given one set of rules, behind a route reflector: what every one of them takes, evaluated as every one of them does. Whatever is native there is native on each of
// them, as it is; where they evaluate in different orders, the order is unknown, and only what is right in any order is carried. Their filters have no part in it. Each limit names the member that it
// comes from in its fact, "cisco-asr9k/five-values". It fails where a member has no FlowSpec, or where they have no family in common.
func Together(members ...*Profile) (*Profile, error) {
	if len(members) == 1 {
		return members[0], nil
	}
	if len(members) == 0 {
		return nil, errors.New("no profile")
	}
	out := &Profile{Vendor: "several", Releases: "those of its members", Pipeline: []string{"flowspec"}, Behaviour: map[string]Behaviour{}, Facts: map[string]Fact{}}
	var names, platforms []string
	for _, p := range members {
		if slices.Contains(names, p.Title()) {
			return nil, fmt.Errorf("profile %s is there twice", p.Title())
		}
		if p.Native == nil {
			return nil, fmt.Errorf("profile %s has no FlowSpec by BGP: a router of that platform can be given nothing together with others", p.Title())
		}
		names, platforms = append(names, p.Title()), append(platforms, p.Platform)
	}
	out.Name, out.Platform = strings.Join(names, together), strings.Join(platforms, ", ")
	native := out.member(members[0])
	for _, p := range members[1:] {
		native = both(native, out.member(p))
		if len(native.Families) == 0 {
			return nil, fmt.Errorf("%s: there is no family that all of them take", out.Name)
		}
	}
	out.Native = native
	return out, nil
}

// together stands between the profiles of one neighbour.
const together = "+"

// member adds the facts and warnings of a member, and returns what it does with FlowSpec, its facts under the names that they have here.
func (p *Profile) member(m *Profile) *Native {
	of := func(id string) string {
		if id == "" {
			return ""
		}
		return m.Title() + "/" + id
	}
	for _, id := range m.factOrder {
		f := m.Facts[id]
		f.ID, f.Text = of(id), m.Title()+": "+f.Text
		if f.Source != "" {
			f.Source = m.Title() + ": " + f.Source
		}
		p.Facts[f.ID], p.factOrder = f, append(p.factOrder, f.ID)
	}
	for _, w := range m.Warnings {
		if w.When == "filter" || strings.HasPrefix(w.When, "filter-") {
			continue
		}
		w.Code, w.Text, w.Fact, w.Unless = m.Name+"-"+w.Code, m.Title()+": "+w.Text, of(w.Fact), ""
		p.Warnings = append(p.Warnings, w)
	}
	return m.Native.named(of)
}

// named returns a copy of n whose facts have other names.
func (n *Native) named(of func(string) string) *Native {
	out := *n
	out.Components, out.Cannot = map[flowspec.Type]Component{}, map[flowspec.Type]string{}
	for t, c := range n.Components {
		facts := map[string]string{}
		for op, id := range c.OpFacts {
			facts[op] = of(id)
		}
		c.OpFacts, c.Fact, c.FactV6, c.ValuesFact, c.MinFact, c.Reads = facts, of(c.Fact), of(c.FactV6), of(c.ValuesFact), of(c.MinFact), of(c.Reads)
		out.Components[t] = c
	}
	for t, id := range n.Cannot {
		out.Cannot[t] = of(id)
	}
	out.Exclude, out.Needs = slices.Clone(n.Exclude), slices.Clone(n.Needs)
	for i := range out.Exclude {
		out.Exclude[i].Fact = of(out.Exclude[i].Fact)
	}
	for i := range out.Needs {
		out.Needs[i].Fact = of(out.Needs[i].Fact)
	}
	out.Actions = n.Actions.named(of)
	out.RedirectFails.Fact, out.MaxNLRIFact, out.MaxRules.Fact, out.Fact = of(n.RedirectFails.Fact), of(n.MaxNLRIFact), of(n.MaxRules.Fact), of(n.Fact)
	out.Order.Fact, out.OffsetsFact = of(n.Order.Fact), of(n.OffsetsFact)
	v6 := n.OrderFor(6)
	v6.Fact = of(v6.Fact)
	out.OrderV6, out.Cost = &v6, nil
	return &out
}

func (a Actions) named(of func(string) string) Actions {
	for _, c := range []*Can{&a.Accept, &a.Discard, &a.Mark, &a.Sample, &a.Continue, &a.Copy} {
		c.Fact = of(c.Fact)
	}
	for _, r := range []*RateLimit{&a.RateBytes, &a.RatePackets} {
		r.Fact, r.StepFact, r.FloorFact, r.CeilingFact = of(r.Fact), of(r.StepFact), of(r.FloorFact), of(r.CeilingFact)
	}
	forms := map[flowspec.RedirectForm]Can{}
	for f, c := range a.Redirects {
		c.Fact = of(c.Fact)
		forms[f] = c
	}
	a.Redirects, a.Exclude = forms, slices.Clone(a.Exclude)
	for i := range a.Exclude {
		a.Exclude[i].Fact = of(a.Exclude[i].Fact)
	}
	return a
}

// both is what a and b have in common.
func both(a, b *Native) *Native {
	out := *a
	out.Families = common(a.Families, b.Families)
	out.Components, out.Cannot = map[flowspec.Type]Component{}, map[flowspec.Type]string{}
	for t := flowspec.DstPrefix; t <= flowspec.FlowLabel; t++ {
		ca, ina := a.Components[t]
		cb, inb := b.Components[t]
		switch {
		case !ina && !inb:
			if id := a.Cannot[t]; id != "" {
				out.Cannot[t] = id
			}
		case !ina:
			out.Cannot[t] = cmp.Or(a.Cannot[t], a.Fact)
		case !inb:
			out.Cannot[t] = cmp.Or(b.Cannot[t], b.Fact)
		default:
			if c, why := bothTake(ca, cb); why == "" {
				out.Components[t] = c
			} else {
				out.Cannot[t] = why
			}
		}
	}
	out.Exclude, out.Needs = slices.Concat(a.Exclude, b.Exclude), slices.Concat(a.Needs, b.Needs)
	out.Actions = bothDo(a.Actions, b.Actions)
	if b.RedirectFails.To != a.RedirectFails.To {
		out.RedirectFails.To = ""
	}
	out.Order = sameOrder(a.OrderFor(4), b.OrderFor(4))
	v6 := sameOrder(a.OrderFor(6), b.OrderFor(6))
	out.OrderV6 = &v6
	if least(a.MaxNLRI, b.MaxNLRI) != a.MaxNLRI {
		out.MaxNLRI, out.MaxNLRIFact = b.MaxNLRI, b.MaxNLRIFact
	}
	out.MaxRules = fewest(a.MaxRules, b.MaxRules)
	if a.Offsets != b.Offsets {
		out.withoutOffsets(cmp.Or(a.OffsetsFact, b.OffsetsFact))
	}
	return &out
}

// withoutOffsets takes IPv6 prefixes with an offset away: they cannot be written for two platforms that read them in different ways.
func (n *Native) withoutOffsets(fact string) {
	n.Offsets, n.OffsetsFact = flowspec.OffsetUnsaid, ""
	for t, c := range n.Components {
		if c.Offset {
			c.Offset = false
			c.OpFacts["offset"] = fact
			n.Components[t] = c
		}
	}
}

func common[T comparable](a, b []T) (out []T) {
	for _, x := range a {
		if slices.Contains(b, x) {
			out = append(out, x)
		}
	}
	return out
}

// commonFamilies is common where nil stands for all.
func commonFamilies(a, b []flowspec.Family) []flowspec.Family {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	return append([]flowspec.Family{}, common(a, b)...)
}

// least is the lower of two limits, of which 0 is none.
func least[T int | uint8 | uint32](a, b T) T {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// bothTake is what two platforms take of one component, or the fact that keeps it from being anything.
func bothTake(a, b Component) (out Component, why string) {
	out = a
	out.Ops = append([]string{}, common(a.Ops, b.Ops)...)
	out.OpFacts = map[string]string{}
	for _, one := range []Component{a, b} {
		for op, id := range one.OpFacts {
			if _, there := out.OpFacts[op]; !there || !slices.Contains(one.Ops, op) {
				out.OpFacts[op] = id
			}
		}
	}
	for _, pair := range [][2]Component{{a, b}, {b, a}} {
		for _, op := range pair[0].Ops {
			if _, said := pair[1].OpFacts[op]; !slices.Contains(pair[1].Ops, op) && !said {
				out.OpFacts[op] = pair[1].Fact
			}
		}
	}
	if fewerValues(b.MaxValues, a.MaxValues) {
		out.MaxValues, out.ValuesFact = b.MaxValues, cmp.Or(b.ValuesFact, b.Fact)
	}
	out.MaxPairs, out.MaxValue, out.MaxBits, out.MaxWidth = least(a.MaxPairs, b.MaxPairs), least(a.MaxValue, b.MaxValue), least(a.MaxBits, b.MaxBits), least(a.MaxWidth, b.MaxWidth)
	if b.MinValue > a.MinValue {
		out.MinValue, out.MinFact = b.MinValue, cmp.Or(b.MinFact, b.Fact)
	}
	var some4, some6 bool
	out.Bits, some4 = bothBits(a.Bits, b.Bits)
	out.BitsV6, some6 = bothBits(orBits(a.BitsV6, a.Bits), orBits(b.BitsV6, b.Bits))
	if !some4 || !some6 {
		return out, b.Fact
	}
	out.Offset = a.Offset && b.Offset
	out.ExceptV6 = slices.Compact(slices.Sorted(slices.Values(slices.Concat(a.ExceptV6, b.ExceptV6))))
	out.Families = commonFamilies(a.Families, b.Families)
	if out.Families != nil && len(out.Families) == 0 {
		return out, cmp.Or(b.FactV6, b.Fact)
	}
	if out.FactV6 == "" && b.FactV6 != "" {
		out.FactV6 = b.FactV6
	}
	out.Reads = cmp.Or(a.Reads, b.Reads)
	return out, ""
}

// fewerValues says whether a allows fewer values than b; an unknown number is planned as one, and said to be unknown.
func fewerValues(a, b int) bool {
	rank := func(n int) int {
		if n == Unlimited {
			return math.MaxInt
		}
		return n
	}
	return rank(a) < rank(b)
}

// bothBits is the bits that both can name, 0 being all; false: there are none.
func bothBits(a, b uint16) (uint16, bool) {
	switch {
	case a == 0:
		return b, true
	case b == 0:
		return a, true
	}
	return a & b, a&b != 0
}

func orBits(v6, v4 uint16) uint16 {
	if v6 != 0 {
		return v6
	}
	return v4
}

func bothCan(a, b Can) Can {
	out := a
	if a.OK && !b.OK {
		out.Fact = b.Fact
	}
	out.OK, out.Instance, out.Families = a.OK && b.OK, a.Instance || b.Instance, commonFamilies(a.Families, b.Families)
	return out
}

func bothDo(a, b Actions) Actions {
	out := Actions{
		Accept: bothCan(a.Accept, b.Accept), Discard: bothCan(a.Discard, b.Discard), Mark: bothCan(a.Mark, b.Mark), Sample: bothCan(a.Sample, b.Sample),
		Continue: bothCan(a.Continue, b.Continue), Copy: bothCan(a.Copy, b.Copy), RateBytes: bothLimit(a.RateBytes, b.RateBytes), RatePackets: bothLimit(a.RatePackets, b.RatePackets),
		Redirects: map[flowspec.RedirectForm]Can{}, Exclude: slices.Concat(a.Exclude, b.Exclude),
	}
	for f, c := range a.Redirects {
		if d, there := b.Redirects[f]; there {
			out.Redirects[f] = bothCan(c, d)
		}
	}
	return out
}

// inBits is how many bits/s a unit of bytes or bits is.
var inBits = map[string]float64{"bytes/s": 8, "bits/s": 1, "kbits/s": 1000}

// bothLimit is a limit that two platforms keep alike: the rate is a multiple of both steps, above the higher floor and below the lower ceiling. Of two units of bits or bytes the limits are said in bits/s.
func bothLimit(a, b RateLimit) RateLimit {
	if !a.OK || !b.OK {
		if !a.OK {
			b = a
		}
		return RateLimit{Fact: b.Fact}
	}
	if a.Unit != b.Unit {
		a, b = a.bits(), b.bits()
	}
	out := a
	out.RefuseBelow = a.RefuseBelow || b.RefuseBelow
	step, ok := bothSteps(a.Step, b.Step)
	if !ok {
		return RateLimit{Fact: cmp.Or(b.StepFact, b.Fact)}
	}
	if out.Step = step; step != a.Step {
		out.StepFact = cmp.Or(b.StepFact, b.Fact)
	}
	if b.Floor > 0 && b.Floor > a.Floor || a.Floor == Unlimited && b.Floor == 0 {
		out.Floor, out.FloorFact = b.Floor, cmp.Or(b.FloorFact, b.Fact)
	}
	if b.Ceiling > 0 && (a.Ceiling <= 0 || b.Ceiling < a.Ceiling) || a.Ceiling == Unlimited && b.Ceiling == 0 {
		out.Ceiling, out.CeilingFact = b.Ceiling, cmp.Or(b.CeilingFact, b.Fact)
	}
	return out
}

// bits says a limit in bits/s.
func (r RateLimit) bits() RateLimit {
	factor, ok := inBits[r.Unit]
	if !ok {
		return r
	}
	r.Unit = "bits/s"
	for _, n := range []*float64{&r.Step, &r.Floor, &r.Ceiling} {
		if *n > 0 {
			*n *= factor
		}
	}
	return r
}

// bothSteps is the least common multiple of two steps. One that is not known, or is none, leaves the other; false: there is no common one.
func bothSteps(a, b float64) (float64, bool) {
	switch {
	case a == b:
		return a, true
	case a <= 0 && b <= 0:
		return 0, true // one of them is not known
	case a <= 0:
		return b, true
	case b <= 0:
		return a, true
	case a != math.Trunc(a) || b != math.Trunc(b) || a*b > 1<<52:
		return 0, false
	}
	x, y := int64(a), int64(b)
	for y != 0 {
		x, y = y, x%y
	}
	return a / float64(x) * b, true
}

// sameOrder is the order that two platforms evaluate in, or none that is known.
func sameOrder(a, b Order) Order {
	if a.Kind != b.Kind {
		if a.Kind == "unknown" {
			return a
		}
		return b
	}
	a.ByReceivedOctets, a.PrefixLever, a.AlwaysFalse = a.ByReceivedOctets && b.ByReceivedOctets, a.PrefixLever && b.PrefixLever, a.AlwaysFalse && b.AlwaysFalse
	return a
}

// fewest is the number of rules that both hold. A hard limit counts before one that was only tested, and one that is not known leaves it unknown only where there is no hard one.
func fewest(a, b Number) Number {
	hard := func(n Number) bool { return n.N > 0 && !n.Soft }
	switch {
	case hard(a) && hard(b):
		if b.N < a.N {
			return b
		}
		return a
	case hard(a):
		return a
	case hard(b):
		return b
	case a.N == 0 || b.N == Unlimited:
		return a
	case b.N == 0 || a.N == Unlimited || b.N < a.N:
		return b
	}
	return a
}
