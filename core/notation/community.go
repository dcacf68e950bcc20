package notation

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// communityList reads one community, or several in brackets.
func (r *route) communityList(word token, text string) bool {
	return r.each(word, func(t token, value string) {
		s := span{t.start, t.end}
		switch text {
		case "community":
			c, ok := parseCommunity(value)
			if !ok {
				r.fail(t, fmt.Sprintf("%q is no community", value), "65000:1, no-export or 0xfde80001")
				return
			}
			r.communities = append(r.communities, c)
		case "large-community":
			c, ok := parseLargeCommunity(value)
			if !ok {
				r.fail(t, fmt.Sprintf("%q is no large community", value), "65000:1:2")
				return
			}
			r.large = append(r.large, c)
		default:
			c, hint, ok := parseExtendedCommunity(value)
			if !ok {
				r.fail(t, fmt.Sprintf("%q is no extended community that can be read", value), hint)
				return
			}
			r.add(c, s)
		}
	})
}

// interfaceSet reads the operand of interface-set (draft-ietf-idr-flowspec-interfaceset). The community is kept, and understood by nobody here.
func (r *route) interfaceSet(word token) bool {
	return r.each(word, func(t token, value string) {
		c, ok := parseInterfaceSet(value)
		if !ok {
			r.fail(t, fmt.Sprintf("%q is no interface set", value), "transitive:input:65000:1")
			return
		}
		r.add(c, span{t.start, t.end})
	})
}

// each calls do for one word, or for each of a list in brackets.
func (r *route) each(word token, do func(t token, value string)) bool {
	t := r.next()
	if t.kind != '[' {
		if !r.operand(word, t) {
			return false
		}
		do(t, r.text(t))
		return true
	}
	for {
		switch t := r.next(); t.kind {
		case 'w':
			do(t, r.text(t))
		case ',':
			r.warn(Note, "extension", span{t.start, t.end}, "a comma separates values here; no version of ExaBGP reads it", "")
		case ']':
			return true
		default:
			return r.fail(t, "the list of "+r.text(word)+" is not closed: ] is missing", "")
		}
	}
}

// parseCommunity reads an RFC 1997 community: A:B, a name, or one number of 32 bits.
func parseCommunity(s string) (uint32, bool) {
	if high, low, colon := strings.Cut(s, ":"); colon {
		h, ok := decimal(high, 0xffff)
		l, okLow := decimal(low, 0xffff)
		return uint32(h<<16 | l), ok && okLow
	}
	switch strings.ToLower(s) {
	case "no-export":
		return 0xffffff01, true
	case "no-advertise":
		return 0xffffff02, true
	case "no-export-subconfed":
		return 0xffffff03, true
	case "nopeer", "no-peer":
		return 0xffffff04, true
	case "blackhole":
		return 0xffff029a, true
	}
	if digits, isHex := strings.CutPrefix(strings.ToLower(s), "0x"); isHex {
		b, err := hex.DecodeString(strings.Repeat("0", max(0, 8-len(digits))) + digits)
		if err != nil || len(b) != 4 || digits == "" {
			return 0, false
		}
		return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3]), true
	}
	v, ok := decimal(s, math.MaxUint32)
	return uint32(v), ok
}

// parseLargeCommunity reads an RFC 8092 community: A:B:C.
func parseLargeCommunity(s string) (c [3]uint32, ok bool) {
	words := strings.Split(s, ":")
	if len(words) != 3 {
		return c, false
	}
	for i, w := range words {
		v, ok := decimal(w, math.MaxUint32)
		if !ok {
			return c, false
		}
		c[i] = uint32(v)
	}
	return c, true
}

// parseExtendedCommunity reads what ExaBGP reads: octets in hexadecimal (8, or 20 for an IPv6-specific one), or a name
// with its fields. The hint goes with a word that cannot be read.
func parseExtendedCommunity(s string) (c flowspec.ExtComm, hint string, ok bool) {
	if len(s) > 2 && (s[:2] == "0x" || s[:2] == "0X") {
		b, err := hex.DecodeString(s[2:])
		if err != nil || len(b) != 8 && len(b) != 20 {
			return "", "0x and 16 hexadecimal digits", false
		}
		return flowspec.ExtComm(b), "", true
	}
	words := strings.Split(s, ":")
	name := words[0]
	switch {
	case s == "redirect-to-nexthop":
		return community8(0x0800), "", true
	case len(words) == 2:
		name = "target" // 65000:1 alone
		if words[0] == "rate-limit" {
			return "", "rate-limit " + words[1] + ";", false // ExaBGP prints this form and cannot read it
		}
	case len(words) > 1:
		words = words[1:]
	}
	if name == "l2info" && len(words) == 4 {
		return l2info(words)
	}
	kinds, known := map[string][2]uint16{
		"target": {0x0002, 0x0202}, "target4": {0x0202, 0x0202}, "origin": {0x0003, 0x0203}, "origin4": {0x0203, 0x0203},
		"redirect": {0x8008, 0x8008}, "bandwidth": {0x4004, 0x4004},
	}[name]
	if !known || len(words) != 2 {
		return "", "target:65000:1, origin:65000:1, redirect:65000:1, or 0x and 16 hexadecimal digits", false
	}
	c, ok = administered(name, kinds, words[0], words[1])
	return c, "", ok
}

// administered makes a community of a global and a local administrator (RFC 4360 §3, RFC 5668).
func administered(name string, kinds [2]uint16, global, local string) (flowspec.ExtComm, bool) {
	if addr, err := netip.ParseAddr(global); err == nil && addr.Is4() && (name == "target" || name == "origin") {
		n, ok := decimal(local, 0xffff)
		a := addr.As4()
		return community8(0x0100|kinds[0], a[0], a[1], a[2], a[3], byte(n>>8), byte(n)), ok
	}
	if addr, err := netip.ParseAddr(local); err == nil && addr.Is4() { // AS:ADDRESS, the address as a number
		a := addr.As4()
		local = strconv.FormatUint(uint64(binary.BigEndian.Uint32(a[:])), 10)
	}
	long := strings.HasSuffix(strings.ToUpper(global), "L")
	as, ok := decimal(strings.TrimRight(global, "lL"), math.MaxUint32)
	n, okLocal := decimal(local, math.MaxUint32)
	long = (long || as > 0xffff) && (name == "target" || name == "origin") || strings.HasSuffix(name, "4")
	switch {
	case !ok || !okLocal || long && n > 0xffff || !long && as > 0xffff:
		return "", false
	case long:
		return community8(kinds[1], byte(as>>24), byte(as>>16), byte(as>>8), byte(as), byte(n>>8), byte(n)), true
	case name == "bandwidth":
		b := math.Float32bits(float32(n))
		return community8(kinds[0], byte(as>>8), byte(as), byte(b>>24), byte(b>>16), byte(b>>8), byte(b)), true
	}
	return community8(kinds[0], byte(as>>8), byte(as), byte(n>>24), byte(n>>16), byte(n>>8), byte(n)), true
}

// l2info reads encapsulation:control:mtu:site.
func l2info(words []string) (flowspec.ExtComm, string, bool) {
	var v [4]uint64
	for i, limit := range []uint64{0xff, 0xff, 0xffff, 0xffff} {
		n, ok := decimal(words[i], limit)
		if !ok {
			return "", "l2info:19:0:1500:111", false
		}
		v[i] = n
	}
	return community8(0x800a, byte(v[0]), byte(v[1]), byte(v[2]>>8), byte(v[2]), byte(v[3]>>8), byte(v[3])), "", true
}

// parseInterfaceSet reads [transitive:|non-transitive:](input|output|input-output):ASN:GROUP. ExaBGP's main branch takes
// a missing first word for transitive; 4.2 refuses that.
func parseInterfaceSet(s string) (flowspec.ExtComm, bool) {
	words := strings.Split(s, ":")
	kind := uint16(0x0702)
	if len(words) == 4 {
		switch words[0] {
		case "transitive":
		case "non-transitive":
			kind |= 0x4000
		default:
			return "", false
		}
		words = words[1:]
	}
	if len(words) != 3 {
		return "", false
	}
	direction, known := map[string]uint64{"input": 1, "output": 2, "input-output": 3}[words[0]]
	as, ok := decimal(words[1], math.MaxUint32)
	group, okGroup := decimal(words[2], 1<<14-1)
	v := direction<<14 | group
	return community8(kind, byte(as>>24), byte(as>>16), byte(as>>8), byte(as), byte(v>>8), byte(v)), known && ok && okGroup
}

// attribute reads `attribute [ 0xCODE 0xFLAG 0xDATA ]`: the attributes that a rule can hold, no others.
func (r *route) attribute(word token) bool {
	var fields [3][]byte
	var last token
	if t := r.next(); t.kind != '[' {
		return r.fail(t, "attribute takes three numbers in brackets", "attribute [ 0x10 0xc0 0x8006000000000000 ]")
	}
	for i := range fields {
		last = r.next()
		digits, isHex := strings.CutPrefix(strings.ToLower(r.text(last)), "0x")
		b, err := hex.DecodeString(digits)
		if last.kind != 'w' || !isHex || err != nil || i < 2 && len(b) != 1 {
			return r.fail(last, "attribute takes a code, flags and data in hexadecimal", "attribute [ 0x10 0xc0 0x8006000000000000 ]")
		}
		fields[i] = b
	}
	if t := r.next(); t.kind != ']' {
		return r.fail(t, "the list of attribute is not closed: ] is missing", "")
	}
	var a attributes
	if reason := a.read(fields[0][0], fields[2]); reason != "" {
		return r.fail(word, reason, "")
	}
	if !a.used {
		return r.fail(word, fmt.Sprintf("attribute %d is none that a rule keeps", fields[0][0]), "8, 16, 25 or 32: communities")
	}
	for _, c := range a.ext {
		r.add(c, span{word.start, last.end})
	}
	r.communities = append(r.communities, a.communities...)
	r.large = append(r.large, a.large...)
	return true
}
