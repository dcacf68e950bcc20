package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/notation"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/profile"
	"github.com/sluice-gateway/sluice/core/report"
)

func validateCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "validate --profile PROFILE[,PROFILE...] [FILE...]",
		Short: "Say beforehand what each router can carry of these rules, and prove it",
		Long: `Read rules, plan them for each profile, prove every result equal to its rule, and show what each router would be given, and why.
Nothing is sent anywhere. Several profiles give a matrix.

Exit status: 0 every rule is carried exactly, 1 some rule is not, 2 something in the input could not be read.`,
		Example: `  sluice validate --profile asr9k rules.conf
  sluice validate --profile asr9k,junos-mx:term-order=legacy --format json - < rules.yaml`,
	}
	specs := profileFlag(cmd)
	dir, format := profilesFlag(cmd), formatFlag(cmd, "text", "json")
	placement := placementFlag(cmd)
	strict := cmd.Flags().Bool("strict", false, "exit with 1 also when a verdict rests on an assumed fact")
	read := rulesFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		f, err := format()
		if err != nil {
			return err
		}
		targets, err := targetsOf(*specs, *dir, *placement)
		if err != nil {
			return usage(err)
		}
		watch := startProgress(cmd.ErrOrStderr())
		defer watch.end()
		watch.set("reading")
		in, err := read(args)
		if err != nil {
			return usage(err)
		}
		v, err := judge(in, targets, watch)
		if err != nil {
			return failed(err)
		}

		out := bufio.NewWriterSize(cmd.OutOrStdout(), 1<<16)
		watch.set("printing")
		if isTerminal(cmd.OutOrStdout()) {
			watch.end()
		}
		if f == "json" {
			err = v.writeJSON(out)
		} else {
			err = v.writeText(out, palette(wantsColor(cmd.OutOrStdout())))
		}
		if err := errors.Join(err, out.Flush()); err != nil {
			return failed(err)
		}
		return v.status(*strict)
	}
	return cmd
}

// profileFlag adds --profile to a command.
func profileFlag(cmd *cobra.Command) *[]string {
	return cmd.Flags().StringSlice("profile", nil, "`PROFILE[:OPTION=VALUE]`; several with commas (`sluice profile list` shows them)")
}

// placementFlag adds --placement to a command.
func placementFlag(cmd *cobra.Command) *string {
	return cmd.Flags().String("placement", string(filter.Alone), "where a filter stands on its interfaces: alone, or before (the operator's filter)")
}

// target is one profile to plan for, with the settings of its options.
type target struct {
	spec     string
	profile  *profile.Profile
	settings map[string]string
	opt      plan.Options
}

// targetsOf reads what --profile, --profiles and --placement say.
func targetsOf(specs []string, dir, placement string) ([]target, error) {
	where := filter.Placement(placement)
	if where != filter.Alone && where != filter.Before {
		return nil, fmt.Errorf("--placement is alone or before, not %q", placement)
	}
	lib, err := loadProfiles(dir)
	if err != nil {
		return nil, err
	}
	var out []target
	seen := map[string]bool{}
	for _, spec := range specs {
		p, settings, err := lib.Select(spec)
		if err != nil {
			return nil, err
		}
		t := target{spec: p.Name + strings.TrimPrefix(strings.TrimSpace(spec), strings.Split(strings.TrimSpace(spec), ":")[0]), profile: p, settings: settings,
			opt: plan.Options{Settings: settings, Placement: where}}
		if seen[t.spec] {
			return nil, fmt.Errorf("profile %s is named twice", t.spec)
		}
		seen[t.spec] = true
		out = append(out, t)
	}
	if len(out) == 0 {
		return nil, errors.New("--profile is missing: `sluice profile list` shows the names")
	}
	return out, nil
}

// verdicts is everything validate found: the rules that stand, what is wrong with the input, and each profile's plan.
type verdicts struct {
	rules   []standing
	loose   []notation.Problem // of no rule: errors, and notes about what no longer stands
	targets []judged
	places  map[string]string // of rules by their IDs, made when the first message needs it
}

// judged is the plan for one target. verdicts[i] is about rules[i].
type judged struct {
	target
	verdicts []*plan.Verdict
	warnings []plan.Reason
	text     filterTexts
	summary  report.Summary
	inexact  int
	assumed  int
}

// judge plans the rules for every target. The error is about a plan that could not be proven: a fault of sluice.
func judge(in readInput, targets []target, watch *progress) (*verdicts, error) {
	v := &verdicts{}
	v.rules, v.loose = standingRules(in.Items, in.Problems)
	snap, index := snapshotOf(v.rules)
	for _, t := range targets {
		watch.set("planning %d rules for %s", len(v.rules), t.spec)
		p, err := plan.Make(snap, t.profile, t.opt)
		if err != nil {
			return nil, fmt.Errorf("plan for %s: %w", t.spec, err)
		}
		j := judged{target: t, warnings: p.Warnings, text: renderFilters(p.Desired.Filters, t.profile), verdicts: make([]*plan.Verdict, len(v.rules))}
		for i := range p.Verdicts {
			one := &p.Verdicts[i]
			j.text.check(one)
			j.verdicts[index[i]] = one
			j.summary.Add(one.Carried)
			if !one.Exact {
				j.inexact++
			}
			if one.Basis == profile.Assumed {
				j.assumed++
			}
		}
		v.targets = append(v.targets, j)
	}
	return v, nil
}

// check takes back the word of a verdict whose filter could not be written: nothing of it could be delivered.
func (t filterTexts) check(v *plan.Verdict) {
	for _, e := range v.Entries {
		if e.Filter == nil || t.refused[e.Filter.Name] == nil {
			continue
		}
		v.Carried, v.Exact, v.Entries = plan.Rejected, false, nil
		v.Reasons = append(v.Reasons, plan.Reason{Code: "not-rendered", Severity: plan.Error, Message: t.refused[e.Filter.Name].Error()})
		return
	}
}

// errors returns how many things in the input could not be read.
func (v *verdicts) errors() int {
	n := 0
	for i := range v.loose {
		if v.loose[i].Severity == notation.Error {
			n++
		}
	}
	return n
}

// status returns how the command ends.
func (v *verdicts) status(strict bool) error {
	if v.errors() > 0 {
		return silent(exitUsage)
	}
	for _, j := range v.targets {
		if j.inexact > 0 || strict && j.assumed > 0 {
			return silent(exitFailed)
		}
	}
	return nil
}

// report returns rule i under target j in the form of JSON; the notes of the reader come first among its reasons.
func (v *verdicts) report(j *judged, i int) report.Rule {
	s := &v.rules[i]
	r := report.Of(s.rule, *j.verdicts[i], s.pos, j.text.of)
	r.Reasons = append(append([]plan.Reason{}, s.notes...), r.Reasons...) // never nil: JSON has a list
	for k := range r.Reasons {
		r.Reasons[k].Message = v.placed(r.Reasons[k].Message)
	}
	return r
}

// ruleID is how plans name another rule. Whoever validates a file knows it by its place.
var ruleID = regexp.MustCompile(`\b[0-9a-f]{16}\b`)

// placed names rules in a message by their places in the input.
func (v *verdicts) placed(message string) string {
	if !ruleID.MatchString(message) {
		return message
	}
	if v.places == nil {
		v.places = make(map[string]string, len(v.rules))
		for _, s := range v.rules {
			v.places[string(s.rule.ID)] = placeOf(s.pos.File, s.pos.Line)
		}
	}
	return ruleID.ReplaceAllStringFunc(message, func(id string) string {
		if place, ok := v.places[id]; ok {
			return place
		}
		return id
	})
}

// writeJSON streams one object; each rule is on a line of its own.
func (v *verdicts) writeJSON(w *bufio.Writer) error {
	e := newEncoder(w)
	io.WriteString(w, `{"profiles": [`)
	for n := range v.targets {
		j := &v.targets[n]
		if n > 0 {
			io.WriteString(w, ",\n")
		}
		io.WriteString(w, `{"profile": `)
		e.value(j.profile.Name)
		io.WriteString(w, `, "rules": [`)
		for i := range v.rules {
			if i > 0 {
				io.WriteString(w, ",")
			}
			io.WriteString(w, "\n")
			e.value(v.report(j, i))
		}
		io.WriteString(w, `], "summary": `)
		e.value(j.summary)
		io.WriteString(w, "}")
	}
	io.WriteString(w, `], "errors": `)
	e.value(inputErrors(v.loose))
	io.WriteString(w, "}\n")
	return e.err
}

// inputError is one entry of "errors".
type inputError struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Code    string `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint"`
}

func inputErrors(problems []notation.Problem) []inputError {
	out := []inputError{}
	for _, p := range problems {
		if p.Severity == notation.Error {
			out = append(out, inputError{p.Pos.File, p.Pos.Line, p.Pos.Column, p.Code, p.Message, p.Hint})
		}
	}
	return out
}
