package nft

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
)

// defaultDirectory is where pending changes stand. It does not outlive the host, and nor do its tables.
const defaultDirectory = "/run/sluice/nft"

// patience bounds one run of nft; a table of 100,000 entries loads in seconds.
const patience = time.Minute

// host is a Linux host that is being worked on. No other process works on it until close.
type host struct {
	program []string // nft, and what stands in front of it
	dir     string   // of the device, for pending changes
	lock    *os.File
	loaded  bool // a script was loaded since open
}

// open begins to work on a host. What an undo process left undone is done first.
func (a *Adapter) open(ctx context.Context, t device.Target) (*host, error) {
	program, err := find(a.opt.Program)
	if err != nil {
		return nil, err
	}
	h := &host{program: []string{program}, dir: defaultDirectory}
	for name, value := range t.Options {
		switch name {
		case "netns":
			ip, err := find("ip")
			if err != nil {
				return nil, err
			}
			h.program = []string{ip, "netns", "exec", value, program}
		case "directory":
			h.dir = value
		default:
			return nil, fmt.Errorf("device %s, option %s: there is no such option; there are netns and directory", t.Name, name)
		}
	}
	h.dir = filepath.Join(h.dir, url.PathEscape(t.Name))
	if err := os.MkdirAll(h.dir, 0o700); err != nil {
		return nil, err
	}
	if err := h.take(ctx); err != nil {
		return nil, err
	}
	if err := h.overdue(ctx); err != nil {
		h.close()
		return nil, err
	}
	return h, nil
}

// systemPath is where programs of the administrator are, for a process that was given no PATH: plugins are not.
const systemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// find returns the file of a program.
func find(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	for _, dir := range filepath.SplitList(systemPath) {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("there is no program %s on this host: install the package nftables, and iproute2 for the option netns", name)
}

// take waits for whoever works on the host.
func (h *host) take(ctx context.Context) error {
	f, err := os.OpenFile(filepath.Join(h.dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case ctx.Err() != nil:
			f.Close()
			return transient(true, "the host is being worked on: %v", ctx.Err())
		case err == nil:
			h.lock = f
			return nil
		case !errors.Is(err, syscall.EWOULDBLOCK):
			f.Close()
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (h *host) close() { h.lock.Close() }

// run runs nft. Once begun it is not cut off by ctx: nobody would know what became of it.
func (h *host) run(ctx context.Context, input []byte, args ...string) ([]byte, error) {
	if ctx.Err() != nil {
		return nil, transient(true, "no time: %v", ctx.Err())
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, h.program[0], append(h.program[1:], args...)...)
	cmd.Env = append(os.Environ(), "PATH="+os.Getenv("PATH")+":"+systemPath)
	cmd.Stdin = bytes.NewReader(input)
	var out, words bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &words
	err := cmd.Run()
	var ended *exec.ExitError
	switch {
	case err == nil:
		return out.Bytes(), nil
	case errors.As(err, &ended) && ended.Exited():
		return nil, &device.Refused{Words: strings.TrimSpace(words.String())}
	case errors.As(err, &ended) || ctx.Err() != nil: // killed: nobody knows how far it came
		return nil, transient(false, "%s: %v", strings.Join(h.program, " "), err)
	}
	return nil, fmt.Errorf("%s: %w", strings.Join(h.program, " "), err)
}

func (h *host) load(ctx context.Context, script []byte) error {
	_, err := h.run(ctx, script, "-f", "-")
	h.loaded = h.loaded || err == nil
	return err
}

// try has the kernel say whether it would take a script.
func (h *host) try(ctx context.Context, script []byte) error {
	_, err := h.run(ctx, script, "-c", "-f", "-")
	return err
}

// listing returns our tables as nft lists them, which is a script that makes them.
func (h *host) listing(ctx context.Context) ([]byte, error) {
	tables, err := h.run(ctx, nil, "list", "tables")
	if err != nil {
		return nil, reading(err)
	}
	var out []byte
	for line := range strings.Lines(string(tables)) {
		w := strings.Fields(line) // table ip sluice-v4
		if len(w) != 3 || !strings.HasPrefix(w[2], filter.Mark) || w[1] != "ip" && w[1] != "ip6" {
			continue
		}
		one, err := h.run(ctx, nil, "list", "table", w[1], w[2])
		if err != nil {
			return nil, reading(err)
		}
		out = append(out, one...)
	}
	return out, nil
}

// reading says of a failure to read that it is no refusal of a change: a table may have gone between two calls, or we may not read.
func reading(err error) error {
	var refused *device.Refused
	if errors.As(err, &refused) {
		return transient(true, "read the tables: %s", refused.Words)
	}
	return err
}
