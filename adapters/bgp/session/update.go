package session

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"github.com/osrg/gobgp/v3/pkg/packet/bgp"
)

// The attributes that this package treats by name (IANA "BGP Path Attributes").
const (
	attrOrigin       = 1
	attrASPath       = 2
	attrNextHop      = 3
	attrMED          = 4
	attrLocalPref    = 5
	attrAtomic       = 6
	attrAggregator   = 7
	attrCommunities  = 8
	attrOriginatorID = 9
	attrClusterList  = 10
	attrReach        = 14
	attrUnreach      = 15
	attrExtComm      = 16
	attrAS4Path      = 17
	attrAS4Aggr      = 18
	attrIPv6ExtComm  = 25
	attrLargeComm    = 32
)

// The flags of an attribute (RFC 4271 §4.3).
const (
	flagOptional   = 0x80
	flagTransitive = 0x40
	flagExtended   = 0x10
)

// Reach is MP_REACH_NLRI (RFC 4760 §3).
type Reach struct {
	Family  Family
	NextHop []byte
	NLRI    []byte // all of them, not taken apart
}

// Hop returns the address in MP_REACH_NLRI, which matters to redirects of the form 0x0800 only (RFC 8955 §4: otherwise it is to be
// ignored); the zero address where there is none. Lengths that no next hop has mean that the NLRIs begin who knows where (RFC 7606 §7.11): the error is a *Notification.
func (r *Reach) Hop() (netip.Addr, error) {
	b := r.NextHop
	switch len(b) {
	case 0:
		return netip.Addr{}, nil
	case 4, 16:
	case 32: // a global and a link-local address (RFC 2545 §3)
		b = b[:16]
	case 12, 24: // with a route distinguisher of eight octets (RFC 4364 §4.3.2)
		b = b[8:]
	default:
		return netip.Addr{}, &Notification{Code: 3, Subcode: 9, Detail: fmt.Sprintf("a next hop of %d octets (RFC 7606 §7.11)", len(r.NextHop))}
	}
	addr, _ := netip.AddrFromSlice(b)
	return addr, nil
}

// Unreach is MP_UNREACH_NLRI (RFC 4760 §4).
type Unreach struct {
	Family Family
	NLRI   []byte
}

// Attr is any other attribute.
type Attr struct {
	Flags, Type uint8
	Value       []byte
}

// Update is an UPDATE message cut into its parts. All slices are parts of the message.
type Update struct {
	Withdrawn []byte // IPv4 unicast (RFC 4271 §4.3); not used by FlowSpec
	NLRI      []byte // IPv4 unicast
	Reach     *Reach
	Unreach   *Unreach
	Attrs     []Attr // each type once, the first of them (RFC 7606 §3 (g))
	// Cut says why the rest of the attributes could not be read: treat what Reach names as withdrawn (RFC 7606 §4).
	Cut error
}

// EndOfRIB says whether u is the End-of-RIB mark, and of which family (RFC 4724 §2).
func (u *Update) EndOfRIB() (Family, bool) {
	if len(u.Withdrawn) > 0 || len(u.NLRI) > 0 || u.Reach != nil || len(u.Attrs) > 0 || u.Cut != nil {
		return Family{}, false
	}
	if u.Unreach == nil {
		return Family{1, 1}, true
	}
	return u.Unreach.Family, len(u.Unreach.NLRI) == 0
}

// ParseUpdate cuts the body of an UPDATE message into its parts. An error is a *Notification: so much is wrong that nobody can tell which
// routes the message meant, and RFC 7606 §3 (j) asks for a reset.
func ParseUpdate(body []byte) (Update, error) {
	var u Update
	withdrawn, rest, ok := counted(body)
	if !ok {
		return u, malformed("withdrawn routes run past the end of the message")
	}
	attrs, nlri, ok := counted(rest)
	if !ok {
		return u, malformed("path attributes run past the end of the message")
	}
	u.Withdrawn, u.NLRI = withdrawn, nlri
	var seen [256]bool
	for len(attrs) > 0 {
		a, more, err := nextAttr(attrs)
		if err != nil {
			if u.Reach == nil { // routes may be lost in what cannot be read (RFC 7606 §5.2)
				return u, malformed(err.Error())
			}
			u.Cut = err
			return u, nil
		}
		attrs = more
		if err := u.add(a, &seen); err != nil {
			return u, err
		}
	}
	return u, nil
}

func (u *Update) add(a Attr, seen *[256]bool) error {
	first := !seen[a.Type]
	seen[a.Type] = true
	switch {
	case a.Type == attrReach || a.Type == attrUnreach:
		if !first {
			return malformed(fmt.Sprintf("two attributes of type %d (RFC 7606 §3 (g))", a.Type))
		}
		return u.addMP(a)
	case first:
		u.Attrs = append(u.Attrs, a)
	}
	return nil
}

// addMP takes one of the two multiprotocol attributes apart. What RFC 7606 §5.3 calls "incorrect" leaves nobody knowing which routes were meant.
func (u *Update) addMP(a Attr) error {
	if a.Flags&(flagOptional|flagTransitive) != flagOptional {
		return &Notification{Code: 3, Subcode: 4, Data: a.octets(), Detail: fmt.Sprintf("attribute %d with flags %#02x", a.Type, a.Flags)}
	}
	v := a.Value
	if len(v) < 3 || a.Type == attrReach && len(v) < 5 {
		return &Notification{Code: 3, Subcode: 9, Data: a.octets(), Detail: fmt.Sprintf("attribute %d of %d octets is too short (RFC 7606 §5.3)", a.Type, len(v))}
	}
	f := Family{binary.BigEndian.Uint16(v), v[2]}
	if a.Type == attrUnreach {
		u.Unreach = &Unreach{Family: f, NLRI: v[3:]}
		return nil
	}
	hop := int(v[3])
	if len(v) < 4+hop+1 {
		return &Notification{Code: 3, Subcode: 9, Data: a.octets(), Detail: fmt.Sprintf("a next hop of %d octets runs past MP_REACH_NLRI", hop)}
	}
	u.Reach = &Reach{Family: f, NextHop: v[4 : 4+hop], NLRI: v[4+hop+1:]} // the octet between is reserved (RFC 4760 §3)
	return nil
}

func malformed(detail string) error { return &Notification{Code: 3, Subcode: 1, Detail: detail} }

// counted splits b after a part that two octets of length precede.
func counted(b []byte) (part, rest []byte, ok bool) {
	if len(b) < 2 || len(b)-2 < int(binary.BigEndian.Uint16(b)) {
		return nil, nil, false
	}
	end := 2 + int(binary.BigEndian.Uint16(b))
	return b[2:end:end], b[end:], true
}

// nextAttr cuts the first attribute off b (RFC 4271 §4.3).
func nextAttr(b []byte) (a Attr, rest []byte, err error) {
	head := 3
	if b[0]&flagExtended != 0 {
		head = 4
	}
	if len(b) < head {
		return a, nil, errors.New("the last path attribute is cut off in its head")
	}
	length := int(b[2])
	if head == 4 {
		length = int(binary.BigEndian.Uint16(b[2:]))
	}
	if len(b) < head+length {
		return a, nil, fmt.Errorf("attribute %d of %d octets runs past the attributes, which have %d left", b[1], length, len(b)-head)
	}
	end := head + length
	return Attr{Flags: b[0], Type: b[1], Value: b[head:end:end]}, b[end:], nil
}

// octets is a as it travels, its length in two octets when it needs or asks for them.
func (a Attr) octets() []byte {
	var out []byte
	err := guard(func() (err error) {
		out, err = bgp.NewPathAttributeUnknown(bgp.BGPAttrFlag(a.Flags), bgp.BGPAttrType(a.Type), a.Value).Serialize()
		return err
	})
	if err != nil {
		panic("session: the packet library cannot write an opaque attribute: " + err.Error())
	}
	return out
}
