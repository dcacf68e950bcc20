package feed

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/core/admit"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/rib"
)

// heard is a rib.Input that writes down what it is told.
type heard struct {
	mu       sync.Mutex
	log      []string
	families []flowspec.Family // of what was announced and withdrawn
}

func (h *heard) Send(_ context.Context, e rib.Event) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch e.Kind {
	case rib.Up:
		h.log = append(h.log, "up")
	case rib.EndOfRIB:
		h.log = append(h.log, "end")
	}
	for _, m := range e.Withdraw {
		h.log, h.families = append(h.log, "withdraw "+m.String()), append(h.families, m.Family())
	}
	for _, r := range e.Announce {
		h.families = append(h.families, r.Match.Family())
		h.log = append(h.log, "announce "+r.Match.String()+" "+r.Action.String())
		if r.ID == "" || r.Source != e.Source {
			h.log = append(h.log, "without identity")
		}
	}
	return nil
}

func (h *heard) lines() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Join(h.log, "\n")
}

func source(h *heard, log io.Writer) Source {
	return Source{
		Name: "test", Rules: h, Log: slog.New(slog.NewTextHandler(log, nil)),
		Admit: admit.Policy{Destinations: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}},
	}
}

const good = `flow route { match { destination 203.0.113.10/32; protocol =udp; source-port =53; } then { discard; } }
flow route { match { destination 203.0.113.11/32; } then { rate-limit 12500000; } }
`

func load(t *testing.T, text string) (*heard, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rules.exabgp")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	h := &heard{}
	return h, File{Source: source(h, io.Discard), Path: path, MaxRules: 2}.Load(t.Context())
}

func TestFile(t *testing.T) {
	t.Parallel()
	h, err := load(t, good)
	if err != nil {
		t.Fatal(err)
	}
	want := `up
announce destination 203.0.113.10/32; protocol =udp; source-port =53; discard;
announce destination 203.0.113.11/32; rate-limit 12500000;
end`
	if got := h.lines(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// One error in a file, and nothing of it counts: the rules that were read before stay.
func TestFileWithAnErrorIsRefusedWhole(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"syntax":       {good + "flow route { match { destination 203.0.113.12/33; } then { discard; } }\n", "rules.exabgp:3:"},
		"too many":     {good + "flow route { match { destination 203.0.113.12/32; } then { discard; } }\n", "has 3 rules, and this source may have 2"},
		"guard":        {good + "flow route { match { } then { discard; } }\n", "rules.exabgp:3:"},
		"not admitted": {good + "flow route { match { destination 198.51.100.1/32; } then { discard; } }\n", "rules.exabgp:3:1: not admitted"},
		"withdrawal":   {good + "withdraw flow route { match { destination 203.0.113.10/32; } }\n", "take the rule out instead"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, err := load(t, c.text)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got error %v, want %q in it", err, c.want)
			}
			if h.lines() != "" {
				t.Errorf("the RIB was told\n%s", h.lines())
			}
		})
	}
}

// A FIFO in the place of a rule file would be waited for without end.
func TestRuleFileIsAFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	err := File{Source: source(&heard{}, io.Discard), Path: path}.Load(t.Context())
	if err == nil || !strings.Contains(err.Error(), "use pipe:") {
		t.Errorf("got %v", err)
	}
}

func TestPipe(t *testing.T) {
	t.Parallel()
	h, log := &heard{}, &bytes.Buffer{}
	lines := strings.Join([]string{
		"announce flow route { match { destination 203.0.113.10/32; protocol =udp; } then { discard; } }",
		"announce flow route destination 203.0.113.11/32 protocol [ udp ] source-port [ =53 ] discard ",
		"announce flow route { match { destination 198.51.100.1/32; } then { discard; } }",
		"announce flow route { match { } then { discard; } }",
		"withdraw flow route { match { destination 203.0.113.10/32; protocol =udp; } }",
		"",
		"# a comment",
		"announce flow route { match { destination 203.0.113.12/32; protocol =udp; } then { discard; } } " + strings.Repeat(" ", maxLine),
		"announce flow route destination 203.0.113.13/32 discard", // cut off, perhaps
	}, "\n")
	if err := (Pipe{Source: source(h, log), Path: "-"}).Run(t.Context(), strings.NewReader(lines)); err != nil {
		t.Fatal(err)
	}
	want := `announce destination 203.0.113.10/32; protocol =udp; discard;
announce destination 203.0.113.11/32; protocol =udp; source-port =53; discard;
withdraw destination 203.0.113.10/32; protocol =udp;`
	if got := h.lines(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, quiet := range []string{"line=6", "line=7"} { // an empty line and a comment are nothing to complain of
		if strings.Contains(log.String(), quiet) {
			t.Errorf("%s was logged:\n%s", quiet, log.String())
		}
	}
	for _, refused := range []string{"line=3", "line=4", "line=8", "the last line has no end"} {
		if !strings.Contains(log.String(), refused) {
			t.Errorf("nothing was logged about %s:\n%s", refused, log.String())
		}
	}
}

// FastNetMon opens the FIFO for every command, writes a line and closes it: the pipe does not end with its writers.
func TestFIFOOutlivesItsWriters(t *testing.T) {
	t.Parallel()
	h := &heard{}
	path := filepath.Join(t.TempDir(), "exabgp.cmd")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Pipe{Source: source(h, io.Discard), Path: path}.Run(ctx, nil) }()
	for _, n := range []string{"10", "11"} {
		write(t, path, "announce flow route destination 203.0.113."+n+"/32 discard\n")
		until(t, "rule "+n, func() bool { return strings.Contains(h.lines(), "203.0.113."+n) })
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// write opens a FIFO as soon as it is there, writes and closes it.
func write(t *testing.T, path, text string) {
	t.Helper()
	until(t, "the FIFO", func() bool { _, err := os.Stat(path); return err == nil })
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := io.WriteString(f, text); err != nil {
		t.Fatal(err)
	}
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); {
		if time.Now().After(end) {
			t.Fatalf("waited for %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

func TestPathThatIsNoFIFO(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err := Pipe{Source: source(&heard{}, io.Discard), Path: path}.Run(t.Context(), nil)
	if err == nil || !strings.Contains(err.Error(), "is no FIFO") {
		t.Errorf("got %v", err)
	}
}

// The rules of a source that speaks of one VPN are of that VPN when they come and when they go, in a file and in a pipe; those that name a VPN must be allowed to.
func TestSourceInAVPN(t *testing.T) {
	t.Parallel()
	h := &heard{}
	src := source(h, io.Discard)
	src.Admit.In, src.Admit.VPNs = &flowspec.RD{0, 0, 0xfc, 0, 0, 0, 0, 1}, []admit.VPN{{Name: "red", RD: flowspec.RD{0, 0, 0xfc, 0, 0, 0, 0, 1}}}
	path := filepath.Join(t.TempDir(), "rules.exabgp")
	if err := os.WriteFile(path, []byte(good), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := (File{Source: src, Path: path}).Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	in := strings.NewReader("withdraw flow route { match { destination 203.0.113.11/32; } }\n" +
		"announce flow route { rd 64512:2; match { destination 203.0.113.12/32; } then { discard; } }\n")
	if err := (Pipe{Source: src, Path: "-"}).Run(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	var vpns int
	for _, f := range h.families {
		if f == flowspec.VPNv4 {
			vpns++
		}
	}
	if vpns != 3 || len(h.families) != 3 {
		t.Errorf("%v of families %v, want two announcements and a withdrawal of vpnv4", h.log, h.families)
	}
}
