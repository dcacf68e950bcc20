package trace

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/core/table"
	"github.com/sluice-gateway/sluice/profiles"
)

func pick[T any](t *rapid.T, name string, list ...T) T { return rapid.SampledFrom(list).Draw(t, name) }

func address(f flowspec.Family, i int) netip.Addr {
	if f.Version() == packet.IPv6 {
		return netip.AddrFrom16([16]byte{0x20, 1, 0x0d, 0xb8, 15: byte(i)})
	}
	return netip.AddrFrom4([4]byte{10, 0, 0, byte(i)})
}

// drawRule draws a rule of a small universe, in which rules meet.
func drawRule(t *rapid.T) flowspec.Rule {
	f := pick(t, "family", flowspec.IPv4, flowspec.IPv4, flowspec.IPv6)
	var out []flowspec.Component
	for _, typ := range []flowspec.Type{flowspec.DstPrefix, flowspec.SrcPrefix} {
		bits := pick(t, "bits", 32, 32, 30, 24, -1)
		if typ == flowspec.SrcPrefix && rapid.Bool().Draw(t, "any source") || bits < 0 {
			continue
		}
		p := flowspec.Prefix{Addr: address(f, rapid.IntRange(0, 3).Draw(t, "host")), Len: uint8(bits)}
		if f == flowspec.IPv6 {
			p.Len += 96
			p.Offset = pick(t, "offset", uint8(0), 0, 0, 64)
		}
		masked := netip.PrefixFrom(p.Addr, int(p.Len)).Masked().Addr()
		if p.Offset > 0 {
			a := masked.As16()
			clear(a[:p.Offset/8])
			masked = netip.AddrFrom16(a)
		}
		p.Addr = masked
		out = append(out, flowspec.Component{Type: typ, Prefix: p})
	}
	for _, c := range []struct {
		typ   flowspec.Type
		often int
		pool  []uint64
	}{
		{flowspec.Protocol, 4, []uint64{1, 6, 17, 58}}, {flowspec.Port, 2, []uint64{53, 80}}, {flowspec.DstPort, 2, []uint64{53, 80, 443}},
		{flowspec.SrcPort, 2, []uint64{53, 80, 443}}, {flowspec.ICMPType, 1, []uint64{0, 8}}, {flowspec.ICMPCode, 1, []uint64{0, 1}},
		{flowspec.TCPFlags, 1, []uint64{2, 16, 18}}, {flowspec.PacketLength, 1, []uint64{100, 500}}, {flowspec.DSCP, 1, []uint64{0, 5}},
		{flowspec.Fragment, 2, []uint64{1, 2, 4, 8}}, {flowspec.FlowLabel, 1, []uint64{0, 7}},
	} {
		if rapid.IntRange(1, 10).Draw(t, "has") > c.often || c.typ == flowspec.FlowLabel && f == flowspec.IPv4 {
			continue
		}
		if c.typ == flowspec.Fragment && f == flowspec.IPv6 {
			c.pool = c.pool[1:] // no DF
		}
		one := flowspec.Component{Type: c.typ}
		for n := rapid.IntRange(1, 3).Draw(t, "terms"); n > 0; n-- {
			op := pick(t, "op", flowspec.EQ, flowspec.EQ, flowspec.GE, flowspec.LE, flowspec.NE)
			if c.typ.Bitmask() {
				op = flowspec.Op(rapid.IntRange(0, 3).Draw(t, "op"))
			}
			one.Terms = append(one.Terms, flowspec.Term{And: len(one.Terms) > 0 && rapid.Bool().Draw(t, "and"), Op: op, Value: pick(t, "value", c.pool...)})
		}
		out = append(out, one)
	}
	if len(out) == 0 {
		out = append(out, flowspec.Component{Type: flowspec.Protocol, Terms: []flowspec.Term{{Op: flowspec.EQ, Value: 17}}})
	}
	m, err := flowspec.NewMatch(f, flowspec.RD{}, out...)
	if err != nil {
		t.Fatal(err)
	}
	return flowspec.Rule{ID: flowspec.NewID("test", m), Match: m, Action: drawAction(t), Source: "test"}
}

func drawAction(t *rapid.T) (a flowspec.Action) {
	mark := uint8(5)
	switch rapid.IntRange(0, 8).Draw(t, "action") {
	case 0, 1:
	case 2, 3, 4:
		a.Rate = &flowspec.Rate{}
	case 5:
		a.Rate = &flowspec.Rate{Amount: 1e6}
	case 6:
		a.Mark = &mark
	case 7:
		a.Redirect = &flowspec.Redirect{Form: flowspec.RedirectAS2, Global: 65000, Local: 1}
	case 8:
		a.Sample = true
	}
	a.Continue = rapid.IntRange(0, 9).Draw(t, "continue") == 0
	return a
}

// drawHeader draws a packet; fields that it does not have may hold something all the same.
func drawHeader(t *rapid.T) packet.Header {
	f := pick(t, "version", flowspec.IPv4, flowspec.IPv4, flowspec.IPv6)
	host := rapid.IntRange(0, 4)
	h := packet.Header{
		Src: address(f, host.Draw(t, "src")), Dst: address(f, host.Draw(t, "dst")), Proto: pick(t, "proto", uint8(6), 17, 17, 1, 58, 47),
		SrcPort: pick(t, "sport", uint16(53), 80, 443, 5), DstPort: pick(t, "dport", uint16(53), 80, 443, 5),
		ICMPType: pick(t, "type", uint8(0), 8, 9), ICMPCode: pick(t, "code", uint8(0), 1), Flags: pick(t, "flags", uint16(0), 2, 16, 18),
		DSCP: pick(t, "dscp", uint8(0), 5, 46), Length: pick(t, "length", uint16(60), 100, 500, 1400),
		Fragment: pick(t, "fragment", packet.Whole, packet.Whole, packet.First, packet.Middle, packet.Last),
	}
	if f == flowspec.IPv4 {
		h.DF = rapid.Bool().Draw(t, "df")
	} else {
		h.Label = pick(t, "label", uint32(0), 7)
	}
	return h
}

func drawRules(t *rapid.T) []flowspec.Rule {
	var rules []flowspec.Rule
	for n := rapid.IntRange(1, 9).Draw(t, "rules"); n > 0; n-- {
		rules = append(rules, drawRule(t))
	}
	return rib.Of(rules).Rules()
}

// The way down the rules is the one that package table finds, and a line has a reason not to match exactly where its set lacks the packet.
func TestAskedIsWhatTheTableSays(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rules := drawRules(t)
		for range 20 {
			h := drawHeader(t)
			w := Options{Listed: 100}.Asked(rules, h)
			ids, does := table.Of(rules).Classify(h)
			var met []string
			for _, s := range w.Met {
				met = append(met, string(s.ID))
			}
			if !slices.Equal(met, ids) {
				t.Fatalf("%s: met %v, want %v", h, met, ids)
			}
			if want := len(does) > 0 && !w.Met[len(w.Met)-1].Continue; w.Decided != want {
				t.Fatalf("%s: decided is %v, want %v", h, w.Decided, want)
			}
			passedBy := len(w.Met) + len(w.Skipped) + w.SkippedMore + w.Elsewhere
			if !w.Decided && passedBy != w.Entries {
				t.Fatalf("%s: %d entries accounted for, want %d: %+v", h, passedBy, w.Entries, w)
			}
			for i := range rules {
				l := ruleLine(&rules[i])
				if f := rules[i].Match.Family(); f.Version() != h.Version() {
					continue
				}
				misses := l.misses(&h)
				if got, want := len(misses) == 0, rules[i].Match.Set().Has(h); got != want {
					t.Fatalf("%s: %s: misses %v, and it matches: %v", h, rules[i].Match, misses, want)
				}
				if l.destined(&h) == slices.ContainsFunc(misses, func(m Miss) bool { return m.Component == "destination" }) {
					t.Fatalf("%s: %s: destined is %v, misses %v", h, rules[i].Match, l.destined(&h), misses)
				}
			}
		}
	})
}

// The same of entries of filters, on platforms of every kind.
func TestEntriesMissAsTheirSets(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		h := drawHeader(t)
		b := rapid.Bool()
		s := filter.Semantics{PortsCheckProtocol: b.Draw(t, "ports"), TransportChecksOffset: b.Draw(t, "offset"),
			FlagsCheckProtocol: b.Draw(t, "flags"), ICMPChecksProtocol: b.Draw(t, "icmp")}
		some := func(what string, pool ...uint32) packet.Values {
			switch rapid.IntRange(0, 7).Draw(t, what) {
			case 0:
				n := pick(t, what, pool...)
				return packet.NewValues(packet.Span{Lo: n, Hi: n})
			case 1:
				return packet.NewValues(packet.Span{Lo: 1, Hi: pick(t, what, pool...) + 1})
			}
			return nil
		}
		m := filter.Match{Proto: some("proto", 6, 17, 1, 58), Port: some("port", 53, 80), DstPort: some("dport", 53, 80), SrcPort: some("sport", 53, 443),
			ICMPType: some("type", 0, 8), ICMPCode: some("code", 0, 1), Length: some("length", 60, 500), DSCP: some("dscp", 0, 5)}
		if b.Draw(t, "dst") {
			p := netip.PrefixFrom(h.Dst, pick(t, "bits", 31, h.Dst.BitLen())).Masked()
			m.Dst = &p
		}
		if rapid.IntRange(0, 3).Draw(t, "fragments") == 0 {
			m.Fragments = packet.Frags(rapid.IntRange(1, 255).Draw(t, "fragments"))
			if h.Version() == packet.IPv6 {
				m.Fragments = m.Fragments&0x0f | 1
			}
		}
		if rapid.IntRange(0, 3).Draw(t, "flags") == 0 {
			m.Flags = []filter.FlagTerm{{Set: 2, Clear: pick(t, "clear", uint16(0), 16)}, {Set: 16}}[:rapid.IntRange(0, 2).Draw(t, "terms")]
		}
		misses := entryMisses(m, s, &h)
		if got, want := len(misses) == 0, m.Set(h.Version(), s).Has(h); got != want {
			t.Fatalf("%s: %+v with %+v: misses %v, and it matches: %v", h, m, s, misses, want)
		}
	})
}

// Where every rule is carried, every packet is traced to the same end; where some are not, to none that is worse.
func TestDevicesDoWhatPlansProve(t *testing.T) {
	t.Parallel()
	lib := profiles.Embedded()
	differs := 0
	rapid.Check(t, func(t *rapid.T) {
		p, settings, err := lib.Select(pick(t, "profile", "asr9k", "junos-mx", "junos-mx:term-order=legacy", "arista-eos", "generic"))
		if err != nil {
			t.Fatal(err)
		}
		rules := drawRules(t)
		made, err := plan.Make(rib.Of(rules), p, plan.Options{Settings: settings, NoFilter: rapid.IntRange(0, 3).Draw(t, "no filter") == 0})
		if err != nil {
			t.Fatal(err)
		}
		if p, err = p.With(settings); err != nil {
			t.Fatal(err)
		}
		d := Planned{Profile: p, Desired: made.Desired}
		all := true
		d.Verdicts = made.Verdicts
		for _, v := range made.Verdicts {
			all = all && v.Carried != plan.Rejected
		}
		o := Options{Listed: 5}
		for range 20 {
			h := drawHeader(t)
			asked := o.Asked(rules, h)
			got := o.On(d, p.Name, rules, &asked, h)
			if all && (!got.Same || len(got.Lost) > 0) {
				t.Fatalf("%s: asked %v, got %v: %+v", h, asked.Does, got.Does, got)
			}
			if worst(got.done) > worst(asked.done) {
				t.Fatalf("%s: asked %v, got the worse %v", h, asked.Does, got.Does)
			}
			if !got.Same {
				differs++
				if len(got.Lost) == 0 {
					t.Fatalf("%s: asked %v, got %v, and no rule is lost: %+v", h, asked.Does, got.Does, got)
				}
			}
		}
	})
	if differs == 0 {
		t.Error("no packet fared otherwise: the test looks at nothing")
	}
}

func worst(list []done) (s table.Severity) {
	for _, d := range list {
		s = max(s, d.do.Severity())
	}
	return s
}

// A filter that marks changes what FlowSpec sees; where the order of the two is not known, both are told.
func TestStages(t *testing.T) {
	t.Parallel()
	p, _, err := profiles.Embedded().Select("junos-mx")
	if err != nil {
		t.Fatal(err)
	}
	match := func(c ...flowspec.Component) flowspec.Match {
		m, err := flowspec.NewMatch(flowspec.IPv4, flowspec.RD{}, c...)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	eq := func(typ flowspec.Type, n uint64) flowspec.Component {
		return flowspec.Component{Type: typ, Terms: []flowspec.Term{{Op: flowspec.EQ, Value: n}}}
	}
	mark := uint8(46)
	marks := flowspec.Rule{ID: "00000000000000aa", Match: match(eq(flowspec.Protocol, 17)), Action: flowspec.Action{Mark: &mark}}
	drops := flowspec.Rule{ID: "00000000000000bb", Match: match(eq(flowspec.DSCP, 46)), Action: flowspec.Action{Rate: &flowspec.Rate{}}}
	d := Planned{Profile: p, Verdicts: []*plan.Verdict{{Rule: marks.ID, Carried: plan.InFilter}, {Rule: drops.ID, Carried: plan.Native}}}
	d.Desired.Filters = []filter.Filter{{Name: "sluice-v4", Version: packet.IPv4, Entries: []filter.Entry{
		{Name: "r-aa", Rule: marks.ID, Match: filter.Match{Proto: packet.Values{{Lo: 17, Hi: 17}}}, Do: filter.Do{Mark: &mark}}}}}
	route := routeOf(drops)
	d.Desired.Routes = append(d.Desired.Routes, &route)
	d.Verdicts[1].Entries = []plan.Entry{{Route: &route}}

	h, err := packet.ParseHeader("udp 192.0.2.1:1 > 192.0.2.2:2 len 100")
	if err != nil {
		t.Fatal(err)
	}
	rules := []flowspec.Rule{marks, drops}
	asked := Options{}.Asked(rules, h)
	got := Options{}.On(d, "junos-mx", rules, &asked, h)
	if want := "mark 46, discard"; strings.Join(got.Does, ", ") != want || got.Otherwise != nil || got.Same {
		t.Errorf("got %v, otherwise %v, same %v, want %s", got.Does, got.Otherwise, got.Same, want)
	}
	if got.Stages[1].Packet != "udp 192.0.2.1:1 > 192.0.2.2:2 len 100 dscp 46" {
		t.Errorf("FlowSpec sees %s", got.Stages[1].Packet)
	}

	loose := *p
	loose.Pipeline = nil
	d.Profile = &loose
	got = Options{}.On(d, "junos-mx", rules, &asked, h)
	if got.Otherwise == nil || got.Same {
		t.Fatalf("the order is not known, and otherwise is %v, same %v", got.Otherwise, got.Same)
	}
	ends := []string{strings.Join(got.Does, ", "), strings.Join(got.Otherwise.Does, ", ")}
	slices.Sort(ends)
	if !slices.Equal(ends, []string{"mark 46", "mark 46, discard"}) {
		t.Errorf("got %q", ends)
	}
}

func routeOf(r flowspec.Rule) device.Route { return device.Route{Match: r.Match, Action: r.Action} }
