package netconf

import (
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
)

func TestWindow(t *testing.T) {
	t.Parallel()
	for rpc, want := range map[string]time.Duration{"rfc6241": 30 * time.Second, "junos": time.Minute} {
		got, err := Window(device.Target{Options: map[string]string{"commit": rpc}}, 29500*time.Millisecond)
		if got != want || err != nil {
			t.Errorf("%s: %v, %v; want %v", rpc, got, err, want)
		}
	}
	if _, err := Window(device.Target{Options: map[string]string{"comit": "junos"}}, time.Second); err == nil {
		t.Error("an option that does not exist is taken")
	}
}
