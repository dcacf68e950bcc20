package dialecttest

import (
	"fmt"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// Sayable draws a filter that the language can say.
func (s Suite) Sayable(t *rapid.T) filter.Filter {
	n := rapid.IntRange(0, 5).Draw(t, "entries")
	return s.filter(t, n, !s.AloneOnly, s.Match, s.Do, func() bool { return !s.OnePolicerEach && rapid.Bool().Draw(t, "shared") })
}

// Any draws a filter of any kind: one of its entries has conditions and perhaps an action that no language says all of.
func (s Suite) Any(t *rapid.T) filter.Filter {
	before := !s.AloneOnly || rapid.IntRange(0, 9).Draw(t, "not alone") == 0
	n := rapid.IntRange(1, 4).Draw(t, "any entries")
	odd := rapid.IntRange(0, n-1).Draw(t, "odd")
	match := func(t *rapid.T, f filter.Filter) filter.Match {
		if len(f.Entries) == odd {
			return s.anyMatch(t, f)
		}
		return s.Match(t, f)
	}
	do := func(t *rapid.T, f filter.Filter, m filter.Match) filter.Do {
		if len(f.Entries) == odd && rapid.IntRange(0, 2).Draw(t, "any action") == 0 {
			return s.anyAction(t, f, m)
		}
		return s.Do(t, f, m)
	}
	return s.filter(t, n, before, match, do, func() bool { return rapid.IntRange(0, 3).Draw(t, "shared") == 0 })
}

// filter draws one of n entries, or of as many as a device has where Many says so.
func (s Suite) filter(t *rapid.T, n int, before bool, match func(*rapid.T, filter.Filter) filter.Match, do func(*rapid.T, filter.Filter, filter.Match) filter.Do, shared func() bool) filter.Filter {
	f := filter.Filter{Name: filter.Mark + "v4", Version: packet.IPv4, Placement: filter.Alone}
	if !s.IPv4Only && rapid.IntRange(0, 2).Draw(t, "ipv6") == 0 {
		f.Name, f.Version = filter.Mark+"v6", packet.IPv6
	}
	if before && rapid.IntRange(0, 2).Draw(t, "before") == 0 {
		f.Placement = filter.Before
	}
	arrange := func(m filter.Match) filter.Match { return m }
	if s.Many != nil {
		if many, ordered := s.Many(t, f.Version); many > 0 {
			n, arrange = many, ordered
		}
	}
	for i := range n {
		id := fmt.Sprintf("%016x", i)
		e := filter.Entry{Name: "r-" + id, Rule: flowspec.ID(id), Match: arrange(match(t, f))}
		if rapid.IntRange(0, 3).Draw(t, "uncounted") > 0 {
			e.Counter = e.Name
		}
		if e.Do = do(t, f, e.Match); e.Do.Policer != "" {
			e.Do.Policer = s.limit(t, &f, e.Name, shared())
		}
		f.Entries = append(f.Entries, e)
	}
	return f
}

// limit returns the name of a policer of f: of the last one, where it is shared, or of one of the entry's own.
func (s Suite) limit(t *rapid.T, f *filter.Filter, entry string, shared bool) string {
	if n := len(f.Policers); n > 0 && shared {
		return f.Policers[n-1].Name
	}
	p := filter.Policer{Rate: flowspec.Rate{Amount: 1250, Unit: flowspec.Bytes}, Burst: 15000}
	if s.Policer != nil {
		p = s.Policer(t)
	}
	p.Name = filter.Mark + entry
	f.Policers = append(f.Policers, p)
	return p.Name
}

// anyMatch draws a match that can be said, with one condition more, or a few conditions of any kind.
func (s Suite) anyMatch(t *rapid.T, f filter.Filter) filter.Match {
	v := f.Version
	if rapid.Bool().Draw(t, "one more") {
		m := s.Match(t, f)
		condition(t, &m, v)
		return m
	}
	m := filter.Match{Dst: Prefix(t, "dst", v), Src: Prefix(t, "src", v)}
	for range rapid.IntRange(0, 4).Draw(t, "conditions") {
		condition(t, &m, v)
	}
	if rapid.Bool().Draw(t, "guard") {
		m = filter.Guard(m, v, s.Dialect.Semantics())
	}
	return m
}

// condition puts one of any kind into m.
func condition(t *rapid.T, m *filter.Match, v packet.Version) {
	list := func(top uint32) packet.Values { return List(t, "list", 0, top, 0, 3) }
	switch rapid.IntRange(0, 10).Draw(t, "kind") {
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
		m.Flags = Flags(t, 0xfff)
	case 9:
		m.Fragments = packet.Frags(rapid.Byte().Draw(t, "fragments"))
	case 10:
		if v == packet.IPv6 {
			m.Label = list(1<<20 - 1)
		}
	}
}

// anyAction draws what an entry can do, and what it cannot.
func (s Suite) anyAction(t *rapid.T, f filter.Filter, m filter.Match) filter.Do {
	do := s.Do(t, f, m)
	switch rapid.IntRange(0, 12).Draw(t, "kind of action") {
	case 0:
		do.Sample = true
	case 1:
		mark := rapid.Uint8Range(0, 63).Draw(t, "any mark")
		do.Mark = &mark
	case 2:
		do.Policer = "one"
	case 3:
		do.Continue = true
	case 4:
		do.Redirect = NextHop(f.Version)
		do.Redirect.Copy = rapid.Bool().Draw(t, "copy")
	case 6:
		do.Redirect = &flowspec.Redirect{Form: flowspec.RedirectAS2, Global: 64500, Local: rapid.Uint32().Draw(t, "target")}
	case 5:
		do.Discard = true
	}
	return do
}
