package flowspec

import (
	"net/netip"
	"testing"
)

func TestTargets(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Redirect{
		"65000:666":           {Form: RedirectAS2, Global: 65000, Local: 666},
		"0:4294967295":        {Form: RedirectAS2, Local: 1<<32 - 1},
		"65536:65535":         {Form: RedirectAS4, Global: 65536, Local: 65535},
		"65000L:666":          {Form: RedirectAS4, Global: 65000, Local: 666},
		"192.0.2.1:666":       {Form: RedirectIPv4, Addr: netip.MustParseAddr("192.0.2.1"), Local: 666},
		"[2001:db8::1]:65535": {Form: RedirectIPv6, Addr: netip.MustParseAddr("2001:db8::1"), Local: 65535},
	} {
		got, err := ParseTarget(text)
		if err != nil || got != want {
			t.Errorf("%s: got %+v, %v", text, got, err)
		}
		if back := got.Target(); back != text {
			t.Errorf("%s: printed as %s", text, back)
		}
		comms, _ := Action{Redirect: &got}.Communities()
		if a, _, err := ParseAction(comms, netip.Addr{}); err != nil || a.Redirect == nil || *a.Redirect != want {
			t.Errorf("%s: over BGP it becomes %v, %v", text, a, err)
		}
	}
	for _, text := range []string{"", "65000", ":1", "1:", "65536:65536", "4294967296:1", "65000L:65536", "+1:1", "1:+1", "-1:1", "192.0.2.1:65536",
		"2001:db8::1:5", "[192.0.2.1]:5", "[fe80::1%eth0]:5", "[2001:db8::1]", "65000:1:2", " 1:1", "65000:0x1"} {
		if got, err := ParseTarget(text); err == nil {
			t.Errorf("%q: got %+v", text, got)
		}
	}
}
