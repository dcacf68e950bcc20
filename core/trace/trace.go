// Package trace follows one packet: through the rules in the order of RFC 8955 §5.1, which is what was asked, and through what a device
// holds, in the order in which the device looks at it. It says which line decides, what happens, and of the lines that were passed by,
// which component did not match.
//
// It answers for one packet and proves nothing: plans are proven by packages plan and table. It reads a rule component by component and an
// entry of a filter condition by condition, where those packages lift them to sets, so that its answers are a second opinion on theirs.
package trace

import (
	"slices"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/notation"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/report"
	"github.com/sluice-gateway/sluice/core/table"
)

// Options say how lines are named and how many are listed.
type Options struct {
	// Place returns where a rule stands; a zero Position where that is not known, and the rule is named by its ID. It may be nil.
	Place func(flowspec.ID) notation.Position
	// Lines returns the lines of a filter entry in the device's language, by the entry's name. It may be nil.
	Lines func(entry string) string
	// RD picks the rules of one VPN, by the text of its route distinguisher. "" is the rules of no VPN.
	RD string
	// Listed is the most lines that are listed of those that do not match, and of those that match and are not reached.
	Listed int
}

// Step is one line of a table, and what it does with the packet.
type Step struct {
	ID       flowspec.ID `json:"id"` // of the rule
	File     string      `json:"file"`
	Line     int         `json:"line"`
	At       int         `json:"at"`              // place in the table, from 1, lines about packets of other IP versions not counted
	Text     string      `json:"text"`            // the rule, the route, or the lines of the filter entry
	Entry    string      `json:"entry,omitempty"` // name of the filter entry
	Does     string      `json:"does"`
	Continue bool        `json:"continue"`
	Misses   []Miss      `json:"misses"` // empty where the line matches
}

// Name returns where the rule of s stands, or its ID.
func (s *Step) Name() string { return name(s.ID, notation.Position{File: s.File, Line: s.Line}) }

// Miss is why a line does not match a packet.
type Miss struct {
	Component string `json:"component"` // word of flowspec.Type
	Message   string `json:"message"`
}

// Walk is the way of a packet down one table.
type Walk struct {
	Entries int    `json:"entries"` // lines of the table that are about packets of this IP version
	Met     []Step `json:"met"`     // lines that match, in order, up to the one that ends the evaluation
	Decided bool   `json:"decided"` // the last of Met ends it; otherwise the packet is accepted
	// Skipped are lines above the end of Met that do not match, in order: those that are about the packet's destination, and of them those that miss
	// least. Where there is none about it, those that miss by the destination alone.
	Skipped     []Step `json:"skipped"`
	SkippedMore int    `json:"skipped-more"` // lines about the destination that are not listed
	Elsewhere   int    `json:"elsewhere"`    // lines passed that are about other destinations, and not listed
	// Unreached are lines below that match as well.
	Unreached     []Step   `json:"unreached"`
	UnreachedMore int      `json:"unreached-more"`
	Does          []string `json:"does"`     // what happens; empty: accept
	Policers      []string `json:"policers"` // that the packet draws from; two packets with one in common share it

	done []done
}

// done is what one line did.
type done struct {
	rule flowspec.ID
	do   table.Outcome
	odd  flowspec.ExtComm // an action that is not understood
}

// Asked returns the way of h down rules, which come in the order of flowspec.Compare.
func (o Options) Asked(rules []flowspec.Rule, h packet.Header) Walk {
	var lines []line
	for i := range rules {
		r := &rules[i]
		if o.concerns(r.Match, h) {
			lines = append(lines, ruleLine(r))
		}
	}
	return o.walk(lines, h)
}

// concerns says whether m is of the IP version of h, and of the VPN that is looked at.
func (o Options) concerns(m flowspec.Match, h packet.Header) bool {
	f := m.Family()
	if f.Version() != h.Version() {
		return false
	}
	if f.VPN() {
		return o.RD != "" && notation.RDText(m.RD()) == o.RD
	}
	return o.RD == ""
}

// LeftOut returns the route distinguishers of the rules of VPNs that o does not look at: which packets are in a VPN is not in a rule.
func (o Options) LeftOut(rules []flowspec.Rule) []string {
	out := []string{}
	for i := range rules {
		if m := rules[i].Match; m.Family().VPN() && notation.RDText(m.RD()) != o.RD {
			out = append(out, notation.RDText(m.RD()))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// place returns where a rule stands.
func (o Options) place(id flowspec.ID) notation.Position {
	if o.Place == nil {
		return notation.Position{}
	}
	return o.Place(id)
}

// name returns file:line, or the ID where the place is not known.
func name(id flowspec.ID, at notation.Position) string {
	if at.Line == 0 {
		return string(id)
	}
	return report.Place(at.File, at.Line)
}
