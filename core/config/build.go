package config

import (
	"encoding/hex"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"github.com/sluice-gateway/sluice/core/admit"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/notation"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/profile"
)

// Defaults of what a file leaves out.
const (
	defaultAPI      = "127.0.0.1:8330"
	defaultHoldTime = 90 * time.Second // RFC 4271 §10
	defaultRestart  = 2 * time.Minute  // long enough for a restart of the gateway, short enough for what nobody will withdraw
	defaultTeardown = 10 * time.Minute // of a source with too many rules
	defaultIBGPHold = 10 * time.Minute // rules of a lost iBGP source
	defaultConfirm  = 30 * time.Second
	maxConfirm      = 60 * time.Second // the device's candidate is locked that long
	defaultInterval = 5 * time.Second
	defaultTimeout  = 30 * time.Second
)

// start returns the first token of a node: of a mapping the first key, not its colon.
func start(n ast.Node) *token.Token {
	switch n := n.(type) {
	case *ast.MappingNode:
		if len(n.Values) > 0 {
			return n.Values[0].Key.GetToken()
		}
	case *ast.MappingValueNode:
		return n.Key.GetToken()
	}
	return n.GetToken()
}

func (b *builder) config(raw rawConfig) *Config {
	c := &Config{
		AS: raw.AS, Store: raw.Store, Profiles: raw.Profiles,
		NoExport:   raw.NoExport == nil || *raw.NoExport,
		DefaultTTL: b.duration("$.ttl.default", raw.TTL.Default, 0),
		MaxTTL:     b.duration("$.ttl.max", raw.TTL.Max, 0),
	}
	c.RouterID = b.routerID(raw.RouterID)
	if c.AS == 0 {
		b.fail("$.as", "missing: the autonomous system number of the gateway")
	}
	if c.Store == "" {
		b.fail("$.store", "missing: the file that keeps rules across restarts")
	}
	if c.MaxTTL > 0 && c.DefaultTTL > c.MaxTTL {
		b.fail("$.ttl.default", "%v is above the ceiling of %v", c.DefaultTTL, c.MaxTTL)
	}
	c.Community = b.ownCommunity(raw)
	c.ListenAPI = b.listenAPI(raw.Listen.API)
	for i, s := range raw.Listen.BGP {
		if at, err := netip.ParseAddrPort(s); err != nil {
			b.fail(fmt.Sprintf("$.listen.bgp[%d]", i), "%q is not ADDRESS:PORT, such as 192.0.2.1:179", s)
		} else {
			c.ListenBGP = append(c.ListenBGP, at)
		}
	}
	set := b.profiles(raw.Profiles)
	c.Plugins = b.plugins(raw.Plugins)
	c.VRFs = b.vrfs(raw.VRFs)
	c.Sources = b.sources(raw, c)
	b.protect(c, raw.Protected)
	c.Devices = b.devices(raw, c, set)
	b.neighbours(c)
	return c
}

func (b *builder) routerID(s string) netip.Addr {
	a, err := netip.ParseAddr(s)
	if err != nil || !a.Is4() || a.IsUnspecified() {
		b.fail("$.router-id", "%q is not an IPv4 address, such as 192.0.2.1", s)
	}
	return a
}

// ownCommunity is AS:6666 unless the file says otherwise; "none" switches it off. An AS above 65535 has no such community by itself.
func (b *builder) ownCommunity(raw rawConfig) uint32 {
	if raw.Community == nil {
		if raw.AS > 0xffff {
			b.fail("$.community", "missing: an AS above 65535 has no community of its own; name one, or \"none\"")
			return 0
		}
		return raw.AS<<16 | 6666
	}
	if *raw.Community == "none" {
		return 0
	}
	high, low, ok := strings.Cut(*raw.Community, ":")
	h, err1 := strconv.ParseUint(high, 10, 16)
	l, err2 := strconv.ParseUint(low, 10, 16)
	if !ok || err1 != nil || err2 != nil {
		b.fail("$.community", "%q is not a community, such as 64512:6666, or \"none\"", *raw.Community)
	}
	return uint32(h<<16 | l)
}

func (b *builder) listenAPI(s string) string {
	if s == "" {
		return defaultAPI
	}
	host, _, err := net.SplitHostPort(s)
	if err != nil {
		b.fail("$.listen.api", "%q is not HOST:PORT, such as %s", s, defaultAPI)
		return s
	}
	if a, err := netip.ParseAddr(host); (err != nil || !a.IsLoopback()) && host != "localhost" {
		b.fail("$.listen.api", "%q is not a loopback address: the API has no users and no TLS yet, so it listens on loopback only", host)
	}
	return s
}

// profiles returns the profiles to choose from: the embedded ones and the user's own.
func (b *builder) profiles(dir string) *profile.Library {
	set, err := b.env.Profiles(dir)
	if err != nil {
		b.fail("$.profiles", "%v", err)
	}
	return set
}

func (b *builder) sources(raw rawConfig, c *Config) []Source {
	seen := map[string]bool{}
	var out []Source
	for i, rs := range raw.Sources {
		path := fmt.Sprintf("$.sources[%d]", i)
		b.name(path, rs.Name, seen)
		s := Source{
			Name: flowspec.Source(rs.Name), Preference: rs.Preference, Compat: rs.Compat,
			MaxRules: rs.Allow.MaxRules, File: rs.File, Pipe: rs.Pipe, API: rs.API,
		}
		s.Admit = b.policy(path+".allow", rs.Allow)
		for j, code := range rs.Compat {
			if err := notation.CheckCompat(code); err != nil {
				b.fail(fmt.Sprintf("%s.compat[%d]", path, j), "%v", err)
			}
		}
		if rs.BGP != nil {
			s.BGP = b.peer(path+".bgp", *rs.BGP)
		}
		if kinds(s) != 1 {
			b.fail(path, "needs exactly one of bgp, file, pipe and api")
		}
		switch {
		case s.API && slices.ContainsFunc(out, func(o Source) bool { return o.API }):
			b.fail(path+".api", "there is a source with api: true already: rules that come by API belong to one source")
		case s.Pipe != "" && slices.ContainsFunc(out, func(o Source) bool { return o.Pipe == s.Pipe }):
			b.fail(path+".pipe", "another source reads %s already: each would get some of its lines", s.Pipe)
		}
		b.within(path, rs, c, &s)
		s.Excess = b.onExcess(path+".allow.on-excess", rs.Allow.OnExcess, s)
		s.Hold = b.onLoss(path+".on-loss", rs.OnLoss, s.BGP != nil && s.BGP.AS == c.AS)
		s.Quiet = b.resync(path+".resync", rs.Resync)
		out = append(out, s)
	}
	return out
}

func kinds(s Source) int {
	n := 0
	for _, set := range []bool{s.BGP != nil, s.File != "", s.Pipe != "", s.API} {
		if set {
			n++
		}
	}
	return n
}

// onLoss reads "withdraw" or "hold DURATION". The rules of a lost iBGP source are held for ten minutes by default: it is usually our own
// detector that restarts. Those of an eBGP source are withdrawn: its owner may have meant it.
func (b *builder) onLoss(path string, s *string, ibgp bool) time.Duration {
	switch {
	case s == nil && ibgp:
		return defaultIBGPHold
	case s == nil || *s == "withdraw":
		return 0
	}
	d, ok := strings.CutPrefix(*s, "hold ")
	if !ok {
		b.fail(path, "%q is neither \"withdraw\" nor \"hold DURATION\"", *s)
		return 0
	}
	return b.duration(path, d, 0)
}

// onExcess reads "discard", "warn", "teardown" or "teardown DURATION".
func (b *builder) onExcess(path, s string, of Source) Excess {
	var out Excess
	word, rest, _ := strings.Cut(s, " ")
	switch {
	case s == "":
		return out
	case of.BGP == nil:
		b.fail(path, "is for BGP sources: whoever brings rules in another way is told that there are too many")
	case of.MaxRules == 0:
		b.fail(path, "there is no max-rules to exceed")
	case s == "warn":
		out.Warn = true
	case word == "teardown":
		if out.Teardown = b.duration(path, rest, defaultTeardown); out.Teardown < time.Second {
			b.fail(path, "%v is less than a second: the source would be back at once with the same rules", out.Teardown)
		}
	case s != "discard":
		b.fail(path, "%q is neither \"discard\", \"warn\" nor \"teardown DURATION\"", s)
	}
	return out
}

// resync reads "end-of-rib" or "quiet DURATION".
func (b *builder) resync(path, s string) time.Duration {
	if s == "" || s == "end-of-rib" {
		return 0
	}
	d, ok := strings.CutPrefix(s, "quiet ")
	if !ok {
		b.fail(path, "%q is neither \"end-of-rib\" nor \"quiet DURATION\"", s)
		return 0
	}
	return b.duration(path, d, 0)
}

// actionWords are the words of allow.actions.
var actionWords = []string{"accept", "discard", "rate-limit", "redirect", "mark", "sample", "continue"}

func (b *builder) policy(path string, raw rawAllow) admit.Policy {
	p := admit.Policy{MaxTTL: b.duration(path+".max-ttl", raw.MaxTTL, 0)}
	if raw.MaxRules < 0 {
		b.fail(path+".max-rules", "%d is negative", raw.MaxRules)
	}
	if len(raw.Destinations) == 0 {
		b.fail(path+".destinations", "missing: the prefixes that this source may filter, or [any]")
	}
	for i, s := range raw.Destinations {
		if s == "any" {
			p.AnyDestination = true
			continue
		}
		if q, ok := b.prefix(fmt.Sprintf("%s.destinations[%d]", path, i), s); ok {
			p.Destinations = append(p.Destinations, q)
		}
	}
	for i, s := range raw.Components {
		if t, ok := flowspec.ParseType(s); ok {
			p.Components = append(p.Components, t)
		} else {
			b.fail(fmt.Sprintf("%s.components[%d]", path, i), "%q is no component", s)
		}
	}
	for i, s := range raw.Actions {
		if slices.Contains(actionWords, s) {
			p.Actions = append(p.Actions, s)
		} else {
			b.fail(fmt.Sprintf("%s.actions[%d]", path, i), "%q is no action: %s", s, strings.Join(actionWords, ", "))
		}
	}
	return p.Indexed()
}

// protect keeps every source from filtering packets to the prefixes of list.
func (b *builder) protect(c *Config, list []string) {
	var protected []netip.Prefix
	for i, s := range list {
		if q, ok := b.prefix(fmt.Sprintf("$.protected[%d]", i), s); ok {
			protected = append(protected, q)
		}
	}
	for i := range c.Sources {
		c.Sources[i].Admit.Protected = protected
	}
}

func (b *builder) prefix(path, s string) (netip.Prefix, bool) {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		b.fail(path, "%q is not a prefix, such as 203.0.113.0/24", s)
		return p, false
	}
	if p != p.Masked() {
		b.fail(path, "%s has bits set outside its length; write %s", p, p.Masked())
		return p, false
	}
	return p, true
}

func (b *builder) peer(path string, raw rawPeer) *Peer {
	p := &Peer{Port: raw.Port, AS: raw.AS, Passive: raw.Passive, HoldTime: b.duration(path+".hold-time", raw.HoldTime, defaultHoldTime)}
	var err error
	if p.Address, err = netip.ParseAddr(raw.Address); err != nil {
		b.fail(path+".address", "%q is not an address", raw.Address)
	}
	if raw.Local != "" {
		if p.Local, err = netip.ParseAddr(raw.Local); err != nil {
			b.fail(path+".local-address", "%q is not an address", raw.Local)
		}
	}
	if p.Local.IsValid() && p.Address.IsValid() && p.Local.Is4() != p.Address.Is4() {
		b.fail(path+".local-address", "%s and %s are not of one IP version", p.Local, p.Address)
	}
	if p.AS == 0 {
		b.fail(path+".as", "missing: the neighbour's autonomous system number")
	}
	// RFC 4271 §4.2: zero, or at least three seconds.
	if p.HoldTime != 0 && (p.HoldTime < 3*time.Second || p.HoldTime > 65535*time.Second) {
		b.fail(path+".hold-time", "%v is neither 0 nor between 3s and 65535s", p.HoldTime)
	}
	p.Extended, p.Hops, p.Password = raw.Extended, raw.Hops, b.secret(path+".md5-password", raw.Password)
	if len(p.Password) > 80 {
		b.fail(path+".md5-password", "%d octets, and a TCP MD5 signature takes 80", len(p.Password))
	}
	if p.Hops < 0 || p.Hops > 254 {
		b.fail(path+".ttl-security", "%d: the number of hops to the neighbour is 1 to 254 (1: on the same link), and 0 is no TTL security", p.Hops)
	}
	// RFC 4724 §3: twelve bits of seconds.
	if p.Restart = b.duration(path+".graceful-restart", raw.Restart, defaultRestart); p.Restart > 4095*time.Second || p.Restart%time.Second != 0 {
		b.fail(path+".graceful-restart", "%v is not whole seconds up to 4095s", p.Restart)
	}
	for i, s := range raw.Families {
		f, ok := familyNamed(s)
		if !ok {
			b.fail(fmt.Sprintf("%s.families[%d]", path, i), "%q is no family: ipv4, ipv6, vpnv4, vpnv6", s)
			continue
		}
		p.Families = append(p.Families, f)
	}
	if len(raw.Families) == 0 {
		b.fail(path+".families", "missing: of ipv4, ipv6, vpnv4 and vpnv6 exactly what the neighbour has configured")
	}
	return p
}

func familyNamed(s string) (flowspec.Family, bool) {
	for f := flowspec.IPv4; f <= flowspec.VPNv6; f++ {
		if f.String() == s {
			return f, true
		}
	}
	return 0, false
}

func (b *builder) devices(raw rawConfig, c *Config, set *profile.Library) []Device {
	seen := map[string]bool{}
	var out []Device
	for i, rd := range raw.Devices {
		path := fmt.Sprintf("$.devices[%d]", i)
		b.name(path, rd.Name, seen)
		d := Device{Name: rd.Name}
		if set != nil {
			p, settings, err := set.Select(rd.Profile)
			if err != nil {
				b.fail(path+".profile", "%v", err)
			}
			d.Profile, d.Settings = p, settings
		}
		if rd.BGP != nil {
			d.BGP = b.peer(path+".bgp", *rd.BGP)
		}
		if d.Alone = rd.Alone; d.Alone && d.BGP == nil {
			b.fail(path+".one-nlri-per-update", "UPDATEs are BGP's, and the device has no bgp")
		}
		if rd.Filter != nil {
			d.Filter = b.filter(path+".filter", rd.Name, *rd.Filter)
		}
		if d.Profile != nil && d.BGP != nil && d.Profile.Native == nil {
			why := ""
			if f, ok := d.Profile.Facts[d.Profile.NoNative]; ok {
				why = " (" + f.Text + ")"
			}
			b.fail(path+".bgp", "profile %s has no FlowSpec by BGP: give the device a filter adapter instead%s", d.Profile.Title(), why)
		}
		if d.Profile != nil && d.Filter != nil && d.Profile.Filter == nil {
			b.fail(path+".filter", "profile %s has no filters: give the device a BGP session instead", d.Profile.Name)
		}
		b.deviceVRFs(path, rd, c, &d)
		b.communities(path+".communities", rd, c, &d)
		b.room(path, rd, &d)
		if rd.Remedies != nil {
			d.Remedies = append([]string{}, *rd.Remedies...) // never nil: none is none
		}
		b.measured(path+".measured-order", rd, &d)
		for _, name := range d.Remedies {
			if !slices.Contains(plan.Remedies, name) {
				b.fail(path+".remedies", "%q is no remedy: there are %s", name, strings.Join(plan.Remedies, ", "))
			}
		}
		if d.BGP == nil && d.Filter == nil {
			b.fail(path, "needs bgp, filter or both: a way to deliver")
		}
		out = append(out, d)
	}
	return out
}

// room reads how many routes a device holds.
func (b *builder) room(path string, raw rawDevice, d *Device) {
	d.MaxRoutes, d.Headroom = raw.MaxRoutes, raw.Headroom
	switch {
	case raw.MaxRoutes < 0:
		b.fail(path+".max-routes", "%d is negative", raw.MaxRoutes)
	case raw.Headroom < 0:
		b.fail(path+".headroom", "%d is negative", raw.Headroom)
	case raw.Headroom > 0 && raw.MaxRoutes == 0:
		b.fail(path+".headroom", "headroom is beyond max-routes, and there is no max-routes")
	case raw.MaxRoutes > 0 && raw.BGP == nil:
		b.fail(path+".max-routes", "routes are what BGP carries, and the device has no bgp")
	}
}

// measured reads the order that was measured on a device. Whether it agrees with the profile is asked here, so that a gateway does not start to find out.
func (b *builder) measured(path string, raw rawDevice, d *Device) {
	if raw.Measured == "" {
		return
	}
	octets, err := b.env.ReadFile(raw.Measured)
	if err == nil {
		d.Measured, err = ReadOrder(raw.Measured, octets)
	}
	if err == nil && d.Profile != nil {
		err = plan.Options{Settings: d.Settings, Measured: d.Measured}.Check(d.Profile)
	}
	switch {
	case err != nil:
		b.fail(path, "%v", err)
	case raw.BGP == nil:
		b.fail(path, "the order of routes is that of BGP, and the device has no bgp")
	}
}

// neighbours checks that nobody is there twice. Only a source and a device may be one neighbour: one session then carries both directions, so what is said of
// it must agree.
func (b *builder) neighbours(c *Config) {
	type end struct {
		path, name string
		device     bool
		*Peer
	}
	var ends []end
	for i, d := range c.Devices {
		if d.BGP != nil {
			ends = append(ends, end{fmt.Sprintf("$.devices[%d]", i), d.Name, true, d.BGP})
		}
	}
	for i, s := range c.Sources {
		if s.BGP != nil {
			ends = append(ends, end{fmt.Sprintf("$.sources[%d]", i), string(s.Name), false, s.BGP})
		}
	}
	for i, e := range ends {
		for _, o := range ends[:i] {
			same := e.Peer.Same(*o.Peer)
			switch {
			case !e.Address.IsValid():
			case same && e.device == o.device:
				b.fail(e.path+".bgp.address", "%s is the neighbour of %q already", e.Address, o.name)
			case same && (e.AS != o.AS || e.Passive != o.Passive || e.HoldTime != o.HoldTime || e.Restart != o.Restart || e.Password != o.Password || e.Hops != o.Hops || e.Extended != o.Extended || !slices.Equal(e.Families, o.Families)):
				b.fail(e.path+".bgp", "%s is the device %q as well, over one session: as, families and all that is said of the session must be the same there and here", e.Address, o.name)
			case !same && e.device != o.device && e.name == o.name:
				b.fail(e.path+".name", "%q is also a device, with another address: name one of them differently", e.name)
			}
		}
	}
}

func (b *builder) filter(path, name string, raw rawFilter) *FilterDelivery {
	f := &FilterDelivery{
		Adapter:  raw.Adapter,
		Confirm:  b.duration(path+".confirm-within", raw.Confirm, defaultConfirm),
		Interval: b.duration(path+".commit-interval", raw.Interval, defaultInterval),
		Target: device.Target{
			Name: name, Address: raw.Address, Username: raw.Username,
			Password: b.secret(path+".password", raw.Password), PrivateKey: b.secret(path+".private-key", raw.PrivateKey),
			KnownHosts: raw.KnownHosts, HostKey: raw.HostKey, InsecureIgnoreHostKey: raw.Insecure,
			Interfaces: raw.Interfaces, Options: raw.Options,
			Timeout: b.duration(path+".timeout", raw.Timeout, defaultTimeout),
		},
	}
	b.instances(path, f, raw.Instances)
	if f.Adapter == "" {
		b.fail(path+".adapter", "missing: the adapter that speaks to this device, such as junos")
	}
	if f.Confirm < time.Second || f.Confirm > maxConfirm {
		b.fail(path+".confirm-within", "%v is not between 1s and %v: the device's configuration stays locked that long", f.Confirm, maxConfirm)
	}
	switch p := filter.Placement(raw.Placement); p {
	case "":
		f.Target.Placement = filter.Alone
	case filter.Alone, filter.Before:
		f.Target.Placement = p
	default:
		b.fail(path+".placement", "%q is no placement: %s, %s", raw.Placement, filter.Alone, filter.Before)
	}
	return f
}

// instances reads the routing instances of a device, and hands them to its adapter as an option.
func (b *builder) instances(path string, f *FilterDelivery, raw map[string]string) {
	if len(raw) == 0 {
		return
	}
	f.Instances = filter.Instances{}
	for _, target := range slices.Sorted(maps.Keys(raw)) {
		if err := f.Instances.Add(target, raw[target]); err != nil {
			b.fail(path+".instances", "%v", err)
		}
	}
	if f.Target.Options["instances"] != "" {
		b.fail(path+".options.instances", "write it as instances beside options")
	}
	f.Target.Options = maps.Clone(f.Target.Options)
	if f.Target.Options == nil {
		f.Target.Options = map[string]string{}
	}
	f.Target.Options["instances"] = f.Instances.String()
}

// secret fetches what a reference names. The message of a failure names the reference, never the secret.
func (b *builder) secret(path string, raw *rawSecret) device.Secret {
	switch {
	case raw == nil:
		return ""
	case (raw.Env == "") == (raw.File == ""):
		b.fail(path, "needs exactly one of env and file")
	case raw.Env != "":
		v := b.env.Getenv(raw.Env)
		if v == "" {
			b.fail(path+".env", "the environment variable %s is not set", raw.Env)
		}
		return device.Secret(v)
	default:
		v, err := b.env.ReadFile(raw.File)
		if err != nil {
			b.fail(path+".file", "%v", err)
		}
		secret := strings.TrimRight(string(v), "\r\n")
		if err == nil && secret == "" {
			b.fail(path+".file", "%s is empty", raw.File)
		}
		return device.Secret(secret)
	}
	return ""
}

func (b *builder) plugins(raw []rawPlugin) []Plugin {
	seen := map[string]bool{}
	var out []Plugin
	for i, rp := range raw {
		path := fmt.Sprintf("$.plugins[%d]", i)
		b.name(path, rp.Name, seen)
		p := Plugin{Name: rp.Name, File: rp.File}
		if p.File == "" {
			b.fail(path+".file", "missing: the plugin's executable")
		}
		sum, err := hex.DecodeString(rp.SHA256)
		if err != nil || len(sum) != len(p.SHA256) {
			b.fail(path+".sha256", "not 64 hexadecimal digits: write what `sha256sum %s` prints", rp.File)
		}
		copy(p.SHA256[:], sum)
		out = append(out, p)
	}
	return out
}

func (b *builder) name(path, name string, seen map[string]bool) {
	switch {
	case name == "":
		b.fail(path+".name", "missing")
	case seen[name]:
		b.fail(path+".name", "%q is there twice", name)
	}
	seen[name] = true
}

func (b *builder) duration(path, s string, otherwise time.Duration) time.Duration {
	if s == "" {
		return otherwise
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		b.fail(path, "%q is not a duration, such as 90s or 10m", s)
		return otherwise
	}
	return d
}
