package gateway_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/adapters/netconf/netconftest"
	"github.com/sluice-gateway/sluice/core/api"
	"github.com/sluice-gateway/sluice/core/reconcile"
)

// drip stands in front of a device. While it is slow, what the device says passes one octet a second.
type drip struct {
	net.Listener
	to   string
	mu   sync.Mutex
	slow bool
}

func newDrip(t *testing.T, to string) *drip {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &drip{Listener: l, to: to, slow: true}
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { d.pass(ctx, c) })
		}
	})
	t.Cleanup(func() { l.Close(); cancel(); all.Wait() })
	return d
}

func (d *drip) pass(ctx context.Context, near net.Conn) {
	far, err := net.Dial("tcp", d.to)
	if err != nil {
		near.Close()
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { near.Close(); far.Close() })
	defer stop()
	go func() { defer cancel(); io.Copy(far, near) }() // ends with far, which cancel closes
	second := time.NewTicker(time.Second)
	defer second.Stop()
	defer cancel()
	for buf := make([]byte, 4096); ; {
		n := len(buf)
		if d.isSlow() {
			n = 1
			select {
			case <-second.C:
			case <-ctx.Done():
				return
			}
		}
		if n, err = far.Read(buf[:n]); err != nil {
			return
		}
		if _, err = near.Write(buf[:n]); err != nil {
			return
		}
	}
}

func (d *drip) isSlow() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.slow
}

func (d *drip) hurry() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.slow = false
}

// A device that answers an octet a second is given up in time and tried again; neither the other device, which the same plugin serves, nor the API waits for it, and when it is itself again it gets what
// the other one has.
func TestDeviceThatAnswersAnOctetASecond(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var servers []*netconftest.Server
	for range 2 {
		s, err := netconftest.Start(netconftest.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		servers = append(servers, s)
	}
	slow := newDrip(t, servers[0].Addr())
	device := func(name, address string, s *netconftest.Server) string {
		return fmt.Sprintf("  - name: %s\n    profile: junos-mx\n    filter: {adapter: junos, unverified-device: true, address: %q, username: %q, password: {env: %s}, host-key: %q, timeout: 2s, commit-interval: 10ms}\n",
			name, address, s.Username(), strings.ToUpper(name), strings.TrimSpace(s.HostKey()))
	}
	config := file(t, dir, "sluice.yaml", fmt.Sprintf("router-id: 192.0.2.1\nas: 64512\nstore: %s/sluice.db\nlisten: {api: \"127.0.0.1:0\"}\n", dir)+
		"sources:\n  - {name: api, api: true, allow: {destinations: [203.0.113.0/24]}}\ndevices:\n"+device("slow", slow.Addr().String(), servers[0])+device("quick", servers[1].Addr(), servers[1]))
	g := serve(t, config, "SLOW="+servers[0].Password(), "QUICK="+servers[1].Password())
	state := func(name string) (s reconcile.Status) {
		if _, err := g.call(t.Context(), http.MethodGet, "/v1/devices/"+name, nil, &s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	until(t, "the slow device to be given up", g.state, func() bool { return state("slow").State == reconcile.Unreachable })
	for n := range 5 {
		text := fmt.Sprintf("flow route { match { destination 203.0.113.%d/32; protocol =udp; source-port =53; } then { discard; } }", n+1)
		began := time.Now()
		if status, err := g.call(t.Context(), http.MethodPost, "/v1/rules", api.Request{Rule: text}, nil); err != nil || status != http.StatusCreated || time.Since(began) > 5*time.Second {
			t.Fatalf("status %d, error %v, after %v", status, err, time.Since(began))
		}
	}
	until(t, "the other device", g.state, func() bool { s := state("quick"); return s.State == reconcile.InSync && s.Entries == 5 })
	if s := state("slow"); s.State == reconcile.InSync || s.Entries != 0 {
		t.Errorf("the slow device is %+v", s)
	}
	slow.hurry()
	until(t, "the device that was slow", g.state, func() bool { s := state("slow"); return s.State == reconcile.InSync && s.Entries == 5 })
	g.stop()
}
