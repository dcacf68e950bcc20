package main

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/core/notation"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/profile"
	"github.com/sluice-gateway/sluice/core/report"
)

// textPrinter prints for people: what could not be read, the verdict on each rule with what it becomes and why, what to type on the
// devices, and at the end, where the eye is, the profiles side by side and a summary.
type textPrinter struct {
	textWriter
	v      *validation
	matrix *matrix // of several profiles
	// overview: so many profiles that only the matrix is printed, and why rules are refused.
	overview bool
}

func (p *textPrinter) begin() error {
	writeProblems(p.w, p.v.Loose, p.palette)
	return nil
}

func (p *textPrinter) profile(j *judged) error {
	if p.matrix != nil {
		p.matrix.add(j)
	}
	if p.overview {
		for _, one := range p.v.opens(j) {
			p.matrix.opens[one.Ref] = append(p.matrix.opens[one.Ref], j.spec)
		}
		return nil
	}
	if p.matrix != nil {
		fmt.Fprintf(p.w, "%s\n", p.paint(bold, j.spec))
	}
	for i := range p.v.Rules {
		if p.matrix == nil || !plain(j.Verdicts[i]) {
			p.rule(p.v, j, i)
		}
	}
	p.order(j)
	p.lenient(j)
	p.failsOpen(j)
	p.onDevice(j)
	return nil
}

func (p *textPrinter) end() error {
	if p.matrix != nil {
		p.sideBySide()
	}
	if p.overview {
		p.refusals()
		p.failing()
	}
	t := p.v.Table(p.v.table(), p.v.index)
	p.findings(t)
	p.proposals(t)
	for _, of := range p.v.tally {
		p.summary(of)
	}
	if n := p.v.Errors(); n > 0 {
		fmt.Fprintf(p.w, "%s\n", p.paint(red, counted(n, "error")+" in the input, shown above: what could not be read has no verdict"))
	}
	return nil
}

// plain says whether a verdict has nothing to tell beyond its word: the matrix shows that already.
func plain(one *plan.Verdict) bool {
	return one.Carried == plan.Native && one.Exact && !slices.ContainsFunc(one.Reasons, func(r plan.Reason) bool { return r.Severity != plan.Note })
}

// writeProblems prints what the reader found, as compilers do, a blank line behind each.
func writeProblems(w io.Writer, problems []notation.Problem, colors palette) {
	for _, p := range problems {
		p.Render(w, bool(colors))
		fmt.Fprintln(w)
	}
}

// textWriter prints verdicts for people.
type textWriter struct {
	w io.Writer
	palette
}

var verdictColors = map[plan.Carried]string{plan.Native: green, plan.Rewritten: cyan, plan.InFilter: yellow, plan.Rejected: red}

// rule prints one rule and its verdict.
func (t textWriter) rule(v *validation, j *judged, i int) {
	r := v.Rule(i, j.Verdicts[i], j.Filters.Of)
	t.head(&r)
	fmt.Fprintf(t.w, "    %s\n", r.Rule)
	if r.Carried != plan.Native {
		for _, e := range r.Entries {
			fmt.Fprintf(t.w, "  %s %s\n", t.paint(dim, "->"), indented(e.Text, "     "))
		}
	}
	for k, reason := range r.Reasons {
		if k+1 < len(r.Reasons) && r.Reasons[k+1].Source == reason.Source {
			reason.Source = "" // said once, behind the last of them
		}
		t.reason(reason)
	}
	if r.Witness != nil {
		t.witness(r.Witness)
	}
	fmt.Fprintln(t.w)
}

// head prints the verdict, the place of the rule, and how it is to be taken.
func (t textWriter) head(r *report.Rule) {
	var notes []string
	switch n := len(r.Entries); {
	case n > 1:
		notes = append(notes, fmt.Sprintf("%d entries", n))
	case n == 0 && r.Carried != plan.Rejected:
		notes = append(notes, "nothing to send")
	}
	if r.Cost.TCAM != nil {
		notes = append(notes, fmt.Sprintf("%d TCAM slots", *r.Cost.TCAM))
	}
	if r.Carried != plan.Rejected && !r.Exact {
		notes = append(notes, t.paint(red, "not exact"))
	}
	if r.Basis != "" && r.Carried != plan.Rejected {
		notes = append(notes, "rests on "+map[bool]string{true: "an ", false: "a "}[r.Basis == "assumed"]+string(r.Basis)+" fact")
	}
	line := fmt.Sprintf("%s  %s", t.paint(verdictColors[r.Carried], fmt.Sprintf("%-9s", r.Carried)), t.paint(bold, report.Place(r.File, r.Line)))
	if len(notes) > 0 {
		line += t.paint(dim, "  ("+strings.Join(notes, ", ")+")")
	}
	fmt.Fprintln(t.w, line)
}

func (t textWriter) reason(r plan.Reason) {
	tint := map[string]string{plan.Error: red, plan.Warning: yellow, plan.Note: dim}[r.Severity]
	fmt.Fprintf(t.w, "    %s %s %s\n", t.paint(tint, r.Severity+":"), r.Message, t.paint(dim, "["+r.Code+"]"))
	if r.Hint != "" {
		fmt.Fprintf(t.w, "          %s %s\n", t.paint(bold, "try:"), indented(r.Hint, "               "))
	}
	if r.Source != "" {
		fmt.Fprintf(t.w, "          %s\n", t.paint(dim, "source: "+r.Source))
	}
}

func (t textWriter) witness(w *report.Witness) {
	if w.Packet == "" {
		fmt.Fprintf(t.w, "    %s %s\n", t.paint(bold, "not proven:"), w.Got)
		return
	}
	fmt.Fprintf(t.w, "    %s %s\n", t.paint(bold, "packet:"), w.Packet)
	fmt.Fprintf(t.w, "            asked for: %s\n            would get: %s\n", withoutNames(w.Want), withoutNames(w.Got))
}

// Outcomes name their policers by rules' identities, which say nothing to people.
var (
	ownPolicer    = regexp.MustCompile(` \(policer [^)]*\)`)
	sharedPolicer = regexp.MustCompile(`share policer \S+`)
)

func withoutNames(s string) string {
	return sharedPolicer.ReplaceAllString(ownPolicer.ReplaceAllString(s, ""), "share one policer")
}

// onDevice prints what the plan assumes, and what the operator types on the device: each once.
func (t textWriter) onDevice(j *judged) {
	if assumed := assumptions(j); len(assumed) > 0 {
		fmt.Fprintf(t.w, "%s\n", t.paint(bold, "Assumed about "+j.spec+", without a source"))
		for _, a := range assumed {
			fmt.Fprintf(t.w, "  %s %s\n", a.text, t.paint(dim, fmt.Sprintf("(%s)", counted(a.rules, "rule"))))
		}
		fmt.Fprintln(t.w)
	}
	if len(j.Warnings) == 0 && len(j.Filters.Attach) == 0 {
		return
	}
	fmt.Fprintf(t.w, "%s\n", t.paint(bold, fmt.Sprintf("On the device (%s %s)", j.profile.Vendor, j.profile.Platform)))
	for _, w := range j.Warnings {
		fmt.Fprintf(t.w, "  %s %s %s\n", t.paint(yellow, w.Severity+":"), w.Message, t.paint(dim, "["+w.Code+"]"))
		if w.Hint != "" {
			fmt.Fprintf(t.w, "      %s\n", indented(w.Hint, "      "))
		}
	}
	if len(j.Filters.Attach) > 0 {
		fmt.Fprintf(t.w, "  once, to attach the filter to an interface:\n      %s\n", indented(strings.Join(j.Filters.Attach, "\n"), "      "))
	}
	fmt.Fprintln(t.w)
}

// assumption is a fact that nobody documents, and how many verdicts rest on it.
type assumption struct {
	text  string
	rules int
}

// assumptions returns the assumed facts behind the rules that j carries, in the order of the profile.
func assumptions(j *judged) []assumption {
	count := map[string]int{}
	for _, v := range j.Verdicts {
		if v.Carried == plan.Rejected || v.Basis != profile.Assumed {
			continue
		}
		for _, id := range v.Facts {
			if j.profile.Facts[id].Basis == profile.Assumed {
				count[id]++
			}
		}
	}
	var out []assumption
	for _, id := range j.profile.FactIDs() {
		if count[id] > 0 {
			out = append(out, assumption{j.profile.Facts[id].Text, count[id]})
		}
	}
	return out
}

// summary prints one line for a profile.
func (t textWriter) summary(of tally) {
	s := of.summary
	var parts []string
	for _, c := range []struct {
		n    int
		kind plan.Carried
	}{{s.Native, plan.Native}, {s.Rewritten, plan.Rewritten}, {s.Filter, plan.InFilter}, {s.Rejected, plan.Rejected}} {
		if c.n > 0 {
			word := string(c.kind)
			if c.kind == plan.InFilter {
				word = "by filter"
			}
			parts = append(parts, t.paint(verdictColors[c.kind], fmt.Sprintf("%d %s", c.n, word)))
		}
	}
	line := fmt.Sprintf("%s: %s", t.paint(bold, of.spec), counted(s.Rules, "rule"))
	if len(parts) > 0 {
		line += ": " + strings.Join(parts, ", ")
	}
	if of.entries > 0 {
		line += fmt.Sprintf("; %s on the device", counted(of.entries, "entry"))
	}
	line += t.budget(of.budget)
	if of.inexact == 0 && s.Rules > 0 {
		line += "; all exact"
	}
	fmt.Fprintln(t.w, line)
}

// counted returns "1 rule" or "2 rules", "1 entry" or "2 entries".
func counted(n int, word string) string {
	switch {
	case n == 1:
		return "1 " + word
	case strings.HasSuffix(word, "y"):
		return fmt.Sprintf("%d %sies", n, strings.TrimSuffix(word, "y"))
	}
	return fmt.Sprintf("%d %ss", n, word)
}

func trimNewline(s string) string { return strings.TrimRight(s, "\n") }

// indented puts indent before every line but the first.
func indented(s, indent string) string {
	return strings.ReplaceAll(trimNewline(s), "\n", "\n"+indent)
}
