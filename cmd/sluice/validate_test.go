package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/notation"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/report"
	"github.com/sluice-gateway/sluice/core/table"
	"github.com/sluice-gateway/sluice/profiles"
)

// The line is drawn at each tick, says what is being done, and is wiped at the end.
func TestProgress(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := &progress{w: &out, begin: time.Unix(0, 0), stop: make(chan struct{})}
	ticks := make(chan time.Time)
	p.done.Go(func() { p.draw(ticks) })
	ticks <- time.Unix(1, 0) // nothing to say yet
	p.set("planning %d rules", 3)
	ticks <- time.Unix(2, 0)
	p.end()
	p.end()
	if got, want := out.String(), "\r\x1b[Kplanning 3 rules ... 2 s\r\x1b[K"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}

	// Short work, or no terminal: not an octet.
	out.Reset()
	quiet := startProgress(&out)
	quiet.set("reading")
	quiet.end()
	if out.Len() > 0 {
		t.Errorf("got %q on what is no terminal", out.String())
	}
}

// BenchmarkValidate100k is one row of the performance budget: 100,000 different rules read, planned, proven and printed.
func BenchmarkValidate100k(b *testing.B) {
	file := filepath.Join(b.TempDir(), "rules.conf")
	if err := os.WriteFile(file, mixedRules(100_000), 0o600); err != nil {
		b.Fatal(err)
	}
	for _, format := range []string{"text", "json"} {
		b.Run(format, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				status := run(context.Background(), []string{"validate", "--profile", "asr9k", "--format", format, file}, nil, io.Discard, io.Discard)
				if status != exitFailed { // some of them have a rate and too many ports
					b.Fatalf("exit status %d", status)
				}
			}
		})
	}
}

// mixedRules returns n rules as operators have them: reflection, web servers, fragments, BGP; discards, rates and redirects.
func mixedRules(n int) []byte {
	var out bytes.Buffer
	r := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		match := ""
		switch k := r.IntN(10); {
		case k < 5:
			var ports []string
			for range []int{1, 1, 2, 3, 8}[r.IntN(5)] {
				ports = append(ports, fmt.Sprintf("=%d", 1+r.IntN(65535)))
			}
			match = fmt.Sprintf("protocol =udp; source-port [ %s ]; packet-length >=%d;", strings.Join(ports, " "), 400+100*r.IntN(3))
		case k < 7:
			match = "protocol =tcp; destination-port [ =80 =443 ]; tcp-flags syn;"
		case k < 9:
			match = "protocol =udp; fragment is-fragment;"
		default:
			match = fmt.Sprintf("protocol =tcp; port =%d;", 1+r.IntN(65535))
		}
		then := []string{"discard;", "discard;", "rate-limit 1250000;", "redirect 65000:666;"}[r.IntN(4)]
		fmt.Fprintf(&out, "flow route { match { destination 100.%d.%d.%d/32; %s } then { %s } }\n", 64+i>>16, i>>8&0xff, i&0xff, match, then)
	}
	return out.Bytes()
}

// What validate prints is the proof's other end: the entries, read back from the octets it shows, are the same filter as the rules that
// they stand for, packet for packet and policer for policer.
func TestPrintedEntriesAreTheRules(t *testing.T) {
	t.Parallel()
	text := append(mixedRules(300), overlappingRules(300)...)
	file := filepath.Join(t.TempDir(), "rules.conf")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"cisco-asr9k", "junos-mx", "arista-eos", "generic"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			if status := run(context.Background(), []string{"validate", "--profile", name, "--format", "json", file}, nil, &out, io.Discard); status == exitUsage {
				t.Fatalf("exit status %d", status)
			}
			var got struct{ Profiles []report.Profile }
			if err := json.Unmarshal(out.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			var asked, sent []flowspec.Rule
			for _, r := range got.Profiles[0].Rules {
				if r.Carried != plan.Native && r.Carried != plan.Rewritten || !r.Exact {
					continue
				}
				rule := readOne(t, r.Hex)
				if again := readOne(t, r.Rule); !again.Match.Equal(rule.Match) || !again.Action.Equal(rule.Action) {
					t.Fatalf("text and octets of %s:%d are two rules", r.File, r.Line)
				}
				asked = append(asked, rule)
				for _, e := range r.Entries {
					sent = append(sent, readOne(t, e.Hex))
				}
			}
			if len(asked) < 100 {
				t.Fatalf("only %d rules are carried", len(asked))
			}
			if d := table.Diff(table.Of(asked), table.Of(sent)); d != nil {
				t.Errorf("%s: want %s, got %s", d.Packet, d.Want, d.Got)
			}
			if table.Diff(table.Of(asked), table.Of(sent[:len(sent)/2])) == nil {
				t.Error("half of the entries would have passed as well")
			}
		})
	}
}

func readOne(t *testing.T, text string) flowspec.Rule {
	t.Helper()
	in := notation.Read("printed", []byte(text), notation.Options{})
	if in.Failed() || len(in.Items) != 1 {
		t.Fatalf("%q does not read back: %v", text, in.Problems)
	}
	r := in.Items[0].Rule
	r.ID = flowspec.NewID("", r.Match)
	return r
}

// overlappingRules returns n rules inside one /28, so that most of them meet others.
func overlappingRules(n int) []byte {
	var out bytes.Buffer
	r := rand.New(rand.NewPCG(3, 4))
	list := func(most int) string {
		var values []string
		for range 1 + r.IntN(most) {
			values = append(values, fmt.Sprintf("=%d", r.IntN(20)))
		}
		return strings.Join(values, " ")
	}
	for range n {
		match := fmt.Sprintf("destination 198.18.0.%d/%d;", r.IntN(4)*4, 30+r.IntN(3))
		for _, c := range []string{"protocol [ =tcp =udp ]", "destination-port [ " + list(8) + " ]", "source-port [ " + list(8) + " ]", "port [ " + list(3) + " ]",
			fmt.Sprintf("packet-length >=%d", 100+r.IntN(3)*100)} {
			if r.IntN(3) == 0 && !(strings.HasPrefix(c, "port") && strings.Contains(match, "-port")) {
				match += " " + c + ";"
			}
		}
		then := []string{"discard;", "accept;", "rate-limit 1250000;", "discard;"}[r.IntN(4)]
		fmt.Fprintf(&out, "flow route { match { %s } then { %s } }\n", match, then)
	}
	return out.Bytes()
}

// A profile's filter section says of entries what the dialect that writes them does, and a platform without a dialect here has no section: plans
// are proven with the one and delivered with the other.
func TestProfilesMeanWhatTheirDialectsDo(t *testing.T) {
	t.Parallel()
	met := 0
	for _, p := range profiles.Embedded().All() {
		if p.Filter == nil {
			continue
		}
		d, known := dialectOf(p)
		if !known {
			t.Errorf("%s: no dialect %s", p.Name, p.Filter.Dialect)
			continue
		}
		if got := d.Semantics(); got != p.Filter.Semantics {
			t.Errorf("%s: the profile says %+v, dialect %s %+v", p.Name, p.Filter.Semantics, d.Name(), got)
		}
		met++
	}
	if met == 0 {
		t.Error("no profile has filters")
	}
}
