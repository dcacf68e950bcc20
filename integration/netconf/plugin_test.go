// Package netconf_test runs the shipped plugins as in production (a process behind the host) against a NETCONF server that nobody here wrote: netconfd of
// yuma123 behind OpenSSH, with Juniper's own models, or Cisco's. It needs root, and Debian's netconfd, openssh-server and libyang2-tools.
//
// Each test has servers of its own, on a port of its own, in a directory of its own.
package netconf_test

import (
	"context"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/adapters/host"
	"github.com/sluice-gateway/sluice/adapters/iosxr"
	"github.com/sluice-gateway/sluice/adapters/junos"
	"github.com/sluice-gateway/sluice/adapters/netconf"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/integration/rig"
	"github.com/sluice-gateway/sluice/plugins/sdk"
)

// TestMain makes the test binary three programs: the tests, the plugin, and the pacer in front of netconfd.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == host.RunCommand {
		if err := sdk.ServeNamed(os.Args[2], map[string]func() device.Adapter{
			"iosxr": func() device.Adapter { return netconf.New(iosxr.Dialect{}, netconf.Options{}).WithCounters() },
			"junos": func() device.Adapter { return netconf.New(junos.Dialect{}, netconf.Options{}) },
		}); err != nil {
			panic(err)
		}
		return
	}
	rig.MaybePace()
	os.Exit(m.Run())
}

// plugin runs the Junos plugin as a process until the test ends.
func plugin(t *testing.T) (device.Adapter, *host.Host) {
	t.Helper()
	return pluginOf(t, "junos")
}

func pluginOf(t *testing.T, name string) (device.Adapter, *host.Host) {
	t.Helper()
	h, err := host.New(host.Options{MinPause: time.Millisecond}, host.Plugin{Name: name})
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
	a, err := h.Adapter(name)
	if err != nil {
		t.Fatal(err)
	}
	return a, h
}

// kill ends the plugin's process without a farewell, and waits for the next one.
func kill(t *testing.T, h *host.Host) {
	t.Helper()
	before := h.Status()[0].PID
	if before == 0 {
		t.Fatal("the plugin does not run")
	}
	if err := syscall.Kill(before, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	rig.Wait(t, "another plugin process", func() bool { st := h.Status()[0]; return st.PID != 0 && st.PID != before })
}
