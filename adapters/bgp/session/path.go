package session

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/osrg/gobgp/v3/pkg/packet/bgp"
)

// Path is what the attributes of an UPDATE say about its routes. Zero and empty mean absent.
type Path struct {
	Origin           uint8
	ASPath           []uint32 // every AS number in it, of all segments, AS4_PATH included
	Shape            Shape    // of AS_PATH
	MED              uint32
	LocalPref        uint32
	Communities      []uint32    // RFC 1997
	LargeCommunities [][3]uint32 // RFC 8092
	ExtCommunities   []string    // 8 octets each, as they came (RFC 4360)
	IPv6Communities  []string    // 20 octets each, as they came (RFC 5701)
	OriginatorID     netip.Addr  // RFC 4456
	ClusterList      []netip.Addr
}

// ParsePath decodes the attributes of u, which a peer announced with agreed. A *Notification asks for a reset; every other error means that the
// routes of u are to be treated as withdrawn (RFC 7606 §2), and says why.
func ParsePath(u *Update, agreed Negotiated) (Path, error) {
	var p Path
	var errs []error
	if u.Cut != nil {
		errs = append(errs, u.Cut)
	}
	var present [256]bool
	for _, a := range u.Attrs {
		present[a.Type] = true
		if err := p.add(a, agreed); err != nil {
			var n *Notification
			if errors.As(err, &n) {
				return p, err // the strongest handling wins (RFC 7606 §3 (h))
			}
			errs = append(errs, err)
		}
	}
	if u.Reach == nil && len(u.NLRI) == 0 {
		if len(errs) > 0 { // the routes that it meant may be what is wrong with it
			return p, malformed(fmt.Sprintf("no routes, and %v (RFC 7606 §5.2)", errors.Join(errs...)))
		}
		return p, nil
	}
	mandatory := []uint8{attrOrigin, attrASPath}
	if agreed.IBGP() {
		mandatory = append(mandatory, attrLocalPref)
	}
	for _, typ := range mandatory {
		if !present[typ] {
			errs = append(errs, fmt.Errorf("%s is missing (RFC 7606 §3 (d))", attributes[typ].name))
		}
	}
	return p, errors.Join(errs...)
}

// internal attributes mean something inside one AS only; from outside they are discarded (RFC 7606 §7.5, §7.9, §7.10).
func internal(typ uint8) bool {
	return typ == attrLocalPref || typ == attrOriginatorID || typ == attrClusterList
}

func (p *Path) add(a Attr, agreed Negotiated) error {
	if internal(a.Type) && !agreed.IBGP() {
		return nil
	}
	spec, known := attributes[a.Type]
	if !known {
		if a.Flags&flagOptional == 0 {
			return &Notification{Code: 3, Subcode: 2, Data: a.octets(), Detail: fmt.Sprintf("attribute %d", a.Type)} // RFC 4271 §6.3
		}
		return nil
	}
	if a.Flags&(flagOptional|flagTransitive) != spec.flags {
		return fmt.Errorf("%s with flags %#02x (RFC 7606 §3 (c))", spec.name, a.Flags)
	}
	if spec.discard {
		return nil
	}
	if !spec.fits(len(a.Value)) {
		return fmt.Errorf("%s of %d octets (RFC 7606 §7)", spec.name, len(a.Value))
	}
	if err := guard(func() error { return p.set(a, agreed) }); err != nil {
		return fmt.Errorf("%s: %w", spec.name, err)
	}
	return nil
}

// attrSpec is what an attribute must look like.
type attrSpec struct {
	name     string
	flags    uint8
	exact    int  // this many octets
	multiple int  // a multiple of this many, and not none
	discard  bool // of no use here; errors in it mean "attribute discard" or matter to nobody
}

// attributes are the known ones, as RFC 4271 §5 and the RFC of each define them.
var attributes = map[uint8]attrSpec{
	attrOrigin:       {"ORIGIN", flagTransitive, 1, 0, false},
	attrASPath:       {"AS_PATH", flagTransitive, 0, 0, false},
	attrNextHop:      {"NEXT_HOP", flagTransitive, 4, 0, false},
	attrMED:          {"MULTI_EXIT_DISC", flagOptional, 4, 0, false},
	attrLocalPref:    {"LOCAL_PREF", flagTransitive, 4, 0, false},
	attrAtomic:       {"ATOMIC_AGGREGATE", flagTransitive, 0, 0, true},
	attrAggregator:   {"AGGREGATOR", flagOptional | flagTransitive, 0, 0, true},
	attrCommunities:  {"COMMUNITIES", flagOptional | flagTransitive, 0, 4, false},
	attrOriginatorID: {"ORIGINATOR_ID", flagOptional, 4, 0, false},
	attrClusterList:  {"CLUSTER_LIST", flagOptional, 0, 4, false},
	attrExtComm:      {"EXTENDED COMMUNITIES", flagOptional | flagTransitive, 0, 8, false},
	attrAS4Path:      {"AS4_PATH", flagOptional | flagTransitive, 0, 0, false},
	attrAS4Aggr:      {"AS4_AGGREGATOR", flagOptional | flagTransitive, 0, 0, true},
	attrIPv6ExtComm:  {"IPv6 EXTENDED COMMUNITIES", flagOptional | flagTransitive, 0, 20, false},
	attrLargeComm:    {"LARGE_COMMUNITY", flagOptional | flagTransitive, 0, 12, false},
}

func (s attrSpec) fits(n int) bool {
	return (s.exact == 0 || n == s.exact) && (s.multiple == 0 || n > 0 && n%s.multiple == 0)
}

// set decodes one attribute. Communities with actions stay octets: package flowspec reads them.
func (p *Path) set(a Attr, agreed Negotiated) (err error) {
	a.Flags &= 0xf0 // the others "MUST be ignored when received" (RFC 4271 §4.3), and the library minds them
	raw := a.octets()
	switch a.Type {
	case attrOrigin:
		if p.Origin = a.Value[0]; p.Origin > 2 {
			return fmt.Errorf("value %d", p.Origin)
		}
	case attrASPath:
		var as []uint32
		as, p.Shape, err = parseASPath(a.Value, agreed.FourOctet)
		p.ASPath = append(p.ASPath, as...)
	case attrMED:
		p.MED = binary.BigEndian.Uint32(a.Value)
	case attrAS4Path:
		if agreed.FourOctet {
			return nil // RFC 6793 §4.1: from a speaker of four-octet numbers it is discarded
		}
		as, _, err := parseASPath(a.Value, true)
		if err == nil { // RFC 6793 §6: malformed, it is discarded
			p.ASPath = append(p.ASPath, as...)
		}
	case attrLocalPref:
		p.LocalPref = binary.BigEndian.Uint32(a.Value)
	case attrCommunities:
		var c bgp.PathAttributeCommunities
		err = c.DecodeFromBytes(raw)
		p.Communities = c.Value
	case attrLargeComm:
		var c bgp.PathAttributeLargeCommunities
		err = c.DecodeFromBytes(raw)
		for _, v := range c.Values {
			p.LargeCommunities = append(p.LargeCommunities, [3]uint32{v.ASN, v.LocalData1, v.LocalData2})
		}
	case attrOriginatorID:
		p.OriginatorID, _ = netip.AddrFromSlice(a.Value)
	case attrClusterList:
		for id := range slices.Chunk(a.Value, 4) {
			addr, _ := netip.AddrFromSlice(id)
			p.ClusterList = append(p.ClusterList, addr)
		}
	case attrExtComm:
		p.ExtCommunities = chunks(a.Value, 8)
	case attrIPv6ExtComm:
		p.IPv6Communities = chunks(a.Value, 20)
	}
	return err
}

func chunks(b []byte, size int) []string {
	out := make([]string, 0, len(b)/size)
	for c := range slices.Chunk(b, size) {
		out = append(out, string(c))
	}
	return out
}

// Shape is what a choice between paths asks of an AS_PATH.
type Shape struct {
	Neighbour uint32 // its left-most AS, in front of which stand at most AS_CONFED_SEQUENCEs; 0: there is none, or it is in an AS_SET
	Internal  bool   // it is empty, or holds nothing but AS_CONFED_SEQUENCEs
	Length    int    // as RFC 4271 §9.1.2.2 counts: an AS_SET is one, and confederations are none (RFC 5065 §5.3)
}

// add takes the next segment.
func (s *Shape) add(kind uint8, as []uint32) {
	switch kind {
	case bgp.BGP_ASPATH_ATTR_TYPE_SEQ:
		if s.Length == 0 && s.Internal {
			s.Neighbour = as[0]
		}
		s.Length += len(as)
	case bgp.BGP_ASPATH_ATTR_TYPE_SET:
		s.Length++
	case bgp.BGP_ASPATH_ATTR_TYPE_CONFED_SEQ:
		return
	}
	s.Internal = false
}

// parseASPath lists the AS numbers of all segments. The library guesses the width of the numbers in a whole attribute; we know
// it from the OPEN and decode segment by segment. RFC 7606 §7.2 lists what is malformed.
func parseASPath(b []byte, four bool) (as []uint32, shape Shape, err error) {
	shape.Internal = true
	for len(b) > 0 {
		if len(b) < 2 || b[1] == 0 || b[0] < 1 || b[0] > 4 {
			return nil, shape, fmt.Errorf("segment %x is malformed (RFC 7606 §7.2)", b[:min(len(b), 2)])
		}
		var seg bgp.AsPathParamInterface = &bgp.AsPathParam{}
		size := 2 + 2*int(b[1])
		if four {
			seg, size = &bgp.As4PathParam{}, 2+4*int(b[1])
		}
		if len(b) < size {
			return nil, shape, fmt.Errorf("a segment of %d octets has %d left (RFC 7606 §7.2)", size, len(b))
		}
		if err := seg.DecodeFromBytes(b[:size]); err != nil {
			return nil, shape, err
		}
		as = append(as, seg.GetAS()...)
		shape.add(b[0], seg.GetAS())
		b = b[size:]
	}
	return as, shape, nil
}
