package config

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/sluice-gateway/sluice/core/admit"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
)

// validation reads "on" or "off". RFC 8955 §6 asks for it "in the absence of explicit configuration"; inside one AS a controller speaks without unicast routes (RFC 9117 §1), so there it is
// off where nothing is said.
func (b *builder) validation(path, s string, of Source, c *Config) bool {
	switch {
	case of.BGP == nil && s != "":
		b.fail(path, "is for BGP sources: a rule that comes in another way came by no path")
	case s == "off":
		return false
	case s != "on" && s != "":
		b.fail(path, "%q is neither \"on\" nor \"off\"", s)
	}
	return of.BGP != nil && (s == "on" || !c.internal(*of.BGP))
}

// validated checks that there are unicast routes to compare with, for every source that is to be compared.
func (b *builder) validated(c *Config) {
	for i, s := range c.Sources {
		if !s.Validate {
			continue
		}
		for _, f := range s.BGP.Families {
			if !f.VPN() && !c.hasRoutes(s.VRF, f) { // what comes in a VPN family is not compared (RFC 8955 §8)
				where := ""
				if s.VRF != "" {
					where = " of " + s.VRF
				}
				b.fail(fmt.Sprintf("$.sources[%d].validation", i), "rules of another AS are compared with unicast routes (RFC 8955 §6), and no neighbour is to send the %v ones%s: "+
					"add %v%s to the families of this source, or of another neighbour that has them, or write \"validation: off\" if what allow says is enough", f, where, f, unicastSuffix)
				break
			}
		}
	}
}

// hasRoutes says whether some neighbour is to send the unicast routes of a family in a VPN, or in the global table.
func (c *Config) hasRoutes(vrf string, f flowspec.Family) bool {
	return slices.ContainsFunc(c.Sources, func(s Source) bool { return s.BGP != nil && s.VRF == vrf && slices.Contains(s.BGP.Unicast, f) }) ||
		vrf == "" && slices.ContainsFunc(c.Devices, func(d Device) bool { return d.BGP != nil && slices.Contains(d.BGP.Unicast, f) })
}

// origins reads whose rules a BGP neighbour may bring.
func (b *builder) origins(path string, raw rawAllow, of Source) admit.Origins {
	out := admit.Origins{ASes: raw.NeighbourAS}
	for i, s := range raw.Originators {
		at := fmt.Sprintf("%s.originators[%d]", path, i)
		if a, err := netip.ParseAddr(s); err == nil {
			out.Originators = append(out.Originators, netip.PrefixFrom(a, a.BitLen()))
		} else if q, ok := b.prefix(at, s); ok {
			out.Originators = append(out.Originators, q)
		}
	}
	for i, s := range raw.Communities {
		at := fmt.Sprintf("%s.communities[%d]", path, i)
		var m device.Marks
		if b.community(at, s, &m) && len(m.Plain) == 0 {
			b.fail(at, "%q is no community of 32 bits, such as 64512:1", s)
		}
		out.Communities = append(out.Communities, m.Plain...)
	}
	if of.BGP == nil && (len(raw.Originators) > 0 || len(raw.NeighbourAS) > 0 || len(raw.Communities) > 0) {
		b.fail(path, "originators, neighbour-as and communities are about the paths by which rules come, and these come by none")
	}
	return out
}
