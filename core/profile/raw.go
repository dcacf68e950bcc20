package profile

// rawProfile and the types below are the file as it is written: strings with their places. Load turns them into a Profile.
type rawProfile struct {
	Name      word                     `yaml:"name"`
	Extends   word                     `yaml:"extends"`
	Aliases   []word                   `yaml:"aliases"`
	Vendor    word                     `yaml:"vendor"`
	Platform  word                     `yaml:"platform"`
	Releases  word                     `yaml:"releases"`
	Facts     []node[rawFact]          `yaml:"facts"`
	Native    node[rawNative]          `yaml:"native"`
	Filter    node[rawFilter]          `yaml:"filter"`
	Pipeline  node[rawPipeline]        `yaml:"pipeline"`
	Options   dict[node[rawOption]]    `yaml:"options"`
	Behaviour dict[node[rawBehaviour]] `yaml:"behaviour"`
	Warnings  []node[rawWarning]       `yaml:"warnings"`
	Without   []word                   `yaml:"without"`
}

// rawChange is what a value of an option changes in a profile.
type rawChange struct {
	Native    node[rawNative]          `yaml:"native"`
	Filter    node[rawFilter]          `yaml:"filter"`
	Pipeline  node[rawPipeline]        `yaml:"pipeline"`
	Behaviour dict[node[rawBehaviour]] `yaml:"behaviour"`
	Warnings  []node[rawWarning]       `yaml:"warnings"`
	Without   []word                   `yaml:"without"`
}

type rawFact struct {
	ID      word `yaml:"id"`
	Text    word `yaml:"text"`
	Source  word `yaml:"source"`
	Checked word `yaml:"checked"`
	Basis   word `yaml:"basis"`
}

type rawNative struct {
	Cannot     *bool                    `yaml:"cannot"`
	Fact       factRef                  `yaml:"fact"`
	Families   node[rawFamilies]        `yaml:"families"`
	Components dict[node[rawComponent]] `yaml:"components"`
	Exclude    []node[rawExclusion]     `yaml:"exclude"`
	Needs      []node[rawNeed]          `yaml:"needs"`
	Actions    node[rawActions]         `yaml:"actions"`
	Fails      node[rawFails]           `yaml:"redirect-fails"`
	Order      node[rawOrder]           `yaml:"order"`
	OrderV6    node[rawOrder]           `yaml:"order-v6"`
	MaxNLRI    number                   `yaml:"max-nlri"`
	IPv6Offset node[rawOffset]          `yaml:"ipv6-offset"`
	MaxRules   number                   `yaml:"max-rules"`
	Cost       node[rawCost]            `yaml:"cost"`
}

type rawFamilies struct {
	List []word  `yaml:"list"`
	Fact factRef `yaml:"fact"`
}

type rawComponent struct {
	Cannot   bool          `yaml:"cannot"`
	Ops      []word        `yaml:"ops"`
	OpFacts  dict[factRef] `yaml:"op-facts"`
	Values   number        `yaml:"values"`
	MaxPairs number        `yaml:"max-pairs"`
	MinValue number        `yaml:"min-value"`
	MaxValue number        `yaml:"max-value"`
	ExceptV6 []number      `yaml:"except-v6"`
	Bits     number        `yaml:"bits"`
	BitsV6   number        `yaml:"bits-v6"`
	MaxBits  number        `yaml:"max-bits"`
	MaxWidth number        `yaml:"max-width"`
	Offset   bool          `yaml:"offset"`
	Families []word        `yaml:"families"`
	Fact     factRef       `yaml:"fact"`
	FactV6   factRef       `yaml:"fact-v6"`
	Reads    factRef       `yaml:"reads"`
}

type rawExclusion struct {
	Types []word  `yaml:"types"`
	Fact  factRef `yaml:"fact"`
}

type rawNeed struct {
	Of     []word   `yaml:"of"`
	OneOf  []word   `yaml:"one-of"`
	Values []number `yaml:"values"`
	Fact   factRef  `yaml:"fact"`
}

type rawActions struct {
	Accept      node[rawCan]               `yaml:"accept"`
	Discard     node[rawCan]               `yaml:"discard"`
	RateBytes   node[rawRate]              `yaml:"rate-bytes"`
	RatePackets node[rawRate]              `yaml:"rate-packets"`
	Mark        node[rawCan]               `yaml:"mark"`
	Sample      node[rawCan]               `yaml:"sample"`
	Continue    node[rawCan]               `yaml:"continue"`
	Copy        node[rawCan]               `yaml:"copy"`
	Redirects   dict[node[rawCan]]         `yaml:"redirects"`
	Exclude     []node[rawActionExclusion] `yaml:"exclude"`
}

type rawCan struct {
	Cannot   bool    `yaml:"cannot"`
	Families []word  `yaml:"families"`
	Instance bool    `yaml:"instance"`
	Fact     factRef `yaml:"fact"`
}

type rawOffset struct {
	Form word    `yaml:"form"`
	Fact factRef `yaml:"fact"`
}

type rawFails struct {
	To   word    `yaml:"to"`
	Fact factRef `yaml:"fact"`
}

type rawRate struct {
	Cannot     bool    `yaml:"cannot"`
	Unit       word    `yaml:"unit"`
	Step       number  `yaml:"step"`
	Floor      number  `yaml:"floor"`
	BelowFloor word    `yaml:"below-floor"`
	Ceiling    number  `yaml:"ceiling"`
	Fact       factRef `yaml:"fact"`
}

type rawActionExclusion struct {
	Actions []word  `yaml:"actions"`
	Fact    factRef `yaml:"fact"`
}

type rawOrder struct {
	Kind             word    `yaml:"kind"`
	ByReceivedOctets bool    `yaml:"by-received-octets"`
	PrefixLever      bool    `yaml:"prefix-lever"`
	AlwaysFalse      bool    `yaml:"always-false"`
	Fact             factRef `yaml:"fact"`
}

type rawFilter struct {
	Cannot        *bool                    `yaml:"cannot"`
	Dialect       word                     `yaml:"dialect"`
	Fact          factRef                  `yaml:"fact"`
	Semantics     node[rawSemantics]       `yaml:"semantics"`
	Versions      []int                    `yaml:"versions"`
	Components    dict[node[rawComponent]] `yaml:"components"`
	Exclude       []node[rawExclusion]     `yaml:"exclude"`
	Actions       node[rawActions]         `yaml:"actions"`
	SharedPolicer node[rawCan]             `yaml:"shared-policer"`
	OffsetApart   node[rawCan]             `yaml:"offset-apart"`
	Burst         node[rawBurst]           `yaml:"burst"`
	MaxEntries    number                   `yaml:"max-entries"`
	Cost          node[rawCost]            `yaml:"cost"`
}

type rawSemantics struct {
	PortsCheckProtocol    *bool   `yaml:"ports-check-protocol"`
	TransportChecksOffset *bool   `yaml:"transport-checks-offset"`
	FlagsCheckProtocol    *bool   `yaml:"flags-check-protocol"`
	ICMPChecksProtocol    *bool   `yaml:"icmp-checks-protocol"`
	TailDiscards          *bool   `yaml:"tail-discards"`
	Fact                  factRef `yaml:"fact"`
}

type rawBurst struct {
	MS   int     `yaml:"milliseconds"`
	Min  uint64  `yaml:"min-bytes"`
	Max  uint64  `yaml:"max-bytes"`
	Fact factRef `yaml:"fact"`
}

type rawPipeline struct {
	Stages []word  `yaml:"stages"`
	Fact   factRef `yaml:"fact"`
}

type rawOption struct {
	Values []word                `yaml:"values"`
	Text   word                  `yaml:"text"`
	Fact   factRef               `yaml:"fact"`
	Set    dict[node[rawChange]] `yaml:"set"`
}

type rawBehaviour struct {
	Says word    `yaml:"says"`
	Fact factRef `yaml:"fact"`
}

type rawWarning struct {
	Code    word    `yaml:"code"`
	When    word    `yaml:"when"`
	Unless  word    `yaml:"unless"`
	Above   number  `yaml:"above"`
	Text    word    `yaml:"text"`
	Command word    `yaml:"command"`
	Fact    factRef `yaml:"fact"`
}
