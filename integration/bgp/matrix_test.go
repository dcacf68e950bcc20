package bgp_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/adapters/bgp"
	"github.com/sluice-gateway/sluice/adapters/bgp/bgptest"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/integration/rig"
)

// rule6 is a rule for 2001:db8::9.
func rule6(t *testing.T) flowspec.Match {
	t.Helper()
	m, err := flowspec.NewMatch(flowspec.IPv6, flowspec.RD{}, flowspec.Component{Type: flowspec.DstPrefix, Prefix: flowspec.Prefix{Addr: netip.MustParseAddr("2001:db8::9"), Len: 128}})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// add applies a discard of each match to a device.
func (g *gateway) add(name string, matches ...flowspec.Match) {
	g.t.Helper()
	g.change(name, device.Add, matches...)
}

func (g *gateway) change(name string, op device.Op, matches ...flowspec.Match) {
	g.t.Helper()
	var c device.Change
	for _, m := range matches {
		c.Steps = append(c.Steps, device.Step{Op: op, Route: &device.Route{Match: m, Action: flowspec.Action{Rate: &flowspec.Rate{Unit: flowspec.Bytes}}}})
	}
	if _, err := g.speaker.Device(name).Apply(g.t.Context(), device.Target{Timeout: rig.Patience}, c, 0); err != nil {
		g.t.Fatalf("%s: %v", name, err)
	}
}

// many are n rules for hosts in 10.0.0.0/8.
func many(t *testing.T, n int) (out []flowspec.Match) {
	t.Helper()
	for i := range n {
		m, err := flowspec.ParseNLRI(flowspec.IPv4, []byte{9, 1, 32, 10, 0, byte(i >> 8), byte(i), 3, 0x81, 17})
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, m)
	}
	return out
}

// hostile are messages that no speaker should send, and some that none should mind, on an established session.
var hostile = []string{
	"001702ffff0000", "00170200000001", "001d02000000060090e03000185", "002002" + "00000009" + "800e0600018500" + "0003", // lengths that lie
	"001d02" + "00000006" + "800f03000185", // an End-of-RIB
	"003902" + "00000022" + "800e0900018500000" + "3030d24df" + "40010100" + "40020602010000fbf6" + "40050400000064", // what ends gobgpd 3.10
	"002e02" + "00000017" + "800e0900018500000" + "30cd5c5ff" + "40010100" + "400200",                                // the same, without a path
	"001705" + "0001ff85", "001705" + "00010185", "001705" + "00010285", "001705" + "ffff00ff", // refreshes of any kind
	"001304", "001309", "000004", "ffff02", "0015030909", "002b01" + "04fbf6005ac0000202" + "0e020c" + "010400010085" + "41040000fbf6", // and so on
}

// Four speakers hold ten thousand rules. Meanwhile one neighbour sends everything that is malformed, and another comes and goes: no other session notices.
func TestNobodyNoticesAFaultyNeighbour(t *testing.T) {
	t.Parallel()
	const n = 10_000
	host := rig.Subnet()
	g := newGateway(t, host(1), nil)
	four := []flowspec.Family{flowspec.IPv4}
	names := []string{"bird", "frr", "gobgp", "exabgp"}
	for i, p := range []bgp.PeerConfig{{Port: rig.BIRDPort, Families: both}, {Port: rig.FRRPort, Families: both}, {Port: rig.GoBGPPort, Families: four}, {Passive: true, Families: both}} {
		p.Name, p.Address, p.LocalAddress, p.RemoteAS, p.Device = names[i], host(byte(2+i)), host(1), uint32(64502+i), true
		g.peer(p)
	}
	for i, name := range []string{"faulty", "flapping"} {
		g.peer(bgp.PeerConfig{Name: name, Source: flowspec.Source(name), Address: host(byte(10 + i)), LocalAddress: host(1), RemoteAS: 64510, Passive: true, Families: both})
	}
	g.run()
	b := rig.StartBIRD(t, 64502, host(2), host(1), imports, "")
	f := rig.StartFRR(t, 64503, host(3), host(1))
	o := rig.StartGoBGP(t, 64504, host(4), host(1), []string{"ipv4-flowspec"}, "")
	exa := rig.StartExaBGP(t, 64505, host(5), host(1))
	status := func(name string) bgp.PeerStatus {
		for _, p := range g.speaker.Status() {
			if p.Name == name {
				return p
			}
		}
		t.Fatalf("no peer %s", name)
		return bgp.PeerStatus{}
	}
	for _, name := range names {
		rig.Until(t, "the session of "+name, func() (bool, string) {
			st := status(name).Session
			return st.Established > 0 && st.Words() == "established", st.Words()
		})
	}

	rules := many(t, n)
	for _, name := range names {
		g.add(name, rules...)
	}
	stop := make(chan struct{})
	var trouble sync.WaitGroup
	trouble.Go(func() { neighbour(t, host(10), host(1), stop, hostile) })
	trouble.Go(func() { neighbour(t, host(11), host(1), stop, nil) })
	b.Holds("f4", n)
	f.Holds(n)
	rig.Until(t, "gobgpd to hold the rules", func() (bool, string) {
		out := o.Ctl("global", "rib", "summary", "-a", "ipv4-flowspec")
		return strings.Contains(out, fmt.Sprint("Destination: ", n)), out
	})
	rig.Until(t, "ExaBGP to print the rules", func() (bool, string) {
		got := strings.Count(exa.Heard(), `"destination-ipv4"`)
		return got >= n, fmt.Sprint(got)
	})
	for _, name := range []string{"faulty", "flapping"} {
		rig.Until(t, name+" to have been there a dozen times", func() (bool, string) {
			st := status(name)
			return st.Session.Established >= 12, fmt.Sprint(st.Session.Established)
		})
	}
	close(stop)
	trouble.Wait()
	for _, name := range names {
		g.change(name, device.Remove, rules[1:]...)
	}
	b.Holds("f4", 1)
	f.Holds(1)
	o.Holds("ipv4-flowspec", 1)
	for _, name := range names {
		if st := status(name); st.Session.Established != 1 || st.In.Refused != 0 || st.Out.Sent != 1 {
			t.Errorf("%s noticed: %+v, %+v, %+v", name, st.Session, st.In, *st.Out)
		}
	}
}

// neighbour connects again and again until stop, says a few messages each time, if there are any, and leaves.
func neighbour(t *testing.T, from, to netip.Addr, stop <-chan struct{}, messages []string) {
	for round := 0; ; round++ {
		select {
		case <-stop:
			return
		default:
		}
		r, err := bgptest.Listen(bgptest.Config{Name: "trouble", AS: 64510, RouterID: from, Address: netip.AddrPortFrom(from, 0), Connect: netip.AddrPortFrom(to, rig.SpeakerPort), Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Error(err)
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		ended := make(chan struct{})
		go func() { defer close(ended); _ = r.Run(ctx) }()
		for ctx.Err() == nil && r.EndOfRIB(flowspec.IPv4) != nil { // until there is a session
			time.Sleep(5 * time.Millisecond)
		}
		for i := range messages {
			octets, err := hex.DecodeString(strings.Repeat("ff", 16) + messages[(round+i)%len(messages)])
			if err != nil {
				octets = []byte(messages[i]) // half an octet is as good as any
			}
			if r.Send(octets) != nil {
				break
			}
		}
		cancel()
		<-ended
	}
}
