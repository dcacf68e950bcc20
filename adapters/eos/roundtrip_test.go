package eos_test

import (
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// Whatever the filter, Render refuses it and says which entry and what of it, or both of its outputs are read back as the same filter.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	written := 0
	rapid.Check(t, func(t *rapid.T) {
		f := filters(anyMatch, anyAction).Draw(t, "filter")
		r, err := dialect.Render(f)
		if err != nil {
			for _, line := range strings.Split(err.Error(), "\n") {
				if !strings.Contains(line, ": ") || strings.HasSuffix(line, ":") {
					t.Fatalf("a refusal without a reason: %q", line)
				}
			}
			if !strings.Contains(err.Error(), "entry r-") && !strings.Contains(err.Error(), "before another filter") {
				t.Fatalf("a refusal that names no entry: %v", err)
			}
			return
		}
		written += len(f.Entries)
		readsBack(t, f, []byte(r.Text))
		readsBack(t, f, r.Payload)
		if len(r.Entries) != len(f.Entries) {
			t.Fatalf("%d texts for %d entries", len(r.Entries), len(f.Entries))
		}
		obeysGrammar(t, r.Text)
	})
	if written == 0 {
		t.Error("nothing was written")
	}
}

// What the language can say is not refused: guarded matches without the things that doc.go lists.
func TestSayableIsNotRefused(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := filters(sayable, action).Draw(t, "filter")
		f.Placement = filter.Alone
		r, err := dialect.Render(f)
		if err != nil {
			t.Fatal(err)
		}
		readsBack(t, f, []byte(r.Text))
		readsBack(t, f, r.Payload)
		obeysGrammar(t, r.Text)
	})
}

// One changed entry changes its own lines, and those of its copy, and no others.
func TestSmallChangesAreSmall(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := filters(sayable, action).Draw(t, "filter")
		f.Placement = filter.Alone
		if len(f.Entries) == 0 {
			return
		}
		before, err := dialect.Render(f)
		if err != nil {
			t.Fatal(err)
		}
		i := rapid.IntRange(0, len(f.Entries)-1).Draw(t, "changed")
		dst := netip.MustParsePrefix("203.0.113.99/32")
		if f.Version == packet.IPv6 {
			dst = netip.MustParsePrefix("2001:db8::99/128")
		}
		f.Entries[i].Match.Dst = &dst
		after, err := dialect.Render(f)
		if err != nil {
			t.Fatal(err)
		}
		name := f.Entries[i].Name
		if got, want := without(after.Text, name), without(before.Text, name); got != want {
			t.Fatalf("more than %s changed:\n%s\n%s", name, got, want)
		}
	})
}

// without returns text without the matches of one entry.
func without(text, name string) string {
	blocks := strings.Split(text, "      match ")
	var out []string
	for _, b := range blocks {
		if !strings.HasPrefix(b, name+" ") && !strings.HasPrefix(b, "later-"+name+" ") {
			out = append(out, b)
		}
	}
	return strings.Join(out, "      match ")
}

type drawMatch func(*rapid.T, packet.Version) filter.Match

// filters draws filters of entries with matches and actions from the functions given, all of which Check accepts.
func filters(match drawMatch, do func(*rapid.T, *filter.Filter, filter.Match) filter.Do) *rapid.Generator[filter.Filter] {
	return rapid.Custom(func(t *rapid.T) filter.Filter {
		f := filter.Filter{Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Alone}
		if rapid.IntRange(0, 3).Draw(t, "ipv6") == 0 {
			f.Name, f.Version = "sluice-v6", packet.IPv6
		}
		if rapid.IntRange(0, 7).Draw(t, "before") == 0 {
			f.Placement = filter.Before
		}
		for i := range rapid.IntRange(0, 4).Draw(t, "entries") {
			id := strings.Repeat("0", 15) + string("0123456789abcdef"[i])
			e := filter.Entry{Name: "r-" + id, Rule: flowspec.ID(id), Counter: "r-" + id, Match: match(t, f.Version)}
			e.Do = do(t, &f, e.Match)
			if shared := e.Do.Policer == "perhaps shared"; e.Do.Policer != "" {
				e.Do.Policer = "sluice-r-" + id
				if k := len(f.Policers); shared && k > 0 && rapid.IntRange(0, 9).Draw(t, "shared") == 0 {
					e.Do.Policer = f.Policers[k-1].Name
				} else {
					f.Policers = append(f.Policers, policer(t, e.Do.Policer))
				}
			}
			f.Entries = append(f.Entries, e)
		}
		return f
	})
}

// policer draws one that counts bytes.
func policer(t *rapid.T, name string) filter.Policer {
	return filter.Policer{Name: name, Burst: rapid.Uint64Range(1, 1<<63).Draw(t, "burst"),
		Rate: flowspec.Rate{Unit: flowspec.Bytes, Amount: float32(rapid.Uint64Range(1, 1<<60).Draw(t, "rate"))}}
}

// action draws what a match can do. A limit needs an entry that is about one kind of packets.
func action(t *rapid.T, f *filter.Filter, m filter.Match) filter.Do {
	do := filter.Do{Discard: f.Placement == filter.Before || rapid.Bool().Draw(t, "discard")}
	if do.Discard {
		return do
	}
	if rapid.Bool().Draw(t, "mark") {
		mark := rapid.Uint8Range(0, 63).Draw(t, "dscp")
		do.Mark = &mark
	}
	if rapid.Bool().Draw(t, "redirect") {
		do.Redirect = &flowspec.Redirect{Form: flowspec.NextHopIETFv4, Addr: netip.MustParseAddr("192.0.2.99")}
		if f.Version == packet.IPv6 {
			do.Redirect = &flowspec.Redirect{Form: flowspec.NextHopIETFv6, Addr: netip.MustParseAddr("2001:db8::99")}
		}
	}
	one := f.Version == packet.IPv6 || m.Fragments != 0 && m.Fragments != packet.AnyFrags || m.SrcPort != nil || m.DstPort != nil || m.ICMPType != nil
	if one && rapid.Bool().Draw(t, "limit") {
		do.Policer = "own"
	}
	return do
}

// anyAction draws what a match can do, and what it cannot.
func anyAction(t *rapid.T, f *filter.Filter, m filter.Match) filter.Do {
	do := action(t, f, filter.Match{Fragments: packet.OffsetZero})
	if do.Policer != "" {
		do.Policer = "perhaps shared"
	}
	if rapid.IntRange(0, 9).Draw(t, "odd") == 0 {
		do.Sample = rapid.Bool().Draw(t, "sample")
		do.Continue = rapid.Bool().Draw(t, "continue")
	}
	return do
}

// list draws a list of numbers from least to top, empty at times when that may be.
func list(t *rapid.T, name string, least, top uint32, empty bool) packet.Values {
	if rapid.IntRange(0, 2).Draw(t, "no "+name) > 0 {
		return nil
	}
	n := 1
	if empty {
		n = 0
	}
	vs := packet.Values{}
	for range rapid.IntRange(n, 3).Draw(t, name) {
		lo := rapid.Uint32Range(least, top).Draw(t, "lo")
		hi := lo
		if rapid.Bool().Draw(t, "range") {
			hi = rapid.Uint32Range(lo, top).Draw(t, "hi")
		}
		vs = vs.Or(packet.NewValues(packet.Span{Lo: lo, Hi: hi}))
	}
	return vs
}

func one(t *rapid.T, name string, top uint32) packet.Values {
	if rapid.IntRange(0, 2).Draw(t, "no "+name) > 0 {
		return nil
	}
	n := rapid.Uint32Range(0, top).Draw(t, name)
	return packet.Values{{Lo: n, Hi: n}}
}

func prefix(t *rapid.T, name string, v packet.Version) *netip.Prefix {
	if rapid.Bool().Draw(t, "no "+name) {
		return nil
	}
	a := netip.AddrFrom4([4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, name)))
	if v == packet.IPv6 {
		a = netip.AddrFrom16([16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, name)))
		if a.Is4In6() {
			return nil
		}
	}
	p := netip.PrefixFrom(a, rapid.IntRange(0, a.BitLen()).Draw(t, "length")).Masked()
	return &p
}

// anyMatch draws conditions of any kind, a few at a time.
func anyMatch(t *rapid.T, v packet.Version) filter.Match {
	m := filter.Match{Dst: prefix(t, "dst", v), Src: prefix(t, "src", v)}
	for range rapid.IntRange(0, 3).Draw(t, "conditions") {
		switch rapid.IntRange(0, 10).Draw(t, "kind") {
		case 0:
			m.Proto = list(t, "proto", 0, 255, true)
		case 1:
			m.Port = list(t, "port", 0, 65535, true)
		case 2:
			m.DstPort = list(t, "dst-port", 0, 65535, true)
		case 3:
			m.SrcPort = list(t, "src-port", 0, 65535, true)
		case 4:
			m.ICMPType = list(t, "icmp-type", 0, 255, true)
		case 5:
			m.ICMPCode = list(t, "icmp-code", 0, 255, true)
		case 6:
			m.Length = list(t, "length", 0, 65535, true)
		case 7:
			m.DSCP = list(t, "dscp", 0, 63, true)
		case 8:
			m.Flags = []filter.FlagTerm{{Set: rapid.Uint16Range(0, 0xfff).Draw(t, "set"), Clear: rapid.Uint16Range(0, 0xfff).Draw(t, "clear")}}
		case 9:
			m.Fragments = packet.Frags(rapid.Byte().Draw(t, "fragments"))
		case 10:
			if v == packet.IPv6 {
				m.Label = list(t, "label", 0, 1<<20-1, true)
			}
		}
	}
	if rapid.Bool().Draw(t, "guard") {
		m = filter.Guard(m, v, dialect.Semantics())
	}
	return m
}

// sayable draws a match that the language can say.
func sayable(t *rapid.T, v packet.Version) filter.Match {
	m := filter.Match{Dst: prefix(t, "dst", v), Src: prefix(t, "src", v), DSCP: one(t, "dscp", 63)}
	if v == packet.IPv6 {
		return m
	}
	if rapid.Bool().Draw(t, "length") {
		lo := rapid.Uint32Range(0, 65535).Draw(t, "lo")
		m.Length = packet.Values{{Lo: lo, Hi: rapid.Uint32Range(lo, 65535).Draw(t, "hi")}}
	}
	switch rapid.IntRange(0, 4).Draw(t, "kind") {
	case 0:
		m.Proto = list(t, "proto", 1, 255, false)
		m.Fragments = rapid.SampledFrom([]packet.Frags{0, packet.AnyFrags, packet.OffsetZero, packet.AnyFrags &^ packet.OffsetZero}).Draw(t, "fragments")
	case 1:
		m.DstPort, m.SrcPort = list(t, "dst-port", 0, 65535, false), list(t, "src-port", 0, 65535, false)
		m.Proto = rapid.SampledFrom([]packet.Values{nil, {{Lo: 6, Hi: 6}}, {{Lo: 17, Hi: 17}}, {{Lo: 6, Hi: 6}, {Lo: 17, Hi: 17}}}).Draw(t, "tcp or udp")
		m.Fragments = rapid.SampledFrom([]packet.Frags{0, packet.OffsetZero}).Draw(t, "offset")
	case 2:
		n := rapid.Uint32Range(0, 255).Draw(t, "icmp-type")
		m.ICMPType, m.Proto = packet.Values{{Lo: n, Hi: n}}, packet.Values{{Lo: 1, Hi: 1}}
		if rapid.Bool().Draw(t, "code") {
			m.ICMPCode = packet.Values{{Lo: 0, Hi: 0}, {Lo: 4, Hi: 4}}
		}
	}
	return m
}
