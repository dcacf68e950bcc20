package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"

	"github.com/sluice-gateway/sluice/plugins/sdk"
)

// farewell is how long a plugin may take to end by itself.
const farewell = 3 * time.Second

// process is one life of a plugin.
type process struct {
	client  *plugin.Client
	rpc     plugin.ClientProtocol
	adapter *sdk.Client
	child   *child
	lines   *logLines // of its standard error
	exe     executable
	memory  uint64         // octets that it may use; 0: any number
	calls   sync.WaitGroup // in flight; added to under the supervisor's mu, while this is its process
	sockets string         // directory of its socket
}

// start runs x and waits until it answers. Everything is made anew for each start: go-plugin keeps state in a configuration that was used, and a
// hash that was used verifies nothing. When ctx ends, so does the attempt.
func start(ctx context.Context, x executable, opt Options, log *slog.Logger, hidden *secrets) (*process, error) {
	// go-plugin leaves its directory behind when the process ended by itself, so it gets one that is removed here.
	sockets, err := os.MkdirTemp(socketHome(), "sluice-")
	if err != nil {
		return nil, err
	}
	p := &process{child: &child{exited: make(chan struct{})}, exe: x, memory: x.memory, sockets: sockets, lines: &logLines{log: log, secrets: hidden}}
	if x.start > 0 {
		opt.StartTimeout = x.start
	}
	defer context.AfterFunc(ctx, func() { _ = p.child.Kill(ctx) })()
	p.client = plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig:  sdk.Handshake,
		VersionedPlugins: sdk.Plugins(nil, x.versions),
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		AutoMTLS:         true,
		SkipHostEnv:      true,
		StartTimeout:     opt.StartTimeout,
		GRPCDialOptions:  sdk.DialOptions(),
		UnixSocketConfig: &plugin.UnixSocketConfig{TempDir: sockets},
		RunnerFunc: func(_ hclog.Logger, spec *exec.Cmd, _ string) (runner.Runner, error) {
			return p.child.prepare(x, spec.Env)
		},
		// go-plugin would parse the log lines itself, and panics on some that a plugin may write. They are read in log.go instead.
		Logger:     hclog.New(&hclog.LoggerOptions{Level: hclog.Off}),
		Stderr:     p.lines,
		SyncStdout: &logLines{log: log.With("stream", "stdout"), secrets: hidden},
		SyncStderr: &logLines{log: log.With("stream", "stderr"), secrets: hidden},
	})
	if _, err := p.client.Start(); err != nil {
		p.end()
		return nil, errors.Join(incompatible(err, x.versions), p.lines.last())
	}
	rpc, err := p.client.Client()
	if err != nil {
		p.end()
		return nil, err
	}
	raw, err := rpc.Dispense(sdk.PluginName)
	if err != nil {
		p.end()
		return nil, err
	}
	p.rpc, p.adapter = rpc, raw.(*sdk.Client)
	ctx, cancel := context.WithTimeout(ctx, opt.StartTimeout)
	defer cancel()
	if _, err := p.adapter.Info(ctx); err != nil {
		p.end()
		return nil, fmt.Errorf("it started and does not say what it is: %w", err)
	}
	return p, nil
}

// longestHome is how long the name of a temporary directory may be so that a socket below it has room in sun_path: 108 octets with the final zero (unix(7)), of which
// our directory takes up to 18, go-plugin's own up to 21, and its file up to 17.
const longestHome = 108 - 1 - 18 - 21 - 17

// socketHome is where the directory of a socket is made; "" is the usual place.
func socketHome() string {
	if len(os.TempDir()) > longestHome {
		return "/tmp"
	}
	return ""
}

// end takes leave of the process, and kills it when it does not go. It returns when the process is gone.
func (p *process) end() {
	// go-plugin's farewell waits for ever for a process that does not listen.
	watchdog := time.AfterFunc(farewell, func() { _ = p.child.Kill(context.Background()) })
	p.client.Kill()
	watchdog.Stop()
	p.child.release()
	_ = os.RemoveAll(p.sockets)
}

// lastWords is how long the output of a process that ended is still read.
const lastWords = time.Second

// child is the operating system's side of a plugin: go-plugin's runner.Runner. It differs from the one in go-plugin in its standard input: that of
// ours is not shared (a gateway may be reading rules from it), and a pipe in its place ends when we do. And a plugin ends with its process, not
// with the last holder of its output: go-plugin waits for the end of both pipes, which a child of the plugin can keep open for ever.
type child struct {
	cmd            *exec.Cmd
	stdout, stderr *os.File // our ends
	theirs         []*os.File
	lifeline       *os.File
	exited         chan struct{} // closed when the process is gone
	err            error         // how it went; read after exited

	mu      sync.Mutex // guards what follows
	process *os.Process
	killed  bool // it is not to start any more
}

// prepare verifies the checksums and sets the command up.
func (c *child) prepare(x executable, env []string) (runner.Runner, error) {
	if err := x.verify(); err != nil {
		return nil, err
	}
	c.cmd = exec.Command(x.path, x.args...)
	c.cmd.Args[0] = x.name
	c.cmd.Env = append(append([]string{sdk.Lifeline + "=stdin"}, x.env...), env...)
	if err := c.pipes(); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// pipes makes standard input, output and error.
func (c *child) pipes() error {
	for _, p := range []struct {
		ours   **os.File
		theirs func(*os.File)
		output bool
	}{
		{&c.lifeline, func(f *os.File) { c.cmd.Stdin = f }, false},
		{&c.stdout, func(f *os.File) { c.cmd.Stdout = f }, true},
		{&c.stderr, func(f *os.File) { c.cmd.Stderr = f }, true},
	} {
		read, write, err := os.Pipe()
		if err != nil {
			return err
		}
		ours, theirs := write, read
		if p.output {
			ours, theirs = read, write
		}
		*p.ours = ours
		p.theirs(theirs)
		c.theirs = append(c.theirs, theirs)
	}
	return nil
}

func (c *child) Start(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.killed {
		return errors.New("it was ended before it began")
	}
	if err := c.cmd.Start(); err != nil {
		return err
	}
	c.process = c.cmd.Process
	for _, f := range c.theirs {
		_ = f.Close()
	}
	c.theirs = nil
	go func() { // ends with the process
		c.err = c.cmd.Wait()
		for _, f := range []*os.File{c.stdout, c.stderr} {
			_ = f.SetReadDeadline(time.Now().Add(lastWords))
		}
		close(c.exited)
	}()
	return nil
}

// left says whether the process has ended by itself, and not by a signal.
func (c *child) left() bool {
	select {
	case <-c.exited:
	default:
		return false
	}
	var exit *exec.ExitError
	return errors.As(c.err, &exit) && exit.Exited()
}

func (c *child) Wait(context.Context) error {
	<-c.exited
	return c.err
}

func (c *child) Kill(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.killed = true
	if c.process == nil {
		return nil
	}
	if err := c.process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

// release waits for the process and lets go of what outlives it.
func (c *child) release() {
	c.mu.Lock()
	c.killed = true
	started := c.process != nil
	c.mu.Unlock()
	if c.lifeline != nil {
		_ = c.lifeline.Close()
	}
	if started {
		select {
		case <-c.exited:
		case <-time.After(5 * time.Second): // killed and not gone: the kernel is at it, and nobody is helped by waiting
		}
	}
	c.close()
}

// close closes our ends of the pipes, and theirs where no process took them.
func (c *child) close() {
	for _, f := range append([]*os.File{c.lifeline, c.stdout, c.stderr}, c.theirs...) {
		if f != nil {
			_ = f.Close()
		}
	}
	c.theirs = nil
}

func (c *child) Stdout() io.ReadCloser { return c.stdout }
func (c *child) Stderr() io.ReadCloser { return c.stderr }
func (c *child) Name() string          { return filepath.Base(c.cmd.Args[0]) }

func (c *child) ID() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.process == nil {
		return ""
	}
	return fmt.Sprint(c.process.Pid)
}

func (c *child) Diagnose(context.Context) string {
	return "is it a sluice plugin, built for this machine?"
}

// PluginToHost and HostToPlugin translate addresses between worlds; here they are the same.
func (c *child) PluginToHost(network, addr string) (string, string, error) { return network, addr, nil }

// HostToPlugin is the other direction.
func (c *child) HostToPlugin(network, addr string) (string, string, error) { return network, addr, nil }
