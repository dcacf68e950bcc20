package cli_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/adapters/adaptertest"
	"github.com/sluice-gateway/sluice/adapters/cli"
	"github.com/sluice-gateway/sluice/adapters/cli/clitest"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// BenchmarkLoad types lists of growing length at the emulated terminal, which is in this process as well: twice the entries should take twice the time.
func BenchmarkLoad(b *testing.B) {
	d := dialects["EOS access lists"]
	of := func(n int) device.State {
		f := filter.Filter{Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Alone}
		for i := range n {
			f.Entries = append(f.Entries, d.form(adaptertest.PlainEntry(d.Semantics(), i)))
		}
		return device.State{Filters: []filter.Filter{f}}
	}
	for _, n := range []int{1000, 2000, 4000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := start(b, clitest.Options{System: d.system})
			a := cli.New(d.Dialect, cli.Options{})
			b.Cleanup(func() { _ = a.Close() })
			t := target(s)
			t.Timeout = 5 * time.Minute
			have, small, big := device.State{}, of(1), of(n)
			become := func(want device.State) {
				com, err := a.Apply(b.Context(), t, device.Diff(have, want), 10*time.Minute)
				if err == nil {
					err = a.Confirm(b.Context(), t, com)
				}
				if err != nil {
					b.Fatal(err)
				}
				have = want
			}
			for b.Loop() {
				b.StopTimer()
				become(small)
				b.StartTimer()
				become(big)
			}
		})
	}
}
