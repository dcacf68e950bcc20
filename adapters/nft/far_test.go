package nft

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"
)

// shells are those of this host that far.sh may meet.
func shells(t *testing.T, f func(t *testing.T, shell ...string)) {
	for _, shell := range [][]string{{"dash"}, {"bash", "--posix"}, {"busybox", "sh"}} {
		if _, err := exec.LookPath(shell[0]); err != nil {
			continue // /bin/sh is one of them, and integration/nft has busybox
		}
		t.Run(shell[0], func(t *testing.T) {
			t.Parallel()
			f(t, shell...)
		})
	}
}

// shellOf returns a shell that reads text as that of a user does.
func shellOf(shell []string, text string) *exec.Cmd {
	command := strings.TrimPrefix(shellCommand(text), "exec /bin/sh")
	return exec.Command("/bin/sh", "-c", "exec "+strings.Join(shell, " ")+command)
}

// call calls a function and returns what it says.
func callFar(t interface{ Fatal(...any) }, shell []string, env []string, dir, function string, args ...string) (said string, status int, words string) {
	text := script("NONCE", dir, function, args...)
	cmd := shellOf(shell, text)
	var out, problems bytes.Buffer
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = append(os.Environ(), env...), strings.NewReader(text), &out, &problems
	if err := cmd.Run(); err != nil {
		t.Fatal(err, problems.String())
	}
	b, status, err := readAnswer(bufio.NewReader(&out), "NONCE")
	if err != nil {
		t.Fatal(err, string(b), problems.String())
	}
	return string(b), status, wordsOf(problems.String(), "NONCE")
}

// Whatever a name holds, it is one word and nothing that a shell would act on.
func TestArgumentsAreWords(t *testing.T) {
	t.Parallel()
	shells(t, func(t *testing.T, shell ...string) {
		dir := t.TempDir()
		rapid.Check(t, func(t *rapid.T) {
			word := rapid.OneOf(rapid.String(), rapid.StringMatching("['\"$`\\\\;&|<>(){}*?!~#\n a-c-]*"))
			args := rapid.SliceOfN(word.Filter(func(s string) bool { return !strings.Contains(s, "\x00") }), 1, 4).Draw(t, "args")
			said, status, words := callFar(t, shell, nil, dir, "printf", append([]string{"<%s>"}, args...)...)
			if want := "<" + strings.Join(args, "><") + ">"; said != want || status != 0 || words != "" {
				t.Fatalf("%q: status %d, %q", said, status, words)
			}
		})
	})
}

// A script that is cut off calls nothing, wherever that is.
func TestCutOffScript(t *testing.T) {
	t.Parallel()
	shells(t, func(t *testing.T, shell ...string) {
		text := script("NONCE", t.TempDir(), "echo", "one", "two three")
		for n := len(farScript) - 20; n < len(text)-1; n++ { // only the end of the line may be missing
			cmd := shellOf(shell, text)
			cmd.Stdin = strings.NewReader(text[:n])
			if out, _ := cmd.Output(); len(out) > 0 {
				t.Fatalf("with %d octets of %d it says %q", n, len(text), out)
			}
		}
	})
}

// One process has the lock, whether those before it gave it back or died, and however many want it at once.
func TestLockHasOneHolder(t *testing.T) {
	t.Parallel()
	shells(t, func(t *testing.T, shell ...string) {
		dir := filepath.Join(t.TempDir(), "device")
		var holders, times atomic.Int32
		var all sync.WaitGroup
		for i := range 6 {
			all.Go(func() {
				for j := range 4 {
					text := script("NONCE", dir, "hold", "600", "20", "10", "5", "true")
					cmd := shellOf(shell, text)
					in, err := cmd.StdinPipe()
					if err != nil {
						t.Error(err)
						return
					}
					out, err := cmd.StdoutPipe()
					if err == nil {
						err = cmd.Start()
					}
					if err == nil {
						_, err = io.WriteString(in, text)
					}
					var said []byte
					var status int
					if err == nil {
						said, status, err = readAnswer(bufio.NewReader(out), "NONCE")
					}
					if err != nil || status != 0 {
						t.Errorf("status %d, %v", status, err)
						return
					}
					if n := holders.Add(1); n != 1 {
						t.Errorf("%d have the lock", n)
					}
					for range 3 {
						if _, status, _ := callFar(t, shell, nil, dir, "under", strings.TrimSpace(string(said)), "true"); status != 0 {
							t.Errorf("status %d of what runs under the lock", status)
						}
					}
					times.Add(1)
					holders.Add(-1)
					if (i+j)%2 == 0 {
						_ = cmd.Process.Kill() // exec: it is the shell that holds it
					}
					_ = in.Close()
					_ = cmd.Wait()
				}
			})
		}
		all.Wait()
		if times.Load() != 24 {
			t.Errorf("%d times", times.Load())
		}
	})
}

// A change that waits is listed with the time that is left; one whose undo process died is undone when its time is over, with what is left of it; and what a cut left is cleared away.
func TestHoldLooksAround(t *testing.T) {
	t.Parallel()
	shells(t, func(t *testing.T, shell ...string) {
		dir := t.TempDir()
		program := filepath.Join(dir, "nft")
		if err := os.WriteFile(program, []byte("#!/bin/sh\ncat >>"+dir+"/loaded\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		for name, at := range map[string]string{"pending.WAITS": "1 hour", "pending.LATE": "-1 minute", "pending.HALF.undo": "-1 minute", "pending.CUT.new": "-1 minute", "script.1.2": "now"} {
			f := filepath.Join(dir, name)
			if err := os.WriteFile(f, []byte(name+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command("touch", "-d", at, f).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
		}
		said, status, words := callFar(t, shell, nil, dir, "hold", "0", "20", "10", "5", program)
		var h far
		if err := h.understand(said); err != nil || status != 0 || len(h.pending) != 1 || h.pending[0].token != "WAITS" {
			t.Errorf("%v: %+v, status %d, %q", err, h, status, words)
		}
		loaded, _ := os.ReadFile(filepath.Join(dir, "loaded"))
		left, _ := filepath.Glob(filepath.Join(dir, "*.*"))
		if string(loaded) != "pending.HALF.undo\npending.LATE\n" || len(left) != 1 {
			t.Errorf("loaded %q, left %v", loaded, left)
		}
	})
}

// Where a login ends what it has begun, nothing is changed: the undo process would end with it.
func TestSurvives(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		user, properties string // as busctl prints KillUserProcesses, KillExcludeUsers and KillOnlyUsers
		survives         bool
	}{
		"no logind":       {"sluice", "", true},
		"default":         {"sluice", "b false\nas 1 \"root\"\nas 0\n", true},
		"killed":          {"sluice", "b true\nas 1 \"root\"\nas 0\n", false},
		"root":            {"root", "b true\nas 0\nas 0\n", true},
		"excluded":        {"sluice", "b true\nas 2 \"root\" \"sluice\"\nas 0\n", true},
		"of another name": {"sluice", "b true\nas 1 \"sluice2\"\nas 0\n", false},
		"only others":     {"sluice", "b true\nas 1 \"root\"\nas 1 \"guest\"\n", true},
		"only this one":   {"sluice", "b false\nas 1 \"root\"\nas 1 \"sluice\"\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bin := t.TempDir()
			for program, says := range map[string]string{"busctl": c.properties, "id": c.user + "\n"} {
				if err := os.WriteFile(filepath.Join(bin, program), fmt.Appendf(nil, "#!/bin/sh\nprintf '%%s' '%s'\n", says), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			_, status, words := callFar(t, []string{"sh"}, []string{"PATH=" + bin + ":" + os.Getenv("PATH")}, t.TempDir(), "survives")
			if (status == 0) != c.survives || (status == failed) == c.survives || c.survives == strings.Contains(words, "KillExcludeUsers") {
				t.Errorf("status %d, %q", status, words)
			}
		})
	}
}

// An answer is what stands between the marks; without the second it is none.
func FuzzAnswer(f *testing.F) {
	for _, s := range []string{
		"", "\nsluice N begin\n\nsluice N end 0\n", "motd\n\nsluice N begin\ntable ip x {\n}\n\nsluice N end 0\n", "\nsluice N begin\nno newline\nsluice N end 12\n",
		"\nsluice N begin\ncut off", "\nsluice N end 0\n", "\nsluice N begin\n\nsluice N end x\n", "\nsluice M begin\n\nsluice M end 0\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		said, status, err := readAnswer(bufio.NewReader(strings.NewReader(s)), "N")
		if err != nil {
			return
		}
		if !strings.Contains(s, "sluice N begin\n") || !strings.Contains(s, "sluice N end ") || status < 0 && !strings.Contains(s, "end -") {
			t.Errorf("%q is taken for an answer", s)
		}
		if !strings.Contains(s, string(said)) {
			t.Errorf("%q says %q", s, said)
		}
	})
}
