package config

import (
	"fmt"
	"slices"

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
