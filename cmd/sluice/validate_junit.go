package main

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/sluice-gateway/sluice/core/notation"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/report"
)

// junitPrinter prints what CI systems read as test results: a suite for each profile, a case for each rule, which fails where the rule is not carried exactly. What
// could not be read is a suite of its own, with an error for each problem.
type junitPrinter struct {
	v      *validation
	w      io.Writer
	strict bool
	suites []junitSuite
}

type junitSuite struct {
	XMLName  xml.Name    `xml:"testsuite"`
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	File    string        `xml:"file,attr,omitempty"`
	Line    int           `xml:"line,attr,omitempty"`
	Failure *junitProblem `xml:"failure"`
	Error   *junitProblem `xml:"error"`
	Output  *junitOutput  `xml:"system-out"`
}

type junitOutput struct {
	Text string `xml:",cdata"`
}

type junitProblem struct {
	Type    string `xml:"type,attr"`
	Message string `xml:"message,attr"`
	Text    string `xml:",cdata"`
}

func (p *junitPrinter) begin() error {
	s := junitSuite{Name: "input"}
	for _, one := range p.v.Loose {
		if one.Severity != notation.Error {
			continue
		}
		var shown strings.Builder
		one.Render(&shown, false)
		s.Cases = append(s.Cases, junitCase{Class: "input", Name: one.Pos.String(), File: one.Pos.File, Line: one.Pos.Line,
			Error: &junitProblem{one.Code, one.Message, shown.String()}})
		s.Errors++
	}
	if s.Tests = len(s.Cases); s.Tests > 0 {
		p.suites = append(p.suites, s)
	}
	return nil
}

func (p *junitPrinter) profile(j *judged) error {
	s := junitSuite{Name: j.spec, Tests: len(p.v.Rules)}
	for i := range p.v.Rules {
		r := p.v.Rule(i, j.Verdicts[i], j.Filters.Of)
		c := junitCase{Class: j.spec, Name: report.Place(r.File, r.Line) + " " + r.Rule, File: r.File, Line: r.Line}
		if word := verdictWord(&r, p.strict); word != "" {
			first := mainReason(&r)
			c.Failure = &junitProblem{first.Code, word + ": " + first.Message, inWords(p.v, j, i)}
			s.Failures++
		} else if r.Carried != plan.Native {
			c.Output = &junitOutput{inWords(p.v, j, i)}
		}
		s.Cases = append(s.Cases, c)
	}
	p.suites = append(p.suites, s)
	return nil
}

// verdictWord says what keeps a rule from passing, or "".
func verdictWord(r *report.Rule, strict bool) string {
	switch {
	case r.Carried == plan.Rejected:
		return "rejected"
	case !r.Exact:
		return "not exact"
	case strict && r.Basis == "assumed":
		return "rests on an assumed fact"
	}
	return ""
}

// mainReason returns the first of the severest reasons of a verdict.
func mainReason(r *report.Rule) (first plan.Reason) {
	rank := map[string]int{plan.Error: 3, plan.Warning: 2, plan.Note: 1}
	for _, one := range r.Reasons {
		if rank[one.Severity] > rank[first.Severity] {
			first = one
		}
	}
	return first
}

// inWords returns what the text format says of rule i.
func inWords(v *validation, j *judged, i int) string {
	var b strings.Builder
	textWriter{w: &b}.rule(v, j, i)
	return b.String()
}

func (p *junitPrinter) end() error {
	var all struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	all.Name, all.Suites = "sluice validate", p.suites
	for _, s := range p.suites {
		all.Tests, all.Failures, all.Errors = all.Tests+s.Tests, all.Failures+s.Failures, all.Errors+s.Errors
	}
	b, err := xml.MarshalIndent(all, "", "  ")
	if err != nil {
		return fmt.Errorf("write JUnit XML: %w", err)
	}
	_, err = fmt.Fprintf(p.w, "%s%s\n", xml.Header, b)
	return err
}
