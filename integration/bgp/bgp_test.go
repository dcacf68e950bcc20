package bgp_test

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/sluice-gateway/sluice/adapters/bgp"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/integration/rig"
)

const imports = `
	flow4 { table f4; import all; export none; };
	flow6 { table f6; import all; export none; };`

func TestExaBGPThroughUsToTwoBIRDs(t *testing.T) {
	t.Parallel()
	host := rig.Subnet()
	g := newGateway(t, host(1), nil)
	// One is called, one calls: both ways of coming up.
	g.peer(bgp.PeerConfig{Name: "detector", Address: host(2), LocalAddress: host(1), RemoteAS: 64502, Passive: true, Families: both, Source: "detector"})
	g.peer(bgp.PeerConfig{Name: "whole", Address: host(3), Port: rig.BIRDPort, LocalAddress: host(1), RemoteAS: 64503, Families: both, Device: true})
	g.peer(bgp.PeerConfig{Name: "split", Address: host(4), LocalAddress: host(1), RemoteAS: 64504, Passive: true, Families: both, Device: true})
	g.forms["whole"], g.forms["split"] = asItCame, onePort
	whole := rig.StartBIRD(t, 64503, host(3), host(1), "passive yes;"+imports, "")
	split := rig.StartBIRD(t, 64504, host(4), host(1), imports, "")
	g.run()
	exa := rig.StartExaBGP(t, 64502, host(2), host(1))

	const reflection = "flow route { match { destination 203.0.113.9/32; protocol udp; source-port [ =53 =123 =1900 ]; } then { discard; } }"
	exa.Say("announce %s", reflection)
	exa.Say("announce flow route { match { destination 203.0.113.0/24; protocol tcp; tcp-flags syn; } then { rate-limit 125000; } }")
	exa.Say("announce flow route { match { destination 2001:db8::9/128; next-header tcp; destination-port =25; } then { discard; } }")
	// Each has its own form; the rate is 125,000 bytes/s as a float (0x47f42400), the discard is rate 0.
	out := whole.Holds("f4", 2, "dst 203.0.113.9/32; proto 17; sport 53,123,1900;", "tcp flags !0x0/0x2", "(generic, 0x80060000, 0x0)", "0x47f42400", "(65535,65281)", "(64500,6666)")
	if !strings.Contains(out, "BGP.as_path: 64500") {
		t.Errorf("the AS_PATH is not ours:\n%s", out)
	}
	whole.Holds("f6", 1, "dst 2001:db8::9/128;")
	split.Holds("f4", 4, "sport 53;", "sport 123;", "sport 1900;", "tcp flags !0x0/0x2")
	split.Holds("f6", 1, "dst 2001:db8::9/128;")

	exa.Say("withdraw %s", reflection)
	whole.Holds("f4", 1, "tcp flags")
	split.Holds("f4", 1, "tcp flags")

	t.Log("a router restarts and gets everything again")
	split.Stop(syscall.SIGKILL)
	split.Start()
	split.Holds("f4", 1, "tcp flags")
	split.Holds("f6", 1, "dst 2001:db8::9/128;")

	t.Log("the source vanishes and its rules go, it comes back and so do they")
	exa.Stop(syscall.SIGKILL)
	whole.Holds("f4", 0)
	split.Holds("f6", 0)
	exa.Start()
	exa.Say("announce %s", reflection)
	whole.Holds("f4", 1, "sport 53,123,1900;")
	split.Holds("f4", 3)
	g.saw("End-of-RIB of both families, twice", func(e []rib.Event) bool { return kinds(e, rib.EndOfRIB) >= 4 })

	t.Log("a rule of more than 300 octets")
	var ports []string
	for p := range 100 {
		ports = append(ports, fmt.Sprintf("=%d", 10000+2*p))
	}
	exa.Say("announce flow route { match { destination 203.0.113.10/32; protocol udp; destination-port [ %s ]; } then { discard; } }", strings.Join(ports, " "))
	whole.Holds("f4", 2, "dst 203.0.113.10/32; proto 17; dport 10000,10002,") // BIRD prints no more than a line of it
	st, err := g.speaker.Device("whole").Read(t.Context(), device.Target{})
	if err != nil || !slices.ContainsFunc(st.Routes, func(r *device.Route) bool { return len(r.Match.NLRI()) > 300 }) {
		t.Errorf("Read = %v, %v", st.Routes, err)
	}
	for _, p := range g.speaker.Status() {
		if p.In.Refused != 0 {
			t.Errorf("%s: refused %+v", p.Name, p.In.Last)
		}
	}
}

func TestBIRDIsASource(t *testing.T) {
	t.Parallel()
	host := rig.Subnet()
	g := newGateway(t, host(1), nil)
	g.peer(bgp.PeerConfig{Name: "reflector", Address: host(2), LocalAddress: host(1), RemoteAS: ourAS, Passive: true, Families: both, Source: "reflector"})
	g.run()
	var rules strings.Builder
	for i := range 500 {
		fmt.Fprintf(&rules, "route flow4 { dst 10.1.%d.%d/32; proto 17; dport 53,123,1900; length 1000..1500; } { bgp_ext_community.add((generic, 0x80060000, 0x0)); };\n", i/256, i%256)
	}
	// The offset keeps the octets in which RFC 8956 §3.1 writes them; BIRD packs some 150 NLRIs into an UPDATE.
	more := "protocol static { flow4 { table f4; };\n" + rules.String() + "}\n" +
		"protocol static { flow6 { table f6; };\nroute flow6 { dst ::1234:5678:9a00:0/104 offset 64; } { bgp_ext_community.add((generic, 0x80060000, 0x0)); }; }\n"
	rig.StartBIRD(t, ourAS, host(2), host(1), "flow4 { table f4; import none; export all; };\nflow6 { table f6; import none; export all; };", more)
	g.saw("501 rules and both marks", func(events []rib.Event) bool {
		n := 0
		for _, e := range events {
			n += len(e.Announce)
		}
		return n == 501 && kinds(events, rib.EndOfRIB) == 2
	})
	in := g.speaker.Status()[0].In
	if in.Refused != 0 || in.Updates > 12 {
		t.Errorf("in %+v, want nothing refused and few UPDATEs", in)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, e := range g.events {
		for _, r := range e.Announce {
			if !r.Action.Discard() {
				t.Errorf("%v does %v, want discard", r.Match, r.Action)
			}
			if r.Match.Family() == flowspec.IPv6 && fmt.Sprintf("%x", r.Match.NLRI()) != "08016840123456789a" {
				t.Errorf("the offset came as %x", r.Match.NLRI())
			}
		}
	}
}

func TestBothSidesCallAtOnce(t *testing.T) {
	t.Parallel()
	host := rig.Subnet()
	g := newGateway(t, host(1), nil)
	g.peer(bgp.PeerConfig{Name: "edge", Address: host(2), Port: rig.BIRDPort, LocalAddress: host(1), RemoteAS: ourAS, Families: both, Device: true})
	g.forms["edge"] = asItCame
	g.run()
	b := rig.StartBIRD(t, ourAS, host(2), host(1), imports, "")
	g.give("edge", "0601200a000001")
	out := b.Holds("f4", 1, "dst 10.0.0.1/32;", "(generic, 0x80060000, 0x0)")
	if !strings.Contains(out, "BGP.local_pref: 100") {
		t.Errorf("an internal path without LOCAL_PREF:\n%s", out)
	}

	t.Log("a route refresh is answered")
	b.Ctl("reload", "in", "sluice")
	rig.Until(t, "the rule again", func() (bool, string) {
		n := g.speaker.Status()[0].Out.Announced
		return n == 2, fmt.Sprint(n)
	})

	t.Log("the operator's words arrive, and the session comes back")
	b.Ctl("disable", "sluice", `"back at four"`)
	rig.Until(t, "the reason", func() (bool, string) {
		last := g.speaker.Status()[0].Session.LastError
		return strings.Contains(last, "administrative shutdown") && strings.Contains(last, `"back at four"`), last
	})
	b.Ctl("enable", "sluice")
	b.Holds("f4", 1)

	t.Log("so do ours")
	g.speaker.Reset("edge")
	rig.Until(t, "BIRD to log the reason", func() (bool, string) {
		out := b.Out.String()
		return strings.Contains(out, "sluice: Received: Administrative reset"), out
	})
	b.Holds("f4", 1)
}

func TestExaBGPReadsWhatWeSend(t *testing.T) {
	t.Parallel()
	host := rig.Subnet()
	g := newGateway(t, host(1), nil)
	g.peer(bgp.PeerConfig{Name: "edge", Address: host(2), LocalAddress: host(1), RemoteAS: 64502, Passive: true, Families: both, Device: true})
	g.forms["edge"] = asItCame
	g.run()
	exa := rig.StartExaBGP(t, 64502, host(2), host(1))
	g.give("edge", "0601200a000001")
	rig.Until(t, "ExaBGP to print the rule", func() (bool, string) {
		out := exa.Heard()
		return strings.Contains(out, `"destination-ipv4": [ "10.0.0.1/32" ]`) && strings.Contains(out, "rate-limit:0"), out
	})
	if out := exa.Heard(); !strings.Contains(out, `"no-nexthop"`) && !strings.Contains(out, `"flow"`) {
		t.Errorf("ExaBGP printed %s", out)
	}
}

// give applies one discard rule to a device.
func (g *gateway) give(name, nlri string) {
	g.t.Helper()
	var b []byte
	if _, err := fmt.Sscanf(nlri, "%x", &b); err != nil {
		g.t.Fatal(err)
	}
	m, err := flowspec.ParseNLRI(flowspec.IPv4, b)
	if err != nil {
		g.t.Fatal(err)
	}
	route := &device.Route{Match: m, Action: flowspec.Action{Rate: &flowspec.Rate{Unit: flowspec.Bytes}}}
	if _, err := g.speaker.Device(name).Apply(g.t.Context(), device.Target{}, device.Change{Steps: []device.Step{{Op: device.Add, Route: route}}}, 0); err != nil {
		g.t.Fatal(err)
	}
}

// A rule that does not fit into 4096 octets goes to a neighbour with extended messages, and is refused for one without.
func TestExtendedMessages(t *testing.T) {
	t.Parallel()
	for _, extended := range []bool{true, false} {
		host := rig.Subnet()
		g := newGateway(t, host(1), nil)
		g.peer(bgp.PeerConfig{Name: "edge", Address: host(2), Port: rig.BIRDPort, LocalAddress: host(1), RemoteAS: 64502, Families: both, Device: true, Extended: true})
		g.run()
		more := imports
		if extended {
			more = "enable extended messages yes;" + more
		}
		b := rig.StartBIRD(t, 64502, host(2), host(1), more, "")
		g.give("edge", "0601200a000001")
		b.Holds("f4", 1)
		dst := flowspec.Component{Type: flowspec.DstPrefix, Prefix: flowspec.Prefix{Addr: host(9), Len: 32}}
		ports := flowspec.Component{Type: flowspec.DstPort}
		for n := range 1360 {
			ports.Terms = append(ports.Terms, flowspec.Term{Op: flowspec.EQ, Value: uint64(1000 + 2*n)})
		}
		m, err := flowspec.NewMatch(flowspec.IPv4, flowspec.RD{}, dst, ports)
		if err != nil {
			t.Fatal(err)
		}
		route := &device.Route{Match: m, Action: flowspec.Action{Rate: &flowspec.Rate{Unit: flowspec.Bytes}}}
		_, err = g.speaker.Device("edge").Apply(t.Context(), device.Target{}, device.Change{Steps: []device.Step{{Op: device.Add, Route: route}}}, 0)
		if extended {
			if err != nil {
				t.Errorf("with extended messages: %v", err)
			}
			b.Holds("f4", 2)
		} else if err == nil || !strings.Contains(err.Error(), "do not fit into one BGP message") {
			t.Errorf("without extended messages: %v", err)
		}
	}
}
