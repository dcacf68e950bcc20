package openconfig_test

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
		f := filters(anyMatch).Draw(t, "filter")
		r, err := dialect.Render(f)
		if err != nil {
			for _, line := range strings.Split(err.Error(), "\n") {
				if !strings.Contains(line, ": ") || strings.HasSuffix(line, ":") {
					t.Fatalf("a refusal without a reason: %q", line)
				}
			}
			if !strings.Contains(err.Error(), "entry r-") {
				t.Fatalf("a refusal that names no entry: %v", err)
			}
			return
		}
		written += len(f.Entries)
		readsBack(t, f, []byte(r.Text))
		readsBack(t, f, r.Payload)
	})
	if written == 0 {
		t.Error("nothing was written")
	}
}

// What the language can say is not refused: guarded matches without the things that doc.go lists.
func TestSayableIsNotRefused(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := filters(sayable).Draw(t, "filter")
		r, err := dialect.Render(f)
		if err != nil {
			t.Fatal(err)
		}
		readsBack(t, f, []byte(r.Text))
		readsBack(t, f, r.Payload)
		if len(r.Entries) != len(f.Entries) {
			t.Fatalf("%d texts for %d entries", len(r.Entries), len(f.Entries))
		}
	})
}

// filters draws filters of entries with matches from draw, all of which Check accepts.
func filters(draw func(*rapid.T, packet.Version) filter.Match) *rapid.Generator[filter.Filter] {
	return rapid.Custom(func(t *rapid.T) filter.Filter {
		f := filter.Filter{Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Alone}
		if rapid.IntRange(0, 3).Draw(t, "ipv6") == 0 {
			f.Name, f.Version = "sluice-v6", packet.IPv6
		}
		for i := range rapid.IntRange(0, 4).Draw(t, "entries") {
			id := strings.Repeat("0", 15) + string("0123456789abcdef"[i])
			e := filter.Entry{Name: "r-" + id, Rule: flowspec.ID(id), Match: draw(t, f.Version), Do: filter.Do{Discard: rapid.Bool().Draw(t, "discard")}}
			if rapid.Bool().Draw(t, "counted") {
				e.Counter = "r-" + id
			}
			f.Entries = append(f.Entries, e)
		}
		return f
	})
}

func list(t *rapid.T, name string, top uint32, least, most int) packet.Values {
	vs := packet.Values{}
	for range rapid.IntRange(least, most).Draw(t, name) {
		lo := rapid.Uint32Range(0, top).Draw(t, "lo")
		hi := lo
		if rapid.Bool().Draw(t, "range") {
			hi = rapid.Uint32Range(lo, top).Draw(t, "hi")
		}
		vs = vs.Or(packet.NewValues(packet.Span{Lo: lo, Hi: hi}))
	}
	return vs
}

func one(t *rapid.T, name string, least, top uint32) packet.Values {
	n := rapid.Uint32Range(least, top).Draw(t, name)
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
		switch rapid.IntRange(0, 9).Draw(t, "kind") {
		case 0:
			m.Proto = list(t, "proto", 255, 0, 2)
		case 1:
			m.Port = list(t, "port", 65535, 0, 2)
		case 2:
			m.DstPort = list(t, "dst-port", 65535, 0, 2)
		case 3:
			m.SrcPort = list(t, "src-port", 65535, 0, 2)
		case 4:
			m.ICMPType = list(t, "icmp-type", 255, 0, 2)
		case 5:
			m.ICMPCode = list(t, "icmp-code", 255, 0, 2)
		case 6:
			m.Length = list(t, "length", 65535, 0, 2)
		case 7:
			m.DSCP = list(t, "dscp", 63, 0, 3)
		case 8:
			m.Flags = []filter.FlagTerm{{Set: rapid.Uint16Range(0, 0xfff).Draw(t, "set"), Clear: rapid.Uint16Range(0, 0xfff).Draw(t, "clear")}}
		case 9:
			m.Fragments = packet.Frags(rapid.Byte().Draw(t, "fragments"))
		}
	}
	if rapid.Bool().Draw(t, "guard") {
		m = filter.Guard(m, v, dialect.Semantics())
	}
	return m
}

// sayable draws a match that the language can say, guarded as a planner does it.
func sayable(t *rapid.T, v packet.Version) filter.Match {
	m := filter.Match{Dst: prefix(t, "dst", v), Src: prefix(t, "src", v)}
	if rapid.Bool().Draw(t, "dscp") {
		m.DSCP = list(t, "dscp", 63, 1, 3)
	}
	if rapid.Bool().Draw(t, "length") {
		m.Length = one(t, "length", 40, 65535)
	}
	if v == packet.IPv6 {
		return m
	}
	switch rapid.IntRange(0, 4).Draw(t, "kind") {
	case 0:
		m.Proto = one(t, "proto", 0, 254)
		m.Fragments = rapid.SampledFrom([]packet.Frags{0, packet.AnyFrags, packet.OffsetZero, packet.AnyFrags &^ packet.OffsetZero}).Draw(t, "fragments")
	case 1:
		m.Proto = rapid.SampledFrom([]packet.Values{tcp, udp}).Draw(t, "tcp or udp")
		m.DstPort = list(t, "dst-port", 65535, 1, 1)
		if rapid.Bool().Draw(t, "both") {
			m.SrcPort = list(t, "src-port", 65535, 1, 1)
		}
	case 2:
		n := rapid.SampledFrom([]uint32{0, 3, 8, 11, 43}).Draw(t, "icmp-type")
		m.ICMPType = packet.Values{{Lo: n, Hi: n}}
	case 3:
		m.Flags = rapid.SampledFrom([][]filter.FlagTerm{{{Set: 2, Clear: 0x10}}, {{Set: 0x12}}, {{Set: 1}, {Set: 4}}, {{Set: 0xff}}, {{Set: 0x10}, {Set: 4}}}).Draw(t, "flags")
	}
	return filter.Guard(m, v, dialect.Semantics())
}
