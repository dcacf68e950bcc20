package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/core/packet"
)

// On a running gateway the rules are those in force, by their IDs, and the device is one of its own.
func TestTraceOnAGateway(t *testing.T) {
	t.Parallel()
	sluice := aGateway(t)
	for _, rule := range []string{fits, sevenOne} {
		if status, out, errOut := sluice("", "rule", "add", rule); status != exitDone {
			t.Fatalf("status %d: %s%s", status, out, errOut)
		}
	}
	const dropped, lost = "udp 198.51.100.7:53 > 203.0.113.10:4444", "udp 198.51.100.7:40000 > 203.0.113.20:443"
	var out, errOut string
	status := -1
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) { // until both rules are planned
		status, out, errOut = sluice("", "trace", "--device", "edge1", "--packet", lost)
		if status == exitFailed && strings.Contains(out, "[rate-split]") {
			break
		}
	}
	for _, want := range []string{"the rules ask for: rate-limit 6250000 bytes/s", "edge1 does something else: accept", "not carried: the rule needs 2 rules"} {
		if status != exitFailed || !strings.Contains(out, want) {
			t.Errorf("status %d without %q:\n%s%s", status, want, out, errOut)
		}
	}
	status, out, errOut = sluice("", "trace", "--device", "edge1", "--packet", dropped)
	if status != exitDone || !strings.Contains(out, "edge1 does that: discard\n") || !strings.Contains(out, "203.0.113.10/32; protocol =udp; source-port =53;") {
		t.Errorf("status %d:\n%s%s", status, out, errOut)
	}
	status, out, _ = sluice("", "trace", "--device", "edge1", "--format", "json", "--packet", dropped+" and "+lost)
	var got tracing
	if err := json.Unmarshal([]byte(out), &got); err != nil || status != exitFailed {
		t.Fatalf("status %d, %v: %s", status, err, out)
	}
	if len(got.Packets) != 2 || len(got.Packets[0].Rules.Met) != 1 || len(got.Packets[0].Rules.Met[0].ID) != 16 || got.Packets[0].Devices[0].Name != "edge1" {
		t.Errorf("got %s", out)
	}
	if status, _, errOut = sluice("", "trace", "--device", "edge9", "--packet", dropped); status != exitFailed || !strings.Contains(errOut, `no device "edge9"`) {
		t.Errorf("status %d: %s", status, errOut)
	}
}

// Whatever a witness looks like, trace reads it, alone and in a pair.
func TestTraceReadsWitnesses(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"udp 198.51.100.7:53 > 203.0.113.9:4444 len 1400", "proto 47 198.51.100.7:53 > 203.0.113.9:0 len 512", "tcp [2001:db8::7]:40000 > [2001:db8::9]:443 len 80 flags none",
		"icmp 198.51.100.7 > 203.0.113.9 len 84 icmp 8/0", "udp 198.51.100.7:53 > 203.0.113.9:0 len 512 frag last df", "icmp6 2001:db8::7 > 2001:db8::9 len 104 icmp 128/0 label 7",
	} {
		var errOut strings.Builder
		got, err := readPackets(&errOut, []string{s + " and " + s})
		if err != nil || len(got) != 2 {
			t.Fatalf("%q: %v %s", s, err, errOut.String())
		}
		for _, h := range got {
			if again, err := packet.ParseHeader(h.String()); err != nil || again != h || h.String() != s {
				t.Errorf("%q was read as %q (%v)", s, h, err)
			}
		}
	}
}
