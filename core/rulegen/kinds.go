package rulegen

import (
	"fmt"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// perCustomer is how many rules of a customer table stand for one destination.
const perCustomer = 250

// Customer returns n rules of customers who write filters of their own: 250 rules for each destination, the hosts of a few networks. 70 %
// discard, with long lists of ports as often as not; 15 % accept what a trusted source sends, 5 % accept whatever comes to some service; 10 % mark.
// Exceptions stand inside what is discarded, so order matters everywhere within one destination, and nowhere between two.
func Customer(f flowspec.Family, n int, seed uint64) []flowspec.Rule {
	d := newDraw(f, seed, max(1, n/perCustomer))
	return d.distinct(n, func(int) ([]flowspec.Component, flowspec.Action) {
		trusted, a := false, discard()
		switch p := d.Float64(); {
		case p < 0.15:
			trusted, a = true, flowspec.Action{}
		case p < 0.20:
			a = flowspec.Action{}
		case p < 0.30:
			a = mark(8 * d.IntN(8))
		}
		return append(d.prefixes(host, trusted), d.services(trusted)...), a
	})
}

// services draws the traffic of one line of a customer's filter.
func (d *draw) services(trusted bool) []flowspec.Component {
	switch d.IntN(5) {
	case 0:
		return d.flood()
	case 1:
		lo := uint64(d.IntN(60000))
		return []flowspec.Component{numbers(flowspec.Protocol, tcp), between(flowspec.DstPort, lo, lo+uint64(d.IntN(5000)))}
	case 2:
		c := []flowspec.Component{numbers(flowspec.Protocol, udp), numbers(flowspec.SrcPort, d.some(2+d.IntN(14))...)}
		if !trusted {
			c = append(c, atLeast(flowspec.PacketLength, uint64(100+d.IntN(1300))))
		}
		return c
	case 3:
		return []flowspec.Component{numbers(flowspec.Protocol, tcp, udp), numbers(flowspec.DstPort, uint64(d.IntN(65536)), uint64(d.IntN(65536)))}
	}
	return d.traffic()
}

// Kind is a kind of adversarial table. Its text names a benchmark.
type Kind string

// The kinds. In each of them every rule has an action of its own, so that no overlap is benign.
const (
	// OneVictim is every rule for one address: ranges of ports in both directions that overlap at random.
	OneVictim Kind = "one-victim"
	// Nested is a chain of destinations around one address, from /8 to /32 (/32 to /128), with ranges and lists of ports on every level.
	Nested Kind = "nested"
	// Lists is every rule for one address: two lists of 6 to 15 ports, which split into many parts, each part among those of other rules.
	Lists Kind = "lists"
	// Anyone is no destination at all: sources that nest, and ranges of ports.
	Anyone Kind = "anyone"
)

// Kinds lists all kinds.
var Kinds = []Kind{OneVictim, Nested, Lists, Anyone}

// Adversarial returns n rules of kind k, made to be hard: no two rules fare alike, and most pairs overlap.
func Adversarial(k Kind, f flowspec.Family, n int, seed uint64) []flowspec.Rule {
	d := newDraw(f, seed, 1)
	match, ok := map[Kind]func() []flowspec.Component{OneVictim: d.oneVictim, Nested: d.nested, Lists: d.lists, Anyone: d.anyone}[k]
	if !ok {
		panic(fmt.Sprintf("rulegen: no kind of table %q", k))
	}
	return d.distinct(n, func(i int) ([]flowspec.Component, flowspec.Action) { return match(), distinctAction(i) })
}

// distinctAction returns an action that no other rule has: a rate or a redirect.
func distinctAction(i int) flowspec.Action {
	if i%2 == 0 {
		return flowspec.Action{Rate: &flowspec.Rate{Amount: float32(1000 * (i + 1)), Unit: flowspec.Bytes}}
	}
	return redirect(i)
}

func (d *draw) ports(t flowspec.Type) flowspec.Component {
	lo := uint64(d.IntN(65536))
	return between(t, lo, min(65535, lo+uint64(d.IntN(30000))))
}

func (d *draw) oneVictim() []flowspec.Component {
	c := append(d.prefixes(host, false), numbers(flowspec.Protocol, udp), d.ports(flowspec.SrcPort))
	if d.IntN(2) == 0 {
		c = append(c, d.ports(flowspec.DstPort))
	}
	if d.IntN(4) == 0 {
		c = append(c, atLeast(flowspec.PacketLength, uint64(d.IntN(1500))))
	}
	return c
}

func (d *draw) nested() []flowspec.Component {
	full := lengths[d.family][host]
	step := full / 32 // an IPv6 chain has as many levels as one of IPv4
	c := []flowspec.Component{prefix(flowspec.DstPrefix, d.victim(0), full-step*uint8(d.IntN(25)))}
	switch d.IntN(3) {
	case 0:
		return append(c, numbers(flowspec.Protocol, udp), numbers(flowspec.SrcPort, d.some(1+d.IntN(10))...))
	case 1:
		return append(c, numbers(flowspec.Protocol, tcp, udp), d.ports(flowspec.DstPort))
	}
	return append(c, numbers(flowspec.Protocol, udp), atLeast(flowspec.PacketLength, uint64(d.IntN(1500))))
}

func (d *draw) lists() []flowspec.Component {
	return append(d.prefixes(host, false), numbers(flowspec.Protocol, udp), numbers(flowspec.DstPort, d.some(6+d.IntN(10))...),
		numbers(flowspec.SrcPort, d.some(6+d.IntN(10))...))
}

func (d *draw) anyone() []flowspec.Component {
	c := []flowspec.Component{numbers(flowspec.Protocol, udp), d.ports(flowspec.DstPort)}
	if d.IntN(2) == 0 {
		full := lengths[d.family][host]
		c = append(c, prefix(flowspec.SrcPrefix, d.victim(0), full-full/32*uint8(d.IntN(25))))
	}
	return c
}
