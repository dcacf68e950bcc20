// Package config turns one YAML file into a valid Config. What it returns needs no further checks: addresses are
// addresses, profiles exist, names are unique, secrets are resolved. What it does not understand it refuses, with file, line and
// column: an unknown key is an error, and so is a second document.
//
// docs/configuration.md is the reference, every key with its comment; a test reads it.
package config

import (
	"cmp"
	"net/netip"
	"time"

	"github.com/sluice-gateway/sluice/core/admit"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/profile"
)

// Config is everything that `sluice serve` needs to know.
type Config struct {
	RouterID  netip.Addr // IPv4
	AS        uint32
	Community uint32 // ours, on every path we send; a path that bears it is never a source. 0: none
	Software  string // names this version of the program; no file says so. "": whatever is new is adopted
	Shadow    bool   // send nothing to any device; of the command line, no file says so
	ListenBGP []netip.AddrPort
	ListenBMP []netip.AddrPort
	ListenAPI string // host:port, loopback
	Withdraw  bool   // of the command line: routers are to drop the rules when the gateway ends
	Store     string // file
	Profiles  string // directory with the user's own profiles, or ""

	DefaultTTL time.Duration // of API rules that name none; 0: they never expire
	MaxTTL     time.Duration // ceiling; 0: none

	VRFs    []VRF
	Sources []Source
	Devices []Device
	Groups  []Group
	AtOnce  int // how many devices have their filters changed at one moment; at least 1
	Plugins []Plugin
}

// Source is where rules come from. Exactly one of BGP, File, Pipe and API is set.
type Source struct {
	Name       flowspec.Source
	Preference int // of two sources with one NLRI the higher one's rule is in force
	Admit      admit.Policy
	MaxRules   int           // in force or not, at one time; 0: no limit
	Excess     Excess        // what becomes of a BGP source with more rules than MaxRules
	Compat     []string      // guard codes to let through with a warning (docs/notations.md)
	Hold       time.Duration // keep the rules that long after the source was lost; 0: withdraw at once
	Quiet      time.Duration // sweep stale rules after that long without an update instead of at End-of-RIB; 0: at End-of-RIB
	Validate   bool          // compare its rules with unicast routes (RFC 8955 §6, RFC 9117)
	VRF        string        // the VPN that its plain rules and its unicast routes are of, "": the global table
	Mass       Mass          // which withdrawals are too large to be believed at once
	Idle       Idle          // what becomes of its rules that match nothing

	BGP  *Peer
	File string // rule file, read again on SIGHUP
	Pipe string // "-" for standard input, or a FIFO, with ExaBGP API lines
	API  bool
}

// Mass is a withdrawal that is too large to be believed at once; rib.MassWithdrawal says what becomes of it. The zero Mass is none: every withdrawal is believed.
type Mass struct {
	Percent int // more than that share of the rules of the source, 1 to 99
	Within  time.Duration
	AtLeast int // rules; a source with fewer is believed
	Keep    time.Duration
}

// Excess is what happens when a source has more rules than it may. The zero Excess leaves out those that are too many.
type Excess struct {
	Warn     bool          // only say so, and take them
	Teardown time.Duration // end the session, and have no other for so long; 0: do not
}

// Peer is one BGP neighbour.
type Peer struct {
	Address  netip.Addr
	Prefix   netip.Prefix // valid: the neighbours are whoever connects from an address in it, Limit at most at a time; they have no Address
	Limit    int
	Port     uint16 // where we connect to; 0: 179
	AS       uint32
	LocalAS  uint32     // ours in this session; 0: that of Config
	Local    netip.Addr // our side of the session; zero: whatever the system chooses
	Families []flowspec.Family
	Unicast  []flowspec.Family // IPv4 and IPv6: whose unicast routes it is to send, to validate rules with
	Passive  bool              // wait for the neighbour to connect
	HoldTime time.Duration     // what we offer; 0 or at least 3 s
	// Restart is how long it is asked to keep our rules when the session is lost, and the longest that its own are kept; 0: graceful restart is not offered.
	Restart time.Duration
	// Password signs the TCP segments of the session (RFC 2385); "": none.
	Password device.Secret
	AddPath  bool // offer to take several paths for one NLRI (RFC 7911)
	Extended bool // offer messages of up to 65535 octets (RFC 8654)
	// Offsets is how IPv6 prefixes with an offset are written in the session; OffsetUnsaid: what the neighbour announces is refused where that makes a difference, and what it is given
	// is as its profile says.
	Offsets flowspec.OffsetForm
	Hops    int // with TTL security (RFC 5082), how far away it is at most, 1 to 254; 0: anywhere
}

// internal says whether a session is within one AS.
func (c *Config) internal(p Peer) bool { return p.AS == cmp.Or(p.LocalAS, c.AS) }

// Same says whether p and o are one neighbour, which has one session.
func (p Peer) Same(o Peer) bool {
	const bgp = 179
	return p.Address.IsValid() && p.Address == o.Address && p.Local == o.Local && cmp.Or(p.Port, bgp) == cmp.Or(o.Port, bgp)
}

// Device is one router under our care.
type Device struct {
	Name     string
	Profile  *profile.Profile
	Settings map[string]string // options of the profile
	BGP      *Peer
	BMP      netip.Addr // that it connects from to show what it holds of that session (RFC 7854); zero: it does not
	// BMPRD is the route distinguisher of the VRF of the device that the session is in, as BMP shows it; zero: in none. BMPPassword signs the connection (RFC 2385); "": none.
	BMPRD       flowspec.RD
	BMPPassword device.Secret
	Filter      *FilterDelivery
	Counters    *RouteCounters // nil: it is not asked what its routes have matched
	Alone       bool           // it is sent no two NLRIs in one UPDATE
	// Policy says how its routes leave in BGP.
	Policy device.Policy
	// Sources are those whose rules it takes; nil: all.
	Sources []flowspec.Source
	// MaxRoutes is how many FlowSpec routes the device holds; 0: as many as its profile says. Headroom is how many more it takes while a change is going on.
	MaxRoutes, Headroom int
	// Remedies are what may be done to keep rules in order on the device, of the names in plan.Remedies; nil: the default; empty: nothing.
	Remedies []string
	// Measured is the order in which the device was seen to evaluate routes; nil: nobody measured it.
	Measured *plan.MeasuredOrder
}

// Room returns how many routes the device holds at one time, for the moments of a change as well; 0: any number. Where the profile has a hard limit, that is
// the most.
func (d Device) Room() int {
	room := 0
	if d.MaxRoutes > 0 {
		room = d.MaxRoutes + d.Headroom
	}
	if hard := d.hard(); hard > 0 && (room == 0 || hard < room) {
		room = hard
	}
	return room
}

// VPNs returns the route distinguishers of the VPNs of d; nil: it has no session in a family for them.
func (d Device) VPNs() []flowspec.RD {
	var out []flowspec.RD
	for _, v := range d.Policy.VRFs {
		out = append(out, v.Of)
	}
	return out
}

// hard returns the number of rules above which the device takes none, or 0.
func (d Device) hard() int {
	if d.Profile == nil || d.Profile.Native == nil || d.Profile.Native.MaxRules.Soft {
		return 0
	}
	return max(d.Profile.Native.MaxRules.N, 0) // unlimited is negative
}

// Holding returns the profile of d with MaxRoutes as its hard limit, where that is the lower one: plans reject the rules that would go beyond it.
func (d Device) Holding() *profile.Profile {
	if hard := d.hard(); d.MaxRoutes == 0 || d.Profile.Native == nil || hard > 0 && hard <= d.MaxRoutes {
		return d.Profile
	}
	p, native := *d.Profile, *d.Profile.Native
	native.MaxRules = profile.Number{N: d.MaxRoutes}
	p.Native = &native
	return &p
}

// FilterDelivery says how a generated filter reaches a device.
type FilterDelivery struct {
	Adapter string // a shipped plugin or one of Plugins
	Target  device.Target
	// Instances are the routing instances of the device that filters may redirect into, by the route target that each imports. Target.Options holds them as well.
	Instances filter.Instances
	// Confirm is how long the device waits for our confirmation before it undoes a change, at most 60 s.
	Confirm time.Duration
	// Interval is the least time between two commits; what arrives meanwhile goes together. Nil: as the adapter needs it.
	Interval *time.Duration
	// Late is how much later than it should the device may undo a change; nil: as much as the adapter says of its devices.
	Late *time.Duration
	// Counters is how often counters are read; 0: never.
	Counters time.Duration
	// Unverified lets filters be written although nobody has reported that the platform was tried.
	Unverified bool
}

// RouteCounters says how a device is asked what the FlowSpec routes of its BGP session have matched.
type RouteCounters struct {
	Adapter string        // a shipped plugin or one of Plugins; it reads, and writes nothing
	Target  device.Target // by the name of the device and "counters": the way to its filters is another
	Every   time.Duration // how often; at least a second
}

// Plugin is a third party's adapter.
type Plugin struct {
	Name string
	File string
	// With are further files that the plugin is made of, such as the modules of a script.
	With []string
	// Pins are the checksums of File and of With, by path; nil: Unlocked.
	Pins map[string][32]byte
	// Unlocked runs the plugin without looking at its files; the gateway says so loudly at each start.
	Unlocked bool
	// Start is the longest that it may take to start, Memory how many octets of memory it may use.
	Start  time.Duration
	Memory uint64
}
