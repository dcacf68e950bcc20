package nft

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
)

// local is the host that this process runs on.
type local struct {
	program []string // nft, and what stands in front of it
	dir     string   // of the device, for pending changes
	lock    *os.File
}

// openLocal waits until nobody else works on this host.
func openLocal(ctx context.Context, d details) (*local, error) {
	h := &local{program: d.program, dir: d.directory}
	var err error
	for _, i := range []int{0, len(h.program) - 1} { // `ip netns exec` looks for the last one by itself, and may have another PATH
		if h.program[i], err = find(h.program[i]); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(h.dir, 0o700); err != nil {
		return nil, err
	}
	device.Report(ctx, device.Locking)
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
func (h *local) take(ctx context.Context) error {
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

func (h *local) close() { h.lock.Close() }

func (h *local) nft(ctx context.Context, script []byte, args ...string) ([]byte, error) {
	if ctx.Err() != nil {
		return nil, transient(true, "no time: %v", ctx.Err())
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, h.program[0], append(h.program[1:], args...)...)
	cmd.Env = environment()
	if script != nil {
		f, err := h.whole(script)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		cmd.Stdin = f
	}
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

func environment() []string { return append(os.Environ(), "PATH="+os.Getenv("PATH")+":"+systemPath) }

// whole returns a file, without a name, with all of a script in it. Through a pipe nft would take a part of it for the whole, should this process die while it writes.
func (h *local) whole(script []byte) (*os.File, error) {
	f, err := os.CreateTemp(h.dir, "script")
	if err != nil {
		return nil, err
	}
	if err = os.Remove(f.Name()); err == nil {
		_, err = f.Write(script)
	}
	if err == nil {
		_, err = f.Seek(0, 0)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
