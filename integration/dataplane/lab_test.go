package dataplane_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sluice-gateway/sluice/integration/rig"
)

// Link-layer addresses: the router's on both sides, the sink's, and that of a next hop behind the same link as the sink.
var (
	routerIn = [6]byte{2, 0, 0, 0, 0, 1}
	injector = [6]byte{2, 0, 0, 0, 0, 2}
	sinkAddr = [6]byte{2, 0, 0, 0, 0, 3}
	hopAddr  = [6]byte{2, 0, 0, 0, 0, 4}
)

// nextHop is where redirects go; nextHop4 is its like for IPv4.
const (
	nextHop  = "fd00:1::4"
	nextHop4 = "192.168.255.4"
)

// lab is three network namespaces in a row. It belongs to the goroutine of its test, which stays on one thread and one CPU, so that packets cannot overtake one another.
type lab struct {
	testing.TB
	ip, nft  string
	router   string // name of the namespace
	in, out  int    // packet sockets on in0 and out1
	inIndex  int
	sentinel uint32        // number of the last one
	spent    time.Duration // of the processors' time, by the last load
}

var labs atomic.Uint32

// newLab makes the namespaces, which end with the test.
func newLab(t testing.TB) *lab {
	t.Helper()
	rig.Root(t)
	l := &lab{TB: t, ip: rig.Program(t, "ip", "iproute2"), nft: rig.Program(t, "nft", "nftables")}
	runtime.LockOSThread() // never unlocked: the thread ends with the goroutine, and what was set for it as well
	l.oneCPU()
	base := fmt.Sprintf("sluice-%d-%d-", os.Getpid(), labs.Add(1))
	a, sink := base+"injector", base+"sink"
	l.router = base + "router"
	for _, ns := range []string{a, l.router, sink} {
		l.run(l.ip, "netns", "add", ns)
		t.Cleanup(func() { _ = exec.Command(l.ip, "netns", "del", ns).Run() })
	}
	// No addresses by themselves: the namespaces say nothing that was not asked for.
	for _, ns := range []string{a, sink} {
		l.inside(ns, "sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6")
	}
	l.inside(l.router, "sh", "-c", `cd /proc/sys/net
		echo 0 > ipv6/conf/default/accept_dad; echo 0 > ipv6/conf/default/router_solicitations; echo 1 > ipv6/conf/default/addr_gen_mode
		echo 1 > ipv4/ip_forward; echo 1 > ipv6/conf/all/forwarding; echo 0 > ipv4/conf/all/rp_filter; echo 0 > ipv4/conf/default/rp_filter`)
	l.link(a, "in0", injector, l.router, "in1", routerIn)
	l.link(l.router, "out0", [6]byte{2, 0, 0, 0, 0, 5}, sink, "out1", sinkAddr)
	for _, line := range []string{
		"addr add 192.168.255.1/24 dev out0", "-6 addr add fd00:1::1/64 dev out0 nodad",
		"neigh add 192.168.255.3 dev out0 lladdr " + mac(sinkAddr) + " nud permanent", "neigh add fd00:1::3 dev out0 lladdr " + mac(sinkAddr) + " nud permanent",
		"neigh add " + nextHop4 + " dev out0 lladdr " + mac(hopAddr) + " nud permanent", "neigh add " + nextHop + " dev out0 lladdr " + mac(hopAddr) + " nud permanent",
		"route add default via 192.168.255.3", "-6 route add default via fd00:1::3",
	} {
		l.run(l.ip, append([]string{"-n", l.router}, strings.Fields(line)...)...)
	}
	l.in, l.inIndex = l.socket(a, "in0")
	l.out, _ = l.socket(sink, "out1")
	return l
}

// oneCPU keeps the thread on the CPU that it is on.
func (l *lab) oneCPU() {
	l.Helper()
	var have, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &have); err != nil {
		l.Fatal(err)
	}
	for cpu := range 1024 {
		if have.IsSet(cpu) {
			one.Set(cpu)
			break
		}
	}
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		l.Fatal(err)
	}
}

// link makes a pair of interfaces that carry packets of every size.
func (l *lab) link(ns, name string, addr [6]byte, peerNS, peer string, peerAddr [6]byte) {
	l.Helper()
	l.run(l.ip, "-n", ns, "link", "add", name, "mtu", "65535", "address", mac(addr), "type", "veth",
		"peer", "name", peer, "mtu", "65535", "address", mac(peerAddr), "netns", peerNS)
	l.run(l.ip, "-n", ns, "link", "set", name, "up")
	l.run(l.ip, "-n", peerNS, "link", "set", peer, "up")
}

func mac(a [6]byte) string { return net.HardwareAddr(a[:]).String() }

// run runs a program to its end and returns what it prints.
func (l *lab) run(name string, args ...string) string {
	l.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		l.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, rig.Tail(string(out), 2000))
	}
	return string(out)
}

// inside runs a program in a namespace.
func (l *lab) inside(ns, name string, args ...string) string {
	l.Helper()
	return l.run(l.ip, append([]string{"netns", "exec", ns, name}, args...)...)
}

// load gives a script to nft in the router, and returns its complaint.
func (l *lab) load(script string) error {
	cmd := exec.Command(l.ip, "netns", "exec", l.router, l.nft, "-f", "-")
	cmd.Stdin = strings.NewReader(script)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("nft: %w\n%s", err, rig.Tail(string(out), 2000))
	}
	l.spent = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return nil
}

// list returns what nft prints in the router.
func (l *lab) list(args ...string) []byte {
	l.Helper()
	out, err := exec.Command(l.ip, append([]string{"netns", "exec", l.router, l.nft}, args...)...).Output()
	if err != nil {
		l.Fatalf("nft %s: %v", strings.Join(args, " "), err)
	}
	return out
}

// socket opens a packet socket on an interface of a namespace. A socket stays in the namespace that it was opened in.
func (l *lab) socket(ns, name string) (fd, index int) {
	l.Helper()
	home := l.open("/proc/thread-self/ns/net")
	defer func() { _ = unix.Close(home) }()
	there := l.open("/run/netns/" + ns)
	defer func() { _ = unix.Close(there) }()
	if err := unix.Setns(there, unix.CLONE_NEWNET); err != nil {
		l.Fatal(err)
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, int(swapped(unix.ETH_P_ALL)))
	card, err2 := net.InterfaceByName(name)
	if err3 := unix.Setns(home, unix.CLONE_NEWNET); err != nil || err2 != nil || err3 != nil {
		l.Fatal(errors.Join(err, err2, err3))
	}
	l.Cleanup(func() { _ = unix.Close(fd) })
	if err := errors.Join(
		unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: swapped(unix.ETH_P_ALL), Ifindex: card.Index}),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 8<<20),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, 8<<20),
	); err != nil {
		l.Fatal(err)
	}
	return fd, card.Index
}

func (l *lab) open(path string) int {
	l.Helper()
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		l.Fatalf("%s: %v", path, err)
	}
	return fd
}

// swapped is a protocol number in the order of the network.
func swapped(n uint16) uint16 { return n<<8 | n>>8 }

// arrival is a packet that came to the sink's link.
type arrival struct {
	redirected bool // to the next hop instead of the sink
	packet     []byte
}

// send sends one packet and returns what arrives of it.
func (l *lab) send(p []byte) []arrival {
	l.Helper()
	l.inject(p)
	return l.arrivals(p[0] >> 4)
}

// inject sends one packet.
func (l *lab) inject(p []byte) {
	l.Helper()
	frame := append(append(append([]byte{}, routerIn[:]...), injector[:]...), 0x08, 0x00)
	if p[0]>>4 == 6 {
		frame[12], frame[13] = 0x86, 0xdd
	}
	if err := unix.Sendto(l.in, append(frame, p...), 0, &unix.SockaddrLinklayer{Ifindex: l.inIndex}); err != nil {
		l.Fatalf("send %d octets: %v", len(p), err)
	}
}

// arrivals sends a sentinel of the other IP version than v and returns what arrived in front of it.
func (l *lab) arrivals(v byte) []arrival {
	l.Helper()
	l.sentinel++
	mark := binary.BigEndian.AppendUint32([]byte("sentinel"), l.sentinel)
	l.inject(sentinel(v, mark))
	var out []arrival
	buf := make([]byte, 1<<17)
	for {
		ready, err := unix.Poll([]unix.PollFd{{Fd: int32(l.out), Events: unix.POLLIN}}, int(rig.Patience.Milliseconds()))
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || ready == 0 {
			l.Fatalf("the packet behind the last one did not arrive: %v", err)
		}
		n, from, err := unix.Recvfrom(l.out, buf, 0)
		if err != nil {
			l.Fatal(err)
		}
		if ll, ok := from.(*unix.SockaddrLinklayer); !ok || ll.Pkttype == unix.PACKET_OUTGOING || n < 14 {
			continue
		}
		p := bytes.Clone(buf[14:n])
		switch {
		case bytes.HasSuffix(p, mark):
			return out
		case p[0]>>4 != v || v == 6 && p[8] == 0xfe:
			// Of the other version, or what the router says of itself by a link-local address.
		default:
			out = append(out, arrival{redirected: [6]byte(buf[:6]) == hopAddr, packet: p})
		}
	}
}
