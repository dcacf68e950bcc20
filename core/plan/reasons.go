package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan/split"
	"github.com/sluice-gateway/sluice/core/profile"
)

// Codes lists every reason code with what it means, in the order of docs/reasons.md. Codes are stable: programs branch on them.
var Codes = []struct{ Code, Severity, Meaning string }{
	{"split-values", Note, "A list is longer than the platform takes: it became several, and the rule several rules."},
	{"piece-count", Note, "Lists that are too long were cut together: the pieces overlap and are fewer than each list by itself would give, or more may have been made than are needed."},
	{"merged-values", Note, "Adjacent or overlapping values became fewer."},
	{"reworded", Note, "A condition is said with other operators that mean the same."},
	{"rewritten-port", Note, "`port` became destination-port and source-port."},
	{"always-true", Note, "A condition that lets everything through was left out."},
	{"redirect-form", Note, "The redirect travels in the form that the platform takes."},
	{"shadowed-part", Note, "A piece of the rule has the NLRI of an earlier rule's piece, which decides its packets; it is not sent twice."},
	{"one-policer", Note, "The entries of the rule share one policer, so that its rate holds for their sum."},
	{"cheaper-boundary", Note, "A range with another boundary nearby would take fewer slots of the device's memory. Nothing was changed."},
	{"moved-to-filter", Note, "FlowSpec cannot carry the rule, a filter can."},
	{"moved-with-others", Note, "The rule overlaps rules that go to the filter, and must stay in order with them."},
	{"remedy-benign", Note, "Pieces of the rule and of another change places on the device, and it was proven to do no harm."},
	{"remedy-choose", Note, "The lists of the rule are written otherwise, so that the device keeps it in order."},
	{"remedy-subtract", Note, "What a rule in front decides was taken out of this one, so that their order does not matter."},
	{"remedy-prefix", Note, "The rule got a source of 0/0, so that the device keeps it in order."},
	{"remedy-split-other", Note, "The rule got an entry for what it shares with another, in front of that one's."},
	{"remedy-steer", Note, "The rule got a term that is never true, so that the device keeps it in order."},
	{"never-matches", Warning, "No packet can match the rule: nothing is sent for it."},
	{"rate-rounded", Note, "The rate went up to the device's next step."},
	{"rate-floor", Warning, "The rate is below the smallest that the device honours; it went up to that."},
	{"assumed-values", Note, "How many values the platform takes in one list is not known: one a rule is planned."},
	{"assumed-step", Warning, "In which steps the device counts rates is not known: it may round the rate."},
	{"assumed-floor", Warning, "The smallest rate that the device honours is not known."},
	{"assumed-scale", Note, "How many rules the device holds is not known."},
	{"assumed-burst", Warning, "The burst of the policer is a guess."},
	{"assumed-order", Warning, "The order in which the device evaluates rules is not sourced, and it decided something: the rule overlaps others that fare differently."},
	{"measured-order", Note, "The rule overlaps others that fare differently, and they are in the right order because the measured order says so."},
	{"over-scale", Warning, "There are more rules than the vendor tested."},
	{"no-native", Error, "The device has no FlowSpec."},
	{"no-filter", Error, "The device has no filter, or there is no dialect for it."},
	{"no-family", Error, "The platform does not take rules of this address family."},
	{"source-not-taken", Note, "The device does not take rules of this source, by its configuration (`sources`)."},
	{"no-vrf", Error, "The device has no VRF for the VPN of the rule."},
	{"no-component", Error, "The platform does not match this component."},
	{"no-operator", Error, "The platform does not take this operator, and no other form of the condition fits."},
	{"no-offset", Error, "The platform takes no IPv6 prefix with an offset, or none with this one."},
	{"no-bits", Error, "The platform does not match this bit, or not so many at once."},
	{"not-together", Error, "The platform does not take these components in one rule."},
	{"needs-beside", Error, "The platform takes this component only with another one beside it, or takes no rule without one, and the rule has none."},
	{"number-too-small", Error, "The platform takes a number this small for something else, and would match other packets, or cannot name it."},
	{"number-reserved", Error, "The platform takes this number for something else, and would match other packets."},
	{"number-too-large", Error, "The platform cannot name a number this large."},
	{"too-many-values", Error, "One rule cannot hold so many values."},
	{"value-too-wide", Error, "The platform takes fewer octets a value."},
	{"odd-operator", Error, "An operator that no platform is sent: always-true, always-false, or a range that holds nothing."},
	{"too-many-parts", Error, "The rule would need too many pieces."},
	{"too-long", Error, "The rule is longer than the platform takes, and no pieces are short enough."},
	{"not-disjoint", Error, "The pieces would overlap, and the rule's actions would be done twice, because later rules are looked at as well."},
	{"unknown-action", Error, "The rule has a community that is not understood, or two that contradict each other."},
	{"no-action", Error, "The platform does not carry out this action."},
	{"no-instance", Error, "A filter would redirect into a routing instance, and which one imports the route target is not said."},
	{"actions-not-together", Error, "The platform does not carry out these actions together."},
	{"redirect-family", Error, "The next hop is of the other IP version."},
	{"rate-ceiling", Error, "The rate is above the largest that the device takes."},
	{"rate-too-small", Error, "The rate is below the smallest that the device limits: it would discard everything."},
	{"rate-split", Error, "The rule has a rate and would need several entries: each would have a policer of its own."},
	{"placement-before", Error, "In front of the operator's filter an entry discards or does nothing that ends evaluation."},
	{"order-conflict", Error, "The device would put a piece of the rule on the other side of a rule that it overlaps and that fares differently."},
	{"order-unknown", Error, "In which order the device evaluates rules is not known, and the rule overlaps one that fares differently. A filter, or a measured order, helps."},
	{"cluster-split", Error, "The rule must stay in order with rules that the other mechanism carries."},
	{"exception-lost", Error, "A rule above this one was rejected; without it this rule would filter what nobody asked to filter."},
	{"over-budget", Error, "The device holds no more entries."},
	{"too-entangled", Error, "The proof would take too long: too many rules overlap."},
	{"unproven", Error, "The proof failed: this is a fault in sluice. Nothing was sent for the rule."},
}

// words of components and of what they hold.
func typeWord(t flowspec.Type) string { return t.String() }

// typeList returns the words of the types in set.
func typeList(set uint16) string {
	var out []string
	for t := flowspec.DstPrefix; t <= flowspec.FlowLabel; t++ {
		if set&(1<<t) != 0 {
			out = append(out, typeWord(t))
		}
	}
	return strings.Join(out, " and ")
}

// typeChoice returns the words of the types in set, as what there is to choose from.
func typeChoice(set uint16) string { return strings.ReplaceAll(typeList(set), " and ", " or ") }

func numberChoice(list []uint32) string {
	var out []string
	for _, n := range list {
		out = append(out, fmt.Sprint(n))
	}
	return strings.Join(out, " or ")
}

// opNames are what a platform does not do, by operator.
var opNames = map[split.Ops]string{
	split.Eq: "does not take equal", split.Range: "does not take a range", split.Lt: "does not take less than", split.Gt: "does not take greater than",
	split.Ne: "does not take not equal", split.Chain: "does not take terms joined by &", split.Any: "cannot ask whether any of the bits is set",
	split.All: "cannot ask whether all of the bits are set", split.None: "cannot ask whether none of the bits is set", split.NotAll: "cannot ask whether one of the bits is not set",
}

// who names m in reasons: the platform for FlowSpec, and its filters.
func (p *platform) who(m *mechanism) string {
	if m.filter != nil {
		return "a filter of " + p.profile.Name
	}
	return p.profile.Name
}

// trouble turns a limit that a rule meets into a reason, and returns the fact behind it.
func (p *platform) trouble(m *mechanism, l *familyLimits, t *split.Trouble) (Reason, string) {
	word := typeWord(t.Type)
	r := Reason{Code: string(t.Why), Severity: Error, Component: word}
	fact := l.facts[t.Type]
	who := p.who(m)
	switch t.Why {
	case split.NoComponent:
		r.Message = fmt.Sprintf("%s does not match %s", who, word)
		fact = l.cannot[t.Type]
	case split.NoOperator:
		r.Message = fmt.Sprintf("%s: %s %s", word, who, opNames[t.Op])
		if one := l.ops[t.Type][opWord(t.Op)]; one != "" {
			fact = one
		}
	case split.NoOffset:
		r.Message = fmt.Sprintf("%s: %s takes no prefix with an offset", word, who)
		if t.Max == 8 {
			r.Message = fmt.Sprintf("%s: an offset of %d, and %s takes multiples of 8", word, t.Have, who)
			fact = m.native.OffsetsFact
		}
	case split.NoBits:
		r.Message = fmt.Sprintf("%s: %s cannot name the bits %#04x", word, who, t.Have)
		if t.Max > 0 {
			r.Message = fmt.Sprintf("%s: %s has no form for this set of packets; it names at most %d bit at a time", word, who, t.Max)
		}
		if one := l.ops[t.Type]["bits"]; one != "" {
			fact = one
		}
	case split.NoTogether:
		r.Message = fmt.Sprintf("%s does not take %s in one rule", who, typeList(t.Types))
		for i, set := range l.limits.Exclude {
			if set == t.Types {
				fact = l.exclude[i]
			}
		}
	case split.NeedsBeside:
		r.Message = fmt.Sprintf("%s takes no rule without %s", who, typeChoice(t.Types))
		if n := &l.limits.Needs[t.Have]; n.Of != 0 {
			r.Message = fmt.Sprintf("%s: %s takes it only with %s", word, who, typeChoice(t.Types))
			if n.Values != nil {
				r.Message += fmt.Sprintf(" of %s", numberChoice(n.Values))
			}
		}
		fact = l.needs[t.Have]
	case split.TooSmall:
		r.Message = fmt.Sprintf("%s: %s takes %d for something else and would match other packets; %d is the smallest", word, who, t.Have, t.Max)
		if m.filter != nil {
			r.Message = fmt.Sprintf("%s: %d is less than the %d that %s can name", word, t.Have, t.Max, who)
		}
		if l.least[t.Type] != "" {
			fact = l.least[t.Type]
		}
	case split.Reserved:
		r.Message = fmt.Sprintf("%s: %s takes %d for something else and would match other packets", word, who, t.Have)
	case split.TooBig:
		r.Message = fmt.Sprintf("%s: %d is more than the %d that %s can name", word, t.Have, t.Max, who)
	case split.TooMany:
		r.Message = fmt.Sprintf("%s: %d values, and %s takes %d", word, t.Have, who, t.Max)
		if l.values[t.Type] != "" {
			fact = l.values[t.Type]
		}
	case split.TooWide:
		r.Message = fmt.Sprintf("%s: values of %d octets, and %s takes %d", word, t.Have, who, t.Max)
	case split.OddOperator:
		r.Message = fmt.Sprintf("%s: an operator that is always true or never true is not sent", word)
	case split.TooManyParts:
		r.Message = fmt.Sprintf("the rule would need %d pieces, most of them for %s; %d is the most planned", t.Have, word, t.Max)
		r.Hint = "shorten the lists, or use ranges"
	case split.NotDisjoint:
		r.Message = fmt.Sprintf("%s: the pieces would overlap, and a packet in two of them would get the actions twice", word)
	}
	if r.Hint == "" {
		r.Hint = p.remedy(m, l, t)
	}
	r.Source = p.facts.source(fact)
	return r, fact
}

// remedy says what an operator can do about a limit. It never advises to leave a condition out: that would be another, wider rule.
func (p *platform) remedy(m *mechanism, l *familyLimits, t *split.Trouble) string {
	if t.Why == split.NoComponent {
		if others := p.profile.Otherwise(func(v *profile.Profile) bool { return matches(v, m, t.Type, l.family) }); len(others) > 0 {
			return "where that is otherwise, plan for " + others[0].Title()
		}
	}
	switch {
	case t.Why == split.NoOperator && t.Type == flowspec.TCPFlags:
		return "one term alone matches more packets (syn alone matches syn+ack too): write that only where it is meant"
	case t.Why == split.NoTogether:
		return "several rules with one of the components each match more packets: write that only where it is meant"
	case t.Why == split.NeedsBeside && t.Types == 1<<flowspec.Protocol:
		return "name the protocol in the rule: where these are all that such packets can have, it means the same"
	case t.Why == split.NotDisjoint:
		return "let the rule end the evaluation, or use values that do not overlap"
	}
	return ""
}

// matches says whether the mechanism of v that corresponds to m matches a component in rules of family f.
func matches(v *profile.Profile, m *mechanism, t flowspec.Type, f flowspec.Family) bool {
	var has map[flowspec.Type]profile.Component
	switch {
	case m.filter != nil && v.Filter != nil:
		has = v.Filter.Components
	case m.filter == nil && v.Native != nil && slices.Contains(v.Native.Families, f):
		has = v.Native.Components
	}
	c, ok := has[t]
	return ok && c.For(f)
}

// changed turns what was done to a rule into notes.
func (p *platform) changed(l *familyLimits, changes []split.Change) []Reason {
	out := make([]Reason, 0, len(changes))
	for _, c := range changes {
		r := Reason{Code: string(c.Kind), Severity: Note, Component: typeWord(c.Type)}
		fact := l.facts[c.Type]
		switch c.Kind {
		case split.Cut:
			if l.values[c.Type] != "" {
				fact = l.values[c.Type]
			}
			r.Message = fmt.Sprintf("%s: %d values in %d lists", r.Component, c.From, c.To)
			if n := l.limits.Of[c.Type].MaxValues; n > 0 {
				r.Message += fmt.Sprintf(", at most %d in each", n)
			}
		case split.Merged:
			r.Message = fmt.Sprintf("%s: %d values say the same as %d", r.Component, c.To, c.From)
			if c.To == 1 {
				r.Message = fmt.Sprintf("%s: 1 value says the same as %d", r.Component, c.From)
			}
		case split.Reworded:
			r.Message = fmt.Sprintf("%s: said with operators that the platform takes", r.Component)
		case split.Dropped:
			r.Message = fmt.Sprintf("%s: lets everything through, and was left out", r.Component)
		case split.PortCut:
			fact = l.cannot[c.Type]
			r.Message = "port: became destination-port or source-port"
			if fact == "" && len(l.exclude) > 0 {
				fact = l.exclude[0]
			}
		}
		r.Source = p.facts.source(fact)
		out = append(out, r)
	}
	return out
}
