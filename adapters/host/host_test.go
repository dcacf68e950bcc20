package host_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/adapters/adaptertest"
	"github.com/sluice-gateway/sluice/adapters/host"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/integration/rig"
	"github.com/sluice-gateway/sluice/plugins/sdk"
)

// The test binary plays every part: the test, the plugin (as the sluice binary does), and a host that is killed.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == host.RunCommand {
		play(os.Args[2])
		return
	}
	if len(os.Args) > 1 && os.Args[1] == "host" {
		hostUntilKilled()
		return
	}
	os.Exit(m.Run())
}

// The streams as they were before go-plugin took them over.
var stdout, stderr = os.Stdout, os.Stderr

func play(name string) {
	switch name {
	case "mute":
		select {}
	case "no-plugin":
		fmt.Fprintln(os.Stderr, "usage: something else")
		os.Exit(3)
	case "future":
		fmt.Println("1|3|unix|/nowhere|grpc|")
		select {}
	case "first":
		serveFirst()
	case "chatty":
		fmt.Println("hello, here I am")
		os.Exit(1)
	}
	if err := sdk.ServeNamed(name, map[string]func() device.Adapter{
		"probe":  func() device.Adapter { return &probe{} },
		"other":  func() device.Adapter { return &probe{} },
		"keeper": func() device.Adapter { return &keeper{} },
	}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// eaten is memory that is really used.
var eaten []byte

// probe is an adapter that does as its target's option "do" says.
type probe struct{ device.Adapter }

func (*probe) Info(context.Context) (device.Info, error) {
	late := 35 * time.Second
	return device.Info{Name: "probe", Version: strconv.Itoa(os.Getpid()), Late: &late}, nil
}

func (*probe) Read(ctx context.Context, t device.Target, _ ...string) (device.State, error) {
	device.ReportCount(ctx, device.Reading, 3, 7)
	switch t.Options["do"] {
	case "exit":
		os.Exit(7)
	case "last words":
		fmt.Fprintln(stderr, "panic: the router said boo to "+string(t.Password))
		fmt.Fprintln(stderr, "goroutine 1 [running]:")
		os.Exit(2)
	case "tell":
		slog.Error("logged in", "with", string(t.Password), "key", string(t.PrivateKey))
		fmt.Fprintln(stderr, "raw "+string(t.Password))
		return device.State{}, &device.Refused{Words: "bad password " + string(t.Password)}
	case "eat":
		eaten = make([]byte, 700<<20)
		for i := 0; i < len(eaten); i += 4096 {
			eaten[i] = 1
		}
		<-ctx.Done()
		return device.State{}, &device.Transient{Err: ctx.Err()}
	case "wait":
		for {
			if _, err := os.Stat(t.Options["file"]); err == nil {
				return device.State{}, &device.Refused{Words: strconv.Itoa(os.Getpid())}
			}
			select {
			case <-ctx.Done():
				return device.State{}, &device.Transient{Err: ctx.Err()}
			case <-time.After(2 * time.Millisecond):
			}
		}
	case "panic":
		panic("secret: " + string(t.Password))
	case "block":
		<-ctx.Done()
		return device.State{}, &device.Transient{Err: ctx.Err()}
	case "child": // leaves a process behind that holds our standard output and error
		child, err := os.StartProcess("/bin/sleep", []string{"sleep", "300"}, &os.ProcAttr{Files: []*os.File{nil, stdout, stderr}})
		if err != nil {
			return device.State{}, err
		}
		return device.State{Attached: map[string][]string{"child": {strconv.Itoa(child.Pid)}}}, nil
	case "stop":
		_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
		<-ctx.Done()
	case "log":
		slog.Warn("the device is slow", "device", t.Name, "password", t.Password)
	case "garbage":
		fmt.Fprintf(os.Stderr, "{\"@message\": 5}\nplain\n{\"@level\":3,\"@message\":\"x\",\"@timestamp\":[]}\n%s\n", strings.Repeat("z", 1<<20))
		fmt.Println("on standard output")
	}
	return device.State{}, nil
}

// Watch says its process, as it were, and then nothing.
func (*probe) Watch(ctx context.Context, _ device.Target, changed func()) error {
	changed()
	<-ctx.Done()
	return ctx.Err()
}

func (*probe) Render(context.Context, device.Target, device.Change) ([]byte, error) {
	return []byte(strings.Join(os.Environ(), "\n")), nil
}

func do(what string) device.Target {
	return device.Target{Name: "r1", Password: "hunter2hunter2", Options: map[string]string{"do": what}}
}

// output is a log that tests look into.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// run runs a host until the test ends.
func run(t *testing.T, opt host.Options, plugins ...host.Plugin) (*host.Host, *output) {
	t.Helper()
	log := &output{}
	opt.Logger = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if opt.MinPause == 0 {
		opt.MinPause, opt.MaxPause = time.Millisecond, 20*time.Millisecond
	}
	h, err := host.New(opt, plugins...)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = h.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	return h, log
}

func adapter(t *testing.T, h *host.Host, name string) device.Adapter {
	t.Helper()
	a, err := h.Adapter(name)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); {
		if time.Now().After(deadline) {
			t.Fatalf("never came true: %s", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func isTransient(err error) bool {
	var transient *device.Transient
	return errors.As(err, &transient)
}

func TestDeathTouchesOnlyItsOwnDevices(t *testing.T) {
	t.Parallel()
	h, _ := run(t, host.Options{}, host.Plugin{Name: "probe"}, host.Plugin{Name: "other"})
	a, b := adapter(t, h, "probe"), adapter(t, h, "other")
	ctx := within(t, time.Minute)
	before, err := b.Info(ctx)
	if err != nil {
		t.Fatal(err)
	}
	blocked := make(chan error, 1)
	go func() { _, err := a.Read(ctx, do("block")); blocked <- err }()
	if _, err := a.Read(ctx, do("exit")); !isTransient(err) {
		t.Errorf("a call during which the plugin died: got %v, want *device.Transient", err)
	}
	if err := <-blocked; !isTransient(err) {
		t.Errorf("another call in flight: got %v, want *device.Transient", err)
	}
	eventually(t, "the plugin answers again", func() bool { _, err := a.Info(ctx); return err == nil })
	if after, err := b.Info(ctx); err != nil || after.Version != before.Version {
		t.Errorf("the other plugin: process %s, %v; want process %s still", after.Version, err, before.Version)
	}
	if st := h.Status(); st[0].Name != "other" || st[0].Restarts != 0 || st[1].Restarts != 1 {
		t.Errorf("status %+v", st)
	}
}

func TestPanicFailsOneCall(t *testing.T) {
	t.Parallel()
	h, log := run(t, host.Options{}, host.Plugin{Name: "probe"})
	a := adapter(t, h, "probe")
	_, err := a.Read(within(t, time.Minute), do("panic"))
	if err == nil || isTransient(err) {
		t.Errorf("a panic of the adapter: got %v, want an error that does not go away", err)
	}
	eventually(t, "the place is in the log", func() bool { return strings.Contains(log.String(), "host_test.go") })
	if strings.Contains(fmt.Sprint(err)+log.String(), "hunter2") {
		t.Error("the password is in the error or in the log")
	}
	if st := h.Status()[0]; st.Restarts != 0 || st.State != "running" {
		t.Errorf("the plugin did not survive a panic in one call: %+v", st)
	}
}

// TestNothingIsLeftBehind: plugins that crash, start after start, leave no directories of sockets.
func TestNothingIsLeftBehind(t *testing.T) {
	// No t.Parallel: it sets the environment of this process.
	dir, err := os.MkdirTemp("", "tmp") // short: the name of a socket goes into it
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	t.Setenv("TMPDIR", dir)
	t.Run("run", func(t *testing.T) {
		h, _ := run(t, host.Options{}, host.Plugin{Name: "probe"}, host.Plugin{Name: "no-plugin"})
		a := adapter(t, h, "probe")
		for i := range 3 {
			_, _ = a.Read(within(t, time.Minute), do("exit"))
			eventually(t, "it is started again", func() bool { st := h.Status()[1]; return st.Restarts > i && st.State == "running" })
		}
	})
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 0 {
		t.Errorf("%d things are left behind: %v, %v", len(left), left, err)
	}
}

// TestChildrenOfAPluginHoldUpNobody: what a plugin started and left behind keeps its pipes open, which must hide neither its death nor its successor.
func TestChildrenOfAPluginHoldUpNobody(t *testing.T) {
	t.Parallel()
	h, _ := run(t, host.Options{PingEvery: time.Hour}, host.Plugin{Name: "probe"})
	a := adapter(t, h, "probe")
	st, err := a.Read(within(t, time.Minute), do("child"))
	if err != nil {
		t.Fatal(err)
	}
	child, err := strconv.Atoi(st.Attached["child"][0])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(child, syscall.SIGKILL) })
	first := h.Status()[0].PID
	if err := syscall.Kill(first, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "another one runs", func() bool { st := h.Status()[0]; return st.State == "running" && st.PID != first })
	if _, err := a.Info(within(t, time.Minute)); err != nil {
		t.Error(err)
	}
}

// TestEndDuringAStart: a host that is ended does not wait for a plugin that says nothing.
func TestEndDuringAStart(t *testing.T) {
	t.Parallel()
	h, err := host.New(host.Options{Logger: slog.New(slog.DiscardHandler), StartTimeout: time.Hour}, host.Plugin{Name: "mute"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = h.Run(ctx) }()
	cancel()
	select {
	case <-ended:
	case <-time.After(30 * time.Second):
		t.Fatal("the host waits for a plugin that does not start")
	}
}

func TestHungPluginIsReplaced(t *testing.T) {
	t.Parallel()
	h, _ := run(t, host.Options{PingEvery: 50 * time.Millisecond}, host.Plugin{Name: "probe"})
	a := adapter(t, h, "probe")
	_, err := a.Read(within(t, time.Minute), do("stop"))
	if !isTransient(err) {
		t.Errorf("a call into a plugin that hangs: got %v, want *device.Transient", err)
	}
	eventually(t, "the plugin answers again", func() bool { _, err := a.Info(within(t, time.Second)); return err == nil })
}

func TestDeadlineCrosses(t *testing.T) {
	t.Parallel()
	h, _ := run(t, host.Options{}, host.Plugin{Name: "probe"})
	a := adapter(t, h, "probe")
	if _, err := a.Info(within(t, time.Minute)); err != nil {
		t.Fatal(err)
	}
	_, err := a.Read(within(t, 100*time.Millisecond), do("block"))
	// Whoever notices first, the plugin or gRPC on either side, the words are the same.
	if !isTransient(err) || !strings.Contains(err.Error(), "deadline exceeded") {
		t.Errorf("got %v, want *device.Transient because of the deadline", err)
	}
}

func TestEnvironmentIsNotInherited(t *testing.T) {
	// No t.Parallel: it sets the environment of this process.
	t.Setenv("SLUICE_TEST_SECRET", "hunter2hunter2")
	h, _ := run(t, host.Options{}, host.Plugin{Name: "probe", Env: []string{"GIVEN=yes"}})
	env, err := adapter(t, h, "probe").Render(within(t, time.Minute), do(""), device.Change{})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(env), "hunter2") || strings.Contains(string(env), "\nPATH=") {
		t.Errorf("the plugin has the host's environment:\n%s", env)
	}
	if !strings.Contains(string(env), "GIVEN=yes") {
		t.Error("the plugin lacks what the configuration gives it")
	}
}

func TestLogLines(t *testing.T) {
	t.Parallel()
	h, log := run(t, host.Options{}, host.Plugin{Name: "probe"})
	a := adapter(t, h, "probe")
	for _, what := range []string{"log", "garbage", "log"} {
		if _, err := a.Read(within(t, time.Minute), do(what)); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "a record with its level and fields", func() bool {
		return strings.Contains(log.String(), `level=WARN msg="the device is slow" plugin=probe device=r1 password=[secret]`)
	})
	eventually(t, "standard output", func() bool { return strings.Contains(log.String(), "on standard output") })
	if h.Status()[0].Restarts != 0 {
		t.Error("a plugin that writes nonsense was restarted")
	}
}

func TestWrongChecksum(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "plugin")
	content, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o755); err != nil {
		t.Fatal(err)
	}
	sum, err := host.Checksum(path)
	if err != nil {
		t.Fatal(err)
	}
	h, _ := run(t, host.Options{}, host.Plugin{Name: "third", Path: path, Args: []string{host.RunCommand, "probe"}, SHA256: sum})
	a := adapter(t, h, "third")
	if _, err := a.Info(within(t, time.Minute)); err != nil {
		t.Fatalf("a file with the right checksum: %v", err)
	}
	// Somebody puts another file in its place: at the next start it is not run.
	next := path + ".new"
	if err := os.WriteFile(next, append(content, 0), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, path); err != nil {
		t.Fatal(err)
	}
	_, _ = a.Read(within(t, time.Minute), do("exit"))
	eventually(t, "the changed file is reported and not run", func() bool {
		st := h.Status()[0]
		return st.State == "down" && strings.Contains(st.LastError, path+" is not the file that was pinned")
	})
	// Put right again, it is run again: every start verifies with a hash of its own.
	if err := os.WriteFile(next, content, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, path); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the right file runs again", func() bool { _, err := a.Info(within(t, time.Second)); return err == nil })
}

// A long name of the temporary directory leaves no room for the name of a socket, so the socket goes elsewhere.
func TestLongTemporaryDirectory(t *testing.T) {
	long := filepath.Join(t.TempDir(), strings.Repeat("long", 20))
	if err := os.Mkdir(long, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", long)
	h, _ := run(t, host.Options{}, host.Plugin{Name: "probe"})
	if _, err := adapter(t, h, "probe").Info(within(t, time.Minute)); err != nil {
		t.Error(err)
	}
}

func TestStrangersAreDescribed(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"mute":      "timeout",
		"no-plugin": "usage: something else",
		"chatty":    "hello, here I am",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, _ := run(t, host.Options{StartTimeout: 2 * time.Second}, host.Plugin{Name: name})
			eventually(t, "it is down", func() bool { return h.Status()[0].State == "down" })
			if got := h.Status()[0].LastError; !strings.Contains(got, want) {
				t.Errorf("the error does not say %q: %s", want, got)
			}
		})
	}
}

func TestConfigurationIsChecked(t *testing.T) {
	t.Parallel()
	for want, p := range map[string]host.Plugin{
		"needs a name":        {},
		"checksum":            {Name: "x", Path: "/bin/true"},
		"64 hexadecimal":      {Name: "x", Path: "/bin/true", SHA256: "abc"},
		"give the whole path": {Name: "x", Path: "true"},
	} {
		if _, err := host.New(host.Options{}, p); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: got %v, want an error with %q", p, err, want)
		}
	}
}

func TestByHandItSaysWhatItIs(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(within(t, time.Minute), os.Args[0], host.RunCommand, "probe")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "This binary is a plugin") {
		t.Errorf("started by hand: %v\n%s", err, out)
	}
}

func hostUntilKilled() {
	h, err := host.New(host.Options{Logger: slog.New(slog.DiscardHandler)}, host.Plugin{Name: "probe"})
	if err != nil {
		panic(err)
	}
	go func() { _ = h.Run(context.Background()) }()
	a, err := h.Adapter("probe")
	if err != nil {
		panic(err)
	}
	i, err := a.Info(context.Background())
	if err != nil {
		panic(err)
	}
	fmt.Println(i.Version)
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// TestPluginsDieWithTheirHost kills a host that cannot say goodbye.
func TestPluginsDieWithTheirHost(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "tmp") // what a killed host leaves behind goes here
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	cmd := exec.Command(os.Args[0], "host")
	cmd.Env = append(os.Environ(), "TMPDIR="+dir)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Fscan(stdout, &pid); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, 0); err != nil {
		t.Fatalf("the plugin does not run: %v", err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	eventually(t, "the plugin is gone", func() bool { return gone(pid) })
}

// gone says whether a process has ended, even if nobody has waited for it.
func gone(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || bytes.Contains(b, []byte(") Z "))
}

// keeper is an adapter that is its own device.
type keeper struct {
	probe
	held device.State
}

func (k *keeper) Read(context.Context, device.Target, ...string) (device.State, error) {
	return k.held, nil
}

func (k *keeper) Apply(_ context.Context, _ device.Target, c device.Change, _ time.Duration) (device.Commit, error) {
	k.held = c.Desired
	return device.Commit{Confirmed: true}, nil
}

func (k *keeper) Confirm(context.Context, device.Target, device.Commit) error { return nil }

// BenchmarkTransport is what the boundary to a plugin costs by itself: a filter goes over, and comes back as it is read.
func BenchmarkTransport(b *testing.B) {
	a := hosted(b, "keeper")
	rig.Bench(b, rig.Transport{Adapter: a, Target: do(""), State: func(n int) device.State {
		f := filter.Filter{Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Alone}
		for i := range n {
			f.Entries = append(f.Entries, adaptertest.PlainEntry(filter.Semantics{}, i))
		}
		return device.State{Filters: []filter.Filter{f}}
	}})
}

// hosted runs a host until the benchmark ends, and returns its adapter of that name.
func hosted(b *testing.B, name string) device.Adapter {
	h, err := host.New(host.Options{Logger: slog.New(slog.DiscardHandler)}, host.Plugin{Name: name})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = h.Run(ctx) }()
	b.Cleanup(func() { cancel(); <-ended })
	a, err := h.Adapter(name)
	if err != nil {
		b.Fatal(err)
	}
	return a
}

func BenchmarkCall(b *testing.B) {
	a := hosted(b, "probe")
	for b.Loop() {
		if _, err := a.Read(b.Context(), do("")); err != nil {
			b.Fatal(err)
		}
	}
}
