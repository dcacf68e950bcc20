package session

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/osrg/gobgp/v3/pkg/packet/bgp"
)

// Attributes returns the octets of every attribute of p but the multiprotocol ones, as the two sides of agreed write them: AS_PATH
// empty and LOCAL_PREF on iBGP, our AS number in front on eBGP (RFC 4271 §5.1). There is no NEXT_HOP: RFC 4760 §3 wants none beside
// MP_REACH_NLRI.
func (p Path) Attributes(agreed Negotiated) ([]byte, error) {
	attrs := []bgp.PathAttributeInterface{bgp.NewPathAttributeOrigin(p.Origin)}
	attrs = append(attrs, asPath(p.ASPath, agreed)...)
	if agreed.IBGP() {
		attrs = append(attrs, bgp.NewPathAttributeLocalPref(p.LocalPref))
	}
	if len(p.Communities) > 0 {
		attrs = append(attrs, bgp.NewPathAttributeCommunities(p.Communities))
	}
	if p.OriginatorID.IsValid() && agreed.IBGP() {
		attrs = append(attrs, bgp.NewPathAttributeOriginatorId(p.OriginatorID.String()))
	}
	if len(p.ClusterList) > 0 && agreed.IBGP() {
		attrs = append(attrs, opaque(flagOptional, attrClusterList, addrs(p.ClusterList)))
	}
	if len(p.ExtCommunities) > 0 {
		attrs = append(attrs, opaque(flagOptional|flagTransitive, attrExtComm, p.ExtCommunities))
	}
	if len(p.IPv6Communities) > 0 {
		attrs = append(attrs, opaque(flagOptional|flagTransitive, attrIPv6ExtComm, p.IPv6Communities))
	}
	if len(p.LargeCommunities) > 0 {
		var large []*bgp.LargeCommunity
		for _, c := range p.LargeCommunities {
			large = append(large, bgp.NewLargeCommunity(c[0], c[1], c[2]))
		}
		attrs = append(attrs, bgp.NewPathAttributeLargeCommunities(large))
	}
	var out []byte
	for _, a := range attrs {
		err := guard(func() error {
			b, err := a.Serialize()
			out = append(out, b...)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("encode attribute %v: %w", a.GetType(), err)
		}
	}
	return out, nil
}

// opaque keeps octets as they are; the library's own types would rewrite some extended communities.
func opaque(flags, typ uint8, parts []string) bgp.PathAttributeInterface {
	var value []byte
	for _, p := range parts {
		value = append(value, p...)
	}
	return bgp.NewPathAttributeUnknown(bgp.BGPAttrFlag(flags), bgp.BGPAttrType(typ), value)
}

func addrs(list []netip.Addr) (out []string) {
	for _, a := range list {
		out = append(out, string(a.AsSlice()))
	}
	return out
}

// asPath is the AS_PATH, with AS4_PATH beside it for a peer that knows two-octet numbers only (RFC 6793 §4.2.2).
func asPath(as []uint32, agreed Negotiated) []bgp.PathAttributeInterface {
	if !agreed.IBGP() {
		as = append([]uint32{agreed.LocalAS}, as...)
	}
	if len(as) == 0 {
		return []bgp.PathAttributeInterface{bgp.NewPathAttributeAsPath(nil)}
	}
	four := bgp.NewAs4PathParam(bgp.BGP_ASPATH_ATTR_TYPE_SEQ, as)
	if agreed.FourOctet {
		return []bgp.PathAttributeInterface{bgp.NewPathAttributeAsPath([]bgp.AsPathParamInterface{four})}
	}
	two, wide := make([]uint16, len(as)), false
	for i, n := range as {
		two[i] = twoOctet(n)
		wide = wide || n > 0xffff
	}
	out := []bgp.PathAttributeInterface{bgp.NewPathAttributeAsPath([]bgp.AsPathParamInterface{bgp.NewAsPathParam(bgp.BGP_ASPATH_ATTR_TYPE_SEQ, two)})}
	if wide {
		out = append(out, bgp.NewPathAttributeAs4Path([]*bgp.As4PathParam{four}))
	}
	return out
}

// ErrTooLong means that not even one NLRI fits into an UPDATE beside its attributes.
var ErrTooLong = errors.New("the NLRI and its attributes do not fit into one BGP message")

// What an UPDATE has around the NLRIs: header, two counts, the head of the multiprotocol attribute with a two-octet length, AFI and SAFI.
const around = HeaderLen + 2 + 2 + 4 + 3

// AppendReach appends UPDATE messages that announce all of nlris with one next hop and one set of attributes (as Path.Attributes returns
// them), as few as possible. MP_REACH_NLRI comes first (RFC 7606 §5.1). A message has 4096 octets at most, and up to most where a single NLRI needs more.
func AppendReach(dst []byte, f Family, nextHop, attrs []byte, nlris [][]byte, most int) ([]byte, error) {
	less := around + 2 + len(nextHop) + len(attrs)
	return appendUpdates(dst, nlris, MaxMessage-less, most-less, func(dst []byte, part [][]byte, size int) []byte {
		value := make([]byte, 0, 5+len(nextHop)+size)
		value = append(value, byte(f.AFI>>8), byte(f.AFI), f.SAFI, byte(len(nextHop)))
		value = append(append(value, nextHop...), 0)
		return append(append(dst, mpAttr(attrReach, value, part)...), attrs...)
	})
}

// AppendUnreach appends UPDATE messages that withdraw all of nlris, as few as possible and as long as those of AppendReach. No nlris make the End-of-RIB mark of f.
func AppendUnreach(dst []byte, f Family, nlris [][]byte, most int) ([]byte, error) {
	if f == UnicastIPv4 && len(nlris) == 0 {
		return append(dst, message(typeUpdate, make([]byte, 4))...), nil // the mark of that family is an empty UPDATE (RFC 4724 §2)
	}
	write := func(dst []byte, part [][]byte, size int) []byte {
		value := append(make([]byte, 0, 3+size), byte(f.AFI>>8), byte(f.AFI), f.SAFI)
		return append(dst, mpAttr(attrUnreach, value, part)...)
	}
	if len(nlris) == 0 {
		return appendUpdate(dst, nil, 0, write), nil
	}
	return appendUpdates(dst, nlris, MaxMessage-around, most-around, write)
}

func mpAttr(typ uint8, value []byte, nlris [][]byte) []byte {
	for _, n := range nlris {
		value = append(value, n...)
	}
	return Attr{Flags: flagOptional, Type: typ, Value: value}.octets()
}

type writeAttrs func(dst []byte, part [][]byte, size int) []byte

// appendUpdates fills one message after the other with at most room octets of NLRI, or a single one with at most most.
func appendUpdates(dst []byte, nlris [][]byte, room, most int, write writeAttrs) ([]byte, error) {
	for len(nlris) > 0 {
		n, size := 0, 0
		for n < len(nlris) && size+len(nlris[n]) <= room {
			size += len(nlris[n])
			n++
		}
		if n == 0 && len(nlris[0]) <= most {
			n, size = 1, len(nlris[0])
		}
		if n == 0 {
			return dst, ErrTooLong
		}
		dst = appendUpdate(dst, nlris[:n], size, write)
		nlris = nlris[n:]
	}
	return dst, nil
}

func appendUpdate(dst []byte, part [][]byte, size int, write writeAttrs) []byte {
	start := len(dst)
	dst = append(appendHeader(dst, typeUpdate), 0, 0, 0, 0) // nothing withdrawn; the length of the attributes follows below
	at := len(dst)
	dst = write(dst, part, size)
	dst[at-2], dst[at-1] = byte((len(dst)-at)>>8), byte(len(dst)-at)
	return finish(dst, start)
}
