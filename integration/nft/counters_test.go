package nft_test

import (
	"fmt"
	"net/netip"
	"os/exec"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/adapters/nft"
	"github.com/sluice-gateway/sluice/adapters/nftables"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/integration/rig"
)

// neighbour makes a second namespace with a link to l, and returns what sends a datagram of some octets from it to a port of 10.99.0.2.
func (l *linux) neighbour(t *testing.T) (send func(port, octets int)) {
	t.Helper()
	ip := rig.Program(t, "ip", "iproute2")
	other := l.ns + "-n"
	run := func(args ...string) {
		t.Helper()
		if out, err := exec.Command(ip, args...).CombinedOutput(); err != nil {
			t.Fatalf("ip %v: %v\n%s", args, err, out)
		}
	}
	run("netns", "add", other)
	t.Cleanup(func() { _ = exec.Command(ip, "netns", "del", other).Run() })
	run("-n", l.ns, "link", "add", "east", "type", "veth", "peer", "name", "west", "netns", other)
	for ns, link := range map[string][2]string{l.ns: {"east", "10.99.0.2/24"}, other: {"west", "10.99.0.1/24"}} {
		run("-n", ns, "address", "add", link[1], "dev", link[0])
		run("-n", ns, "link", "set", link[0], "up")
	}
	return func(port, octets int) {
		t.Helper()
		text := fmt.Sprintf("printf %%%ds x > /dev/udp/10.99.0.2/%d", octets, port)
		if out, err := exec.Command(ip, "netns", "exec", other, "bash", "-c", text).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
}

// What the kernel counts is what came: packets and octets of IP, for the entries of a rule together; an edit leaves it as it is, and another hand may clear it.
func TestCounters(t *testing.T) {
	l := newLinux(t)
	send := l.neighbour(t)
	a := nft.New(nftables.Dialect{}, nft.Options{})
	at := netip.MustParsePrefix("10.99.0.2/32")
	toPort := func(name, counter string, port uint32, do filter.Do) filter.Entry {
		m := filter.Guard(filter.Match{Dst: &at, Proto: packet.Values{{Lo: 17, Hi: 17}}, DstPort: packet.Values{{Lo: port, Hi: port}}}, packet.IPv4, nftables.Dialect{}.Semantics())
		return filter.Entry{Name: name, Rule: "00000000000000a1", Match: m, Do: do, Counter: counter}
	}
	rule := []filter.Entry{
		toPort("r-00000000000000a1", "r-00000000000000a1", 4444, filter.Do{Discard: true}),
		toPort("r-00000000000000a1-2", "r-00000000000000a1", 5555, filter.Do{Discard: true}),
	}
	settle := func(have, want device.State) {
		t.Helper()
		com, err := a.Apply(t.Context(), l.target, device.Diff(have, want), time.Minute)
		if err == nil {
			err = a.Confirm(t.Context(), l.target, com)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	settle(device.State{}, state(rule...))
	expect := func(want map[string]device.Counter) {
		t.Helper()
		var got map[string]device.Counter
		for end := time.Now().Add(10 * time.Second); ; { // a datagram is on its way for a moment
			var err error
			if got, err = a.Counters(t.Context(), l.target); err != nil {
				t.Fatal(err)
			}
			same := len(got) == len(want)
			for name, n := range want {
				same = same && got[name] == n
			}
			if same {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("counted %v, want %v", got, want)
			}
		}
	}
	expect(map[string]device.Counter{"r-00000000000000a1": {}})
	send(4444, 100)
	send(5555, 200)
	send(6666, 50) // another port
	const headers = 20 + 8
	both := device.Counter{Packets: 2, Bytes: 300 + 2*headers}
	expect(map[string]device.Counter{"r-00000000000000a1": both})

	more := append(rule[:2:2], toPort("r-00000000000000b2", "r-00000000000000b2", 6666, filter.Do{}))
	settle(state(rule...), state(more...))
	send(6666, 10)
	expect(map[string]device.Counter{"r-00000000000000a1": both, "r-00000000000000b2": {Packets: 1, Bytes: 10 + headers}})

	l.nft("table ip theirs { counter r-00000000000000c3 { packets 7 bytes 7 }\n }")
	if out, err := exec.Command("ip", "netns", "exec", l.ns, "nft", "reset", "counters").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	send(4444, 1)
	expect(map[string]device.Counter{"r-00000000000000a1": {Packets: 1, Bytes: 1 + headers}, "r-00000000000000b2": {}})
}
