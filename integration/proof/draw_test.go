package proof_test

import (
	"net/netip"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// Rules are drawn from a small universe, so that they meet: four hosts, eight ports, a few lengths. Small tables of such rules hold more
// overlaps than large tables of a network do.

var (
	smallPorts = []uint64{53, 80, 81, 123, 389, 443, 1900, 11211}
	protocols  = []uint64{6, 17, 17, 1, 58, 47}
)

// smallAddress returns host i of the universe.
func smallAddress(f flowspec.Family, i int) netip.Addr {
	if f == flowspec.IPv6 {
		return netip.AddrFrom16([16]byte{0x20, 1, 0x0d, 0xb8, 15: byte(i)})
	}
	return netip.AddrFrom4([4]byte{10, 0, 0, byte(i)})
}

// rules draws up to most rules of family f, no two with one NLRI.
func (d *draw) rules(f flowspec.Family, most int) (out []flowspec.Rule) {
	seen := map[string]bool{}
	for n := 1 + d.IntN(most); n > 0; n-- {
		r := d.rule(f)
		if key := string(r.Match.NLRI()); !seen[key] {
			seen[key] = true
			out = append(out, r)
		}
	}
	return out
}

func (d *draw) rule(f flowspec.Family) flowspec.Rule {
	for {
		m, err := flowspec.NewMatch(f, flowspec.RD{}, d.components(f)...)
		if err == nil { // it has no components otherwise, or is longer than an NLRI may be
			return flowspec.Rule{ID: flowspec.NewID("proof", m), Match: m, Action: d.action(), Source: "proof"}
		}
	}
}

// components draws a match. One in three is a list of ports for one host, which platforms split, and which meets others of its kind.
func (d *draw) components(f flowspec.Family) (out []flowspec.Component) {
	if d.chance(3) {
		out = append(out, prefixOf(flowspec.DstPrefix, smallAddress(f, d.IntN(2)), smallAddress(f, 0).BitLen()))
		return append(out, d.numbers(pick(d, flowspec.SrcPort, flowspec.DstPort, flowspec.Port), len(smallPorts), smallPorts))
	}
	if c, ok := d.prefix(f, flowspec.DstPrefix, 32, 32, 31, 30, 24, 0, -1); ok {
		out = append(out, c)
	}
	if c, ok := d.prefix(f, flowspec.SrcPrefix, 32, 31, -1, -1, -1); ok {
		out = append(out, c)
	}
	for _, c := range []struct {
		typ    flowspec.Type
		often  int // in ten
		most   int
		values []uint64
	}{
		{flowspec.Protocol, 4, 2, protocols}, {flowspec.Port, 3, 3, smallPorts}, {flowspec.DstPort, 3, 8, smallPorts}, {flowspec.SrcPort, 3, 8, smallPorts},
		{flowspec.ICMPType, 1, 2, []uint64{0, 3, 8}}, {flowspec.ICMPCode, 0, 1, []uint64{0, 1}}, {flowspec.PacketLength, 1, 2, []uint64{100, 500, 1400}},
		{flowspec.DSCP, 2, 2, []uint64{0, 5, 46}},
	} {
		if d.IntN(10) < c.often || d.chance(40) {
			out = append(out, d.numbers(c.typ, c.most, c.values))
		}
	}
	if f == flowspec.IPv6 && d.chance(10) {
		out = append(out, d.numbers(flowspec.FlowLabel, 2, []uint64{0, 7, 0xfffff}))
	}
	if d.chance(8) {
		out = append(out, d.masks(flowspec.TCPFlags, 2, 16, 18, 1, 0x100, 0))
	}
	if d.chance(8) {
		out = append(out, d.masks(flowspec.Fragment, 2, 4, 6, 8, 14))
	}
	return out
}

func prefixOf(t flowspec.Type, a netip.Addr, bits int) flowspec.Component {
	p := netip.PrefixFrom(a, bits).Masked()
	return flowspec.Component{Type: t, Prefix: flowspec.Prefix{Addr: p.Addr(), Len: uint8(bits)}}
}

// prefix draws a prefix around one of the hosts, its length one of those (of IPv4; -1 is none).
func (d *draw) prefix(f flowspec.Family, t flowspec.Type, bits ...int) (c flowspec.Component, ok bool) {
	n := pick(d, bits...)
	if n < 0 {
		return c, false
	}
	if f != flowspec.IPv6 {
		return prefixOf(t, smallAddress(f, d.IntN(4)), n), true
	}
	if n > 0 {
		n += 96
	}
	c = prefixOf(t, smallAddress(f, d.IntN(4)), n)
	if n > 120 && d.chance(4) { // a pattern: the last bits only (RFC 8956 §3.1)
		a := c.Prefix.Addr.As16()
		c.Prefix.Addr, c.Prefix.Offset = netip.AddrFrom16([16]byte{15: a[15]}), 120
	}
	return c, true
}

// numbers draws a list of up to most values: equalities mostly, ranges, and now and then whatever the operators allow.
func (d *draw) numbers(t flowspec.Type, most int, values []uint64) flowspec.Component {
	c := flowspec.Component{Type: t}
	odd := d.chance(8)
	for n := 1 + d.IntN(most); n > 0; n-- {
		v := pick(d, values...)
		switch {
		case odd:
			c.Terms = append(c.Terms, flowspec.Term{And: len(c.Terms) > 0 && d.chance(3), Op: flowspec.Op(d.IntN(8)), Value: v})
		case d.chance(6):
			c.Terms = append(c.Terms, flowspec.Term{Op: flowspec.GE, Value: v}, flowspec.Term{And: true, Op: flowspec.LE, Value: max(v, pick(d, values...))})
		default:
			c.Terms = append(c.Terms, flowspec.Term{Op: pick(d, flowspec.EQ, flowspec.EQ, flowspec.EQ, flowspec.EQ, flowspec.GE, flowspec.LE, flowspec.NE), Value: v})
		}
	}
	return c
}

func (d *draw) masks(t flowspec.Type, values ...uint64) flowspec.Component {
	c := flowspec.Component{Type: t}
	for n := 1 + d.IntN(2); n > 0; n-- {
		c.Terms = append(c.Terms, flowspec.Term{And: len(c.Terms) > 0 && d.chance(2), Op: flowspec.Op(d.IntN(4)), Value: pick(d, values...)})
	}
	return c
}

func (d *draw) action() (a flowspec.Action) {
	mark := uint8(5)
	switch d.IntN(11) {
	case 0, 1, 2:
	case 3, 4, 5, 6:
		a.Rate = &flowspec.Rate{Unit: flowspec.Bytes}
	case 7:
		a.Rate = &flowspec.Rate{Amount: 1e6, Unit: flowspec.Bytes}
	case 8:
		a.Mark = &mark
	case 9:
		a.Redirect = &flowspec.Redirect{Form: flowspec.RedirectAS2, Global: 65000, Local: 1}
	case 10:
		a.Sample = true
	}
	a.Continue = d.chance(15)
	return a
}

func addressOf(octets []byte) netip.Addr {
	a, _ := netip.AddrFromSlice(octets)
	return a
}
