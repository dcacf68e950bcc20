package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/report"
	"github.com/sluice-gateway/sluice/core/review"
)

// What validate says of the rules as a table. Each section is there only when it has something to say.

// How much is printed; programs get all of it.
const (
	linesShown = 20 // of a section
	placesHere = 5  // rules named on a line
)

// proposals prints rules that may be worth adding.
func (p *textPrinter) proposals(t report.Table) {
	if len(t.Proposals) == 0 {
		return
	}
	fmt.Fprintf(p.w, "%s\n", p.paint(bold, "Worth adding, perhaps"))
	for i, one := range t.Proposals {
		if i == linesShown {
			fmt.Fprintf(p.w, "  and %d more (--format json lists them)\n", len(t.Proposals)-i)
			break
		}
		fmt.Fprintf(p.w, "  beside %s: %s %s\n      %s\n", p.paint(bold, places(one.Rules, one.Count, false)), one.Message, p.paint(dim, "["+one.Code+"]"), one.Text)
	}
	fmt.Fprintln(p.w)
}

// findings prints the rules that do nothing.
func (p *textPrinter) findings(t report.Table) {
	if len(t.Findings) == 0 && t.NotLooked == 0 {
		return
	}
	fmt.Fprintf(p.w, "%s\n", p.paint(bold, "Rules that do nothing"))
	for i, f := range t.Findings {
		if i == linesShown {
			fmt.Fprintf(p.w, "  and %d more (--format json lists them)\n", len(t.Findings)-i)
			break
		}
		fmt.Fprintf(p.w, "  %s  %s: %s\n", p.paint(yellow, fmt.Sprintf("%-13s", f.Kind)), p.paint(bold, f.Ref.String()), why(&f))
	}
	if n := t.NotLooked; n > 0 {
		fmt.Fprintf(p.w, "  %s was not looked at: too many rules overlap\n", counted(n, "rule"))
	}
	if len(t.Findings) > 1 {
		fmt.Fprintln(p.w, "  All of them can go, together, and every packet fares as before.")
	}
	fmt.Fprintln(p.w)
}

// why says in words what makes a rule needless.
func why(f *report.Finding) string {
	by := places(f.By, len(f.By), f.More)
	switch {
	case f.Kind == review.NeverMatches:
		return "no packet can match it"
	case f.Kind == review.Shadowed:
		return "all of its packets are decided above it, by " + by
	case len(f.By) == 0:
		return "its packets fare the same without it: no rule below filters them"
	}
	return "its packets fare the same without it, by " + by
}

// places names rules: a few of count, and how many there are.
func places(refs []report.Ref, count int, more bool) string {
	var out []string
	for i, r := range refs {
		if i == placesHere {
			out = append(out, fmt.Sprintf("and %d more", count-i))
			break
		}
		out = append(out, r.String())
	}
	if more && len(refs) <= placesHere {
		out = append(out, "and others")
	}
	return strings.Join(out, ", ")
}

// order prints what was done to keep rules in order, and which could not be kept. Of one rule its verdict has said so.
func (p *textPrinter) order(j *judged) {
	list := j.OrderNotes(p.v.Input)
	if len(list) == 0 || len(list) == 1 && list[0].Count == 1 {
		return
	}
	fmt.Fprintf(p.w, "%s\n", p.paint(bold, "Order on "+j.spec))
	for _, n := range list {
		word, tint, cost := "kept   ", green, ", "+counted(n.Entries, "entry")
		if n.Refused {
			word, tint, cost = "refused", red, ""
		}
		fmt.Fprintf(p.w, "  %s  %s%s: %s %s\n           %s\n", p.paint(tint, word), counted(n.Count, "rule"), cost, places(n.Rules, n.Count, false),
			p.paint(dim, "["+n.Code+"]"), p.paint(dim, meaning(n.Code)))
	}
	fmt.Fprintln(p.w)
}

// meaning is what a reason code says.
func meaning(code string) string {
	for _, c := range plan.Codes {
		if c.Code == code {
			return c.Meaning
		}
	}
	return ""
}

// opens returns the redirects that fail open on one profile. Without a redirect there is nothing to look for.
func (v *validation) opens(j *judged) []report.Open {
	if !slices.ContainsFunc(v.Rules, func(r report.Standing) bool { return r.Rule.Action.Redirect != nil }) {
		return nil
	}
	return j.FailsOpen(v.Input, v.table(), v.index, j.profile)
}

// failsOpen prints the redirects that would let packets through to what rules below them protect.
func (p *textPrinter) failsOpen(j *judged) {
	list := p.v.opens(j)
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(p.w, "%s\n", p.paint(bold, "Fails open on "+j.spec+": where the redirect does not work the rule accepts what a rule below filters"))
	for i, one := range list {
		if i == linesShown {
			fmt.Fprintf(p.w, "  and %d more (--format json lists them)\n", len(list)-i)
			break
		}
		fmt.Fprintf(p.w, "  %s  %s: below it %s\n", p.paint(yellow, "fails open"), p.paint(bold, one.Ref.String()), places(one.Below, len(one.Below), one.More))
	}
	if s := list[0].Source; s != "" {
		fmt.Fprintf(p.w, "  %s\n", p.paint(dim, "source: "+s))
	}
	fmt.Fprintln(p.w)
}

// lenient prints the packets that are not filtered as asked.
func (p *textPrinter) lenient(j *judged) {
	if j.Summary.Rejected == 0 {
		return
	}
	list, more := j.Lenient(p.v.Input, p.v.table(), p.v.index)
	if len(list) == 0 || len(list)+more == 1 && list[0].Whole { // its verdict has said so
		return
	}
	fmt.Fprintf(p.w, "%s\n", p.paint(bold, "Not filtered by "+j.spec+" as asked, most packets first"))
	for i, l := range list {
		if i == linesShown {
			more += len(list) - i
			break
		}
		packets := l.Packets
		if l.AtMost {
			packets = "at most " + packets
		}
		fmt.Fprintf(p.w, "  %s  %s\n           %s\n", p.paint(bold, places(l.Rules, len(l.Rules), false)), packets,
			p.paint(dim, fmt.Sprintf("asked for %s, would get %s", withoutNames(l.Witness.Want), withoutNames(l.Witness.Got))))
	}
	if more > 0 {
		fmt.Fprintf(p.w, "  and %d more (--format json lists them)\n", more)
	}
	fmt.Fprintln(p.w)
}

// budget says how full the device would be, from a tenth on.
func (t textWriter) budget(list []report.Budget) string {
	out := ""
	for _, b := range list {
		if b.Max == nil || b.Used*10 < *b.Max {
			continue
		}
		what := fmt.Sprintf("the %d %s %s", *b.Max, strings.ReplaceAll(b.What, "-", " "), map[string]string{"tested": "that the vendor tested", "hard": "that it holds"}[b.Limit])
		if b.Used > *b.Max {
			out += "; " + t.paint(yellow, fmt.Sprintf("%d are more than %s", b.Used, what))
			continue
		}
		out += fmt.Sprintf("; %d of %s", b.Used, what)
	}
	return out
}
