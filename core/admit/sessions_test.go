package admit

import (
	"errors"
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
		for _, f := range own.flows {
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
