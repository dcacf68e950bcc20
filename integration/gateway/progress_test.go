package gateway_test

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/adapters/netconf/netconftest"
	"github.com/sluice-gateway/sluice/core/api"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/reconcile"
	"github.com/sluice-gateway/sluice/integration/rig"
)

// While a router takes its time over a commit, a person sees that it is at it, through the plugin's process, the API and the commands; when it is done, nothing of it is left.
func TestProgressIsSeen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	mx, err := netconftest.Start(netconftest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(mx.Close)
	g := serve(t, file(t, dir, "sluice.yaml", fmt.Sprintf(`
router-id: 192.0.2.1
as: 64512
store: %s/sluice.db
listen: {api: "127.0.0.1:0"}
sources:
  - {name: api, api: true, allow: {destinations: [any]}}
devices:
  - name: mx
    profile: junos-mx
    filter:
      adapter: junos
      unverified-device: true
      address: %s
      username: %s
      password: {env: MX_PASSWORD}
      host-key: %q
      commit-interval: 0s
`, dir, mx.Addr(), mx.Username(), strings.TrimSpace(mx.HostKey()))), "MX_PASSWORD="+mx.Password())
	g.inSync()
	held := make(chan struct{})
	mx.Fail("commit", netconftest.Fault{Wait: held})
	var a api.Answer
	rule := "flow route { match { destination 203.0.113.10/32; } then { discard; } }"
	if status, err := g.call(t.Context(), "POST", "/v1/rules", api.Request{Rule: rule}, &a); status != 201 || err != nil {
		t.Fatal(status, err)
	}
	id := a.Rules[0].ID
	var d reconcile.Status
	until(t, "the commit", g.state, func() bool {
		_, err := g.call(t.Context(), "GET", "/v1/devices/mx", nil, &d)
		return err == nil && d.Progress != nil && d.Progress.Call == reconcile.Applying && d.Progress.Stage == device.Committing
	})
	if d.Progress.Began.IsZero() || d.Progress.Since.Before(d.Progress.Began) {
		t.Errorf("%+v", d.Progress)
	}
	var r struct{ Receipts []reconcile.Receipt }
	if _, err := g.call(t.Context(), "GET", "/v1/rules/"+id, nil, &r); err != nil || len(r.Receipts) != 1 || r.Receipts[0].Progress == nil {
		t.Errorf("%v, %+v", err, r)
	}
	for want, args := range map[string][]string{
		"\n  now: applying: committing, begun at ":  {"device", "show", "mx"},
		"\nmx: now applying: committing, begun at ": {"device", "list"},
		"\n  pending since ":                        {"rule", "show", id},
	} {
		out, err := exec.Command(binary, append(args, "--gateway", g.base)...).CombinedOutput()
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%v: %v\n%s\nwant in it %q", args, err, out, want)
		}
	}
	watched := &rig.Log{}
	watch := exec.Command(binary, "rule", "watch", id, "--gateway", g.base)
	watch.Stdout, watch.Stderr = watched, watched
	if err := watch.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = watch.Process.Kill()
		_ = watch.Wait()
	})
	until(t, "the stage in the watch", watched.String, func() bool {
		return strings.Contains(watched.String(), id+"  mx  pending: applying: committing\n")
	})
	close(held)
	until(t, "the end in the watch", watched.String, func() bool { return strings.Contains(watched.String(), id+"  mx  held") })
	g.inSync()
	d = reconcile.Status{}
	if _, err := g.call(t.Context(), "GET", "/v1/devices/mx", nil, &d); err != nil || d.Progress != nil {
		t.Errorf("when it is over: %v, %+v", err, d.Progress)
	}
	out, err := exec.Command(binary, "adapter", "status", "--gateway", g.base).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "PROTOCOL") || g.adapters()[0].Version != 2 {
		t.Errorf("%v\n%s", err, out)
	}
	g.stop()
}
