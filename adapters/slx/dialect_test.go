package slx_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/adapters/dialecttest"
	"github.com/sluice-gateway/sluice/adapters/slx"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

var dialect slx.Dialect

var suite = dialecttest.Suite{
	Dialect: dialect, Profile: "extreme-slx", AloneOnly: true,
	Match: match, Do: action,
	Busy: busy, Refused: refused, RefusedIPv6: refusedIPv6, Hostile: hostile, Spoilt: spoilt,
	Seeds: []string{
		"! seq 5 is r-1\nip access-list extended sluice-v4\n seq 10 deny tcp 198.51.100.0/24 any\n seq 5 permit 47 host 192.0.2.1 any count\n seq 65535 permit ip any any\n",
		"ipv6 access-list extended sluice-v6\n seq 65535 permit ipv6 any any\n seq 1 deny ipv6 host 2001:db8::1 any\n",
	},
	Router: router, Grammar: grammar,
	Documented: map[string][]string{"1-discard": {"text", "attach"}},
}

func TestDialect(t *testing.T) { dialecttest.Run(t, suite) }

func FuzzParse(f *testing.F) { dialecttest.Fuzz(f, suite) }

// action draws what a line can do.
func action(t *rapid.T, _ filter.Filter, _ filter.Match) filter.Do {
	return filter.Do{Discard: rapid.Bool().Draw(t, "discard")}
}

// match draws what a line can say.
func match(t *rapid.T, f filter.Filter) filter.Match {
	m := filter.Match{Src: dialecttest.Prefix(t, "src", f.Version)}
	if f.Version == packet.IPv6 {
		m.Fragments = rapid.SampledFrom([]packet.Frags{0, 0x0f, packet.AnyFrags}).Draw(t, "all fragments")
		return m
	}
	m.Dst, m.Proto = dialecttest.Prefix(t, "dst", f.Version), dialecttest.MaybeOne(t, "proto", 1, 255)
	m.Fragments = rapid.SampledFrom([]packet.Frags{0, packet.AnyFrags}).Draw(t, "all fragments")
	return m
}
