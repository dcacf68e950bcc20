package bgp_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/adapters/bgp"
	"github.com/sluice-gateway/sluice/adapters/bgp/session"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/rib"
)

// counter is a peer that counts what it reads and nothing else.
type counter struct {
	nlris, updates atomic.Int64
	goal           atomic.Int64
	reached        chan struct{}
	up             chan struct{}
}

func (c *counter) Up(context.Context, *session.Session)                          { close(c.up) }
func (c *counter) Refresh(context.Context, *session.Session, session.Family)     {}
func (c *counter) Again(context.Context, *session.Session, session.Family, bool) {}
func (c *counter) Down(context.Context, *session.Session, error)                 {}

func (c *counter) Update(_ context.Context, _ *session.Session, body []byte) error {
	u, err := session.ParseUpdate(body)
	if err != nil {
		return err
	}
	var nlri []byte
	switch {
	case u.Reach != nil:
		nlri = u.Reach.NLRI
	case u.Unreach != nil:
		nlri = u.Unreach.NLRI
	}
	n := int64(0)
	for len(nlri) > 0 {
		if _, nlri, err = flowspec.Frame(nlri); err != nil {
			return err
		}
		n++
	}
	c.updates.Add(1)
	if got := c.nlris.Add(n); n > 0 && got >= c.goal.Load() {
		c.reached <- struct{}{}
	}
	return nil
}

func (c *counter) expect(n int) { c.goal.Store(c.nlris.Load() + int64(n)) }

// bench starts a speaker with n devices, each with a counter behind it.
func bench(b *testing.B, n int) ([]*bgp.Device, []*counter) {
	b.Helper()
	quiet := slog.New(slog.DiscardHandler)
	speaker, err := bgp.New(bgp.Config{RouterID: ourID, LocalAS: 64500, Communities: []uint32{ourCommunity}, Log: quiet})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	b.Cleanup(func() { cancel(); wg.Wait() })
	var devices []*bgp.Device
	var counters []*counter
	for i := range n {
		c := &counter{reached: make(chan struct{}, 1), up: make(chan struct{})}
		peer, err := session.NewPeer(session.Config{LocalAS: 64501, RouterID: peerID, Passive: true, Families: []session.Family{{AFI: 1, SAFI: 133}}, Log: quiet}, c)
		if err != nil {
			b.Fatal(err)
		}
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		server := &session.Server{Log: quiet}
		server.Add(peer)
		wg.Go(func() { _ = server.Serve(ctx, ln) })
		wg.Go(func() { peer.Run(ctx) })
		at := ln.Addr().(*net.TCPAddr).AddrPort()
		name := fmt.Sprint("edge", i)
		if err := speaker.AddPeer(bgp.PeerConfig{Name: name, Address: at.Addr(), Port: at.Port(), RemoteAS: 64501, Families: []flowspec.Family{flowspec.IPv4}, RetryMin: time.Millisecond, Device: true}); err != nil {
			b.Fatal(err)
		}
		devices, counters = append(devices, speaker.Device(name)), append(counters, c)
	}
	wg.Go(func() { _ = speaker.Run(ctx) })
	for i, c := range counters {
		<-c.up
		for devices[i].Session() != "established" {
			runtime.Gosched()
		}
	}
	return devices, counters
}

// usual are n rules of 25 octets: destination, UDP, three ports, a range of lengths.
func usual(b testing.TB, n int) []device.Route {
	out := make([]device.Route, n)
	for i := range out {
		m, err := flowspec.NewMatch(flowspec.IPv4, flowspec.RD{},
			flowspec.Component{Type: flowspec.DstPrefix, Prefix: flowspec.Prefix{Addr: netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), Len: 32}},
			flowspec.Component{Type: flowspec.Protocol, Terms: []flowspec.Term{{Op: flowspec.EQ, Value: 17}}},
			flowspec.Component{Type: flowspec.DstPort, Terms: []flowspec.Term{{Op: flowspec.EQ, Value: 53}, {Op: flowspec.EQ, Value: 123}, {Op: flowspec.EQ, Value: 1900}}},
			flowspec.Component{Type: flowspec.PacketLength, Terms: []flowspec.Term{{Op: flowspec.GE, Value: 1000}, {And: true, Op: flowspec.LE, Value: 1500}}})
		if err != nil {
			b.Fatal(err)
		}
		out[i] = device.Route{Match: m, Action: discard()}
	}
	return out
}

func steps(routes []device.Route, op device.Op) device.Change {
	c := device.Change{Steps: make([]device.Step, len(routes))}
	for i := range routes {
		c.Steps[i] = device.Step{Op: op, Route: &routes[i]}
	}
	return c
}

// BenchmarkDeliver is from Apply until a reader on the other side of a TCP connection has every NLRI.
func BenchmarkDeliver(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		for _, peers := range []int{1, 10} {
			if n*peers > 100_000 {
				continue
			}
			b.Run(fmt.Sprintf("rules=%d/peers=%d", n, peers), func(b *testing.B) {
				devices, counters := bench(b, peers)
				routes := usual(b, n)
				add, remove := steps(routes, device.Add), steps(routes, device.Remove)
				var updates int64
				b.ResetTimer()
				for range b.N {
					before := counters[0].updates.Load()
					all(b, devices, counters, add, n)
					updates += counters[0].updates.Load() - before
					b.StopTimer()
					all(b, devices, counters, remove, n)
					b.StartTimer()
				}
				b.ReportMetric(float64(n*peers*b.N)/b.Elapsed().Seconds(), "rules/s")
				b.ReportMetric(float64(n*b.N)/float64(updates), "NLRI/UPDATE")
			})
		}
	}
}

func all(b *testing.B, devices []*bgp.Device, counters []*counter, c device.Change, n int) {
	var wg sync.WaitGroup
	for i := range devices {
		counters[i].expect(n)
		wg.Go(func() {
			if _, err := devices[i].Apply(b.Context(), device.Target{}, c, 0); err != nil {
				b.Error(err)
			}
			<-counters[i].reached
		})
	}
	wg.Wait()
}

// BenchmarkOneRule is one rule on an idle session: until Apply returns, and until the reader has it.
func BenchmarkOneRule(b *testing.B) {
	devices, counters := bench(b, 1)
	routes := usual(b, 1)
	changes := []device.Change{steps(routes, device.Add), steps(routes, device.Remove)}
	applied, read := make([]time.Duration, 0, b.N), make([]time.Duration, 0, b.N)
	b.ResetTimer()
	for i := range b.N {
		counters[0].expect(1)
		start := time.Now()
		if _, err := devices[0].Apply(b.Context(), device.Target{}, changes[i%2], 0); err != nil {
			b.Fatal(err)
		}
		applied = append(applied, time.Since(start))
		<-counters[0].reached
		read = append(read, time.Since(start))
	}
	for name, d := range map[string][]time.Duration{"applied": applied, "read": read} {
		slices.Sort(d)
		b.ReportMetric(float64(d[len(d)/2].Nanoseconds())/1e3, "p50-us-"+name)
		b.ReportMetric(float64(d[len(d)*99/100].Nanoseconds())/1e3, "p99-us-"+name)
	}
}

// BenchmarkHeld is what an Adj-RIB-Out of 10,000 rules costs in memory beside the rules.
func BenchmarkHeld(b *testing.B) {
	routes := usual(b, 10_000)
	add := steps(routes, device.Add)
	for range b.N {
		devices, counters := bench(b, 10)
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		all(b, devices, counters, add, len(routes))
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(10*len(routes)), "bytes/rule")
		runtime.KeepAlive(devices)
	}
}

// BenchmarkIngest is from the octets that a peer wrote until the RIB was told: 10,000 rules in packed UPDATEs over TCP.
func BenchmarkIngest(b *testing.B) {
	p := start(b, options{})
	p.up(b)
	var matches []flowspec.Match
	for _, r := range usual(b, 10_000) {
		matches = append(matches, r.Match)
	}
	b.ResetTimer()
	for range b.N {
		if err := p.router.Announce(discard(), session.Path{}, matches...); err != nil {
			b.Fatal(err)
		}
		p.rules.wait(b, "all rules", func(r map[string]flowspec.Rule, _ []rib.Kind) bool { return len(r) == len(matches) })
		b.StopTimer()
		if err := p.router.Withdraw(matches...); err != nil {
			b.Fatal(err)
		}
		p.rules.wait(b, "no rules", func(r map[string]flowspec.Rule, _ []rib.Kind) bool { return len(r) == 0 })
		b.StartTimer()
	}
	b.ReportMetric(float64(len(matches)*b.N)/b.Elapsed().Seconds(), "rules/s")
}
