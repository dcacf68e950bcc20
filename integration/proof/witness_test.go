package proof_test

import (
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/table"
)

// confirmWitnesses looks at every witness in the verdicts about family f: the packet can exist, the rule that is said to ask for something matches it
// and asks for just that, the rule that is said to get it matches it too, and the two are not the same. It returns how many there were.
func confirmWitnesses(d *draw, rules []flowspec.Rule, out *plan.Plan, f flowspec.Family) (confirmed int) {
	byID := map[string]flowspec.Rule{}
	for _, r := range rules {
		byID[string(r.ID)] = r
	}
	for _, v := range out.Verdicts {
		w := v.Witness
		if w == nil || w.Unproven || byID[string(v.Rule)].Match.Family() != f {
			continue
		}
		confirmed++
		if w.Want == w.Got && !byID[w.WantEntry].Action.Continue && !byID[w.GotEntry].Action.Continue { // one may go on to others where the other one ends
			d.failf("a witness that says nothing: %s\n%s", w, describe(rules, out))
		}
		confirmMet(d, byID, w.Packet, w.WantEntry, w.GotEntry, *v, w)
		if w.Other != nil {
			confirmMet(d, byID, *w.Other, w.OtherWantEntry, w.OtherGotEntry, *v, w)
			continue
		}
		if r, ok := byID[w.WantEntry]; ok && !r.Action.Continue && w.Want != table.Want(r).String() {
			d.failf("the witness %s wants another thing than rule %s\n%s", w, r.ID, describe(rules, out))
		}
	}
	return confirmed
}

// confirmMet says that the rules named by a witness match its packet, which can exist.
func confirmMet(d *draw, byID map[string]flowspec.Rule, h packet.Header, want, got string, v plan.Verdict, w *table.Difference) {
	var p probe
	p.read(h)
	if possible(h, byID[string(v.Rule)].Match.Family()) != h {
		d.failf("the witness %s cannot exist", h)
	}
	for _, id := range []string{want, got} {
		if r, ok := byID[id]; ok {
			if m := matcherOf(r.Match); !m.matches(&p) {
				d.failf("the witness %s of %s names rule %s, which does not match it", w, v.Rule, r.Match)
			}
		}
	}
}
