package notation

import (
	"strings"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// RDText prints a route distinguisher as every notation writes it: 65000:1, or 192.0.2.1:1 (RFC 4364 §4.2).
func RDText(rd flowspec.RD) string { return rdText(rd) }

// ParseRD reads what RDText prints.
func ParseRD(s string) (flowspec.RD, bool) { return parseRD(s) }

// Communities are those of one path that are no actions, by kind.
type Communities struct {
	Plain    []uint32           // RFC 1997
	Large    [][3]uint32        // RFC 8092
	Extended []flowspec.ExtComm // RFC 4360, RFC 5701
}

// Add reads one community of any kind as the notations write it, 65000:1 or no-export, 65000:1:2, target:65000:1 or 0x and 16 digits, and puts it into c.
func (c *Communities) Add(s string) bool {
	for one, name := range wellKnown {
		if strings.EqualFold(s, name) {
			c.Plain = append(c.Plain, one)
			return true
		}
	}
	if one, ok := parseCommunity(s); ok && !strings.HasPrefix(strings.ToLower(s), "0x") {
		c.Plain = append(c.Plain, one)
		return true
	}
	if one, ok := parseLargeCommunity(s); ok {
		c.Large = append(c.Large, one)
		return true
	}
	// Two numbers alone may be a route target elsewhere; here they are a community whose number is too large.
	if one, _, ok := parseExtendedCommunity(s); ok && strings.Count(s, ":") != 1 {
		c.Extended = append(c.Extended, one)
		return true
	}
	return false
}

// wellKnown are the names of IANA's "BGP Well-known Communities" that are written as words.
var wellKnown = map[uint32]string{
	0xffffff01: "no-export", 0xffffff02: "no-advertise", 0xffffff03: "no-export-subconfed", 0xffffff04: "nopeer", 0xffff029a: "blackhole", 0xffff0007: "no-llgr",
}

// Texts prints what is in c, each as Add reads it.
func (c Communities) Texts() []string {
	var out []string
	for i, text := range communityTexts(c.Plain) {
		if name, ok := wellKnown[c.Plain[i]]; ok {
			text = name
		}
		out = append(out, text)
	}
	out = append(out, largeTexts(c.Large)...)
	for _, one := range c.Extended {
		out = append(out, extendedText(one))
	}
	return out
}

// extendedText prints a route target as every notation writes it, and everything else in hexadecimal.
func extendedText(c flowspec.ExtComm) string {
	if len(c) != 8 || !c.RouteTarget() || c[0] > 2 {
		return c.String()
	}
	return "target:" + TargetText(c)
}

// TargetText prints a route target without its name: 65000:1, 192.0.2.1:1, or in hexadecimal where it has no such form. A four-octet AS number that would fit into two
// octets is followed by L.
func TargetText(c flowspec.ExtComm) string {
	if len(c) != 8 || !c.RouteTarget() || c[0] > 2 {
		return c.String()
	}
	text := rdText(flowspec.RD([]byte{0, c[0], c[2], c[3], c[4], c[5], c[6], c[7]}))
	if as, value, _ := strings.Cut(text, ":"); c[0] == 2 && c[2] == 0 && c[3] == 0 && !strings.HasSuffix(as, "L") {
		return as + "L:" + value
	}
	return text
}

// ParseTarget reads what TargetText prints.
func ParseTarget(s string) (flowspec.ExtComm, bool) {
	if !strings.HasPrefix(s, "0x") {
		s = "target:" + s
	}
	c, _, ok := parseExtendedCommunity(s)
	return c, ok && c.RouteTarget()
}
