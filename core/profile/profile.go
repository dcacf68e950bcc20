package profile

import (
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
)

// Basis says how sure a fact is.
type Basis string

// The bases, surest first.
const (
	Measured   Basis = "measured"
	Documented Basis = "documented"
	Assumed    Basis = "assumed"
)

// Fact is one piece of knowledge about a platform: what, from where, read when, how sure.
type Fact struct {
	ID      string // "five-ports"
	Text    string // one sentence for people
	Source  string // vendor document, model or test; required unless assumed
	Checked string // "2026-11"
	Basis   Basis
}

// Profile is what one platform and release can do.
type Profile struct {
	Name     string
	Aliases  []string
	Vendor   string
	Platform string
	Releases string   // for people: "IOS-XR 6.x and later"
	Native   *Native  // nil: no FlowSpec
	Filter   *Filter  // nil: no dialect
	Pipeline []string // "filter", "flowspec": in which order the device applies them
	Options  map[string]Option
	Warnings []Warning // knobs that the operator must set on the device
	Facts    map[string]Fact
}

// Unlimited is a number of values without a known limit, sourced as such.
const Unlimited = -1

// Native is what the platform does with BGP FlowSpec.
type Native struct {
	Families   []flowspec.Family
	Components map[flowspec.Type]Component // absent: cannot
	// Exclude lists sets of component types that may not stand in one rule.
	Exclude []Exclusion
	Actions Actions
	Order   Order
	// OrderV6 differs from Order where it is set.
	OrderV6  *Order
	MaxNLRI  int // octets of one NLRI without its length octets, 0 no limit beyond 4095; a session-safe limit
	MaxRules Number
	Fact     string // of the families
}

// Component is what a platform takes of one component type.
type Component struct {
	// Ops that may appear: numeric "eq", "range" (two half-lines joined by AND), "lt", "gt" (half-lines, with or without equal), "ne";
	// bitmask "any", "all", "none", "notall", and "and" for terms joined by AND.
	Ops []string
	// MaxValues is the most terms in the list, a range counting as one; 0 is unknown (planned as one, with a warning), Unlimited is no limit.
	MaxValues int
	MaxPairs  int               // most operator/value pairs, a range counting as two: session-safe limits of some receivers; 0 no limit
	MaxValue  uint32            // largest number, 0: the field's own
	Bits      uint16            // bitmask types: bits that can be named; 0: all
	MaxWidth  uint8             // octets of a value; 0: any
	Offset    bool              // IPv6 prefixes with an offset
	Families  []flowspec.Family // nil: all of Native
	Fact      string
}

// Exclusion forbids component types together. As a rewrite hint, nothing.
type Exclusion struct {
	Types []flowspec.Type
	Fact  string
}

// Can is one capability: yes or no, and the fact behind it.
type Can struct {
	OK   bool
	Fact string
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

// ActionExclusion names two actions ("redirect-vrf", "redirect-ip", "rate", "mark", "sample") that the platform does not do together.
type ActionExclusion struct {
	A, B string
	Fact string
}

// RateLimit is how a platform limits rates. Numbers are in Unit.
type RateLimit struct {
	OK      bool
	Unit    string  // "bytes/s", "bits/s", "kbits/s", "packets/s": what the device counts in
	Step    float64 // rates are multiples of it, 0: unknown (carried, warned "assumed-step")
	Floor   float64 // smallest rate it honours, 0: unknown
	Ceiling float64 // largest, 0: unknown
	Fact    string
}

// Order is in which order the platform evaluates rules.
type Order struct {
	Kind string // "rfc8955" or "unknown"
	// ByReceivedOctets says that the device is known to sort the octets it received.
	ByReceivedOctets bool
	Fact             string
}

// Number is a number with a fact; 0 is unknown.
type Number struct {
	N    int
	Fact string
}

// Filter is what the platform's filters can do.
type Filter struct {
	Dialect    string // "junos"
	Semantics  filter.Semantics
	Versions   []int                       // 4, 6
	Components map[flowspec.Type]Component // what an entry can match; MaxValues as in Native
	Exclude    []Exclusion
	Actions    Actions
	// SharedPolicer: entries of one filter can share a policer.
	SharedPolicer Can
	// BurstMS is the burst chosen, in milliseconds of the rate, never less than BurstMin bytes.
	BurstMS    int
	BurstMin   uint64
	BurstFact  string
	MaxEntries Number
	Fact       string
}

// Option is a knob of the device that changes what it does: `junos-mx` has `term-order`.
type Option struct {
	Values []string // the first is the default
	Text   string
	Fact   string
	// Set says what each value changes: "order": "unknown".
	Set map[string]map[string]string
}

// Warning tells the operator to type something on the device.
type Warning struct {
	Code    string // "term-order"
	When    string // "native", "filter", "always", "native-ipv6"
	Text    string
	Command string
	Fact    string
}
