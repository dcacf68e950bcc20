package vrp_test

import (
	"net/netip"
	"testing"

	"github.com/sluice-gateway/sluice/adapters/dialecttest"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

func large(n int) filter.Filter { return dialecttest.Attack(n, answers) }

// answers are packets of DNS, as an entry for their destination says them.
func answers(dst netip.Prefix) filter.Match {
	return filter.Match{Dst: &dst, Proto: udp, SrcPort: one(53), Length: span(400, 65535), Fragments: packet.OffsetZero}
}

func BenchmarkTenThousand(b *testing.B) { dialecttest.Bench(b, dialect, answers, 2000) }
