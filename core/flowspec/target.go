package flowspec

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// ParseTarget reads a route target (RFC 8955 §7.4, RFC 8956 §6.1): AS:N, IPv4:N or [IPv6]:N. An AS number above 65535 has four octets and N then two; an
// AS number of four octets that would fit into two is written with an L: 65000L:666.
func ParseTarget(s string) (Redirect, error) {
	at := strings.LastIndexByte(s, ':')
	if at < 0 {
		return Redirect{}, fmt.Errorf("%q is no route target: want AS:N, IPv4:N or [IPv6]:N", s)
	}
	r, ok := asTarget(s[:at], s[at+1:])
	if !ok {
		r, ok = addressTarget(s[:at], s[at+1:])
	}
	if !ok {
		return Redirect{}, fmt.Errorf("%q is no route target: want AS:N, IPv4:N or [IPv6]:N", s)
	}
	return r, nil
}

func asTarget(global, local string) (Redirect, bool) {
	global, long := strings.CutSuffix(global, "L")
	as, ok := plainNumber(global)
	n, okN := plainNumber(local)
	long = long || as > 0xffff
	if !ok || !okN || long && n > 0xffff {
		return Redirect{}, false
	}
	if long {
		return Redirect{Form: RedirectAS4, Global: as, Local: n}, true
	}
	return Redirect{Form: RedirectAS2, Global: as, Local: n}, true
}

func addressTarget(global, local string) (Redirect, bool) {
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(global, "["), "]"))
	n, ok := plainNumber(local)
	if err != nil || !ok || n > 0xffff || addr.Zone() != "" || addr.Is4() == strings.HasPrefix(global, "[") {
		return Redirect{}, false
	}
	if addr.Is4() {
		return Redirect{Form: RedirectIPv4, Addr: addr, Local: n}, true
	}
	return Redirect{Form: RedirectIPv6, Addr: addr, Local: n}, true
}

// plainNumber reads 32 bits in decimal digits and nothing else.
func plainNumber(s string) (uint32, bool) {
	n, err := strconv.ParseUint(s, 10, 32)
	return uint32(n), err == nil
}

// Target prints the route target that r names as ParseTarget reads it. r is no next hop.
func (r Redirect) Target() string {
	switch {
	case r.Form == RedirectIPv4:
		return fmt.Sprintf("%s:%d", r.Addr, r.Local)
	case r.Form == RedirectIPv6:
		return fmt.Sprintf("[%s]:%d", r.Addr, r.Local)
	case r.Form == RedirectAS4 && r.Global <= 0xffff:
		return fmt.Sprintf("%dL:%d", r.Global, r.Local)
	}
	return fmt.Sprintf("%d:%d", r.Global, r.Local)
}
