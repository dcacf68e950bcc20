package bgp_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/adapters/bgp"
	"github.com/sluice-gateway/sluice/adapters/bgp/session"
	"github.com/sluice-gateway/sluice/core/device"
)

// A peer that opens a session and then reads nothing must neither hold up another peer nor Apply for ever, and it must not make the gateway
// queue: what it is owed is a table.
func TestPeerThatDoesNotReadHoldsUpNobody(t *testing.T) {
	t.Parallel()
	good := start(t, options{})
	good.up(t)
	speaker, err := bgp.New(bgp.Config{RouterID: ourID, LocalAS: 64500, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	at := ln.Addr().(*net.TCPAddr).AddrPort()
	if err := speaker.AddPeer(bgp.PeerConfig{Name: "deaf", Address: at.Addr(), Port: at.Port(), RemoteAS: 64501, Families: both, Device: true}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(good.ctx)
	done := make(chan error, 1)
	go func() { done <- speaker.Run(ctx) }()
	defer func() { cancel(); <-done }()
	nc, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	_ = nc.(*net.TCPConn).SetReadBuffer(4096)
	deaf(t, nc)
	d := speaker.Device("deaf")
	for d.Session() != "established" {
		select {
		case <-good.ctx.Done():
			t.Fatal(d.Session())
		case <-time.After(time.Millisecond):
		}
	}
	routes := usual(t, 200_000) // some 5 MiB: more than the buffers on the way hold
	begin := time.Now()
	_, err = d.Apply(good.ctx, device.Target{Timeout: 300 * time.Millisecond}, steps(routes, device.Add), 0)
	var transient *device.Transient
	if !errors.As(err, &transient) || !strings.Contains(err.Error(), "does not read") {
		t.Fatalf("Apply = %v after %v, want *device.Transient", err, time.Since(begin))
	}
	// Another thousand changes while it is stuck change the table, not a queue, and do not wait for it longer than asked.
	for range 3 {
		_, _ = d.Apply(good.ctx, device.Target{Timeout: time.Millisecond}, steps(routes[:1000], device.Remove), 0)
		_, _ = d.Apply(good.ctx, device.Target{Timeout: time.Millisecond}, steps(routes[:1000], device.Add), 0)
	}
	if st := d.Status(); st.Owed != len(routes) || st.Sent != 0 {
		t.Errorf("status %+v", st)
	}
	good.apply(t, add(t, dst(1), discard()))
	good.holds(t, dst(1))
}

// deaf opens a session on nc and then never reads again.
func deaf(t *testing.T, nc net.Conn) {
	t.Helper()
	open := append([]byte(strings.Repeat("\xff", 16)), 0, 37+8, 1, 4, 0xfb, 0xf5, 0, 90, 192, 0, 2, 77, 16, 2, 6, 1, 4, 0, 1, 0, 133, 2, 6, 1, 4, 0, 2, 0, 133)
	keepalive := append([]byte(strings.Repeat("\xff", 16)), 0, session.HeaderLen, 4)
	if _, err := nc.Write(append(open, keepalive...)); err != nil {
		t.Fatal(err)
	}
}
