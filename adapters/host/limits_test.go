package host_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/adapters/host"
	"github.com/sluice-gateway/sluice/core/device"
)

// A plugin that dies again and again is stopped: the reason is shown, nobody waits for it, and it is started when somebody says so.
func TestCrashLoopIsStopped(t *testing.T) {
	t.Parallel()
	h, log := run(t, host.Options{Rest: time.Hour}, host.Plugin{Name: "no-plugin"})
	eventually(t, "it is stopped", func() bool { return h.Status()[0].State == host.Stopped })
	st := h.Status()[0]
	if !st.CrashLoop || st.Restarts != 5 || !strings.Contains(st.LastError, "usage: something else") || time.Until(st.Next) < 50*time.Minute {
		t.Errorf("status %+v", st)
	}
	if n := strings.Count(log.String(), "is stopped"); n != 1 {
		t.Errorf("that it is stopped is logged %d times, want once", n)
	}
	_, err := adapter(t, h, "no-plugin").Info(within(t, time.Minute))
	if !isTransient(err) || !strings.Contains(err.Error(), "usage: something else") || !strings.Contains(err.Error(), "`sluice adapter start no-plugin`") {
		t.Errorf("a call meanwhile: got %v, want *device.Transient with the reason and what to type", err)
	}
	if err := h.Start("no-plugin"); err != nil {
		t.Error(err)
	}
	eventually(t, "it was tried again", func() bool { return h.Status()[0].Restarts > 5 })
	if err := h.Start("other"); err == nil {
		t.Error("a plugin that is not there was started")
	}
}

func TestDeathIsExplained(t *testing.T) {
	t.Parallel()
	h, _ := run(t, host.Options{}, host.Plugin{Name: "probe"})
	a := adapter(t, h, "probe")
	for what, want := range map[string]string{"exit": "exit status 7", "last words": "it said: panic: the router said boo to [secret]"} {
		_, _ = a.Read(within(t, time.Minute), do(what))
		eventually(t, what, func() bool { return strings.Contains(h.Status()[0].LastError, want) })
		eventually(t, "it runs again", func() bool { _, err := a.Info(within(t, time.Second)); return err == nil })
	}
}

// What a plugin says of its targets' secrets reaches nobody.
func TestSecretsAreHidden(t *testing.T) {
	t.Parallel()
	h, log := run(t, host.Options{}, host.Plugin{Name: "probe"})
	target := do("tell")
	target.PrivateKey = "-----BEGIN KEY-----\nQUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=\n-----END KEY-----\n"
	_, err := adapter(t, h, "probe").Read(within(t, time.Minute), target)
	var refused *device.Refused
	if !errors.As(err, &refused) || refused.Words != "bad password [secret]" {
		t.Errorf("the refusal: %v", err)
	}
	eventually(t, "the log", func() bool {
		return strings.Contains(log.String(), "raw [secret]") && strings.Contains(log.String(), "logged in")
	})
	for _, secret := range []string{"hunter2", "QUJDREVG"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log has %q in it:\n%s", secret, log)
		}
	}
}

func TestMemoryIsLimited(t *testing.T) {
	t.Parallel()
	h, _ := run(t, host.Options{}, host.Plugin{Name: "probe", Memory: 400 << 20}, host.Plugin{Name: "other"})
	if _, err := adapter(t, h, "probe").Read(within(t, time.Minute), do("eat")); !isTransient(err) {
		t.Errorf("got %v, want *device.Transient", err)
	}
	eventually(t, "the reason", func() bool {
		st := h.Status()
		return strings.Contains(st[1].LastError, "MiB of memory, and may use 400") && st[0].Restarts == 0
	})
}

func TestStartIsLimited(t *testing.T) {
	t.Parallel()
	h, _ := run(t, host.Options{}, host.Plugin{Name: "mute", Start: 100 * time.Millisecond})
	eventually(t, "it is given up", func() bool { return strings.Contains(h.Status()[0].LastError, "timeout") })
}
