package flowspec

import (
	"encoding/binary"
	"fmt"
	"math"
	"net/netip"
	"slices"
)

// Octets 0 and 1 of the action communities (RFC 8955 §7, RFC 8956 §6, draft-ietf-idr-flowspec-redirect-ip). The
// IPv6-specific ones have 20 octets, the others 8.
const (
	commRateBytes      = 0x8006
	commAction         = 0x8007
	commRedirectAS2    = 0x8008
	commMark           = 0x8009
	commRatePackets    = 0x800c
	commRedirectIPv4   = 0x8108
	commRedirectAS4    = 0x8208
	commSimpson        = 0x0800
	commNextHopIPv4    = 0x010c
	commNextHopIPv6    = 0x000c // 20 octets
	commRedirectIPv6   = 0x000d // 20 octets
	nonTransitive      = 0x4000 // the same community, not passed on to other autonomous systems (RFC 4360 §2)
	lengthCommunity    = 8
	lengthCommunityIP6 = 20
)

// Bits of the last octet of a traffic-action community (RFC 8955 §7.3) and of a redirect to a next hop.
const (
	continueBit = 0x01 // T, bit 47: "if set, the flow is evaluated against later rules"
	sampleBit   = 0x02 // S, bit 46
	copyBit     = 0x01
)

// ActionError says why communities do not make an action, such as a rate that is NaN. The rule is unusable (treat as withdraw).
type ActionError struct {
	Community ExtComm
	Reason    string
}

func (e *ActionError) Error() string {
	return fmt.Sprintf("extended community %s: %s", e.Community, e.Reason)
}

// ParseAction reads the communities of one path; those that are not actions of FlowSpec (route targets, say) are in others. nextHop is the
// address in MP_REACH_NLRI, or the zero Addr.
//
// Rates: RFC 8955 §7.1 speaks of negative ones only ("SHOULD be treated as zero": discard, and -0 with them). NaN is an
// *ActionError, because a rule whose limit is no number cannot be kept in any sense. Infinity is no limit: the
// community is left out, and alone it is accept.
//
// Two communities of one class that ask for the same are one. Two that differ (two rates; two redirects, a route target
// beside a next hop among them) are all kept in Unknown and the class is unset: which of them a device would obey is its own choice
// (RFC 8955 §7.7). One exception: 0x0800 and 0x010c (or IPv6-specific 0x000c) with the same address and copy bit are two
// spellings of one request, sent for old and new receivers; the newer form is returned. A 0x0800 without an address in
// nextHop, or with an address of its own in the value, as some devices send it, is unknown.
func ParseAction(ext []ExtComm, nextHop netip.Addr) (a Action, others []ExtComm, err error) {
	var p parts
	for _, c := range ext {
		if err := p.add(c, nextHop); err != nil {
			return Action{}, nil, err
		}
	}
	return p.action(), p.others, nil
}

// parts collects what communities ask for, class by class.
type parts struct {
	rates     class[Rate]
	redirects class[Redirect]
	marks     class[uint8]
	actions   class[byte] // the two bits of 0x8007
	unknown   []ExtComm
	others    []ExtComm
}

// class holds the first request of a kind and every community that made one.
type class[T any] struct {
	first       *T
	communities []ExtComm
	conflict    bool
}

func (c *class[T]) add(comm ExtComm, v T, same func(T, T) bool) {
	c.communities = append(c.communities, comm)
	if c.first == nil {
		c.first = &v
		return
	}
	if !same(*c.first, v) {
		c.conflict = true
	}
}

// disturb notes a community of the class that makes no sense: the class cannot be obeyed.
func (c *class[T]) disturb(comm ExtComm) {
	c.communities = append(c.communities, comm)
	c.conflict = true
}

// settle returns the request, or nil and the communities that contradict each other.
func (c *class[T]) settle() (*T, []ExtComm) {
	if c.conflict {
		return nil, c.communities
	}
	return c.first, nil
}

func equal[T comparable](a, b T) bool { return a == b }

func (p *parts) add(c ExtComm, nextHop netip.Addr) error {
	switch len(c) {
	case lengthCommunity:
		return p.addShort(c, nextHop)
	case lengthCommunityIP6:
		p.addIPv6(c)
		return nil
	}
	return &ActionError{c, fmt.Sprintf("%d octets: an extended community has 8, or 20 when IPv6-specific (RFC 4360 §2, RFC 5701 §2)", len(c))}
}

func (p *parts) addShort(c ExtComm, nextHop netip.Addr) error {
	b := []byte(c)
	kind, value := binary.BigEndian.Uint16(b), b[2:]
	switch kind {
	case commRateBytes:
		return p.addRate(c, Bytes)
	case commRatePackets:
		return p.addRate(c, Packets)
	case commAction:
		p.actions.add(c, value[5]&(continueBit|sampleBit), equal) // other bits "MUST be ignored", RFC 8955 §7.3
	case commMark:
		p.marks.add(c, value[5]&0x3f, equal)
	case commRedirectAS2:
		p.addRedirect(c, Redirect{Form: RedirectAS2, Global: uint32(binary.BigEndian.Uint16(value)), Local: binary.BigEndian.Uint32(value[2:])})
	case commRedirectIPv4:
		p.addRedirect(c, Redirect{Form: RedirectIPv4, Addr: netip.AddrFrom4([4]byte(value)), Local: uint32(binary.BigEndian.Uint16(value[4:]))})
	case commRedirectAS4:
		p.addRedirect(c, Redirect{Form: RedirectAS4, Global: binary.BigEndian.Uint32(value), Local: uint32(binary.BigEndian.Uint16(value[4:]))})
	case commNextHopIPv4:
		p.addRedirect(c, Redirect{Form: NextHopIETFv4, Addr: netip.AddrFrom4([4]byte(value)), Copy: value[5]&copyBit != 0})
	case commSimpson:
		if !nextHop.IsValid() || nextHop.IsUnspecified() || [5]byte(value) != [5]byte{} || value[5]&^copyBit != 0 {
			p.redirects.disturb(c)
			return nil
		}
		p.addRedirect(c, Redirect{Form: NextHopSimpson, Addr: nextHop, Copy: value[5]&copyBit != 0})
	default:
		p.addOther(c, flowSpecShort(kind))
	}
	return nil
}

// flowSpecShort says whether IANA gave communities of that type and sub-type to FlowSpec: types 0x80 to 0x82 (actions), 0x07
// (interface-set), 0x08 (redirect to next hop), 0x09 (redirect to indirection-id), and sub-type 0x0c of the IPv4-specific ones.
func flowSpecShort(kind uint16) bool {
	kind &^= nonTransitive
	switch kind >> 8 {
	case 0x80, 0x81, 0x82, 0x07, 0x08, 0x09:
		return true
	}
	return kind == commNextHopIPv4
}

func (p *parts) addIPv6(c ExtComm) {
	b := []byte(c)
	kind := binary.BigEndian.Uint16(b)
	addr, local := netip.AddrFrom16([16]byte(b[2:])), binary.BigEndian.Uint16(b[18:])
	switch kind {
	case commRedirectIPv6:
		p.addRedirect(c, Redirect{Form: RedirectIPv6, Addr: addr, Local: uint32(local)})
	case commNextHopIPv6:
		p.addRedirect(c, Redirect{Form: NextHopIETFv6, Addr: addr, Copy: local&copyBit != 0})
	default:
		// Some speakers send 0x800b or 0x800d here for 0x000d. That is not in RFC 8956 §6.1, and it is kept as it came.
		kind &^= nonTransitive
		p.addOther(c, kind == commRedirectIPv6 || kind == commNextHopIPv6 || kind >= 0x8000)
	}
}

func (p *parts) addOther(c ExtComm, flowSpec bool) {
	list := &p.others
	if flowSpec {
		list = &p.unknown
	}
	if !slices.Contains(*list, c) {
		*list = append(*list, c)
	}
}

func (p *parts) addRate(c ExtComm, unit Unit) error {
	b := []byte(c)
	amount := math.Float32frombits(binary.BigEndian.Uint32(b[4:]))
	if amount != amount {
		return &ActionError{c, "the rate is not a number (NaN), so the rule says nothing that could be done (RFC 8955 §7.1)"}
	}
	if amount <= 0 {
		amount = 0 // also makes -0 plain
	}
	p.rates.add(c, Rate{Amount: amount, Unit: unit, AS: binary.BigEndian.Uint16(b[2:])}, Rate.same)
	return nil
}

// addRedirect notes r, preferring the newer of two spellings of one request.
func (p *parts) addRedirect(c ExtComm, r Redirect) {
	p.redirects.add(c, r, Redirect.Same)
	if p.redirects.first.Same(r) && r.Form > p.redirects.first.Form {
		p.redirects.first = &r
	}
}

func (p *parts) action() Action {
	var a Action
	var contrary [4][]ExtComm
	var bits *byte
	a.Rate, contrary[0] = p.rates.settle()
	a.Redirect, contrary[1] = p.redirects.settle()
	a.Mark, contrary[2] = p.marks.settle()
	bits, contrary[3] = p.actions.settle()
	if a.Rate != nil && math.IsInf(float64(a.Rate.Amount), 1) {
		a.Rate = nil
	}
	if bits != nil {
		a.Continue = *bits&continueBit != 0
		a.Sample = *bits&sampleBit != 0
	}
	a.Unknown = p.unknown
	for _, list := range contrary {
		for _, c := range list {
			if !slices.Contains(a.Unknown, c) {
				a.Unknown = append(a.Unknown, c)
			}
		}
	}
	return a
}

// Communities returns the action communities of a, in ascending order of their octets, and the next hop that the
// MP_REACH_NLRI must carry (only for NextHopSimpson; else the zero Addr).
func (a Action) Communities() (ext []ExtComm, nextHop netip.Addr) {
	if a.Rate != nil {
		ext = append(ext, a.Rate.community())
	}
	if a.Sample || a.Continue {
		var bits byte
		if a.Continue {
			bits |= continueBit
		}
		if a.Sample {
			bits |= sampleBit
		}
		ext = append(ext, extComm(commAction, 0, 0, 0, 0, 0, bits))
	}
	if a.Redirect != nil {
		ext = append(ext, a.Redirect.community())
		if a.Redirect.Form == NextHopSimpson {
			nextHop = a.Redirect.Addr
		}
	}
	if a.Mark != nil {
		ext = append(ext, extComm(commMark, 0, 0, 0, 0, 0, *a.Mark&0x3f))
	}
	ext = append(ext, a.Unknown...)
	slices.Sort(ext)
	return ext, nextHop
}

func (r Rate) community() ExtComm {
	kind := uint16(commRateBytes)
	if r.Unit == Packets {
		kind = commRatePackets
	}
	b := binary.BigEndian.AppendUint16(nil, kind)
	b = binary.BigEndian.AppendUint16(b, r.AS)
	return ExtComm(binary.BigEndian.AppendUint32(b, math.Float32bits(r.Amount)))
}

func (r Redirect) community() ExtComm {
	var c byte
	if r.Copy {
		c = copyBit
	}
	switch r.Form {
	case RedirectAS2:
		b := binary.BigEndian.AppendUint16(nil, uint16(r.Global))
		return extComm(commRedirectAS2, binary.BigEndian.AppendUint32(b, r.Local)...)
	case RedirectAS4:
		b := binary.BigEndian.AppendUint32(nil, r.Global)
		return extComm(commRedirectAS4, binary.BigEndian.AppendUint16(b, uint16(r.Local))...)
	case RedirectIPv4:
		return extComm(commRedirectIPv4, binary.BigEndian.AppendUint16(r.Addr.AsSlice(), uint16(r.Local))...)
	case RedirectIPv6:
		return extComm(commRedirectIPv6, binary.BigEndian.AppendUint16(r.Addr.AsSlice(), uint16(r.Local))...)
	case NextHopIETFv4:
		return extComm(commNextHopIPv4, append(r.Addr.AsSlice(), 0, c)...)
	case NextHopIETFv6:
		return extComm(commNextHopIPv6, append(r.Addr.AsSlice(), 0, c)...)
	}
	return extComm(commSimpson, 0, 0, 0, 0, 0, c)
}

func extComm(kind uint16, value ...byte) ExtComm {
	return ExtComm(append(binary.BigEndian.AppendUint16(nil, kind), value...))
}
