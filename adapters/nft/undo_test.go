package nft

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// nft gets a script as a file in which all of it stands, and not through a pipe, which ends where its writer does.
func TestScriptIsWhole(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program := filepath.Join(dir, "nft")
	if err := os.WriteFile(program, []byte("#!/bin/sh\n[ -f /proc/self/fd/0 ] && cat\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	h := local{program: []string{program}, dir: dir}
	out, err := h.nft(t.Context(), []byte("add table ip sluice-v4\n"), "-f", "-")
	if left, _ := filepath.Glob(filepath.Join(dir, "script*")); err != nil || string(out) != "add table ip sluice-v4\n" || len(left) > 0 {
		t.Errorf("%v: %q, left %v", err, out, left)
	}
}

// The undo process counts on when the process that makes a change does not end in time, or its number belongs to another one by now; and it tries again what cannot be loaded.
func TestUndoProcess(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		program string // gets -f FILE
		loading bool
	}{
		"loads":                     {program: "exit 0"},
		"is not held up":            {program: "exit 0", loading: true},
		"tries again after failing": {program: `if [ -e "$2.failed" ]; then rm "$2.failed"; exit 0; fi; : >"$2.failed"; exit 1`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			file, program := filepath.Join(dir, "pending.X"), filepath.Join(dir, "nft")
			write := func(name, text string) {
				if err := os.WriteFile(name, []byte(text), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			write(file, "flush")
			write(program, "#!/bin/sh\n"+`[ "$(cat "$2")" = flush ] || exit 2`+"\n: >"+filepath.Join(dir, "called")+"\n"+c.program+"\n")
			if c.loading {
				write(file+loading, "")
			}
			if err := exec.Command("/bin/sh", "-c", watch, "sluice-undo", "1", file, strconv.Itoa(os.Getpid()), "1", program).Run(); err != nil {
				t.Fatal(err)
			}
			gone := func() bool {
				left, err := filepath.Glob(file + "*")
				return err == nil && len(left) == 0
			}
			for deadline := time.Now().Add(time.Minute); !gone(); time.Sleep(20 * time.Millisecond) {
				if time.Now().After(deadline) {
					left, _ := filepath.Glob(file + "*")
					t.Fatalf("still there: %v", left)
				}
			}
			if _, err := os.Stat(filepath.Join(dir, "called")); err != nil {
				t.Error("gone without having been loaded")
			}
		})
	}
}
