package verify_test

import (
	"encoding/hex"
	"net/netip"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/core/certificate"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/plan"
	"pgregory.net/rapid"
)

// A small universe, in which rules meet.

func pick[T any](t *rapid.T, name string, list ...T) T { return rapid.SampledFrom(list).Draw(t, name) }

var smallPorts = []uint64{53, 80, 81, 123, 389, 443, 1900, 11211}

func smallAddress(f flowspec.Family, i int) netip.Addr {
	if f == flowspec.IPv6 {
		return netip.AddrFrom16([16]byte{0x20, 1, 0x0d, 0xb8, 15: byte(i)})
	}
	return netip.AddrFrom4([4]byte{10, 0, 0, byte(i)})
}

func drawRule(t *rapid.T) flowspec.Rule {
	f := pick(t, "family", flowspec.IPv4, flowspec.IPv4, flowspec.IPv4, flowspec.IPv6)
	var out []flowspec.Component
	prefix := func(typ flowspec.Type, bits ...int) {
		if n := pick(t, "bits", bits...); n >= 0 {
			if f == flowspec.IPv6 && n > 0 {
				n += 96
			}
			p := netip.PrefixFrom(smallAddress(f, rapid.IntRange(0, 3).Draw(t, "host")), n).Masked()
			out = append(out, flowspec.Component{Type: typ, Prefix: flowspec.Prefix{Addr: p.Addr(), Len: uint8(p.Bits())}})
		}
	}
	prefix(flowspec.DstPrefix, 32, 32, 31, 30, 24, 0, -1)
	prefix(flowspec.SrcPrefix, 32, 31, -1, -1, -1)
	numbers := func(typ flowspec.Type, often, most int, pool ...uint64) {
		if rapid.IntRange(1, 10).Draw(t, "has") > often {
			return
		}
		c := flowspec.Component{Type: typ}
		for n := rapid.IntRange(1, most).Draw(t, "values"); n > 0; n-- {
			op := pick(t, "op", flowspec.EQ, flowspec.EQ, flowspec.EQ, flowspec.EQ, flowspec.GE, flowspec.LE, flowspec.NE)
			c.Terms = append(c.Terms, flowspec.Term{Op: op, Value: pick(t, "value", pool...)})
		}
		out = append(out, c)
	}
	masks := func(typ flowspec.Type, often int, pool ...uint64) {
		if rapid.IntRange(1, 10).Draw(t, "has") > often {
			return
		}
		c := flowspec.Component{Type: typ}
		for n := rapid.IntRange(1, 2).Draw(t, "terms"); n > 0; n-- {
			c.Terms = append(c.Terms, flowspec.Term{And: len(c.Terms) > 0 && rapid.Bool().Draw(t, "and"),
				Op: flowspec.Op(rapid.IntRange(0, 3).Draw(t, "op")), Value: pick(t, "bits", pool...)})
		}
		out = append(out, c)
	}
	numbers(flowspec.Protocol, 4, 2, 6, 17, 1, 58)
	numbers(flowspec.Port, 3, 3, smallPorts...)
	numbers(flowspec.DstPort, 3, 8, smallPorts...)
	numbers(flowspec.SrcPort, 3, 8, smallPorts...)
	numbers(flowspec.ICMPType, 1, 2, 0, 3, 8)
	masks(flowspec.TCPFlags, 1, 2, 16, 18, 1, 0x100)
	numbers(flowspec.PacketLength, 1, 2, 100, 500)
	numbers(flowspec.DSCP, 2, 2, 0, 5, 46)
	masks(flowspec.Fragment, 1, 2, 4, 6, 8)
	if len(out) == 0 {
		out = append(out, flowspec.Component{Type: flowspec.Protocol, Terms: []flowspec.Term{{Op: flowspec.EQ, Value: 17}}})
	}
	m, err := flowspec.NewMatch(f, flowspec.RD{}, out...)
	if err != nil {
		t.Fatal(err)
	}
	return flowspec.Rule{ID: flowspec.NewID("test", m), Match: m, Action: drawAction(t, f), Source: "test"}
}

func drawAction(t *rapid.T, f flowspec.Family) (a flowspec.Action) {
	mark := uint8(5)
	switch rapid.IntRange(0, 12).Draw(t, "action") {
	case 0, 1, 2:
	case 3, 4, 5, 6:
		a.Rate = &flowspec.Rate{Unit: flowspec.Bytes}
	case 7, 8:
		a.Rate = &flowspec.Rate{Amount: pick(t, "rate", float32(1e6), 2e6, 700), Unit: flowspec.Bytes}
	case 9:
		a.Mark = &mark
	case 10:
		a.Redirect = &flowspec.Redirect{Form: flowspec.RedirectAS2, Global: 65000, Local: 1}
	case 11:
		a.Sample = true
	case 12:
		a.Redirect = &flowspec.Redirect{Form: pick(t, "form", flowspec.NextHopSimpson, flowspec.NextHopIETFv4), Addr: smallAddress(flowspec.IPv4, 9)}
		if f == flowspec.IPv6 {
			a.Redirect = &flowspec.Redirect{Form: pick(t, "form", flowspec.NextHopSimpson, flowspec.NextHopIETFv6), Addr: smallAddress(f, 9)}
		}
	}
	a.Continue = rapid.IntRange(0, 14).Draw(t, "continue") == 0
	return a
}

func drawHeader(t *rapid.T) packet.Header {
	f := pick(t, "packet family", flowspec.IPv4, flowspec.IPv4, flowspec.IPv4, flowspec.IPv6)
	host := rapid.IntRange(0, 4)
	port := rapid.SampledFrom([]uint16{53, 80, 81, 123, 389, 443, 1900, 11211, 5})
	h := packet.Header{
		Src: smallAddress(f, host.Draw(t, "src")), Dst: smallAddress(f, host.Draw(t, "dst")),
		Proto: pick(t, "proto", uint8(6), 17, 17, 1, 58, 47), SrcPort: port.Draw(t, "sport"), DstPort: port.Draw(t, "dport"),
		ICMPType: pick(t, "type", uint8(0), 3, 8, 9), Flags: pick(t, "flags", uint16(0), 2, 16, 18, 1, 0x102),
		DSCP:   pick(t, "dscp", uint8(0), 5, 46),
		Length: pick(t, "length", uint16(60), 100, 101, 500, 1400), Fragment: pick(t, "fragment", packet.Whole, packet.Whole, packet.First, packet.Middle, packet.Last),
	}
	if f == flowspec.IPv4 {
		h.DF = rapid.Bool().Draw(t, "df")
	}
	return h
}

func drawHeaders(t *rapid.T, n int) (out []packet.Header) {
	for range n {
		out = append(out, drawHeader(t))
	}
	return out
}

func drawOptions(t *rapid.T) plan.Options {
	return plan.Options{NoNative: rapid.IntRange(0, 5).Draw(t, "no native") == 0, NoFilter: rapid.IntRange(0, 3).Draw(t, "no filter") == 0,
		Placement: pick(t, "placement", filter.Alone, filter.Alone, filter.Before)}
}

// inOrder puts rules and routes of c into the order in which they must stand, as far as their octets mean something.
func inOrder(c *certificate.Certificate) {
	match := func(family string, one certificate.Clause) flowspec.Match {
		b, _ := hex.DecodeString(one.NLRI)
		m, _ := flowspec.ParseNLRI(map[string]flowspec.Family{"ipv4": flowspec.IPv4, "ipv6": flowspec.IPv6}[family], b)
		return m
	}
	// order sorts places; at says where each went.
	order := func(n int, compare func(i, j int) int) (places []int, at map[int]int) {
		places, at = make([]int, n), map[int]int{}
		for i := range places {
			places[i] = i
		}
		slices.SortStableFunc(places, compare)
		for to, from := range places {
			at[from] = to
		}
		return places, at
	}
	less := func(a, b flowspec.Match) int {
		if !a.Valid() || !b.Valid() {
			return 0
		}
		return flowspec.Compare(a, b)
	}
	rules, toRule := order(len(c.Rules), func(i, j int) int {
		return less(match(c.Rules[i].Family, c.Rules[i].Clause), match(c.Rules[j].Family, c.Rules[j].Clause))
	})
	of := func(i int) flowspec.Match { return match(c.Rules[c.Entries[i].Rule].Family, c.Entries[i].Clause) }
	entries, toEntry := order(len(c.Entries), func(i, j int) int {
		if x, y := c.Entries[i].Stage, c.Entries[j].Stage; x != y || x == certificate.Filter {
			return strings.Compare(y, x)
		}
		return less(of(i), of(j))
	})
	move := func(list []int, at map[int]int) (out []int) {
		for _, i := range list {
			if to, ok := at[i]; ok {
				i = to
			}
			out = append(out, i)
		}
		return out
	}
	was := *c
	c.Rules, c.Entries, c.Steps = nil, nil, nil
	for _, i := range rules {
		r := was.Rules[i]
		r.Above = move(r.Above, toRule)
		c.Rules = append(c.Rules, r)
	}
	for _, i := range entries {
		e := was.Entries[i]
		e.Rule = toRule[e.Rule]
		c.Entries = append(c.Entries, e)
	}
	for _, s := range was.Steps {
		c.Steps = append(c.Steps, certificate.Step{Rule: toRule[s.Rule], Entry: toEntry[s.Entry], Rules: move(s.Rules, toRule), Entries: move(s.Entries, toEntry)})
	}
}
