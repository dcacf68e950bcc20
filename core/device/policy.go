package device

import (
	"fmt"
	"slices"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// Policy says how the routes of one device leave in BGP, beyond what was planned: with which communities, and in which VPN. It changes neither what a route matches nor
// what it does, so that one plan serves devices with different policies. The zero Policy changes nothing.
type Policy struct {
	Add   Marks // put on every route
	Strip Marks // taken off what rules come with
	// StripAll takes off every community that rules come with. Those that are actions, and those of Add, stay.
	StripAll bool
	// VRFs are the VPNs of the device. Nil: rules of VPNs go with the route distinguisher and the route targets that they came with. Else a rule of any other VPN
	// does not go, see VRF.
	VRFs []VRF
	// Community is our own mark on every route, by which we know our rules when they come back. 0: none.
	Community uint32
	// NoExport puts NO_EXPORT on every route, but where Strip takes it off.
	NoExport bool
}

// NoExport keeps a path inside the autonomous system that receives it (RFC 1997). Rules are transitive by nature: without it a
// discard that was meant for one router can travel on.
const NoExport uint32 = 0xffffff01

// Marks are communities that are no actions, by kind.
type Marks struct {
	Plain    []uint32           // RFC 1997
	Large    [][3]uint32        // RFC 8092
	Extended []flowspec.ExtComm // RFC 4360, RFC 5701
}

// VRF is how a device knows a VPN. The rules of the VPN bear the route distinguisher Of; to the device they go with its own, and with the route targets
// that its VRF imports in place of those that they came with: what they came with may name another VPN there.
type VRF struct {
	Name    string
	Of, RD  flowspec.RD
	Targets []flowspec.ExtComm
}

// Of returns r as it leaves. It is r itself where nothing changes.
func (p *Policy) Of(r *Route) (*Route, error) {
	vpn := r.Match.Family().VPN() && p.VRFs != nil
	if p.silent() && !vpn {
		return r, nil
	}
	out := *r
	out.Communities = join(keep(p, r.Communities, p.Strip.Plain), p.Add.Plain)
	out.LargeCommunities = join(keep(p, r.LargeCommunities, p.Strip.Large), p.Add.Large)
	others := keep(p, r.Others, p.Strip.Extended)
	if vpn {
		v, err := p.vrf(r.Match.RD())
		if err != nil {
			return nil, fmt.Errorf("%w: %v", err, r.Match)
		}
		if out.Match, err = r.Match.InVPN(v.RD); err != nil {
			return nil, err
		}
		others = slices.DeleteFunc(slices.Clone(others), flowspec.ExtComm.RouteTarget)
		others = join(others, v.Targets)
	}
	out.Others = join(others, p.Add.Extended)
	return &out, nil
}

// Same says whether routes leave alike under p and o.
func (p *Policy) Same(o *Policy) bool {
	return p.Add.same(&o.Add) && p.Strip.same(&o.Strip) && p.StripAll == o.StripAll && p.Community == o.Community && p.NoExport == o.NoExport && (p.VRFs == nil) == (o.VRFs == nil) &&
		slices.EqualFunc(p.VRFs, o.VRFs, func(a, b VRF) bool { return a.Of == b.Of && a.RD == b.RD && slices.Equal(a.Targets, b.Targets) })
}

// OnAll returns the communities of ours that every route bears under p. Of does not put them on.
func (p *Policy) OnAll() (list []uint32) {
	if p.NoExport && !slices.Contains(p.Strip.Plain, NoExport) {
		list = append(list, NoExport)
	}
	if p.Community != 0 {
		list = append(list, p.Community)
	}
	return list
}

// Has says whether rules of the VPN with a route distinguisher leave under p.
func (p *Policy) Has(rd flowspec.RD) bool {
	_, err := p.vrf(rd)
	return p.VRFs == nil || err == nil
}

// silent says whether p leaves communities as they are.
func (p *Policy) silent() bool { return p.Add.empty() && p.Strip.empty() && !p.StripAll }

func (m *Marks) same(o *Marks) bool {
	return slices.Equal(m.Plain, o.Plain) && slices.Equal(m.Large, o.Large) && slices.Equal(m.Extended, o.Extended)
}

func (m *Marks) empty() bool { return len(m.Plain)+len(m.Large)+len(m.Extended) == 0 }

func (p *Policy) vrf(rd flowspec.RD) (VRF, error) {
	for _, v := range p.VRFs {
		if v.Of == rd {
			return v, nil
		}
	}
	return VRF{}, fmt.Errorf("the device has no VRF for the VPN with route distinguisher %x", rd[:])
}

// keep returns what p leaves of list.
func keep[T comparable](p *Policy, list, strip []T) []T {
	if p.StripAll {
		return nil
	}
	if !slices.ContainsFunc(list, func(c T) bool { return slices.Contains(strip, c) }) {
		return list
	}
	return slices.DeleteFunc(slices.Clone(list), func(c T) bool { return slices.Contains(strip, c) })
}

// join returns list and those of more that are not in it.
func join[T comparable](list, more []T) []T {
	if len(list) == 0 {
		return more
	}
	out := list
	for _, c := range more {
		if !slices.Contains(list, c) {
			out = append(slices.Clip(out), c)
		}
	}
	return out
}
