package packet

import (
	"math"
	"net/netip"
)

// Witness returns a packet of a that looks ordinary: physically possible, a common protocol,
// unfragmented, a middling length, wherever a leaves the choice. It returns false when a is empty or
// holds only packets that cannot exist (an IPv4 packet of 12 octets, say).
func (a Set) Witness() (Header, bool) {
	var best Header
	least, found := 0, false
	for i := range a.boxes {
		h, odd, ok := a.boxes[i].witness()
		if ok && (!found || odd < least) {
			best, least, found = h, odd, true
		}
	}
	return best, found
}

// shortest returns the least length in octets that a packet can have: that of its IP header. A router discards a packet whose length
// cannot hold that header before any filter sees it (RFC 1812 §5.2.2); the payload length of IPv6 does not count the header at all. Nothing
// behind the header is asked for: attackers cut transport headers and fragments short, and filters are written against that.
func shortest(v Version) uint32 {
	if v == IPv6 {
		return 40
	}
	return 20
}

// complete returns the least length in octets of a packet that is not cut short, its headers at their smallest: TCP 20, UDP 8, ICMP 8; the
// payload of a fragment that is not the last is at least 8 octets (RFC 791 §3.2, RFC 8200 §4.5), and an IPv6 fragment has a
// fragment header of 8. A first fragment may end within a TCP header (RFC 1858).
func complete(v Version, f Fragment, proto uint8) uint32 {
	n := shortest(v)
	icmp := uint8(1)
	if v == IPv6 {
		icmp = 58
		if f != Whole {
			n += 8
		}
	}
	switch {
	case f == Last:
		return n
	case f == Whole && proto == 6:
		return n + 20
	case f == Whole && proto != 17 && proto != icmp:
		return n
	}
	return n + 8
}

// Unicast addresses; those of IPv6 are 2000::/3.
var (
	unicastV4 = addrSpan{number(netip.MustParseAddr("1.0.0.0")), number(netip.MustParseAddr("223.255.255.255"))}
	unicastV6 = addrSpan{bit(125), low(126)}
)

// What a witness tries first. Numbers that are not allowed are passed over.
var (
	likelyFrags = []struct {
		f  Fragment
		df bool
	}{{Whole, false}, {Whole, true}, {Last, false}, {First, false}, {Middle, false}, {Last, true}, {First, true}, {Middle, true}}
	likelyFlags = []uint16{0x02, 0x12, 0x10, 0x18, 0x04, 0x14, 0x11, 0x01, 0x00} // S SA A PA R RA FA F none
	// Addresses for documentation: RFC 5737, RFC 3849.
	likelyAddrs = map[Version][2][]u128{
		IPv4: {addrs("203.0.113.9", "198.51.100.9", "192.0.2.9"), addrs("198.51.100.7", "192.0.2.7", "203.0.113.7")},
		IPv6: {addrs("2001:db8:113::9", "2001:db8:51::9"), addrs("2001:db8:51::7", "2001:db8:113::7")},
	}
)

func addrs(texts ...string) (out []u128) {
	for _, t := range texts {
		out = append(out, number(netip.MustParseAddr(t)))
	}
	return out
}

// witness returns an ordinary packet of b and how odd it is, or false when b holds only packets that cannot exist. One that is cut short is
// the last resort.
func (b *box) witness() (h Header, odd int, ok bool) {
	for _, whole := range []bool{true, false} {
		for i, l := range likelyFrags {
			if b.frags&FragsOf(l.f, l.df) == 0 {
				continue
			}
			for j, p := range b.protos {
				least := shortest(b.version)
				if whole {
					least = complete(b.version, l.f, p)
				}
				h = Header{Proto: p, Fragment: l.f, DF: l.df}
				n, ok := b.length(&h, least)
				if !ok {
					continue
				}
				h.Length = n
				b.fill(&h)
				if !whole {
					i += len(likelyFrags)
				}
				return h, 100*i + j, true
			}
		}
	}
	return h, 0, false
}

// protos yields the protocols of b worth trying, with their numbers: the common ones, and another one in case none of them fits the length. The
// common ones are all that have a say in the length of a complete packet, so no other one can do where that one does not.
func (b *box) protos(yield func(int, uint8) bool) {
	common, all, n := [...]uint8{17, 6, 1, 47, 50}, b.list(proto), 0
	if b.version == IPv6 {
		common[2] = 58
	}
	for _, p := range common {
		if all.Has(uint32(p)) {
			if !yield(n, p) {
				return
			}
			n++
		}
	}
	rest := all
	for _, p := range common {
		rest = rest.Sub(Values{{uint32(p), uint32(p)}}, 255)
	}
	if !rest.Empty() {
		yield(n, uint8(rest.pick(253))) // 253 and 254 are for experiments, RFC 3692
	}
}

// length returns a length of b of at least least, one that packets like h often have where there is one.
func (b *box) length(h *Header, least uint32) (uint16, bool) {
	all := b.list(length)
	for _, n := range h.usualLength(b.version) {
		if n >= least && n > 0 && all.Has(n) {
			return uint16(n), true
		}
	}
	if all == nil {
		return uint16(least), true
	}
	for _, s := range all {
		if s.Hi >= least && max(s.Lo, least) <= math.MaxUint16 {
			return uint16(max(s.Lo, least)), true
		}
	}
	return 0, false
}

// usualLength returns lengths that a packet like h often has; 0: no more.
func (h *Header) usualLength(v Version) [4]uint32 {
	more := uint32(0)
	if v == IPv6 {
		more = 20
	}
	switch {
	case h.Fragment == First || h.Fragment == Middle:
		return [...]uint32{1500, 1280, 576, 0}
	case h.Fragment == Whole && h.Proto == 6:
		return [...]uint32{60 + more, 1400, 52 + more, 40 + more}
	case h.Fragment == Whole && (h.Proto == 1 || h.Proto == 58):
		return [...]uint32{84 + more, 1400, 0, 0}
	}
	return [...]uint32{512, 1400, 128, 100}
}

// fill chooses the fields of h that have no say in whether h can exist.
func (b *box) fill(h *Header) {
	h.DSCP = uint8(b.list(dscp).pick(0))
	h.Label = b.list(label).pick(0)
	h.Dst = b.addrs[0].pick(b.version, likelyAddrs[b.version][0]).addr(b.version)
	h.Src = b.addrs[1].pick(b.version, likelyAddrs[b.version][1]).addr(b.version)
	if h.hasPorts() {
		b.ports(h)
	} else {
		h.SrcPort, h.DstPort = uint16(b.list(srcPort).pick(0)), uint16(b.list(dstPort).pick(0))
	}
	if h.hasICMP() {
		echo := uint32(8)
		if b.version == IPv6 {
			echo = 128
		}
		h.ICMPType = uint8(b.list(icmpType).pick(echo))
	} else {
		h.ICMPType = uint8(b.list(icmpType).pick(0))
	}
	h.ICMPCode = uint8(b.list(icmpCode).pick(0))
	h.Flags = b.flags.lowest()
	if !h.hasFlags() {
		return
	}
	for _, w := range likelyFlags {
		if b.flags.Has(w) {
			h.Flags = w
			return
		}
	}
}

// ports gives h a service on one side and a client on the other: the service stands where the box is particular.
func (b *box) ports(h *Header) {
	service := []uint32{53, 443, 80, 123}
	if h.Proto == 6 {
		service = []uint32{443, 80, 53, 22}
	}
	client := []uint32{40000, 50000, 33000, 1024}
	from, to := b.list(srcPort), b.list(dstPort)
	if from != nil && (to == nil || to.Has(40000)) && !from.Has(40000) {
		h.SrcPort, h.DstPort = uint16(from.pick(service...)), uint16(to.pick(client...))
		return
	}
	h.SrcPort, h.DstPort = uint16(from.pick(client...)), uint16(to.pick(service...))
}

// pick returns the first of likely that is in v, else the lowest number of v. v is not empty.
func (v Values) pick(likely ...uint32) uint32 {
	for _, n := range likely {
		if v.Has(n) {
			return n
		}
	}
	if v == nil {
		return 0
	}
	return v[0].Lo
}

// pick returns the first of likely that is in a, else a unicast address of it that looks like a host, else the lowest one.
func (a Addrs) pick(v Version, likely []u128) u128 {
	for _, n := range likely {
		if a.set == nil || a.set.has(n) {
			return n
		}
	}
	if a.set.cubes() != nil {
		return a.set.cubes()[0].value
	}
	unicast := &unicastV4
	if v == IPv6 {
		unicast = &unicastV6
	}
	for _, s := range a.set.spans() {
		if s.lo.less(unicast.lo) {
			s.lo = unicast.lo
		}
		if unicast.hi.less(s.hi) {
			s.hi = unicast.hi
		}
		if s.hi.less(s.lo) {
			continue
		}
		if host := s.lo.plus(9); !s.hi.less(host) && s.lo.less(host) {
			return host
		}
		return s.lo
	}
	return a.set.spans()[0].lo
}
