package config

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/core/admit"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/notation"
)

// actionWords are the words of allow.actions.
var actionWords = []string{"accept", "discard", "rate-limit", "redirect", "mark", "sample", "continue"}

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
		if strings.Contains(rs.Name, "@") {
			b.fail(path+".name", "%q: an @ stands between a source and one of its neighbours, where address is a prefix", rs.Name)
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
		s.Admit.From = b.origins(path+".allow", rs.Allow, s)
		s.Excess = b.onExcess(path+".allow.on-excess", rs.Allow.OnExcess, s)
		s.Hold = b.onLoss(path+".on-loss", rs.OnLoss, s.BGP != nil && c.internal(*s.BGP))
		s.Quiet = b.resync(path+".resync", rs.Resync)
		s.VRF, s.Validate = rs.VRF, b.validation(path+".validation", rs.Validation, s, c)
		s.Mass = b.mass(path+".mass-withdrawal", rs.Mass, s)
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

// mass reads which withdrawals are not believed at once. Where nothing is said, peers and pipes are watched: behind them are programs. A file is what somebody wrote into it, and
// whoever deletes by API is told that it is done.
func (b *builder) mass(path string, raw *rawMass, of Source) Mass {
	usual := Mass{Percent: 50, Within: 10 * time.Second, AtLeast: 20, Keep: defaultKeep}
	switch {
	case raw == nil && (of.BGP != nil || of.Pipe != ""):
		return usual
	case raw == nil:
		return Mass{}
	case of.API:
		b.fail(path, "is not for rules that come by API: each of them is withdrawn by name, and the answer says that it is done")
		return Mass{}
	}
	out := Mass{Percent: b.percent(path+".more-than", raw.MoreThan, usual.Percent), Within: b.duration(path+".within", raw.Within, usual.Within), AtLeast: usual.AtLeast, Keep: b.duration(path+".keep", raw.Keep, usual.Keep)}
	if raw.AtLeast != nil {
		out.AtLeast = *raw.AtLeast
	}
	if out.Percent == 100 {
		return Mass{} // nobody can withdraw more than all
	}
	if out.AtLeast < 1 {
		b.fail(path+".of-at-least", "%d is no number of rules", out.AtLeast)
	}
	if out.Within < time.Second || out.Within > time.Hour {
		b.fail(path+".within", "%v is not between 1s and 1h", out.Within)
	}
	if out.Keep < time.Second {
		b.fail(path+".keep", "%v is less than a second: more-than: 100%% is how to believe everything", out.Keep)
	}
	return out
}

// percent reads "1%" to "100%".
func (b *builder) percent(path, s string, otherwise int) int {
	if s == "" {
		return otherwise
	}
	digits, ok := strings.CutSuffix(s, "%")
	n, err := strconv.Atoi(digits)
	if !ok || err != nil || n < 1 || n > 100 {
		b.fail(path, "%q is no share, such as 50%%", s)
		return otherwise
	}
	return n
}

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

func (b *builder) peer(path string, raw rawPeer) *Peer {
	p := &Peer{Port: raw.Port, AS: raw.AS, LocalAS: raw.LocalAS, Passive: raw.Passive, HoldTime: b.duration(path+".hold-time", raw.HoldTime, defaultHoldTime)}
	var err error
	if strings.Contains(raw.Address, "/") {
		b.template(path, raw, p)
	} else if p.Address, err = netip.ParseAddr(raw.Address); err != nil {
		b.fail(path+".address", "%q is not an address", raw.Address)
	} else if raw.Limit != nil {
		b.fail(path+".limit", "how many neighbours there are is a question where address is a prefix")
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
	p.AddPath = raw.AddPath
	p.Extended, p.Hops, p.Password = raw.Extended, raw.Hops, b.secret(path+".md5-password", raw.Password)
	if len(p.Password) > 80 {
		b.fail(path+".md5-password", "%d octets, and a TCP MD5 signature takes 80", len(p.Password))
	}
	if p.Hops < 0 || p.Hops > 254 {
		b.fail(path+".ttl-security", "%d: the number of hops to the neighbour is 1 to 254 (1: on the same link), and 0 is no TTL security", p.Hops)
	}
	if raw.Offsets != "" {
		var ok bool
		if p.Offsets, ok = flowspec.ParseOffsetForm(raw.Offsets); !ok {
			b.fail(path+".ipv6-offset", "%q is none of %s", raw.Offsets, strings.Join(flowspec.OffsetForms, ", "))
		}
	}
	// RFC 4724 §3: twelve bits of seconds.
	if p.Restart = b.duration(path+".graceful-restart", raw.Restart, defaultRestart); p.Restart > 4095*time.Second || p.Restart%time.Second != 0 {
		b.fail(path+".graceful-restart", "%v is not whole seconds up to 4095s", p.Restart)
	}
	for i, s := range raw.Families {
		if f, ok := familyNamed(s); ok {
			p.Families = append(p.Families, f)
		} else if f, ok := familyNamed(strings.TrimSuffix(s, unicastSuffix)); ok && !f.VPN() {
			p.Unicast = append(p.Unicast, f)
		} else {
			b.fail(fmt.Sprintf("%s.families[%d]", path, i), "%q is no family: ipv4, ipv6, vpnv4, vpnv6, ipv4-unicast, ipv6-unicast", s)
		}
	}
	if len(p.Families) == 0 && (len(raw.Families) == 0 || len(p.Unicast) > 0) {
		b.fail(path+".families", "missing: of ipv4, ipv6, vpnv4 and vpnv6 exactly what the neighbour has configured")
	}
	return p
}

// template reads who may come to be a neighbour.
func (b *builder) template(path string, raw rawPeer, p *Peer) {
	p.Prefix, _ = b.prefix(path+".address", raw.Address)
	p.Passive, p.Limit = true, defaultNeighbours
	if raw.Limit != nil {
		p.Limit = *raw.Limit
	}
	switch {
	case p.Limit < 1:
		b.fail(path+".limit", "%d is no number of neighbours", p.Limit)
	case raw.Password != nil:
		b.fail(path+".md5-password", "a signature goes with an address, and these neighbours have a prefix")
	case raw.Port != 0:
		b.fail(path+".port", "is where we connect to, and neighbours with a prefix connect to us")
	}
}

const unicastSuffix = "-unicast"

func familyNamed(s string) (flowspec.Family, bool) {
	for f := flowspec.IPv4; f <= flowspec.VPNv6; f++ {
		if f.String() == s {
			return f, true
		}
	}
	return 0, false
}
