package packet

import (
	"net/netip"
	"testing"

	"pgregory.net/rapid"
)

// window is the last octet of 2001:db8::/120: sets inside it are checked address by address.
var window = netip.MustParsePrefix("2001:db8::/120")

func inWindow(n int) netip.Addr { return number(window.Addr()).plus(uint64(n)).addr(IPv6) }

// drawAddrs draws a set of addresses inside the window from ranges and patterns, and the same as a table of booleans.
func drawAddrs(t *rapid.T) (Addrs, [256]bool) {
	var in [256]bool
	out := AddrsIn(window).Sub(AddrsIn(window))
	for range rapid.IntRange(0, 3).Draw(t, "parts") {
		var part func(i int) bool
		if rapid.Bool().Draw(t, "range") {
			lo := rapid.IntRange(0, 255).Draw(t, "lo")
			hi := rapid.IntRange(lo, 255).Draw(t, "hi")
			out = out.Or(AddrsBetween(inWindow(lo), inWindow(hi)))
			part = func(i int) bool { return i >= lo && i <= hi }
		} else {
			value, mask := rapid.IntRange(0, 255).Draw(t, "value"), rapid.IntRange(0, 255).Draw(t, "mask")
			all := netip.MustParseAddr("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ff00")
			out = out.Or(AddrsLike(inWindow(value), number(all).plus(uint64(mask)).addr(IPv6)))
			part = func(i int) bool { return i&mask == value&mask }
		}
		for i := range in {
			in[i] = in[i] || part(i)
		}
	}
	return out, in
}

func TestAddrsAgreeWithAddresses(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, in := drawAddrs(t)
		b, in2 := drawAddrs(t)
		same := func(name string, got Addrs, want func(a, b bool) bool) {
			t.Helper()
			some := false
			var lo, hi netip.Addr
			for i := range in {
				w := want(in[i], in2[i])
				if got.Has(inWindow(i)) != w {
					t.Fatalf("%s of %v and %v: %v is wrong about %v", name, a, b, got, inWindow(i))
				}
				if w && !some {
					lo = inWindow(i)
				}
				if w {
					hi = inWindow(i)
				}
				some = some || w
			}
			if got.Empty() == some {
				t.Fatalf("%s of %v and %v: %v is empty: %v", name, a, b, got, got.Empty())
			}
			gotLo, gotHi, ok := got.Hull(IPv6)
			if ok != some || some && (gotLo != lo || gotHi != hi) {
				t.Fatalf("%s of %v and %v: %v lies between %v and %v, not %v and %v", name, a, b, got, lo, hi, gotLo, gotHi)
			}
		}
		same("first", a, func(a, _ bool) bool { return a })
		same("And", a.And(b), func(a, b bool) bool { return a && b })
		same("Or", a.Or(b), func(a, b bool) bool { return a || b })
		same("Sub", a.Sub(b), func(a, b bool) bool { return a && !b })
		same("complement", AddrsIn(window).Sub(a), func(a, _ bool) bool { return !a })
		contains, meets, equal := true, false, true
		for i := range in {
			contains = contains && (in[i] || !in2[i])
			meets = meets || in[i] && in2[i]
			equal = equal && in[i] == in2[i]
		}
		if a.contains(b) != contains || a.meets(b) != meets || a.equal(b) != equal {
			t.Fatalf("%v and %v: contains %v, meets %v, equal %v", a, b, a.contains(b), a.meets(b), a.equal(b))
		}
	})
}

func TestCubeFrom(t *testing.T) {
	t.Parallel()
	for mask := range 32 {
		for value := range 32 {
			c := cube{low(5).not().and(number(window.Addr())).or(u128{0, uint64(value & mask)}), low(5).not().or(u128{0, uint64(mask)})}
			for n := range 32 {
				want, found := 0, false
				for x := n; x < 32 && !found; x++ {
					if x&mask == value&mask {
						want, found = x, true
					}
				}
				got, ok := c.from(number(inWindow(n)))
				if ok != found || ok && got.addr(IPv6) != inWindow(want) {
					t.Fatalf("mask %05b value %05b: from %d got %v %v, want %d %v", mask, value, n, got.addr(IPv6), ok, want, found)
				}
			}
		}
	}
}

func TestAddrsAtTheEdges(t *testing.T) {
	t.Parallel()
	p := func(s string) Addrs { return AddrsIn(netip.MustParsePrefix(s)) }
	ip := netip.MustParseAddr
	for _, c := range []struct {
		got  Addrs
		want string
	}{
		{p("0.0.0.0/0"), "any"},
		{p("::/0"), "any"},
		{p("203.0.113.77/24"), "203.0.113.0/24"},
		{p("203.0.113.9/32"), "203.0.113.9"},
		{p("0.0.0.0/1").Or(p("128.0.0.0/1")), "any"},
		{p("0.0.0.0/1").And(p("128.0.0.0/1")), "none"},
		{Addrs{}.Sub(p("128.0.0.0/1")), "0.0.0.0/1"},
		{Addrs{}.Sub(p("8000::/1")), "::/1"},
		{Addrs{}.Sub(Addrs{}), "none"},
		{p("10.0.0.0/8").And(p("::/8")), "none"},
		{p("10.0.0.0/8").Sub(p("10.0.0.0/9")), "10.128.0.0/9"},
		{AddrsBetween(ip("10.0.0.255"), ip("10.0.1.0")), "10.0.0.255-10.0.1.0"},
		{AddrsBetween(ip("10.0.0.2"), ip("10.0.0.1")), "none"},
		{AddrsBetween(ip("10.0.0.2"), ip("::3")), "none"},
		{AddrsIn(netip.Prefix{}), "none"},
		{AddrsLike(ip("2001:db8::1"), ip("ffff:ffff::")), "2001:db8::/32"},
		{AddrsLike(ip("::1234:0:0:0"), ip("::ffff:0:0:0")), "::1234:0:0:0 like ::ffff:0:0:0"},
		{AddrsLike(ip("::1234:0:0:0"), ip("::ffff:0:0:0")).And(p("2001:db8:1:2::/80")), "none"},
		{AddrsLike(ip("::1234:0:0:0"), ip("::ffff:0:0:0")).And(p("2001:db8:1:2:1234::/80")), "2001:db8:1:2:1234::/80"},
		{AddrsLike(ip("::"), ip("::1")).Or(AddrsLike(ip("::1"), ip("::1"))), "any"},
	} {
		if got := c.got.String(); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

func TestVersionsDoNotMix(t *testing.T) {
	t.Parallel()
	b := Everything(IPv6)
	b.Dst = AddrsIn(netip.MustParsePrefix("10.0.0.0/8"))
	if !Of(b).Empty() {
		t.Errorf("an IPv6 packet to an IPv4 address: %v", Of(b))
	}
	if Of(Everything(IPv4)).Overlaps(Of(Everything(IPv6))) {
		t.Error("a packet is of both versions")
	}
	if !Of(Box{Version: 5, Frags: AnyFrags}).Empty() {
		t.Error("there is no IP version 5 here")
	}
	b = Everything(IPv6)
	if b.Frags = FragsOf(Whole, true) | FragsOf(Last, true); !Of(b).Empty() {
		t.Errorf("IPv6 has no DF bit: %v", Of(b))
	}
	b = Everything(IPv4)
	if b.Label = NewValues(Span{1, 9}); !Of(b).Empty() {
		t.Errorf("IPv4 has no flow label: %v", Of(b))
	}
	if b.Label = NewValues(Span{0, 9}); !Of(b).Equal(Of(Everything(IPv4))) {
		t.Errorf("the flow label of IPv4 is zero: %v", Of(b))
	}
}
