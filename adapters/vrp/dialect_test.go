package vrp_test

import (
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/adapters/dialecttest"
	"github.com/sluice-gateway/sluice/adapters/vrp"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

var dialect vrp.Dialect

// suite has no entries that share a policer, which must stand together here (TestEntriesThatShareAPolicer), and no edits: an entry is part of several objects (edit_test.go).
var suite = dialecttest.Suite{
	Dialect: dialect, Profile: "huawei-vrp", AloneOnly: true, OnePolicerEach: true,
	Match: match, Do: action, Policer: policer, Many: many,
	Busy: busy, Refused: refused, RefusedIPv6: refusedIPv6, Hostile: hostile, Spoilt: spoilt, Seeds: seeds,
	Router: router, Says: says, Rest: func(filter.Filter) string { return "permit" },
	Grammar:    grammar,
	Documented: map[string][]string{"1-reflection": {"text", "attach"}},
}

func TestDialect(t *testing.T)   { dialecttest.Run(t, suite) }
func FuzzParse(f *testing.F)     { dialecttest.Fuzz(f, suite) }
func says(e filter.Entry) string { return e.Name + " " + does(e.Do) }

// policer draws one of whole kilobits/s, as near as a float32 gets.
func policer(t *rapid.T) filter.Policer {
	kilobits := rapid.OneOf(rapid.IntRange(1, 100_000), rapid.IntRange(1, 4_294_000_000)).Draw(t, "kilobits")
	return filter.Policer{Rate: flowspec.Rate{Amount: float32(125 * float64(kilobits)), Unit: flowspec.Bytes}, Burst: rapid.Uint64Range(1, 1<<32-1).Draw(t, "burst")}
}

// many draws a filter that takes several classifiers of one kind now and then.
func many(t *rapid.T, _ packet.Version) (int, func(filter.Match) filter.Match) {
	if rapid.IntRange(0, 60).Draw(t, "many") > 0 {
		return 0, nil
	}
	return rapid.IntRange(65, 200).Draw(t, "how many"), func(m filter.Match) filter.Match { return m }
}

// action draws what an entry can do: mostly discarding, so that entries share a classifier.
func action(t *rapid.T, f filter.Filter, _ filter.Match) filter.Do {
	var do filter.Do
	switch rapid.IntRange(0, 9).Draw(t, "action") {
	case 0, 1, 2, 3:
		return filter.Do{Discard: true}
	case 4:
		do.Policer = "one"
	case 5:
		mark := rapid.Uint8Range(0, 63).Draw(t, "mark")
		do.Mark = &mark
	case 6:
		do.Redirect = dialecttest.NextHop(f.Version)
	case 7:
		mark := rapid.Uint8Range(0, 63).Draw(t, "mark")
		do.Mark, do.Policer, do.Redirect = &mark, "one", dialecttest.NextHop(f.Version)
	}
	return do
}

// match draws what the language can say, guarded as a planner does it, and no line that an entry of f has: two of those are in two classifiers, and come together when one of
// them changes (TestALineIsSaidOnce).
func match(t *rapid.T, f filter.Filter) filter.Match {
	m := anyMatch(t, f.Version)
	unfragmented := func(m filter.Match) packet.Set {
		m.Fragments = 0
		return m.Set(f.Version, dialect.Semantics())
	}
	for _, e := range f.Entries {
		if unfragmented(e.Match).Equal(unfragmented(m)) {
			p := netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 51, 100, byte(len(f.Entries))}), 32)
			if f.Version == packet.IPv6 {
				p = netip.PrefixFrom(netip.AddrFrom16([16]byte{0: 0x20, 1: 0x02, 15: byte(len(f.Entries))}), 128)
			}
			m.Src = &p
		}
	}
	return m
}

// anyMatch draws one value of each condition, without the things that doc.go lists.
func anyMatch(t *rapid.T, v packet.Version) filter.Match {
	m := filter.Match{Dst: dialecttest.Prefix(t, "dst", v), Src: dialecttest.Prefix(t, "src", v), DSCP: dialecttest.MaybeOne(t, "dscp", 0, 63)}
	if v == packet.IPv6 {
		m.Fragments = rapid.SampledFrom([]packet.Frags{0, 0, 0x0c}).Draw(t, "fragments")
		return m
	}
	m.Length, m.Proto = dialecttest.MaybeSpan(t, "length", 0, 65535), dialecttest.MaybeOne(t, "proto", 1, 255)
	switch rapid.IntRange(0, 5).Draw(t, "kind") {
	case 0, 1:
		m.Proto = rapid.SampledFrom([]packet.Values{tcp, udp}).Draw(t, "transport")
		m.DstPort, m.SrcPort = dialecttest.MaybeSpan(t, "dst-port", 0, 65535), dialecttest.MaybeSpan(t, "src-port", 0, 65535)
	case 2:
		m.Proto, m.ICMPType = ping, dialecttest.MaybeOne(t, "icmp-type", 0, 255)
		if m.ICMPType != nil {
			m.ICMPCode = dialecttest.MaybeOne(t, "icmp-code", 0, 255)
		}
	case 3:
		m.Proto = tcp
		set := rapid.Uint16Range(0, 0x3f).Draw(t, "set")
		m.Flags = []filter.FlagTerm{{Set: set, Clear: rapid.Uint16Range(0, 0x3f).Draw(t, "clear") &^ set}}
	case 4:
		m.Fragments = rapid.SampledFrom([]packet.Frags{0x11, 0x22, 0x33, 0xcc, 0xdd, 0xee}).Draw(t, "fragments")
	}
	return filter.Guard(m, v, dialect.Semantics())
}
