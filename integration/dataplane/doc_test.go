// Package dataplane_test holds filters against the Linux kernel. It loads what sluice renders with nft into a network namespace that forwards, sends packets that it makes octet by
// octet through it, and looks at what arrives. What should arrive is what trace says, which is thus tried as well, and with it the packet model of docs/semantics.md.
//
//	injector |in0 ----- in1| router, nft |out0 ----- out1| sink
//
// Tables and packets are drawn at random, the packets near the limits of the rules; every table has a number, and a failure prints it:
// `go test ./integration/dataplane -run NAME -seed NUMBER` draws that table again, and no other.
//
// There is no waiting for packets that do not come: behind each packet goes another one of the other IP version, which no filter looks at, and the links keep their order.
//
// It needs root, nft and iproute2. In CI (the variable CI is set) it fails where it cannot run.
package dataplane_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
)

var (
	tables   = flag.Int("tables", 40, "how many tables to draw for each IP version")
	update   = flag.Bool("update", false, "write what nft lists into the testdata of the dialect")
	onlySeed = flag.Uint64("seed", 0, "draw only the table of this number")
)

// packetsEach is how many packets are sent through each table.
const packetsEach = 30

// draw is one stream of random choices: those of one table.
type draw struct {
	*rand.Rand
	testing.TB
	seed uint64
}

func newDraw(t testing.TB, seed uint64) *draw {
	return &draw{Rand: rand.New(rand.NewPCG(seed, 8955)), TB: t, seed: seed}
}

// failf says what is wrong with the table of d, and how to have it again.
func (d *draw) failf(format string, args ...any) {
	d.Helper()
	d.Fatalf("%s\nagain: go test ./integration/dataplane -run '^%s$' -seed %d", fmt.Sprintf(format, args...), d.Name(), d.seed)
}

// one says whether a choice of one in n falls.
func (d *draw) one(n int) bool { return d.IntN(n) == 0 }

func pick[T any](d *draw, list []T) T { return list[d.IntN(len(list))] }
