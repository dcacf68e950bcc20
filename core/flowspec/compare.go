package flowspec

import (
	"bytes"
	"cmp"
)

// Compare orders matches of one family as RFC 8955 §5.1 and RFC 8956 §4 do over the canonical octets: negative when a is
// evaluated before b. Families compare by number, route distinguishers as octets. It does not allocate.
func Compare(a, b Match) int {
	if a.fam != b.fam {
		return cmp.Compare(a.fam, b.fam)
	}
	if a.fam.VPN() {
		ra, rb := a.RD(), b.RD()
		if c := bytes.Compare(ra[:], rb[:]); c != 0 {
			return c
		}
	}
	return compareComponents(a.fam.v6(), a.components(), b.components())
}

func compareComponents(v6 bool, a, b []byte) int {
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] && Type(a[0]) <= SrcPrefix {
		na := size(v6, a)
		if len(b) < na || !bytes.Equal(a[:na], b[:na]) {
			if c := comparePrefixes(v6, a[1:na], b[1:size(v6, b)]); c != 0 {
				return c
			}
		}
		a, b = a[na:], b[na:]
	}
	// What follows is compared as octets from here on: "if the types differ, the one with lowest numeric type value has higher precedence" (RFC 8955 §5.1), equal lists
	// end together, for a list says itself where it ends, and the rule that runs out of components has the lower precedence.
	return compareStrings(a, b)
}

// comparePrefixes compares two prefix components without their type octets. Within one offset: "if one IP value is a more
// specific prefix of the other, it has the higher precedence; else the lowest IP value has" (RFC 8955 §5.1). Before that, in
// IPv6, "the lowest offset has higher precedence" (RFC 8956 §4).
func comparePrefixes(v6 bool, a, b []byte) int {
	bits, head := int(min(a[0], b[0])), 1
	if v6 {
		if a[1] != b[1] {
			return cmp.Compare(a[1], b[1])
		}
		bits -= int(a[1])
		head = 2
	}
	pa, pb := a[head:], b[head:]
	whole := bits / 8
	if c := bytes.Compare(pa[:whole], pb[:whole]); c != 0 {
		return c
	}
	if rest := bits % 8; rest != 0 {
		shift := 8 - rest
		if c := cmp.Compare(pa[whole]>>shift, pb[whole]>>shift); c != 0 {
			return c
		}
	}
	return cmp.Compare(b[0], a[0])
}

// compareStrings is "memcmp() over the common length; if that is equal, the longest string has higher precedence" (RFC 8955
// §5.1). Operator octets take part with their end-of-list bits, so a single value (0x81) comes after a list (0x01).
func compareStrings(a, b []byte) int {
	n := min(len(a), len(b))
	if c := bytes.Compare(a[:n], b[:n]); c != 0 {
		return c
	}
	return cmp.Compare(len(b), len(a))
}
