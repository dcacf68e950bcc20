package rulegen

import (
	"encoding/binary"
	"net/netip"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// shape says whom a rule is for.
type shape uint8

const (
	host    shape = iota // one address
	subnet               // the /24 or /64 around one
	network              // the /16 or /48 around one
	anyone               // no destination
)

// lengths holds the prefix length of each shape.
var lengths = map[flowspec.Family][3]uint8{flowspec.IPv4: {32, 24, 16}, flowspec.IPv6: {128, 64, 48}}

func (d *draw) shape() shape {
	switch p := d.Float64(); {
	case p < 0.005:
		return anyone
	case p < 0.015:
		return network
	case p < 0.07:
		return subnet
	}
	return host
}

// prefixes returns destination and source of a rule of shape s.
func (d *draw) prefixes(s shape, withSource bool) (out []flowspec.Component) {
	if s != anyone {
		out = append(out, prefix(flowspec.DstPrefix, d.victim(d.IntN(d.victims)), lengths[d.family][s]))
	}
	if withSource || s == anyone {
		out = append(out, d.source())
	}
	return out
}

// victim returns the address of victim i. Three victims share a subnet, and subnets lie in some 1,500 networks all over the address space:
// at 100,000 rules a network holds about 16 victims, and most subnets hold none.
func (d *draw) victim(i int) netip.Addr {
	x := scatter(d.places, uint64(i/3))
	last := byte(1 + scatter(d.places+1, uint64(i))%84*3 + uint64(i%3)) // 1..252, never twice in one subnet
	area, second, third := x%6, byte(x>>8), byte(x>>16)
	if d.family == flowspec.IPv4 {
		return netip.AddrFrom4([4]byte{[...]byte{23, 45, 82, 141, 185, 203}[area], second, third, last})
	}
	a := netip.MustParseAddr([...]string{"2001:db8::", "2400:cb00::", "2604:a880::", "2803:f800::", "2a00:1450::", "2c0f:fb50::"}[area]).As16()
	a[5], a[7] = second, third // one of 256 /48s, and of 256 /64s in it
	binary.BigEndian.PutUint16(a[14:], uint16(last))
	return netip.AddrFrom16(a)
}

// scatter is a fixed mapping of numbers to numbers without any pattern (the finalizer of SplitMix64).
func scatter(seed, n uint64) uint64 {
	x := seed*0x9e3779b97f4a7c15 + (n+1)*0xd1342543de82ef95
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// source returns the network of somebody who attacks, or is trusted: a /24 or a /64.
func (d *draw) source() flowspec.Component {
	if d.family == flowspec.IPv4 {
		return prefix(flowspec.SrcPrefix, netip.AddrFrom4([4]byte{byte(11 + d.IntN(200)), byte(d.IntN(256)), byte(d.IntN(256)), 0}), 24)
	}
	a := [16]byte{0x26, byte(d.IntN(256)), byte(d.IntN(256)), byte(d.IntN(256)), 0, byte(d.IntN(256)), 0, byte(d.IntN(256))}
	return prefix(flowspec.SrcPrefix, netip.AddrFrom16(a), 64)
}

func prefix(t flowspec.Type, a netip.Addr, bits uint8) flowspec.Component {
	p := netip.PrefixFrom(a, int(bits)).Masked()
	return flowspec.Component{Type: t, Prefix: flowspec.Prefix{Addr: p.Addr(), Len: bits}}
}

func numbers(t flowspec.Type, values ...uint64) flowspec.Component {
	c := flowspec.Component{Type: t}
	for _, v := range values {
		c.Terms = append(c.Terms, flowspec.Term{Op: flowspec.EQ, Value: v})
	}
	return c
}

func between(t flowspec.Type, lo, hi uint64) flowspec.Component {
	return flowspec.Component{Type: t, Terms: []flowspec.Term{{Op: flowspec.GE, Value: lo}, {And: true, Op: flowspec.LE, Value: hi}}}
}

func atLeast(t flowspec.Type, v uint64) flowspec.Component {
	return flowspec.Component{Type: t, Terms: []flowspec.Term{{Op: flowspec.GE, Value: v}}}
}

// reflectors are UDP ports whose services amplify.
var reflectors = []uint64{17, 19, 53, 69, 111, 123, 137, 161, 389, 520, 1434, 1900, 3283, 3389, 5353, 11211}

// some returns n different reflectors in any order.
func (d *draw) some(n int) []uint64 {
	out := make([]uint64, n)
	for i, k := range d.Perm(len(reflectors))[:n] {
		out[i] = reflectors[k]
	}
	return out
}

const (
	tcp = 6
	udp = 17
)

func (d *draw) icmp() uint64 {
	if d.family == flowspec.IPv6 {
		return 58
	}
	return 1
}

// traffic draws what a rule matches beside its prefixes.
func (d *draw) traffic() []flowspec.Component {
	switch p := d.Float64(); {
	case p < 0.45:
		return d.amplification()
	case p < 0.65:
		return d.flood()
	case p < 0.75:
		lo := uint64(d.IntN(64000))
		return []flowspec.Component{numbers(flowspec.Protocol, udp), between(flowspec.DstPort, lo, lo+uint64(10+d.IntN(1400)))}
	case p < 0.83:
		return []flowspec.Component{numbers(flowspec.Protocol, tcp, udp), numbers(flowspec.Port, d.some(1+d.IntN(4))...)}
	case p < 0.90:
		isFragment := flowspec.Component{Type: flowspec.Fragment, Terms: []flowspec.Term{{Op: flowspec.AnyBit, Value: 2}}}
		if d.IntN(3) == 0 {
			return []flowspec.Component{isFragment}
		}
		return []flowspec.Component{numbers(flowspec.Protocol, udp), isFragment}
	case p < 0.95:
		return []flowspec.Component{numbers(flowspec.Protocol, d.icmp()), numbers(flowspec.ICMPType, uint64(d.IntN(20)))}
	}
	return []flowspec.Component{numbers(flowspec.Protocol, uint64(d.IntN(255)))}
}

// amplification matches answers of reflectors: one source port and large packets, or many ports.
func (d *draw) amplification() []flowspec.Component {
	if d.IntN(4) == 0 {
		return []flowspec.Component{numbers(flowspec.Protocol, udp), numbers(flowspec.SrcPort, d.some(2+d.IntN(14))...)}
	}
	return []flowspec.Component{numbers(flowspec.Protocol, udp), numbers(flowspec.SrcPort, d.some(1)...), atLeast(flowspec.PacketLength, uint64(200+d.IntN(600)))}
}

// flood matches TCP segments to one to eight ports, half of the time only those that open a connection.
func (d *draw) flood() []flowspec.Component {
	var ports []uint64
	for n := 1 + d.IntN(8); n > 0; n-- {
		ports = append(ports, []uint64{22, 25, 80, 110, 143, 443, 993, 3306, 8080, 8443, uint64(1024 + d.IntN(60000))}[d.IntN(11)])
	}
	out := []flowspec.Component{numbers(flowspec.Protocol, tcp), numbers(flowspec.DstPort, ports...)}
	if d.IntN(2) == 0 {
		opens := []flowspec.Term{{Op: flowspec.AllBits, Value: 0x02}, {And: true, Op: flowspec.NoBit, Value: 0x10}}
		out = append(out, flowspec.Component{Type: flowspec.TCPFlags, Terms: opens[:1+d.IntN(2)]})
	}
	return out
}

func discard() flowspec.Action { return flowspec.Action{Rate: &flowspec.Rate{Unit: flowspec.Bytes}} }

func mark(v int) flowspec.Action {
	dscp := uint8(v)
	return flowspec.Action{Mark: &dscp}
}

func redirect(to int) flowspec.Action {
	return flowspec.Action{Redirect: &flowspec.Redirect{Form: flowspec.RedirectAS2, Global: 65000, Local: uint32(to)}}
}

func (d *draw) limit() flowspec.Action {
	return flowspec.Action{Rate: &flowspec.Rate{Amount: float32(1000 * (1 + d.IntN(1e6))), Unit: flowspec.Bytes}}
}

func (d *draw) anyAction(shape) flowspec.Action {
	switch d.IntN(6) {
	case 0:
		return flowspec.Action{}
	case 1:
		return d.limit()
	case 2:
		return mark(d.IntN(64))
	case 3:
		return redirect(d.IntN(4))
	case 4:
		a := redirect(d.IntN(4))
		a.Mark = mark(d.IntN(64)).Mark
		return a
	}
	return discard()
}

func (d *draw) mitigationAction(s shape) flowspec.Action {
	switch p := d.Float64(); {
	case s != host || p >= 0.08:
		return discard()
	case p < 0.05:
		return d.limit()
	}
	return flowspec.Action{}
}
