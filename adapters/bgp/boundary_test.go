package bgp_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"testing"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
)

// sized is an NLRI of exactly n octets, n at least 250 (and its two octets of length): protocols, and a destination port for an odd rest.
func sized(t *testing.T, n int) flowspec.Match {
	t.Helper()
	var body []byte
	rest := n - 2
	if rest%2 == 0 { // a list of one-octet values is odd: its type and pairs
		body = append(body, 1, 24, 10, byte(n>>8), byte(n))
		rest -= 5
	}
	body = append(body, 3)
	for rest--; rest > 0; rest -= 2 {
		op := byte(0x01)
		if rest == 2 {
			op = 0x81
		}
		body = append(body, op, byte(rest))
	}
	nlri := append([]byte{0xf0 | byte(len(body)>>8), byte(len(body))}, body...)
	if len(nlri) != n {
		t.Fatalf("made %d octets, want %d", len(nlri), n)
	}
	return match(t, flowspec.IPv4, hex.EncodeToString(nlri))
}

// Every route is either refused or sent, on every kind of session: one that was recorded and cannot be encoded would take all the others
// with it.
func TestRoutesOfEverySizeNearTheLimit(t *testing.T) {
	t.Parallel()
	for _, as := range []uint32{64500, 64501} {
		t.Run(fmt.Sprint(as), func(t *testing.T) {
			t.Parallel()
			p := start(t, options{remoteAS: as})
			p.up(t)
			refused := 0
			for n := 3980; n < 4097; n++ {
				big, small := sized(t, n), dst(n)
				step := device.Step{Op: device.Add, Route: &device.Route{Match: big, Action: discard()}}
				_, err := p.device.Apply(p.ctx, device.Target{}, device.Change{Steps: []device.Step{step, add(t, small, discard())}}, 0)
				want := []string{small, fmt.Sprintf("%x", big.NLRI())}
				var no *device.Refused
				if errors.As(err, &no) {
					refused++
					want = want[:1]
				} else if err != nil {
					t.Fatal(err)
				}
				p.holds(t, want...)
				p.apply(t, remove(t, small), device.Step{Op: device.Remove, Route: &device.Route{Match: big}})
				p.holds(t)
			}
			if refused == 0 || refused > 100 {
				t.Errorf("%d of 117 sizes were refused: the limit was not among them", refused)
			}
		})
	}
}
