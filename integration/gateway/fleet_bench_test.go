package gateway_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sluice-gateway/sluice/adapters/bgp/bgptest"
	"github.com/sluice-gateway/sluice/adapters/netconf/netconftest"
	"github.com/sluice-gateway/sluice/core/api"
	"github.com/sluice-gateway/sluice/core/reconcile"
)

// routers are emulated ASR 9000s that count what they are told.
type routers struct {
	announced atomic.Int64
	all       []*bgptest.Router
}

func newRouters(b *testing.B, n int) *routers {
	b.Helper()
	r := &routers{}
	ctx, cancel := context.WithCancel(context.Background())
	var tasks errgroup.Group
	for i := range n {
		one, err := bgptest.Listen(bgptest.Config{
			Name: fmt.Sprint("asr", i), AS: 64513, RouterID: netip.AddrFrom4([4]byte{192, 0, 2, byte(i + 1)}),
			Watch: func(e bgptest.Event) {
				if e.Kind == bgptest.Announced {
					r.announced.Add(1)
				}
			},
		})
		if err != nil {
			b.Fatal(err)
		}
		r.all = append(r.all, one)
		tasks.Go(func() error { return one.Run(ctx) })
	}
	b.Cleanup(func() {
		cancel()
		if err := tasks.Wait(); err != nil {
			b.Error(err)
		}
	})
	return r
}

const fleetHead = "router-id: 192.0.2.1\nas: 64512\nstore: %s/sluice.db\nlisten: {api: \"127.0.0.1:0\"}\nsources:\n  - {name: api, api: true, allow: {destinations: [10.0.0.0/8]}}\ndevices:\n"

func (r *routers) config(b *testing.B, dir string) string {
	b.Helper()
	var text strings.Builder
	fmt.Fprintf(&text, fleetHead, dir)
	for i, one := range r.all {
		fmt.Fprintf(&text, "  - {name: asr%d, profile: cisco-asr9k, bgp: {address: %s, port: %d, as: 64513, families: [ipv4]}}\n", i, one.Addr().Addr(), one.Addr().Port())
	}
	return file(b, dir, "sluice.yaml", text.String())
}

func numbered(n int) string {
	return fmt.Sprintf("flow route { match { destination 10.%d.%d.%d/32; protocol =udp; source-port =53; packet-length >=1000&<=1500; } then { discard; } }", n>>16, n>>8&255, n&255)
}

// add creates rules and returns the answer.
func (g *gateway) add(texts ...string) (a api.Answer) {
	g.t.Helper()
	status, err := g.call(g.t.Context(), http.MethodPost, "/v1/rules", api.Request{Rule: strings.Join(texts, "\n")}, &a)
	if err != nil || status != http.StatusCreated {
		g.t.Fatal(status, err, a.Errors)
	}
	return a
}

// metric returns what the gateway says of itself.
func (g *gateway) metric(name string) float64 {
	g.t.Helper()
	resp, err := http.Get(g.base + "/metrics")
	if err != nil {
		g.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindSubmatch(text)
	if m == nil {
		g.t.Fatalf("no metric %s", name)
	}
	v, err := strconv.ParseFloat(string(m[1]), 64)
	if err != nil {
		g.t.Fatal(err)
	}
	return v
}

// receipts waits until those of a rule say all the same.
func (g *gateway) receipts(id string, want reconcile.ReceiptState) {
	g.t.Helper()
	until(g.t, "receipts "+string(want), g.state, func() bool {
		var rule struct{ Receipts []reconcile.Receipt }
		if _, err := g.call(g.t.Context(), http.MethodGet, "/v1/rules/"+id, nil, &rule); err != nil {
			g.t.Fatal(err)
		}
		return len(rule.Receipts) > 0 && !slices.ContainsFunc(rule.Receipts, func(r reconcile.Receipt) bool { return r.State != want })
	})
}

// quantiles reports p50 and p99 in milliseconds.
func quantiles(b *testing.B, name string, times []time.Duration) {
	slices.Sort(times)
	for _, p := range []int{50, 99} {
		b.ReportMetric(float64(times[len(times)*p/100].Microseconds())/1000, fmt.Sprintf("%s-p%d-ms", name, p))
	}
}

// BenchmarkFleet measures a gateway process with ten and with two hundred routers over BGP, all in the same process as the benchmark: a thousand new rules from one call until every router has read
// them, and what the gateway takes in memory for a device once it holds ten thousand.
func BenchmarkFleet(b *testing.B) {
	const batch = 1000
	for _, n := range []int{10, 200} {
		b.Run(fmt.Sprintf("devices=%d", n), func(b *testing.B) {
			r := newRouters(b, n)
			g := serve(b, r.config(b, b.TempDir()))
			g.inSync()
			empty := g.metric("process_resident_memory_bytes")
			at := 0
			add := func() {
				var texts []string
				for range batch {
					texts = append(texts, numbered(at))
					at++
				}
				g.add(texts...)
				for want := int64(at * n); r.announced.Load() < want; {
					time.Sleep(time.Millisecond)
				}
			}
			add()
			began, used := at, g.metric("process_cpu_seconds_total")
			for b.Loop() {
				add()
			}
			b.ReportMetric(float64((at-began)*n)/b.Elapsed().Seconds(), "device-rules/s")
			b.StopTimer()
			b.ReportMetric((g.metric("process_cpu_seconds_total")-used)*1e6/float64((at-began)*n), "gateway-cpu-us/device-rule")
			for at < 10*batch {
				add()
			}
			g.inSync()
			b.ReportMetric(empty/1e6/float64(n), "MB-a-device-empty")
			b.ReportMetric(g.metric("process_resident_memory_bytes")/1e6/float64(n), "MB-a-device-10k")
			b.ReportMetric(g.metric("process_resident_memory_bytes")/1e6, "MB-10k")
			g.stop()
		})
	}
}

// BenchmarkReceipt measures one call that creates a rule until its receipts on all devices say sent, over BGP, or held, for a filter over NETCONF, as a client sees it that asks until they do.
func BenchmarkReceipt(b *testing.B) {
	for _, n := range []int{10, 200} {
		b.Run(fmt.Sprintf("sent/devices=%d", n), func(b *testing.B) {
			g := serve(b, newRouters(b, n).config(b, b.TempDir()))
			g.inSync()
			g.receive(b, reconcile.RuleSent)
		})
	}
	b.Run("held", func(b *testing.B) {
		mx, err := netconftest.Start(netconftest.Options{})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(mx.Close)
		dir := b.TempDir()
		g := serve(b, file(b, dir, "sluice.yaml", fmt.Sprintf(fleetHead, dir)+fmt.Sprintf(
			"  - name: mx\n    profile: junos-mx\n    filter: {adapter: junos, unverified-device: true, address: %q, username: %q, password: {env: MX_PASSWORD}, host-key: %q, commit-interval: 0s}\n",
			mx.Addr(), mx.Username(), strings.TrimSpace(mx.HostKey()))), "MX_PASSWORD="+mx.Password())
		g.inSync()
		g.receive(b, reconcile.RuleHeld)
	})
}

func (g *gateway) receive(b *testing.B, want reconcile.ReceiptState) {
	var times []time.Duration
	for n := 0; b.Loop(); n++ {
		began := time.Now()
		g.receipts(g.add(numbered(n)).Rules[0].ID, want)
		times = append(times, time.Since(began))
	}
	quantiles(b, string(want), times)
	g.stop()
}
