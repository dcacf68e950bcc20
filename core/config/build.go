package config

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"github.com/sluice-gateway/sluice/core/profile"
)

// Defaults of what a file leaves out.
const (
	defaultAPI        = "127.0.0.1:8330"
	defaultHoldTime   = 90 * time.Second // RFC 4271 §10
	defaultRestart    = 2 * time.Minute  // long enough for a restart of the gateway, short enough for what nobody will withdraw
	defaultTeardown   = 10 * time.Minute // of a source with too many rules
	defaultKeep       = 10 * time.Minute // of rules whose withdrawal is not believed: long enough for somebody to look, short enough for rules that nobody wants
	defaultNeighbours = 16
	defaultIBGPHold   = 10 * time.Minute // rules of a lost iBGP source
	defaultConfirm    = 30 * time.Second
	maxConfirm        = 60 * time.Second // the device's candidate is locked that long
	defaultTimeout    = 30 * time.Second
	defaultAtOnce     = 16 // devices that are changed at one moment
	defaultCounters   = 10 * time.Second
	defaultStart      = 10 * time.Second // of a plugin
	defaultMemory     = 2 << 30          // octets that a plugin may use: far more than filters of ten thousand entries take
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
	c.ListenBMP = b.listenBMP(raw.Listen.BMP)
	set := b.profiles(raw.Profiles)
	c.Plugins = b.plugins(raw.Plugins)
	b.pins(raw, c.Plugins)
	c.VRFs = b.vrfs(raw.VRFs)
	c.Sources = b.sources(raw, c)
	b.protect(c, raw.Protected)
	b.idleSources(raw, c)
	c.Devices = b.devices(raw, c, set)
	b.onAll(raw, c)
	c.Groups = b.groups(raw, c)
	if c.AtOnce = defaultAtOnce; raw.AtOnce != nil {
		c.AtOnce = *raw.AtOnce
	}
	if c.AtOnce < 1 {
		b.fail("$.commits-at-once", "%d: at least one device has to be changed at a time", c.AtOnce)
	}
	b.neighbours(c)
	b.validated(c)
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

func (b *builder) name(path, name string, seen map[string]bool) {
	switch {
	case name == "":
		b.fail(path+".name", "missing")
	case seen[name]:
		b.fail(path+".name", "%q is there twice", name)
	}
	seen[name] = true
}

// optional reads a duration that need not be there.
func (b *builder) optional(path, s string) *time.Duration {
	if s == "" {
		return nil
	}
	return new(b.duration(path, s, 0))
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
