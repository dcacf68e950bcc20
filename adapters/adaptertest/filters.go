package adaptertest

import (
	"cmp"
	"fmt"
	"net/netip"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

func state(filters ...filter.Filter) device.State { return device.State{Filters: filters} }

// v4 returns the filter "sluice-v4" with n entries (two at least): the first two share a policer, the others discard or pass, each for an
// address of its own. Every platform that filters at all can say them; for a plain one all discard or pass.
func (s *story) v4(n int) filter.Filter {
	f := filter.Filter{Name: filter.Mark + "v4", Version: packet.IPv4, Placement: filter.Alone}
	for i := range n {
		f.Entries = append(f.Entries, s.entry(i))
	}
	if s.faults.Plain {
		return f
	}
	f.Policers = []filter.Policer{{Name: filter.Mark + "p1", Rate: flowspec.Rate{Amount: 1_250_000, Unit: flowspec.Bytes}, Burst: s.faults.Burst}}
	f.Entries[0].Do = filter.Do{Policer: f.Policers[0].Name}
	f.Entries[1].Do = f.Entries[0].Do
	return f
}

func (s *story) entry(i int) filter.Entry {
	e := Entry(s.faults.Semantics, i)
	if s.faults.Plain {
		e = PlainEntry(s.faults.Semantics, i)
	}
	if s.faults.Form != nil {
		e = s.faults.Form(e)
	}
	return e
}

// PlainEntry returns Entry with the first number or range only of each condition, and both prefixes.
func PlainEntry(sem filter.Semantics, i int) filter.Entry {
	e := Entry(sem, i)
	for _, vs := range []*packet.Values{&e.Match.SrcPort, &e.Match.DstPort} {
		*vs = (*vs)[:min(len(*vs), 1)]
	}
	all := netip.MustParsePrefix("0.0.0.0/0")
	e.Match.Src = cmp.Or(e.Match.Src, &all)
	return e
}

// Entry returns an ordinary IPv4 entry, different for each i below 65,536, as a platform with semantics s wants it.
func Entry(s filter.Semantics, i int) filter.Entry {
	dst := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 66, byte(i >> 8), byte(i)}), 32)
	id := fmt.Sprintf("%016x", i+1)
	e := filter.Entry{Name: "r-" + id, Rule: flowspec.ID(id), Match: filter.Match{Dst: &dst}, Do: filter.Do{Discard: true}}
	switch i % 4 {
	case 0:
		e.Match.Proto = packet.Values{{Lo: 17, Hi: 17}}
		e.Match.SrcPort = packet.Values{{Lo: 19, Hi: 19}, {Lo: 53, Hi: 53}, {Lo: 1024, Hi: 2048}}
	case 1:
		e.Match.Proto = packet.Values{{Lo: 6, Hi: 6}}
		e.Match.DstPort = packet.Values{{Lo: 80, Hi: 80}, {Lo: 443, Hi: 443}}
	case 2:
		e.Do = filter.Do{}
		src := netip.MustParsePrefix("192.0.2.0/24")
		e.Match.Src = &src
	}
	e.Match = filter.Guard(e.Match, packet.IPv4, s)
	return e
}
