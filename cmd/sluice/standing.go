package main

import (
	"fmt"
	"strings"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/notation"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/rib"
)

// identity is what makes two rules the same one: the family and the NLRI.
type identity struct {
	family flowspec.Family
	nlri   string
}

func identityOf(m flowspec.Match) identity { return identity{m.Family(), string(m.NLRI())} }

// standing is one rule that stands at the end of the input, and what was said about it on the way.
type standing struct {
	rule  flowspec.Rule
	pos   notation.Position
	notes []plan.Reason
}

// standingRules plays the input through: a withdrawal removes its rule, a later rule replaces an earlier one with the same NLRI. What
// stands at the end comes in the order of the input, warnings and notes of its reader with it. Problems that belong to no rule, or to one
// that no longer stands, are returned.
func standingRules(items []notation.Item, problems []notation.Problem) (rules []standing, loose []notation.Problem) {
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
				loose = append(loose, withdrawsNothing(it))
			}
			continue
		}
		if was {
			replaced[i] = items[before].Pos
		}
		last[id] = i
	}
	notes, orphans := notesOf(items, gone, problems)
	loose = append(loose, orphans...)

	rules = make([]standing, 0, len(last))
	for i, it := range items {
		if gone[i] {
			continue
		}
		s := standing{rule: it.Rule, pos: it.Pos, notes: notes[i]}
		if s.rule.ID == "" { // policers and entries are named by it
			s.rule.ID = flowspec.NewID(s.rule.Source, s.rule.Match)
		}
		if at, ok := replaced[i]; ok {
			s.notes = append(s.notes, plan.Reason{Code: "replaces", Severity: plan.Note,
				Message: fmt.Sprintf("replaces the rule with the same NLRI at %s", at)})
		}
		rules = append(rules, s)
	}
	return rules, loose
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

// snapshotOf returns the Loc-RIB of rules, and for each rule of the snapshot its place in rules.
func snapshotOf(rules []standing) (rib.Snapshot, []int) {
	list := make([]flowspec.Rule, len(rules))
	place := make(map[identity]int, len(rules))
	for i, s := range rules {
		list[i] = s.rule
		place[identityOf(s.rule.Match)] = i
	}
	snap := rib.Of(list)
	index := make([]int, len(rules))
	for i, r := range snap.Rules() {
		index[i] = place[identityOf(r.Match)]
	}
	return snap, index
}
