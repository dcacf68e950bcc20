package sros_test

import (
	"strings"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/adapters/dialecttest"
	"github.com/sluice-gateway/sluice/adapters/sros"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

var dialect sros.Dialect

var suite = dialecttest.Suite{
	Dialect: dialect, Profile: "nokia-sros",
	Match: match, Do: action, Policer: policer,
	Busy: busy, Refused: refused, RefusedIPv6: refusedIPv6, Hostile: hostile,
	Seeds:  []string{one("match { \n protocol tcp \n tcp-flags { \n ack false \n } \n fragment false \n }")},
	Router: router, Says: says, Rest: func(filter.Filter) string { return "accept" },
	Documented: map[string][]string{"2-syn-flood": {"text", "attach"}, "4-before": {"attach"}},
	Edits: &dialecttest.Edits{
		Edit: dialect.Edit, Inner: "<entry", Device: newDevice, Operations: 1,
		Repairs: map[[2]string]bool{
			{"eq 53", "eq 54"}:                               false,
			{"drop", "accept"}:                               false,
			{"pir 10000", "pir 20000"}:                       false,
			{"scope template", "scope embedded"}:             true,
			{"default-action accept", "default-action drop"}: true,
			{"entry 3001", "entry 3005"}:                     true,
			{"eq 53", "port-list \"web\""}:                   true,
			{"drop", "drop\nfc ef"}:                          true,
		},
	},
}

func TestDialect(t *testing.T) {
	asked, zeros := new(atomic.Int64), new(atomic.Int64) // packets, and later fragments that met filters which tell them by first-only
	s := suite
	s.Router = func(f filter.Filter, text string, h packet.Header) []string {
		asked.Add(1)
		if strings.Contains(text, "fragment first-only") && h.Fragment >= packet.Middle {
			zeros.Add(1)
		}
		return router(f, text, h)
	}
	dialecttest.Run(t, s)
	t.Cleanup(func() {
		if asked.Load() > 0 && zeros.Load() == 0 {
			t.Error("no later fragment met a filter that tells them by first-only")
		}
	})
}

func FuzzParse(f *testing.F) { dialecttest.Fuzz(f, suite) }

// policer draws one of whole kilobits/s, as near as a float32 gets.
func policer(t *rapid.T) filter.Policer {
	kilobits := rapid.OneOf(rapid.IntRange(1, 100_000), rapid.IntRange(1, 2_000_000_000)).Draw(t, "kilobits")
	return filter.Policer{Rate: flowspec.Rate{Amount: float32(125 * float64(kilobits)), Unit: flowspec.Bytes}, Burst: rapid.Uint64Range(1, 1<<28).Draw(t, "burst")}
}

// action draws what an entry can do in that placement.
func action(t *rapid.T, f filter.Filter, _ filter.Match) filter.Do {
	if f.Placement == filter.Before {
		return filter.Do{Discard: true}
	}
	switch rapid.IntRange(0, 5).Draw(t, "action") {
	case 0, 1:
		return filter.Do{Discard: true}
	case 2:
		return filter.Do{Policer: "one"}
	case 3:
		mark := rapid.Uint8Range(0, 63).Draw(t, "mark")
		return filter.Do{Mark: &mark}
	case 4:
		return filter.Do{Redirect: dialecttest.NextHop(f.Version)}
	}
	return filter.Do{}
}

// match draws what the language can say, guarded as a planner does it: one value of each condition, without the things that doc.go lists.
func match(t *rapid.T, f filter.Filter) filter.Match {
	v, least := f.Version, uint32(0)
	m := filter.Match{Dst: dialecttest.Prefix(t, "dst", v), Src: dialecttest.Prefix(t, "src", v), Length: dialecttest.MaybeSpan(t, "length", 0, 65535), Proto: dialecttest.MaybeOne(t, "proto", 0, 255)}
	if v == packet.IPv6 {
		least = 1 // one of the conditions on a transport header must not hold for zero
		m.DSCP = dialecttest.MaybeOne(t, "dscp", 0, 63)
		if m.Length != nil && (m.Length[0].Lo < 41 || m.Length[0].Lo == 65535) {
			m.Length = packet.Values{{Lo: 400, Hi: m.Length[0].Hi | 0x400}}
		}
	}
	ports := func(name string) packet.Values { return dialecttest.MaybeSpan(t, name, least, 65535) }
	switch rapid.IntRange(0, 7).Draw(t, "kind") {
	case 0, 1:
		m.Proto = rapid.SampledFrom([]packet.Values{tcp, udp, tcp.Or(udp)}).Draw(t, "transport")
		m.DstPort, m.SrcPort = ports("dst-port"), ports("src-port")
	case 2:
		m.Proto, m.Port = udp, ports("port")
	case 3:
		m.Proto = ping
		if v == packet.IPv6 {
			m.Proto = dialecttest.One(58)
		}
		m.ICMPType, m.ICMPCode = dialecttest.MaybeOne(t, "icmp-type", least, 255), dialecttest.MaybeOne(t, "icmp-code", least, 255)
	case 4:
		m.Proto = tcp
		set := uint16(rapid.Uint16Range(uint16(least), 0x1ff).Draw(t, "set"))
		m.Flags = []filter.FlagTerm{{Set: set, Clear: rapid.Uint16Range(0, 0x1ff).Draw(t, "clear") &^ set}}
	case 5:
		m.Fragments = 0xcc
	case 6:
		if v == packet.IPv4 {
			m.Fragments = rapid.SampledFrom([]packet.Frags{0x11, 0x22, 0x33, 0xdd, 0xee}).Draw(t, "fragments")
		}
	}
	if v == packet.IPv6 {
		m.Fragments &= 0x0f
	}
	return filter.Guard(m, v, dialect.Semantics())
}
