package bmp

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sluice-gateway/sluice/adapters/bgp/session"
	"github.com/sluice-gateway/sluice/core/flowspec"
)

// Of a router with a password only what is signed with it arrives; one without goes on as before.
func TestSignedConnections(t *testing.T) {
	t.Parallel()
	at, secured, open := netip.MustParseAddr("127.7.1.1"), netip.MustParseAddr("127.7.1.2"), netip.MustParseAddr("127.7.1.3")
	s := NewStation([]netip.AddrPort{netip.AddrPortFrom(at, 0)}, slog.New(slog.DiscardHandler))
	routers := map[netip.Addr]*Router{}
	for from, password := range map[netip.Addr]session.Password{secured: "hunter2", open: ""} {
		routers[from] = New(RouterConfig{Name: from.String(), From: from, Password: password, Log: slog.New(slog.DiscardHandler)})
		if err := s.Add(routers[from]); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	defer func() { stop(); <-ended }()

	dial := func(from netip.Addr, password string) error {
		d := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0)), Timeout: time.Second}
		d.SetMultipathTCP(false)
		if password != "" {
			d.Control = func(_, _ string, raw syscall.RawConn) error { return md5(raw, at, password) }
		}
		nc, err := d.DialContext(t.Context(), "tcp", s.Addrs()[0].String())
		if err != nil {
			return err
		}
		t.Cleanup(func() { _ = nc.Close() })
		_, err = nc.Write(framed(kindInit, octets(t, "0002000161")))
		return err
	}
	for password, wrong := range map[string]string{"": "no password", "hunter3": "another password"} {
		if err := dial(secured, password); err == nil || !strings.Contains(err.Error(), "timeout") {
			t.Errorf("%s: %v, want nothing to come through", wrong, err)
		}
	}
	for from, password := range map[netip.Addr]string{secured: "hunter2", open: ""} {
		if err := dial(from, password); err != nil {
			t.Errorf("%v: %v", from, err)
		}
		m, err := flowspec.ParseNLRI(flowspec.IPv4, octets(t, ten1))
		if err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(10 * time.Second); ; runtime.Gosched() {
			said := routers[from].Of(m, discard(), time.Now(), 0).Words
			if strings.Contains(said, "no BGP session of ours") {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("%v did not connect: %s", from, said)
			}
		}
	}
}

// md5 has a socket sign what it sends to an address.
func md5(raw syscall.RawConn, to netip.Addr, password string) error {
	sig := unix.TCPMD5Sig{}
	sig.Keylen = uint16(copy(sig.Key[:], password))
	sig.Addr.Family = unix.AF_INET
	a := to.As4()
	fill(sig.Addr.Data[2:], a[:])
	var err error
	if outer := raw.Control(func(fd uintptr) { err = unix.SetsockoptTCPMD5Sig(int(fd), unix.IPPROTO_TCP, unix.TCP_MD5SIG, &sig) }); outer != nil {
		return outer
	}
	return err
}

// fill copies octets to where some systems have signed ones.
func fill[T ~int8 | ~uint8](to []T, from []byte) {
	for i, b := range from {
		to[i] = T(b)
	}
}
