package iosxr_test

import (
	"net/netip"
	"testing"

	"github.com/sluice-gateway/sluice/adapters/dialecttest"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

func BenchmarkTenThousand(b *testing.B) {
	dialecttest.Bench(b, dialect, func(dst netip.Prefix) filter.Match {
		return filter.Match{Dst: &dst, Proto: udp, SrcPort: dns, Length: packet.Values{{Lo: 400, Hi: 65535}}, Fragments: packet.OffsetZero}
	}, 2000)
}
