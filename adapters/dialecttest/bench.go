package dialecttest

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// benchEntries is how many entries the filters of Bench have.
const benchEntries = 10_000

// Editor is a dialect that changes filters that are there.
type Editor interface {
	filter.Dialect
	Edit(have, want []filter.Filter) ([]byte, error)
}

// Bench measures what a filter of ten thousand entries costs, as attacks make them: answers from a port, each as match says for its destination, and a tenth of them hosts whose packets are all
// discarded. It fails where one entry more is an edit of more than most octets.
func Bench(b *testing.B, d Editor, match func(dst netip.Prefix) filter.Match, most int) {
	r, err := d.Render(Attack(benchEntries, match))
	if err != nil {
		b.Fatal(err)
	}
	b.Run("Render", func(b *testing.B) {
		f := Attack(benchEntries, match)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := d.Render(f); err != nil {
				b.Fatal(err)
			}
		}
	})
	for name, form := range map[string][]byte{"text": []byte(r.Text), "XML": r.Payload} {
		b.Run("Parse/"+name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(form)))
			for b.Loop() {
				if _, err := d.Parse(form); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("Edit", func(b *testing.B) { benchEdit(b, d, match, most) })
}

// benchEdit measures one entry more among ten thousand.
func benchEdit(b *testing.B, d Editor, match func(dst netip.Prefix) filter.Match, most int) {
	r, err := d.Render(Attack(benchEntries-1, match))
	if err != nil {
		b.Fatal(err)
	}
	have, err := d.Parse(r.Payload)
	if err != nil {
		b.Fatal(err)
	}
	want := Attack(benchEntries, match)
	want.Entries = slices.Insert(want.Entries[:benchEntries-1], benchEntries/2, want.Entries[benchEntries-1])
	b.ReportAllocs()
	for b.Loop() {
		edit, err := d.Edit(have, []filter.Filter{want})
		if err != nil || len(edit) == 0 || len(edit) > most {
			b.Fatal(len(edit), err)
		}
	}
}

// Attack is a filter of n IPv4 entries as attacks make them: see Bench.
func Attack(n int, match func(dst netip.Prefix) filter.Match) filter.Filter {
	f := filter.Filter{Name: filter.Mark + "v4", Version: packet.IPv4, Placement: filter.Alone}
	for i := range n {
		host := netip.PrefixFrom(netip.AddrFrom4([4]byte{203, 0, byte(i >> 8), byte(i)}), 32)
		id := fmt.Sprintf("%016x", i)
		e := filter.Entry{Name: "r-" + id, Rule: flowspec.ID(id), Counter: "r-" + id, Do: filter.Do{Discard: true}, Match: match(host)}
		if i%10 == 0 {
			e.Match = filter.Match{Src: &host}
		}
		f.Entries = append(f.Entries, e)
	}
	return f
}
