package host

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/plugins/sdk"
)

// RunCommand is the hidden subcommand with which the sluice binary serves a plugin that it ships: `sluice plugin-run NAME`.
const RunCommand = "plugin-run"

// Plugin is one plugin as the configuration has it.
type Plugin struct {
	Name string
	// Path is the plugin's file. Empty: it is built into this program.
	Path string
	Args []string // behind Path
	// SHA256 is the checksum of the file in hexadecimal, as `sha256sum` prints it. Required with Path.
	SHA256 string
	// With are further files that the plugin is made of, and their checksums.
	With map[string][sha256.Size]byte
	// Unlocked runs Path whatever is in it; each start is logged as a warning. SHA256 and With are empty then.
	Unlocked bool
	// Start is the longest that the plugin may take from its start to its first answer; 0: Options.StartTimeout.
	Start time.Duration
	// Memory is how many octets of memory (resident) it may use before it is killed; 0: any number. It is looked at every second.
	Memory uint64
	// Env holds NAME=value pairs for the plugin. Nothing else is in its environment.
	Env []string
	// Versions are those of the protocol that it is offered; nil: all that this program speaks (sdk.Versions).
	Versions []int
}

// Options are how plugins are run. The zero value is right for production.
type Options struct {
	Logger       *slog.Logger  // nil: slog.Default
	StartTimeout time.Duration // from start to the first answer; 0: 10 s
	PingEvery    time.Duration // how often a plugin has to show that it answers; 0: 5 s
	MinPause     time.Duration // before the first restart; doubles up to MaxPause. 0: 200 ms
	MaxPause     time.Duration // 0: 30 s
	// Rest is how long a plugin that died five times in a row is left alone, unless somebody starts it; 0: 10 min.
	Rest time.Duration
	// Leave is how long a process that was upgraded may take for the calls that it is at; 0: 1 min.
	Leave time.Duration
	// Steady is how long a plugin must live before earlier deaths are forgotten. 0: 1 min
	Steady time.Duration
}

func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{{&o.StartTimeout, 10 * time.Second}, {&o.PingEvery, 5 * time.Second}, {&o.MinPause, 200 * time.Millisecond}, {&o.MaxPause, 30 * time.Second}, {&o.Steady, time.Minute}, {&o.Rest, 10 * time.Minute}, {&o.Leave, time.Minute}} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
	return o
}

// Host runs plugins. Make one with New, start it with Run.
type Host struct {
	plugins map[string]*supervisor
}

// New checks what the configuration says of plugins. Nothing is started before Run.
func New(opt Options, plugins ...Plugin) (*Host, error) {
	h := &Host{plugins: map[string]*supervisor{}}
	opt = opt.withDefaults()
	for _, p := range plugins {
		if p.Name == "" || h.plugins[p.Name] != nil {
			return nil, fmt.Errorf("plugin %q: every plugin needs a name of its own", p.Name)
		}
		x, err := resolve(p)
		if err != nil {
			return nil, fmt.Errorf("plugin %s: %w", p.Name, err)
		}
		h.plugins[p.Name] = newSupervisor(p.Name, x, opt)
	}
	return h, nil
}

// Run starts the plugins and keeps them running until ctx ends; then it ends them and returns nil once all are gone.
func (h *Host) Run(ctx context.Context) error {
	var g errgroup.Group
	for _, s := range h.plugins {
		g.Go(func() error { s.run(ctx); return nil })
	}
	return g.Wait()
}

// Adapter returns the adapter of that plugin. It stays the same while processes come and go. Its calls wait for a plugin that is starting, and are
// *device.Transient while it is down.
func (h *Host) Adapter(name string) (device.Adapter, error) {
	s := h.plugins[name]
	if s == nil {
		return nil, fmt.Errorf("there is no plugin %q; there are: %s", name, strings.Join(h.Names(), ", "))
	}
	return &remote{s}, nil
}

// Start starts a plugin that is down or stopped, at once.
func (h *Host) Start(name string) error {
	s := h.plugins[name]
	if s == nil {
		return fmt.Errorf("there is no plugin %q; there are: %s", name, strings.Join(h.Names(), ", "))
	}
	return s.begin()
}

// Upgrade puts a process of p in the place of the one that runs: the new one is started first, and calls go to it as soon as it answers; the old one ends when the calls that it is at
// have ended. Where the new one does not come up, the old one stays. A plugin whose files are what they were is left alone.
func (h *Host) Upgrade(ctx context.Context, p Plugin) error {
	s := h.plugins[p.Name]
	if s == nil {
		return fmt.Errorf("there is no plugin %q; there are: %s", p.Name, strings.Join(h.Names(), ", "))
	}
	x, err := resolve(p)
	if err != nil {
		return fmt.Errorf("plugin %s: %w", p.Name, err)
	}
	done := make(chan error, 1)
	select {
	case s.upgrades <- upgrade{x, done}:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err = <-done:
	case <-ctx.Done():
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("plugin %s stays as it is, since the new one does not start: %w", p.Name, err)
	}
	return nil
}

// Names returns the names of the plugins, sorted.
func (h *Host) Names() []string {
	var out []string
	for name := range h.plugins {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// Status is what is known of one plugin.
type Status struct {
	Name      string    `json:"name"`
	State     string    `json:"state"` // starting, running, down, stopped or ended
	PID       int       `json:"pid,omitempty"`
	SHA256    string    `json:"sha256"`            // "unlocked" where nobody looks at it
	Since     time.Time `json:"since"`             // of State
	Restarts  int       `json:"restarts"`          // since the host began
	CrashLoop bool      `json:"crash_loop"`        // it died five times or more without living long enough in between
	Next      time.Time `json:"next,omitzero"`     // when it is started again, of one that is down or stopped
	Version   int       `json:"version,omitempty"` // of the protocol, as both sides agreed
	LastError string    `json:"last_error,omitempty"`
}

// Status returns what is known of each plugin, by name.
func (h *Host) Status() []Status {
	var out []Status
	for _, name := range h.Names() {
		out = append(out, h.plugins[name].status())
	}
	return out
}

// executable is a file to run and the checksum it must have.
type executable struct {
	path     string // what is opened and executed
	args     []string
	env      []string
	name     string // for people
	sum      [sha256.Size]byte
	with     map[string][sha256.Size]byte
	unlocked bool
	start    time.Duration
	memory   uint64
	versions []int // of the protocol that it is offered
}

// same says whether x is what runs already, as far as anybody looks at it.
func (x executable) same(y executable) bool {
	return !x.unlocked && !y.unlocked && x.path == y.path && x.sum == y.sum && maps.Equal(x.with, y.with) && slices.Equal(x.args, y.args) && slices.Equal(x.env, y.env)
}

// shown is its checksum for people and programs.
func (x executable) shown() string {
	if x.unlocked {
		return "unlocked"
	}
	return hex.EncodeToString(x.sum[:])
}

// offered are the versions of the protocol that p is offered.
func (p Plugin) offered() []int {
	if p.Versions == nil {
		return sdk.Versions
	}
	return p.Versions
}

func resolve(p Plugin) (executable, error) {
	if p.Path == "" {
		return ourselves(p)
	}
	x := executable{path: p.Path, name: p.Path, args: p.Args, env: p.Env, with: p.With, unlocked: p.Unlocked, start: p.Start, memory: p.Memory, versions: p.offered()}
	if !filepath.IsAbs(p.Path) {
		return x, fmt.Errorf("its file %q: give the whole path", p.Path)
	}
	if p.Unlocked && p.SHA256 == "" && len(p.With) == 0 {
		return x, nil
	}
	sum, err := hex.DecodeString(strings.TrimSpace(p.SHA256))
	if err != nil || len(sum) != sha256.Size {
		return x, fmt.Errorf("it needs the checksum of its file: 64 hexadecimal digits, as `sha256sum %s` prints them", p.Path)
	}
	copy(x.sum[:], sum)
	return x, nil
}

// ourselves is this program, to be run again. On Linux the file is named by the process and not by its path: an upgrade that replaces the file
// under a running gateway does not mix two releases.
func ourselves(p Plugin) (executable, error) {
	path, err := os.Executable()
	if err != nil {
		return executable{}, err
	}
	x := executable{path: path, name: path, args: append([]string{RunCommand, p.Name}, p.Args...), env: p.Env, start: p.Start, memory: p.Memory, versions: p.offered()}
	if runtime.GOOS == "linux" {
		x.path = "/proc/self/exe"
	}
	x.sum, err = checksum(x.path)
	return x, err
}

// Checksum returns the SHA-256 of a file in hexadecimal, for the configuration.
func Checksum(path string) (string, error) {
	sum, err := checksum(path)
	return hex.EncodeToString(sum[:]), err
}

func checksum(path string) (sum [sha256.Size]byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return sum, err
	}
	h := sha256.New()
	_, err = io.Copy(h, f)
	h.Sum(sum[:0])
	return sum, errors.Join(err, f.Close())
}
