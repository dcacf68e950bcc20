package profile

import (
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// Basis says how sure a fact is.
type Basis string

// The bases, surest first.
const (
	Measured   Basis = "measured"   // seen on the platform itself
	Documented Basis = "documented" // written down by the vendor, or in its own configuration model
	Assumed    Basis = "assumed"    // an inference, or what the RFC says where the vendor says nothing
)

// Weaker returns the less sure of a and b. The empty Basis is surer than any.
func Weaker(a, b Basis) Basis {
	if b.rank() > a.rank() {
		return b
	}
	return a
}

func (b Basis) rank() int {
	switch b {
	case Measured:
		return 1
	case Documented:
		return 2
	case Assumed:
		return 3
	}
	return 0
}

// Fact is one piece of knowledge about a platform: what, from where, read when, how sure.
type Fact struct {
	ID      string // "five-ports"
	Text    string // one sentence for people
	Source  string // vendor document, model or test; required unless assumed
	Checked string // "2026-11": when somebody last read the source
	Basis   Basis
}

// Profile is what one platform and release can do. It is shared and never changed: With returns a copy.
type Profile struct {
	Name     string
	Aliases  []string
	Vendor   string
	Platform string
	Releases string   // for people: "IOS-XR 6.x and later"
	Extends  string   // the profile that this one changes, or ""
	Native   *Native  // nil: no FlowSpec
	Filter   *Filter  // nil: no dialect
	NoNative string   // fact that says why Native is nil, where there is one
	NoFilter string   // the same of Filter
	Pipeline []string // "filter", "flowspec": in which order the device applies them; nil where unknown
	Options  map[string]Option
	// Behaviour is what a reader needs to know and no plan computes with, by the words in Topics.
	Behaviour map[string]Behaviour
	Warnings  []Warning // knobs that the operator must set on the device
	Facts     map[string]Fact

	factOrder []string            // IDs as the file lists them, then the inline ones
	settings  string              // what differs from the defaults: "cam-type=packet-length"
	raw       rawProfile          // as written, with what it extends
	variants  map[string]*Profile // by settings, this one among them; see With
}

// Unlimited is a number of values without a known limit, sourced as such.
const Unlimited = -1

// Native is what the platform does with BGP FlowSpec.
type Native struct {
	Families   []flowspec.Family
	Components map[flowspec.Type]Component // absent: cannot
	// Cannot names the fact that says why a component is missing from Components, where there is one.
	Cannot map[flowspec.Type]string
	// Exclude lists sets of component types that may not stand in one rule.
	Exclude []Exclusion
	// Needs lists components that must stand in a rule.
	Needs   []Need
	Actions Actions
	// RedirectFails is what a rule does whose redirect does not work: its target does not resolve, or the router took it off the rule.
	RedirectFails Fails
	Order         Order
	// OrderV6 differs from Order where it is set.
	OrderV6     *Order
	MaxNLRI     int // octets of one NLRI without its length octets, 0 no limit beyond 4095; a session-safe limit
	MaxNLRIFact string
	// Offsets is how IPv6 prefixes with an offset are to be written; OffsetUnsaid is as RFC 8956 has it.
	Offsets     flowspec.OffsetForm
	OffsetsFact string
	MaxRules    Number
	Cost        *Cost  // nil: not known
	Fact        string // of the families
}

// Component is what a platform takes of one component type.
type Component struct {
	// Ops that may appear: numeric "eq", "range" (two half-lines joined by AND), "lt", "gt" (half-lines, with or without equal), "ne", and
	// "and" for any other terms joined by AND; bitmask "any", "all", "none", "notall", and "and" for terms joined by AND.
	Ops []string
	// OpFacts names facts of single operators: what one rests on that differs from the component's fact, or why one is missing from Ops. "offset" says
	// why prefixes take none, "bits" why some bits cannot be named; FragmentTokens name what single bits of a fragment component rest on.
	OpFacts map[string]string
	// MaxValues is the most terms in the list, a range counting as one; 0 is unknown (planned as one, with a warning), Unlimited is no limit.
	MaxValues  int
	ValuesFact string            // of MaxValues where it differs from Fact; decides only where a list has more than one term
	MaxPairs   int               // most operator/value pairs, a range counting as two: session-safe limits of some receivers; 0 no limit
	MinValue   uint32            // smallest number: a rule whose values include a smaller one is refused, for the platform would match other packets; 0: none is
	MinFact    string            // of MinValue where it differs from Fact
	MaxValue   uint32            // largest number, 0: the field's own
	ExceptV6   []uint32          // numbers that a rule of IPv6 may not hold, for the platform would match other packets, in ascending order
	Bits       uint16            // bitmask types: bits that can be named; 0: all
	BitsV6     uint16            // the same for IPv6 rules; 0: as Bits
	MaxBits    uint8             // bitmask types: most bits in one value (1: one fragment token); 0: any
	MaxWidth   uint8             // octets of a value; 0: any
	Offset     bool              // IPv6 prefixes with an offset
	Families   []flowspec.Family // nil: all of Native
	Fact       string
	FactV6     string // for IPv6 rules where it differs from Fact; why not, where Families lacks them
	Reads      string // the fact about where in a packet the platform finds the field, where that is in doubt: a verdict rests on it as well
}

// FragmentTokens are the words for the bits of a fragment component, from the lowest (RFC 8955 §4.2.2.12).
var FragmentTokens = [...]string{"dont-fragment", "is-fragment", "first-fragment", "last-fragment"}

// Exclusion forbids component types together. As a rewrite hint, nothing.
type Exclusion struct {
	Types []flowspec.Type
	Fact  string
}

// Need says that a rule with one of the components Of, or any rule where Of is empty, is taken only with one of the components OneOf beside it; where Values is
// set, only if what stands there has no other number than these.
type Need struct {
	Of, OneOf []flowspec.Type
	Values    []uint32
	Fact      string
}

// Can is one capability: yes or no, and the fact behind it.
type Can struct {
	OK       bool
	Families []flowspec.Family // rules it holds for; nil: all of Native
	Instance bool              // of a redirect to a route target: it holds where the operator names the routing instance that imports it
	Fact     string
}

// For says whether the capability holds for rules of family f.
func (c Can) For(f flowspec.Family) bool { return c.OK && holds(c.Families, f) }

// For says whether the component is taken in rules of family f.
func (c Component) For(f flowspec.Family) bool { return holds(c.Families, f) }

// FactFor returns the fact behind the component in rules of family f, or why such rules may not have it.
func (c Component) FactFor(f flowspec.Family) string {
	if f.Version() == packet.IPv6 && c.FactV6 != "" {
		return c.FactV6
	}
	return c.Fact
}

func holds(list []flowspec.Family, f flowspec.Family) bool {
	if list == nil {
		return true
	}
	for _, one := range list {
		if one == f {
			return true
		}
	}
	return false
}

// Actions is which actions the platform carries out.
type Actions struct {
	Accept      Can
	Discard     Can
	RateBytes   RateLimit
	RatePackets RateLimit
	Mark        Can
	Sample      Can
	Continue    Can
	Copy        Can
	Redirects   map[flowspec.RedirectForm]Can
	// RedirectAndRate and such combinations are free unless listed here.
	Exclude []ActionExclusion
}

// Fails is what is left of a rule when its redirect does not work.
type Fails struct {
	To   string // "accept" or "discard"; "" where it is not known
	Fact string
}

// ActionExclusion names two actions ("discard", "redirect-vrf", "redirect-ip", "rate" above 0, "mark", "sample", "continue") that the platform does
// not do together.
type ActionExclusion struct {
	A, B string
	Fact string
}

// RateLimit is how a platform limits rates. Numbers are in Unit; Unlimited (-1) says that there is no such limit, sourced as such.
type RateLimit struct {
	OK      bool
	Unit    string  // "bytes/s", "bits/s", "kbits/s", "packets/s": what the device counts in
	Step    float64 // rates are multiples of it, 0: unknown (carried, warned "assumed-step")
	Floor   float64 // smallest rate it honours, 0: unknown
	Ceiling float64 // largest, 0: unknown
	// RefuseBelow refuses a rate below Floor, which is raised to it elsewhere: for devices that do not limit such a rate but discard.
	RefuseBelow bool
	Fact        string
	// Facts of the three limits where they differ from Fact: they decide only where the limit does.
	StepFact, FloorFact, CeilingFact string
}

// Order is in which order the platform evaluates rules.
type Order struct {
	Kind string // "rfc8955" or "unknown"
	// ByReceivedOctets says that the device is known to sort the octets it received.
	ByReceivedOctets bool
	// PrefixLever says that the device is known to take a source of 0/0 and to sort by it; AlwaysFalse that it is known to take a term that is never
	// true, and to sort by its octets. Both need ByReceivedOctets.
	PrefixLever, AlwaysFalse bool
	Fact                     string
}

// Number is a number with a fact; 0 is unknown, Unlimited is no limit, sourced as such.
type Number struct {
	N int
	// Soft: the vendor tested this many and more may fit. More than N is worth a warning, not a refusal.
	Soft bool
	Fact string
}

// Filter is what the platform's filters can do.
type Filter struct {
	Dialect    string // "junos"
	Semantics  filter.Semantics
	Versions   []int                       // 4, 6
	Components map[flowspec.Type]Component // what an entry can match; MaxValues as in Native
	Cannot     map[flowspec.Type]string    // as in Native
	Exclude    []Exclusion
	Actions    Actions
	// SharedPolicer: entries of one filter can share a policer.
	SharedPolicer Can
	// OffsetApart: the device evaluates later fragments apart from packets at offset zero, so that an entry that takes both would have two
	// policers. A limit needs a rule that is about one of them, such as one with a port.
	OffsetApart Can
	// BurstMS is the burst chosen, in milliseconds of the rate, never less than BurstMin bytes nor more than BurstMax (0: no such limit).
	BurstMS    int
	BurstMin   uint64
	BurstMax   uint64
	BurstFact  string
	MaxEntries Number
	Cost       *Cost // of an entry; nil: not known
	Fact       string
	// SemanticsFact is the fact behind Semantics.
	SemanticsFact string
}

// Option is a knob of the device that changes what it does: `junos-mx` has `term-order`.
type Option struct {
	Values []string // the first is the default
	Text   string
	Fact   string
}

// Behaviour is one thing that a platform does: a few words, and the fact that has the sentence.
type Behaviour struct {
	Says string
	Fact string
}

// Topics are the words of Profile.Behaviour, in the order in which they are shown, and what each is about.
var Topics = []struct{ Word, About string }{
	{"enforcement", "who filters, and what it takes"},
	{"interfaces", "where rules apply"},
	{"direction", "ingress, egress or both"},
	{"to-router", "packets to the router itself"},
	{"filters-per-interface", "how many filters an interface takes, and what becomes of FlowSpec beside them"},
	{"validation", "whether a rule must agree with unicast routes (RFC 8955 section 6, RFC 9117)"},
	{"unresolved-redirect", "a redirect whose target does not resolve"},
	{"stripped-redirect", "a redirect that the router takes off the rule"},
	{"overflow", "more rules than fit"},
	{"prefix-limit", "more rules than the neighbour may send"},
	{"programming", "how fast rules are installed, and what they cost in forwarding"},
	{"malformed", "an NLRI that the receiver does not like"},
	{"policer-scope", "what one rate limit is counted over"},
	{"policer-octets", "which octets of a packet a rate counts: those of IP, or of layer 2 as well"},
	{"stage-order", "FlowSpec and the filters of an interface: which comes first"},
	{"counters", "what is counted for each rule, and where it is read"},
	{"read-back", "how to see what is installed"},
}

// Warning tells the operator to type something on the device.
type Warning struct {
	Code string // "term-order"
	// When it matters: "always"; "native", "native-ipv4", "native-ipv6" (some rule is carried natively); "redirect" (one of them with a
	// redirect); "rate" (one of them with a rate above 0); "filter" (some rule is carried in a filter);
	// "filter-redirect", "filter-rate" (one of these redirects, or has a policer).
	When    string
	Text    string
	Command string // what to type on the device; may have several lines
	Fact    string
	// Above: only where the device gets more native rules than that.
	Above int
	// Unless names an option and the value that makes the warning needless: "term-order=legacy".
	Unless string
}
