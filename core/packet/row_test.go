package packet

import (
	"net/netip"
	"testing"

	"pgregory.net/rapid"
)

// What a Row makes, in memory that was used before, is what is made without one.
func TestRowMakesWhatIsMadeWithoutIt(t *testing.T) {
	t.Parallel()
	var row Row
	rapid.Check(t, func(t *rapid.T) {
		row.Reset()
		var got, want []Set
		for range rapid.IntRange(1, 5).Draw(t, "sets") {
			var made, plain []Box
			for range rapid.IntRange(0, 2).Draw(t, "boxes") {
				var spans []Span
				for range rapid.IntRange(0, 4).Draw(t, "spans") {
					spans = append(spans, Span{rapid.Uint32Range(0, 300).Draw(t, "lo"), rapid.Uint32Range(0, 300).Draw(t, "hi")})
				}
				p := netip.PrefixFrom(netip.MustParseAddr("203.0.113.9"), rapid.SampledFrom([]int{-1, 0, 24, 32}).Draw(t, "bits"))
				b := Everything(rapid.SampledFrom([]Version{IPv4, IPv6}).Draw(t, "version"))
				c := b
				b.SrcPort, c.SrcPort = row.Values(spans...), NewValues(spans...)
				b.Dst, c.Dst = row.AddrsIn(p), AddrsIn(p)
				if !b.SrcPort.equal(c.SrcPort) || !b.Dst.equal(c.Dst) {
					t.Fatalf("%v and %v, want %v and %v", b.SrcPort, b.Dst, c.SrcPort, c.Dst)
				}
				for n := range uint32(310) {
					in := false
					for _, s := range spans {
						in = in || s.Lo <= n && n <= s.Hi
					}
					if b.SrcPort.Has(n) != in {
						t.Fatalf("%d in %v, made of %v: %v", n, b.SrcPort, spans, !in)
					}
				}
				made, plain = append(made, b), append(plain, c)
			}
			got, want = append(got, row.Of(made...)), append(want, Of(plain...))
		}
		for i := range got {
			if !got[i].Identical(want[i]) {
				t.Fatalf("got %v, want %v", got[i], want[i])
			}
		}
	})
}
