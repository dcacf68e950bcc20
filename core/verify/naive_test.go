package verify_test

import (
	"slices"
	"testing"

	"github.com/sluice-gateway/sluice/core/certificate"
	"github.com/sluice-gateway/sluice/core/certificate/issue"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/plan/split"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/core/verify"
	"github.com/sluice-gateway/sluice/profiles"
	"pgregory.net/rapid"
)

// drawLists draws rules for one host with long lists of ports: those are split, and meet each other.
func drawLists(t *rapid.T) (rules []flowspec.Rule) {
	for n := rapid.IntRange(2, 6).Draw(t, "rules"); n > 0; n-- {
		out := []flowspec.Component{{Type: flowspec.DstPrefix, Prefix: flowspec.Prefix{Addr: smallAddress(flowspec.IPv4, 0), Len: 32}}}
		for _, typ := range []flowspec.Type{flowspec.DstPort, flowspec.SrcPort} {
			list := flowspec.Component{Type: typ}
			for _, v := range rapid.SliceOfNDistinct(rapid.SampledFrom(smallPorts), 0, len(smallPorts), rapid.ID).Draw(t, "ports") {
				list.Terms = append(list.Terms, flowspec.Term{Op: flowspec.EQ, Value: v})
			}
			if list.Terms != nil {
				out = append(out, list)
			}
		}
		m, err := flowspec.NewMatch(flowspec.IPv4, flowspec.RD{}, out...)
		if err != nil {
			t.Fatal(err)
		}
		a := flowspec.Action{Continue: rapid.IntRange(0, 5).Draw(t, "continue") == 0}
		switch mark := uint8(5); pick(t, "action", "accept", "discard", "discard", "mark", "sample") {
		case "discard":
			a.Rate = &flowspec.Rate{Unit: flowspec.Bytes}
		case "mark":
			a.Mark = &mark
		case "sample":
			a.Sample = true
		}
		rules = append(rules, flowspec.Rule{ID: flowspec.NewID("test", m), Match: m, Action: a, Source: "test"})
	}
	return rules
}

// drawNaive splits each of such rules by itself, as a script would, and certifies that. Some of it is right all the same.
func drawNaive(t *rapid.T) *certificate.Certificate {
	snap := rib.Of(drawLists(t))
	l := &split.Limits{MaxParts: 256}
	for typ := flowspec.DstPrefix; typ <= flowspec.Fragment; typ++ {
		l.Of[typ] = split.Limit{OK: true, Ops: split.Eq | split.Range | split.Lt | split.Gt, MaxValues: 3}
	}
	made := &plan.Plan{Profile: "cisco-asr9k"}
	seen := map[string]bool{}
	for _, r := range snap.Rules() {
		v := &plan.Verdict{Rule: r.ID, Carried: plan.Rewritten, Exact: true}
		parts, trouble := split.Parts(r.Match.Family(), slices.Collect(r.Match.All()), l, r.Action.Continue)
		if trouble != nil {
			t.Fatal(trouble)
		}
		for _, part := range parts.Parts {
			m, err := flowspec.NewMatch(r.Match.Family(), flowspec.RD{}, part...)
			if err != nil {
				t.Fatal(err)
			}
			if !seen[string(m.NLRI())] {
				seen[string(m.NLRI())] = true
				route := &device.Route{Match: m, Action: r.Action}
				made.Desired.Routes = append(made.Desired.Routes, route)
				v.Entries = append(v.Entries, plan.Entry{Route: route})
			}
		}
		made.Verdicts = append(made.Verdicts, v)
	}
	p, err := profiles.Embedded().Get("asr9k")
	if err != nil {
		t.Fatal(err)
	}
	c, err := issue.For(snap.Rules(), made, p, plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return reread(t, c)
}

// Whatever the planner does to keep such rules in order is verified: with every remedy, on a platform for which all of them are known to work.
func TestRemediesAreVerified(t *testing.T) {
	t.Parallel()
	asr9k, err := profiles.Embedded().Get("asr9k")
	if err != nil {
		t.Fatal(err)
	}
	p, native := *asr9k, *asr9k.Native
	p.Native = &native
	native.Order.ByReceivedOctets, native.Order.PrefixLever, native.Order.AlwaysFalse = true, true, true
	native.Actions.Continue.OK, native.Actions.Sample.OK = true, true
	above, swaps, remedied := 0, 0, map[string]int{}
	often(t, func(t *rapid.T) {
		on := pick(t, "platform", asr9k, &p, &p)
		opt := plan.Options{Remedies: pick(t, "remedies", nil, []string{}, plan.Remedies, plan.Remedies, []string{pick(t, "remedy", plan.Remedies...)})}
		rules := drawLists(t)
		c := certified(t, rules, on, opt)
		if err := verify.Check(c); err != nil {
			t.Fatalf("%v\n%s", err, text(c))
		}
		m, err := modelOf(c)
		if err != nil {
			t.Fatal(err)
		}
		if fault := m.faults(t, drawHeaders(t, 40)); fault != "" {
			t.Fatalf("verified, and %s\n%s", fault, text(c))
		}
		swaps += len(c.Steps)
		for _, r := range c.Rules {
			above += len(r.Above)
		}
		made, err := plan.Make(rib.Of(rules), on, opt)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range made.Verdicts {
			for _, r := range v.Reasons {
				remedied[r.Code]++
			}
		}
	})
	if above == 0 {
		t.Error("no rule rests on one above it: the test sees too little")
	}
	t.Logf("%d rules above, %d steps; %v", above, swaps, remedied)
}

// Naive splitting is verified where it is right, and refused where it is wrong: with a packet that shows it, in tables where every rule ends evaluation.
func TestNaiveSplitting(t *testing.T) {
	t.Parallel()
	right, benign, wrong, shown := 0, 0, 0, 0
	check := func(t *rapid.T) {
		c := drawNaive(t)
		m, err := modelOf(c)
		if err != nil {
			t.Fatal(err)
		}
		err = verify.Check(c)
		if err == nil {
			right++
			if len(c.Steps) > 0 {
				benign++
			}
			if fault := m.faults(t, drawHeaders(t, 60)); fault != "" {
				t.Fatalf("verified, and %s\n%s", fault, text(c))
			}
			return
		}
		wrong++
		r := refusal(t, err)
		if slices.ContainsFunc(m.rules, func(c clause) bool { return c.goesOn }) {
			return // a refusal may be stricter than needed there
		}
		shown++
		if r.Packet == nil || m.faults(t, []packet.Header{*r.Packet}) == "" {
			t.Fatalf("refused, and nothing is wrong: %v\n%s", err, text(c))
		}
	}
	for range 8 { // few tables have entries that changed places without harm
		often(t, check)
	}
	if benign == 0 || shown == 0 {
		t.Errorf("%d right, %d of them with entries that changed places; %d wrong, %d of them shown: the test sees too little", right, benign, wrong, shown)
	}
	t.Logf("%d right, %d of them with entries that changed places; %d wrong, %d of them shown", right, benign, wrong, shown)
}

// What makes a change of places harmless is part of the proof: without it, or with something else in its place, nothing is verified that is wrong.
func TestStepsOfTheProofMatter(t *testing.T) {
	t.Parallel()
	refused, verified := 0, 0
	change := func(t *rapid.T) {
		c := drawNaive(t)
		if verify.Check(c) != nil || len(c.Steps) == 0 {
			return
		}
		i, _ := place(t, c.Steps)
		s := &c.Steps[i]
		switch pick(t, "what", "drop", "drop", "drop", "rule", "entry", "other rule", "other entry", "outside") {
		case "drop":
			c.Steps = slices.Delete(c.Steps, i, i+1)
		case "rule":
			s.Rules = nil
		case "entry":
			s.Entries = nil
		case "other rule":
			s.Rules, s.Entries = []int{rapid.IntRange(0, len(c.Rules)-1).Draw(t, "rule")}, nil
		case "other entry":
			s.Rules, s.Entries = nil, []int{rapid.IntRange(0, len(c.Entries)-1).Draw(t, "entry")}
		case "outside":
			s.Rules = append(s.Rules, pick(t, "rule", -1, len(c.Rules)))
		}
		if err := verify.Check(c); err != nil {
			refused++
			refusal(t, err)
			return
		}
		verified++
		m, err := modelOf(c)
		if err != nil {
			t.Fatal(err)
		}
		if fault := m.faults(t, drawHeaders(t, 60)); fault != "" {
			t.Fatalf("verified, and %s\n%s", fault, text(c))
		}
	}
	for range 10 { // few tables have entries that changed places without harm
		often(t, change)
	}
	if refused == 0 {
		t.Errorf("none refused, %d verified: the test sees nothing", verified)
	}
	t.Logf("%d refused, %d verified and harmless", refused, verified)
}

// drawApart draws rules that go to the filter or to FlowSpec by chance, whatever they share.
func drawApart(t *rapid.T) *certificate.Certificate {
	p, err := profiles.Embedded().Get("junos-mx")
	if err != nil {
		t.Fatal(err)
	}
	var rules [2][]flowspec.Rule
	seen := map[string]bool{}
	for n := rapid.IntRange(2, 5).Draw(t, "rules"); n > 0; n-- {
		r := drawRule(t)
		if key := r.Match.Family().String() + string(r.Match.NLRI()); !seen[key] {
			seen[key] = true
			i := rapid.IntRange(0, 1).Draw(t, "stage")
			rules[i] = append(rules[i], r)
		}
	}
	a := certified(t, rules[0], p, plan.Options{NoNative: true})
	b := certified(t, rules[1], p, plan.Options{NoFilter: true})
	if len(a.Entries) == 0 || len(b.Entries) == 0 {
		return nil
	}
	n, m := len(a.Rules), len(a.Entries)
	shift := func(list []int, by int) {
		for k := range list {
			list[k] += by
		}
	}
	for _, r := range b.Rules {
		shift(r.Above, n)
		a.Rules = append(a.Rules, r)
	}
	for _, e := range b.Entries {
		e.Rule += n
		a.Entries = append(a.Entries, e)
	}
	for _, s := range b.Steps {
		shift(s.Rules, n)
		shift(s.Entries, m)
		a.Steps = append(a.Steps, certificate.Step{Rule: s.Rule + n, Entry: s.Entry + m, Rules: s.Rules, Entries: s.Entries})
	}
	inOrder(a)
	return a
}

// Rules in two stages of a device are verified only where neither sees what the other one does.
func TestStagesApart(t *testing.T) {
	t.Parallel()
	refused, verified := 0, 0
	often(t, func(t *rapid.T) {
		c := drawApart(t)
		if c == nil {
			return
		}
		if err := verify.Check(c); err != nil {
			refused++
			refusal(t, err)
			return
		}
		verified++
		m, err := modelOf(c)
		if err != nil {
			t.Fatal(err)
		}
		if fault := m.faults(t, drawHeaders(t, 60)); fault != "" {
			t.Fatalf("verified, and %s\n%s", fault, text(c))
		}
	})
	if refused == 0 || verified == 0 {
		t.Errorf("%d refused, %d verified: the test sees too little", refused, verified)
	}
	t.Logf("%d refused, %d verified", refused, verified)
}
