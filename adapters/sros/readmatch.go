package sros

import (
	"fmt"
	"net/netip"
	"strconv"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// readMatch is a match as its conditions come in.
type readMatch struct {
	v     packet.Version
	match filter.Match
	word  string // the condition on fragments
}

// condition reads one condition.
func (r *readMatch) condition(n *node) (err error) {
	m := &r.match
	switch n.name {
	case "dscp":
		if r.v == packet.IPv4 {
			return n.errorf("a filter of type %s has no such condition in IPv4", filterType)
		}
		m.DSCP, err = named(n, dscpNumber)
	case protocolLeaf(r.v):
		err = r.protocol(n)
	case "fragment":
		return r.fragment(n)
	case "src-ip":
		m.Src, err = r.address(n)
	case "dst-ip":
		m.Dst, err = r.address(n)
	case "src-port":
		m.SrcPort, err = numbers(n, 65535)
	case "dst-port":
		m.DstPort, err = numbers(n, 65535)
	case "port":
		m.Port, err = numbers(n, 65535)
	case "tcp-flags":
		err = r.flags(n)
	case "icmp":
		err = n.container(r.icmp)
	case "packet-length":
		err = r.length(n)
	default:
		return n.foreign()
	}
	return err
}

// named reads one number, or a name for one.
func named(n *node, lookup func(string) (uint32, bool)) (packet.Values, error) {
	text, err := n.leaf()
	if err != nil {
		return nil, err
	}
	number, ok := lookup(text)
	if !ok {
		return nil, n.errorf("%q is no name that sluice knows", text)
	}
	return packet.Values{{Lo: number, Hi: number}}, nil
}

func (r *readMatch) protocol(n *node) (err error) {
	if text, err := n.leaf(); err == nil && text == "tcp-udp" {
		r.match.Proto = tcpAndUDP
		return nil
	}
	r.match.Proto, err = named(n, func(s string) (uint32, bool) {
		if number, ok := protocolWords[s]; ok {
			return number, true
		}
		number, err := strconv.ParseUint(s, 10, 8)
		return uint32(number), err == nil
	})
	return err
}

func (r *readMatch) fragment(n *node) error {
	text, err := n.leaf()
	if err != nil {
		return err
	}
	if statesByWord(text, r.v) == 0 {
		return n.errorf("%q is no condition that sluice writes in IPv%d", text, r.v)
	}
	r.word = text
	return nil
}

// address reads one side: a prefix, or an address alone.
func (r *readMatch) address(n *node) (*netip.Prefix, error) {
	var out *netip.Prefix
	err := n.container(func(k *node) error {
		text, err := k.leaf()
		if err != nil {
			return err
		}
		if k.name != "address" {
			return k.foreign()
		}
		p, err := netip.ParsePrefix(text)
		if a, err2 := netip.ParseAddr(text); err2 == nil {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil || !p.IsValid() || p.Addr().Is4() != (r.v == packet.IPv4) || p.Addr().Is4In6() || p.Addr().Zone() != "" {
			return k.errorf("%q is no prefix of IPv%d", text, r.v)
		}
		if p != p.Masked() {
			return k.errorf("%s has bits behind its length", p)
		}
		if out = &p; p.Bits() == 0 {
			out = nil
		}
		return nil
	})
	if err == nil && len(n.kids) == 0 {
		err = n.errorf("want an address")
	}
	return out, err
}

// number reads a number of lo to hi.
func number(n *node, lo, hi uint32) (uint32, error) {
	text, err := n.leaf()
	if err != nil {
		return 0, err
	}
	v, err := strconv.ParseUint(text, 10, 32)
	if err != nil || v < uint64(lo) || v > uint64(hi) {
		return 0, n.errorf("%q is no number of %d to %d", text, lo, hi)
	}
	return uint32(v), nil
}

// numbers reads one of eq, lt, gt and range of a field up to top.
func numbers(n *node, top uint32) (packet.Values, error) {
	if len(n.kids) != 1 || len(n.words) > 0 {
		return nil, n.errorf("want one of eq, lt, gt and range")
	}
	var s packet.Span
	var err error
	switch k := n.kids[0]; k.name {
	case "eq":
		s.Lo, err = number(k, 0, top)
		s.Hi = s.Lo
	case "lt":
		s.Hi, err = number(k, 1, top)
		s.Hi--
	case "gt":
		s.Lo, err = number(k, 0, top-1)
		s.Lo, s.Hi = s.Lo+1, top
	case "range":
		s, err = ends(k, top)
	default:
		err = k.foreign()
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", n.name, err)
	}
	return packet.Values{s}, nil
}

// ends reads the ends of a range.
func ends(n *node, top uint32) (packet.Span, error) {
	var s packet.Span
	err := n.container(func(k *node) (err error) {
		switch k.name {
		case "start":
			s.Lo, err = number(k, 0, top)
		case "end":
			s.Hi, err = number(k, 0, top)
		default:
			err = k.foreign()
		}
		return err
	})
	switch {
	case err != nil:
	case len(n.kids) != 2:
		err = n.errorf("want a start and an end")
	case s.Lo > s.Hi:
		err = n.errorf("it runs backwards")
	}
	return s, err
}

// flags reads the bits that must be set or clear.
func (r *readMatch) flags(n *node) error {
	t := filter.FlagTerm{}
	err := n.container(func(k *node) error {
		for _, f := range flagBits {
			if f.name != k.name {
				continue
			}
			set, err := boolean(k)
			if set {
				t.Set |= f.bit
			} else {
				t.Clear |= f.bit
			}
			return err
		}
		return k.foreign()
	})
	if err == nil && len(n.kids) == 0 {
		err = n.errorf("want a flag")
	}
	r.match.Flags = []filter.FlagTerm{t}
	return err
}

func (r *readMatch) icmp(n *node) error {
	to := &r.match.ICMPType
	switch n.name {
	case "type":
	case "code":
		to = &r.match.ICMPCode
	default:
		return n.foreign()
	}
	v, err := number(n, 0, 255)
	*to = packet.Values{{Lo: v, Hi: v}}
	return err
}

// length reads a packet length. IPv6 packets may be longer than 65535 octets, which stands for all of these here, so nothing that ends there is understood.
func (r *readMatch) length(n *node) (err error) {
	r.match.Length, err = numbers(n, 65535)
	if err == nil && r.v == packet.IPv6 && r.match.Length[0].Hi == 65535 && n.kids[0].name != "gt" {
		err = n.errorf("longer packets are left out")
	}
	return err
}
