package admit

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// address draws one of few addresses, so that rules and sessions meet.
func address(t *rapid.T, v4 bool, label string) netip.Addr {
	n := rapid.ByteRange(0, 7).Draw(t, label)
	if v4 {
		return netip.AddrFrom4([4]byte{192, 0, 2, n})
	}
	a := netip.MustParseAddr("2001:db8::").As16()
	a[15] = n
	return netip.AddrFrom16(a)
}

func component(t *rapid.T, v4 bool, typ flowspec.Type) flowspec.Component {
	if typ.Prefix() {
		a := address(t, v4, "address")
		bits := a.BitLen() - rapid.IntRange(0, 3).Draw(t, "wider")
		p := netip.PrefixFrom(a, bits).Masked()
		return flowspec.Component{Type: typ, Prefix: flowspec.Prefix{Addr: p.Addr(), Len: uint8(bits)}}
	}
	values := []uint64{6, 17}
	if typ != flowspec.Protocol {
		values = []uint64{80, 179, 830, 40000}
	}
	return flowspec.Component{Type: typ, Terms: []flowspec.Term{{
		Op: rapid.SampledFrom([]flowspec.Op{flowspec.EQ, flowspec.GE, flowspec.NE}).Draw(t, "operator"), Value: rapid.SampledFrom(values).Draw(t, "value"),
	}}}
}

// A rule is kept out if and only if it has a packet in common with one direction of a session, and then it names such a packet.
func TestSessionsAgainstEachFlow(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var list []Session
		for range rapid.IntRange(1, 6).Draw(t, "sessions") {
			v4 := rapid.Bool().Draw(t, "IPv4 session")
			list = append(list, Session{"it", address(t, v4, "client"), address(t, v4, "server"), rapid.SampledFrom([]uint16{179, 830}).Draw(t, "port")})
		}
		own, err := NewSessions(list...)
		if err != nil {
			t.Fatal(err)
		}
		for i := range rapid.IntRange(0, 2).Draw(t, "guests") {
			v4 := rapid.Bool().Draw(t, "IPv4 guests")
			from := address(t, v4, "from")
			g := Guests{"them", netip.PrefixFrom(from, from.BitLen()-rapid.IntRange(0, 3).Draw(t, "wider")), address(t, v4, "server"), 179}
			if err := errors.Join(own.Expect(g), own.Set(fmt.Sprint(i), Session{"one of them", from, g.Server, 179})); err != nil {
				t.Fatal(err)
			}
		}
		v4 := rapid.Bool().Draw(t, "IPv4 rule")
		family := flowspec.IPv6
		if v4 {
			family = flowspec.IPv4
		}
		var parts []flowspec.Component
		for _, typ := range []flowspec.Type{flowspec.DstPrefix, flowspec.SrcPrefix, flowspec.Protocol, flowspec.DstPort, flowspec.SrcPort} {
			if rapid.Bool().Draw(t, "has it") {
				parts = append(parts, component(t, v4, typ))
			}
		}
		if len(parts) == 0 {
			return
		}
		m, err := flowspec.NewMatch(family, flowspec.RD{}, parts...)
		if err != nil {
			t.Fatal(err)
		}
		hit := false
		for _, f := range *own.flows.Load() {
			hit = hit || f.packets.Overlaps(m.Set())
		}
		err = own.Check(flowspec.Rule{Match: m, Action: flowspec.Action{Rate: &flowspec.Rate{Unit: flowspec.Bytes}}})
		if (err != nil) != hit {
			t.Errorf("%s: %v, but it shares packets with a session: %t", m, err, hit)
		}
		if own.Check(flowspec.Rule{Match: m}) != nil {
			t.Errorf("%s: an accept is kept out", m)
		}
	})
}

func TestSessionsOfTwoVersions(t *testing.T) {
	t.Parallel()
	_, err := NewSessions(Session{"it", netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1"), 179})
	if err == nil || !strings.Contains(err.Error(), "192.0.2.1") {
		t.Errorf("error %v", err)
	}
	own, err := NewSessions(Session{"it", netip.MustParseAddr("::ffff:192.0.2.1"), netip.MustParseAddr("192.0.2.2"), 179})
	if err != nil {
		t.Fatal(err)
	}
	var e *NotAdmitted
	if err := (Policy{AnyDestination: true, Own: own}).Check(rule(t, "192.0.2.1/32"), now); !errors.As(err, &e) || e.Clause != "own-session" {
		t.Errorf("error %v", err)
	}
}

// What anybody of a prefix sends to the gateway is kept from being filtered; what the gateway sends, only to those that are there: the others in the prefix may be victims.
func TestGuests(t *testing.T) {
	t.Parallel()
	own, err := NewSessions()
	if err != nil {
		t.Fatal(err)
	}
	us, guest := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("198.51.100.7")
	if err := own.Expect(Guests{"the BGP sessions of customers", netip.MustParsePrefix("198.51.100.0/24"), us, 179}); err != nil {
		t.Fatal(err)
	}
	end := func(typ flowspec.Type, p string) flowspec.Component {
		prefix := netip.MustParsePrefix(p)
		return flowspec.Component{Type: typ, Prefix: flowspec.Prefix{Addr: prefix.Addr(), Len: uint8(prefix.Bits())}}
	}
	is := func(typ flowspec.Type, v uint64) flowspec.Component {
		return flowspec.Component{Type: typ, Terms: []flowspec.Term{{Op: flowspec.EQ, Value: v}}}
	}
	try := func(f flowspec.Family, rd flowspec.RD, parts ...flowspec.Component) string {
		t.Helper()
		m, err := flowspec.NewMatch(f, rd, parts...)
		if err != nil {
			t.Fatal(err)
		}
		if err := own.Check(flowspec.Rule{Match: m, Action: flowspec.Action{Rate: &flowspec.Rate{Unit: flowspec.Bytes}}}); err != nil {
			return err.Error()
		}
		return ""
	}
	for _, c := range []struct {
		parts         []flowspec.Component
		before, there string // what is said before anybody is there, and while one is
	}{
		{[]flowspec.Component{end(flowspec.DstPrefix, "192.0.2.1/32")}, "the BGP sessions of customers", "the BGP sessions of customers"},
		{[]flowspec.Component{end(flowspec.DstPrefix, "192.0.2.1/32"), end(flowspec.SrcPrefix, "198.51.100.99/32"), is(flowspec.DstPort, 179)}, "tcp 198.51.100.99:40000 > 192.0.2.1:179", "tcp 198.51.100.99:40000 > 192.0.2.1:179"},
		{[]flowspec.Component{end(flowspec.DstPrefix, "192.0.2.1/32"), end(flowspec.SrcPrefix, "203.0.113.0/24")}, "", ""},
		{[]flowspec.Component{end(flowspec.DstPrefix, "198.51.100.7/32"), is(flowspec.Protocol, 6)}, "", "tcp 192.0.2.1:179 > 198.51.100.7:40000"},
		{[]flowspec.Component{end(flowspec.DstPrefix, "198.51.100.8/32"), is(flowspec.Protocol, 6)}, "", ""},
		{[]flowspec.Component{end(flowspec.SrcPrefix, "192.0.2.0/24"), is(flowspec.SrcPort, 179)}, "", "the BGP session with customers@198.51.100.7"},
	} {
		if got := try(flowspec.IPv4, flowspec.RD{}, c.parts...); (got == "") != (c.before == "") || !strings.Contains(got, c.before) {
			t.Errorf("%v, nobody there: %q, want %q", c.parts, got, c.before)
		}
		if err := own.Set("customers@198.51.100.7", Session{"the BGP session with customers@198.51.100.7", guest, us, 179}); err != nil {
			t.Fatal(err)
		}
		if got := try(flowspec.IPv4, flowspec.RD{}, c.parts...); (got == "") != (c.there == "") || !strings.Contains(got, c.there) {
			t.Errorf("%v, one there: %q, want %q", c.parts, got, c.there)
		}
		if err := own.Set("customers@198.51.100.7"); err != nil {
			t.Fatal(err)
		}
		if got := try(flowspec.IPv4, flowspec.RD{}, c.parts...); (got == "") != (c.before == "") {
			t.Errorf("%v, nobody there any more: %q", c.parts, got)
		}
	}
	if own.Expect(Guests{"them", netip.MustParsePrefix("2001:db8::/64"), us, 179}) == nil || own.Set("it", Session{"it", guest, netip.IPv6Loopback(), 179}) == nil {
		t.Error("ends of two IP versions were taken")
	}

	// A VPN may be where the session runs. What is known is that nobody knows.
	got := try(flowspec.VPNv4, flowspec.RD{1: 0, 2: 0xfc, 3: 0, 7: 100}, end(flowspec.DstPrefix, "192.0.2.1/32"))
	if !strings.Contains(got, "it filters, in its VPN, packets with the addresses and ports of the BGP sessions of customers") || !strings.Contains(got, "whether that session goes through this VPN is not known") || strings.Contains(got, "it filters packets of") {
		t.Errorf("in a VPN: %q", got)
	}
}
