package report

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/notation"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/rib"
)

// Input is what was read, played to its end.
type Input struct {
	Rules []Standing
	Loose []notation.Problem // of no rule: errors, and notes about what no longer stands

	places map[string]string // of rules by their IDs, made when the first message needs it
}

// Standing is one rule that stands at the end of the input, and what was said about it on the way.
type Standing struct {
	Rule  flowspec.Rule // with its ID
	Pos   notation.Position
	Notes []plan.Reason
}

// identity is what makes two rules the same one: the family and the NLRI.
type identity struct {
	family flowspec.Family
	nlri   string
}

func identityOf(m flowspec.Match) identity { return identity{m.Family(), string(m.NLRI())} }

// Play plays what was read through: a withdrawal removes its rule, a later rule replaces an earlier one with the same NLRI. What stands at
// the end comes in the order of the input, warnings and notes of its reader with it. Problems that belong to no rule, or to one that no
// longer stands, are loose.
func Play(items []notation.Item, problems []notation.Problem) *Input {
	in := &Input{}
	last := make(map[identity]int, len(items))
	gone := make([]bool, len(items))
	replaced := map[int]notation.Position{}
	for i, it := range items {
		id := identityOf(it.Rule.Match)
		before, was := last[id]
		if was {
			gone[before] = true
		}
		if it.Withdraw {
			gone[i] = true
			delete(last, id)
			if !was {
				in.Loose = append(in.Loose, withdrawsNothing(it))
			}
			continue
		}
		if was {
			replaced[i] = items[before].Pos
		}
		last[id] = i
	}
	notes, orphans := notesOf(items, gone, problems)
	in.Loose = append(in.Loose, orphans...)

	in.Rules = make([]Standing, 0, len(last))
	for i, it := range items {
		if gone[i] {
			continue
		}
		s := Standing{Rule: it.Rule, Pos: it.Pos, Notes: notes[i]}
		if s.Rule.ID == "" { // policers and entries are named by it
			s.Rule.ID = flowspec.NewID(s.Rule.Source, s.Rule.Match)
		}
		if at, ok := replaced[i]; ok {
			s.Notes = append(s.Notes, plan.Reason{Code: "replaces", Severity: plan.Note,
				Message: fmt.Sprintf("replaces the rule with the same NLRI at %s", at)})
		}
		in.Rules = append(in.Rules, s)
	}
	return in
}

func withdrawsNothing(it notation.Item) notation.Problem {
	return notation.Problem{Pos: it.Pos, Code: "withdraws-nothing", Severity: notation.Note, Source: it.Text, Length: 1,
		Message: "withdraws a rule that was not announced before"}
}

// notesOf gives the warnings and notes of the reader to the item whose text they are in. Errors are about what became no item.
func notesOf(items []notation.Item, gone []bool, problems []notation.Problem) (notes map[int][]plan.Reason, loose []notation.Problem) {
	notes = map[int][]plan.Reason{}
	at := 0
	for _, p := range problems {
		for at < len(items) && items[at].Pos.File != p.Pos.File {
			at++
		}
		for at+1 < len(items) && items[at+1].Pos.File == p.Pos.File && !before(p.Pos, items[at+1].Pos) {
			at++
		}
		mine := at < len(items) && covers(items[at], p.Pos)
		if p.Severity == notation.Error || !mine || gone[at] {
			loose = append(loose, p)
			continue
		}
		notes[at] = append(notes[at], plan.Reason{Code: p.Code, Severity: p.Severity, Message: p.Message, Hint: p.Hint})
	}
	return notes, loose
}

// covers says whether pos is in the text of it. A text that was cut short covers everything behind it.
func covers(it notation.Item, pos notation.Position) bool {
	if it.Pos.File != pos.File || before(pos, it.Pos) {
		return false
	}
	return strings.HasSuffix(it.Text, "...") || pos.Line <= it.Pos.Line+strings.Count(it.Text, "\n")
}

func before(a, b notation.Position) bool {
	return a.Line < b.Line || a.Line == b.Line && a.Column < b.Column
}

// Snapshot returns the Loc-RIB of the rules, and for each rule of it, and so for each verdict of a plan, its place in Rules.
func (in *Input) Snapshot() (rib.Snapshot, []int) {
	list := make([]flowspec.Rule, len(in.Rules))
	place := make(map[identity]int, len(in.Rules))
	for i := range in.Rules {
		list[i] = in.Rules[i].Rule
		place[identityOf(list[i].Match)] = i
	}
	snap := rib.Of(list)
	index := make([]int, 0, len(in.Rules))
	for r := range snap.All() {
		index = append(index, place[identityOf(r.Match)])
	}
	return snap, index
}

// Errors returns how many things in the input could not be read.
func (in *Input) Errors() int {
	n := 0
	for i := range in.Loose {
		if in.Loose[i].Severity == notation.Error {
			n++
		}
	}
	return n
}

// Rule returns the report on rule i, whose verdict is v. The notes of the reader come first among its reasons, and other rules are named by
// their places in the input.
func (in *Input) Rule(i int, v *plan.Verdict, filterText func(entry string) string) Rule {
	s := &in.Rules[i]
	r := Of(s.Rule, *v, s.Pos, filterText)
	r.Reasons = append(append([]plan.Reason{}, s.Notes...), r.Reasons...) // never nil: JSON has a list
	for k := range r.Reasons {
		r.Reasons[k].Message = in.Placed(r.Reasons[k].Message)
	}
	return r
}

// ruleID is how plans name another rule. Whoever validates a file knows it by its place.
var ruleID = regexp.MustCompile(`\b[0-9a-f]{16}\b`)

// Placed names rules in a message by their places in the input.
func (in *Input) Placed(message string) string {
	if !ruleID.MatchString(message) {
		return message
	}
	if in.places == nil {
		in.places = make(map[string]string, len(in.Rules))
		for i := range in.Rules {
			in.places[string(in.Rules[i].Rule.ID)] = Place(in.Rules[i].Pos.File, in.Rules[i].Pos.Line)
		}
	}
	return ruleID.ReplaceAllStringFunc(message, func(id string) string {
		if place, ok := in.places[id]; ok {
			return place
		}
		return id
	})
}

// Place returns file:line.
func Place(file string, line int) string {
	if file == "" || file == "-" {
		file = "standard input"
	}
	return fmt.Sprintf("%s:%d", file, line)
}
