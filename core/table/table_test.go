package table

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
	"pgregory.net/rapid"
)

func rule(t testing.TB, id string, a flowspec.Action, cs ...flowspec.Component) flowspec.Rule {
	t.Helper()
	m, err := flowspec.NewMatch(flowspec.IPv4, flowspec.RD{}, cs...)
	if err != nil {
		t.Fatal(err)
	}
	return flowspec.Rule{ID: flowspec.ID(id), Match: m, Action: a}
}

func to(t testing.TB, p string) flowspec.Component {
	t.Helper()
	q := netip.MustParsePrefix(p)
	return prefix(flowspec.DstPrefix, q.Addr(), q.Bits())
}

func parse(t testing.TB, s string) packet.Header {
	t.Helper()
	h, err := packet.ParseHeader(s)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

var (
	discard = flowspec.Action{Rate: &flowspec.Rate{}}
	rate    = flowspec.Action{Rate: &flowspec.Rate{Amount: 12.5e6, Unit: flowspec.Bytes, AS: 65000}}
)

// TestOf is the web server with an allow list: the exception stands above the limit although it comes last, because it names a source.
func TestOf(t *testing.T) {
	t.Parallel()
	web := []flowspec.Component{to(t, "203.0.113.80/32"), numbers(flowspec.Protocol, 6), numbers(flowspec.DstPort, 80, 443)}
	tab := Of([]flowspec.Rule{
		rule(t, "net", discard, to(t, "203.0.112.0/22")),
		rule(t, "limit", rate, web...),
		rule(t, "allow", flowspec.Action{}, append(web, prefix(flowspec.SrcPrefix, netip.MustParseAddr("198.51.100.0"), 24))...),
	})
	for packet, want := range map[string]string{
		"tcp 198.51.100.7:40000 > 203.0.113.80:443":            "allow",
		"tcp 192.0.2.1:40000 > 203.0.113.80:443":               "limit",
		"tcp 192.0.2.1:40000 > 203.0.113.80:22":                "net",
		"tcp 192.0.2.1:40000 > 203.0.116.80:22":                "",
		"tcp 192.0.2.1 > 203.0.113.80 frag last":               "net",
		"tcp 192.0.2.1:40000 > 203.0.113.80:443 frag first":    "limit",
		"udp 198.51.100.7:40000 > 203.0.113.80:443":            "net",
		"tcp [2001:db8::1]:40000 > [2001:db8::2]:443":          "",
		"proto 6 198.51.100.7:1 > 203.0.113.80:80 len 40 df":   "allow",
		"icmp 198.51.100.7 > 203.0.113.80 icmp 8/0 len 84":     "net",
		"tcp 198.51.100.7:40000 > 203.0.113.80:80 flags none":  "allow",
		"tcp 198.51.100.7:40000 > 203.0.113.80:80 dscp 46":     "allow",
		"tcp 198.51.101.7:40000 > 203.0.113.80:80 frag first":  "limit",
		"proto 47 198.51.100.7 > 203.0.113.80 len 1400":        "net",
		"udp 198.51.100.7:53 > 203.0.115.255:4444 len 65535":   "net",
		"udp 198.51.100.7:53 > 203.0.111.255:4444 len 1400 df": "",
	} {
		ids, does := tab.Classify(parse(t, packet))
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("%s: got %q, want %q", packet, got, want)
		}
		if want == "limit" && does[0] != (Outcome{Policer: "limit", Rate: flowspec.Rate{Amount: 12.5e6, Unit: flowspec.Bytes}}) {
			t.Errorf("%s: %v", packet, does)
		}
	}
}

func TestWantAndString(t *testing.T) {
	t.Parallel()
	mark := uint8(46)
	for want, a := range map[string]flowspec.Action{
		"accept":  {},
		"discard": discard,
		"rate-limit 12500000 bytes/s (policer r)": rate,
		"rate-limit 1500.5 packets/s (policer r), redirect to 192.0.2.99, mark 46, sample": {Rate: &flowspec.Rate{Amount: 1500.5, Unit: flowspec.Packets},
			Redirect: &flowspec.Redirect{Form: flowspec.NextHopSimpson, Addr: netip.MustParseAddr("192.0.2.99")}, Mark: &mark, Sample: true},
		"copy to 2001:db8::1":            {Redirect: &flowspec.Redirect{Form: flowspec.NextHopIETFv6, Addr: netip.MustParseAddr("2001:db8::1"), Copy: true}},
		"redirect to target:65000:666":   {Redirect: &flowspec.Redirect{Form: flowspec.RedirectAS2, Global: 65000, Local: 666}},
		"redirect to target:65000L:666":  {Redirect: &flowspec.Redirect{Form: flowspec.RedirectAS4, Global: 65000, Local: 666}},
		"redirect to target:192.0.2.1:7": {Redirect: &flowspec.Redirect{Form: flowspec.RedirectIPv4, Addr: netip.MustParseAddr("192.0.2.1"), Local: 7}},
	} {
		if got := Want(flowspec.Rule{ID: "r", Action: a}).String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestSeverityAscends(t *testing.T) {
	t.Parallel()
	ladder := []Outcome{{}, {Sample: true}, {Redirect: "192.0.2.99"}, limit("p", 1), {Discard: true}}
	for i, o := range ladder {
		if int(o.Severity()) != i {
			t.Errorf("%v has severity %v", o, o.Severity())
		}
		if o.Policer = ""; int(o.Severity()) != i { // a limit without a name is a limit
			t.Errorf("%v has severity %v", o, o.Severity())
		}
		o.Sample = true // a milder part changes nothing
		if i > 0 && int(o.Severity()) != i {
			t.Errorf("%v has severity %v", o, o.Severity())
		}
	}
}

// TestSplitPolicer is the story of this package: seven ports in one limit are not seven ports in two limits of the same rate.
func TestSplitPolicer(t *testing.T) {
	t.Parallel()
	want := Of([]flowspec.Rule{rule(t, "game", rate, to(t, "203.0.113.20/32"), numbers(flowspec.Protocol, 17), numbers(flowspec.DstPort, 80, 443, 3074))})
	part := func(id, policer string, ports ...uint64) Entry {
		e := Of([]flowspec.Rule{rule(t, id, rate, to(t, "203.0.113.20/32"), numbers(flowspec.Protocol, 17), numbers(flowspec.DstPort, ports...))})[0]
		e.Do.Policer = policer
		return e
	}
	shared := Table{part("a", "p", 80, 443), part("b", "p", 3074)}
	if d := Diff(want, shared); d != nil {
		t.Errorf("with one policer: %v", d)
	}
	apart := Table{part("a", "p", 80, 443), part("b", "q", 3074)}
	d := Diff(want, apart)
	if d == nil || d.Other == nil {
		t.Fatalf("with two policers: %v", d)
	}
	wantDiff := &Difference{
		Packet: parse(t, "udp 198.51.100.7:40000 > 203.0.113.20:443 len 512"), WantEntry: "game", GotEntry: "a",
		OtherWantEntry: "game", OtherGotEntry: "b",
		Want: "rate-limit 12500000 bytes/s (policer game): both share policer game",
		Got:  "rate-limit 12500000 bytes/s (policer p) and rate-limit 12500000 bytes/s (policer q): no policer in common",
	}
	other := parse(t, "udp 198.51.100.7:40000 > 203.0.113.20:3074 len 512")
	wantDiff.Other = &other
	if diff := cmp.Diff(wantDiff, d, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
	if d := Severer(want, apart); d != nil {
		t.Errorf("two buckets are more than one: %v", d)
	}
	if d := Severer(apart, want); d == nil || d.Other == nil {
		t.Errorf("one bucket for two: %v", d)
	}
}

// TestImpossiblePackets: rules that differ only in packets that cannot exist are the same rules.
func TestImpossiblePackets(t *testing.T) {
	t.Parallel()
	length := func(lo, hi uint64) Table {
		return Of([]flowspec.Rule{rule(t, "r", discard, numbers(flowspec.Protocol, 17), flowspec.Component{Type: flowspec.PacketLength,
			Terms: []flowspec.Term{{Op: flowspec.GE, Value: lo}, {And: true, Op: flowspec.LE, Value: hi}}})})
	}
	if d := Diff(length(0, 100), length(12, 100)); d != nil {
		t.Errorf("no packet is so short: %v", d)
	}
	if d := Diff(length(0, 100), length(28, 100)); d == nil || d.Packet.Fragment != packet.Last {
		t.Errorf("a last fragment may be: %v", d)
	}
	cut := Of([]flowspec.Rule{rule(t, "r", discard, numbers(flowspec.DstPort, 53), flowspec.Component{Type: flowspec.PacketLength,
		Terms: []flowspec.Term{{Op: flowspec.LT, Value: 28}}})})
	if d := Diff(cut, nil); d == nil || d.Packet.Length != 20 || d.Packet.Fragment != packet.Whole {
		t.Errorf("attackers send datagrams without a whole header: %v", d)
	}
	if d := Diff(length(0, 100), length(29, 100)); d == nil || d.Packet.Length != 28 {
		t.Errorf("a datagram without data exists: %v", d)
	}
}

// TestMutantsAreCaught damages a split table in every place in turn.
func TestMutantsAreCaught(t *testing.T) {
	t.Parallel()
	want := Of(mix(t, 120, 3))
	got := halved(want)
	if d := Diff(want, got); d != nil {
		t.Fatal(d)
	}
	var caught [4]int
	for i := range got {
		mutants := [4]Table{
			slices.Delete(slices.Clone(got), i, i+1),
			slices.Clone(got),
			slices.Clone(got),
			slices.Clone(got),
		}
		if i > 0 {
			mutants[1][i-1], mutants[1][i] = got[i], got[i-1]
		}
		mutants[2][i].Do.Policer += "x"
		if got[i].Do.Policer == "" {
			mutants[2][i].Do = limit("x", 5)
		}
		mutants[3][i].Match = got[i].Match.Or(packet.Of(hostBox("192.0.2.1")))
		for n, m := range mutants {
			d := Diff(want, m)
			if d != nil {
				caught[n]++
				confirm(t, want, m, d)
				continue
			}
			if h, ok := differing(want, m); ok {
				t.Fatalf("mutant %d at entry %d is not caught; %v fares differently", n, i, h)
			}
		}
	}
	t.Logf("caught of %d: lost %d, swapped %d, policer %d, widened %d", len(got), caught[0], caught[1], caught[2], caught[3])
	for n, c := range caught {
		if c == 0 {
			t.Errorf("no mutant of kind %d was caught", n)
		}
	}
}

func hostBox(host string) packet.Box {
	b := packet.Everything(packet.IPv4)
	b.Dst = packet.AddrsIn(netip.PrefixFrom(netip.MustParseAddr(host), 32))
	return b
}

// differing puts an ordinary packet of every entry, and of every overlap of two, to both tables.
func differing(want, got Table) (packet.Header, bool) {
	for _, t := range []Table{want, got} {
		for i := range t {
			for k := range i + 1 {
				both := t[i].Match.And(t[k].Match)
				if h, ok := both.Witness(); ok && !alike(doing(doesOf(want, h)), doing(doesOf(got, h))) {
					return h, true
				}
			}
		}
	}
	return packet.Header{}, false
}

// TestOrderMatters takes the same entries in another order: equal where they do not overlap, a witness where they do.
func TestOrderMatters(t *testing.T) {
	t.Parallel()
	want := disjoint(2_000)
	got := slices.Clone(want)
	slices.Reverse(got)
	if d := Diff(want, got); d != nil {
		t.Errorf("reversed, and disjoint: %v", d)
	}
	want = append(want, Entry{ID: "all", Match: packet.Of(packet.Everything(packet.IPv4)), Do: Outcome{Marked: true}})
	got = slices.Insert(slices.Clone(want[:2_000]), 1_000, want[2_000])
	d := Diff(want, got)
	if d == nil {
		t.Fatal("an entry for everything moved up unnoticed")
	}
	confirm(t, want, got, d)
	if d.WantEntry != "1000" || d.GotEntry != "all" {
		t.Errorf("got %q and %q", d.WantEntry, d.GotEntry)
	}
}

// TestBudget: what is too entangled is not called equal.
func TestBudget(t *testing.T) {
	t.Parallel()
	want := Of(mix(t, 200, 5))
	c := newComparison(want, halved(want), func(w, g Outcome) bool { return w != g })
	c.steps = 50
	h, found := c.find()
	if d := c.answer(h, found); d == nil || !d.Unproven || d.Reason == "" {
		t.Errorf("got %v after 50 steps", d)
	}
	if !strings.Contains(unproven().String(), "not proven") {
		t.Errorf("got %v", unproven())
	}
}

func TestContinueIsNoNameForStop(t *testing.T) {
	t.Parallel()
	all := packet.Of(packet.Everything(packet.IPv4))
	sample := Entry{ID: "s", Match: all, Do: Outcome{Sample: true}, Continue: true}
	drop := Entry{ID: "d", Match: all, Do: Outcome{Discard: true}}
	stop := sample
	stop.Continue = false
	if d := Diff(Table{sample, drop}, Table{stop, drop}); d == nil || d.Want != "sample, then discard" || d.Got != "sample" {
		t.Errorf("got %v", d)
	}
	if d := Diff(Table{sample}, Table{stop}); d != nil {
		t.Errorf("sample and accept is sample: %v", d)
	}
	if d := Diff(Table{sample, drop}, Table{drop, sample}); d == nil || d.WantEntry != "s" {
		t.Errorf("got %v", d)
	}
}

// TestClustersAgreeWithPairs compares with the definition: pairs that overlap and differ, joined.
func TestClustersAgreeWithPairs(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		tab := drawTable(t, true)
		group := make([]int, len(tab))
		for i := range group {
			group[i] = i
		}
		for range tab { // as many rounds as it can take
			for i := range tab {
				for k := range tab {
					if orderMatters(&tab[i], &tab[k]) && !tab[i].Match.And(tab[k].Match).Empty() {
						group[i] = min(group[i], group[k])
					}
				}
			}
		}
		var want [][]int
		for g := range tab {
			var members []int
			for i := range tab {
				if group[i] == g {
					members = append(members, i)
				}
			}
			if len(members) > 1 {
				want = append(want, members)
			}
		}
		if got := Clusters(tab); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("got %v, want %v of %v", got, want, tab)
		}
	})
}
