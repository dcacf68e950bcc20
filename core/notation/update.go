package notation

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// attributes are those path attributes that belong to a rule.
type attributes struct {
	ext         []flowspec.ExtComm // attributes 16 and 25
	communities []uint32           // attribute 8
	large       [][3]uint32        // attribute 32
	used        bool               // read has met one of them
}

// Path attributes (IANA "BGP Path Attributes").
const (
	attrCommunities = 8
	attrReach       = 14
	attrUnreach     = 15
	attrExtended    = 16
	attrExtended6   = 25
	attrLarge       = 32
)

// read takes in the value of one attribute, and says what is wrong with it. An attribute that no rule keeps is passed.
func (a *attributes) read(code byte, v []byte) (reason string) {
	size := map[byte]int{attrCommunities: 4, attrExtended: 8, attrExtended6: 20, attrLarge: 12}[code]
	if size == 0 {
		return ""
	}
	a.used = true
	if len(v) == 0 || len(v)%size != 0 { // RFC 7606 §7.8, §7.14, §7.15; RFC 8092 §5
		return fmt.Sprintf("attribute %d has %d octets, which is no multiple of %d", code, len(v), size)
	}
	for ; len(v) > 0; v = v[size:] {
		switch code {
		case attrCommunities:
			a.communities = append(a.communities, binary.BigEndian.Uint32(v))
		case attrLarge:
			a.large = append(a.large, [3]uint32{binary.BigEndian.Uint32(v), binary.BigEndian.Uint32(v[4:]), binary.BigEndian.Uint32(v[8:])})
		default:
			a.ext = append(a.ext, flowspec.ExtComm(v[:size]))
		}
	}
	return ""
}

// update is what a whole BGP UPDATE message says about FlowSpec.
type update struct {
	attributes
	reach, unreach nlris
	skipped        []string // parts that are no FlowSpec
	seen           [256]bool
}

// nlris are the octets of MP_REACH_NLRI or MP_UNREACH_NLRI.
type nlris struct {
	present bool
	family  flowspec.Family // 0: of another family
	nextHop netip.Addr
	octets  []byte
}

const (
	headerLength = 19 // RFC 4271 §4.1: marker, length, type
	typeUpdate   = 2
)

// parseUpdate reads an UPDATE message, with or without the header in front (RFC 4271 §4.3).
func parseUpdate(b []byte) (u update, err error) {
	if b, err = body(b); err != nil {
		return u, err
	}
	withdrawn, b, err := counted(b, "the withdrawn routes")
	if err != nil {
		return u, err
	}
	attrs, nlri, err := counted(b, "the path attributes")
	if err != nil {
		return u, err
	}
	if len(withdrawn) > 0 || len(nlri) > 0 {
		u.skipped = append(u.skipped, "IPv4 unicast routes")
	}
	for len(attrs) > 0 {
		if attrs, err = u.attribute(attrs); err != nil {
			return u, err
		}
	}
	return u, nil
}

// body takes the header off when there is one.
func body(b []byte) ([]byte, error) {
	if len(b) < headerLength || !allOnes(b[:16]) {
		return b, nil
	}
	length := int(binary.BigEndian.Uint16(b[16:]))
	switch {
	case b[18] != typeUpdate:
		return nil, fmt.Errorf("message type %d: an UPDATE has type 2", b[18])
	case length != len(b):
		return nil, fmt.Errorf("the header says %d octets and there are %d", length, len(b))
	}
	return b[headerLength:], nil
}

func allOnes(b []byte) bool {
	for _, o := range b {
		if o != 0xff {
			return false
		}
	}
	return true
}

// counted cuts off a part that begins with its length in two octets.
func counted(b []byte, what string) (part, rest []byte, err error) {
	if len(b) < 2 {
		return nil, nil, fmt.Errorf("the message ends before the length of %s", what)
	}
	n := int(binary.BigEndian.Uint16(b))
	if len(b)-2 < n {
		return nil, nil, fmt.Errorf("the message ends inside %s: %d octets announced, %d there", what, n, len(b)-2)
	}
	return b[2 : 2+n], b[2+n:], nil
}

// attribute reads one path attribute and returns what follows it.
func (u *update) attribute(b []byte) ([]byte, error) {
	if len(b) < 3 {
		return nil, fmt.Errorf("the message ends inside the head of a path attribute")
	}
	flags, code, n, head := b[0], b[1], int(b[2]), 3
	if flags&0x10 != 0 { // extended length
		if len(b) < 4 {
			return nil, fmt.Errorf("the message ends inside the length of attribute %d", code)
		}
		n, head = int(binary.BigEndian.Uint16(b[2:])), 4
	}
	if len(b)-head < n {
		return nil, fmt.Errorf("the message ends inside attribute %d: %d octets announced, %d there", code, n, len(b)-head)
	}
	value, rest := b[head:head+n], b[head+n:]
	again := u.seen[code]
	u.seen[code] = true
	var err error
	switch code {
	case attrReach:
		err = u.readReach(value)
	case attrUnreach:
		err = u.readUnreach(value)
	default:
		if again {
			return rest, nil // "all the occurrences of the attribute other than the first one SHALL be discarded", RFC 7606 §3 g
		}
		if reason := u.read(code, value); reason != "" {
			err = fmt.Errorf("%s", reason)
		}
	}
	return rest, err
}

// readReach reads MP_REACH_NLRI (RFC 4760 §3). A FlowSpec next hop has 0 octets (RFC 8955 §4), or an address when a
// redirect of draft-simpson needs one: 4, 16, 32 with a link-local address behind it, each with a route distinguisher of
// 8 octets in front in the VPN families.
func (u *update) readReach(v []byte) error {
	if u.reach.present {
		return fmt.Errorf("MP_REACH_NLRI stands twice (RFC 7606 §3 g)")
	}
	u.reach.present = true
	if len(v) < 5 {
		return fmt.Errorf("MP_REACH_NLRI has %d octets, at least 5 are needed (RFC 7606 §5.3)", len(v))
	}
	n := int(v[3])
	if len(v) < 5+n {
		return fmt.Errorf("MP_REACH_NLRI ends inside its next hop")
	}
	family, known := flowspec.FamilyOf(binary.BigEndian.Uint16(v), v[2])
	if !known {
		u.skipped = append(u.skipped, fmt.Sprintf("announcements of AFI %d, SAFI %d", binary.BigEndian.Uint16(v), v[2]))
		return nil
	}
	hop := v[4 : 4+n]
	switch n {
	case 0:
	case 4, 16, 32, 12, 24, 48:
		if n == 12 || n == 24 || n == 48 {
			hop = hop[8:]
		}
		u.reach.nextHop, _ = netip.AddrFromSlice(hop[:min(len(hop), 16)])
	default:
		return fmt.Errorf("a next hop of %d octets: 0, 4, 16 or 32 are possible, and 12, 24 or 48 with a route distinguisher", n)
	}
	u.reach.family, u.reach.octets = family, v[5+n:]
	return nil
}

// readUnreach reads MP_UNREACH_NLRI (RFC 4760 §4).
func (u *update) readUnreach(v []byte) error {
	if u.unreach.present {
		return fmt.Errorf("MP_UNREACH_NLRI stands twice (RFC 7606 §3 g)")
	}
	u.unreach.present = true
	if len(v) < 3 {
		return fmt.Errorf("MP_UNREACH_NLRI has %d octets, at least 3 are needed (RFC 7606 §5.3)", len(v))
	}
	family, known := flowspec.FamilyOf(binary.BigEndian.Uint16(v), v[2])
	if !known {
		u.skipped = append(u.skipped, fmt.Sprintf("withdrawals of AFI %d, SAFI %d", binary.BigEndian.Uint16(v), v[2]))
		return nil
	}
	u.unreach.family, u.unreach.octets = family, v[3:]
	return nil
}
