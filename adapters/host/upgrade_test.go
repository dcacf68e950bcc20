package host_test

import (
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/adapters/host"
	"github.com/sluice-gateway/sluice/core/device"
)

// The next release of a plugin takes over before the one before it ends: a call in flight ends as it began, and no call finds nobody. One that does not start changes nothing.
func TestUpgradeLosesNothing(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	sum, err := host.Checksum(self)
	if err != nil {
		t.Fatal(err)
	}
	p := host.Plugin{Name: "third", Path: self, Args: []string{host.RunCommand, "probe"}, SHA256: sum}
	h, _ := run(t, host.Options{}, p)
	a, ctx := adapter(t, h, "third"), within(t, time.Minute)
	before, err := a.Info(ctx)
	if err != nil {
		t.Fatal(err)
	}
	target := do("wait")
	target.Options["file"] = filepath.Join(t.TempDir(), "go on")
	inFlight := make(chan error, 1)
	go func() { _, err := a.Read(ctx, target); inFlight <- err }()
	asked, lost := make(chan struct{}), make(chan error, 1)
	go func() { // somebody asks all the time
		defer close(lost)
		for {
			if _, err := a.Info(ctx); err != nil {
				lost <- err
				return
			}
			select {
			case <-asked:
				return
			default:
			}
		}
	}()
	watched, unwatched := make(chan struct{}, 1), make(chan error, 1) // which is no call that the old process waits for
	go func() {
		unwatched <- a.(device.Watcher).Watch(ctx, do(""), func() { watched <- struct{}{} })
	}()
	<-watched
	next := p
	next.Args = []string{host.RunCommand, "other"}
	if err := h.Upgrade(ctx, next); err != nil {
		t.Fatal(err)
	}
	after, err := a.Info(ctx)
	if err != nil || after.Version == before.Version {
		t.Errorf("after the upgrade process %s answers, %v; before it was %s", after.Version, err, before.Version)
	}
	broken := p
	broken.Args = []string{host.RunCommand, "no-plugin"}
	if err := h.Upgrade(ctx, broken); err == nil || !strings.Contains(err.Error(), "stays as it is") || !strings.Contains(err.Error(), "usage: something else") {
		t.Errorf("an upgrade to what does not start: %v", err)
	}
	if still, err := a.Info(ctx); err != nil || still.Version != after.Version {
		t.Errorf("after a failed upgrade process %s answers, %v; want %s still", still.Version, err, after.Version)
	}
	if err := os.WriteFile(target.Options["file"], nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var refused *device.Refused
	if err := <-inFlight; !errors.As(err, &refused) || refused.Words != before.Version {
		t.Errorf("the call in flight: %v, want an answer of process %s", err, before.Version)
	}
	close(asked)
	if err := <-lost; err != nil {
		t.Errorf("a call during the upgrade: %v", err)
	}
	pid, err := strconv.Atoi(before.Version)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the old process is gone", func() bool { return gone(pid) })
	if err := <-unwatched; !isTransient(err) {
		t.Errorf("who watched hears %v", err)
	}
	if st := h.Status()[0]; st.Restarts != 0 || st.State != host.Running {
		t.Errorf("status %+v", st)
	}
}

// A plugin may be more than one file: each is verified at each start.
func TestEveryFileIsVerified(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	sum, err := host.Checksum(self)
	if err != nil {
		t.Fatal(err)
	}
	module := filepath.Join(t.TempDir(), "module.py")
	if err := os.WriteFile(module, []byte("right"), 0o644); err != nil {
		t.Fatal(err)
	}
	p := host.Plugin{Name: "third", Path: self, Args: []string{host.RunCommand, "probe"}, SHA256: sum, With: map[string][32]byte{module: sha256.Sum256([]byte("right"))}}
	if err := host.Verify(p); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(module, []byte("wrong"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := host.Verify(p); err == nil || !strings.Contains(err.Error(), module+" is not the file that was pinned") {
		t.Errorf("a module that was changed: %v", err)
	}
	h, _ := run(t, host.Options{}, p)
	eventually(t, "it is not run", func() bool { return strings.Contains(h.Status()[0].LastError, module) })
	if err := os.Chmod(module, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := host.Verify(p); err == nil || !strings.Contains(err.Error(), "everybody may write "+module) {
		t.Errorf("a module that everybody may write: %v", err)
	}
}

// A plugin that nobody verifies runs, and the log says so at each start.
func TestUnlockedIsLoud(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	h, log := run(t, host.Options{}, host.Plugin{Name: "third", Path: self, Args: []string{host.RunCommand, "probe"}, Unlocked: true})
	a := adapter(t, h, "third")
	_, _ = a.Read(within(t, time.Minute), do("exit"))
	eventually(t, "it runs again", func() bool { st := h.Status()[0]; return st.Restarts == 1 && st.State == "running" })
	if n := strings.Count(log.String(), "the file of this plugin is NOT verified"); n != 2 {
		t.Errorf("two starts, and the log says %d times that nothing was verified", n)
	}
	if got := h.Status()[0].SHA256; got != "unlocked" {
		t.Errorf("its checksum is shown as %q", got)
	}
}
