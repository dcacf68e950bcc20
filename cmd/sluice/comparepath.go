package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/notation"
	"github.com/sluice-gateway/sluice/core/table"
)

// passage is the way from one table of routes to another, walked.
type passage struct {
	table.Passage
	way         table.Way
	old, new    side
	room        int
	added, gone int
	inPlace     int
	rules       map[string]flowspec.Rule // by ID in way
	lineOf      map[string]string        // by ID in way: where it stands
}

// walk looks at every table on the way from a to b and prints what it found. room is how many routes the device holds at one time; 0: any number. tight: as
// many as the larger table has.
func (c *comparison) walk(a, b side, room int, tight bool, format string) error {
	if a.rules == nil || b.rules == nil {
		return usage(errors.New("--path is about routes, which go one by one; a filter changes as a whole, so there is nothing between"))
	}
	if tight {
		room = max(len(a.rules), len(b.rules), 1)
	}
	p := passage{old: a, new: b, room: room, rules: map[string]flowspec.Rule{}, lineOf: map[string]string{}}
	p.way = table.Way{
		From: p.table(a, "old "), To: p.table(b, "new "),
		Above: func(i, k int) int { return flowspec.Compare(a.rules[i].Match, b.rules[k].Match) },
	}
	p.Passage = p.way.Walk(room)
	for _, s := range p.Steps {
		switch s.Op {
		case table.Add:
			p.added++
		case table.Remove:
			p.gone++
		default:
			p.inPlace++
		}
	}
	out := c.cmd.OutOrStdout()
	var err error
	if format == "json" {
		err = printJSON(out, p.json())
	} else {
		_, err = fmt.Fprint(out, p.text())
	}
	if err != nil {
		return failed(err)
	}
	if p.Worst != nil || p.Unproven {
		return silent(exitFailed)
	}
	return nil
}

// table returns what the rules of s ask for, with IDs that tell the two sides apart.
func (p *passage) table(s side, mark string) table.Table {
	t := table.Of(s.rules) // they are in its order
	for i := range t {
		id := mark + t[i].ID
		p.rules[id], p.lineOf[id] = s.rules[i], s.at(t[i].ID)
		t[i].ID = id
	}
	return t
}

// shownOfTable is how many routes of a table are printed.
const shownOfTable = 20

func (p *passage) text() string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s from %s (%s) to %s (%s): %d added, %d replaced in place, %d removed\n",
		counted(len(p.Steps), "step"), p.old.name, p.old.what, p.new.name, p.new.what, p.added, p.inPlace, p.gone)
	if p.First > 0 {
		fmt.Fprintf(&s, "there is room for %s, not for both tables: room is made first, in %s\n", counted(p.room, "route"), counted(p.First, "step"))
	}
	if over := len(p.way.To); p.room > 0 && over > p.room {
		fmt.Fprintf(&s, "there is room for %s, and %s has %d\n", counted(p.room, "route"), p.new.name, over)
	}
	fmt.Fprintf(&s, "at most %s at one time, after step %d\n", counted(p.Peak, "route"), p.PeakAfter)
	switch w := p.Worst; {
	case p.Unproven:
		s.WriteString("not proven: too entangled, looking at every table on the way went beyond its budget of steps\n")
		if w != nil {
			s.WriteString(p.worse(w))
		}
	case w == nil:
		s.WriteString("no packet fares worse on the way than with the worse of the two\n")
		s.WriteString(p.listed("the largest table on the way", p.PeakAfter))
	default:
		fmt.Fprintf(&s, "some packet fares worse on the way than with both: %d of %s bring that about\n", p.Bad, counted(len(p.Steps), "step"))
		s.WriteString(p.worse(w))
		s.WriteString(p.listed("the worst table on the way", w.After))
	}
	return s.String()
}

// worse shows the packet that fares worst.
func (p *passage) worse(w *table.Worse) string {
	return fmt.Sprintf("worse, from step %d to step %d: %s\n  before: %s: %s\n  then:   %s: %s\n  after:  %s: %s\n", w.After, w.Until, w.Packet,
		p.at(w.FromEntry, p.old), w.From, p.at(w.NowEntry, side{name: "on the way"}), w.Now, p.at(w.ToEntry, p.new), w.To)
}

func (p *passage) at(entry string, of side) string {
	if place, ok := p.lineOf[entry]; ok {
		return place
	}
	return of.name + ", no entry"
}

// listed shows the table after so many steps, in the order of evaluation.
func (p *passage) listed(what string, after int) string {
	t := p.way.After(p.Steps, after)
	var s strings.Builder
	fmt.Fprintf(&s, "%s, after step %d, %s:\n", what, after, counted(len(t), "route"))
	for i, e := range t {
		if i == shownOfTable {
			fmt.Fprintf(&s, "  and %d more\n", len(t)-i)
			break
		}
		fmt.Fprintf(&s, "  %s: %s\n", p.lineOf[e.ID], notation.Text(p.rules[e.ID]))
	}
	return s.String()
}

// passageJSON is a passage for programs.
type passageJSON struct {
	Steps          int        `json:"steps"`
	Added          int        `json:"added"`
	Replaced       int        `json:"replaced"`
	Removed        int        `json:"removed"`
	WithdrawnFirst int        `json:"withdrawn-first"`
	Peak           int        `json:"peak"`
	PeakAfter      int        `json:"peak-after"`
	Proven         bool       `json:"proven"`
	BadSteps       int        `json:"bad-steps"`
	Worst          *worseJSON `json:"worst"`
}

type worseJSON struct {
	After  int      `json:"after"`
	Until  int      `json:"until"`
	Packet string   `json:"packet"`
	Before string   `json:"before"`
	Then   string   `json:"then"`
	Later  string   `json:"later"`
	Table  []string `json:"table"`
}

func (p *passage) json() passageJSON {
	out := passageJSON{
		Steps: len(p.Steps), Added: p.added, Replaced: p.inPlace, Removed: p.gone, WithdrawnFirst: p.First, Peak: p.Peak, PeakAfter: p.PeakAfter,
		Proven: !p.Unproven, BadSteps: p.Bad,
	}
	if w := p.Worst; w != nil {
		out.Worst = &worseJSON{After: w.After, Until: w.Until, Packet: w.Packet.String(), Before: w.From, Then: w.Now, Later: w.To}
		for _, e := range p.way.After(p.Steps, w.After) {
			out.Worst.Table = append(out.Worst.Table, notation.Text(p.rules[e.ID]))
		}
	}
	return out
}
