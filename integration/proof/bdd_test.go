package proof_test

import (
	"testing"

	"github.com/dalzilio/rudd"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// The bits of a header, in the order of the diagram: what tells rules apart first stands first, and the bits of one number stand together, most
// significant first. A diagram of a table with one destination each is then a tree of destinations with small diagrams below.
type field struct{ at, bits int }

// diagrams makes diagrams of one IP version.
type diagrams struct {
	*rudd.BDD
	v6                                        bool
	dst, src, proto, frag, df, dport, sport   field
	length, dscp, icmpType, icmpCode, tcp, fl field
	// kept keeps every node alive as long as the diagrams are: the library gives up nodes from finalizers, beside whoever is working.
	kept []rudd.Node
	// known holds what was made before: matches by NLRI, comparisons by field and number.
	known    map[string]rudd.Node
	compared map[comparison]rudd.Node
}

type comparison struct {
	field
	v     uint64
	equal bool
}

func newDiagrams(t testing.TB, v6 bool) *diagrams {
	t.Helper()
	d := &diagrams{v6: v6, known: map[string]rudd.Node{}, compared: map[comparison]rudd.Node{}}
	address, at := 32, 0
	if v6 {
		address = 128
	}
	for _, f := range []struct {
		field *field
		bits  int
	}{{&d.dst, address}, {&d.src, address}, {&d.proto, 8}, {&d.frag, 2}, {&d.df, 1}, {&d.dport, 16}, {&d.sport, 16}, {&d.length, 16}, {&d.dscp, 6},
		{&d.icmpType, 8}, {&d.icmpCode, 8}, {&d.tcp, 12}, {&d.fl, 20}} {
		*f.field = field{at, f.bits}
		at += f.bits
	}
	b, err := rudd.New(at, rudd.Nodesize(50_000), rudd.Cachesize(20_000))
	if err != nil {
		t.Fatal(err)
	}
	d.BDD = b
	return d
}

func (d *diagrams) keep(n rudd.Node) rudd.Node {
	if n == nil {
		panic("diagram: " + d.Error())
	}
	d.kept = append(d.kept, n)
	return n
}

func (d *diagrams) and(a, b rudd.Node) rudd.Node { return d.keep(d.Apply(a, b, rudd.OPand)) }
func (d *diagrams) or(a, b rudd.Node) rudd.Node  { return d.keep(d.Apply(a, b, rudd.OPor)) }
func (d *diagrams) not(a rudd.Node) rudd.Node    { return d.keep(d.Not(a)) }
func (d *diagrams) none(a rudd.Node) bool        { return d.Equal(a, d.False()) }

// minus does without the library's own difference, which takes 0 \ b for b.
func (d *diagrams) minus(a, b rudd.Node) rudd.Node { return d.and(a, d.not(b)) }

// bit returns bit i of f, 0 being the least significant.
func (d *diagrams) bit(f field, i int) rudd.Node { return d.Ithvar(f.at + f.bits - 1 - i) }

// below says that the number in f is less than v.
func (d *diagrams) below(f field, v uint64) rudd.Node {
	if v>>f.bits != 0 {
		return d.True()
	}
	n := d.False()
	for i := range f.bits {
		clear := d.keep(d.NIthvar(f.at + f.bits - 1 - i))
		if v>>i&1 == 1 {
			n = d.or(clear, n)
		} else {
			n = d.and(clear, n)
		}
	}
	return n
}

// is says that the number in f is v.
func (d *diagrams) is(f field, v uint64) rudd.Node {
	if v>>f.bits != 0 {
		return d.False()
	}
	n := d.True()
	for i := range f.bits {
		if v>>i&1 == 1 {
			n = d.and(d.bit(f, i), n)
		} else {
			n = d.minus(n, d.bit(f, i))
		}
	}
	return n
}

// compare is below, or is.
func (d *diagrams) compare(f field, v uint64, equal bool) rudd.Node {
	key := comparison{f, v, equal}
	n, ok := d.compared[key]
	if !ok {
		if n = d.below(f, v); equal {
			n = d.is(f, v)
		}
		d.compared[key] = n
	}
	return n
}

// list evaluates the terms of a component: AND binds tighter than OR.
func (d *diagrams) list(terms []flowspec.Term, holds func(flowspec.Term) rudd.Node) rudd.Node {
	any, all := d.False(), d.True()
	for i, t := range terms {
		if i > 0 && !t.And {
			any, all = d.or(any, all), d.True()
		}
		all = d.and(all, holds(t))
	}
	return d.or(any, all)
}

// number evaluates a numeric component on f (RFC 8955 §4.2.1.1).
func (d *diagrams) number(c flowspec.Component, f field) rudd.Node {
	return d.list(c.Terms, func(t flowspec.Term) rudd.Node {
		less, equal := d.compare(f, t.Value, false), d.compare(f, t.Value, true)
		n := d.False()
		if t.Op&4 != 0 {
			n = d.or(n, less)
		}
		if t.Op&1 != 0 {
			n = d.or(n, equal)
		}
		if t.Op&2 != 0 {
			n = d.or(n, d.not(d.or(less, equal)))
		}
		return n
	})
}

// mask evaluates a bitmask component on bits, the least significant first (RFC 8955 §4.2.1.2). A bit that is nil is never set.
func (d *diagrams) mask(c flowspec.Component, bits []rudd.Node) rudd.Node {
	return d.list(c.Terms, func(t flowspec.Term) rudd.Node {
		some, every := d.False(), d.True()
		for i := range 16 {
			if t.Value>>i&1 == 0 {
				continue
			}
			b := d.False()
			if i < len(bits) {
				b = bits[i]
			}
			some, every = d.or(some, b), d.and(every, b)
		}
		switch t.Op {
		case 0:
			return some
		case 1:
			return every
		case 2:
			return d.not(some)
		}
		return d.not(every)
	})
}

// prefix says that bits offset..length-1 of f are those of a (RFC 8956 §3.1).
func (d *diagrams) prefix(f field, p flowspec.Prefix) rudd.Node {
	a, n := p.Addr.AsSlice(), d.True()
	for i := int(p.Len) - 1; i >= int(p.Offset); i-- {
		if a[i/8]>>(7-i%8)&1 == 1 {
			n = d.and(n, d.Ithvar(f.at+i))
		} else {
			n = d.minus(n, d.Ithvar(f.at+i))
		}
	}
	return n
}

// later is a fragment with an offset above zero; odd is the first fragment or the last.
func (d *diagrams) later() rudd.Node { return d.bit(d.frag, 1) }
func (d *diagrams) odd() rudd.Node   { return d.bit(d.frag, 0) }

// match is the packets that m matches.
func (d *diagrams) match(m flowspec.Match) rudd.Node {
	key := string(m.NLRI())
	n, ok := d.known[key]
	if !ok {
		n = d.components(m)
		d.known[key] = n
	}
	return n
}

// components is the packets that m matches, read from its components.
func (d *diagrams) components(m flowspec.Match) rudd.Node {
	n := d.True()
	transport := func(protocols ...uint64) rudd.Node {
		p := d.False()
		for _, v := range protocols {
			p = d.or(p, d.is(d.proto, v))
		}
		return d.minus(p, d.later())
	}
	for c := range m.All() {
		var one rudd.Node
		switch c.Type {
		case flowspec.DstPrefix:
			one = d.prefix(d.dst, c.Prefix)
		case flowspec.SrcPrefix:
			one = d.prefix(d.src, c.Prefix)
		case flowspec.Protocol:
			one = d.number(c, d.proto)
		case flowspec.Port:
			one = d.and(transport(6, 17), d.or(d.number(c, d.dport), d.number(c, d.sport)))
		case flowspec.DstPort:
			one = d.and(transport(6, 17), d.number(c, d.dport))
		case flowspec.SrcPort:
			one = d.and(transport(6, 17), d.number(c, d.sport))
		case flowspec.ICMPType:
			one = d.and(transport(d.icmp()), d.number(c, d.icmpType))
		case flowspec.ICMPCode:
			one = d.and(transport(d.icmp()), d.number(c, d.icmpCode))
		case flowspec.TCPFlags:
			bits := make([]rudd.Node, 12)
			for i := range bits {
				bits[i] = d.bit(d.tcp, i)
			}
			one = d.and(transport(6), d.mask(c, bits))
		case flowspec.PacketLength:
			one = d.number(c, d.length)
		case flowspec.DSCP:
			one = d.number(c, d.dscp)
		case flowspec.Fragment: // DF, IsF, FF, LF
			bits := []rudd.Node{d.bit(d.df, 0), d.later(), d.minus(d.odd(), d.later()), d.and(d.odd(), d.later())}
			if d.v6 {
				bits[0] = d.False()
			}
			one = d.mask(c, bits)
		case flowspec.FlowLabel:
			one = d.number(c, d.fl)
		}
		n = d.and(n, one)
	}
	return n
}

func (d *diagrams) icmp() uint64 {
	if d.v6 {
		return 58
	}
	return 1
}

// version is the packets in which what the IP version lacks is zero.
func (d *diagrams) version() rudd.Node {
	if d.v6 {
		return d.is(d.df, 0)
	}
	return d.is(d.fl, 0)
}

// possible is the packets that can exist (docs/semantics.md, section 2).
func (d *diagrams) possible() rudd.Node {
	least := uint64(20)
	if d.v6 {
		least = 40
	}
	return d.minus(d.version(), d.below(d.length, least))
}

// has says whether h is in n.
func (d *diagrams) has(n rudd.Node, h packet.Header) bool {
	value := func(f field) uint64 {
		df := uint64(0)
		if h.DF {
			df = 1
		}
		return map[field]uint64{d.proto: uint64(h.Proto), d.frag: uint64(h.Fragment), d.df: df, d.dport: uint64(h.DstPort), d.sport: uint64(h.SrcPort), d.length: uint64(h.Length),
			d.dscp: uint64(h.DSCP), d.icmpType: uint64(h.ICMPType), d.icmpCode: uint64(h.ICMPCode), d.tcp: uint64(h.Flags), d.fl: uint64(h.Label)}[f]
	}
	for !d.none(n) && !d.Equal(n, d.True()) {
		at, set := d.Label(n), false
		for _, f := range []field{d.proto, d.frag, d.df, d.dport, d.sport, d.length, d.dscp, d.icmpType, d.icmpCode, d.tcp, d.fl} {
			if at >= f.at && at < f.at+f.bits {
				set = value(f)>>(f.at+f.bits-1-at)&1 == 1
			}
		}
		if at < d.src.at {
			set = h.Dst.AsSlice()[at/8]>>(7-at%8)&1 == 1
		} else if at -= d.src.at; at < d.src.bits {
			set = h.Src.AsSlice()[at/8]>>(7-at%8)&1 == 1
		}
		if set {
			n = d.High(n)
		} else {
			n = d.Low(n)
		}
		d.keep(n)
	}
	return d.Equal(n, d.True())
}
