package main

import (
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/core/config"
	"github.com/sluice-gateway/sluice/core/device"
)

// Each adapter says how far apart its commits are, and by when its device has undone one that nobody confirmed: the time that was asked for in the units of the device, and what it was seen to be late.
func TestWhatAdaptersSayOfTheirCommits(t *testing.T) {
	t.Parallel()
	const unsaid = -1
	for name, want := range map[string]struct{ interval, undone, late time.Duration }{
		"nftables":   {0, 45 * time.Second, 90 * time.Second},
		"junos":      {5 * time.Second, 45 * time.Second, 40 * time.Second},
		"iosxr":      {5 * time.Second, 45 * time.Second, unsaid},
		"openconfig": {5 * time.Second, 45 * time.Second, unsaid},
		"junos-cli":  {5 * time.Second, time.Minute, 40 * time.Second},
		"iosxr-cli":  {5 * time.Second, 45 * time.Second, 3 * time.Second},
		"sros-cli":   {5 * time.Second, time.Minute, 40 * time.Second},
		"vrp-cli":    {5 * time.Second, time.Minute, 40 * time.Second},
	} {
		undone, err := windowOf(name)(device.Target{Name: "r", Address: "192.0.2.1"}, 45*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		info, err := shippedPlugins()[name]().Info(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		late := time.Duration(unsaid)
		if info.Late != nil {
			late = *info.Late
		}
		if got := intervalOf(name); got != want.interval || undone != want.undone || late != want.late {
			t.Errorf("%s: commits %v apart, undone after %v and up to %v late; want %+v", name, got, undone, late, want)
		}
	}
	here := config.FilterDelivery{Adapter: "nftables", Target: device.Target{Name: "here"}}
	if w, err := windowOf("nftables")(here.Target, 45*time.Second); err != nil || w != 45*time.Second || *lateOf(&here) != 0 {
		t.Errorf("on this host: undone after %v and %v, %v", w, *lateOf(&here), err)
	}
	there := here
	if there.Target.Address = "192.0.2.1"; *lateOf(&there) != 90*time.Second {
		t.Errorf("behind SSH: %v late", *lateOf(&there))
	}
	for option, address := range map[string]string{"sudo": "", "netns": "192.0.2.1", "nets": "192.0.2.1"} {
		_, err := windowOf("nftables")(device.Target{Name: "r", Address: address, Options: map[string]string{option: "true"}}, time.Second)
		if wrong := option != "netns"; wrong != (err != nil) {
			t.Errorf("option %s with address %q: %v", option, address, err)
		}
	}
}
