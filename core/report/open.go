package report

import (
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/profile"
	"github.com/sluice-gateway/sluice/core/review"
)

// Open is a rule that fails open: it redirects packets that rules below it discard or limit, and on this platform a redirect that does not work leaves a rule
// that accepts. The packets then reach what the rules below were to protect.
type Open struct {
	Ref
	Below  []Ref  `json:"below"` // the rules that would have filtered them; not more than ten
	More   bool   `json:"more"`  // there are more of them
	Source string `json:"source"`
}

// The bounds of the search: rules below that are listed for one rule, and pairs of rules that are looked at.
const (
	openListed = 10
	openPairs  = 1_000_000
)

// FailsOpen returns the redirects of j that fail open on p. A platform of which it is not known what becomes of such a rule is taken to accept, as
// draft-ietf-idr-flowspec-redirect-ip has it: the action is treated as if it were absent. ix and index are as for Input.Table.
func (j *Judged) FailsOpen(in *Input, ix *review.Index, index []int, p *profile.Profile) []Open {
	out := []Open{}
	if p.Native == nil || p.Native.RedirectFails.To == "discard" {
		return out
	}
	pairs := 0
	for at := range index {
		i := index[at]
		if a := in.Rules[i].Rule.Action; a.Redirect == nil || a.Redirect.Copy || a.Discard() || !native(j.Verdicts[i]) {
			continue
		}
		one := Open{Ref: in.ref(i), Below: []Ref{}, Source: sourceOf(p, p.Native.RedirectFails.Fact)}
		for below := range ix.Below(at) {
			if pairs++; pairs > openPairs {
				return out
			}
			b := index[below]
			if in.Rules[b].Rule.Action.Rate == nil || j.Verdicts[b].Carried == plan.Rejected || !sameTable(in, i, b) || !ix.Set(at).Overlaps(ix.Set(below)) {
				continue
			}
			if one.More = len(one.Below) == openListed; one.More {
				break
			}
			one.Below = append(one.Below, in.ref(b))
		}
		if len(one.Below) > 0 && len(out) < mostListed {
			out = append(out, one)
		}
	}
	return out
}

// native says whether FlowSpec carries the rule of v: what a filter does with a redirect is another matter.
func native(v *plan.Verdict) bool { return v.Carried == plan.Native || v.Carried == plan.Rewritten }

// sameTable says whether two rules are of one family, and of one VPN.
func sameTable(in *Input, i, k int) bool {
	a, b := in.Rules[i].Rule.Match, in.Rules[k].Rule.Match
	return a.Family() == b.Family() && rdOf(a) == rdOf(b)
}

func rdOf(m flowspec.Match) flowspec.RD {
	if !m.Family().VPN() {
		return flowspec.RD{}
	}
	return m.RD()
}

// sourceOf says where a fact was read, or that it is assumed.
func sourceOf(p *profile.Profile, id string) string {
	f, ok := p.Facts[id]
	switch {
	case !ok:
		return ""
	case f.Source == "":
		return "assumed: " + f.Text
	}
	return f.Source
}
