package main

import (
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
)

// Each adapter says how far apart its commits are, and by when its device has undone one that nobody confirmed: the time that was asked for in the units of the device, and what it was seen to be late.
func TestWhatAdaptersSayOfTheirCommits(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct{ interval, undone time.Duration }{
		"nftables":  {0, 45*time.Second + 90*time.Second},
		"junos":     {5 * time.Second, 45*time.Second + longestLate},
		"iosxr":     {5 * time.Second, 45*time.Second + longestLate},
		"junos-cli": {5 * time.Second, time.Minute + 40*time.Second},
		"iosxr-cli": {5 * time.Second, 48 * time.Second},
		"sros-cli":  {5 * time.Second, time.Minute + 40*time.Second},
		"vrp-cli":   {5 * time.Second, time.Minute + 40*time.Second},
		"acme":      {5 * time.Second, 45*time.Second + longestLate},
	} {
		r := device.Target{Name: "r", Address: "192.0.2.1"}
		undone := lateOf(name, r)
		if name == "acme" {
			undone += 45 * time.Second // of a plugin nothing is known but what was asked for
		} else {
			w, err := windowOf(name)(r, 45*time.Second)
			if err != nil {
				t.Fatal(err)
			}
			undone += w
		}
		if got := intervalOf(name); got != want.interval || undone != want.undone {
			t.Errorf("%s: commits %v apart, undone after %v; want %v and %v", name, got, undone, want.interval, want.undone)
		}
	}
	here := device.Target{Name: "here"}
	if w, err := windowOf("nftables")(here, 45*time.Second); err != nil || w != 45*time.Second || lateOf("nftables", here) != 0 {
		t.Errorf("on this host: undone after %v and %v, %v", w, lateOf("nftables", here), err)
	}
	for option, address := range map[string]string{"sudo": "", "netns": "192.0.2.1", "nets": "192.0.2.1"} {
		_, err := windowOf("nftables")(device.Target{Name: "r", Address: address, Options: map[string]string{option: "true"}}, time.Second)
		if wrong := option != "netns"; wrong != (err != nil) {
			t.Errorf("option %s with address %q: %v", option, address, err)
		}
	}
}
