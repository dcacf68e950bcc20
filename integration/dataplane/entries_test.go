package dataplane_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/sluice-gateway/sluice/adapters/nftables"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/oracle"
	"github.com/sluice-gateway/sluice/core/packet"
)

// TestKernelDoesWhatEntriesSay loads filters that no rule asks for, with every set of fragment states, ports beside either port, several terms of flags, and holds the kernel
// against the entries read one by one (core/oracle): which packets arrive, and which entries count them.
func TestKernelDoesWhatEntriesSay(t *testing.T) {
	l := newLab(t)
	for _, f := range []flowspec.Family{flowspec.IPv4, flowspec.IPv6} {
		met, refused := 0, 0
		for seed := uint64(1); seed <= uint64(*tables); seed++ {
			if *onlySeed != 0 {
				seed = *onlySeed
			}
			d := newDraw(t, seed)
			one, without := d.filter(f)
			refused += without
			r, err := nftables.Dialect{MostSets: pick(d, []int{0, 1, 2})}.Render(one)
			if err != nil {
				d.failf("%v", err)
			}
			if err := l.load("flush ruleset\n" + r.Text); err != nil {
				d.failf("%v\n%s", err, r.Text)
			}
			met += d.entries(l, one, r.Text)
			if *onlySeed != 0 {
				break
			}
		}
		t.Logf("%s: %d entries met, %d drawn that match nothing", f, met, refused)
		if *onlySeed == 0 && met < *tables*packetsEach/8 {
			t.Errorf("%s: the packets hardly meet the entries", f)
		}
	}
}

// entries sends packets and compares. It returns how many entries they met.
func (d *draw) entries(l *lab, f filter.Filter, script string) (met int) {
	d.Helper()
	family := map[packet.Version]flowspec.Family{packet.IPv4: flowspec.IPv4, packet.IPv6: flowspec.IPv6}[f.Version]
	counted := map[string]int{}
	for range packetsEach {
		h := packet.Header{Src: d.address(family, flowspec.SrcPrefix), Dst: d.address(family, flowspec.DstPrefix), Proto: 17, Length: 100}
		set := pick(d, f.Entries).Match.Set(f.Version, dialect.Semantics())
		if w, ok := set.Witness(); ok {
			h = w
			h.Src, h.Dst = d.near(family, w.Src, flowspec.SrcPrefix), d.near(family, w.Dst, flowspec.DstPrefix)
		}
		for range 4 + d.IntN(8) {
			if was := h; !set.Has(d.change(family, &h)) && !d.one(6) {
				h = was
			}
		}
		if f.Version == packet.IPv6 && slices.Contains([]uint8{0, 43, 44, 51, 60}, h.Proto) {
			h.Proto = 17
		}
		s := d.shape(h)
		h = tidy(h, s)
		arrives := true
		for _, e := range f.Entries {
			if !oracle.Entry(e.Match, h) {
				continue
			}
			counted[e.Counter]++
			met++
			arrives = !e.Do.Discard
			if !e.Do.Continue {
				break
			}
		}
		if got := l.send(octets(h, s)); len(got) > 1 || len(got) == 1 != arrives {
			d.failf("%s %+v: %d arrive, want %v\n%s", h, s, len(got), arrives, script)
		}
	}
	for name, n := range d.counts(l) {
		if n != counted[name] {
			d.failf("entry %s: %d packets, want %d\n%s", name, n, counted[name], script)
		}
	}
	return met
}

// filter draws a filter, and says how many entries it drew that match nothing and were left out.
func (d *draw) filter(family flowspec.Family) (f filter.Filter, without int) {
	f = filter.Filter{Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Alone}
	if family == flowspec.IPv6 {
		f.Name, f.Version = "sluice-v6", packet.IPv6
	}
	for len(f.Entries) < 1+d.IntN(6) || d.one(4) {
		m := filter.Guard(d.match(family), f.Version, dialect.Semantics())
		if m.Set(f.Version, dialect.Semantics()).Empty() {
			without++
			continue
		}
		name := fmt.Sprintf("r-%016x", len(f.Entries))
		f.Entries = append(f.Entries, filter.Entry{Name: name, Counter: name, Match: m, Do: pick(d, []filter.Do{{}, {Discard: true}, {Continue: true}, {Continue: true}})})
	}
	return f, without
}

// match draws conditions of every kind.
func (d *draw) match(family flowspec.Family) filter.Match {
	var m filter.Match
	if d.one(3) {
		c := d.prefix(family, flowspec.DstPrefix).Prefix
		p := netip.PrefixFrom(c.Addr, int(c.Len))
		m.Dst = &p
	}
	for _, c := range []struct {
		t  flowspec.Type
		to *packet.Values
	}{{flowspec.Protocol, &m.Proto}, {flowspec.Port, &m.Port}, {flowspec.DstPort, &m.DstPort}, {flowspec.SrcPort, &m.SrcPort}, {flowspec.PacketLength, &m.Length},
		{flowspec.DSCP, &m.DSCP}, {flowspec.FlowLabel, &m.Label}} {
		if d.one(4) && (c.t != flowspec.FlowLabel || family == flowspec.IPv6) {
			*c.to = d.list(c.t)
		}
	}
	if d.one(3) {
		m.Fragments = packet.Frags(1 + d.IntN(255))
		if family == flowspec.IPv6 {
			m.Fragments = packet.Frags(1 + d.IntN(15))
		}
	}
	switch d.IntN(5) {
	case 0:
		for range 1 + d.IntN(3) {
			set := uint16(d.IntN(0x1000)) & pick(d, []uint16{0x12, 0x3f, 0x1ff, 0xfff}) & pick(d, []uint16{0x02, 0x10, 0x103, 0xfff})
			m.Flags = append(m.Flags, filter.FlagTerm{Set: set, Clear: uint16(d.IntN(0x1000)) &^ set & pick(d, []uint16{0, 0x11, 0x204})})
		}
	case 1:
		if m.ICMPType = d.list(flowspec.ICMPType); d.one(2) {
			m.ICMPCode = d.list(flowspec.ICMPCode)
		}
	}
	return m
}

// list draws numbers of a component, one range or several.
func (d *draw) list(t flowspec.Type) packet.Values {
	var spans []packet.Span
	for range 1 + d.IntN(3) {
		lo := uint32(pick(d, numbers[t]))
		hi := lo
		if d.one(2) {
			hi = uint32(pick(d, numbers[t]))
		}
		spans = append(spans, packet.Span{Lo: min(lo, hi), Hi: max(lo, hi)})
	}
	return packet.NewValues(spans...)
}
