package config

import (
	"fmt"
	"slices"

	"github.com/sluice-gateway/sluice/core/admit"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/notation"
	"github.com/sluice-gateway/sluice/core/profile"
)

// VRF is a VPN: the route distinguisher by which rules name it, and its route targets as a router has them. Import are those that the VRF of a router imports, so
// that a rule with one of them gets there; Export are those that the router puts on what it announces of the VPN.
type VRF struct {
	Name           string
	RD             flowspec.RD
	Import, Export []flowspec.ExtComm
}

func (b *builder) vrfs(raw []rawVRF) []VRF {
	seen := map[string]bool{}
	var out []VRF
	for i, rv := range raw {
		path := fmt.Sprintf("$.vrfs[%d]", i)
		b.name(path, rv.Name, seen)
		if rv.Name == "any" {
			b.fail(path+".name", `"any" stands for all VPNs: name it differently`)
		}
		v := b.vrf(path, rv, VRF{Name: rv.Name})
		switch {
		case rv.RD == "":
			b.fail(path+".rd", "missing: the route distinguisher by which rules name this VPN, such as 64512:100")
		case slices.ContainsFunc(out, func(o VRF) bool { return o.RD == v.RD }):
			b.fail(path+".rd", "another VPN has the route distinguisher %s already", rv.RD)
		}
		out = append(out, v)
	}
	return out
}

// vrf reads what raw says and takes the rest from v.
func (b *builder) vrf(path string, raw rawVRF, v VRF) VRF {
	if raw.RD != "" {
		rd, ok := notation.ParseRD(raw.RD)
		if !ok {
			b.fail(path+".rd", "%q is no route distinguisher, such as 64512:100 or 192.0.2.1:100", raw.RD)
		}
		v.RD = rd
	}
	if raw.Targets.Import != nil {
		v.Import = b.targets(path+".route-targets.import", raw.Targets.Import)
	}
	if raw.Targets.Export != nil {
		v.Export = b.targets(path+".route-targets.export", raw.Targets.Export)
	}
	return v
}

func (b *builder) targets(path string, list []string) []flowspec.ExtComm {
	var out []flowspec.ExtComm
	for i, s := range list {
		c, ok := notation.ParseTarget(s)
		switch {
		case !ok:
			b.fail(fmt.Sprintf("%s[%d]", path, i), "%q is no route target, such as 64512:100 or 192.0.2.1:100", s)
		case !slices.Contains(out, c):
			out = append(out, c)
		}
	}
	return out
}

// vrfNamed returns the VPN of that name.
func (c *Config) vrfNamed(name string) (VRF, bool) {
	i := slices.IndexFunc(c.VRFs, func(v VRF) bool { return v.Name == name })
	if i < 0 {
		return VRF{}, false
	}
	return c.VRFs[i], true
}

// within reads in which VPNs a source may filter, and in which one the rules are that name none.
func (b *builder) within(path string, raw rawSource, c *Config, s *Source) {
	vpn := s.BGP != nil && slices.ContainsFunc(s.BGP.Families, flowspec.Family.VPN)
	allow := func(path, name string) (VRF, bool) {
		v, ok := c.vrfNamed(name)
		if !ok {
			b.fail(path, "%q is not among vrfs", name)
			return v, false
		}
		one := admit.VPN{Name: v.Name, RD: v.RD}
		if s.BGP != nil && vpn {
			one.Targets = v.Export
		}
		s.Admit.VPNs = append(s.Admit.VPNs, one)
		return v, true
	}
	for i, name := range raw.Allow.VRFs {
		if name == "any" {
			s.Admit.AnyVPN = true
		} else {
			allow(fmt.Sprintf("%s.allow.vrfs[%d]", path, i), name)
		}
	}
	switch {
	case vpn && len(raw.Allow.VRFs) == 0:
		b.fail(path+".allow", "vrfs is missing: the VPNs in which this source may filter, or [any], since its families are for VPNs")
	case raw.VRF == "":
	case vpn:
		b.fail(path+".vrf", "the rules of this source name their VPNs themselves, since its families are for VPNs")
	default:
		if v, ok := allow(path+".vrf", raw.VRF); ok {
			s.Admit.In = &v.RD
		}
	}
}

// deviceVRFs reads the VPNs of a device: the policy of its session gives each its own route distinguisher and the route targets that its VRF imports.
func (b *builder) deviceVRFs(path string, raw rawDevice, c *Config, d *Device) {
	vpn := d.BGP != nil && slices.ContainsFunc(d.BGP.Families, flowspec.Family.VPN)
	switch {
	case vpn && len(raw.VRFs) == 0:
		b.fail(path+".bgp.families", "families for VPNs, and the device has no vrfs: no VRF of it would import a rule")
	case !vpn && len(raw.VRFs) > 0:
		b.fail(path+".vrfs", "rules of VPNs travel in the families vpnv4 and vpnv6, and the device has neither")
	}
	if vpn {
		b.takes(path+".bgp.families", d)
	}
	seen := map[string]bool{}
	for i, rv := range raw.VRFs {
		path := fmt.Sprintf("%s.vrfs[%d]", path, i)
		b.name(path, rv.Name, seen)
		base, ok := c.vrfNamed(rv.Name)
		if !ok {
			b.fail(path+".name", "%q is not among vrfs", rv.Name)
			continue
		}
		v := b.vrf(path, rv, base)
		if len(v.Import) == 0 {
			b.fail(path, "no route target: a VRF takes the rules that bear one of those it imports, so name them under route-targets, import")
		}
		for _, o := range d.Policy.VRFs {
			if o.RD == v.RD {
				b.fail(path, "%s has the route distinguisher %s on this device too: their rules would be one", o.Name, notation.RDText(v.RD))
			}
			if i := slices.IndexFunc(v.Import, func(t flowspec.ExtComm) bool { return slices.Contains(o.Targets, t) }); i >= 0 {
				b.fail(path, "%s imports %s too: rules of the one would filter packets of the other", o.Name, notation.TargetText(v.Import[i]))
			}
		}
		d.Policy.VRFs = append(d.Policy.VRFs, device.VRF{Name: v.Name, Of: base.RD, RD: v.RD, Targets: v.Import})
	}
}

// takes checks that the platform takes the families for VPNs that the session is to have.
func (b *builder) takes(path string, d *Device) {
	if d.Profile == nil {
		return
	}
	p, err := d.Profile.With(d.Settings)
	if err != nil || p.Native == nil {
		return // said elsewhere
	}
	for _, f := range d.BGP.Families {
		if f.VPN() && !slices.Contains(p.Native.Families, f) {
			b.fail(path, "profile %s does not take FlowSpec of family %v%s", p.Title(), f, because(p, p.Native.Fact))
		}
	}
}

// because returns a fact of p as an addition to a message.
func because(p *profile.Profile, id string) string {
	f, ok := p.Facts[id]
	if !ok {
		return ""
	}
	return fmt.Sprintf(" (%s)", f.Text)
}
