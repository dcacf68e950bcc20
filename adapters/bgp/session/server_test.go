package session

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"
)

func TestServerHandsConnectionsToTheirPeers(t *testing.T) {
	t.Parallel()
	var a, b, c recorder
	newPeer := func(name, remote, local string, r *recorder) *Peer {
		cfg := Config{Name: name, LocalAS: 1, RouterID: lowID, Passive: true, Families: []Family{flow4}, Log: quiet, Remote: netip.AddrPortFrom(netip.MustParseAddr(remote), 179)}
		if local != "" {
			cfg.Local = netip.MustParseAddr(local)
		}
		p, err := NewPeer(cfg, r)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	s := Server{Log: quiet}
	first, second, third := newPeer("first", "127.0.7.2", "127.0.7.1", &a), newPeer("second", "127.0.7.2", "127.0.7.9", &b), newPeer("third", "127.0.7.3", "", &c)
	for _, p := range []*Peer{first, second, third} {
		s.Add(p)
	}
	ln, err := net.Listen("tcp", "127.0.7.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := async(func() error { return s.Serve(ctx, ln) })
	from := func(addr string) net.Conn {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(addr)}}
		nc, err := d.DialContext(ctx, "tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = nc.Close() })
		return nc
	}
	from("127.0.7.2")
	got(t, first)
	from("127.0.7.3")
	got(t, third)
	stranger := from("127.0.7.4")
	_ = stranger.SetReadDeadline(time.Now().Add(10 * time.Second))
	if n := decodeNotification(wire{t, stranger}.expect(typeNotification)); n.Code != 6 || n.Subcode != CeaseRejected {
		t.Errorf("a stranger was told %v, want connection rejected", n)
	}
	if len(second.incoming) != 0 {
		t.Error("the second peer got a connection to another local address")
	}
	cancel()
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func TestAddressesOfPeers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		configured, seen string
		want             bool
	}{
		{"192.0.2.1", "192.0.2.1", true},
		{"::ffff:192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"fe80::1%eth0", "fe80::1%eth0", true},
		{"fe80::1%eth0", "fe80::1%eth1", false},
		{"fe80::1", "fe80::1%eth1", true},
	} {
		if got := is(netip.MustParseAddr(tt.configured), netip.MustParseAddr(tt.seen)); got != tt.want {
			t.Errorf("%s for %s: %v", tt.seen, tt.configured, got)
		}
	}
	if !is(netip.Addr{}, netip.MustParseAddr("192.0.2.1")) {
		t.Error("no address is any address")
	}
}

func async(f func() error) chan error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	return done
}

// got waits for a connection of p, which is not running.
func got(t *testing.T, p *Peer) {
	t.Helper()
	select {
	case nc := <-p.incoming:
		_ = nc.Close()
	case <-time.After(10 * time.Second):
		t.Fatalf("peer %s got no connection", p.cfg.Name)
	}
}
