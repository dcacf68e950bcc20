package eos_test

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// TestTextDoesWhatTheTableSays holds the text against a router that reads it line by line and knows nothing of packet sets or of our
// parser. A port condition is read in later fragments as well, for no source says that it is not: the text has to be right either way.
func TestTextDoesWhatTheTableSays(t *testing.T) {
	t.Parallel()
	matched, fragments := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		f := filters(sayable, action).Draw(t, "filter")
		f.Placement = filter.Alone
		r, err := dialect.Render(f)
		if err != nil {
			t.Fatal(err)
		}
		for range 10 {
			h := someHeader(t, f)
			want := ""
			if ids, _ := f.Table(dialect.Semantics()).Classify(h); len(ids) > 0 {
				want = ids[0]
				matched++
				if h.Fragment > packet.First {
					fragments++
				}
			}
			for _, readsLater := range []bool{false, true} {
				if got := router(r.Text, h, readsLater); got != want {
					t.Fatalf("%+v: the router takes %q, the table says %q\n%s", h, got, want, r.Text)
				}
			}
		}
	})
	if matched == 0 || fragments == 0 {
		t.Errorf("%d packets met an entry, %d of them later fragments", matched, fragments)
	}
	t.Logf("%d packets met an entry, %d of them later fragments", matched, fragments)
}

// router returns the name of the entry whose match takes h, "" for the default. readsLater: ports and types are read in later fragments.
func router(text string, h packet.Header, readsLater bool) string {
	for _, m := range strings.Split(text, "      match ")[1:] {
		name, body, _ := strings.Cut(m, " ")
		conditions, _, _ := strings.Cut(body, "         actions\n")
		if strings.HasSuffix(name, "-all-default") || name == "later-rest" && taken(conditions, h, readsLater) {
			return ""
		}
		if taken(conditions, h, readsLater) {
			return strings.TrimPrefix(name, "later-")
		}
	}
	return ""
}

// taken looks at one condition after the other.
func taken(conditions string, h packet.Header, readsLater bool) bool {
	protocol, asked := false, false
	for _, line := range strings.Split(conditions, "\n")[1:] {
		w := strings.Fields(line)
		ok := true
		switch {
		case len(w) == 0 || w[0] == "!":
		case w[0] == "source":
			ok = netip.MustParsePrefix(w[2]).Contains(h.Src)
		case w[0] == "destination":
			ok = netip.MustParsePrefix(w[2]).Contains(h.Dst)
		case w[0] == "protocol":
			asked = true
			protocol = protocol || statement(w[1:], h, readsLater)
		case w[0] == "fragment":
			ok = h.Fragment > packet.First // offset 1-8191
		case w[0] == "ip":
			ok = inList(w[2], int(h.Length))
		case w[0] == "dscp":
			ok = inList(w[1], int(h.DSCP))
		default:
			panic(fmt.Sprintf("%q", line))
		}
		if !ok {
			return false
		}
	}
	return !asked || protocol
}

// statement looks at what stands behind `protocol`.
func statement(w []string, h packet.Header, readsLater bool) bool {
	number, named := map[string]int{"icmp": 1, "tcp": 6, "udp": 17}[w[0]]
	if named && int(h.Proto) != number || !named && !inList(w[0], int(h.Proto)) {
		return false
	}
	if len(w) > 1 && h.Fragment > packet.First && !readsLater {
		return false
	}
	for w = w[1:]; len(w) > 0; {
		switch w[0] {
		case "source":
			if !inList(w[2], int(h.SrcPort)) {
				return false
			}
			w = w[3:]
		case "destination":
			if !inList(w[2], int(h.DstPort)) {
				return false
			}
			w = w[3:]
		case "type":
			if !inList(w[1], int(h.ICMPType)) || w[3] != "all" && !inList(w[3], int(h.ICMPCode)) {
				return false
			}
			w = w[4:]
		default:
			panic(fmt.Sprintf("%q", w))
		}
	}
	return true
}

func inList(list string, n int) bool {
	for _, v := range strings.Split(list, ",") {
		lo, hi, found := strings.Cut(v, "-")
		if !found {
			hi = lo
		}
		a, err := strconv.Atoi(lo)
		b, err2 := strconv.Atoi(hi)
		if err != nil || err2 != nil {
			panic(fmt.Sprintf("%q in %q", v, list))
		}
		if a <= n && n <= b {
			return true
		}
	}
	return false
}

// someHeader draws a packet, mostly one that some entry of f is likely to take.
func someHeader(t *rapid.T, f filter.Filter) packet.Header {
	h := packet.Header{
		Proto: rapid.SampledFrom([]uint8{1, 6, 17, 50}).Draw(t, "h-proto"), SrcPort: rapid.Uint16().Draw(t, "h-sport"), DstPort: rapid.Uint16().Draw(t, "h-dport"),
		ICMPType: rapid.Uint8().Draw(t, "h-type"), ICMPCode: rapid.SampledFrom([]uint8{0, 1, 4}).Draw(t, "h-code"),
		Length: rapid.Uint16().Draw(t, "h-length"), DSCP: rapid.Uint8Range(0, 63).Draw(t, "h-dscp"),
		Fragment: packet.Fragment(rapid.IntRange(0, 3).Draw(t, "h-fragment")),
	}
	addr := func(name string) netip.Addr {
		if f.Version == packet.IPv6 {
			return netip.AddrFrom16([16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, name)))
		}
		return netip.AddrFrom4([4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, name)))
	}
	h.Src, h.Dst = addr("h-src"), addr("h-dst")
	if len(f.Entries) == 0 || rapid.IntRange(0, 3).Draw(t, "stranger") == 0 {
		return h
	}
	m := rapid.SampledFrom(f.Entries).Draw(t, "met").Match
	if m.Src != nil {
		h.Src = m.Src.Addr()
	}
	if m.Dst != nil {
		h.Dst = m.Dst.Addr()
	}
	for _, c := range []struct {
		vs  packet.Values
		set func(uint32)
	}{
		{m.Proto, func(n uint32) { h.Proto = uint8(n) }}, {m.SrcPort, func(n uint32) { h.SrcPort = uint16(n) }}, {m.DstPort, func(n uint32) { h.DstPort = uint16(n) }},
		{m.ICMPType, func(n uint32) { h.ICMPType = uint8(n) }}, {m.Length, func(n uint32) { h.Length = uint16(n) }}, {m.DSCP, func(n uint32) { h.DSCP = uint8(n) }},
	} {
		if len(c.vs) > 0 {
			c.set(c.vs[0].Lo)
		}
	}
	return h
}
