package main

import (
	"encoding/json"
	"io"
	"net/url"
	"path/filepath"

	"github.com/sluice-gateway/sluice/core/notation"
	"github.com/sluice-gateway/sluice/core/plan"
)

// sarifPrinter prints a log of the Static Analysis Results Interchange Format 2.1.0 (OASIS), which code hosts show at the lines concerned: a result for each error and
// warning of a verdict, for each rule that is not carried exactly without either, and for what could not be read.
type sarifPrinter struct {
	v       *validation
	w       io.Writer
	results []sarifResult
	rules   []sarifRule
	known   map[string]int // places in rules
}

type sarifRule struct {
	ID               string    `json:"id"`
	ShortDescription sarifText `json:"shortDescription"`
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifResult struct {
	RuleID    string          `json:"ruleId"`
	RuleIndex int             `json:"ruleIndex"`
	Level     string          `json:"level"` // "error", "warning" or "note"
	Message   sarifText       `json:"message"`
	Locations []sarifLocation `json:"locations"`
}

type sarifLocation struct {
	Physical sarifPhysical `json:"physicalLocation"`
}

type sarifPhysical struct {
	Artifact sarifArtifact `json:"artifactLocation"`
	Region   *sarifRegion  `json:"region,omitempty"`
}

type sarifArtifact struct {
	URI string `json:"uri"`
}

type sarifRegion struct {
	StartLine   int `json:"startLine"`
	StartColumn int `json:"startColumn,omitempty"`
}

func (p *sarifPrinter) begin() error {
	for _, one := range p.v.Loose {
		if one.Severity == notation.Error {
			p.add(one.Code, "error", one.Message+hinted(one.Hint), one.Pos)
		}
	}
	return nil
}

func (p *sarifPrinter) profile(j *judged) error {
	for i, s := range p.v.Rules {
		v := j.Verdicts[i]
		told := false
		for _, r := range v.Reasons {
			if r.Severity == plan.Note {
				continue
			}
			text := j.spec + ": " + p.v.Placed(r.Message) + hinted(r.Hint)
			if w := v.Witness; r.Severity == plan.Error && w != nil && !w.Unproven {
				text += "; packet: " + w.Packet.String()
			}
			p.add(r.Code, r.Severity, text, s.Pos)
			told = true
		}
		if !told && !v.Exact {
			p.add("not-exact", "error", j.spec+": the rule is carried, and not exactly", s.Pos)
		}
	}
	return nil
}

func hinted(hint string) string {
	if hint == "" {
		return ""
	}
	return "; try: " + hint
}

// add adds a result at a line of a file.
func (p *sarifPrinter) add(code, level, text string, at notation.Position) {
	n, known := p.known[code]
	if !known {
		if p.known == nil {
			p.known = map[string]int{}
		}
		n = len(p.rules)
		p.known[code] = n
		description := meaning(code)
		if description == "" {
			description = "The input could not be read."
		}
		p.rules = append(p.rules, sarifRule{code, sarifText{description}})
	}
	file := at.File
	if file == "-" {
		file = "standard-input"
	}
	where := sarifPhysical{Artifact: sarifArtifact{(&url.URL{Path: filepath.ToSlash(file)}).String()}}
	if at.Line > 0 {
		where.Region = &sarifRegion{at.Line, at.Column}
	}
	p.results = append(p.results, sarifResult{code, n, level, sarifText{text}, []sarifLocation{{where}}})
}

func (p *sarifPrinter) end() error {
	driver := map[string]any{"name": "sluice", "rules": append([]sarifRule{}, p.rules...)}
	run := map[string]any{"tool": map[string]any{"driver": driver}, "results": append([]sarifResult{}, p.results...), "columnKind": "unicodeCodePoints"}
	e := json.NewEncoder(p.w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(map[string]any{"version": "2.1.0", "$schema": "https://json.schemastore.org/sarif-2.1.0.json", "runs": []any{run}})
}
