package verify_test

import (
	"net/netip"
	"testing"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/verify"
	"github.com/sluice-gateway/sluice/profiles"
)

// Rules of VPNs meet only those of their route distinguisher, and IPv6 prefixes may have an offset.
func TestPlanesAreApart(t *testing.T) {
	t.Parallel()
	rule := func(f flowspec.Family, rd byte, a flowspec.Action, cs ...flowspec.Component) flowspec.Rule {
		m, err := flowspec.NewMatch(f, flowspec.RD{0, 0, 0xfd, 0xe8, 7: rd}, cs...)
		if err != nil {
			t.Fatal(err)
		}
		return flowspec.Rule{ID: flowspec.NewID("test", m), Match: m, Action: a, Source: "test"}
	}
	discard := flowspec.Action{Rate: &flowspec.Rate{Unit: flowspec.Bytes}}
	prefix := func(text string, offset uint8) flowspec.Component {
		p := netip.MustParsePrefix(text)
		return flowspec.Component{Type: flowspec.DstPrefix, Prefix: flowspec.Prefix{Addr: p.Addr(), Len: uint8(p.Bits()), Offset: offset}}
	}
	ports := flowspec.Component{Type: flowspec.SrcPort}
	for _, v := range []uint64{17, 19, 53, 123, 389, 1900, 11211} {
		ports.Terms = append(ports.Terms, flowspec.Term{Op: flowspec.EQ, Value: v})
	}
	rules := []flowspec.Rule{
		rule(flowspec.VPNv4, 1, discard, prefix("203.0.113.0/24", 0), ports),
		rule(flowspec.VPNv4, 2, flowspec.Action{}, prefix("203.0.113.0/24", 0), ports),
		rule(flowspec.VPNv4, 2, discard, prefix("203.0.113.0/24", 0)),
		rule(flowspec.VPNv6, 1, discard, prefix("2001:db8::/32", 0)),
		rule(flowspec.IPv6, 0, discard, prefix("2001:db8::/32", 0), ports),
		rule(flowspec.IPv6, 0, discard, prefix("::1234:5678:9a00:0/104", 64)),
	}
	for _, name := range []string{"asr9k", "junos-mx", "generic"} {
		p, settings, err := profiles.Embedded().Select(name)
		if err != nil {
			t.Fatal(err)
		}
		c := certified(t, rules, p, plan.Options{Settings: settings})
		if err := verify.Check(c); err != nil {
			t.Errorf("%s: %v\n%s", name, err, text(c))
		}
		if name == "generic" {
			continue
		}
		for i := range c.Entries { // a route of one VPN is none of another
			if r := &c.Rules[c.Entries[i].Rule]; r.Family == "vpnv4" {
				was := c.Entries[i].NLRI
				c.Entries[i].NLRI = was[:16] + "07" + was[18:]
				refusal(t, verify.Check(c))
				c.Entries[i].NLRI = was
			}
		}
	}
}
