package gateway_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/sluice-gateway/sluice/core/reconcile"
	"github.com/sluice-gateway/sluice/integration/rig"
)

// bmpPort is where the gateway takes BMP in these tests.
const bmpPort = 11019

// monitored is a gateway with one gobgpd that shows by BMP what it holds.
type monitored struct {
	*gateway
	config string
	router *rig.GoBGP
	relay  *relay
	us     netip.Addr
}

// monitor starts both. policy is what gobgpd shows: pre-policy, post-policy, or all, which is both and the Loc-RIB.
func monitor(t testing.TB, policy string) *monitored {
	t.Helper()
	host, dir := rig.Subnet(), t.TempDir()
	us, edge := host(1), host(21)
	m := &monitored{us: us, relay: startRelay(t, edge, netip.AddrPortFrom(us, bmpPort))}
	at := m.relay.Addr().(*net.TCPAddr).AddrPort()
	m.router = rig.StartGoBGP(t, 64521, edge, us, []string{"ipv4-flowspec", "ipv6-flowspec"}, fmt.Sprintf(
		"[[bmp-servers]]\n[bmp-servers.config]\naddress = %q\nport = %d\nroute-monitoring-policy = %q\n", at.Addr(), at.Port(), policy))
	m.config = file(t, dir, "sluice.yaml", fmt.Sprintf(`
router-id: %[1]s
as: 64500
store: %[2]s/sluice.db
listen: {api: "127.0.0.1:0", bgp: ["%[1]s:%[3]d"], bmp: ["%[1]s:%[6]d"]}
sources:
  - {name: api, api: true, allow: {destinations: [any]}}
devices:
  - name: edge
    profile: junos-mx
    max-routes: unlimited
    bmp: %[4]s
    bgp: {address: %[4]s, local-address: %[1]s, port: %[5]d, as: 64521, families: [ipv4, ipv6]}
`, us, dir, rig.SpeakerPort, edge, rig.GoBGPPort, bmpPort))
	m.gateway = serve(t, m.config)
	return m
}

// receipt returns the receipt of a rule for the router.
func (m *monitored) receipt(id string) reconcile.Receipt {
	m.t.Helper()
	var r struct{ Receipts []reconcile.Receipt }
	if status, err := m.call(m.t.Context(), http.MethodGet, "/v1/rules/"+id, nil, &r); err != nil || status != http.StatusOK || len(r.Receipts) != 1 {
		m.t.Fatal(status, err, r)
	}
	return r.Receipts[0]
}

// shows waits for the receipt of a rule to have a state, and what the router shows of it to have words in it.
func (m *monitored) shows(id string, state reconcile.ReceiptState, words string) reconcile.Receipt {
	m.t.Helper()
	var r reconcile.Receipt
	until(m.t, fmt.Sprintf("%s to be %s: %q", id, state, words), func() string { return fmt.Sprintf("%+v\n%s", r, m.state()) }, func() bool {
		r = m.receipt(id)
		return r.State == state && strings.Contains(r.Shown, words)
	})
	return r
}

// is waits for the device to have a state.
func (m *monitored) is(state reconcile.State) reconcile.Status {
	m.t.Helper()
	var s reconcile.Status
	until(m.t, "edge to be "+string(state), func() string { return fmt.Sprintf("%+v %+v\n%s", s, s.Shown, m.state()) }, func() bool {
		if _, err := m.call(m.t.Context(), http.MethodGet, "/v1/devices/edge", nil, &s); err != nil {
			m.t.Fatal(err)
		}
		return s.State == state
	})
	return s
}

// A rule that a router takes is held, by what the router itself shows; one that its import policy rejects, or that it holds otherwise, has drifted; and where nothing is shown any more, the rule
// is sent and no more.
func TestRouterShowsByBMPWhatItHolds(t *testing.T) {
	t.Parallel()
	m := monitor(t, "all")
	first := m.add("flow route { match { destination 203.0.113.9/32; protocol udp; } then { discard; } }").Rules[0].ID
	six := m.add("flow route { match { destination 2001:db8::9/128; } then { rate-limit 125000; } }").Rules[0].ID
	m.shows(first, reconcile.RuleHeld, "Loc-RIB")
	m.shows(six, reconcile.RuleHeld, "Loc-RIB")

	// An import policy that rejects it: the router says that the rule is gone behind the policy, and still there in front of it.
	again := "gobgp neighbor " + m.us.String() + " softresetin\n"
	m.router.Shell("gobgp policy statement none add action reject\ngobgp policy add refuse none\ngobgp global policy import add refuse default accept\n" + again)
	m.router.Holds("ipv4-flowspec", 0)
	if r := m.shows(first, reconcile.RuleDrifted, "its import policy does not take it"); r.Error == "" || r.Since.IsZero() {
		t.Errorf("%+v", r)
	}
	if s := m.is(reconcile.Drifted); s.Shown == nil || s.Shown.Otherwise != 2 || !strings.Contains(s.Error, "import policy") {
		t.Errorf("%+v, %+v", s, s.Shown)
	}
	m.metrics(`sluice_device_shown_routes{device="edge",shown="drifted"} 2`, `sluice_device_shown_routes{device="edge",shown="held"} 0`, `sluice_device_state{device="edge",state="drifted"} 1`)
	m.router.Shell("gobgp global policy import del refuse\n" + again)
	m.shows(first, reconcile.RuleHeld, "Loc-RIB")
	m.is(reconcile.InSync)
	m.metrics(`sluice_device_shown_routes{device="edge",shown="drifted"} 0`, `sluice_device_shown_routes{device="edge",shown="held"} 2`, `sluice_device_routes{device="edge"} 2`, `sluice_device_filter_entries{device="edge"} 0`)

	// A rule that is asked for with other actions is held with these.
	changed := m.add("flow route { match { destination 203.0.113.9/32; protocol udp; } then { rate-limit 125000; } }").Rules[0].ID
	m.shows(changed, reconcile.RuleHeld, "Loc-RIB")

	// The BMP session is cut: nobody knows any more.
	m.relay.cut(true)
	m.shows(changed, reconcile.RuleSent, "no BMP session since")
	if s := m.is(reconcile.InSync); s.Session != reconcile.Established {
		t.Errorf("BGP: %s", s.Session)
	}
	m.relay.cut(false)
	for n := range 2 { // gobgpd finds out that a connection is gone when it writes to it for the second time
		m.add(fmt.Sprintf("flow route { match { destination 203.0.113.%d/32; } then { discard; } }", 10+n))
		m.router.Holds("ipv4-flowspec", 2+n)
	}
	m.shows(changed, reconcile.RuleHeld, "Loc-RIB")

	// The gateway begins anew.
	m.stop()
	m.gateway = serve(t, m.config)
	m.shows(six, reconcile.RuleHeld, "Loc-RIB")
	m.stop()
}

// What arrived at the router is not held by it: a router that shows no more than that leaves rules sent.
func TestPrePolicyIsNotHeld(t *testing.T) {
	t.Parallel()
	m := monitor(t, "pre-policy")
	id := m.add("flow route { match { destination 203.0.113.9/32; } then { discard; } }").Rules[0].ID
	m.shows(id, reconcile.RuleSent, "whether its import policy takes it is not known")
	m.stop()
}

// BenchmarkReceiptByBMP measures one call that creates a rule until its receipt says held, because gobgpd shows it, as a client sees it that asks until it does.
func BenchmarkReceiptByBMP(b *testing.B) {
	m := monitor(b, "all")
	first := m.add(numbered(1 << 20)).Rules[0].ID
	m.shows(first, reconcile.RuleHeld, "Loc-RIB")
	m.receive(b, reconcile.RuleHeld)
}

// relay hands connections on, from another address of this host, and cuts them.
type relay struct {
	net.Listener
	mu    sync.Mutex
	down  bool
	conns map[net.Conn]bool
	all   sync.WaitGroup
}

func startRelay(t testing.TB, from netip.Addr, to netip.AddrPort) *relay {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{Listener: ln, conns: map[net.Conn]bool{}}
	r.all.Go(func() {
		for {
			near, err := ln.Accept()
			if err != nil {
				return
			}
			d := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))}
			far, err := d.DialContext(t.Context(), "tcp", to.String())
			if err != nil || !r.keep(near, far) {
				_ = near.Close()
				continue
			}
			pipe := func(a, b net.Conn) {
				_, _ = io.Copy(a, b) // until either side is cut
				r.drop(a, b)
			}
			r.all.Go(func() { pipe(far, near) })
			r.all.Go(func() { pipe(near, far) })
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		r.cut(true)
		r.all.Wait()
	})
	return r
}

func (r *relay) keep(conns ...net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range conns {
		if r.conns[c] = true; r.down {
			_ = c.Close()
		}
	}
	return !r.down
}

func (r *relay) drop(conns ...net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range conns {
		_ = c.Close()
		delete(r.conns, c)
	}
}

// cut ends all connections, and lets others come or not.
func (r *relay) cut(down bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.down = down
	for c := range r.conns {
		_ = c.Close()
	}
}
