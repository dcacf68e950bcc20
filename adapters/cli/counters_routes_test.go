package cli

import (
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/device"
)

// The listings are those of vMX 21.4 and XRv 9000 (net4fungr.github.io, "kustom-metrics" and its successor), of cEOS (a public lab on BGP FlowSpec), and of an MX, an ASR 9000 and a switch with EOS in the tests of
// router_flowspec_parser. Routes with bits, those with a policer, and those that the router shows without statistics have no count.
func TestRecordedRoutes(t *testing.T) {
	t.Parallel()
	for file, c := range map[string]struct {
		routes Routes
		want   map[string]device.Counter
	}{
		"junos-show-flowspec": {junosRoutes, map[string]device.Counter{"1/133 destination 10.11.10.10/32; icmp-type =8;": {Packets: 30, Bytes: 41496}}},
		"junos-show-flowspec-mx": {junosRoutes, map[string]device.Counter{
			"1/133 destination 134.34.2.128/25; protocol =udp; destination-port >=1026&<=65499; source-port >=1026&<=65499;": {Packets: 204410643, Bytes: 213018385651},
		}},
		"iosxr-show-flowspec":     {iosxrRoutes, map[string]device.Counter{"1/133 destination 238.39.240.142/32; destination-port =22;": {Packets: 1, Bytes: 64}}},
		"iosxr-show-flowspec-xrv": {iosxrRoutes, nil},
		"eos-show-flow-spec":      {eosRoutes, map[string]device.Counter{"1/133 source 9.0.0.9/32;": {}}},
		"eos-show-flow-spec-frag": {eosRoutes, nil},
	} {
		text, err := os.ReadFile("testdata/counters/" + file + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := c.routes.read(string(text)); err != nil || !maps.Equal(got, c.want) {
			t.Errorf("%s: got %v, %v, want %v", file, got, err, c.want)
		}
	}
}

// What is not understood of a listing makes all of it an error: a line that was overlooked might have been the one that says whose the next number is.
func TestRoutesNotUnderstood(t *testing.T) {
	t.Parallel()
	const (
		junos = "Filter: __flowspec_default_inet__\nCounters:\nName Bytes Packets\n10.0.0.1,*,proto=17 200 2\n"
		xr    = "AFI: IPv4\n  Flow           :Dest:10.0.0.1/32,Proto:=17\n    Actions      :x\n    Statistics     (packets/bytes)\n      Matched      :     2/200\n"
		eos   = "Flow specification rules for VRF default\n  Flow-spec rule: 10.0.0.1/32;*;IP:=17;\n    Status:\n      Installed: yes\n      Counter: 2 packets, 200 bytes\n"
		name  = "1/133 destination 10.0.0.1/32; protocol =udp;"
	)
	for _, c := range []struct {
		routes Routes
		text   string
		counts int // -1: an error
	}{
		{junosRoutes, junos, 1},
		{junosRoutes, "", 0},
		{junosRoutes, "Filter: __flowspec_default_inet__\n", 0},
		{junosRoutes, junos + "Policers:\nName Bytes Packets\n40K_10.0.0.1,*,proto=17 3 1\n", 0},
		{junosRoutes, junos + "Policers:\nName Bytes Packets\n40K 3 1\n", -1},
		{junosRoutes, junos + "Policers:\nName Packets\n40K_10.0.0.1,*,proto=17 1\n", -1},
		{junosRoutes, junos + "10.0.0.1/32,*,proto=17 200 2\n", -1},
		{junosRoutes, junos + "10.0.0.1,*,proto=17 200 2\n", -1},
		{junosRoutes, junos + "Filter: __flowspec_blue_inet__\nCounters:\n", -1},
		{junosRoutes, strings.Replace(junos, "default", "blue", 1), -1},
		{junosRoutes, strings.Replace(junos, "Bytes Packets", "Packets Bytes", 1), -1},
		{junosRoutes, junos + "rubbish\n", -1},
		{iosxrRoutes, xr, 1},
		{iosxrRoutes, xr + "      Matched      :     3/300\n", -1},
		{iosxrRoutes, strings.Replace(xr, "2/200", "2", 1), -1},
		{iosxrRoutes, strings.Replace(xr, "2/200", "99999999999999999999/1", 1), -1},
		{iosxrRoutes, strings.Replace(xr, "IPv4", "IPv6", 1), -1},
		{iosxrRoutes, "VRF: blue\n" + xr, -1},
		{iosxrRoutes, xr + xr, -1},
		{iosxrRoutes, strings.Replace(xr, "Dest:", "Dst:", 1), 0},
		{eosRoutes, eos, 1},
		{eosRoutes, strings.Replace(eos, "yes", "no", 1), 0},
		{eosRoutes, strings.Replace(eos, "      Installed: yes\n", "", 1), -1},
		{eosRoutes, strings.Replace(eos, "default", "blue", 1), -1},
		{eosRoutes, eos + "Flow specification rules for VRF blue\n", -1},
		{eosRoutes, strings.Replace(eos, "2 packets", "two packets", 1), -1},
		{eosRoutes, eos + eos[strings.Index(eos, "  Flow-spec"):], -1},
	} {
		got, err := c.routes.read(c.text)
		if (err != nil) != (c.counts < 0) || err == nil && len(got) != c.counts {
			t.Errorf("%q: got %v, %v, want %d", c.text, got, err, c.counts)
		}
		if c.counts == 1 && got[name] != (device.Counter{Packets: 2, Bytes: 200}) {
			t.Errorf("%q: got %v", c.text, got)
		}
	}
}
