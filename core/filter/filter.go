package filter

import (
	"net/netip"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// Mark is the prefix of the name of every object that sluice owns on a device.
const Mark = "sluice-"

// Placement says where our filter stands on an interface; it decides the tail.
type Placement string

// The placements (design: placement is a fact of the device).
const (
	Alone  Placement = "alone"  // our filter is the only one: a tail accepts the rest
	Before Placement = "before" // in front of the operator's filter: no tail, and nothing but discard ends evaluation
)

// Filter is a vendor-neutral filter: plain data, in the order of evaluation.
type Filter struct {
	Name      string         `json:"name"` // begins with Mark, such as "sluice-v4"
	Version   packet.Version `json:"version"`
	Placement Placement      `json:"placement"`
	Entries   []Entry        `json:"entries"`
	Policers  []Policer      `json:"policers,omitempty"`
}

// Entry is one line of a filter. The tail of placement Alone is no entry: dialects add it.
type Entry struct {
	Name    string      `json:"name"` // unique within the filter, and stable while the rule lives: "r-" and the rule's ID, "-2" for its second entry
	Rule    flowspec.ID `json:"rule"` // counters add up by rule
	Match   Match       `json:"match"`
	Do      Do          `json:"do"`
	Counter string      `json:"counter,omitempty"`
	// Place is where a device has the entry, in languages that number entries: a dialect reads it, and keeps it when it changes the entries around. 0: nowhere
	// yet. It means nothing to anybody else, decides nothing (the order of the list does) and goes nowhere.
	Place uint32 `json:"-"`
}

// Match is what an entry matches: the conditions that are set, all of them. A nil list is no condition; a list that is empty but not
// nil matches nothing. The tags say omitzero, never omitempty: an empty list that got lost on the way would make the entry match everything.
type Match struct {
	Dst       *netip.Prefix `json:"dst,omitzero"`
	Src       *netip.Prefix `json:"src,omitzero"`
	Proto     packet.Values `json:"proto,omitzero"` // protocol, or IPv6 upper-layer protocol
	Port      packet.Values `json:"port,omitzero"`  // source or destination port
	DstPort   packet.Values `json:"dst-port,omitzero"`
	SrcPort   packet.Values `json:"src-port,omitzero"`
	ICMPType  packet.Values `json:"icmp-type,omitzero"`
	ICMPCode  packet.Values `json:"icmp-code,omitzero"`
	Length    packet.Values `json:"length,omitzero"` // whole packet, with the IP header
	DSCP      packet.Values `json:"dscp,omitzero"`
	Label     packet.Values `json:"label,omitzero"`
	Flags     []FlagTerm    `json:"flags,omitzero"`     // any of these
	Fragments packet.Frags  `json:"fragments,omitzero"` // 0: no condition; IPv6 uses the lower four bits
}

// FlagTerm matches TCP flag words with all bits of Set and no bit of Clear.
type FlagTerm struct {
	Set   uint16 `json:"set"`
	Clear uint16 `json:"clear"`
}

// Do is what an entry does. A zero Do accepts.
type Do struct {
	Discard  bool               `json:"discard,omitempty"`
	Policer  string             `json:"policer,omitempty"` // name of one of the filter's policers
	Redirect *flowspec.Redirect `json:"redirect,omitempty"`
	Mark     *uint8             `json:"mark,omitempty"`
	Sample   bool               `json:"sample,omitempty"`
	Continue bool               `json:"continue,omitempty"`
}

// Policer is a rate limiter with identity: entries that name it share one bucket.
type Policer struct {
	Name  string        `json:"name"`
	Rate  flowspec.Rate `json:"rate"`  // as the rule asks; dialects convert the unit exactly (the planner has rounded it already)
	Burst uint64        `json:"burst"` // bytes, or packets when the rate counts packets
}

// Semantics says what a platform's filter entries mean where platforms differ. A profile embeds it.
type Semantics struct {
	// PortsCheckProtocol: a port condition by itself matches only TCP and UDP. Where false it reads the octets at that place of any protocol.
	PortsCheckProtocol bool `yaml:"ports-check-protocol" json:"ports-check-protocol"`
	// TransportChecksOffset: conditions on ports, flags and ICMP match only where the fragment offset is zero. Where false they may match later fragments as well.
	TransportChecksOffset bool `yaml:"transport-checks-offset" json:"transport-checks-offset"`
	// FlagsCheckProtocol, ICMPChecksProtocol: the same for TCP flags and ICMP fields.
	FlagsCheckProtocol bool `yaml:"flags-check-protocol" json:"flags-check-protocol"`
	ICMPChecksProtocol bool `yaml:"icmp-checks-protocol" json:"icmp-checks-protocol"`
	// TailDiscards: what no entry matches is discarded (so placement Alone needs a tail that accepts).
	TailDiscards bool `yaml:"tail-discards" json:"tail-discards"`
}

// Rendered is a filter in a vendor's language.
type Rendered struct {
	Text    string   // for people: what an operator would paste
	Payload []byte   // for the transport
	Entries []string // Text of each entry of the filter, in order
	Attach  []string // commands that an operator types once to attach the filter to interfaces
}

// Dialect is one vendor's language of filters.
type Dialect interface {
	// Name is the word that profiles use: "junos".
	Name() string
	Semantics() Semantics
	// Render writes f. It refuses, with an error that names entry and condition, what the language cannot say exactly; it never leaves a condition out.
	Render(f Filter) (Rendered, error)
	// Parse reads payload or text back. Anything it does not understand inside our objects is an error: a *ForeignError when the form is right
	// and the content is not what the dialect writes.
	Parse(b []byte) ([]Filter, error)
}

// Joining is a Dialect whose filters may stand in one object, such as a policy for both IP versions. The text of all is then another than their texts one behind the other.
type Joining interface {
	Dialect
	// Text returns filters as text, and refuses what Render refuses.
	Text(filters []Filter) (string, error)
}
