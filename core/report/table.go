package report

import (
	"slices"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/notation"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/profile"
	"github.com/sluice-gateway/sluice/core/review"
)

// Ref is where a rule stands.
type Ref struct {
	File string `json:"file"`
	Line int    `json:"line"`
}

// String returns file:line.
func (r Ref) String() string { return Place(r.File, r.Line) }

// Table is what there is to say about the rules as a table, whatever the platform: those that do nothing. All of them can be taken away
// together, and every packet fares as before.
type Table struct {
	Findings  []Finding  `json:"findings"`
	NotLooked int        `json:"not-looked"` // rules that would have taken too long to look at
	Proposals []Proposal `json:"proposals"`  // rules worth adding, not more than a hundred
}

// Proposal is a rule that may be worth adding, and why. Sluice never adds it.
type Proposal struct {
	Code    string `json:"code"`  // "later-fragments"
	Rules   []Ref  `json:"rules"` // that it stands beside, not more than a hundred
	Count   int    `json:"count"`
	Message string `json:"message"`
	Text    string `json:"text"` // ready to be pasted, in ExaBGP's one-line form
}

// Finding is a rule that does nothing.
type Finding struct {
	Ref
	Kind review.Kind `json:"kind"`
	By   []Ref       `json:"by"`   // the rules that decide its packets, above or below it
	More bool        `json:"more"` // there are more of them
}

// Table reviews the rules of in. ix is of the rules of its snapshot, and index what came with that.
func (in *Input) Table(ix *review.Index, index []int) Table {
	t := ix.Review()
	out := Table{Findings: make([]Finding, len(t.Findings)), NotLooked: t.NotLooked}
	for k, f := range t.Findings {
		one := Finding{Ref: in.ref(index[f.Rule]), Kind: f.Kind, By: make([]Ref, len(f.By)), More: f.More}
		for n, by := range f.By {
			one.By[n] = in.ref(index[by])
		}
		out.Findings[k] = one
	}
	out.Proposals = in.proposals(ix, index)
	return out
}

// proposals returns the rules that may be worth adding.
func (in *Input) proposals(ix *review.Index, index []int) []Proposal {
	out := []Proposal{}
	for _, c := range ix.Companions() {
		if len(out) == mostListed {
			break
		}
		p := Proposal{Code: "later-fragments", Count: len(c.Rules), Rules: []Ref{},
			Message: "later fragments have no ports and flow on; this discards those of all UDP between the same addresses, whatever the ports",
			Text:    notation.Text(flowspec.Rule{Match: c.Match, Action: flowspec.Action{Rate: &flowspec.Rate{Unit: flowspec.Bytes}}})}
		at := make([]int, len(c.Rules)) // in the input
		for k, i := range c.Rules {
			at[k] = index[i]
		}
		slices.Sort(at)
		for _, i := range at[:min(len(at), mostListed)] {
			p.Rules = append(p.Rules, in.ref(i))
		}
		out = append(out, p)
	}
	return out
}

func (in *Input) ref(i int) Ref { return Ref{in.Rules[i].Pos.File, in.Rules[i].Pos.Line} }

// OnDevice is what there is to say about the rules as a table on one platform.
type OnDevice struct {
	Order       []OrderNote `json:"order"`
	Budget      []Budget    `json:"budget"`
	TCAM        *int        `json:"tcam"`    // slots of all entries; null where the expansion of one is not known
	Lenient     []Lenient   `json:"lenient"` // largest first, not more than a hundred
	LenientMore int         `json:"lenient-more"`
	FailsOpen   []Open      `json:"fails-open"` // not more than a hundred
}

// OrderNote is one reason code about the order of rules, and the rules that bear it: conflicts that were kept in order, and those that were refused.
type OrderNote struct {
	Code    string `json:"code"`
	Refused bool   `json:"refused"` // the rules are not carried
	Rules   []Ref  `json:"rules"`   // not more than a hundred
	Count   int    `json:"count"`
	Entries int    `json:"entries"` // that the device holds for them

	last int // the rule that was counted last
}

// Budget is how much of what a device holds is used.
type Budget struct {
	What  string `json:"what"` // "rules" or "filter-entries"
	Used  int    `json:"used"`
	Max   *int   `json:"max"`   // null where there is no limit, or none is known
	Limit string `json:"limit"` // "unknown", "none", "tested" (by the vendor: more may fit) or "hard"
}

// mostListed bounds lists that a program may want in full, and that would fill the screen of nobody.
const mostListed = 100

// orderCodes are the reasons that are about the order of rules, in the order of plan.Codes, and whether the rule is refused for it.
var orderCodes = func() map[string]bool {
	out := map[string]bool{}
	for _, c := range plan.Codes {
		switch code := c.Code; {
		case code == "moved-with-others", code == "measured-order", len(code) > 7 && code[:7] == "remedy-":
			out[code] = false
		case code == "order-conflict", code == "order-unknown", code == "cluster-split", code == "exception-lost", code == "too-entangled":
			out[code] = true
		}
	}
	return out
}()

// OnDevice returns what there is to say about j, the plan for p. ix and index are as for Input.Table.
func (j *Judged) OnDevice(in *Input, ix *review.Index, index []int, p *profile.Profile) OnDevice {
	out := OnDevice{Order: j.OrderNotes(in), Budget: j.Budget(p), TCAM: j.TCAM()}
	out.Lenient, out.LenientMore = j.Lenient(in, ix, index)
	out.FailsOpen = j.FailsOpen(in, ix, index, p)
	return out
}

// OrderNotes counts verdicts by the reasons that are about order.
func (j *Judged) OrderNotes(in *Input) []OrderNote {
	byCode := map[string]*OrderNote{}
	for i, v := range j.Verdicts {
		for _, r := range v.Reasons {
			refused, is := orderCodes[r.Code]
			if !is {
				continue
			}
			n := byCode[r.Code]
			if n == nil {
				n = &OrderNote{Code: r.Code, Refused: refused, Rules: []Ref{}, last: -1}
				byCode[r.Code] = n
			}
			if n.last == i {
				continue // said of several other rules
			}
			n.last = i
			n.Count++
			n.Entries += len(v.Entries)
			if len(n.Rules) < mostListed {
				n.Rules = append(n.Rules, in.ref(i))
			}
		}
	}
	out := []OrderNote{}
	for _, c := range plan.Codes {
		if n := byCode[c.Code]; n != nil {
			out = append(out, *n)
		}
	}
	return out
}

// Budget says how much of what the device holds is used, of what the plan uses at all.
func (j *Judged) Budget(p *profile.Profile) []Budget {
	out := []Budget{}
	add := func(what string, used int, most profile.Number) {
		b := Budget{What: what, Used: used, Limit: "hard"}
		switch {
		case most.N == 0:
			b.Limit = "unknown"
		case most.N < 0:
			b.Limit = "none"
		case most.Soft:
			b.Limit = "tested"
		}
		if most.N > 0 {
			b.Max = &most.N
		}
		if used > 0 {
			out = append(out, b)
		}
	}
	if p.Native != nil {
		add("rules", len(j.Plan.Desired.Routes), p.Native.MaxRules)
	}
	if p.Filter != nil {
		n := 0
		for i := range j.Plan.Desired.Filters {
			n += len(j.Plan.Desired.Filters[i].Entries)
		}
		add("filter-entries", n, p.Filter.MaxEntries)
	}
	return out
}

// TCAM adds up the slots of all entries; nil where those of one are not known, or there is none.
func (j *Judged) TCAM() *int {
	sum, some := 0, false
	for _, v := range j.Verdicts {
		if len(v.Entries) == 0 {
			continue
		}
		if v.Cost.TCAM == nil {
			return nil
		}
		sum, some = sum+*v.Cost.TCAM, true
	}
	if !some {
		return nil
	}
	return &sum
}
