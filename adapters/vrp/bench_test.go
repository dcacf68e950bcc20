package vrp_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// large is a filter of n entries as attacks make them: answers from a port, and a tenth of them hosts whose packets are all discarded.
func large(n int) filter.Filter {
	f := filter.Filter{Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Alone}
	for i := range n {
		dst := netip.PrefixFrom(netip.AddrFrom4([4]byte{203, 0, byte(i >> 8), byte(i)}), 32)
		id := fmt.Sprintf("%016x", i)
		e := filter.Entry{Name: "r-" + id, Rule: flowspec.ID(id), Counter: "r-" + id, Do: filter.Do{Discard: true}}
		e.Match = filter.Match{Dst: &dst, Proto: udp, SrcPort: one(53), Length: span(400, 65535), Fragments: packet.OffsetZero}
		if i%10 == 0 {
			e.Match = filter.Match{Src: &dst}
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
	for name, form := range map[string][]byte{"text": []byte(r.Text), "XML": r.Payload} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(form)))
			for b.Loop() {
				if _, err := dialect.Parse(form); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// One entry more among ten thousand.
func BenchmarkEdit10k(b *testing.B) {
	r, err := dialect.Render(large(entries - 1))
	if err != nil {
		b.Fatal(err)
	}
	have, err := dialect.Parse(r.Payload)
	if err != nil {
		b.Fatal(err)
	}
	want := large(entries)
	want.Entries = slices.Insert(want.Entries[:entries-1], 5000, want.Entries[entries-1])
	b.ReportAllocs()
	for b.Loop() {
		edit, err := dialect.Edit(have, []filter.Filter{want})
		if err != nil || len(edit) == 0 || len(edit) > 2000 {
			b.Fatal(len(edit), err)
		}
	}
}
