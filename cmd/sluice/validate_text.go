package main

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sluice-gateway/sluice/core/notation"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/profile"
	"github.com/sluice-gateway/sluice/core/report"
)

// writeText prints for people: what could not be read, the verdict on each rule with what it becomes and why, what to type on the
// devices, and a summary at the end, where the eye is.
func (v *verdicts) writeText(w *bufio.Writer, colors palette) error {
	writeProblems(w, v.loose, colors)
	t := textWriter{w: w, palette: colors}
	if len(v.targets) > 1 {
		t.matrix(v)
	}
	for n := range v.targets {
		j := &v.targets[n]
		if len(v.targets) > 1 {
			fmt.Fprintf(w, "%s\n", t.paint(bold, j.spec))
		}
		for i := range v.rules {
			if len(v.targets) == 1 || !plain(v, j, i) {
				t.rule(v, j, i)
			}
		}
		t.onDevice(j)
	}
	for n := range v.targets {
		t.summary(&v.targets[n])
	}
	if n := v.errors(); n > 0 {
		fmt.Fprintf(w, "%s\n", t.paint(red, counted(n, "error")+" in the input, shown above: what could not be read has no verdict"))
	}
	return nil
}

// plain says whether a verdict has nothing to tell beyond its word: the matrix shows that already.
func plain(v *verdicts, j *judged, i int) bool {
	one := j.verdicts[i]
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
func (t textWriter) rule(v *verdicts, j *judged, i int) {
	r := v.report(j, i)
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
	line := fmt.Sprintf("%s  %s", t.paint(verdictColors[r.Carried], fmt.Sprintf("%-9s", r.Carried)), t.paint(bold, placeOf(r.File, r.Line)))
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

// placeOf returns file:line.
func placeOf(file string, line int) string {
	if file == "" || file == "-" {
		file = "standard input"
	}
	return fmt.Sprintf("%s:%d", file, line)
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
	if len(j.warnings) == 0 && len(j.text.attach) == 0 {
		return
	}
	fmt.Fprintf(t.w, "%s\n", t.paint(bold, fmt.Sprintf("On the device (%s %s)", j.profile.Vendor, j.profile.Platform)))
	for _, w := range j.warnings {
		fmt.Fprintf(t.w, "  %s %s %s\n", t.paint(yellow, w.Severity+":"), w.Message, t.paint(dim, "["+w.Code+"]"))
		if w.Hint != "" {
			fmt.Fprintf(t.w, "      %s\n", indented(w.Hint, "      "))
		}
	}
	if len(j.text.attach) > 0 {
		fmt.Fprintf(t.w, "  once, to attach the filter to an interface:\n      %s\n", indented(strings.Join(j.text.attach, "\n"), "      "))
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
	for _, v := range j.verdicts {
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

// matrix prints a row for each rule and a column for each profile.
func (t textWriter) matrix(v *verdicts) {
	place, width := 0, make([]int, len(v.targets))
	for _, s := range v.rules {
		place = max(place, utf8.RuneCountInString(placeOf(s.pos.File, s.pos.Line)))
	}
	for n := range v.targets {
		width[n] = max(len(v.targets[n].spec), len("rewritten 99"))
	}
	fmt.Fprintf(t.w, "%-*s", place, "")
	for n := range v.targets {
		fmt.Fprintf(t.w, "  %s", t.paint(bold, fmt.Sprintf("%-*s", width[n], v.targets[n].spec)))
	}
	fmt.Fprintln(t.w)
	for i, s := range v.rules {
		fmt.Fprintf(t.w, "%-*s", place, placeOf(s.pos.File, s.pos.Line))
		for n := range v.targets {
			one := v.targets[n].verdicts[i]
			word := string(one.Carried)
			if len(one.Entries) > 1 {
				word += fmt.Sprintf(" %d", len(one.Entries))
			}
			if one.Carried != plan.Rejected && !one.Exact {
				word += " ~"
			}
			fmt.Fprintf(t.w, "  %s", t.paint(verdictColors[one.Carried], fmt.Sprintf("%-*s", width[n], word)))
		}
		fmt.Fprintf(t.w, "  %s\n", t.paint(dim, s.rule.Match.String()))
	}
	fmt.Fprintln(t.w)
}

// summary prints one line for a profile.
func (t textWriter) summary(j *judged) {
	s := j.summary
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
	line := fmt.Sprintf("%s: %s", t.paint(bold, j.spec), counted(s.Rules, "rule"))
	if len(parts) > 0 {
		line += ": " + strings.Join(parts, ", ")
	}
	entries := 0
	for _, one := range j.verdicts {
		entries += len(one.Entries)
	}
	if entries > 0 {
		line += fmt.Sprintf("; %s on the device", counted(entries, "entry"))
	}
	if j.inexact == 0 && s.Rules > 0 {
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
