package nftables_test

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

var (
	udp  = packet.Values{{Lo: 17, Hi: 17}}
	tcp  = packet.Values{{Lo: 6, Hi: 6}}
	icmp = packet.Values{{Lo: 1, Hi: 1}}
	dns  = packet.Values{{Lo: 53, Hi: 53}}
)

// busy is a filter with one of everything.
func busy() filter.Filter {
	dst := netip.MustParsePrefix("203.0.113.9/32")
	return filter.Filter{
		Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Alone,
		Entries: []filter.Entry{
			{Name: "r-0000000000000001", Match: filter.Match{Dst: &dst, Proto: tcp, Flags: []filter.FlagTerm{{Set: 2, Clear: 0x10}}, Fragments: packet.OffsetZero}, Do: filter.Do{Discard: true}, Counter: "r-0000000000000001"},
			{Name: "r-0000000000000002", Match: filter.Match{Src: &dst, Proto: udp, SrcPort: dns, Fragments: packet.OffsetZero}, Do: filter.Do{Policer: "sluice-r-0000000000000002", Continue: true}},
			{Name: "r-0000000000000003", Match: filter.Match{Proto: icmp, ICMPType: packet.Values{{Lo: 8, Hi: 8}}, Fragments: packet.OffsetZero}},
		},
		Policers: []filter.Policer{{Name: "sluice-r-0000000000000002", Rate: flowspec.Rate{Amount: 12500000, Unit: flowspec.Bytes}, Burst: 12500000}},
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	hop := netip.MustParseAddr("192.0.2.9")
	mark := uint8(46)
	for want, spoil := range map[string]func(*filter.Filter, *filter.Match, *filter.Do){
		"filter sluice-v4, entry r-0000000000000001: protocol: a rule with ports must ask for tcp": func(_ *filter.Filter, m *filter.Match, _ *filter.Do) {
			*m = filter.Match{SrcPort: dns, Fragments: packet.OffsetZero}
		},
		"protocol: a rule with tcp-flags must ask for tcp": func(_ *filter.Filter, m *filter.Match, _ *filter.Do) { m.Proto = udp },
		"protocol: a rule with icmp-type or icmp-code must ask for protocol 1": func(_ *filter.Filter, m *filter.Match, _ *filter.Do) {
			*m = filter.Match{Proto: udp, ICMPCode: packet.Values{{}}, Fragments: packet.OffsetZero}
		},
		"fragment: a rule with ports, flags or ICMP must ask for fragment offset 0": func(_ *filter.Filter, m *filter.Match, _ *filter.Do) { m.Fragments = 0 },
		"dscp: no number is left, the entry matches nothing":                        func(_ *filter.Filter, m *filter.Match, _ *filter.Do) { m.DSCP = packet.Values{} },
		"port: no number is left, the entry matches nothing": func(_ *filter.Filter, m *filter.Match, _ *filter.Do) {
			*m = filter.Match{Proto: udp, Fragments: packet.OffsetZero, Port: dns, SrcPort: packet.Values{{Lo: 1, Hi: 1}}, DstPort: packet.Values{{Lo: 1, Hi: 1}}}
		},
		"tcp-flags: no packet has a flag set and clear at once": func(_ *filter.Filter, m *filter.Match, _ *filter.Do) { m.Flags[0] = filter.FlagTerm{Set: 2, Clear: 2} },
		"discard: a rule that drops ends there":                 func(_ *filter.Filter, _ *filter.Match, d *filter.Do) { d.Continue = true },
		"sample: nft has no sampling":                           func(_ *filter.Filter, _ *filter.Match, d *filter.Do) { d.Sample = true },
		"mark: later rules would read the new DSCP":             func(_ *filter.Filter, _ *filter.Match, d *filter.Do) { *d = filter.Do{Mark: &mark, Continue: true} },
		"redirect: a rule sends packets to a next hop, and which routing table": func(_ *filter.Filter, _ *filter.Match, d *filter.Do) {
			*d = filter.Do{Redirect: &flowspec.Redirect{Form: flowspec.RedirectAS2}}
		},
		"redirect: what nft sends to a next hop in IPv4 has the DF bit set": func(_ *filter.Filter, _ *filter.Match, d *filter.Do) {
			*d = filter.Do{Redirect: &flowspec.Redirect{Form: flowspec.NextHopIETFv4, Addr: hop, Copy: true}}
		},
		"redirect: next hop 2001:db8::9 is not of the filter's IP version": func(_ *filter.Filter, _ *filter.Match, d *filter.Do) {
			*d = filter.Do{Redirect: &flowspec.Redirect{Form: flowspec.NextHopIETFv6, Addr: netip.MustParseAddr("2001:db8::9")}}
		},
		"policer sluice-r-0000000000000002: rate 0.1: a limit takes a whole number": func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Policers[0].Rate.Amount = 0.1 },
		"burst 12499999: a limit of 12500000 bytes/s lets that many bytes through": func(f *filter.Filter, _ *filter.Match, _ *filter.Do) {
			f.Policers[0].Burst = 12499999
		},
		"burst 4307467296: it is too large": func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Policers[0].Burst = 12500000 + 1<<32 },
		"rate 2e+10: a limit takes no more than 18446744073": func(f *filter.Filter, _ *filter.Match, _ *filter.Do) {
			f.Policers[0].Rate.Amount, f.Policers[0].Burst = 2e10, 2e10
		},
		"rate 1.0000001e+07: a limit takes no more than 10000000": func(f *filter.Filter, _ *filter.Match, _ *filter.Do) {
			f.Policers[0].Rate = flowspec.Rate{Amount: 10000001, Unit: flowspec.Packets}
		},
		`name "accept": want a name that begins with r- or sluice-`: func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Entries[0].Name = "accept" },
		`name "r-_1": want letters, digits and hyphens only`:        func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Entries[0].Name = "r-_1" },
		`counter: name "r-a b": want letters, digits`:               func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Entries[0].Counter = "r-a b" },
		"want 1 to 64 characters":                                   func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Name = "sluice-" + strings.Repeat("x", 60) },
		"two entries are named r-0000000000000002":                  func(f *filter.Filter, _ *filter.Match, _ *filter.Do) { f.Entries[0].Name = "r-0000000000000002" },
	} {
		f := busy()
		spoil(&f, &f.Entries[0].Match, &f.Entries[0].Do)
		if _, err := dialect.Render(f); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v\nwant an error with %q", err, want)
		}
	}
}

func TestRefusalsOfIPv6(t *testing.T) {
	t.Parallel()
	hop := &flowspec.Redirect{Form: flowspec.NextHopIETFv6, Addr: netip.MustParseAddr("2001:db8::9")}
	for want, e := range map[string]filter.Entry{
		"fragment: a rule with ports, flags or ICMP must ask for fragment offset 0": {Match: filter.Match{Proto: udp, SrcPort: dns}},
		"protocol: a rule with icmp-type or icmp-code must ask for protocol 58":     {Match: filter.Match{Proto: icmp, ICMPType: packet.Values{{Lo: 128, Hi: 128}}}},
		"fragment: no state of IPv6 is left":                                        {Match: filter.Match{Fragments: 0xf0}},
		"redirect: it ends the evaluation":                                          {Do: filter.Do{Redirect: hop, Continue: true}},
	} {
		e.Name = "r-1"
		f := filter.Filter{Name: "sluice-v6", Version: packet.IPv6, Placement: filter.Alone, Entries: []filter.Entry{e}}
		if _, err := dialect.Render(f); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v\nwant an error with %q", err, want)
		}
	}
}

// Each change to what nft lists for a filter of ours is seen, and named. What is not ours is passed over.
func TestForeignHands(t *testing.T) {
	t.Parallel()
	for want, change := range map[string][2]string{
		"chain sluice-v4 does not begin as sluice":   {"iifname \"lo\" accept", "iifname \"lo\" drop"},
		"does not begin as sluice writes it":         {"priority -450", "priority -300"},
		"\"ct\" is not understood":                   {"\t\taccept comment \"accept-rest\"", "\t\tct state invalid drop\n\t\taccept comment \"accept-rest\""},
		"want 1 to 64 characters":                    {"\t\taccept comment \"accept-rest\"", "\t\ttcp dport 80 drop\n\t\taccept comment \"accept-rest\""},
		"sluice makes no such object":                {"\tset ", "\tflowtable x {\n\t}\n\tset "},
		"are not used by any entry":                  {"\tset ", "\tcounter spare {\n\t}\n\tset "},
		"a limit in the rule itself":                 {"jump do-r-00000000000000b2", "limit name \"sluice-r-00000000000000b2\" drop"},
		"is not there":                               {"limit name \"sluice-r-00000000000000b2\"", "limit name \"other\""},
		"is for packets within the rate":             {"rate over", "rate"},
		"several rules have its name":                {"\t\taccept comment \"accept-rest\"", "\t\ttcp dport 80 drop comment \"r-1\"\n\t\ttcp dport 81 drop comment \"r-1\"\n\t\taccept comment \"accept-rest\""},
		"chain x is not there":                       {"jump do-r-00000000000000b2", "jump x"},
		"two rules of it do not do the same":         {"comment \"r-00000000000000a1\"", "comment \"r-00000000000000b2\""},
		"a mask over it is not understood":           {"tcp dport @port-80_443", "tcp dport & 1 == 1"},
		"no number of 0 to 65535":                    {"elements = { 80, 443 }", "elements = { 80, https }"},
		"a second prefix":                            {"ip daddr 203.0.113.80", "ip daddr 203.0.113.80 ip daddr 203.0.113.80"},
		"it tells fragment offsets apart":            {"ip frag-off & 8191 == 0", "ip frag-off & 8191 == 3"},
		"the text is cut off":                        {"\t\taccept comment \"accept-rest\"\n\t}\n}\n", ""},
		"two objects of one kind have the same name": {"\tset ", "\tcounter r-00000000000000a1 {\n\t}\n\tset "},
		"a table should begin":                       {"table ip sluice-v4 {", "add rule ip sluice-v4 x accept\ntable ip sluice-v4 {"},
		"sluice makes no table of family inet":       {"table ip sluice-v4", "table inet sluice-v4"},
		"it is of the other IP version":              {"ip frag-off & 8191 == 0", "ip6 dscp 1"},
		"it looks at the reserved bit":               {"ip frag-off & 8191 == 0", "ip frag-off == 0"},
	} {
		listed, err := os.ReadFile("testdata/listed/2-syn-flood.txt")
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Replace(string(listed), change[0], change[1], 1)
		if text == string(listed) {
			t.Errorf("%q is not in the listing", change[0])
			continue
		}
		if _, err := dialect.Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("with %q: got %v\nwant an error with %q", change[1], err, want)
		}
	}
}

// A dormant table is a decision of somebody's.
func TestDormant(t *testing.T) {
	t.Parallel()
	_, err := dialect.Parse([]byte("table ip sluice-v4 {\n\tflags dormant\n\tchain sluice-v4 {\n\t}\n}\ntable ip nat {\n\tchain x {\n\t\tct state new accept\n\t}\n}\n"))
	var foreign *filter.ForeignError
	if !errors.As(err, &foreign) || !foreign.Deactivated || len(foreign.Filters) != 1 || foreign.Filters[0].Name != "sluice-v4" || foreign.Filters[0].Version != packet.IPv4 {
		t.Errorf("got %v", err)
	}
}

// What nft 1.0.6 on Linux 6.18 lists of the filters of testdata/render, as text and as JSON, is read as these filters.
func TestListed(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/listed/*")
	if err != nil || len(files) < 6 {
		t.Fatalf("%d listings: %v", len(files), err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		base := strings.TrimSuffix(filepath.Base(name), filepath.Ext(name))
		archive, err := txtar.ParseFile("testdata/render/" + base + ".txtar")
		if err != nil {
			t.Fatal(err)
		}
		readsBack(t, filterOf(t, archive), b)
	}
}
