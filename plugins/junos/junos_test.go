package main

import (
	"context"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/adapters/adaptertest"
	"github.com/sluice-gateway/sluice/adapters/host"
	"github.com/sluice-gateway/sluice/adapters/junos"
	"github.com/sluice-gateway/sluice/adapters/netconf/netconftest"
	"github.com/sluice-gateway/sluice/core/device"
)

// TestMain makes the test binary the plugin as well: started by a host, it serves the adapter.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == host.RunCommand {
		main()
		return
	}
	os.Exit(m.Run())
}

// TestConformanceAsProcess tells the story to the plugin as it runs in production: a process behind the host, a router behind SSH.
func TestConformanceAsProcess(t *testing.T) {
	t.Parallel()
	clock := &netconftest.ManualClock{}
	router, err := netconftest.Start(netconftest.Options{Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(router.Close)
	router.Refuse("r-refused", "syntax error, the term is too clever")
	h, err := host.New(host.Options{MinPause: time.Millisecond}, host.Plugin{Name: "junos"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	a, err := h.Adapter("junos")
	if err != nil {
		t.Fatal(err)
	}
	refused := adaptertest.Entry(junos.Dialect{}.Semantics(), 6)
	refused.Name = "r-refused"
	target := device.Target{Name: "r1", Address: router.Addr(), Username: router.Username(), Password: device.Secret(router.Password()), HostKey: router.HostKey()}
	adaptertest.Run(t, a, target, adaptertest.Faults{
		Semantics: junos.Dialect{}.Semantics(), Entries: 2000, // adapters/netconf takes ten thousand
		Restart: func(context.Context) (device.Adapter, error) {
			kill(t, h)
			return a, nil
		},
		Edit: func(_ context.Context, e adaptertest.Edit, name string) error {
			router.Edit(func(config *netconftest.Node) {
				list := config.Find("configuration", "firewall", "family", "inet")
				f := list.Find("filter=" + name)
				if e == adaptertest.DropFilter {
					list.Remove(f)
					return
				}
				f.Remove(f.Kid("term"))
			})
			return nil
		},
		LoseAnswer: func(context.Context) error { router.Fail("commit", netconftest.Fault{DropAfter: true}); return nil },
		Refused:    refused,
		Words:      "the term is too clever",
		Expire:     func(context.Context) error { clock.Advance(2 * time.Minute); return nil },
		Slow: func(context.Context) (func(), error) {
			held := make(chan struct{})
			router.Fail("commit", netconftest.Fault{Wait: held})
			return func() { close(held) }, nil
		},
		Stages: []device.Stage{device.Locking, device.Loading, device.Committing, device.Checking},
	})
}

// kill ends the plugin's process without a farewell, and waits for the next one.
func kill(t *testing.T, h *host.Host) {
	t.Helper()
	before := h.Status()[0]
	if err := syscall.Kill(before.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); ; {
		if st := h.Status()[0]; st.PID != 0 && st.PID != before.PID {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the plugin was not started again: %+v", h.Status()[0])
		}
		select {
		case <-t.Context().Done():
			t.Fatal("the test ended")
		case <-time.After(5 * time.Millisecond):
		}
	}
}
