package host

import (
	"context"
	"crypto/sha256"
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
	sockets string // directory of its socket
}

// start runs x and waits until it answers. Everything is made anew for each start: go-plugin keeps state in a configuration that was used, and a
// hash that was used verifies nothing.
func start(x executable, opt Options, log *slog.Logger) (*process, error) {
	// go-plugin leaves its directory behind when the process ended by itself, so it gets one that is removed here.
	sockets, err := os.MkdirTemp("", "sluice-")
	if err != nil {
		return nil, err
	}
	p := &process{child: &child{exited: make(chan struct{})}, sockets: sockets}
	lines := &logLines{log: log}
	p.client = plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig:  sdk.Handshake,
		VersionedPlugins: sdk.Plugins(nil),
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
		Stderr:     lines,
		SyncStdout: &logLines{log: log.With("stream", "stdout")},
		SyncStderr: &logLines{log: log.With("stream", "stderr")},
	})
	if _, err := p.client.Start(); err != nil {
		p.end()
		return nil, errors.Join(err, lines.last())
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
	ctx, cancel := context.WithTimeout(context.Background(), opt.StartTimeout)
	defer cancel()
	if _, err := p.adapter.Info(ctx); err != nil {
		p.end()
		return nil, fmt.Errorf("it started and does not say what it is: %w", err)
	}
	return p, nil
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

// child is the operating system's side of a plugin: go-plugin's runner.Runner. It differs from the one in go-plugin in its standard input: that of
// ours is not shared (a gateway may be reading rules from it), and a pipe in its place ends when we do.
type child struct {
	cmd            *exec.Cmd
	stdout, stderr io.ReadCloser
	lifeline       *os.File
	exited         chan struct{} // closed when the process is gone
	once           sync.Once
}

// prepare verifies the checksum and sets the command up.
func (c *child) prepare(x executable, env []string) (runner.Runner, error) {
	if st, err := os.Stat(x.path); err != nil {
		return nil, err
	} else if st.Mode().Perm()&0o002 != 0 {
		return nil, fmt.Errorf("everybody may write %s: chmod o-w it", x.name)
	}
	secure := plugin.SecureConfig{Checksum: x.sum[:], Hash: sha256.New()}
	if ok, err := secure.Check(x.path); err != nil {
		return nil, err
	} else if !ok {
		return nil, fmt.Errorf("the checksum of %s is not the configured one: if the file was changed on purpose, put the output of sha256sum into the configuration", x.name)
	}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	c.lifeline = write
	c.cmd = exec.Command(x.path, x.args...)
	c.cmd.Args[0] = x.name
	c.cmd.Env = append(append([]string{sdk.Lifeline + "=stdin"}, x.env...), env...)
	c.cmd.Stdin = read
	if c.stdout, err = c.cmd.StdoutPipe(); err != nil {
		return nil, err
	}
	if c.stderr, err = c.cmd.StderrPipe(); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *child) Start(context.Context) error {
	err := c.cmd.Start()
	_ = c.cmd.Stdin.(*os.File).Close()
	if err != nil {
		c.gone()
	}
	return err
}

func (c *child) Wait(context.Context) error {
	err := c.cmd.Wait()
	c.gone()
	return err
}

func (c *child) Kill(context.Context) error {
	if c.cmd == nil || c.cmd.Process == nil {
		return nil
	}
	if err := c.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

func (c *child) gone() { c.once.Do(func() { close(c.exited) }) }

// release lets go of what outlives the process.
func (c *child) release() {
	if c.lifeline != nil {
		_ = c.lifeline.Close()
	}
	if c.cmd != nil && c.cmd.Process != nil {
		select {
		case <-c.exited:
		case <-time.After(5 * time.Second): // killed and not gone: the kernel is at it, and nobody is helped by waiting
		}
	}
}

func (c *child) Stdout() io.ReadCloser { return c.stdout }
func (c *child) Stderr() io.ReadCloser { return c.stderr }
func (c *child) Name() string          { return filepath.Base(c.cmd.Args[0]) }

func (c *child) ID() string {
	if c.cmd == nil || c.cmd.Process == nil {
		return ""
	}
	return fmt.Sprint(c.cmd.Process.Pid)
}

func (c *child) Diagnose(context.Context) string {
	return "is it a sluice plugin, built for this machine?"
}

// PluginToHost and HostToPlugin translate addresses between worlds; here they are the same.
func (c *child) PluginToHost(network, addr string) (string, string, error) { return network, addr, nil }

// HostToPlugin is the other direction.
func (c *child) HostToPlugin(network, addr string) (string, string, error) { return network, addr, nil }
