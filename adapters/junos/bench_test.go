package junos_test

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// large is a filter of n entries as attacks make them: reflections with a list of ports, and a tenth of them limited.
func large(n int) filter.Filter {
	f := filter.Filter{Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Alone}
	for i := range n {
		dst := netip.PrefixFrom(netip.AddrFrom4([4]byte{203, 0, byte(i >> 8), byte(i)}), 32)
		id := fmt.Sprintf("%016x", i)
		e := filter.Entry{Name: "r-" + id, Rule: flowspec.ID(id), Counter: "r-" + id, Do: filter.Do{Discard: true}}
		e.Match = filter.Match{Dst: &dst, Proto: udp, SrcPort: packet.Values{{Lo: 19, Hi: 19}, {Lo: 53, Hi: 53}, {Lo: 123, Hi: 123}, {Lo: 1900, Hi: 1910}}, Length: packet.Values{{Lo: 400, Hi: 65535}}, Fragments: packet.OffsetZero}
		if i%10 == 0 {
			e.Do = filter.Do{Policer: "sluice-r-" + id}
			f.Policers = append(f.Policers, filter.Policer{Name: e.Do.Policer, Rate: flowspec.Rate{Amount: 1250000, Unit: flowspec.Bytes}, Burst: 125000})
		}
		f.Entries = append(f.Entries, e)
	}
	return f
}

const entries = 10_000

func BenchmarkRender10k(b *testing.B) {
	f := large(entries)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := dialect.Render(f); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParse10k(b *testing.B) {
	r, err := dialect.Render(large(entries))
	if err != nil {
		b.Fatal(err)
	}
	for name, form := range map[string][]byte{"xml": r.Payload, "text": []byte(r.Text)} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(form)))
			b.ReportAllocs()
			for b.Loop() {
				if got, err := dialect.Parse(form); err != nil || len(got[0].Entries) != entries {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkProve10k is parse(render(f)) proven the same as f: what happens before every apply.
func BenchmarkProve10k(b *testing.B) {
	f := large(entries)
	r, err := dialect.Render(f)
	if err != nil {
		b.Fatal(err)
	}
	got, err := dialect.Parse(r.Payload)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := filter.Same(f, got[0], dialect.Semantics()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEdit10k(b *testing.B) {
	f := large(entries)
	changed := f
	changed.Entries = f.Entries[:entries-1]
	for b.Loop() {
		if _, err := dialect.Edit([]filter.Filter{f}, []filter.Filter{changed}); err != nil {
			b.Fatal(err)
		}
	}
}
