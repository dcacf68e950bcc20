// Package split turns one rule that a platform does not take as it is into several that it takes and that match,
// together, exactly the same packets.
//
// It works on the ranges of each component and on nothing else: a rule is a product of sets, so cutting the set of one
// component in two cuts the rule in two, and cutting several gives the grid of the pieces. What a list says is worked out here,
// from the text of RFC 8955 §4.2, a second time: the prover of package plan has its own reading (flowspec.Match.Set), and the
// two share only the notion of a span. A mistake here is caught there.
//
// Parts is for native FlowSpec: its pieces are components again, and a component that the platform takes stays exactly as it
// came, because the position of a rule depends on its octets (RFC 8955 §5.1). Entries is for filters, where order is explicit: its
// pieces are plain sets with every condition written out, "a port needs TCP or UDP, and offset zero" among them.
package split

import (
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// Ops is a set of operators that a platform takes in the list of one component.
type Ops uint16

// The operators, by the words that profiles use.
const (
	Eq     Ops = 1 << iota // a single number
	Range                  // two half-lines joined by AND
	Lt                     // a half-line downwards
	Gt                     // a half-line upwards
	Ne                     // every number but one
	Chain                  // terms joined by AND: any chain of numeric terms, any conjunction of bitmask terms
	Any                    // bitmask: one of the bits
	All                    // bitmask: all of the bits
	None                   // bitmask: none of the bits
	NotAll                 // bitmask: not all of the bits
)

// Limit is what a platform takes of one component type. The zero Limit takes nothing.
type Limit struct {
	OK        bool
	Ops       Ops
	MaxValues int      // terms of the list, a range or a conjunction counting as one; 0 is no limit
	MaxPairs  int      // operator and value pairs; 0 is no limit
	MinValue  uint32   // a rule with a number below it is refused: it would be taken for something else, or cannot be named; 0: none is
	MaxValue  uint32   // largest number that can be named; 0 is the field's own
	Except    []uint32 // a rule with one of these numbers is refused: it would be taken for something else
	Bits      uint16   // bits that can be named; 0 is all
	MaxBits   int      // bits in one value; 0 is no limit
	MaxWidth  int      // octets of a value; 0 is no limit
	Offset    bool     // IPv6 prefixes with an offset
	Eights    bool     // of these only those whose offset is a multiple of 8
}

// Limits is what a platform takes of rules of one family.
type Limits struct {
	Of      [flowspec.FlowLabel + 1]Limit // by component type
	Exclude []uint16                      // sets of component types (1 << type) that may not stand in one rule
	Needs   []Need                        // components that must stand in a rule
	// MaxParts bounds the number of pieces of one rule: work is bounded, and a rule that needs more is better refused.
	MaxParts int
}

// excluded returns an exclusion that a rule with the types in has breaks, or 0.
func (l *Limits) excluded(has uint16) uint16 {
	for _, set := range l.Exclude {
		if set != 0 && has&set == set {
			return set
		}
	}
	return 0
}

// Why says what kind of limit a rule meets.
type Why string

// The kinds of limits. They are the reason codes of verdicts.
const (
	NoComponent  Why = "no-component"     // the platform does not match this component
	NoOperator   Why = "no-operator"      // not this operator
	NoOffset     Why = "no-offset"        // no IPv6 prefix with an offset
	NoBits       Why = "no-bits"          // not this bit, or not so many at once
	NoTogether   Why = "not-together"     // these components may not stand in one rule
	NeedsBeside  Why = "needs-beside"     // a component that must stand in the rule does not
	TooSmall     Why = "number-too-small" // a number that the platform takes for something else, or cannot name
	Reserved     Why = "number-reserved"  // a number that the platform takes for something else
	TooBig       Why = "number-too-large" // a number that the platform cannot name
	TooMany      Why = "too-many-values"  // more values than one rule takes
	TooWide      Why = "value-too-wide"   // more octets a value than the platform takes
	OddOperator  Why = "odd-operator"     // always-true, always-false, or a range that holds nothing
	TooManyParts Why = "too-many-parts"   // the pieces would be too many
	NotDisjoint  Why = "not-disjoint"     // pieces would overlap, and the rule's actions would be done twice
)

// Trouble is a limit that a rule meets.
type Trouble struct {
	Type  flowspec.Type // the component
	Why   Why
	Have  int    // values, pairs, pieces, the number that is too large, too small or reserved, the offset, or which of Limits.Needs
	Max   int    // the limit
	Op    Ops    // the operator that is missing
	Types uint16 // components of NoTogether and NeedsBeside (1 << type)
}

// Change is something that was done to a rule to fit it in.
type Change struct {
	Type flowspec.Type
	Kind Kind
	From int // values before
	To   int // lists after
}

// Kind is a kind of change.
type Kind string

// The kinds of changes. They are codes of notes in verdicts.
const (
	Merged   Kind = "merged-values"  // adjacent or overlapping values became fewer
	Cut      Kind = "split-values"   // one list became several
	Reworded Kind = "reworded"       // the same set in other operators
	Dropped  Kind = "always-true"    // the component let everything through
	PortCut  Kind = "rewritten-port" // `port` became destination-port and source-port
)

// Result is what became of a rule.
type Result struct {
	Parts   [][]flowspec.Component // of Parts: the pieces; none when the rule matches no packet
	Entries []Entry                // of Entries
	Tally
}

// Tally is what was done to a rule.
type Tally struct {
	Changes []Change
	// Grid is how many pieces there would be without overlapping ones: the product of the numbers of lists.
	Grid int
	// Bound is a number of pieces that no rewriting of the rule into lists of these components is below, or 0 when there are no pieces. Where it is
	// the number of pieces, they are as few as can be.
	Bound int
}

// Entry is one piece as sets, for a filter. A nil set is no condition.
type Entry struct {
	Dst, Src *flowspec.Prefix
	Values   [flowspec.FlowLabel + 1]packet.Values // by component type
	Flags    []Cube                                // any of these
	Frags    packet.Frags                          // 0: no condition
}

// Fits says whether the platform takes a rule with these components as it is.
func Fits(f flowspec.Family, components []flowspec.Component, l *Limits) bool {
	for i := range components {
		if c := &components[i]; !taken(f, c, &l.Of[c.Type]) {
			return false
		}
	}
	return l.excluded(typesOf(components)) == 0 && l.unmet(components) == nil
}

// typesOf returns the set of the types of components.
func typesOf(components []flowspec.Component) (has uint16) {
	for i := range components {
		has |= 1 << components[i].Type
	}
	return has
}

// lowest returns the lowest type in set.
func lowest(set uint16) flowspec.Type {
	for t := flowspec.DstPrefix; t <= flowspec.FlowLabel; t++ {
		if set&(1<<t) != 0 {
			return t
		}
	}
	return 0
}

// taken says whether c meets no limit. What is counted is counted first: most lists that are not taken are too long.
func taken(f flowspec.Family, c *flowspec.Component, l *Limit) bool {
	if l.OK && c.Type > flowspec.SrcPrefix {
		if n := len(c.Terms); l.MaxPairs > 0 && n > l.MaxPairs || l.MaxValues > 0 && n > l.MaxValues && values(c.Terms) > l.MaxValues {
			return false
		}
		if !c.Type.Bitmask() && plain(c, l) {
			return true
		}
	}
	t := fits(f, c, l)
	return t.Why == ""
}

// fits returns the first limit that c meets, or no Trouble.
func fits(f flowspec.Family, c *flowspec.Component, l *Limit) Trouble {
	switch {
	case !l.OK:
		return Trouble{Type: c.Type, Why: NoComponent}
	case c.Type <= flowspec.SrcPrefix:
		if c.Prefix.Offset > 0 && !l.Offset {
			return Trouble{Type: c.Type, Why: NoOffset}
		}
		if l.Eights && c.Prefix.Offset%8 != 0 {
			return Trouble{Type: c.Type, Why: NoOffset, Have: int(c.Prefix.Offset), Max: 8}
		}
		return Trouble{}
	case c.Type == flowspec.TCPFlags || c.Type == flowspec.Fragment:
		return bitsFit(f, c, l)
	}
	return numbersFit(c, l)
}
