package gateway_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/integration/rig"
)

// gapRules is how many rules a router has while its gateway is away.
const gapRules = 1000

// gap is what a router saw of a restart of the gateway.
type gap struct {
	away    time.Duration // from the end of the old gateway to End-of-RIB of the new one
	without time.Duration // how long some rule was missing, as far as looking can tell
	fewest  int           // rules at any moment at which it was looked
	removed int           // rules that the router says it removed, or, where it does not say, that were seen to go
}

// restartGap ends a gateway, by SIGKILL or as an operator does, starts it again at once, and says what the router saw of that that holds its rules.
func restartGap(t testing.TB, router string, kill, graceful bool) (out gap) {
	host, dir := rig.Subnet(), t.TempDir()
	us, edge := host(1), host(20)
	r := gapRouters[router](t, edge, us, graceful)
	var text strings.Builder
	for n := range gapRules {
		fmt.Fprintf(&text, "flow route { match { destination 203.0.%d.%d/32; protocol =udp; } then { discard; } }\n", 113+n/250, n%250)
	}
	file(t, dir, "rules", text.String())
	config := file(t, dir, "sluice.yaml", fmt.Sprintf(`
router-id: %[1]s
as: 64500
store: %[2]s/sluice.db
listen: {api: "127.0.0.1:0", bgp: ["%[1]s:%[3]d"]}
sources:
  - {name: standing, file: %[4]s, allow: {destinations: [any]}}
devices:
  - name: edge
    profile: %[7]s
    max-routes: unlimited
    bgp: {address: %[5]s, local-address: %[1]s, port: %[6]d, as: 64500, families: [ipv4]}
`, us, dir, rig.SpeakerPort, filepath.Join(dir, "rules"), edge, r.port, r.profile))
	g := serve(t, config)
	until(t, "all rules", g.state, func() bool { return r.held() == gapRules && r.settled() })
	before := 0
	if r.removed != nil {
		before = r.removed()
	}
	last := gapRules
	out.fewest = gapRules
	var missing time.Time
	look := func() {
		n := r.held()
		out.fewest = min(out.fewest, n)
		out.removed += max(last-n, 0)
		last = n
		switch {
		case n < gapRules && missing.IsZero():
			missing = time.Now()
		case n == gapRules && !missing.IsZero():
			out.without += time.Since(missing)
			missing = time.Time{}
		}
	}
	began := time.Now()
	if kill {
		g.kill()
	} else if err := g.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	} else {
		<-g.done
	}
	for look(); r.settled(); look() { // until the router has seen it
		if time.Since(began) > 30*time.Second {
			t.Fatal("the router did not see that the session ended")
		}
	}
	g = serve(t, config)
	for look(); !r.settled(); look() {
		if time.Since(began) > 2*time.Minute {
			t.Fatalf("it did not come back: %s\n%s", r.words(), g.state())
		}
	}
	out.away = time.Since(began)
	look()
	if r.removed != nil {
		out.removed = r.removed() - before
	}
	g.stop()
	return out
}

// A router that keeps what it has while the gateway restarts (RFC 4724) has every rule at every moment, whether the gateway was killed or ended in good order.
func TestNoRuleIsLostInARestart(t *testing.T) {
	t.Parallel()
	for _, router := range []string{"BIRD", "gobgpd"} {
		for name, kill := range map[string]bool{"killed": true, "planned": false} {
			t.Run(router+" "+name, func(t *testing.T) {
				t.Parallel()
				got := restartGap(t, router, kill, true)
				t.Logf("without the gateway for %v, without a rule for %v; %d of %d rules at the least, %d removed", got.away, got.without, got.fewest, gapRules, got.removed)
				if got.fewest != gapRules || got.removed != 0 {
					t.Errorf("rules were lost: %+v", got)
				}
			})
		}
	}
	t.Run("not graceful", func(t *testing.T) {
		t.Parallel()
		if got := restartGap(t, "BIRD", true, false); got.removed != gapRules {
			t.Errorf("%+v", got)
		}
	})
}

// BenchmarkRestartGap says how long routers are without the gateway, and without its rules, when it is started again.
func BenchmarkRestartGap(b *testing.B) {
	for router := range gapRouters {
		for _, graceful := range []bool{true, false} {
			for name, kill := range map[string]bool{"killed": true, "planned": false} {
				b.Run(fmt.Sprintf("%s/graceful=%t/%s", router, graceful, name), func(b *testing.B) {
					var all gap
					for range b.N {
						one := restartGap(b, router, kill, graceful)
						all.away, all.without, all.removed = all.away+one.away, all.without+one.without, all.removed+one.removed
					}
					n := float64(b.N)
					b.ReportMetric(all.away.Seconds()/n, "s-away/op")
					b.ReportMetric(all.without.Seconds()/n, "s-without-rules/op")
					b.ReportMetric(float64(all.removed)/n, "rules-removed/op")
				})
			}
		}
	}
}
