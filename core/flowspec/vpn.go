package flowspec

import "encoding/binary"

// vpnOf is the family that carries the rules of a family for VPNs.
var vpnOf = [...]Family{IPv4: VPNv4, IPv6: VPNv6, VPNv4: VPNv4, VPNv6: VPNv6}

// InVPN returns the family that carries the rules of f for VPNs: vpnv4 for ipv4, and vpnv4 for itself.
func (f Family) InVPN() Family { return vpnOf[f] }

// InVPN returns m as a rule of the VPN with route distinguisher rd (RFC 8955 §8): the same components behind rd, in the VPN form of its family. Of a match that
// is in a VPN rd takes the place of its route distinguisher. The error is that it does not fit into an NLRI with eight octets more.
func (m Match) InVPN(rd RD) (Match, error) {
	nlri, err := AppendNLRI(nil, vpnOf[m.fam], rd, m.components())
	if err != nil {
		return Match{}, err
	}
	return Match{fam: vpnOf[m.fam], nlri: nlri}, nil
}

// RouteTarget says whether c is a route target (RFC 4360 §4, RFC 5668 §2, RFC 5701 §3): what VRFs choose by what they import.
func (c ExtComm) RouteTarget() bool {
	if len(c) != lengthCommunity && len(c) != lengthCommunityIP6 {
		return false
	}
	switch kind := binary.BigEndian.Uint16([]byte(c)); kind &^ nonTransitive {
	case 0x0002:
		return true
	case 0x0102, 0x0202:
		return len(c) == lengthCommunity
	}
	return false
}
