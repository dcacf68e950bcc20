package report

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/notation"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/review"
	"github.com/sluice-gateway/sluice/core/table"
	"github.com/sluice-gateway/sluice/profiles"
)

// planned reads rules and plans them.
func planned(t *testing.T, text, name string, opt plan.Options) (*Input, *Judged, *review.Index, []int) {
	t.Helper()
	read := notation.Read("f", []byte(text), notation.Options{Format: notation.ExaBGP})
	if read.Failed() {
		t.Fatal(read.Problems)
	}
	in := Play(read.Items, read.Problems)
	p, settings, err := profiles.Embedded().Select(name)
	if err != nil {
		t.Fatal(err)
	}
	snap, index := in.Snapshot()
	opt.Settings = settings
	j, err := Judge(nil, snap, index, p, opt, nil)
	if err != nil {
		t.Fatal(err)
	}
	return in, j, review.NewIndex(snap.Rules()), index
}

// hardRules returns rules inside one /30, some of which an ASR 9000 rejects: lists too long for a rate, two TCP flag terms, continue.
func hardRules(r *rand.Rand, n int) string {
	var out strings.Builder
	seen := map[string]bool{}
	for len(seen) < n {
		match := []string{"destination 10.0.0.0/30;", "destination 10.0.0.0/31;", "destination 10.0.0.2/31;", "destination 10.0.0.1/32;", "destination 10.0.0.2/32;"}[r.IntN(5)]
		if r.IntN(8) == 0 {
			match = ""
		}
		switch r.IntN(5) {
		case 0:
			match += " protocol =udp;"
		case 1:
			match += " protocol =tcp; tcp-flags syn&!ack;"
		case 2:
			match += " protocol =udp; destination-port [ =1 =2 =3 =4 =5 =6 =7 ];"
		case 3:
			match += fmt.Sprintf(" protocol =udp; source-port [ =%d =%d ];", r.IntN(3), r.IntN(3))
		default:
			match += " protocol =tcp;"
		}
		if seen[match] {
			continue
		}
		seen[match] = true
		then := []string{"discard;", "discard;", "accept;", "rate-limit 1250000;", "mark 10;", "mark 10; action terminal;"}[r.IntN(6)]
		fmt.Fprintf(&out, "flow route { match { %s } then { %s } }\n", match, then)
	}
	return out.String()
}

// A packet is in the report on what is lenient exactly where the carried rules treat it otherwise than all rules ask.
func TestLenientIsWhatFaresOtherwise(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	otherwise := 0
	for range 400 {
		text := hardRules(r, 2+r.IntN(7))
		in, j, ix, index := planned(t, text, "asr9k", plan.Options{})
		list, more := j.Lenient(in, ix, index)
		if more > 0 || slices.ContainsFunc(list, func(l Lenient) bool { return l.AtMost }) {
			t.Fatalf("more %d, or not found exactly\n%s", more, text)
		}
		var all, carried []flowspec.Rule
		for i, s := range in.Rules {
			all = append(all, s.Rule)
			if j.Verdicts[i].Carried != plan.Rejected {
				carried = append(carried, s.Rule)
			}
		}
		want, got := table.Of(all), table.Of(carried)
		for range 60 {
			h := someHeader(t, r)
			_, asked := want.Classify(h)
			_, does := got.Classify(h)
			idle := func(o table.Outcome) bool { return o == table.Outcome{} }
			differs := !slices.Equal(slices.DeleteFunc(asked, idle), slices.DeleteFunc(does, idle))
			listed := slices.ContainsFunc(list, func(l Lenient) bool { return l.set.Has(h) })
			if differs != listed {
				t.Fatalf("%s: asked %v, gets %v, listed: %v\n%s", h, asked, does, listed, text)
			}
			if differs {
				otherwise++
			}
		}
		for _, l := range list {
			h, err := packet.ParseHeader(l.Witness.Packet)
			if err != nil {
				t.Fatal(err)
			}
			_, does := got.Classify(h)
			if words := said(does); words != l.Witness.Got || l.Witness.Got == l.Witness.Want {
				t.Fatalf("%s gets %s, and the witness says %+v\n%s", h, words, l.Witness, text)
			}
		}
	}
	if otherwise == 0 {
		t.Error("no packet fared otherwise: the test looks at nothing")
	}
}

func said(does []table.Outcome) string {
	var parts []string
	for _, o := range does {
		if o != (table.Outcome{}) {
			parts = append(parts, o.String())
		}
	}
	if parts == nil {
		return "accept"
	}
	return strings.Join(parts, ", then ")
}

func someHeader(t *testing.T, r *rand.Rand) packet.Header {
	t.Helper()
	proto, more := "udp", ""
	if r.IntN(2) == 0 {
		proto, more = "tcp", " flags "+[]string{"S", "SA", "A"}[r.IntN(3)]
	}
	h, err := packet.ParseHeader(fmt.Sprintf("%s 192.0.2.1:%d > 10.0.0.%d:%d%s", proto, r.IntN(4), r.IntN(5), r.IntN(9), more))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// Past its budget the report says of which packets they are at most, and never names fewer.
func TestLenientIsBounded(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	for i := range 300 { // each in front of the rule, and sharing packets with it
		fmt.Fprintf(&text, "flow route { match { destination 10.0.%d.0/24; source 10.%d.0.0/16; packet-length >=%d; } then { discard; } }\n", i%200, i%250, 100+i)
	}
	text.WriteString("flow route { match { protocol =tcp; tcp-flags syn&!ack; } then { rate-limit 1250000; } }\n")
	in, j, ix, index := planned(t, text.String(), "asr9k", plan.Options{})
	l := leniency{j: j, in: in, ix: ix, index: index, steps: 500}
	one, some := l.of(len(index) - 1)
	if !some || !one.AtMost || !one.set.Equal(ix.Set(len(index)-1)) {
		t.Errorf("got %v, %+v: want all packets of the rule, at most", some, one)
	}
}

// Codes about order are counted rule by rule, entries are those of the device, and a limit is what the profile says.
func TestOnDevice(t *testing.T) {
	t.Parallel()
	const text = `flow route { match { destination 203.0.113.80/32; source 198.51.100.0/24; protocol =tcp; } then { accept; } }
flow route { match { destination 203.0.113.80/32; protocol =tcp; tcp-flags syn&!ack; } then { rate-limit 12500000; } }
flow route { match { destination 203.0.113.80/32; protocol =udp; } then { discard; } }
flow route { match { destination 203.0.113.80/32; protocol =udp; source-port =53; } then { discard; } }`
	in, j, ix, index := planned(t, text, "asr9k", plan.Options{})
	p, _ := profiles.Embedded().Get("asr9k")
	got := j.OnDevice(in, ix, index, p)
	if len(got.Budget) != 1 || got.Budget[0].What != "rules" || got.Budget[0].Used != 3 || *got.Budget[0].Max != 3000 || got.Budget[0].Limit != "tested" {
		t.Errorf("budget is %+v", got.Budget)
	}
	if len(got.Lenient) != 1 || got.Lenient[0].Rules[0] != (Ref{"f", 2}) || got.Lenient[0].Witness.Got != "accept" || got.Lenient[0].Whole {
		t.Errorf("lenient is %+v", got.Lenient)
	}
	if found := in.Table(ix, index); len(found.Findings) != 1 || found.Findings[0].Ref != (Ref{"f", 4}) || found.Findings[0].Kind != review.Redundant ||
		!slices.Equal(found.Findings[0].By, []Ref{{"f", 3}}) {
		t.Errorf("findings are %+v", found.Findings)
	}

	const three = `flow route { match { destination 203.0.113.80/32; protocol =tcp; } then { accept; } }
flow route { match { destination 203.0.113.0/24; } then { discard; } }`
	in, j, ix, index = planned(t, three, "junos-mx:term-order=legacy", plan.Options{NoFilter: true})
	p, _ = profiles.Embedded().Get("junos-mx")
	got = j.OnDevice(in, ix, index, p)
	if len(got.Order) == 0 || !slices.ContainsFunc(got.Order, func(n OrderNote) bool {
		return n.Code == "order-unknown" && n.Refused && n.Count == len(n.Rules) && n.Entries == 0
	}) {
		t.Errorf("order is %+v", got.Order)
	}
}
