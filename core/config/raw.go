package config

// The raw types hold the file as it was written: strings and pointers, nothing checked. build.go makes values of them.

type rawConfig struct {
	RouterID  string      `yaml:"router-id"`
	AS        uint32      `yaml:"as"`
	Community *string     `yaml:"community"`
	NoExport  *bool       `yaml:"no-export"`
	Listen    rawListen   `yaml:"listen"`
	Store     string      `yaml:"store"`
	Profiles  string      `yaml:"profiles"`
	TTL       rawTTL      `yaml:"ttl"`
	Protected []string    `yaml:"protected"`
	Idle      *rawIdle    `yaml:"idle"`
	VRFs      []rawVRF    `yaml:"vrfs"`
	Sources   []rawSource `yaml:"sources"`
	Devices   []rawDevice `yaml:"devices"`
	Groups    []rawGroup  `yaml:"groups"`
	AtOnce    *int        `yaml:"commits-at-once"`
	Plugins   []rawPlugin `yaml:"plugins"`
	Lock      string      `yaml:"lock"`
}

type rawListen struct {
	BGP []string `yaml:"bgp"`
	BMP []string `yaml:"bmp"`
	API string   `yaml:"api"`
}

type rawTTL struct {
	Default string `yaml:"default"`
	Max     string `yaml:"max"`
}

// rawVRF is a VPN; under a device it says what is different there.
type rawVRF struct {
	Name    string     `yaml:"name"`
	RD      string     `yaml:"rd"`
	Targets rawTargets `yaml:"route-targets"`
}

type rawTargets struct {
	Import []string `yaml:"import"`
	Export []string `yaml:"export"`
}

type rawCommunities struct {
	Add   []string `yaml:"add"`
	Strip []string `yaml:"strip"`
}

type rawSource struct {
	Name       string   `yaml:"name"`
	Preference int      `yaml:"preference"`
	OnLoss     *string  `yaml:"on-loss"`
	Resync     string   `yaml:"resync"`
	Compat     []string `yaml:"compat"`
	VRF        string   `yaml:"vrf"`
	Validation string   `yaml:"validation"`
	Mass       *rawMass `yaml:"mass-withdrawal"`
	Idle       *rawIdle `yaml:"idle"`
	Allow      rawAllow `yaml:"allow"`

	BGP  *rawPeer `yaml:"bgp"`
	File string   `yaml:"file"`
	Pipe string   `yaml:"pipe"`
	API  bool     `yaml:"api"`
}

type rawMass struct {
	MoreThan string `yaml:"more-than"`
	Within   string `yaml:"within"`
	AtLeast  *int   `yaml:"of-at-least"`
	Keep     string `yaml:"keep"`
}

type rawIdle struct {
	After string `yaml:"after"`
	Then  string `yaml:"then"`
}

type rawAllow struct {
	Destinations []string `yaml:"destinations"`
	VRFs         []string `yaml:"vrfs"`
	Components   []string `yaml:"components"`
	Actions      []string `yaml:"actions"`
	Originators  []string `yaml:"originators"`
	NeighbourAS  []uint32 `yaml:"neighbour-as"`
	Communities  []string `yaml:"communities"`
	MaxRules     int      `yaml:"max-rules"`
	OnExcess     string   `yaml:"on-excess"`
	MaxTTL       string   `yaml:"max-ttl"`
}

type rawPeer struct {
	Address  string     `yaml:"address"`
	Limit    *int       `yaml:"limit"`
	Port     uint16     `yaml:"port"`
	AS       uint32     `yaml:"as"`
	LocalAS  uint32     `yaml:"local-as"`
	Local    string     `yaml:"local-address"`
	Families []string   `yaml:"families"`
	Passive  bool       `yaml:"passive"`
	HoldTime string     `yaml:"hold-time"`
	Restart  string     `yaml:"graceful-restart"`
	Password *rawSecret `yaml:"md5-password"`
	Extended bool       `yaml:"extended-messages"`
	AddPath  bool       `yaml:"add-path"`
	Hops     int        `yaml:"ttl-security"`
	Offsets  string     `yaml:"ipv6-offset"`
}

type rawDevice struct {
	Name        string         `yaml:"name"`
	Profile     string         `yaml:"profile"`
	Profiles    []string       `yaml:"profiles"`
	BGP         *rawPeer       `yaml:"bgp"`
	BMP         string         `yaml:"bmp"`
	BMPRD       string         `yaml:"bmp-rd"`
	BMPPassword *rawSecret     `yaml:"bmp-md5-password"`
	Alone       bool           `yaml:"one-nlri-per-update"`
	VRFs        []rawVRF       `yaml:"vrfs"`
	Sources     *[]string      `yaml:"sources"`
	Communities rawCommunities `yaml:"communities"`
	Filter      *rawFilter     `yaml:"filter"`
	Counters    *rawReach      `yaml:"counters"`
	MaxRoutes   string         `yaml:"max-routes"`
	Headroom    int            `yaml:"headroom"`
	Remedies    *[]string      `yaml:"remedies"`
	Measured    string         `yaml:"measured-order"`
}

type rawGroup struct {
	Name       string   `yaml:"name"`
	Devices    []string `yaml:"devices"`
	Canary     []string `yaml:"canary"`
	Watch      string   `yaml:"watch"`
	Soak       string   `yaml:"soak"`
	CanaryDown string   `yaml:"canary-down"`
}

// rawReach is how an adapter reaches a device.
type rawReach struct {
	Adapter    string            `yaml:"adapter"`
	Address    string            `yaml:"address"`
	Username   string            `yaml:"username"`
	Password   *rawSecret        `yaml:"password"`
	PrivateKey *rawSecret        `yaml:"private-key"`
	KnownHosts string            `yaml:"known-hosts"`
	HostKey    string            `yaml:"host-key"`
	Insecure   bool              `yaml:"insecure-ignore-host-key"`
	Options    map[string]string `yaml:"options"`
	Timeout    string            `yaml:"timeout"`
	Counters   string            `yaml:"count-every"`
}

type rawFilter struct {
	Reach      rawReach          `yaml:",inline"`
	Placement  string            `yaml:"placement"`
	Interfaces []string          `yaml:"interfaces"`
	Instances  map[string]string `yaml:"instances"`
	Confirm    string            `yaml:"confirm-within"`
	Interval   string            `yaml:"commit-interval"`
	Late       string            `yaml:"undo-late"`
	Unverified bool              `yaml:"unverified-device"`
}

// rawSecret names where a secret is; a secret itself never stands in the file.
type rawSecret struct {
	Env     string   `yaml:"env"`
	File    string   `yaml:"file"`
	Command []string `yaml:"command"`
}

type rawPlugin struct {
	Name     string   `yaml:"name"`
	File     string   `yaml:"file"`
	With     []string `yaml:"with"`
	SHA256   string   `yaml:"sha256"`
	Unlocked bool     `yaml:"unlocked"`
	Start    string   `yaml:"start-within"`
	Memory   string   `yaml:"memory"`
}
