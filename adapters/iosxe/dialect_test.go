package iosxe_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/adapters/dialecttest"
	"github.com/sluice-gateway/sluice/adapters/iosxe"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

var dialect iosxe.Dialect

var (
	udp  = dialecttest.One(17)
	tcp  = dialecttest.One(6)
	ping = dialecttest.One(1)
	dns  = dialecttest.One(53)
)

var suite = dialecttest.Suite{
	Dialect: dialect, Profile: "cisco-iosxe", AloneOnly: true,
	Match: sayable,
	Do: func(t *rapid.T, _ filter.Filter, _ filter.Match) filter.Do {
		return filter.Do{Discard: rapid.Bool().Draw(t, "discard")}
	},
	Busy: busy, Refused: refused, RefusedIPv6: refusedIPv6,
	Hostile: hostile, Spoilt: spoilt,
	Seeds: []string{
		list("deny tcp 198.51.100.0 0.0.0.255 gt 1023 any neq www match-any +syn -ack dscp af11"), list("deny icmp any any echo"),
		"ipv6 access-list sluice-v6\n remark a sequence 10001000\n deny ipv6 any 2001:DB8::/32 flow-label 5 sequence 10001001\n permit ipv6 any any sequence 2147483640\n!\n",
	},
	Router: routers, Says: func(e filter.Entry) string { return e.Name + " " + does(e.Do) }, Rest: func(filter.Filter) string { return "permit" },
	Grammar:    keepsToGrammar,
	Documented: map[string][]string{"2-syn-flood": {"text", "attach"}, "4-ipv6": {"attach"}},
	Edits: &dialecttest.Edits{
		Edit: dialect.Edit, Inner: "<access-list-seq-rule", Operations: 2,
		Device: func() dialecttest.Device {
			return &dialecttest.Store{Keys: map[string]string{"extended": "name", "named-acl": "name", "access-list-seq-rule": "sequence"}}
		},
		Repairs: map[[2]string]bool{
			{"eq 53", "eq 54"}:                                             false,
			{"10001001 deny", "10001001 permit"}:                           false,
			{"8 0\n", "8 0 log\n"}:                                         true,
			{"10000000 permit ip", "10000000 permit udp"}:                  true,
			{"10003001 deny", "10003005 deny"}:                             true,
			{" 2147483640 permit ip any any\n", ""}:                        true,
			{" 10000000 permit ip any any fragments\n", ""}:                true,
			{"10001000 remark r-0000000000000001", "10001000 remark ours"}: false,
		},
	},
}

func TestDialect(t *testing.T) { dialecttest.Run(t, suite) }

func FuzzParse(f *testing.F) {
	for text := range hostile {
		f.Add([]byte(text))
	}
	dialecttest.Fuzz(f, suite)
}

// sayable draws a match that the language can say, guarded as a planner does it.
func sayable(t *rapid.T, f filter.Filter) filter.Match {
	v := f.Version
	m := filter.Match{
		Dst: dialecttest.Prefix(t, "dst", v), Src: dialecttest.Prefix(t, "src", v), DSCP: dialecttest.MaybeOne(t, "dscp", 0, 63), Proto: dialecttest.MaybeOne(t, "proto", 1, 255),
	}
	if v == packet.IPv6 {
		m.Label = dialecttest.MaybeOne(t, "label", 0, 1<<20-1)
		if m.Proto != nil && slices.Contains(extensionHeaders, m.Proto[0].Lo) {
			m.Proto = nil
		}
	}
	switch rapid.IntRange(0, 6).Draw(t, "kind") {
	case 0, 1:
		m.Proto = dialecttest.One(rapid.SampledFrom([]uint32{6, 17}).Draw(t, "transport"))
		m.DstPort, m.SrcPort = ports(t, "dst-port", v), ports(t, "src-port", v)
	case 2:
		m.Proto = ping
		if v == packet.IPv6 {
			m.Proto = dialecttest.One(58)
		}
		if m.ICMPType = dialecttest.MaybeOne(t, "icmp-type", 0, 255); m.ICMPType != nil {
			m.ICMPCode = dialecttest.MaybeOne(t, "icmp-code", 0, 255)
		}
	case 3:
		if v == packet.IPv4 {
			m.Proto = tcp
			bits := rapid.SampledFrom([]uint16{1, 2, 0x12, 0x3f}).Draw(t, "bits")
			m.Flags = rapid.SampledFrom([][]filter.FlagTerm{{{Set: bits}}, {{Set: 0x20, Clear: bits & 0x1f}}, {{Set: 2}, {Clear: 0x10}, {Set: 4}}}).Draw(t, "flags")
		}
	case 4:
		m.Fragments = 0xcc
	case 5:
		m.Fragments = packet.OffsetZero
	}
	if v == packet.IPv6 {
		m.Fragments &= 0x0f
	}
	return filter.Guard(m, v, dialect.Semantics())
}

// extensionHeaders are no protocols of packets, but lines take packets that have them.
var extensionHeaders = []uint32{0, 43, 44, 51, 60, 135, 139, 140}

// ports draws one range, all ports but one or, in IPv4, up to ten ports.
func ports(t *rapid.T, name string, v packet.Version) packet.Values {
	if rapid.IntRange(0, 5).Draw(t, name+": all but one") == 0 {
		return dialecttest.One(rapid.Uint32Range(0, 65535).Draw(t, "port")).Not(65535)
	}
	if v == packet.IPv6 || rapid.Bool().Draw(t, name+": a range") {
		return dialecttest.MaybeSpan(t, name, 0, 65535)
	}
	vs := packet.Values{}
	for range rapid.IntRange(1, 10).Draw(t, name) {
		vs = vs.Or(dialecttest.One(rapid.Uint32Range(0, 32767).Draw(t, "port") * 2)) // no two side by side, which would be a range
	}
	return vs
}

// busy is a filter with one of everything.
func busy() filter.Filter {
	dst, src := netip.MustParsePrefix("203.0.113.9/32"), netip.MustParsePrefix("198.51.100.0/24")
	entry := func(n int, m filter.Match, do filter.Do) filter.Entry {
		id := fmt.Sprintf("%016x", n)
		return filter.Entry{Name: "r-" + id, Rule: flowspec.ID(id), Match: m, Do: do, Counter: "r-" + id}
	}
	zero := packet.OffsetZero
	return filter.Filter{
		Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Alone,
		Entries: []filter.Entry{
			entry(1, filter.Match{Dst: &dst, Proto: tcp, Flags: []filter.FlagTerm{{Set: 2, Clear: 0x10}}, Fragments: zero}, filter.Do{Discard: true}),
			entry(2, filter.Match{Src: &src, Proto: udp, SrcPort: dns, DstPort: packet.Values{{Lo: 1024, Hi: 2048}}, Fragments: zero}, filter.Do{}),
			entry(3, filter.Match{Proto: ping, ICMPType: dialecttest.One(8), ICMPCode: dialecttest.One(0), Fragments: zero}, filter.Do{Discard: true}),
			entry(4, filter.Match{Proto: udp, DstPort: packet.Values{{Lo: 19, Hi: 19}, {Lo: 123, Hi: 123}}, Fragments: zero}, filter.Do{Discard: true}),
			entry(5, filter.Match{DSCP: dialecttest.One(46)}, filter.Do{}),
		},
	}
}
