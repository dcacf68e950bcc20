package bgp_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"github.com/sluice-gateway/sluice/adapters/bgp"
	"github.com/sluice-gateway/sluice/adapters/bgp/bgptest"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
)

// A speaker gives one rule to one router, here an emulated one.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()

	router, err := bgptest.Listen(bgptest.Config{Name: "edge1", AS: 64501, RouterID: netip.MustParseAddr("192.0.2.2")})
	if err != nil {
		fmt.Println(err)
		return
	}
	go router.Run(ctx)

	speaker, err := bgp.New(bgp.Config{RouterID: netip.MustParseAddr("192.0.2.1"), LocalAS: 64500, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		fmt.Println(err)
		return
	}
	err = speaker.AddPeer(bgp.PeerConfig{
		Name: "edge1", Address: router.Addr().Addr(), Port: router.Addr().Port(), RemoteAS: 64501, Families: []flowspec.Family{flowspec.IPv4}, Device: true,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	go speaker.Run(ctx)

	match, err := flowspec.ParseNLRI(flowspec.IPv4, []byte{0x09, 0x01, 0x20, 203, 0, 113, 9, 0x03, 0x81, 17})
	if err != nil {
		fmt.Println(err)
		return
	}
	route := &device.Route{Match: match, Action: flowspec.Action{Rate: &flowspec.Rate{Unit: flowspec.Bytes}}}
	change := device.Change{Steps: []device.Step{{Op: device.Add, Route: route}}}
	if _, err := speaker.Device("edge1").Apply(ctx, device.Target{}, change, 0); err != nil {
		fmt.Println(err)
		return
	}
	if err := router.Wait(ctx, func(table []bgptest.Route) bool { return len(table) == 1 }); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(router.Table()[0])
	// Output: destination 203.0.113.9/32; protocol =udp; then discard;
}
