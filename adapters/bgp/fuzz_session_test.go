package bgp

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluice-gateway/sluice/adapters/bgp/session"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
)

// FuzzSession gives any octets to a session, behind the peer's OPEN or behind its KEEPALIVE as well. Whatever they are, the session ends or goes on, the next one is a good one, in which a rule comes and goes
// and the peer is sent what it is owed, and nothing is left running: a goroutine that stays fails the bubble.
func FuzzSession(f *testing.F) {
	open, alive, rule := mustHex(f, goodOpen), mustHex(f, goodAlive), mustHex(f, goodRule)
	for _, s := range []string{
		"", goodAlive, goodOpen, goodRule, goodAlive + goodRule, goodRule[:40], goodRule[2:],
		marker + "0015030602", marker + "001503060207", marker + "001702" + "00000000", marker + "001705" + "00010085", marker + "001705" + "00010185", marker + "001705" + "00010285",
		marker + "001304" + marker + "001304", marker + "ffff02", marker + "000002", marker + "001309", "00" + marker, marker + "001702" + "ffff0000",
		marker + "002002" + "00000009" + "800e0600018500" + "0003", marker + "001d02" + "00000006" + "800f03000185",
	} {
		f.Add(mustHex(f, s), false)
		f.Add(mustHex(f, s), true)
	}
	f.Fuzz(func(t *testing.T, octets []byte, established bool) {
		synctest.Test(t, func(t *testing.T) {
			in := &events{}
			s, err := New(Config{RouterID: netip.MustParseAddr("192.0.2.1"), LocalAS: 64500, Input: in, Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			p, err := s.newPeer(PeerConfig{
				Name: "far", Address: netip.MustParseAddr("192.0.2.2"), LocalAS: 64500, RemoteAS: 64501, Families: []flowspec.Family{flowspec.IPv4, flowspec.IPv6},
				Source: "far", Device: true, Restart: time.Minute, Extended: true, AddPath: true,
			})
			if err != nil {
				t.Fatal(err)
			}
			conns := make(chan net.Conn)
			p.session, err = session.NewPeer(session.Config{
				Name: "far", LocalAS: 64500, RouterID: netip.MustParseAddr("192.0.2.1"), RemoteAS: 64501, Families: []session.Family{{AFI: 1, SAFI: 133}, {AFI: 2, SAFI: 133}},
				Restart: time.Minute, Extended: true, AddPath: true, Log: slog.New(slog.DiscardHandler),
				Dial: func(ctx context.Context) (net.Conn, error) {
					near, far := net.Pipe()
					select {
					case conns <- far:
						return near, nil
					case <-ctx.Done():
						return nil, errors.New("nobody listens")
					}
				},
			}, p)
			if err != nil {
				t.Fatal(err)
			}
			p.device.state = p.session.Status
			ctx, cancel := context.WithCancel(context.Background())
			ended := make(chan struct{})
			go func() { p.session.Run(ctx); close(ended) }()

			// The bad one: it reads all, says its octets and leaves.
			bad := <-conns
			go func() { _, _ = io.Copy(io.Discard, bad) }()
			_, _ = bad.Write(open)
			if established {
				_, _ = bad.Write(alive)
			}
			_, _ = bad.Write(octets)
			synctest.Wait()
			_ = bad.Close()

			// The good one.
			good := <-conns
			heard := make(chan int)
			go func() {
				n, _ := io.Copy(io.Discard, good)
				heard <- int(n)
			}()
			for _, m := range [][]byte{open, alive, rule} {
				if _, err := good.Write(m); err != nil {
					t.Errorf("the next session ended: %v", err)
				}
			}
			synctest.Wait()
			if n := len(in.last); n == 0 || len(in.last[n-1].Announce) != 1 {
				t.Errorf("after that a good rule gave %+v", in.last)
			}
			m, err := flowspec.ParseNLRI(flowspec.IPv4, []byte{6, 1, 32, 10, 0, 0, 9})
			if err != nil {
				t.Fatal(err)
			}
			step := device.Step{Op: device.Add, Route: &device.Route{Match: m, Action: flowspec.Action{Rate: &flowspec.Rate{}}}}
			if _, err := p.device.Apply(ctx, device.Target{}, device.Change{Steps: []device.Step{step}}, 0); err != nil || p.device.Status().Sent != 1 {
				t.Errorf("after that a route went: %v, %+v", err, p.device.Status())
			}
			cancel()
			<-ended
			_ = good.Close()
			<-heard
		})
	})
}

// Messages of a peer in AS 64501 with router id 192.0.2.2 and IPv4 FlowSpec: OPEN, KEEPALIVE, and an UPDATE with a discard for 10.0.0.1/32.
const (
	marker    = "ffffffffffffffffffffffffffffffff"
	goodOpen  = marker + "002b01" + "04fbf5005ac0000202" + "0e020c" + "010400010085" + "41040000fbf5"
	goodAlive = marker + "001304"
	goodRule  = marker + "003e02" + "00000027" + "800e0c00018500000601200a000001" + "40010100" + "40020602010000fbf5" + "c010088006000000000000"
)

func mustHex(tb testing.TB, s string) []byte {
	tb.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}
