package iosxr_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/adapters/dialecttest"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

var (
	udp  = packet.Values{{Lo: 17, Hi: 17}}
	tcp  = packet.Values{{Lo: 6, Hi: 6}}
	ping = packet.Values{{Lo: 1, Hi: 1}}
	dns  = packet.Values{{Lo: 53, Hi: 53}}
)

// busy is a filter with one of everything.
func busy() filter.Filter {
	dst := netip.MustParsePrefix("203.0.113.9/32")
	return filter.Filter{
		Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Alone,
		Entries: []filter.Entry{
			{Name: "r-0000000000000001", Rule: "0000000000000001", Match: filter.Match{Dst: &dst, Proto: tcp, Flags: []filter.FlagTerm{{Set: 2, Clear: 0x10}}, Fragments: packet.OffsetZero}, Do: filter.Do{Discard: true}, Counter: "r-0000000000000001"},
			{Name: "r-0000000000000002", Rule: "0000000000000002", Match: filter.Match{Src: &dst, Proto: udp, SrcPort: dns, Length: packet.Values{{Lo: 400, Hi: 1500}}, Fragments: packet.OffsetZero}, Do: filter.Do{}},
			{Name: "r-0000000000000003", Rule: "0000000000000003", Match: filter.Match{Proto: ping, ICMPType: packet.Values{{Lo: 8, Hi: 8}}, Fragments: packet.OffsetZero}, Do: filter.Do{Discard: true}},
			{Name: "r-0000000000000004", Rule: "0000000000000004", Match: filter.Match{DSCP: packet.Values{{Lo: 46, Hi: 46}}}, Do: filter.Do{Redirect: &flowspec.Redirect{Form: flowspec.NextHopIETFv4, Addr: netip.MustParseAddr("192.0.2.9")}}},
		},
	}
}

var (
	two  = packet.Values{{Lo: 53, Hi: 53}, {Lo: 123, Hi: 123}}
	mark = uint8(8)
	hop  = netip.MustParseAddr("192.0.2.9")
)

// refused is what an access list cannot say.
var refused = map[string]dialecttest.Spoil{
	"entry r-0000000000000001: protocol: a line with ports begins with tcp or udp":               dialecttest.Matching(filter.Match{SrcPort: dns, Fragments: packet.OffsetZero}),
	"protocol: a line with TCP flags begins with tcp":                                            func(_ *filter.Filter, m *filter.Match, _ *filter.Do) { m.Proto = udp },
	"protocol: a line with an ICMP type begins with icmp":                                        dialecttest.Matching(filter.Match{Proto: udp, ICMPType: dns, Fragments: packet.OffsetZero}),
	"icmp-code: a line takes a code only behind a type":                                          dialecttest.Matching(filter.Match{Proto: ping, ICMPCode: packet.Values{{}}, Fragments: packet.OffsetZero}),
	"icmp-type: a line takes one number, and no range":                                           dialecttest.Matching(filter.Match{Proto: ping, ICMPType: packet.Values{{Lo: 1, Hi: 2}}, Fragments: packet.OffsetZero}),
	"protocol: a line takes one number, and no range":                                            dialecttest.Matching(filter.Match{Proto: packet.Values{{Lo: 1, Hi: 2}}}),
	"protocol: a line takes one number or one range, not 2 of them":                              dialecttest.Matching(filter.Match{Proto: two}),
	"source-port: a line takes one number or one range, not 2 of them":                           dialecttest.Matching(filter.Match{Proto: udp, SrcPort: two, Fragments: packet.OffsetZero}),
	"destination-port: no number is left, the entry matches nothing":                             dialecttest.Matching(filter.Match{Proto: udp, DstPort: packet.Values{}, Fragments: packet.OffsetZero}),
	"packet-length: a line takes one number or one range":                                        dialecttest.Matching(filter.Match{Length: two}),
	"dscp: no number is left, the entry matches nothing":                                         dialecttest.Matching(filter.Match{DSCP: packet.Values{}}),
	"port: a line has a source port and a destination port":                                      dialecttest.Matching(filter.Match{Proto: udp, Port: dns, Fragments: packet.OffsetZero}),
	"fragment: an entry with ports, flags or ICMP must ask for fragment offset 0":                func(_ *filter.Filter, m *filter.Match, _ *filter.Do) { m.Fragments = 0 },
	"fragment: no condition of IOS XR says just this; write its states":                          dialecttest.Matching(filter.Match{Fragments: 0x11}), // whole packets
	"fragment: no condition of IOS XR says just this":                                            dialecttest.Matching(filter.Match{Fragments: 0x44}), // middle fragments
	"fragment: no condition of IOS XR says just this; write its states in entries of their own,": dialecttest.Matching(filter.Match{Fragments: 0xf0}), // beside ports of other entries
	"tcp-flags: bits 0x0040; a line names the six bits":                                          func(_ *filter.Filter, m *filter.Match, _ *filter.Do) { m.Flags = []filter.FlagTerm{{Set: 0x40}} },
	"tcp-flags: one of the terms lets every packet through":                                      func(_ *filter.Filter, m *filter.Match, _ *filter.Do) { m.Flags = []filter.FlagTerm{{Set: 2}, {}} },
	"tcp-flags: no packet has a flag set and clear at once":                                      func(_ *filter.Filter, m *filter.Match, _ *filter.Do) { m.Flags = []filter.FlagTerm{{Set: 2, Clear: 2}} },
	"tcp-flags: a line takes one term of several flags or several terms of one flag":             func(_ *filter.Filter, m *filter.Match, _ *filter.Do) { m.Flags = []filter.FlagTerm{{Set: 3}, {Set: 4}} },
	"mark: an access list sets no DSCP":                                                          dialecttest.Doing(filter.Do{Mark: &mark}),
	"sample: a line samples nothing":                                                             dialecttest.Doing(filter.Do{Sample: true}),
	"continue: the first line that matches ends the evaluation":                                  dialecttest.Doing(filter.Do{Continue: true}),
	"redirect: a line names a VRF, and which one imports a route target is not known here":       dialecttest.Doing(filter.Do{Redirect: &flowspec.Redirect{Form: flowspec.RedirectAS2}}),
	"redirect: a line sends the packet itself to the next hop, not a copy":                       dialecttest.Doing(filter.Do{Redirect: &flowspec.Redirect{Form: flowspec.NextHopIETFv4, Addr: hop, Copy: true}}),
	"redirect: a line that denies sends packets nowhere":                                         dialecttest.Doing(filter.Do{Discard: true, Redirect: &flowspec.Redirect{Form: flowspec.NextHopIETFv4, Addr: hop}}),
	"redirect: next hop 2001:db8::1 is not of the filter's IP version":                           dialecttest.Doing(filter.Do{Redirect: &flowspec.Redirect{Form: flowspec.NextHopIETFv6, Addr: netip.MustParseAddr("2001:db8::1")}}),
	"entry r-0000000000000001: policer: an access list does not police":                          dialecttest.Limiting(filter.Policer{Rate: flowspec.Rate{Amount: 1250, Unit: flowspec.Bytes}, Burst: 15000}),
	`name "r_1": want letters, digits and hyphens only`:                                          func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Entries[0].Name = "r_1" },
	`counter: name "a b": want letters, digits`:                                                  func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Entries[0].Counter = "a b" },
	"want 1 to 64 characters":                                                                    func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Name = "sluice-" + strings.Repeat("x", 60) },
	"two entries are named r-0000000000000002":                                                   func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Entries[0].Name = "r-0000000000000002" },
}

var refusedIPv6 = map[string]filter.Entry{
	"flow-label: an access list has no such condition":                            {Match: filter.Match{Label: dns}},
	"protocol: a line with an ICMP type begins with icmpv6":                       {Match: filter.Match{Proto: ping, ICMPType: dns, Fragments: packet.OffsetZero}},
	"fragment: no condition of IOS XR says just this; write its states":           {Match: filter.Match{Fragments: 0x02}},
	"fragment: an entry with ports, flags or ICMP must ask for fragment offset 0": {Match: filter.Match{Proto: udp, SrcPort: dns}},
}

// In front of the operator's list nothing takes later fragments out of the way.
func TestRefusalsBefore(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		v    packet.Version
		m    filter.Match
		want string
	}{
		{packet.IPv6, filter.Match{Proto: udp, SrcPort: dns, Fragments: 0x03}, "that a deny leaves them alone is documented for IPv4 only"},
		{packet.IPv6, filter.Match{Fragments: 0x03}, "no condition of IOS XR says just this in front of another list"},
		{packet.IPv4, filter.Match{Fragments: 0x11}, "no condition of IOS XR says just this in front of another list"},
	} {
		f := filter.Filter{Name: "sluice-x", Version: c.v, Placement: filter.Before, Entries: []filter.Entry{{Name: "a", Match: c.m, Do: filter.Do{Discard: true}}}}
		if _, err := dialect.Render(f); err == nil || !strings.Contains(err.Error(), "entry a: fragment: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v\nwant an error with %q", err, c.want)
		}
	}
}

func prefixOf(s string) *netip.Prefix {
	p := netip.MustParsePrefix(s)
	return &p
}
