package plan

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/profiles"
	"pgregory.net/rapid"
)

// drawEntangled draws rules for one host, of few ports and lengths, some of them too long for an ASR 9000, and makes a plane of them.
func drawEntangled(t *rapid.T, p *platform) *plane {
	mark := uint8(10)
	actions := []flowspec.Action{{}, {Rate: &flowspec.Rate{Unit: flowspec.Bytes}}, {Mark: &mark}, {Redirect: &flowspec.Redirect{Form: flowspec.RedirectAS2, Global: 65000, Local: 1}}}
	dst := flowspec.Component{Type: flowspec.DstPrefix, Prefix: flowspec.Prefix{Addr: netip.MustParseAddr("203.0.113.9"), Len: 32}}
	d := drafter{platform: p}
	var cards []*card
	for n := rapid.IntRange(2, 9).Draw(t, "rules"); n > 0; n-- {
		var ports []uint64
		for p := range uint64(9) {
			if rapid.IntRange(0, 2).Draw(t, "port") > 0 {
				ports = append(ports, 100+p)
			}
		}
		if len(ports) == 0 {
			continue
		}
		components := []flowspec.Component{dst, listOf(flowspec.Protocol, 17), listOf(flowspec.SrcPort, ports...)}
		if at := rapid.IntRange(0, 3).Draw(t, "length"); at > 0 {
			components = append(components, flowspec.Component{Type: flowspec.PacketLength, Terms: []flowspec.Term{{Op: flowspec.GE, Value: uint64(100 * at)}}})
		}
		m, err := flowspec.NewMatch(flowspec.IPv4, flowspec.RD{}, components...)
		if err != nil {
			t.Fatal(err)
		}
		r := &flowspec.Rule{ID: flowspec.NewID("test", m), Match: m, Action: rapid.SampledFrom(actions).Draw(t, "action"), Source: "test"}
		if !slices.ContainsFunc(cards, func(c *card) bool { return c.rule.Match.Equal(m) }) {
			cards = append(cards, d.card(r))
		}
	}
	if len(cards) == 0 {
		return nil
	}
	slices.SortFunc(cards, func(a, b *card) int { return flowspec.Compare(a.rule.Match, b.rule.Match) })
	pl := newPlane(p, cards)
	pl.index()
	for i, c := range cards {
		pl.state[i] = p.alone(c)
	}
	for pl.loseExceptions() {
	}
	return pl
}

// spreadAll rejects whatever any rejected rule exposes, until there is nothing more.
func spreadAll(pl *plane) {
	for again := true; again; {
		again = false
		for i := range pl.cards {
			if pl.state[i] != asRejected || pl.cards[i].rule.Action.Continue {
				continue
			}
			for _, l := range pl.exposed(int32(i)) {
				pl.state[l.card], again = asRejected, true
			}
		}
	}
}

// fewestByTrying returns how many rules go at least, by trying all sets of rules that have a part in conflicts.
func fewestByTrying(pl *plane, part []conflict) int {
	var rules []int32
	for _, w := range part {
		rules = append(rules, w.want, w.got)
	}
	slices.Sort(rules)
	rules = slices.Compact(rules)
	was, before, least := slices.Clone(pl.state), pl.lost(), len(pl.cards)+1
	for set := range 1 << len(rules) {
		for k, i := range rules {
			if set>>k&1 != 0 && pl.state[i].carried() {
				pl.state[i] = asRejected
			}
		}
		spreadAll(pl)
		if !slices.ContainsFunc(part, pl.stands) {
			least = min(least, pl.lost()-before)
		}
		copy(pl.state, was)
	}
	return least
}

// No set of rules that has fewer rules resolves conflicts that hang together.
func TestFewestRulesGo(t *testing.T) {
	t.Parallel()
	profile, err := profiles.Embedded().Get("asr9k")
	if err != nil {
		t.Fatal(err)
	}
	several := 0
	rapid.Check(t, func(t *rapid.T) {
		p, err := newPlatform(profile, Options{NoFilter: true, Remedies: []string{}})
		if err != nil {
			t.Fatal(err)
		}
		pl := drawEntangled(t, p)
		if pl == nil {
			return
		}
		for _, part := range hanging(pl.conflicts()) {
			was := slices.Clone(pl.state)
			want := fewestByTrying(pl, part)
			victims := pl.fewest(part)
			if !slices.Equal(pl.state, was) {
				t.Fatal("the search left its mark")
			}
			before := pl.lost()
			for _, v := range victims {
				pl.state[v] = asRejected
			}
			spreadAll(pl)
			if got := pl.lost() - before; got != want || slices.ContainsFunc(part, pl.stands) {
				t.Fatalf("%d conflicts: %v goes, %d rules with what goes because of them; %d would do", len(part), victims, got, want)
			}
			copy(pl.state, was)
			if want > 1 {
				several++
			}
		}
	})
	if several == 0 {
		t.Error("no conflict cost more than one rule: the test sees nothing")
	}
}
