package session

import (
	"fmt"
	"net/netip"
)

// Families of unicast routes (RFC 4760 §3).
var (
	UnicastIPv4 = Family{1, 1}
	UnicastIPv6 = Family{2, 1}
)

// Unicast says whether f is one of unicast routes.
func (f Family) Unicast() bool { return f == UnicastIPv4 || f == UnicastIPv6 }

// ParsePrefixes takes the prefixes of a field of unicast routes apart (RFC 4271 §4.3, RFC 4760 §5). Bits behind the length of a prefix count for nothing. The error is a *Notification: where one length is
// wrong nobody knows where the next prefix begins (RFC 7606 §5.3).
func ParsePrefixes(f Family, b []byte) ([]netip.Prefix, error) {
	most := 32
	if f == UnicastIPv6 {
		most = 128
	}
	out := make([]netip.Prefix, 0, len(b)/4)
	for at := 0; at < len(b); {
		bits := int(b[at])
		octets := (bits + 7) / 8
		if bits > most || len(b)-at-1 < octets {
			return nil, &Notification{Code: 3, Subcode: 10, Detail: fmt.Sprintf("the prefix at octet %d of %d of family %v has %d bits", at, len(b), f, bits)}
		}
		at++
		var addr netip.Addr
		if f == UnicastIPv6 {
			var a [16]byte
			copy(a[:], b[at:at+octets])
			addr = netip.AddrFrom16(a)
		} else {
			var a [4]byte
			copy(a[:], b[at:at+octets])
			addr = netip.AddrFrom4(a)
		}
		out = append(out, netip.PrefixFrom(addr, bits).Masked())
		at += octets
	}
	return out, nil
}
