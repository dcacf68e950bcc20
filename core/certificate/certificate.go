// Package certificate is the file in which sluice writes down that a plan is right, so that somebody else can check it.
//
// A certificate is plain data and stands for itself: the rules as they were asked, as the octets of BGP; what the device is given for them; what
// is taken for granted of the device; and the steps of the proof that a checker would otherwise have to search for. docs/certificates.md
// describes every member. Package issue makes one from a plan, and package verify checks one; they share nothing but these types, and this
// package imports nothing of sluice.
package certificate

// Version is the version of the form that this package reads and writes.
const Version = 1

// Certificate is one plan of one device, with its proof.
type Certificate struct {
	Version  int               `json:"sluice-certificate"`
	Profile  string            `json:"profile"`
	Settings map[string]string `json:"settings,omitzero"` // options of the profile that were set
	Platform Platform          `json:"platform"`
	Facts    []Fact            `json:"facts"`
	Rules    []Rule            `json:"rules"`
	Policers []Policer         `json:"policers"`
	Entries  []Entry           `json:"entries"`
	Swaps    []Swap            `json:"swaps"`
	Losses   []Loss            `json:"losses"`
}

// Platform is what the proof takes for granted of the device.
type Platform struct {
	Order     string     `json:"order,omitzero"`    // of FlowSpec: "rfc8955", or "unknown"
	OrderV6   string     `json:"order-v6,omitzero"` // the same for IPv6
	Measured  []Route    `json:"measured,omitzero"` // where the order is unknown: routes in the order in which the device was seen to evaluate them
	Pipeline  []string   `json:"pipeline,omitzero"` // "filter", "flowspec": in which order they see a packet; the proof holds for any
	Placement string     `json:"placement"`         // of filters: "alone", or "before" the operator's own
	Filter    *Semantics `json:"filter,omitzero"`
}

// Route is what a router knows a route by.
type Route struct {
	Family string `json:"family"` // as in Rule
	NLRI   string `json:"nlri"`
}

// Semantics is what the entries of a filter look at by themselves.
type Semantics struct {
	PortsCheckProtocol    bool `json:"ports-check-protocol"`
	FlagsCheckProtocol    bool `json:"flags-check-protocol"`
	ICMPChecksProtocol    bool `json:"icmp-checks-protocol"`
	TransportChecksOffset bool `json:"transport-checks-offset"`
	SharedPolicer         bool `json:"shared-policer"` // entries that name one policer draw from one bucket
}

// Fact is something that the plan rests on: what, from where, and how sure. No checker can check it.
type Fact struct {
	ID     string `json:"id"`
	Text   string `json:"text"`
	Source string `json:"source,omitzero"`
	Basis  string `json:"basis"` // "measured", "documented" or "assumed"
}

// Rule is one rule as it was asked, and what is claimed of it.
type Rule struct {
	ID      string   `json:"id"`
	Family  string   `json:"family"` // "ipv4", "ipv6", "vpnv4" or "vpnv6"
	NLRI    string   `json:"nlri"`   // hexadecimal, with its length octets (RFC 8955 §4.1)
	Actions []string `json:"actions"`
	NextHop string   `json:"next-hop,omitzero"` // of MP_REACH_NLRI, where an action needs it
	Carried string   `json:"carried"`           // "native", "rewritten", "filter" or "rejected"
	Exact   bool     `json:"exact"`
	// Above names rules that stand before this one and decide whatever its entries leave out.
	Above []int `json:"above,omitzero"`
}

// Entry is one thing that the device is given: a route, or an entry of a filter. Those of a filter stand in the order of their evaluation.
type Entry struct {
	Rule int `json:"rule"` // which it is for: a place in Rules
	// A route.
	NLRI    string   `json:"nlri,omitzero"`
	Actions []string `json:"actions,omitzero"`
	NextHop string   `json:"next-hop,omitzero"`
	// An entry of a filter.
	Name  string `json:"name,omitzero"`
	Match *Match `json:"match,omitzero"`
	Do    *Do    `json:"do,omitzero"`
}

// Match is what an entry of a filter asks of a packet: all that is present. A list that is present and empty matches nothing.
type Match struct {
	Dst       string   `json:"dst,omitzero"` // a prefix
	Src       string   `json:"src,omitzero"`
	Proto     Values   `json:"proto,omitzero"`
	Port      Values   `json:"port,omitzero"` // source or destination
	DstPort   Values   `json:"dst-port,omitzero"`
	SrcPort   Values   `json:"src-port,omitzero"`
	ICMPType  Values   `json:"icmp-type,omitzero"`
	ICMPCode  Values   `json:"icmp-code,omitzero"`
	Length    Values   `json:"length,omitzero"`
	DSCP      Values   `json:"dscp,omitzero"`
	Label     Values   `json:"label,omitzero"`
	Flags     []Flags  `json:"flags,omitzero"`     // any of these
	Fragments []string `json:"fragments,omitzero"` // any of these: words of FragmentStates
}

// Values is a list of ranges, ends included.
type Values [][2]uint32

// Flags is the TCP flag words with all bits of Set and none of Clear.
type Flags struct {
	Set   uint16 `json:"set"`
	Clear uint16 `json:"clear"`
}

// FragmentStates are the words for what a packet is of a fragmented one.
var FragmentStates = [8]string{"whole", "first", "middle", "last", "whole df", "first df", "middle df", "last df"}

// Do is what an entry of a filter does. Without members it accepts.
type Do struct {
	Discard  bool   `json:"discard,omitzero"`
	Policer  string `json:"policer,omitzero"`
	Redirect string `json:"redirect,omitzero"` // an address, or a route target as the octets of its community
	Copy     bool   `json:"copy,omitzero"`     // the original goes on, a copy is redirected
	Mark     *uint8 `json:"mark,omitzero"`     // DSCP
	Sample   bool   `json:"sample,omitzero"`
	Continue bool   `json:"continue,omitzero"` // later entries are looked at as well
}

// Policer is a rate limiter of the filter.
type Policer struct {
	Name string  `json:"name"`
	Rate float32 `json:"rate"`
	Unit string  `json:"unit"` // "bytes/s" or "packets/s"
}

// Swap is an entry that the device looks at before entries of a rule which stands above the entry's own, and what decides every packet that it shares with
// those before either is asked: rules above Rule, and entries that the device looks at before Entry.
type Swap struct {
	Rule    int   `json:"rule"`
	Entry   int   `json:"entry"`
	Rules   []int `json:"rules"`
	Entries []int `json:"entries"`
}

// Loss is a rejected rule and a carried one below it that is as severe or more, and the carried rules above the second that decide every packet of both.
type Loss struct {
	Rule  int   `json:"rule"`
	Below int   `json:"below"`
	Rules []int `json:"rules"`
}
