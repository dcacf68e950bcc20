package plan_test

import (
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/oracle"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/profile"
	"github.com/sluice-gateway/sluice/core/rib"
	"pgregory.net/rapid"
)

// The model of a device here shares nothing with package plan: it evaluates octets and filter entries packet by packet.

// step is what one rule does to a packet: words, and how bad it is.
type step struct {
	does     string // "" is accept
	severity int
	goesOn   bool
}

// stepOf says what action a of rule id does. Two rates are never the same.
func stepOf(id flowspec.ID, a flowspec.Action) step {
	s := step{goesOn: a.Continue}
	var words []string
	add := func(severity int, word string) {
		words = append(words, word)
		s.severity = max(s.severity, severity)
	}
	if a.Mark != nil {
		add(1, fmt.Sprint("mark ", *a.Mark))
	}
	if a.Sample {
		add(1, "sample")
	}
	if a.Redirect != nil && a.Redirect.NextHop() {
		add(2, fmt.Sprint("redirect ", a.Redirect.Addr))
	} else if a.Redirect != nil {
		add(2, fmt.Sprint("redirect ", a.Redirect.Global, ":", a.Redirect.Local))
	}
	if a.Discard() {
		add(4, "discard")
	} else if a.Rate != nil {
		add(3, fmt.Sprint("rate of ", id))
	}
	s.does = strings.Join(words, " ")
	return s
}

// outcome is what happens to a packet in the end: what was done, each thing once, and how bad it was.
type outcome struct {
	does     string
	severity int
}

// walk adds up steps until one does not go on. It says whether the packet is gone. To sample twice is not to sample once.
func walk(steps []step, done *[]string, severity *int) (gone bool) {
	for _, s := range steps {
		if s.does != "" && (s.does == "sample" || !slices.Contains(*done, s.does)) {
			*done = append(*done, s.does)
			*severity = max(*severity, s.severity)
		}
		if !s.goesOn {
			return strings.Contains(s.does, "discard")
		}
	}
	return false
}

// asked returns what the rules ask for h.
func asked(rules []flowspec.Rule, h packet.Header) outcome {
	var steps []step
	for _, r := range rules {
		if oracle.Rule(r.Match, h) {
			steps = append(steps, stepOf(r.ID, r.Action))
		}
	}
	var done []string
	severity := 0
	walk(steps, &done, &severity)
	return outcome{strings.Join(done, ", "), severity}
}

// router evaluates a plan: the filter first, then FlowSpec for what it let through (as Junos does), the routes in the given order.
type router struct {
	routes  []route
	filters []filter.Filter
}

type route struct {
	match  flowspec.Match
	owner  flowspec.ID
	action flowspec.Action
}

func (d *router) treats(h packet.Header) outcome {
	var done []string
	severity := 0
	for _, f := range d.filters {
		if f.Version == packet.IPv4 != h.Src.Is4() {
			continue
		}
		var steps []step
		for _, e := range f.Entries {
			if !oracle.Entry(e.Match, h) {
				continue
			}
			a := flowspec.Action{Redirect: e.Do.Redirect, Mark: e.Do.Mark, Sample: e.Do.Sample, Continue: e.Do.Continue}
			if e.Do.Discard {
				a.Rate = &flowspec.Rate{}
			} else if e.Do.Policer != "" {
				a.Rate = &flowspec.Rate{Amount: 1}
			}
			steps = append(steps, stepOf(flowspec.ID(strings.TrimPrefix(e.Do.Policer, "sluice-r-")), a))
		}
		if walk(steps, &done, &severity) {
			return outcome{strings.Join(done, ", "), severity}
		}
	}
	if slices.ContainsFunc(done, func(s string) bool { return strings.HasPrefix(s, "mark 5") }) {
		h.DSCP = 5 // what the filter marks, FlowSpec reads
	}
	var steps []step
	for _, r := range d.routes {
		if oracle.Rule(r.match, h) {
			steps = append(steps, stepOf(r.owner, r.action))
		}
	}
	walk(steps, &done, &severity)
	return outcome{strings.Join(done, ", "), severity}
}

// deviceOf builds the device that holds a plan.
func deviceOf(t *rapid.T, p *plan.Plan) *router {
	d := &router{filters: p.Desired.Filters}
	owner := map[string]flowspec.ID{}
	for _, v := range p.Verdicts {
		for _, e := range v.Entries {
			if e.Route == nil {
				continue
			}
			key := fmt.Sprintf("%s %x", e.Route.Match.Family(), e.Route.Match.NLRI())
			if other, ok := owner[key]; ok {
				t.Fatalf("the NLRI %s stands in the rules %s and %s", key, other, v.Rule)
			}
			owner[key] = v.Rule
		}
	}
	for _, r := range p.Desired.Routes {
		key := fmt.Sprintf("%s %x", r.Match.Family(), r.Match.NLRI())
		if owner[key] == "" {
			t.Fatalf("the NLRI %s stands in no verdict", key)
		}
		d.routes = append(d.routes, route{r.Match, owner[key], r.Action})
	}
	if len(owner) != len(d.routes) {
		t.Fatalf("%d routes in verdicts, %d desired", len(owner), len(d.routes))
	}
	slices.SortFunc(d.routes, func(a, b route) int { return flowspec.Compare(a.match, b.match) })
	return d
}

func pick[T any](t *rapid.T, name string, list ...T) T { return rapid.SampledFrom(list).Draw(t, name) }

var smallPorts = []uint64{53, 80, 81, 123, 389, 443, 1900, 11211}

// drawRule draws a rule of a small universe, in which rules meet.
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
		out = append(out, eq(flowspec.Protocol, 17))
	}
	m, err := flowspec.NewMatch(f, flowspec.RD{}, out...)
	if err != nil {
		t.Fatal(err)
	}
	return flowspec.Rule{ID: flowspec.NewID("test", m), Match: m, Action: drawAction(t), Source: "test"}
}

func drawAction(t *rapid.T) (a flowspec.Action) {
	mark := uint8(5)
	switch rapid.IntRange(0, 10).Draw(t, "action") {
	case 0, 1, 2:
	case 3, 4, 5, 6:
		a.Rate = &flowspec.Rate{Unit: flowspec.Bytes}
	case 7:
		a.Rate = &flowspec.Rate{Amount: 1e6, Unit: flowspec.Bytes}
	case 8:
		a.Mark = &mark
	case 9:
		a.Redirect = &flowspec.Redirect{Form: flowspec.RedirectAS2, Global: 65000, Local: 1}
	case 10:
		a.Sample = true
	}
	a.Continue = rapid.IntRange(0, 14).Draw(t, "continue") == 0
	return a
}

func smallAddress(f flowspec.Family, i int) netip.Addr {
	if f == flowspec.IPv6 {
		return netip.AddrFrom16([16]byte{0x20, 1, 0x0d, 0xb8, 15: byte(i)})
	}
	return netip.AddrFrom4([4]byte{10, 0, 0, byte(i)})
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

var soundProfiles = []string{"asr9k", "junos-mx", "junos-mx:term-order=legacy", "arista-eos", "generic", "nokia-sros", "huawei-vrp:redirect-ip=on", "extreme-slx", "frr:driver=netfilter", "junos-ptx"}

func drawOptions(t *rapid.T) plan.Options {
	remedies := [][]string{nil, nil, {}, plan.Remedies, {plan.RemedySplitOther}, {plan.RemedyChoose, plan.RemedyPrefix}, {plan.RemedySteer, plan.RemedyFilter}}
	instances := pick(t, "instances", nil, filter.Instances{{Form: flowspec.RedirectAS2, Global: 65000, Local: 1}: "SCRUB"})
	return plan.Options{Instances: instances, Remedies: pick(t, "remedies", remedies...), NoNative: rapid.IntRange(0, 5).Draw(t, "no native") == 0, NoFilter: rapid.IntRange(0, 3).Draw(t, "no filter") == 0,
		Placement: pick(t, "placement", filter.Alone, filter.Alone, filter.Before)}
}

// Every packet is treated as the rules ask where all of them are carried, and never worse where some are not. Where the order of the
// device is not known, that holds for any order.
func TestPlansAreSound(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name := pick(t, "profile", soundProfiles...)
		p, settings := embedded(t, name)
		opt := drawOptions(t)
		opt.Settings = settings
		var rules []flowspec.Rule
		for n := rapid.IntRange(1, 9).Draw(t, "rules"); n > 0; n-- {
			rules = append(rules, drawRule(t))
		}
		snap := rib.Of(rules)
		out, err := plan.Make(snap, p, opt)
		if err != nil {
			t.Fatal(err)
		}
		with, err := p.With(settings)
		if err != nil {
			t.Fatal(err)
		}
		checkSound(t, snap, out, with)
	})
}

func checkSound(t *rapid.T, snap rib.Snapshot, out *plan.Plan, p *profile.Profile) {
	checkSoundWith(t, snap, out, p, nil)
}

// checkSoundWith is checkSound on a device whose order was measured.
func checkSoundWith(t *rapid.T, snap rib.Snapshot, out *plan.Plan, p *profile.Profile, measured *plan.MeasuredOrder) {
	all := true
	for _, v := range out.Verdicts {
		for _, r := range v.Reasons {
			if r.Code == "unproven" {
				t.Fatalf("rule %s: %s\n%s", v.Rule, r.Message, describe(snap, out))
			}
		}
		all = all && v.Carried != plan.Rejected
		if v.Carried == plan.Rejected && (len(v.Entries) > 0 || v.Exact || len(v.Reasons) == 0) {
			t.Fatalf("rejected with entries, exact or without a reason: %+v", v)
		}
	}
	for _, f := range out.Desired.Filters {
		if err := f.Check(); err != nil {
			t.Fatal(err)
		}
		for _, e := range f.Entries {
			if parts := filter.FragmentParts(e.Match.Fragments); len(parts) != 1 {
				t.Fatalf("entry %s: no entry can say the fragments %v at once", e.Name, e.Match.Fragments)
			}
		}
	}
	d := deviceOf(t, out)
	shuffleUnknown(t, d, p)
	keepMeasured(d, measured)
	for range 40 {
		h := drawHeader(t)
		want, got := asked(snap.Rules(), h), d.treats(h)
		if all && want.does != got.does || got.severity > want.severity {
			t.Fatalf("packet %s: asked %q, got %q (all carried: %v)\n%s", h, want.does, got.does, all, describe(snap, out))
		}
	}
}

// shuffleUnknown puts the routes of families whose order is unknown into any order.
func shuffleUnknown(t *rapid.T, d *router, p *profile.Profile) {
	var fixed, loose []route
	for _, r := range d.routes {
		order := p.Native.Order
		if r.match.Family() == flowspec.IPv6 && p.Native.OrderV6 != nil {
			order = *p.Native.OrderV6
		}
		if order.Kind == "unknown" {
			loose = append(loose, r)
		} else {
			fixed = append(fixed, r)
		}
	}
	if len(loose) > 1 {
		loose = rapid.Permutation(loose).Draw(t, "order")
	}
	d.routes = append(fixed, loose...)
}

func describe(snap rib.Snapshot, out *plan.Plan) string {
	var b strings.Builder
	for i, r := range snap.Rules() {
		v := *out.Verdicts[i]
		fmt.Fprintf(&b, "%s: %s then %s: %s\n", r.ID, r.Match, r.Action, summary(v))
		for _, e := range v.Entries {
			if e.Route != nil {
				fmt.Fprintf(&b, "    %s\n", e.Route.Match)
			} else {
				fmt.Fprintf(&b, "    %+v\n", *e.Filter)
			}
		}
	}
	return b.String()
}

// The same on platforms that do not exist.
func TestPlansAreSoundOnAnyPlatform(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := drawProfile(t)
		opt := drawOptions(t)
		var rules []flowspec.Rule
		for n := rapid.IntRange(1, 7).Draw(t, "rules"); n > 0; n-- {
			rules = append(rules, drawRule(t))
		}
		snap := rib.Of(rules)
		out, err := plan.Make(snap, p, opt)
		if err != nil {
			t.Fatal(err)
		}
		checkSound(t, snap, out, p)
	})
}

// drawProfile draws a platform: Junos with other limits.
func drawProfile(t *rapid.T) *profile.Profile {
	junos, _ := embedded(t, "junos-mx")
	p, native, inFilter := *junos, *junos.Native, *junos.Filter
	p.Native, p.Filter = &native, &inFilter
	native.Components = drawComponents(t, native.Components)
	inFilter.Components = drawComponents(t, inFilter.Components)
	if rapid.Bool().Draw(t, "exclude") {
		native.Exclude, inFilter.Exclude = nil, nil
	}
	octets := rapid.Bool().Draw(t, "octets")
	native.Order = profile.Order{Kind: pick(t, "order", "rfc8955", "rfc8955", "unknown"), ByReceivedOctets: octets, PrefixLever: octets, AlwaysFalse: octets}
	native.MaxNLRI = pick(t, "nlri", 0, 0, 24)
	native.MaxRules = profile.Number{N: pick(t, "rules", 0, 0, 0, 3)}
	inFilter.MaxEntries = profile.Number{N: pick(t, "entries", 0, 0, 0, 3)}
	inFilter.SharedPolicer.OK = rapid.Bool().Draw(t, "shared")
	native.Actions.Continue.OK = rapid.Bool().Draw(t, "continue")
	native.Actions.Accept.OK = rapid.IntRange(0, 4).Draw(t, "accept") != 0
	return &p
}

func drawComponents(t *rapid.T, like map[flowspec.Type]profile.Component) map[flowspec.Type]profile.Component {
	out := make(map[flowspec.Type]profile.Component, len(like))
	for typ := flowspec.DstPrefix; typ <= flowspec.FlowLabel; typ++ {
		c, ok := like[typ]
		if !ok || rapid.IntRange(0, 12).Draw(t, "missing") == 0 {
			continue
		}
		c.MaxValues = pick(t, "values", profile.Unlimited, 0, 1, 2, 5)
		c.MaxPairs = pick(t, "pairs", 0, 0, 2, 5)
		c.MaxWidth = pick(t, "width", uint8(0), 1, 2)
		c.MaxBits = pick(t, "bits", uint8(0), 1)
		c.Ops = slices.DeleteFunc(slices.Clone(c.Ops), func(string) bool { return rapid.IntRange(0, 5).Draw(t, "op") == 0 })
		out[typ] = c
	}
	return out
}

// A planner that is given one snapshot after another answers as Make does.
func TestPlannerAnswersAsMake(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p, settings := embedded(t, pick(t, "profile", soundProfiles...))
		opt := drawOptions(t)
		opt.Settings = settings
		pl := plan.NewPlanner(p, opt)
		var rules []flowspec.Rule
		for range 4 {
			for n := rapid.IntRange(0, 3).Draw(t, "add"); n > 0; n-- {
				rules = append(rules, drawRule(t))
			}
			for n := rapid.IntRange(0, 2).Draw(t, "drop"); n > 0 && len(rules) > 0; n-- {
				i := rapid.IntRange(0, len(rules)-1).Draw(t, "which")
				rules = slices.Delete(slices.Clone(rules), i, i+1)
			}
			if len(rules) > 0 && rapid.Bool().Draw(t, "change") {
				rules = slices.Clone(rules)
				rules[0].Action = drawAction(t)
			}
			snap := rib.Of(rules)
			got, err := pl.Plan(snap)
			if err != nil {
				t.Fatal(err)
			}
			want, err := plan.Make(snap, p, opt)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("planner:\n%s\nMake:\n%s", describe(snap, got), describe(snap, want))
			}
		}
	})
}
