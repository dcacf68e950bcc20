package nftables_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/adapters/nftables"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// Whatever the filter, Render refuses it and says which entry and what of it, or both of its outputs are read back as the same filter.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := filters(anyMatch).Draw(t, "filter")
		r, err := writer(t).Render(f)
		if err != nil {
			for _, line := range strings.Split(err.Error(), "\n") {
				if !strings.Contains(line, ": ") || strings.HasSuffix(line, ":") {
					t.Fatalf("a refusal without a reason: %q", line)
				}
			}
			if !strings.Contains(err.Error(), "entry r-") && !strings.Contains(err.Error(), "policer sluice-") {
				t.Fatalf("a refusal that names neither entry nor policer: %v", err)
			}
			return
		}
		readsBack(t, f, r.Payload)
		if len(r.Entries) != len(f.Entries) {
			t.Fatalf("%d texts for %d entries", len(r.Entries), len(f.Entries))
		}
	})
}

// What the language can say is not refused: guarded matches without the things that doc.go lists.
func TestSayableIsNotRefused(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := filters(sayable).Draw(t, "filter")
		r, err := writer(t).Render(f)
		if err != nil {
			t.Fatal(err)
		}
		readsBack(t, f, r.Payload)
	})
}

// writer draws a dialect that makes many sets, or few.
func writer(t *rapid.T) nftables.Dialect {
	return nftables.Dialect{MostSets: rapid.SampledFrom([]int{0, 0, 1, 2}).Draw(t, "most sets")}
}

// filters draws filters of entries with matches from draw, all of which Check accepts.
func filters(draw func(*rapid.T, packet.Version) filter.Match) *rapid.Generator[filter.Filter] {
	return rapid.Custom(func(t *rapid.T) filter.Filter {
		f := filter.Filter{Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Alone}
		if rapid.IntRange(0, 3).Draw(t, "ipv6") == 0 {
			f.Name, f.Version = "sluice-v6", packet.IPv6
		}
		if rapid.Bool().Draw(t, "before") {
			f.Placement = filter.Before
		}
		n := rapid.IntRange(0, 4).Draw(t, "entries")
		some := func(m filter.Match) filter.Match { return m }
		if rapid.IntRange(0, 3).Draw(t, "many") == 0 {
			n, some = rapid.IntRange(20, 60).Draw(t, "many entries"), ordered(t, f.Version)
		}
		for i := range n {
			id := fmt.Sprintf("%016x", i)
			e := filter.Entry{Name: "r-" + id, Rule: flowspec.ID(id), Counter: "r-" + id, Match: some(draw(t, f.Version))}
			e.Do = action(t, f.Placement, f.Version)
			if e.Do.Policer != "" {
				e.Do.Policer = "sluice-r-" + id
				if n := len(f.Policers); n > 0 && rapid.Bool().Draw(t, "shared") {
					e.Do.Policer = f.Policers[n-1].Name
				} else {
					f.Policers = append(f.Policers, policer(t, e.Do.Policer))
				}
			}
			f.Entries = append(f.Entries, e)
		}
		return f
	})
}

// ordered returns what gives matches prefixes in the order of RFC 8955 now and then, so that maps lead to them.
func ordered(t *rapid.T, v packet.Version) func(filter.Match) filter.Match {
	n, inner := 0, 0
	step := rapid.IntRange(1, 3).Draw(t, "step")
	bySource := rapid.Bool().Draw(t, "by source")
	return func(m filter.Match) filter.Match {
		if rapid.IntRange(0, 30).Draw(t, "out of order") == 0 {
			return m
		}
		if inner++; !bySource || inner%step == 0 {
			n++
		}
		addr := [16]byte{0x20, 0x01, 0x0d, 0xb8, 14: byte(n / 2), 15: byte(n % 2 * 128)}
		p := netip.PrefixFrom(netip.AddrFrom4([4]byte{203, 0, byte(n / 2), byte(n % 2 * 128)}), 25+n%3%2*7)
		if v == packet.IPv6 {
			p = netip.PrefixFrom(netip.AddrFrom16(addr), 121+n%3%2*7)
		}
		if m.Dst = &p; bySource {
			m.Dst, m.Src = &[]netip.Prefix{netip.PrefixFrom(p.Addr(), p.Bits()-20).Masked()}[0], &p
		}
		return m
	}
}

func policer(t *rapid.T, name string) filter.Policer {
	p := filter.Policer{Name: name, Rate: flowspec.Rate{Amount: float32(rapid.Uint64Range(1, 1<<34).Draw(t, "rate")), Unit: flowspec.Bytes}}
	p.Burst = uint64(p.Rate.Amount) + rapid.Uint64Range(0, 1<<30).Draw(t, "burst")
	if rapid.Bool().Draw(t, "packets") {
		p.Rate = flowspec.Rate{Amount: float32(rapid.Uint64Range(1, 10_000_000).Draw(t, "packet rate")), Unit: flowspec.Packets}
		p.Burst = rapid.Uint64Range(1, 1<<32-1).Draw(t, "packet burst")
	}
	return p
}

// action draws what a rule can do in that placement.
func action(t *rapid.T, p filter.Placement, v packet.Version) filter.Do {
	var do filter.Do
	if do.Discard = rapid.Bool().Draw(t, "discard"); do.Discard {
		return do
	}
	do.Continue = p == filter.Before || rapid.Bool().Draw(t, "continue")
	if rapid.Bool().Draw(t, "limit") {
		do.Policer = "yes"
	}
	if do.Continue {
		return do
	}
	if rapid.Bool().Draw(t, "mark") {
		mark := rapid.Uint8Range(0, 63).Draw(t, "dscp")
		do.Mark = &mark
	}
	if v == packet.IPv6 && rapid.Bool().Draw(t, "redirect") {
		do.Redirect = &flowspec.Redirect{Form: flowspec.NextHopIETFv6, Addr: netip.MustParseAddr("2001:db8::99"), Copy: rapid.Bool().Draw(t, "copy")}
	}
	return do
}

// list draws a list of numbers up to top, empty at times when that may be.
func list(t *rapid.T, name string, top uint32, empty bool) packet.Values {
	if rapid.IntRange(0, 2).Draw(t, "no "+name) > 0 {
		return nil
	}
	least := 1
	if empty {
		least = 0
	}
	vs := packet.Values{}
	for range rapid.IntRange(least, 3).Draw(t, name) {
		lo := rapid.Uint32Range(0, top).Draw(t, "lo")
		hi := lo
		if rapid.Bool().Draw(t, "range") {
			hi = rapid.Uint32Range(lo, top).Draw(t, "hi")
		}
		vs = vs.Or(packet.NewValues(packet.Span{Lo: lo, Hi: hi}))
	}
	return vs
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

// anyMatch draws any conditions at all.
func anyMatch(t *rapid.T, v packet.Version) filter.Match {
	m := filter.Match{
		Dst: prefix(t, "dst", v), Src: prefix(t, "src", v), Proto: list(t, "proto", 255, true),
		Port: list(t, "port", 65535, true), DstPort: list(t, "dst-port", 65535, true), SrcPort: list(t, "src-port", 65535, true),
		ICMPType: list(t, "icmp-type", 255, true), ICMPCode: list(t, "icmp-code", 255, true),
		Length: list(t, "length", 65535, true), DSCP: list(t, "dscp", 63, true), Flags: flagTerms(t, 0xfff),
		Fragments: packet.Frags(rapid.Byte().Draw(t, "fragments")),
	}
	if v == packet.IPv6 {
		m.Label, m.Fragments = list(t, "label", 1<<20-1, true), m.Fragments&0x0f
	}
	if rapid.Bool().Draw(t, "guard") {
		m = filter.Guard(m, v, dialect.Semantics())
	}
	return m
}

// flagTerms draws terms over the bits of mask; one may be empty or contradict itself.
func flagTerms(t *rapid.T, mask uint16) []filter.FlagTerm {
	if rapid.Bool().Draw(t, "no flags") {
		return nil
	}
	var out []filter.FlagTerm
	for range rapid.IntRange(1, 3).Draw(t, "flag terms") {
		out = append(out, filter.FlagTerm{Set: rapid.Uint16().Draw(t, "set") & mask, Clear: rapid.Uint16().Draw(t, "clear") & mask})
	}
	return out
}

// sayable draws a match that the language can say, guarded as a planner does it.
func sayable(t *rapid.T, v packet.Version) filter.Match {
	m := filter.Match{Dst: prefix(t, "dst", v), Src: prefix(t, "src", v), DSCP: list(t, "dscp", 63, false), Proto: list(t, "proto", 255, false), Length: list(t, "length", 65535, false)}
	m.Fragments = packet.Frags(rapid.Byte().Draw(t, "fragments"))
	if v == packet.IPv6 {
		m.Fragments &= 0x0f
		m.Label = list(t, "label", 1<<20-1, false)
	}
	switch rapid.IntRange(0, 4).Draw(t, "kind") {
	case 0:
		m.Proto, m.Port = nil, list(t, "port", 65535, false)
		if rapid.Bool().Draw(t, "beside") {
			m.DstPort, m.SrcPort = list(t, "dst-port", 65535, false), list(t, "src-port", 65535, false)
			if m.Port != nil && len(m.Port.And(m.DstPort))+len(m.Port.And(m.SrcPort)) == 0 {
				m.Port = nil // nothing would be left to say
			}
		}
	case 1:
		m.Proto, m.DstPort, m.SrcPort = nil, list(t, "dst-port", 65535, false), list(t, "src-port", 65535, false)
	case 2:
		m.Proto, m.ICMPType, m.ICMPCode = nil, list(t, "icmp-type", 255, false), list(t, "icmp-code", 255, false)
	case 3:
		m.Proto = nil
		bits := rapid.SampledFrom([]uint16{1, 2, 0x12, 0x3f, 0xff, 0x100, 0xe02}).Draw(t, "bits")
		m.Flags = []filter.FlagTerm{{Set: bits}, {Set: 0x20, Clear: bits & 0x1f}}[:rapid.IntRange(1, 2).Draw(t, "flag terms")]
		m.DstPort = list(t, "dst-port", 65535, false)
	}
	if g := filter.Guard(m, v, dialect.Semantics()); g.Proto == nil || len(g.Proto) > 0 {
		return g
	}
	return filter.Match{Dst: m.Dst} // a port of a later fragment: nothing is left to say
}
