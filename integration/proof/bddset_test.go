package proof_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/dalzilio/rudd"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// both is a set of packets twice: as the project keeps it, and as a diagram that was made without it.
type both struct {
	set packet.Set
	n   rudd.Node
	how string
}

// set reads a packet.Set: the union of its boxes, each side an interval list or a bitmap.
func (d *diagrams) set(s packet.Set) rudd.Node {
	n := d.False()
	for _, b := range s.Boxes() {
		if b.Version == packet.IPv6 != d.v6 {
			continue
		}
		one := d.True()
		for _, side := range []struct {
			field
			values packet.Values
		}{{d.proto, b.Proto}, {d.sport, b.SrcPort}, {d.dport, b.DstPort}, {d.icmpType, b.ICMPType}, {d.icmpCode, b.ICMPCode}, {d.length, b.Length}, {d.dscp, b.DSCP}, {d.fl, b.Label}} {
			if side.values == nil {
				continue
			}
			any := d.False()
			for _, s := range side.values {
				any = d.or(any, d.minus(d.below(side.field, uint64(s.Hi)+1), d.below(side.field, uint64(s.Lo))))
			}
			one = d.and(one, any)
		}
		frags := d.False()
		for state := range 8 {
			if b.Frags>>state&1 == 1 {
				frags = d.or(frags, d.and(d.is(d.frag, uint64(state%4)), d.is(d.df, uint64(state/4))))
			}
		}
		one = d.and(d.and(one, frags), d.flags(b.Flags, 0, 12))
		n = d.or(n, d.and(one, d.and(d.addresses(d.dst, b.Dst), d.addresses(d.src, b.Src))))
	}
	return d.and(n, d.version())
}

// flags reads the words of f whose upper bits are those of word, the lower left bits free.
func (d *diagrams) flags(f packet.Flags, word uint16, left int) rudd.Node {
	if f.Any() {
		return d.True()
	}
	if left == 0 {
		return d.keep(d.From(f.Has(word)))
	}
	clear, set := d.flags(f, word, left-1), d.flags(f, word|1<<(left-1), left-1)
	return d.keep(d.Ite(d.bit(d.tcp, left-1), set, clear))
}

// addresses reads what an address set prints: prefixes, ranges, single addresses and patterns.
func (d *diagrams) addresses(f field, a packet.Addrs) rudd.Node {
	if a.Any() {
		return d.True()
	}
	n := d.False()
	if a.Empty() {
		return n
	}
	for _, text := range strings.Split(a.String(), ",") {
		value, mask, pattern := strings.Cut(text, " like ")
		lo, hi, span := strings.Cut(text, "-")
		switch {
		case pattern:
			one, v, m := d.True(), netip.MustParseAddr(value).AsSlice(), netip.MustParseAddr(mask).AsSlice()
			for i := range f.bits {
				if m[i/8]>>(7-i%8)&1 == 0 {
					continue
				}
				if b := d.Ithvar(f.at + i); v[i/8]>>(7-i%8)&1 == 1 {
					one = d.and(one, b)
				} else {
					one = d.minus(one, b)
				}
			}
			n = d.or(n, one)
		case strings.Contains(text, "/"):
			p := netip.MustParsePrefix(text)
			n = d.or(n, d.prefix(f, flowspec.Prefix{Addr: p.Addr(), Len: uint8(p.Bits())}))
		case span:
			n = d.or(n, d.minus(d.upTo(f, netip.MustParseAddr(hi), true), d.upTo(f, netip.MustParseAddr(lo), false)))
		default:
			x := netip.MustParseAddr(text)
			n = d.or(n, d.prefix(f, flowspec.Prefix{Addr: x, Len: uint8(x.BitLen())}))
		}
	}
	return n
}

// upTo says that the address in f is below a, or is a where that is included.
func (d *diagrams) upTo(f field, a netip.Addr, included bool) rudd.Node {
	b := a.AsSlice()
	n := d.keep(d.From(included))
	for i := f.bits - 1; i >= 0; i-- { // from the last bit to the first: what decides later overrules
		bit := d.Ithvar(f.at + i)
		if b[i/8]>>(7-i%8)&1 == 1 {
			n = d.or(d.not(bit), n)
		} else {
			n = d.minus(n, bit)
		}
	}
	return n
}

// Sets of packets, joined, cut and subtracted at random, are what the diagrams say they are; so are the answers about pairs of them.
func TestSetAlgebraAgreesWithDiagrams(t *testing.T) {
	t.Parallel()
	for _, f := range []flowspec.Family{flowspec.IPv4, flowspec.IPv6} {
		t.Run(f.String(), func(t *testing.T) {
			t.Parallel()
			yes := map[string]int{}
			for seed := uint64(1); seed <= uint64(scaled(150)); seed++ {
				d := newDraw(t, seed)
				b := newDiagrams(t, f == flowspec.IPv6)
				pool := make([]both, 4)
				for i := range pool {
					m := d.rule(f).Match
					pool[i] = both{m.Set(), b.and(b.match(m), b.version()), m.String()}
				}
				for range 6 {
					pool = append(pool, d.combine(b, pick(d, pool...), pick(d, pool...)))
				}
				for _, x := range pool {
					if got := b.set(x.set); !b.Equal(got, x.n) {
						d.failf("%s: the set is another one than the diagram", x.how)
					}
				}
				x, y := pick(d, pool...), pick(d, pool...)
				again := both{x.set.And(y.set).Or(x.set.Sub(y.set)), b.or(b.and(x.n, y.n), b.minus(x.n, y.n)), fmt.Sprintf("(%s, in two parts by %s)", x.how, y.how)}
				d.ask(b, x, again, yes)
				for range 12 {
					d.ask(b, pick(d, pool...), pick(d, pool...), yes)
				}
			}
			t.Logf("answered with yes: %v", yes)
			for _, question := range []string{"equal", "contains", "overlaps", "empty"} {
				if yes[question] == 0 {
					t.Errorf("no pair was ever %q: the test sees nothing", question)
				}
			}
		})
	}
}

// combine returns one of x and y, x or y, x without y, everything but x.
func (d *draw) combine(b *diagrams, x, y both) both {
	switch d.IntN(4) {
	case 0:
		return both{x.set.And(y.set), b.and(x.n, y.n), fmt.Sprintf("(%s and %s)", x.how, y.how)}
	case 1:
		return both{x.set.Or(y.set), b.or(x.n, y.n), fmt.Sprintf("(%s or %s)", x.how, y.how)}
	case 2:
		return both{x.set.Sub(y.set), b.minus(x.n, y.n), fmt.Sprintf("(%s less %s)", x.how, y.how)}
	}
	only := packet.Of(packet.Everything(packet.IPv4))
	if b.v6 {
		only = packet.Of(packet.Everything(packet.IPv6))
	}
	return both{x.set.Not().And(only), b.minus(b.version(), x.n), fmt.Sprintf("not %s", x.how)}
}

// ask compares the answers about x and y, and counts those that are yes.
func (d *draw) ask(b *diagrams, x, y both, yes map[string]int) {
	meet := b.and(x.n, y.n)
	rest := b.minus(x.n, y.n)
	for question, answers := range map[string][2]bool{
		"equal":    {x.set.Equal(y.set) && !x.set.Empty(), b.Equal(x.n, y.n) && !b.none(x.n)},
		"contains": {y.set.Contains(x.set), b.none(rest)},
		"overlaps": {x.set.Overlaps(y.set), !b.none(meet)},
		"empty":    {x.set.Empty(), b.none(x.n)},
	} {
		if answers[0] != answers[1] {
			d.failf("%s: the set says %v, the diagram %v, of\n%s\n%s", question, answers[0], answers[1], x.how, y.how)
		}
		if answers[0] {
			yes[question]++
		}
	}
	h, ok := x.set.Sub(y.set).Witness()
	if possible := !b.none(b.and(rest, b.possible())); ok != possible {
		d.failf("a witness for %s less %s: %v, but there is one: %v", x.how, y.how, ok, possible)
	}
	if ok && !b.has(rest, h) {
		d.failf("%s is no witness for %s less %s", h, x.how, y.how)
	}
}

// scaled is how many of n small tables to draw for diagrams: a third of them under the race detector, which makes diagrams some ten times slower.
func scaled(n int) int {
	if underRace {
		return n / 3
	}
	return n
}
