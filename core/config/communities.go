package config

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/notation"
)

// noLLGR keeps a path from being held for long after its origin was lost (RFC 9494); package bgp puts it on.
const noLLGR = 0xffff0007

// onAll says what every route of every device bears.
func (b *builder) onAll(raw rawConfig, c *Config) {
	for i := range c.Devices {
		if d := &c.Devices[i]; d.BGP != nil {
			d.Policy.Community, d.Policy.NoExport = c.Community, raw.NoExport == nil || *raw.NoExport
		}
	}
}

// communities reads with which communities the routes of a device leave.
func (b *builder) communities(path string, raw rawDevice, c *Config, d *Device) {
	if raw.BGP == nil && len(raw.Communities.Add)+len(raw.Communities.Strip) > 0 {
		b.fail(path, "communities travel by BGP, and the device has no bgp")
		return
	}
	for i, s := range raw.Communities.Strip {
		at := fmt.Sprintf("%s.strip[%d]", path, i)
		switch {
		case s == "all":
			d.Policy.StripAll = true
		case b.community(at, s, &d.Policy.Strip) && c.Community != 0 && slices.Contains(d.Policy.Strip.Plain, c.Community):
			b.fail(at, "%s is how we know our own routes when they come back: it stays", s)
		}
	}
	stripped := marks(d.Policy.Strip).Texts()
	for i, s := range raw.Communities.Add {
		at := fmt.Sprintf("%s.add[%d]", path, i)
		var one device.Marks
		if !b.community(at, s, &one) {
			continue
		}
		if slices.Contains(stripped, marks(one).Texts()[0]) {
			b.fail(at, "%s is stripped as well", s)
		}
		if slices.ContainsFunc(one.Extended, flowspec.ExtComm.RouteTarget) {
			b.fail(at, "a route target decides in which VPNs a rule is: it belongs to vrfs")
		}
		add := &d.Policy.Add
		add.Plain, add.Large, add.Extended = append(add.Plain, one.Plain...), append(add.Large, one.Large...), append(add.Extended, one.Extended...)
	}
}

// community reads one community that is no action into m.
func (b *builder) community(path, s string, m *device.Marks) bool {
	var one notation.Communities
	if !one.Add(s) {
		b.fail(path, "%q is no community, such as no-export, 64512:1, 64512:1:2 or 0x and 16 digits", s)
		return false
	}
	if _, others, err := flowspec.ParseAction(one.Extended, netip.Addr{}); err != nil || len(others) < len(one.Extended) {
		b.fail(path, "%s is an action of FlowSpec: what a rule does is decided by the rule", s)
		return false
	}
	m.Plain, m.Large, m.Extended = append(m.Plain, one.Plain...), append(m.Large, one.Large...), append(m.Extended, one.Extended...)
	return true
}

func marks(m device.Marks) notation.Communities { return notation.Communities(m) }

// Sends says in words how the routes of d leave in BGP beside what was planned, a line for each thing; nil: it has no session.
func (d *Device) Sends() []string {
	if d.BGP == nil {
		return nil
	}
	add := notation.Communities(d.Policy.Add)
	if d.Policy.Community != 0 {
		add.Plain = append([]uint32{d.Policy.Community}, add.Plain...)
	}
	if d.BGP.Restart > 0 && !slices.Contains(d.Policy.Strip.Plain, noLLGR) && !slices.Contains(add.Plain, noLLGR) {
		add.Plain = append([]uint32{noLLGR}, add.Plain...)
	}
	if d.Policy.NoExport && !slices.Contains(d.Policy.Strip.Plain, device.NoExport) && !slices.Contains(add.Plain, device.NoExport) {
		add.Plain = append([]uint32{device.NoExport}, add.Plain...)
	}
	lines := []string{"communities added: " + listed(add.Texts())}
	strip := marks(d.Policy.Strip).Texts()
	if d.Policy.StripAll {
		strip = append([]string{"all that rules come with"}, strip...)
	}
	if len(strip) > 0 {
		lines = append(lines, "communities stripped: "+listed(strip))
	}
	for _, v := range d.Policy.VRFs {
		var targets []string
		for _, t := range v.Targets {
			targets = append(targets, notation.TargetText(t))
		}
		lines = append(lines, fmt.Sprintf("VRF %s, rules with rd %s: sent with rd %s, route targets %s", v.Name, notation.RDText(v.Of), notation.RDText(v.RD), listed(targets)))
	}
	return lines
}

func listed(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}
