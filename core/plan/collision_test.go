package plan

import (
	"net/netip"
	"testing"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/profile"
)

// Two rules have a piece with one NLRI, and the first goes on to later rules: one of the two would be lost. That is seen, also where the place of a
// rule that is sent otherwise lies between the pieces.
func TestCollisionsAreSeenPastTheGhostOfARule(t *testing.T) {
	t.Parallel()
	dst := flowspec.Component{Type: flowspec.DstPrefix, Prefix: flowspec.Prefix{Addr: netip.MustParseAddr("203.0.113.9"), Len: 32}}
	match := func(c flowspec.Component) flowspec.Match {
		m, err := flowspec.NewMatch(flowspec.IPv4, flowspec.RD{}, dst, c)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	same := match(listOf(flowspec.DstPort, 53))
	mark := uint8(46)
	rules := []flowspec.Rule{
		{Match: match(listOf(flowspec.Port, 53)), Action: flowspec.Action{Mark: &mark, Continue: true}},
		{Match: same},
		{Match: match(flowspec.Component{Type: flowspec.DstPort, Terms: []flowspec.Term{{Op: flowspec.GE, Value: 53}}}), Action: flowspec.Action{Rate: &flowspec.Rate{}}},
	}
	yes := profile.Can{OK: true}
	components := map[flowspec.Type]profile.Component{}
	for typ := flowspec.DstPrefix; typ <= flowspec.FlowLabel; typ++ {
		components[typ] = profile.Component{Ops: []string{"eq", "range", "gt"}, MaxValues: profile.Unlimited}
	}
	p, err := newPlatform(&profile.Profile{Name: "test", Native: &profile.Native{Families: []flowspec.Family{flowspec.IPv4}, Components: components,
		Actions: profile.Actions{Accept: yes, Discard: yes, Mark: yes, Continue: yes}, Order: profile.Order{Kind: "rfc8955"}}}, Options{Remedies: []string{}})
	if err != nil {
		t.Fatal(err)
	}
	pl := newPlane(p, cardsOf(p, rules))
	pl.notes = make([]note, len(rules))
	for i := range rules {
		pl.state[i] = asNative
		w := &way{finding: &finding{rewritten: true}}
		if i != 1 { // which loses all that it has, and leaves its place between the other two
			w.routes = []device.Route{{Match: same}}
			w.sets.Store(&[]packet.Set{same.Set()})
		}
		pl.notes[i].mended = &mended{way: w}
	}
	for _, c := range pl.conflicts() {
		if c.tangled && c.want == 0 && c.got == 2 {
			return
		}
	}
	t.Error("the collision of the first rule and the last is not seen")
}

// cardsOf returns the cards of rules.
func cardsOf(p *platform, rules []flowspec.Rule) (out []*card) {
	d := drafter{platform: p}
	for i := range rules {
		rules[i].ID = flowspec.NewID("test", rules[i].Match)
		out = append(out, d.card(&rules[i]))
	}
	return out
}
