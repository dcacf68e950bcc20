package main

import (
	"log/slog"
	"testing"

	"github.com/sluice-gateway/sluice/core/config"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
)

// No rule may filter the connection to a device whose address has no port: it goes where the adapter knocks.
func TestOwnSessionsWithoutAPort(t *testing.T) {
	t.Parallel()
	for adapter, port := range map[string]uint16{"nftables": 22, "junos-cli": 22, "eos": 22, "junos": 830, "acme": 830, "openconfig": 9339} {
		g := &gateway{log: slog.New(slog.DiscardHandler), cfg: &config.Config{Devices: []config.Device{{
			Name: "gw", Filter: &config.FilterDelivery{Adapter: adapter, Target: device.Target{Address: "127.0.0.1"}},
		}}}}
		if err := g.guardSessions(t.Context()); err != nil {
			t.Fatal(err)
		}
		for p, filters := range map[uint16]bool{port: true, 21: false} {
			m, err := flowspec.ParseNLRI(flowspec.IPv4, []byte{13, 1, 32, 127, 0, 0, 1, 3, 0x81, 6, 5, 0x91, byte(p >> 8), byte(p)}) // TCP to a port of 127.0.0.1
			if err != nil {
				t.Fatal(err)
			}
			r := flowspec.Rule{Match: m, Action: flowspec.Action{Rate: &flowspec.Rate{}}}
			if err := g.own.Check(r); filters != (err != nil) {
				t.Errorf("%s: a discard of port %d: %v", adapter, p, err)
			}
		}
	}
}
