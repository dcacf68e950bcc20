package sros_test

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
	rapid.Check(t, func(t *rapid.T) {
		f := filters(anyMatch, anyAction).Draw(t, "filter")
		r, err := dialect.Render(f)
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
		readsBack(t, f, []byte(r.Text))
		readsBack(t, f, r.Payload)
	})
}

// What the language can say is not refused: guarded matches of one value each, without the things that doc.go lists.
func TestSayableIsNotRefused(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := filters(sayable, sayableAction).Draw(t, "filter")
		r, err := dialect.Render(f)
		if err != nil {
			t.Fatal(err)
		}
		readsBack(t, f, []byte(r.Text))
		readsBack(t, f, r.Payload)
		if len(r.Entries) != len(f.Entries) {
			t.Fatalf("%d texts for %d entries", len(r.Entries), len(f.Entries))
		}
		for i, e := range f.Entries {
			if !strings.Contains(r.Entries[i], `description "`+e.Name+`"`) {
				t.Fatalf("the text of entry %s is %q", e.Name, r.Entries[i])
			}
		}
	})
}

// filters draws filters of entries with matches and actions from draw and do, all of which Check accepts.
func filters(draw func(*rapid.T, packet.Version, filter.Placement) filter.Match, do func(*rapid.T, filter.Placement, packet.Version) filter.Do) *rapid.Generator[filter.Filter] {
	return rapid.Custom(func(t *rapid.T) filter.Filter {
		f := filter.Filter{Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Alone}
		if rapid.IntRange(0, 3).Draw(t, "ipv6") == 0 {
			f.Name, f.Version = "sluice-v6", packet.IPv6
		}
		if rapid.IntRange(0, 3).Draw(t, "before") == 0 {
			f.Placement = filter.Before
		}
		for i := range rapid.IntRange(0, 5).Draw(t, "entries") {
			id := strings.Repeat("0", 15) + string("0123456789abcdef"[i])
			e := filter.Entry{Name: "r-" + id, Rule: flowspec.ID(id), Match: draw(t, f.Version, f.Placement)}
			if rapid.Bool().Draw(t, "counts") {
				e.Counter = e.Name
			}
			e.Do = do(t, f.Placement, f.Version)
			if shared := len(f.Policers); e.Do.Policer != "" && shared > 0 && rapid.Bool().Draw(t, "shared") {
				e.Do.Policer = f.Policers[shared-1].Name
			} else if e.Do.Policer != "" {
				e.Do.Policer = "sluice-" + e.Name
				f.Policers = append(f.Policers, filter.Policer{Name: e.Do.Policer, Rate: flowspec.Rate{Amount: rate(t), Unit: flowspec.Bytes}, Burst: rapid.Uint64Range(1, 1<<28).Draw(t, "burst")})
			}
			f.Entries = append(f.Entries, e)
		}
		return f
	})
}

// sayableAction draws what an entry can do in that placement.
func sayableAction(t *rapid.T, p filter.Placement, v packet.Version) filter.Do {
	if p == filter.Before {
		return filter.Do{Discard: true}
	}
	switch rapid.IntRange(0, 5).Draw(t, "action") {
	case 0, 1:
		return filter.Do{Discard: true}
	case 2:
		return filter.Do{Policer: "yes"}
	case 3:
		mark := rapid.Uint8Range(0, 63).Draw(t, "mark")
		return filter.Do{Mark: &mark}
	case 4:
		if v == packet.IPv6 {
			return filter.Do{Redirect: &flowspec.Redirect{Form: flowspec.NextHopIETFv6, Addr: netip.MustParseAddr("2001:db8::99")}}
		}
		return filter.Do{Redirect: &flowspec.Redirect{Form: flowspec.NextHopIETFv4, Addr: netip.MustParseAddr("192.0.2.99")}}
	}
	return filter.Do{}
}

// anyAction draws anything that Check accepts in that placement.
func anyAction(t *rapid.T, p filter.Placement, v packet.Version) filter.Do {
	do := sayableAction(t, p, v)
	switch rapid.IntRange(0, 9).Draw(t, "spoil") {
	case 0:
		do.Sample = true
	case 1:
		mark := rapid.Uint8Range(0, 63).Draw(t, "dscp")
		do.Mark = &mark
	case 2:
		do.Policer = "yes"
	case 3:
		do.Continue = true
	case 4:
		do.Redirect = &flowspec.Redirect{Form: flowspec.NextHopIETFv4, Addr: netip.MustParseAddr("192.0.2.98"), Copy: rapid.Bool().Draw(t, "copy")}
	}
	return do
}

// rate draws a number of kilobits/s, in bytes/s, as near as a float32 gets.
func rate(t *rapid.T) float32 {
	return float32(125 * float64(rapid.OneOf(rapid.IntRange(1, 100_000), rapid.IntRange(1, 2_000_000_000)).Draw(t, "kilobits")))
}

// span draws one number or one range up to top, now and then no condition.
func span(t *rapid.T, name string, top uint32, ranges bool) packet.Values {
	if rapid.IntRange(0, 2).Draw(t, "no "+name) > 0 {
		return nil
	}
	lo := rapid.Uint32Range(0, top).Draw(t, name)
	if rapid.IntRange(0, 3).Draw(t, "from zero") == 0 { // which later fragments fulfil
		lo = 0
	}
	hi := lo
	if ranges && rapid.Bool().Draw(t, "range") {
		hi = rapid.Uint32Range(lo, top).Draw(t, "hi")
	}
	return packet.NewValues(packet.Span{Lo: lo, Hi: hi})
}

func prefix(t *rapid.T, name string, v packet.Version) *netip.Prefix {
	if rapid.Bool().Draw(t, "no "+name) {
		return nil
	}
	// Few bits, so that prefixes meet each other and packets meet them.
	b := rapid.SampledFrom([]byte{0, 1, 128, 255}).Draw(t, name)
	a := netip.AddrFrom4([4]byte{203, 0, 113, b})
	if v == packet.IPv6 {
		a = netip.AddrFrom16([16]byte{0: 0x20, 1: 0x01, 2: 0x0d, 3: 0xb8, 15: b})
	}
	p := netip.PrefixFrom(a, rapid.SampledFrom([]int{0, 1, 24, 25, 31, 32, a.BitLen() - 1, a.BitLen()}).Draw(t, "length")).Masked()
	return &p
}

// anyMatch draws any conditions at all.
func anyMatch(t *rapid.T, v packet.Version, p filter.Placement) filter.Match {
	m := sayable(t, v, p)
	list := func(top uint32) packet.Values {
		vs := packet.Values{}
		for range rapid.IntRange(0, 3).Draw(t, "spans") {
			lo := rapid.Uint32Range(0, top).Draw(t, "lo")
			vs = vs.Or(packet.NewValues(packet.Span{Lo: lo, Hi: rapid.Uint32Range(lo, top).Draw(t, "hi")}))
		}
		return vs
	}
	switch rapid.IntRange(0, 12).Draw(t, "spoil") {
	case 0:
		m.Proto = list(255)
	case 1:
		m.Port = list(65535)
	case 2:
		m.DstPort = list(65535)
	case 3:
		m.SrcPort = list(65535)
	case 4:
		m.ICMPType = list(255)
	case 5:
		m.ICMPCode = list(255)
	case 6:
		m.Length = list(65535)
	case 7:
		m.DSCP = list(63)
	case 8:
		m.Flags = flagTerms(t, 0xfff)
	case 9:
		m.Fragments = packet.Frags(rapid.Byte().Draw(t, "fragments"))
	case 10:
		if v == packet.IPv6 {
			m.Label = list(1<<20 - 1)
		}
	}
	return m
}

// flagTerms draws terms over the bits of mask; one may be empty or contradict itself.
func flagTerms(t *rapid.T, mask uint16) []filter.FlagTerm {
	out := []filter.FlagTerm{}
	for range rapid.IntRange(0, 3).Draw(t, "flag terms") {
		out = append(out, filter.FlagTerm{Set: rapid.Uint16().Draw(t, "set") & mask, Clear: rapid.Uint16().Draw(t, "clear") & mask})
	}
	return out
}

// sayable draws a match that the language can say, guarded as a planner does it.
func sayable(t *rapid.T, v packet.Version, _ filter.Placement) filter.Match {
	m := filter.Match{Dst: prefix(t, "dst", v), Src: prefix(t, "src", v), Length: span(t, "length", 65535, true), Proto: span(t, "proto", 255, false)}
	least := uint32(0)
	if v == packet.IPv6 {
		least = 1
		m.DSCP = span(t, "dscp", 63, false)
		if m.Length != nil && (m.Length[0].Lo < 41 || m.Length[0].Lo == 65535) {
			m.Length = packet.Values{{Lo: 400, Hi: m.Length[0].Hi | 0x400}}
		}
	}
	// In IPv6 one of the conditions on a transport header must not hold for zero.
	field := func(name string, top uint32, ranges bool) packet.Values {
		vs := span(t, name, top, ranges)
		if vs != nil && vs[0].Lo < least {
			return nil
		}
		return vs
	}
	switch one := func(n uint32) packet.Values { return packet.Values{{Lo: n, Hi: n}} }; rapid.IntRange(0, 7).Draw(t, "kind") {
	case 0, 1:
		m.Proto = rapid.SampledFrom([]packet.Values{one(6), one(17), {{Lo: 6, Hi: 6}, {Lo: 17, Hi: 17}}}).Draw(t, "transport")
		m.DstPort, m.SrcPort = field("dst-port", 65535, true), field("src-port", 65535, true)
	case 2:
		m.Proto, m.Port = one(17), field("port", 65535, true)
	case 3:
		m.Proto = one(1)
		if v == packet.IPv6 {
			m.Proto = one(58)
		}
		m.ICMPType, m.ICMPCode = field("icmp-type", 255, false), field("icmp-code", 255, false)
	case 4:
		m.Proto = one(6)
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
