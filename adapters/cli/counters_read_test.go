package cli

import (
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/device"
)

// The listing is that of a router in the tests of CiscoTestAutomation/genieparser (junos, ShowFirewall); a part of its filters is left out.
func TestRecordedListing(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/counters/junos-show-firewall.txt")
	if err != nil {
		t.Fatal(err)
	}
	for mark, want := range map[string]map[string]device.Counter{
		"local-": {
			"fragment-test": {}, "fragment-test2": {}, "last_policer": {Packets: 19016081, Bytes: 1069200810}, "ntp-deny-count": {},
			"telnet-deny-count": {Packets: 23, Bytes: 1316}, "traceroute-udp-deny-count": {Packets: 8350, Bytes: 1385466},
		},
		"v6_":      {"cflow_counter_v6": {Packets: 149192171, Bytes: 12001013864}, "traceroute-udp-deny-count": {}, "v6_last_policer": {Packets: 7859252, Bytes: 1061535120}},
		"__":       {},
		"sluice-v": {},
	} {
		got, err := readCounters(junosFirewall, mark, string(text))
		if err != nil || !maps.Equal(got, want) {
			t.Errorf("filters %s: got %v, %v, want %v", mark, got, err, want)
		}
	}
}

// In a filter of ours, what is not understood makes all of it an error; of others, nothing does.
func TestListingNotUnderstood(t *testing.T) {
	t.Parallel()
	const ours = "Filter: sluice-v4   \nCounters:\nName     Bytes    Packets\n"
	for text, right := range map[string]bool{
		"": true,
		ours + "r-1   5   1\n\nFilter: other\nrubbish 1\n": true,
		"rubbish\n" + ours + "r-1   5   1\n":               true,
		ours + "r-1   5   1\nPolicers:\nName    Packets\np   3\n\nFilter: sluice-v6\nCounters:\nName Bytes Packets\nr-2 1 1\n": true,
		ours + "r-1   5\n":                                  false,
		ours + "r-1   5   1   9\n":                          false,
		ours + "r-1   -   1\n":                              false,
		ours + "r-1   5   99999999999999999999999\n":        false,
		ours + "r-1   5   1\nr-1   6   2\n":                 false,
		strings.Replace(ours, "Bytes", "Octets", 1):         false,
		strings.Replace(ours, "Bytes    ", "", 1):           false,
		strings.Replace(ours, "Packets", "Packets Rate", 1): false,
		strings.Replace(ours, "Counters", "Numbers", 1):     false,
		"Filter: sluice-v4 is not there\n":                  false,
		strings.Replace(ours, "Packets", "", 1):             false,
		// Columns the other way round would make bytes of packets.
		strings.Replace(ours, "Bytes    Packets", "Packets    Bytes", 1) + "r-1 5 1\n": false,
	} {
		got, err := readCounters(junosFirewall, "sluice-", text)
		if (err == nil) != right {
			t.Errorf("%q: got %v, %v", text, got, err)
		}
		if right && strings.Contains(text, "r-1") && got["r-1"] != (device.Counter{Packets: 1, Bytes: 5}) {
			t.Errorf("%q: got %v", text, got)
		}
	}
}

func FuzzListing(f *testing.F) {
	f.Add("Filter: sluice-v4\nCounters:\nName Bytes Packets\nr-1 5 1\n")
	f.Add("Filter: sluice-v4\nPolicers:\n")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := readCounters(junosFirewall, "sluice-", text)
		if err != nil {
			return
		}
		for name := range got {
			if name == "" || !strings.Contains(text, name) || !strings.Contains(text, "Filter:") {
				t.Errorf("counter %q out of %q", name, text)
			}
		}
	})
}
