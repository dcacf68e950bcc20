package dataplane_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/adapters/nftables"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/notation"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/profile"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/core/trace"
	"github.com/sluice-gateway/sluice/profiles"
)

var dialect nftables.Dialect

func linux(t testing.TB) *profile.Profile {
	t.Helper()
	p, err := profiles.Embedded().Get("linux-nftables")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestKernelDoesWhatTraceSays plans tables, loads them, and sends packets through them: what arrives, by which way and with which DSCP, and which counters count, is what
// trace says of the plan; and where no rule had to be refused, that is what it says of the rules.
func TestKernelDoesWhatTraceSays(t *testing.T) {
	l, p := newLab(t), linux(t)
	for _, f := range []flowspec.Family{flowspec.IPv4, flowspec.IPv6} {
		sent, dropped, met, mapped := 0, 0, 0, map[string]int{}
		for seed := uint64(1); seed <= uint64(*tables); seed++ {
			if *onlySeed != 0 {
				seed = *onlySeed
			}
			r := newRun(newDraw(t, seed), l, p, f)
			for range packetsEach {
				r.packet()
			}
			r.counters()
			sent, dropped, met = sent+packetsEach, dropped+r.dropped, met+r.met
			for _, way := range []string{"map to-", "map from-"} {
				mapped[way] += strings.Count(r.script, way)
			}
			if *onlySeed != 0 {
				break
			}
		}
		t.Logf("%s: %d packets sent, %d dropped, %d entries met; %v", f, sent, dropped, met, mapped)
		if *onlySeed == 0 && (dropped < sent/20 || met < sent/4 || mapped["map to-"] == 0 || mapped["map from-"] == 0) {
			t.Errorf("%s: the packets hardly meet the rules, or tables with maps are missing", f)
		}
	}
}

// run is one table in the kernel.
type run struct {
	*draw
	l            *lab
	f            flowspec.Family
	rules        []flowspec.Rule
	planned      trace.Planned
	script       string
	counted      map[string]int // what the counters should say
	whole        bool           // every rule is carried
	dropped, met int
}

// newRun draws a table, plans it and loads what is planned.
func newRun(d *draw, l *lab, p *profile.Profile, f flowspec.Family) *run {
	d.Helper()
	r := &run{draw: d, l: l, f: f, rules: d.rules(f), counted: map[string]int{}, whole: true}
	slices.SortFunc(r.rules, func(a, b flowspec.Rule) int { return flowspec.Compare(a.Match, b.Match) })
	made, err := plan.Make(rib.Of(r.rules), p, plan.Options{})
	if err != nil {
		d.failf("%v", err)
	}
	r.planned = trace.Planned{Profile: p, Desired: made.Desired}
	for i := range made.Verdicts {
		r.planned.Verdicts = append(r.planned.Verdicts, made.Verdicts[i])
		r.whole = r.whole && made.Verdicts[i].Carried != plan.Rejected
	}
	r.script = "flush ruleset\n"
	for _, one := range made.Desired.Filters {
		rendered, err := nftables.Dialect{MostSets: pick(d, []int{0, 0, 1, 2})}.Render(one)
		if err != nil {
			d.failf("a plan that cannot be rendered: %v", err)
		}
		r.script += rendered.Text
	}
	if err := l.load(r.script); err != nil {
		d.failf("%v\n%s", err, r.script)
	}
	readsAs(d, made.Desired.Filters, l.list(pick(d, [][]string{{"list", "ruleset"}, {"-n", "list", "ruleset"}, {"-j", "list", "ruleset"}, {"-a", "list", "ruleset"}})...))
	return r
}

// readsAs fails unless what nft lists is read as filters.
func readsAs(d *draw, filters []filter.Filter, listed []byte) {
	d.Helper()
	got, err := dialect.Parse(listed)
	if err != nil || len(got) != len(filters) {
		d.failf("%d filters, want %d: %v\n%s", len(got), len(filters), err, listed)
	}
	for i, f := range filters {
		if err := filter.Same(f, got[i], dialect.Semantics()); err != nil {
			d.failf("what nft lists is read as another filter: %v\n%s", err, listed)
		}
	}
}

// packet draws a packet, sends it, and compares.
func (r *run) packet() {
	r.Helper()
	h, s := r.draw.packet(r.f, r.rules)
	o := trace.Options{Listed: 3}
	asked := o.Asked(r.rules, h)
	on := o.On(r.planned, "router", r.rules, &asked, h)
	if r.whole && !on.Same {
		r.failf("the plan carries every rule and does otherwise than they ask to %s: %v, want %v\n%s", h, on.Does, asked.Does, r.text())
	}
	want := r.expect(on, h)
	sent := octets(h, s)
	var got []string
	for _, a := range r.l.send(sent) {
		got = append(got, seen(a))
		if r.changed(sent, a.packet) {
			r.failf("%s arrived as another packet:\nsent %x\ngot  %x\n%s", h, sent, a.packet, r.script)
		}
	}
	slices.Sort(got)
	if !slices.Equal(want, got) {
		r.failf("%s %+v\nthe kernel: %s\ntrace says: %s, by %v\nnumber %x\n%s\n%s", h, s, strings.Join(got, ", "), strings.Join(want, ", "), on.Stages, sent, r.text(), r.script)
	}
}

// expect returns what should arrive, and notes what should be counted.
func (r *run) expect(on trace.Device, h packet.Header) []string {
	entries := map[string]*filter.Entry{}
	for i := range r.planned.Desired.Filters {
		for k := range r.planned.Desired.Filters[i].Entries {
			e := &r.planned.Desired.Filters[i].Entries[k]
			entries[e.Name] = e
		}
	}
	dscp, there := h.DSCP, true
	var out []string
	for _, s := range on.Stages {
		for _, step := range s.Met {
			e := entries[step.Entry]
			r.counted[e.Counter]++
			r.met++
			if e.Do.Mark != nil {
				dscp = *e.Do.Mark
			}
			if to := e.Do.Redirect; to != nil {
				out = append(out, fmt.Sprintf("to the next hop with DSCP %d", dscp))
				there = to.Copy
			}
			there = there && !e.Do.Discard
		}
	}
	if there {
		out = append(out, fmt.Sprintf("with DSCP %d", dscp))
	} else {
		r.dropped++
	}
	slices.Sort(out)
	return out
}

// seen says of a packet that arrived what expect says.
func seen(a arrival) string {
	dscp := a.packet[1] >> 2
	if a.packet[0]>>4 == 6 {
		dscp = a.packet[0]&15<<2 | a.packet[1]>>6
	}
	if a.redirected {
		return fmt.Sprintf("to the next hop with DSCP %d", dscp)
	}
	return fmt.Sprintf("with DSCP %d", dscp)
}

// changed says whether a router did more to a packet than it may: the DSCP is looked at elsewhere, the hop limit is one less, and IPv4 has a checksum over both.
func (r *run) changed(sent, got []byte) bool {
	if len(sent) != len(got) {
		return true
	}
	a, b := slices.Clone(sent), slices.Clone(got)
	for _, p := range [][]byte{a, b} {
		if p[0]>>4 == 4 {
			p[1] &= 3
			p[10], p[11] = 0, 0
		} else {
			p[0], p[1] = p[0]&0xf0, p[1]&0x3f
		}
	}
	at := 8
	if a[0]>>4 == 6 {
		at = 7
	}
	a[at]--
	return !slices.Equal(a, b)
}

func (r *run) text() string {
	var b strings.Builder
	for _, rule := range r.rules {
		b.WriteString(notation.Text(rule) + "\n")
	}
	return b.String()
}

// counters compares the counters of the kernel with the entries that were met.
func (r *run) counters() {
	r.Helper()
	got := r.counts(r.l)
	for name, n := range got {
		if want := r.counted[name]; n != want {
			r.failf("counter %s: %d packets, want %d\n%s\n%s", name, n, want, r.text(), r.script)
		}
	}
	if len(got) < len(r.counted) {
		r.failf("%d counters, of which %d should have counted", len(got), len(r.counted))
	}
}

// counts returns how many packets each counter of the kernel has seen.
func (d *draw) counts(l *lab) map[string]int {
	d.Helper()
	var doc struct {
		Objects []struct {
			Counter *struct {
				Name    string
				Packets int
			}
		} `json:"nftables"`
	}
	if err := json.Unmarshal(l.list("-j", "list", "counters"), &doc); err != nil {
		d.failf("%v", err)
	}
	out := map[string]int{}
	for _, o := range doc.Objects {
		if o.Counter != nil {
			out[o.Counter.Name] = o.Counter.Packets
		}
	}
	return out
}
