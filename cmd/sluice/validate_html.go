package main

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/sluice-gateway/sluice/core/notation"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/report"
	"github.com/sluice-gateway/sluice/core/review"
)

//go:embed pages/validate.html
var validatePage string

// page is the template of a page that needs nothing else: no script, no font, no other file.
var page = template.Must(template.New("validate").Funcs(template.FuncMap{"counted": counted}).Parse(validatePage))

// htmlPrinter prints one page: the matrix, and behind each cell what it stands for.
type htmlPrinter struct {
	v *validation
	w io.Writer
	d htmlPage
}

type htmlPage struct {
	Problems []string
	Profiles []htmlProfile
	Rows     []htmlRow
	Findings []htmlFinding

	Proposals []htmlProposal
}

type htmlProfile struct {
	Spec     string
	Name     string   // what Spec begins with
	Rest     []string // what is behind it, a setting or a profile in each: ":etcam=true"
	Summary  report.Summary
	Entries  int
	Warnings []plan.Reason
	Attach   string
	Opens    []report.Open // redirects that fail open
}

type htmlRow struct {
	Place, Match, Then, Text string
	Cells                    []htmlCell
}

type htmlCell struct {
	report.Rule
	ID, Spec, Cost string
}

type htmlFinding struct {
	Ref  string
	Kind review.Kind
	Why  string
}

type htmlProposal struct{ Rules, Message, Code, Text string }

func (p *htmlPrinter) begin() error {
	for _, one := range p.v.Loose {
		if one.Severity == notation.Error {
			var b strings.Builder
			one.Render(&b, false)
			p.d.Problems = append(p.d.Problems, b.String())
		}
	}
	p.d.Rows = make([]htmlRow, len(p.v.Rules))
	for i, s := range p.v.Rules {
		p.d.Rows[i] = htmlRow{Place: report.Place(s.Pos.File, s.Pos.Line), Match: s.Rule.Match.String(), Then: s.Rule.Action.String(), Text: notation.Text(s.Rule)}
	}
	return nil
}

func (p *htmlPrinter) profile(j *judged) error {
	for i := range p.d.Rows {
		c := htmlCell{Rule: p.v.Rule(i, j.Verdicts[i], j.Filters.Of), ID: fmt.Sprintf("v%d-%d", len(p.d.Profiles), i), Spec: j.spec}
		var cost []string
		if n := len(c.Entries); n > 0 {
			cost = append(cost, counted(n, "entry"))
		}
		if c.Rule.Cost.TCAM != nil {
			cost = append(cost, counted(*c.Rule.Cost.TCAM, "slot"))
		}
		if c.Carried != plan.Rejected && !c.Exact {
			cost = append(cost, "not exact")
		}
		if w := c.Witness; w != nil {
			c.Witness = &report.Witness{Packet: w.Packet, Want: withoutNames(w.Want), Got: withoutNames(w.Got)}
		}
		c.Cost = strings.Join(cost, ", ")
		p.d.Rows[i].Cells = append(p.d.Rows[i].Cells, c)
	}
	parts := strings.Split(strings.NewReplacer(":", "\n:", "+", "\n+").Replace(j.spec), "\n")
	p.d.Profiles = append(p.d.Profiles, htmlProfile{
		Spec: j.spec, Name: parts[0], Rest: parts[1:],
		Summary: j.Summary, Entries: j.Entries, Warnings: j.Warnings, Attach: strings.Join(j.Filters.Attach, "\n"), Opens: p.v.opens(j),
	})
	return nil
}

func (p *htmlPrinter) end() error {
	t := p.v.Table(p.v.table(), p.v.index)
	for _, f := range t.Findings {
		p.d.Findings = append(p.d.Findings, htmlFinding{f.Ref.String(), f.Kind, why(&f)})
	}
	for _, one := range t.Proposals {
		p.d.Proposals = append(p.d.Proposals, htmlProposal{places(one.Rules, one.Count, false), one.Message, one.Code, one.Text})
	}
	return page.Execute(p.w, p.d)
}
