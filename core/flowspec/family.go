package flowspec

import "github.com/sluice-gateway/sluice/core/packet"

// Family is an address family and subsequent address family that carries FlowSpec (RFC 8955 §4, §8; RFC 8956 §2).
type Family uint8

// The four families.
const (
	IPv4  Family = iota + 1 // AFI 1, SAFI 133
	IPv6                    // AFI 2, SAFI 133
	VPNv4                   // AFI 1, SAFI 134
	VPNv6                   // AFI 2, SAFI 134
)

// families lists what IANA assigned to each family; index 0 is no family.
var families = [...]struct {
	afi     uint16
	safi    uint8
	version packet.Version
	name    string
}{
	IPv4:  {1, 133, packet.IPv4, "ipv4"},
	IPv6:  {2, 133, packet.IPv6, "ipv6"},
	VPNv4: {1, 134, packet.IPv4, "vpnv4"},
	VPNv6: {2, 134, packet.IPv6, "vpnv6"},
}

// AFI returns the address family identifier: 1 or 2.
func (f Family) AFI() uint16 { return families[f].afi }

// SAFI returns the subsequent address family identifier: 133 or 134.
func (f Family) SAFI() uint8 { return families[f].safi }

// FamilyOf returns the family of an AFI and SAFI, or false.
func FamilyOf(afi uint16, safi uint8) (Family, bool) {
	for f := IPv4; f <= VPNv6; f++ {
		if f.AFI() == afi && f.SAFI() == safi {
			return f, true
		}
	}
	return 0, false
}

// VPN says whether NLRIs of f begin with a route distinguisher.
func (f Family) VPN() bool { return f == VPNv4 || f == VPNv6 }

// Version returns the IP version of the packets that f filters.
func (f Family) Version() packet.Version { return families[f].version }

// String returns "ipv4", "ipv6", "vpnv4" or "vpnv6".
func (f Family) String() string {
	if f.known() {
		return families[f].name
	}
	return "no family"
}

func (f Family) known() bool { return f >= IPv4 && f <= VPNv6 }

func (f Family) v6() bool { return f == IPv6 || f == VPNv6 }
