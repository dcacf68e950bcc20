package eos

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// reading is the conditions of a match as they come in.
type reading struct {
	v            packet.Version
	conditions   int
	src, dst     *netip.Prefix
	protocols    []protocol
	later        bool
	length, dscp packet.Values
}

// protocol is one statement `protocol ...`.
type protocol struct {
	numbers      packet.Values
	src, dst     packet.Values // ports; nil: any
	types, codes packet.Values
}

func (p *protocol) ports() bool { return p.src != nil || p.dst != nil }

// names are the words for protocols that EOS knows (aerleon, arista_tp.py).
var names = map[string]uint32{"icmp": icmp, "igmp": 2, "tcp": tcp, "udp": udp, "rsvp": 46, "ahp": 51, "ospf": 89, "pim": 103, "vrrp": 112}

// condition takes one condition.
func (m *reading) condition(n *node) error {
	m.conditions++
	w := n.words
	switch {
	case n.is("source", "prefix") && len(w) == 3:
		return m.prefix(&m.src, w[2])
	case n.is("destination", "prefix") && len(w) == 3:
		return m.prefix(&m.dst, w[2])
	case n.is("dscp") && len(w) == 2:
		return once(&m.dscp, w[1:], 0, 63, dscpWords)
	case m.v == packet.IPv4 && n.is("protocol") && len(w) > 1:
		p, err := readProtocol(w[1:])
		m.protocols = append(m.protocols, p)
		return err
	case m.v == packet.IPv4 && n.is("fragment", "offset") && len(w) > 2:
		return m.offset(w[2:])
	case m.v == packet.IPv4 && n.is("ip", "length") && len(w) == 3:
		return once(&m.length, w[2:], 0, 65535, nil)
	}
	return errors.New("sluice writes no such condition")
}

func (m *reading) prefix(to **netip.Prefix, text string) error {
	if *to != nil {
		return errors.New("a second prefix; sluice writes one for each match")
	}
	p, err := netip.ParsePrefix(text)
	if err != nil || p != p.Masked() || p.Addr().Is4() != (m.v == packet.IPv4) || p.Addr().Is4In6() {
		return fmt.Errorf("want a prefix of IPv%d without bits behind its length", m.v)
	}
	*to = &p
	return nil
}

// offset takes `fragment offset`, which sluice writes for later fragments only.
func (m *reading) offset(words []string) error {
	if m.later {
		return errors.New("it stands there twice")
	}
	vs, err := readList(words, 0, 8191, nil)
	if err != nil {
		return err
	}
	if !slices.Equal(vs, packet.Values{{Lo: 1, Hi: 8191}}) {
		return errors.New("sluice writes no offset but 1-8191")
	}
	m.later = true
	return nil
}

// readProtocol reads what stands behind `protocol`.
func readProtocol(words []string) (p protocol, err error) {
	n := slices.IndexFunc(words, func(w string) bool { return w == "source" || w == "destination" || w == "type" })
	if n < 0 {
		n = len(words)
	}
	if p.numbers, err = readList(words[:n], 1, 255, names); err != nil {
		return p, err
	}
	for words = words[n:]; len(words) > 0; {
		if len(words) < 2 {
			return p, errors.New("something is missing behind it")
		}
		var to *packet.Values
		top, skip := uint32(65535), 2
		switch {
		case words[0] == "source" && words[1] == "port":
			to = &p.src
		case words[0] == "destination" && words[1] == "port":
			to = &p.dst
		case words[0] == "type":
			to, top, skip = &p.types, 255, 1
		case words[0] == "code" && p.types != nil:
			to, top, skip = &p.codes, 255, 1
		default:
			return p, fmt.Errorf("%q is not understood", strings.Join(words, " "))
		}
		words = words[skip:]
		n := 0
		for n < len(words) && strings.IndexByte("0123456789,", words[n][0]) >= 0 || n == 0 && n < len(words) && words[n] == "all" {
			n++
		}
		if n == 1 && words[0] == "all" && to != &p.types {
			if *to != nil {
				return p, errors.New("it stands there twice")
			}
		} else if err := once(to, words[:n], 0, top, nil); err != nil {
			return p, err
		}
		words = words[n:]
	}
	return p, nil
}

// once reads a list where there was none.
func once(to *packet.Values, words []string, least, most uint32, known map[string]uint32) error {
	if *to != nil {
		return errors.New("it stands there twice")
	}
	vs, err := readList(words, least, most, known)
	*to = vs
	return err
}

// readList reads numbers, ranges and known words, which commas or blanks part.
func readList(words []string, least, most uint32, known map[string]uint32) (packet.Values, error) {
	var spans []packet.Span
	for _, w := range words {
		for _, one := range strings.Split(strings.Trim(w, ","), ",") {
			if n, ok := known[one]; ok {
				spans = append(spans, packet.Span{Lo: n, Hi: n})
				continue
			}
			lo, hi, found := strings.Cut(one, "-")
			if !found {
				hi = lo
			}
			a, err := strconv.ParseUint(lo, 10, 32)
			b, err2 := strconv.ParseUint(hi, 10, 32)
			if err != nil || err2 != nil || a > b || a < uint64(least) || b > uint64(most) {
				return nil, fmt.Errorf("%q is no number or range of %d to %d, and no word that sluice knows", one, least, most)
			}
			spans = append(spans, packet.Span{Lo: uint32(a), Hi: uint32(b)})
		}
	}
	if len(spans) == 0 {
		return nil, errors.New("no number stands there")
	}
	return packet.NewValues(spans...), nil
}

// match puts the conditions together.
func (m *reading) match() (filter.Match, error) {
	out := filter.Match{Src: m.src, Dst: m.dst, Length: m.length, DSCP: m.dscp}
	if m.later {
		out.Fragments = laterStates
	}
	if len(m.protocols) == 0 {
		return out, nil
	}
	first := m.protocols[0]
	for i, p := range m.protocols {
		out.Proto = out.Proto.Or(p.numbers)
		if i == 0 {
			out.Proto = p.numbers
		}
		if i > 0 && (p.types != nil || first.types != nil || !same(p.src, first.src) || !same(p.dst, first.dst)) {
			return out, errors.New("its protocols have different conditions; sluice writes a match for each")
		}
		if p.ports() && p.types != nil || m.later && (p.ports() || p.types != nil) {
			return out, errors.New("ports, ICMP types and later fragments do not stand together")
		}
		if p.ports() && len(p.numbers.And(packet.Values{{Lo: tcp, Hi: tcp}, {Lo: udp, Hi: udp}})) != len(p.numbers) {
			return out, errors.New("a port of a protocol other than tcp and udp")
		}
		if p.types != nil && !slices.Equal(p.numbers, packet.Values{{Lo: icmp, Hi: icmp}}) {
			return out, errors.New("a type of a protocol other than icmp")
		}
	}
	out.SrcPort, out.DstPort, out.ICMPType, out.ICMPCode = first.src, first.dst, first.types, first.codes
	return out, nil
}

// same compares two lists, nil being every number.
func same(a, b packet.Values) bool { return (a == nil) == (b == nil) && slices.Equal(a, b) }
