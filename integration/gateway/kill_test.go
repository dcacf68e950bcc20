package gateway_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/adapters/bgp/bgptest"
	"github.com/sluice-gateway/sluice/adapters/junos"
	"github.com/sluice-gateway/sluice/adapters/netconf/netconftest"
	"github.com/sluice-gateway/sluice/core/api"
)

// kills is how many times the gateway dies.
const kills = 50

// ledger is what a client of the API knows: rules that it was told are in force, rules that it was told are gone, and those whose answer never came.
type ledger struct {
	present map[string]bool // text of the rule -> acknowledged present or absent
	ids     map[string]string
	unsure  map[string]bool
}

// load creates and deletes rules as fast as the gateway answers, until it dies.
func (l *ledger) load(ctx context.Context, g *gateway, rnd *rand.Rand) {
	for {
		n := rnd.IntN(200)
		text := fmt.Sprintf("flow route { match { destination 203.0.113.%d/32; protocol =udp; source-port =%d; } then { discard; } }", n, 1000+n)
		if id := l.ids[text]; l.present[text] && id != "" {
			l.unsure[text] = true
			status, err := g.call(ctx, "DELETE", "/v1/rules/"+id, nil, nil)
			if status == 0 && err != nil {
				return
			}
			if status == 204 {
				l.present[text] = false
				delete(l.unsure, text)
			}
			continue
		}
		l.unsure[text] = true
		var a api.Answer
		status, err := g.call(ctx, "POST", "/v1/rules", api.Request{Rule: text}, &a)
		if err != nil {
			return
		}
		if status == 201 && len(a.Rules) == 1 {
			l.present[text], l.ids[text] = true, a.Rules[0].ID
			delete(l.unsure, text)
		}
	}
}

// compare checks what the gateway has after a restart against what it had told its client, and settles what the client did not know.
func (l *ledger) compare(t *testing.T, rules map[string]api.Rule) {
	t.Helper()
	there := map[string]bool{}
	for id, r := range rules {
		there[r.Rule], l.ids[r.Rule] = true, id
	}
	for text, present := range l.present {
		if !l.unsure[text] && there[text] != present {
			t.Errorf("%s: acknowledged as present=%t, after the restart %t", text, present, there[text])
		}
	}
	for text := range l.unsure {
		l.present[text] = there[text]
	}
	for text := range there {
		if !l.present[text] {
			t.Errorf("%s: nobody asked for it", text)
		}
	}
	l.unsure = map[string]bool{}
}

// Killed with kill -9 at fifty random instants under load, the gateway comes back with every rule that it had acknowledged, both routers end up with
// exactly these, and what is right on a router is not touched.
func TestKilledAtRandomInstants(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	asr, err := bgptest.Listen(bgptest.Config{Name: "asr", AS: 64513, RouterID: netip.MustParseAddr("192.0.2.21")})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- asr.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	mx, err := netconftest.Start(netconftest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(mx.Close)
	config := file(t, dir, "sluice.yaml", fmt.Sprintf(`
router-id: 192.0.2.1
as: 64512
store: %s/sluice.db
listen: {api: "127.0.0.1:0"}
sources:
  - name: api
    api: true
    allow: {destinations: [203.0.113.0/24]}
devices:
  - name: asr
    profile: cisco-asr9k
    bgp: {address: %s, port: %d, as: 64513, families: [ipv4]}
  - name: mx
    profile: junos-mx
    filter:
      adapter: junos
      unverified-device: true
      address: %s
      username: %s
      password: {env: MX_PASSWORD}
      host-key: %q
      confirm-within: 1s
      commit-interval: 150ms
      undo-late: 0s
`, dir, asr.Addr().Addr(), asr.Addr().Port(), mx.Addr(), mx.Username(), strings.TrimSpace(mx.HostKey())))

	rnd := rand.New(rand.NewPCG(1, uint64(time.Now().UnixNano())))
	book := &ledger{present: map[string]bool{}, ids: map[string]string{}, unsure: map[string]bool{}}
	for n := range kills {
		g := serve(t, config, "MX_PASSWORD="+mx.Password())
		book.compare(t, g.rules())
		g.inSync()
		holds(t, g, asr, mx)
		commits := mx.Commits()
		loading, done := context.WithCancel(t.Context())
		stopped := make(chan struct{})
		life := time.Duration(rnd.IntN(250)) * time.Millisecond
		go func() { defer close(stopped); book.load(loading, g, rnd) }()
		<-time.After(life)
		g.kill()
		done()
		<-stopped
		if t.Failed() {
			t.Fatalf("after kill %d (%v into the load, %d commits before)\n%s", n+1, life, commits, g.state())
		}
	}

	// Nothing to do, nothing done.
	g := serve(t, config, "MX_PASSWORD="+mx.Password())
	g.inSync()
	commits, updates := mx.Commits(), asr.Updates()
	g.stop()
	g = serve(t, config, "MX_PASSWORD="+mx.Password())
	g.inSync()
	holds(t, g, asr, mx)
	if got := mx.Commits(); got != commits {
		t.Errorf("%d commits on a device that was right", got-commits)
	}
	t.Logf("%d rules at the end, %d UPDATE messages and %d commits on the way", len(g.rules()), updates, commits)
	g.stop()
}

// holds compares what the routers hold with the rules in force.
func holds(t *testing.T, g *gateway, asr *bgptest.Router, mx *netconftest.Server) {
	t.Helper()
	want := map[string]bool{}
	for _, r := range g.rules() {
		want[r.Rule] = true
	}
	err := asr.Wait(t.Context(), func(table []bgptest.Route) bool { return len(table) == len(want) })
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range asr.Table() {
		if text := fmt.Sprintf("flow route { match { %s } then { %s } }", r.Match, r.Action); !want[text] {
			t.Errorf("the ASR holds %s, which no rule asks for", text)
		}
	}
	filters, err := junos.Dialect{}.Parse([]byte(mx.Running()))
	if err != nil {
		t.Fatal(err)
	}
	entries := 0
	for _, f := range filters {
		entries += len(f.Entries)
		for _, e := range f.Entries {
			if !e.Do.Discard || e.Match.Dst == nil {
				b, _ := json.Marshal(e)
				t.Errorf("the MX holds %s", b)
			}
		}
	}
	if entries != len(want) {
		t.Errorf("the MX holds %d entries for %d rules", entries, len(want))
	}
}
