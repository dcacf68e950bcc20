package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sluice-gateway/sluice/adapters/bgp/bgptest"
	"github.com/sluice-gateway/sluice/core/admit"
	"github.com/sluice-gateway/sluice/core/api"
	"github.com/sluice-gateway/sluice/core/config"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/profiles"
)

// idler is an idle gateway with one ASR 9000, in this process.
type idler struct {
	base    string
	arrived chan time.Time // when the router had read an announcement
}

func newIdle(b *testing.B, standing int) *idler {
	b.Helper()
	l := &idler{arrived: make(chan time.Time, 1<<17)}
	asr, err := bgptest.Listen(bgptest.Config{
		Name: "asr", AS: demoASRAS, RouterID: netip.MustParseAddr("192.0.2.21"),
		Watch: func(e bgptest.Event) {
			if e.Kind == bgptest.Announced {
				l.arrived <- time.Now()
			}
		},
	})
	if err != nil {
		b.Fatal(err)
	}
	prof, err := profiles.Embedded().Get("asr9k")
	if err != nil {
		b.Fatal(err)
	}
	g, err := newGateway(b.Context(), &config.Config{
		RouterID: netip.MustParseAddr("192.0.2.1"), AS: demoAS, ListenAPI: "127.0.0.1:0", Store: filepath.Join(b.TempDir(), "s.db"),
		Sources: []config.Source{{Name: "api", API: true, Admit: admit.Policy{AnyDestination: true}}},
		Devices: []config.Device{{Name: "asr", Profile: prof, BGP: &config.Peer{
			Address: asr.Addr().Addr(), Port: asr.Addr().Port(), AS: demoASRAS, Families: []flowspec.Family{flowspec.IPv4}, HoldTime: 90 * time.Second,
		}}},
	}, profiles.Embedded(), slog.New(slog.DiscardHandler), strings.NewReader(""))
	if err != nil {
		b.Fatal(err)
	}
	l.base = "http://" + g.api.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	var tasks errgroup.Group
	tasks.Go(func() error { return asr.Run(ctx) })
	tasks.Go(func() error { return g.run(ctx, nil) })
	b.Cleanup(func() {
		cancel()
		if err := tasks.Wait(); err != nil {
			b.Error(err)
		}
	})
	for g.rec.Status()[0].Session != "established" {
		time.Sleep(time.Millisecond)
	}
	var lines []string
	for n := range standing {
		lines = append(lines, rule(1<<20+n))
	}
	for some := range slices.Chunk(lines, 10_000) {
		l.post(b, strings.Join(some, "\n"))
		for range some {
			<-l.arrived
		}
	}
	return l
}

// rule returns the n-th of a series of different rules.
func rule(n int) string {
	return fmt.Sprintf("flow route { match { destination 10.%d.%d.%d/32; protocol =udp; source-port =53; packet-length >=1000&<=1500; } then { discard; } }", n>>16, n>>8&255, n&255)
}

// post creates rules and returns when the answer 201 was read, and the answer.
func (l *idler) post(b *testing.B, rules string) (time.Time, api.Answer) {
	b.Helper()
	body, err := json.Marshal(api.Request{Rule: rules})
	if err != nil {
		b.Fatal(err)
	}
	resp, err := http.Post(l.base+"/v1/rules", "application/json", bytes.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	at := time.Now()
	if err != nil || resp.StatusCode != http.StatusCreated {
		b.Fatal(resp.Status, err)
	}
	var a api.Answer
	if err := json.Unmarshal(text, &a); err != nil {
		b.Fatal(err)
	}
	return at, a
}

// remove deletes a rule, so that the table is as large for the next one.
func (l *idler) remove(b *testing.B, id string) {
	b.Helper()
	req, err := http.NewRequestWithContext(b.Context(), http.MethodDelete, l.base+"/v1/rules/"+id, nil)
	if err != nil {
		b.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		b.Fatal(resp.Status)
	}
}

// BenchmarkOneRule measures one API call at an idle gateway: until a router has read the UPDATE (wire), and until the answer 201, which means that the
// rule is on disk (durable).
func BenchmarkOneRule(b *testing.B) {
	for _, standing := range []int{0, 1000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("standing=%d", standing), func(b *testing.B) {
			l := newIdle(b, standing)
			var wire, durable []time.Duration
			for n := 0; b.Loop(); n++ {
				began := time.Now()
				answered, a := l.post(b, rule(n))
				wire = append(wire, (<-l.arrived).Sub(began))
				durable = append(durable, answered.Sub(began))
				l.remove(b, a.Rules[0].ID)
			}
			quantiles(b, "wire", wire)
			quantiles(b, "durable", durable)
		})
	}
}

func quantiles(b *testing.B, name string, times []time.Duration) {
	slices.Sort(times)
	for _, p := range []int{50, 99} {
		b.ReportMetric(float64(times[len(times)*p/100].Microseconds())/1000, fmt.Sprintf("%s-p%d-ms", name, p))
	}
}
