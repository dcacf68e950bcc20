package admit

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func prefixes(list ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, s := range list {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

// rule returns a discard of the packets to a destination: "" for none, "a/len/offset" for an IPv6 pattern.
func rule(tb testing.TB, to string, more ...flowspec.Component) flowspec.Rule {
	tb.Helper()
	f := flowspec.IPv4
	if to != "" {
		parts := strings.Split(to, "/")
		p := netip.MustParsePrefix(parts[0] + "/" + parts[1])
		dst := flowspec.Prefix{Addr: p.Addr(), Len: uint8(p.Bits())}
		if p.Addr().Is6() {
			f = flowspec.IPv6
		}
		if len(parts) == 3 {
			dst.Offset = 64
		}
		more = append(more, flowspec.Component{Type: flowspec.DstPrefix, Prefix: dst})
	}
	m, err := flowspec.NewMatch(f, flowspec.RD{}, more...)
	if err != nil {
		tb.Fatal(err)
	}
	return flowspec.Rule{Match: m, Source: "exabgp", Action: flowspec.Action{Rate: &flowspec.Rate{Unit: flowspec.Bytes}}}
}

var udp = flowspec.Component{Type: flowspec.Protocol, Terms: []flowspec.Term{{Op: flowspec.EQ, Value: 17}}}

func TestCheck(t *testing.T) {
	t.Parallel()
	mark := uint8(46)
	act := func(r flowspec.Rule, a flowspec.Action) flowspec.Rule {
		r.Action = a
		return r
	}
	lives := func(r flowspec.Rule, d time.Duration) flowspec.Rule {
		r.Expires = now.Add(d)
		return r
	}
	inVPN := func(r flowspec.Rule, n byte, targets ...flowspec.ExtComm) flowspec.Rule {
		m, err := r.Match.InVPN(flowspec.RD{7: n})
		if err != nil {
			t.Fatal(err)
		}
		r.Match, r.Others = m, targets
		return r
	}
	vpns := Policy{AnyDestination: true, VPNs: []VPN{{Name: "red", RD: flowspec.RD{7: 1}}, {Name: "blue", RD: flowspec.RD{7: 2}, Targets: []flowspec.ExtComm{"target 1", "target 2"}}}}
	own := Policy{Destinations: prefixes("198.51.100.0/24", "2001:db8::/32")}
	anywhere := Policy{AnyDestination: true}
	for _, c := range []struct {
		name   string
		policy Policy
		rule   flowspec.Rule
		want   string // "" or the whole message
	}{
		{"inside", own, rule(t, "198.51.100.9/32"), ""},
		{"the whole prefix", own, rule(t, "198.51.100.0/24"), ""},
		{"inside, IPv6", own, rule(t, "2001:db8:1::/48", udp), ""},
		{"outside", own, rule(t, "203.0.113.9/32"), "not admitted: destination 203.0.113.9/32 is outside what this source may filter: 198.51.100.0/24, 2001:db8::/32"},
		{"wider", own, rule(t, "198.51.0.0/16"), "not admitted: destination 198.51.0.0/16 is outside what this source may filter: 198.51.100.0/24, 2001:db8::/32"},
		{"everything", own, rule(t, "0.0.0.0/0"), "not admitted: destination 0.0.0.0/0 is outside what this source may filter: 198.51.100.0/24, 2001:db8::/32"},
		{"no destination", own, rule(t, "", udp), "not admitted: a rule without destination matches packets to everyone; this source may filter: 198.51.100.0/24, 2001:db8::/32"},
		{"a pattern with an offset", own, rule(t, "::1:0:0:0/80/64"),
			"not admitted: a destination pattern with an offset is not inside a prefix; this source may filter: 198.51.100.0/24, 2001:db8::/32"},
		{"the zero policy", Policy{}, rule(t, "198.51.100.9/32"), "not admitted: destination 198.51.100.9/32 is outside what this source may filter: nothing"},
		{"many prefixes", Policy{Destinations: prefixes("10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24", "10.0.3.0/24", "10.0.4.0/24", "10.0.5.0/24", "10.0.6.0/24")},
			rule(t, "198.51.100.9/32"),
			"not admitted: destination 198.51.100.9/32 is outside what this source may filter: 10.0.0.0/24, 10.0.1.0/24, 10.0.2.0/24, 10.0.3.0/24, 10.0.4.0/24, and 2 more"},
		{"anywhere", anywhere, rule(t, "", udp), ""},
		{"anywhere, with an offset", anywhere, rule(t, "::1:0:0:0/80/64"), ""},

		{"protected", Policy{AnyDestination: true, Protected: prefixes("192.0.2.53/32")}, rule(t, "192.0.2.0/24"),
			"not admitted: destination 192.0.2.0/24 overlaps 192.0.2.53/32, which is protected"},
		{"part of what is protected", Policy{AnyDestination: true, Protected: prefixes("192.0.2.0/24")}, rule(t, "192.0.2.9/32"),
			"not admitted: destination 192.0.2.9/32 overlaps 192.0.2.0/24, which is protected"},
		{"protected, and no destination", Policy{AnyDestination: true, Protected: prefixes("192.0.2.53/32")}, rule(t, "", udp),
			"not admitted: a rule without destination prefix may match packets to 192.0.2.53/32, which is protected: name a destination"},
		{"protected in the other family", Policy{AnyDestination: true, Protected: prefixes("2001:db8::53/128")}, rule(t, "", udp), ""},
		{"not protected", Policy{AnyDestination: true, Protected: prefixes("192.0.2.53/32")}, rule(t, "192.0.2.54/32"), ""},

		{"component", Policy{AnyDestination: true, Components: []flowspec.Type{flowspec.DstPrefix}}, rule(t, "192.0.2.9/32", udp),
			"not admitted: this source may not use the component protocol"},
		{"components", Policy{AnyDestination: true, Components: []flowspec.Type{flowspec.Protocol, flowspec.DstPrefix}}, rule(t, "192.0.2.9/32", udp), ""},

		{"discard", Policy{AnyDestination: true, Actions: []string{"rate-limit"}}, rule(t, "192.0.2.9/32"), "not admitted: this source may not discard, only: rate-limit"},
		{"rate", Policy{AnyDestination: true, Actions: []string{"discard"}}, act(rule(t, "192.0.2.9/32"), flowspec.Action{Rate: &flowspec.Rate{Amount: 1, Unit: flowspec.Bytes}}),
			"not admitted: this source may not rate-limit, only: discard"},
		{"accept", Policy{AnyDestination: true, Actions: []string{"discard"}}, act(rule(t, "192.0.2.9/32"), flowspec.Action{}), "not admitted: this source may not accept, only: discard"},
		{"accept allowed", Policy{AnyDestination: true, Actions: []string{"accept"}}, act(rule(t, "192.0.2.9/32"), flowspec.Action{}), ""},
		{"one of two", Policy{AnyDestination: true, Actions: []string{"mark"}}, act(rule(t, "192.0.2.9/32"), flowspec.Action{Mark: &mark, Sample: true}),
			"not admitted: this source may not sample, only: mark"},
		{"redirect", Policy{AnyDestination: true, Actions: []string{"mark", "sample"}}, act(rule(t, "192.0.2.9/32"), flowspec.Action{Redirect: &flowspec.Redirect{Form: flowspec.RedirectAS2}}),
			"not admitted: this source may not redirect, only: mark, sample"},
		{"continue", Policy{AnyDestination: true, Actions: []string{"accept"}}, act(rule(t, "192.0.2.9/32"), flowspec.Action{Continue: true}),
			"not admitted: this source may not continue, only: accept"},
		{"all that is asked", Policy{AnyDestination: true, Actions: []string{"mark", "sample", "continue"}},
			act(rule(t, "192.0.2.9/32"), flowspec.Action{Mark: &mark, Sample: true, Continue: true}), ""},
		{"not understood", Policy{AnyDestination: true, Actions: []string{"discard"}},
			act(rule(t, "192.0.2.9/32"), flowspec.Action{Unknown: []flowspec.ExtComm{"\x07\x02\x00\x00\x00\x01\x00\x02"}}),
			"not admitted: extended community 0x0702000000010002 is not understood, and this source may only: discard"},

		{"in a VPN", anywhere, inVPN(rule(t, "192.0.2.9/32"), 1), "not admitted: the rule is of a VPN in which this source may not filter; it may in none"},
		{"in a VPN of its own", vpns, inVPN(rule(t, "192.0.2.9/32"), 1), ""},
		{"in a VPN of its own, IPv6", vpns, inVPN(rule(t, "2001:db8::/64"), 1), ""},
		{"in another VPN", vpns, inVPN(rule(t, "192.0.2.9/32"), 3), "not admitted: the rule is of a VPN in which this source may not filter; it may in red, blue"},
		{"in any VPN", Policy{AnyDestination: true, AnyVPN: true}, inVPN(rule(t, "192.0.2.9/32"), 3), ""},
		{"in a VPN, with a route target", vpns, inVPN(rule(t, "192.0.2.9/32"), 2, "target 9", "target 2"), ""},
		{"in a VPN, with the route target of another", vpns, inVPN(rule(t, "192.0.2.9/32"), 2, "target 9"), "not admitted: the rule has the route distinguisher of blue and none of its route targets"},
		{"in a VPN, elsewhere", Policy{Destinations: prefixes("198.51.100.0/24"), AnyVPN: true}, inVPN(rule(t, "192.0.2.9/32"), 1),
			"not admitted: destination 192.0.2.9/32 is outside what this source may filter: 198.51.100.0/24"},
		{"in no VPN", vpns, rule(t, "192.0.2.9/32"), ""},

		{"expired", anywhere, lives(rule(t, "192.0.2.9/32"), 0), "not admitted: the rule expired at 2026-11-23T12:00:00Z"},
		{"for ever", Policy{AnyDestination: true, MaxTTL: time.Hour}, rule(t, "192.0.2.9/32"), "not admitted: the rule never expires, and rules of this source live 1h0m0s at most"},
		{"too long", Policy{AnyDestination: true, MaxTTL: time.Hour}, lives(rule(t, "192.0.2.9/32"), 2*time.Hour),
			"not admitted: the rule would live 2h0m0s, and rules of this source live 1h0m0s at most"},
		{"long enough", Policy{AnyDestination: true, MaxTTL: time.Hour}, lives(rule(t, "192.0.2.9/32"), time.Hour), ""},
		{"for ever, allowed", anywhere, rule(t, "192.0.2.9/32"), ""},
	} {
		for _, p := range []Policy{c.policy, c.policy.Indexed()} {
			got := ""
			if err := p.Check(c.rule, now); err != nil {
				var e *NotAdmitted
				if !errors.As(err, &e) || e.Clause == "" {
					t.Errorf("%s: got %#v, want a *NotAdmitted with a clause", c.name, err)
				}
				got = err.Error()
			}
			if got != c.want {
				t.Errorf("%s:\n got %q\nwant %q", c.name, got, c.want)
			}
		}
	}
}

// The index says what the list says, and what the addresses say one by one.
func TestIndexEqualsTheList(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := Policy{Destinations: rapid.SliceOfN(rapid.Custom(drawPrefix), 0, 6).Draw(t, "allowed")}
		indexed := p.Indexed()
		for range 10 {
			d := drawPrefix(t)
			got, want := indexed.covers(d), p.covers(d)
			if got != want {
				t.Fatalf("%v covers %s: index %v, list %v", p.Destinations, d, got, want)
			}
			if slow := slowCovers(p.Destinations, d); slow != want {
				t.Fatalf("%v covers %s: got %v, bit by bit %v", p.Destinations, d, want, slow)
			}
		}
	})
}

func drawPrefix(t *rapid.T) netip.Prefix {
	if rapid.Bool().Draw(t, "v6") {
		a := netip.MustParseAddr(rapid.SampledFrom([]string{"::", "2001:db8::", "2001:db8::1", "::ffff:198.51.100.9", "ffff::"}).Draw(t, "address"))
		p, _ := a.Prefix(rapid.SampledFrom([]int{0, 1, 31, 32, 33, 64, 95, 96, 97, 120, 127, 128}).Draw(t, "length"))
		return p
	}
	a := netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, rapid.SampledFrom([]uint32{0, 0xc6336409, 0xc6336400, 0xffffffff}).Draw(t, "address"))))
	p, _ := a.Prefix(rapid.IntRange(0, 32).Draw(t, "length"))
	return p
}

// slowCovers compares bits as text.
func slowCovers(allowed []netip.Prefix, d netip.Prefix) bool {
	bits := func(p netip.Prefix) string {
		s := map[bool]string{true: "4:", false: "6:"}[p.Addr().Is4()]
		for i, o := range p.Addr().AsSlice() {
			for bit := range 8 {
				if 8*i+bit < p.Bits() {
					s += string('0' + rune(o>>(7-bit)&1))
				}
			}
		}
		return s
	}
	for _, q := range allowed {
		if strings.HasPrefix(bits(d), bits(q)) {
			return true
		}
	}
	return false
}

func BenchmarkCheck(b *testing.B) {
	p := Policy{Actions: []string{"discard"}}
	for i := range 1000 {
		p.Destinations = append(p.Destinations, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i / 256), byte(i), 0}), 24))
	}
	r := rule(b, "10.3.231.9/32", udp)
	for name, p := range map[string]Policy{"list": p, "index": p.Indexed()} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := p.Check(r, now); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// The rules of a source that speaks of one VPN are in it, those that name one are in that.
func TestPlaced(t *testing.T) {
	t.Parallel()
	global, red, blue := rule(t, "192.0.2.9/32").Match, flowspec.RD{7: 1}, flowspec.RD{7: 2}
	inRed, err := global.InVPN(red)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct {
		in         *flowspec.RD
		from, want flowspec.Match
	}{{nil, global, global}, {nil, inRed, inRed}, {&red, global, inRed}, {&blue, inRed, inRed}} {
		if got, err := (Policy{In: c.in}).Placed(c.from); err != nil || !got.Equal(c.want) {
			t.Errorf("%d: got %v, %v; want %v", i, got, err, c.want)
		}
	}
}
