package bgp_test

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/adapters/bgp/bgptest"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
)

// Whatever is applied, while sessions come and go and refreshes are asked for, the router ends with exactly what it is owed.
func TestRouterEndsWithWhatItIsOwed(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			p := start(t, options{})
			random := rand.New(rand.NewPCG(seed, 7))
			owed := map[string]float32{}
			same := func(table []bgptest.Route) bool {
				return len(table) == len(owed) && !slices.ContainsFunc(table, func(r bgptest.Route) bool {
					amount, ok := owed[hex.EncodeToString(r.Match.NLRI())]
					return !ok || r.Action.Rate == nil || r.Action.Rate.Amount != amount
				})
			}
			for range 150 {
				var c device.Change
				for range random.IntN(20) {
					n, amount := dst(random.IntN(60)), float32(random.IntN(3)*1000)
					if random.IntN(3) == 0 {
						delete(owed, n)
						c.Steps = append(c.Steps, remove(t, n))
						continue
					}
					owed[n] = amount
					c.Steps = append(c.Steps, add(t, n, limit(amount)))
				}
				if _, err := p.device.Apply(p.ctx, device.Target{}, c, 0); err != nil {
					t.Fatal(err)
				}
				switch random.IntN(12) {
				case 0:
					p.router.Reset("")
				case 1:
					p.speaker.Reset("edge1")
				case 2:
					_ = p.router.Refresh(flowspec.IPv4) // there may be no session
				case 3, 4:
					if err := p.router.Wait(p.ctx, same); err != nil {
						t.Fatalf("on the way: %v", err)
					}
				}
			}
			if err := p.router.Wait(p.ctx, same); err != nil {
				t.Fatalf("%v: owed %d, the router holds %v", err, len(owed), p.router.Table())
			}
			for {
				st, err := p.device.Read(p.ctx, device.Target{})
				if err == nil && len(st.Routes) == len(owed) {
					break
				}
				select {
				case <-time.After(time.Millisecond): // the writer notes what it sent just after it was sent
				case <-p.ctx.Done():
					t.Fatalf("Read = %d routes, %v; want %d", len(st.Routes), err, len(owed))
				}
			}
			if n := p.speaker.Status()[0].Session.Established; n < 3 {
				t.Errorf("%d sessions: the test meant to lose some", n)
			}
			out := p.device.Status()
			if out.Owed != len(owed) || out.Sent != len(owed) {
				t.Errorf("status %+v, want %d", out, len(owed))
			}
		})
	}
}
