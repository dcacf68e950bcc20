package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/report"
)

// matrixWidth is how many columns of a terminal the matrix takes; where there are more profiles, it goes on below.
const matrixWidth = 100

// mostInFull is how many profiles are told in full: the verdicts of more than these fill the screen of nobody.
const mostInFull = 4

// matrix is the verdicts of several profiles, side by side.
type matrix struct {
	cells    [][]cell // by profile and rule
	slots    []*int   // by profile; nil where they are not known
	refusals []map[string]*objection
	opens    map[report.Ref][]string // profiles on which a rule fails open
	placed   func(string) string     // names rules in a message by their places
	nothing  []*plan.Reason          // by profile: why it carries no rule at all; nil: it carries some, or each is refused for its own sake
}

// cell is one verdict.
type cell struct {
	carried plan.Carried
	entries int
	exact   bool
}

// objection is why one rule is not carried, and by whom.
type objection struct {
	profiles []string
	reason   plan.Reason
	witness  *report.Witness
}

func newTextPrinter(v *validation, w io.Writer, colors palette, profiles int) *textPrinter {
	p := &textPrinter{v: v, textWriter: textWriter{w: w, palette: colors}, overview: profiles > mostInFull}
	if profiles > 1 {
		p.matrix = &matrix{placed: v.Placed, opens: map[report.Ref][]string{}, refusals: make([]map[string]*objection, len(v.Rules))}
	}
	return p
}

// add adds the verdicts of one profile.
func (m *matrix) add(j *judged) {
	cells := make([]cell, len(j.Verdicts))
	for i, v := range j.Verdicts {
		cells[i] = cell{v.Carried, len(v.Entries), v.Exact}
		if v.Carried == plan.Rejected {
			m.refuse(i, j)
		}
	}
	m.cells, m.slots, m.nothing = append(m.cells, cells), append(m.slots, j.TCAM()), append(m.nothing, nothing(j))
}

// nothing returns why a platform that has no FlowSpec, and no filter here, carries none of the rules.
func nothing(j *judged) *plan.Reason {
	var why *plan.Reason
	for _, v := range j.Verdicts {
		if v.Carried != plan.Rejected || len(v.Reasons) == 0 || v.Reasons[0].Code != "no-native" {
			return nil
		}
		why = &v.Reasons[0]
	}
	return why
}

// refuse notes why a profile does not carry rule i: what several say alike once.
func (m *matrix) refuse(i int, j *judged) {
	v := j.Verdicts[i]
	var first plan.Reason
	if k := slices.IndexFunc(v.Reasons, func(r plan.Reason) bool { return r.Severity == plan.Error }); k >= 0 {
		first = v.Reasons[k]
		first.Message = strings.ReplaceAll(m.placed(first.Message), j.profile.Name, "the platform")
	}
	if m.refusals[i] == nil {
		m.refusals[i] = map[string]*objection{}
	}
	key := first.Code + " " + first.Message
	one := m.refusals[i][key]
	if one == nil {
		one = &objection{reason: first}
		m.refusals[i][key] = one
	}
	one.profiles = append(one.profiles, j.spec)
	if one.witness == nil {
		one.witness = report.WitnessOf(v.Witness)
	}
}

// word says how a rule is carried: "rewritten 3", or "rewr 3" where there is no room.
func (c cell) word(short bool) string {
	word := string(c.carried)
	if cut, has := map[plan.Carried]string{plan.Rewritten: "rewr", plan.Rejected: "reject"}[c.carried]; has && short {
		word = cut
	}
	if c.entries > 1 {
		word += fmt.Sprintf(" %d", c.entries)
	}
	if c.approximate() {
		word += " ~"
	}
	return word
}

// approximate says whether a rule is carried, and not exactly.
func (c cell) approximate() bool { return c.carried != plan.Rejected && !c.exact }

// column is one profile in the matrix: its name on one line or several, and its cells.
type column struct {
	heading []string
	words   []string
	carried []plan.Carried
	width   int
}

// columns lays the profiles out. short: words are cut, and names are broken at hyphens and colons.
func (p *textPrinter) columns(short bool) []column {
	out := make([]column, len(p.matrix.cells))
	for n, cells := range p.matrix.cells {
		c := &out[n]
		c.heading = []string{p.v.tally[n].spec}
		if short {
			c.heading = broken(c.heading[0])
		}
		add := func(word string, carried plan.Carried) {
			c.words, c.carried = append(c.words, word), append(c.carried, carried)
		}
		for _, one := range cells {
			add(one.word(short), one.carried)
		}
		add(fmt.Sprint(p.v.tally[n].entries), "")
		slots := "?"
		if s := p.matrix.slots[n]; s != nil {
			slots = fmt.Sprint(*s)
		}
		add(slots, "")
		for _, word := range slices.Concat(c.heading, c.words) {
			c.width = max(c.width, utf8.RuneCountInString(word))
		}
	}
	return out
}

// broken breaks a name behind hyphens, colons and equals signs into lines that are as short as the words of cells, where they can be.
func broken(name string) []string {
	const wide = 9
	var lines []string
	line := ""
	for part := range strings.FieldsFuncSeq(strings.NewReplacer("-", "-\x00", ":", ":\x00", "=", "=\x00").Replace(name), func(r rune) bool { return r == 0 }) {
		if line != "" && len(line)+len(part) > wide {
			lines, line = append(lines, line), ""
		}
		line += part
	}
	return append(lines, line)
}

// sideBySide prints a row for each rule and a column for each profile, in as many bands as it takes.
func (p *textPrinter) sideBySide() {
	rows := make([]string, 0, len(p.v.Rules)+2)
	for _, s := range p.v.Rules {
		rows = append(rows, report.Place(s.Pos.File, s.Pos.Line))
	}
	rows = append(rows, "entries", "TCAM slots")
	place := 0
	for _, r := range rows {
		place = max(place, utf8.RuneCountInString(r))
	}
	wide := func(list []column) (n int) {
		for _, c := range list {
			n += 2 + c.width
		}
		return n
	}
	columns := p.columns(false)
	if place+wide(columns) > matrixWidth {
		columns = p.columns(true)
	}
	for len(columns) > 0 {
		n := 1
		for n < len(columns) && place+wide(columns[:n+1]) <= matrixWidth {
			n++
		}
		p.band(rows, place, columns[:n], matrixWidth-place-wide(columns[:n])-2)
		columns = columns[n:]
	}
	if slices.ContainsFunc(p.matrix.cells, func(cells []cell) bool { return slices.ContainsFunc(cells, cell.approximate) }) {
		fmt.Fprintf(p.w, "%s\n\n", p.paint(dim, "~: carried, but not exactly; --profile with that platform alone says what differs."))
	}
}

// band prints some columns, and behind them what the rules match, in as much room as is left for that.
func (p *textPrinter) band(rows []string, place int, columns []column, room int) {
	high := 0
	for _, c := range columns {
		high = max(high, len(c.heading))
	}
	for h := range high {
		line := strings.Repeat(" ", place)
		for _, c := range columns {
			word := ""
			if k := h - high + len(c.heading); k >= 0 {
				word = c.heading[k]
			}
			line += "  " + p.paint(bold, fmt.Sprintf("%-*s", c.width, word))
		}
		fmt.Fprintln(p.w, strings.TrimRight(line, " "))
	}
	for i, row := range rows {
		if i == len(rows)-1 && p.noSlots(columns) {
			break
		}
		line := fmt.Sprintf("%-*s", place, row)
		for _, c := range columns {
			line += "  " + p.paint(verdictColors[c.carried[i]], fmt.Sprintf("%-*s", c.width, c.words[i]))
		}
		if i < len(p.v.Rules) && room >= 20 {
			line += "  " + p.paint(dim, shortened(p.v.Rules[i].Rule.Match.String(), room))
		}
		fmt.Fprintln(p.w, strings.TrimRight(line, " "))
	}
	fmt.Fprintln(p.w)
}

// noSlots says whether the platform's expansion is known of none of columns.
func (p *textPrinter) noSlots(columns []column) bool {
	return !slices.ContainsFunc(columns, func(c column) bool { return c.words[len(c.words)-1] != "?" })
}

// shortened returns s in so many columns.
func shortened(s string, room int) string {
	if r := []rune(s); len(r) > room {
		return string(r[:room-1]) + "…"
	}
	return s
}

// idle prints which profiles filter nothing by FlowSpec, each with why, and returns them: what they say of each rule is the same.
func (p *textPrinter) idle() map[string]bool {
	out := map[string]bool{}
	for n, t := range p.v.tally {
		if why := p.matrix.nothing[n]; why != nil {
			out[t.spec] = true
			fmt.Fprintf(p.w, "%s  %s %s\n", p.paint(red, "nothing"), p.paint(bold, t.spec+":"), why.Message)
			if why.Hint != "" {
				fmt.Fprintf(p.w, "         %s %s\n", p.paint(bold, "try:"), indented(why.Hint, "         "))
			}
		}
	}
	return out
}

// failing prints which redirects fail open, and where.
func (p *textPrinter) failing() {
	if len(p.matrix.opens) == 0 {
		return
	}
	fmt.Fprintf(p.w, "%s\n", p.paint(bold, "Where a redirect does not work, it accepts what a rule below would have filtered"))
	for i := range p.v.Rules {
		ref := report.Ref{File: p.v.Rules[i].Pos.File, Line: p.v.Rules[i].Pos.Line}
		if list := p.matrix.opens[ref]; len(list) > 0 {
			fmt.Fprintf(p.w, "  %s  %s: %s\n", p.paint(yellow, "fails open"), p.paint(bold, ref.String()), strings.Join(list, ", "))
		}
	}
	fmt.Fprintln(p.w)
}

// refusals prints for each rule which profiles do not carry it, and why.
func (p *textPrinter) refusals() {
	idle := p.idle()
	some := len(idle) > 0
	for i, s := range p.v.Rules {
		list := p.matrix.refusals[i]
		if len(list) == 0 {
			continue
		}
		keys := make([]string, 0, len(list))
		for k, one := range list {
			if one.profiles = slices.DeleteFunc(one.profiles, func(spec string) bool { return idle[spec] }); len(one.profiles) > 0 {
				keys = append(keys, k)
			}
		}
		if len(keys) == 0 {
			continue
		}
		some = true
		fmt.Fprintf(p.w, "%s  %s\n", p.paint(red, "rejected"), p.paint(bold, report.Place(s.Pos.File, s.Pos.Line)))
		slices.SortFunc(keys, func(a, b string) int { return slices.Compare(list[a].profiles, list[b].profiles) })
		for _, k := range keys {
			one := list[k]
			fmt.Fprintf(p.w, "  %s: %s %s\n", strings.Join(one.profiles, ", "), one.reason.Message, p.paint(dim, "["+one.reason.Code+"]"))
			if one.witness != nil && one.witness.Packet != "" {
				fmt.Fprintf(p.w, "    %s %s\n", p.paint(bold, "packet:"), one.witness.Packet)
			}
		}
	}
	if some {
		fmt.Fprintf(p.w, "%s\n\n", p.paint(dim, "--profile with one of them says it in full, with sources and what to write instead."))
	}
}
