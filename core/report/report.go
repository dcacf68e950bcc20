// Package report holds the JSON forms in which sluice tells people's programs about verdicts. They are promises: docs/cli.md describes
// them, and `sluice validate --format json` and the HTTP API print the same.
package report

import (
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/notation"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/profile"
	"github.com/sluice-gateway/sluice/core/table"
)

// Profile is how one platform carries the rules.
type Profile struct {
	Profile string   `json:"profile"` // canonical name
	Rules   []Rule   `json:"rules"`
	Summary Summary  `json:"summary"`
	Table   OnDevice `json:"table"`
}

// Summary counts rules by the way they are carried.
type Summary struct {
	Rules     int `json:"rules"`
	Native    int `json:"native"`
	Rewritten int `json:"rewritten"`
	Filter    int `json:"filter"`
	Rejected  int `json:"rejected"`
}

// Rule is one rule and its verdict.
type Rule struct {
	File    string        `json:"file"`
	Line    int           `json:"line"`
	Rule    string        `json:"rule"` // ExaBGP's one-line form
	Hex     string        `json:"hex"`  // the hex notation
	Carried plan.Carried  `json:"carried"`
	Exact   bool          `json:"exact"`
	Entries []Entry       `json:"entries"`
	Cost    Cost          `json:"cost"`
	Basis   profile.Basis `json:"basis"`
	Reasons []plan.Reason `json:"reasons"`
	Witness *Witness      `json:"witness"`
}

// Entry is one thing that the device holds for a rule. An entry of a filter has no octets.
type Entry struct {
	Text string `json:"text"`
	Hex  string `json:"hex,omitempty"`
}

// Cost is what a rule takes up; TCAM is null where the platform's expansion is not known. Least is a lower bound of Entries, see plan.Cost.
type Cost struct {
	Entries int  `json:"entries"`
	TCAM    *int `json:"tcam"`
	Least   int  `json:"least"`
}

// Witness is a packet that would have gone wrong.
type Witness struct {
	Packet string `json:"packet"`
	Want   string `json:"want"`
	Got    string `json:"got"`
}

// Of returns the report on one rule. filterText gives the rendered lines of a filter entry by its name; it may be nil where no filter was rendered.
func Of(r flowspec.Rule, v plan.Verdict, at notation.Position, filterText func(entry string) string) Rule {
	out := Rule{
		File: at.File, Line: at.Line, Rule: notation.Text(r), Hex: notation.Hex(r),
		Carried: v.Carried, Exact: v.Exact, Entries: []Entry{}, Cost: Cost{v.Cost.Entries, v.Cost.TCAM, v.Cost.Least},
		Basis: v.Basis, Reasons: v.Reasons, Witness: WitnessOf(v.Witness),
	}
	if out.Reasons == nil {
		out.Reasons = []plan.Reason{}
	}
	for _, e := range v.Entries {
		switch {
		case e.Route != nil:
			part := flowspec.Rule{Match: e.Route.Match, Action: e.Route.Action, Communities: e.Route.Communities, LargeCommunities: e.Route.LargeCommunities, Others: e.Route.Others}
			out.Entries = append(out.Entries, Entry{Text: notation.Text(part), Hex: notation.Hex(part)})
		case e.Filter != nil && filterText != nil:
			out.Entries = append(out.Entries, Entry{Text: filterText(e.Filter.Name)})
		case e.Filter != nil:
			out.Entries = append(out.Entries, Entry{Text: e.Filter.Name})
		}
	}
	return out
}

// WitnessOf returns the JSON form of d, or nil. A pair of packets is one string, "A and B".
func WitnessOf(d *table.Difference) *Witness {
	if d == nil {
		return nil
	}
	if d.Unproven {
		return &Witness{Want: "a proof", Got: d.Reason}
	}
	w := &Witness{Packet: d.Packet.String(), Want: d.Want, Got: d.Got}
	if d.Other != nil {
		w.Packet += " and " + d.Other.String()
	}
	return w
}

// Add counts a verdict.
func (s *Summary) Add(c plan.Carried) {
	s.Rules++
	switch c {
	case plan.Native:
		s.Native++
	case plan.Rewritten:
		s.Rewritten++
	case plan.InFilter:
		s.Filter++
	case plan.Rejected:
		s.Rejected++
	}
}

// Problem is something in the input that could not be read, or that needs a remark.
type Problem struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Code    string `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint"`
}

// Problems returns the errors among what notation.Read found.
func Problems(found []notation.Problem) []Problem {
	out := []Problem{}
	for _, p := range found {
		if p.Severity == notation.Error {
			out = append(out, Problem{p.Pos.File, p.Pos.Line, p.Pos.Column, p.Code, p.Message, p.Hint})
		}
	}
	return out
}
