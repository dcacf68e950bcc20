package nft

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
)

// pendingPrefix begins the name of the file with what was there before a change that nobody has confirmed. The token goes on. The file's time is the deadline.
const pendingPrefix = "pending."

// What stands behind the name of that file, or of one beside it.
const (
	confirming = ".confirmed" // it: the change is being confirmed
	undoing    = ".undo"      // it: the change is being undone
	writing    = ".new"       // in its place: it is being written
	loading    = ".loading"   // beside it: the change is being made
	watching   = ".watching"  // beside it: the undo process is at work
)

// watch is what the undo process runs: $1 seconds, $2 the file, $3 the process that makes the change, $4 the seconds that making it may take, and then the command that loads the file. The seconds
// count from when the change was made, or that process died over it; a number that another process has by now does not stop them. It ends early when the file has gone. What cannot be loaded is
// tried again for a while, unless somebody else has done it.
const watch = `(
	left=$1; file=$2; maker=$3; making=$4; shift 4
	: >"$file.watching"
	while [ "$left" -gt 0 ] && [ -e "$file" ]; do
		sleep 1
		if [ "$making" -gt 0 ] && [ -e "$file.loading" ] && kill -0 "$maker" 2>/dev/null; then making=$((making-1)); continue; fi
		left=$((left-1))
	done
	if mv "$file" "$file.undo" 2>/dev/null; then
		tries=60
		while [ "$tries" -gt 0 ] && [ -e "$file.undo" ]; do
			if "$@" -f "$file.undo"; then rm -f "$file.undo"; else sleep 1; fi
			tries=$((tries-1))
		done
	fi
	rm -f "$file.loading" "$file.watching"
) </dev/null >/dev/null 2>&1 &`

func (h *local) arm(_ context.Context, token string, back []byte, undo time.Duration) error {
	file := h.file(token)
	if err := os.WriteFile(file+loading, nil, 0o600); err != nil {
		return err
	}
	err := os.WriteFile(file+writing, back, 0o600)
	if err == nil {
		err = setDeadline(file+writing, time.Now().Add(longestLoad+undo))
	}
	if err == nil {
		err = os.Rename(file+writing, file) // whole: what there is of it is what is put back
	}
	if err != nil {
		return err
	}
	args := append([]string{"-c", watch, "sluice-undo", strconv.Itoa(seconds(undo)), file, strconv.Itoa(os.Getpid()), strconv.Itoa(seconds(longestLoad))}, h.program...)
	cmd := exec.Command("/bin/sh", args...)
	cmd.Env = environment()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // a signal to the gateway's group is not for it
	if err := cmd.Run(); err != nil {
		return errors.Join(err, os.Remove(file), os.Remove(file+loading))
	}
	return nil
}

func (h *local) made(_ context.Context, token string, undo time.Duration) (deadline time.Time, err error) {
	deadline = time.Now().Add(time.Duration(seconds(undo)+1) * time.Second) // the process looks once a second
	if err := setDeadline(h.file(token), deadline); err != nil {
		return deadline, err
	}
	return deadline, os.Remove(h.file(token) + loading)
}

func setDeadline(file string, at time.Time) error { return os.Chtimes(file, at, at) }

func seconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }

func (h *local) file(token string) string { return filepath.Join(h.dir, pendingPrefix+token) }

func (h *local) waiting() []waiting {
	var out []waiting
	files, _ := filepath.Glob(filepath.Join(h.dir, pendingPrefix+"*"))
	for _, f := range files {
		token, suffix, _ := strings.Cut(strings.TrimPrefix(filepath.Base(f), pendingPrefix), ".")
		st, err := os.Stat(f)
		if err != nil || suffix != "" && "."+suffix != undoing {
			continue
		}
		out = append(out, waiting{f, token, st.ModTime(), suffix != ""})
	}
	return out
}

// late is how long after its deadline the undo process of a change is taken for dead.
const late = 3 * time.Second

// overdue undoes what a process left undone that died: the undo process of a change, or a Cancel.
func (h *local) overdue(ctx context.Context) error {
	for _, w := range h.waiting() {
		if time.Since(w.deadline) < late {
			continue
		}
		file, err := w.file, error(nil)
		if !w.undoing {
			file, err = h.claim(w.token, undoing)
		}
		var refused *device.Refused
		if errors.As(err, &refused) { // it was late, and not dead
			continue
		}
		if err == nil {
			err = h.restore(ctx, file)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (h *local) confirm(_ context.Context, token string) error {
	file, err := h.claim(token, confirming)
	if err != nil {
		return err
	}
	return os.Remove(file)
}

func (h *local) cancel(ctx context.Context, token string) error {
	file, err := h.claim(token, undoing)
	if err != nil {
		return err
	}
	return h.restore(ctx, file)
}

// restore loads the file of a change, and takes it away. Where that fails, a later call tries again.
func (h *local) restore(ctx context.Context, file string) error {
	script, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if _, err := h.nft(ctx, script, "-f", "-"); err != nil {
		return transient(false, "undo a change: %v", err)
	}
	return os.Remove(file)
}

// ours says whether a token can be one.
func ours(token string) error {
	if token == "" || strings.ContainsAny(token, "./") {
		return fmt.Errorf("%q is no token of ours", token)
	}
	return nil
}

// claim renames the file of a change, if the undo process has not come first, and returns its new name.
func (h *local) claim(token, as string) (string, error) {
	if err := ours(token); err != nil {
		return "", err
	}
	err := os.Rename(h.file(token), h.file(token)+as)
	if errors.Is(err, fs.ErrNotExist) {
		return "", &device.Refused{Words: "the change is not pending any more: it was undone, or confirmed before"}
	}
	return h.file(token) + as, err
}
