// Package certificate is the file in which sluice writes down that a plan is right, so that somebody else can check it.
//
// A certificate is plain data and stands for itself: the rules as they were asked, as the octets of BGP; what the device is given for them, in the same
// form; what is taken for granted of the device; and the steps of the proof that a checker would otherwise have to search for. docs/certificates.md
// describes every member. Package issue makes one from a plan, and package verify checks one; they share nothing but these types, and this
// package imports nothing of sluice.
package certificate

// Version is the version of the form that this package reads and writes.
const Version = 2

// Certificate is one plan of one device, with its proof.
type Certificate struct {
	Version  int               `json:"sluice-certificate"`
	Profile  string            `json:"profile"`
	Settings map[string]string `json:"settings,omitzero"` // options of the profile that were set
	Platform Platform          `json:"platform"`
	Facts    []Fact            `json:"facts"`
	Rules    []Rule            `json:"rules"`   // of one family and route distinguisher in the order of RFC 8955
	Entries  []Entry           `json:"entries"` // of one stage, the same; those of a filter in the order of their evaluation
	Steps    []Step            `json:"steps"`
}

// Platform is what the proof takes for granted of the device.
type Platform struct {
	Order     string     `json:"order,omitzero"`    // of FlowSpec: "rfc8955", or "unknown"
	OrderV6   string     `json:"order-v6,omitzero"` // the same for IPv6
	Pipeline  []string   `json:"pipeline,omitzero"` // "filter", "flowspec": in which order they see a packet; the proof holds for any
	Placement string     `json:"placement"`         // of filters: "alone", or "before" the operator's own
	Filter    *Semantics `json:"filter,omitzero"`
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

// Clause is what a packet is asked, and what happens to it then.
type Clause struct {
	NLRI    string   `json:"nlri"` // hexadecimal, with its length octets (RFC 8955 §4.1)
	Actions []string `json:"actions"`
	NextHop string   `json:"next-hop,omitzero"` // of MP_REACH_NLRI, where an action needs it
}

// Rule is one rule as it was asked, and what is claimed of it.
type Rule struct {
	ID     string `json:"id"`
	Family string `json:"family"` // "ipv4", "ipv6", "vpnv4" or "vpnv6"
	Clause
	Rejected bool `json:"rejected,omitzero"` // it has no entries
	Exact    bool `json:"exact"`
	// Above names rules that stand before this one and decide whatever its entries leave out.
	Above []int `json:"above,omitzero"`
}

// The stages of a device.
const (
	FlowSpec = "flowspec"
	Filter   = "filter"
)

// Entry is one thing that the device is given: a route, or an entry of a filter. The NLRI of the latter asks for the same fields as the entry and
// the same values of them; what a packet must be beyond that is what [Semantics] says.
type Entry struct {
	Rule  int    `json:"rule"`          // which it is for: a place in Rules
	Stage string `json:"stage"`         // FlowSpec or Filter
	Name  string `json:"name,omitzero"` // of an entry of a filter
	Clause
	Policer string `json:"policer,omitzero"` // of the filter, that it draws from
	// Measured is the place that a route has, from 1, among those of which the device was seen to evaluate one before another; 0: none.
	Measured int `json:"measured,omitzero"`
}

// Step is a place in the proof where something has to be shown of Rule, and of Entry, which is for a rule below that one: the device looks at
// Entry before it looks at entries of Rule; or Rule is rejected. Rules and Entries decide every packet of both before it gets so far.
type Step struct {
	Rule    int   `json:"rule"`
	Entry   int   `json:"entry"`
	Rules   []int `json:"rules"`   // above Rule; above the rule of Entry where Rule is rejected
	Entries []int `json:"entries"` // before Entry, in its stage
}
