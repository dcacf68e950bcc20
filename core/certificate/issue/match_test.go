package issue

import (
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/certificate"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/verify/octets"
	"pgregory.net/rapid"
)

func drawMatch(t *rapid.T, family flowspec.Family) (m filter.Match) {
	values := func(most uint32) packet.Values {
		if rapid.IntRange(0, 2).Draw(t, "asked") > 0 {
			return nil
		}
		var spans []packet.Span
		for range rapid.IntRange(0, 4).Draw(t, "spans") {
			lo := rapid.Uint32Range(0, most).Draw(t, "lo")
			spans = append(spans, packet.Span{Lo: lo, Hi: rapid.SampledFrom([]uint32{lo, min(lo+1, most), most}).Draw(t, "hi")})
		}
		return packet.NewValues(spans...)
	}
	prefix := func() *netip.Prefix {
		if rapid.Bool().Draw(t, "any") {
			return nil
		}
		a := netip.MustParseAddr("203.0.113.77")
		if family == flowspec.IPv6 {
			a = netip.MustParseAddr("2001:db8::4d")
		}
		p := netip.PrefixFrom(a, rapid.IntRange(0, a.BitLen()).Draw(t, "bits")).Masked()
		return &p
	}
	m = filter.Match{Dst: prefix(), Src: prefix(), Proto: values(255), Port: values(65535), DstPort: values(65535), SrcPort: values(65535),
		ICMPType: values(255), ICMPCode: values(255), Length: values(65535), DSCP: values(63)}
	states := packet.Frags(rapid.Byte().Draw(t, "fragments"))
	if family == flowspec.IPv6 {
		m.Label = values(1<<20 - 1)
		states &= 15
	}
	if rapid.Bool().Draw(t, "fragmented") {
		m.Fragments = states
	}
	if rapid.IntRange(0, 3).Draw(t, "flagged") == 0 {
		m.Flags = []filter.FlagTerm{}
		for range rapid.IntRange(0, 3).Draw(t, "terms") {
			m.Flags = append(m.Flags, filter.FlagTerm{Set: rapid.Uint16Range(0, 0xfff).Draw(t, "set"), Clear: rapid.Uint16Range(0, 0xfff).Draw(t, "clear")})
		}
	}
	return m
}

// The checker reads in the NLRI of an entry what the entry matches, whatever its platform looks at by itself.
func TestEntriesAsNLRI(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		family := rapid.SampledFrom([]flowspec.Family{flowspec.IPv4, flowspec.IPv6}).Draw(t, "family")
		m := drawMatch(t, family)
		nlri, err := matchOf(&m, family)
		if err != nil {
			t.Fatal(err)
		}
		yes := func() bool { return rapid.Bool().Draw(t, "looked at") }
		s := filter.Semantics{PortsCheckProtocol: yes(), FlagsCheckProtocol: yes(), ICMPChecksProtocol: yes(), TransportChecksOffset: yes()}
		got, err := octets.ReadMatch(family.String(), hex.EncodeToString(nlri.NLRI()), certificate.Semantics{PortsCheckProtocol: s.PortsCheckProtocol,
			FlagsCheckProtocol: s.FlagsCheckProtocol, ICMPChecksProtocol: s.ICMPChecksProtocol, TransportChecksOffset: s.TransportChecksOffset})
		if want := m.Set(family.Version(), s); err != nil || !got.Set.Equal(want) {
			t.Fatalf("%s: read as %v (%v), the entry matches %v", nlri, got.Set, err, want)
		}
	})
}

// An entry with more values than an NLRI has room for is refused.
func TestEntryTooLong(t *testing.T) {
	t.Parallel()
	var spans []packet.Span
	for n := range uint32(1000) {
		spans = append(spans, packet.Span{Lo: 1000 + 10*n, Hi: 1005 + 10*n})
	}
	if _, err := matchOf(&filter.Match{DstPort: packet.NewValues(spans...)}, flowspec.IPv4); err == nil || !strings.Contains(err.Error(), "4095") {
		t.Errorf("got %v", err)
	}
}
