package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluice-gateway/sluice/core/config"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/profile"
	"github.com/sluice-gateway/sluice/core/report"
	"github.com/sluice-gateway/sluice/core/review"
	"github.com/sluice-gateway/sluice/core/rib"
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
	dir, format := profilesFlag(cmd), formatFlag(cmd, "text", "json", "html", "junit", "sarif")
	placement, remedies, measured, instances := placementFlag(cmd), remediesFlag(cmd), measuredFlag(cmd), forInstances(instancesFlag(cmd))
	proof := certificateFlag(cmd, "; with several profiles one file each, with the profile's name inserted")
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
		if err := errors.Join(remedies(targets), measured(targets), instances(targets)); err != nil {
			return usage(err)
		}
		watch := startProgress(cmd.ErrOrStderr())
		defer watch.end()
		watch.set("reading")
		in, err := read(args)
		if err != nil {
			return usage(err)
		}
		v := newValidation(in)
		v.certificate = *proof
		if len(targets) > 1 {
			v.deck = new(plan.Deck)
		}
		out := bufio.NewWriterSize(cmd.OutOrStdout(), 1<<16)
		var p printer
		switch f {
		case "text":
			p = newTextPrinter(v, out, palette(wantsColor(cmd.OutOrStdout())), len(targets))
		case "json":
			p = &jsonPrinter{v: v, w: out, enc: newEncoder(out)}
		case "junit":
			p = &junitPrinter{v: v, w: out, strict: *strict}
		case "sarif":
			p = &sarifPrinter{v: v, w: out}
		case "html":
			p = &htmlPrinter{v: v, w: out}
		}
		if err := v.run(targets, p, watch, isTerminal(cmd.OutOrStdout())); err != nil {
			return failed(errors.Join(err, out.Flush()))
		}
		if err := out.Flush(); err != nil {
			return failed(err)
		}
		if n := v.Errors(); *proof != "" && n > 0 {
			fmt.Fprintf(cmd.ErrOrStderr(), "sluice: no certificate: %s in the input could not be read\n", counted(n, "rule"))
		}
		return v.status(*strict)
	}
	return cmd
}

// profileFlag adds --profile to a command.
func profileFlag(cmd *cobra.Command) *[]string {
	return cmd.Flags().StringSlice("profile", nil, "`PROFILE[:OPTION=VALUE]`; several with commas, or all (`sluice profile list` shows them)")
}

// placementFlag adds --placement to a command.
func placementFlag(cmd *cobra.Command) *string {
	return cmd.Flags().String("placement", string(filter.Alone), "where a filter stands on its interfaces: alone, or before (the operator's filter)")
}

// remediesFlag adds --remedies to a command, and returns what sets it in targets.
func remediesFlag(cmd *cobra.Command) func([]target) error {
	names := cmd.Flags().StringSlice("remedies", plan.DefaultRemedies,
		"what may be done where a device would evaluate two rules the wrong way round: any of "+strings.Join(plan.Remedies, ", ")+", or none")
	return func(targets []target) error {
		if !cmd.Flags().Changed("remedies") {
			return nil
		}
		list := []string{}
		for _, name := range *names {
			switch {
			case name == "none" && len(*names) == 1:
			case slices.Contains(plan.Remedies, name):
				list = append(list, name)
			default:
				return fmt.Errorf("--remedies: %q is none of %s; `none` stands alone", name, strings.Join(plan.Remedies, ", "))
			}
		}
		for i := range targets {
			targets[i].opt.Remedies = list
		}
		return nil
	}
}

// measuredFlag adds --measured-order to a command, and returns what sets it in targets.
func measuredFlag(cmd *cobra.Command) func([]target) error {
	file := cmd.Flags().String("measured-order", "", "`FILE` of rules in the order in which the router was seen to evaluate them, where its order is not known")
	return func(targets []target) error {
		if *file == "" {
			return nil
		}
		octets, err := readAll(cmd.InOrStdin(), *file)
		if err != nil {
			return err
		}
		order, err := config.ReadOrder(*file, octets)
		for i := 0; i < len(targets) && err == nil; i++ {
			targets[i].opt.Measured = order
			err = targets[i].opt.Check(targets[i].profile)
		}
		if err != nil {
			return fmt.Errorf("--measured-order: %w", err)
		}
		return nil
	}
}

// instancesFlag adds --instance to a command, and returns what reads it.
func instancesFlag(cmd *cobra.Command) func() (filter.Instances, error) {
	list := cmd.Flags().StringArray("instance", nil, "`TARGET=NAME`: the routing instance (VRF) of the router that imports a route target, such as 65000:666=SCRUB, for filters that redirect into it; repeatable")
	return func() (filter.Instances, error) {
		in, err := filter.ParseInstances(strings.Join(*list, ","))
		if err != nil {
			return nil, fmt.Errorf("--instance: %w", err)
		}
		return in, nil
	}
}

// forInstances returns what sets in targets what read reads.
func forInstances(read func() (filter.Instances, error)) func([]target) error {
	return func(targets []target) error {
		in, err := read()
		for i := range targets {
			targets[i].opt.Instances = in
		}
		return err
	}
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
	for _, spec := range everyProfile(specs, lib) {
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

// everyProfile puts the names of all profiles in the place of "all", and beside those that filter nothing by FlowSpec the setting that changes that.
func everyProfile(specs []string, lib *profile.Library) []string {
	if !slices.Equal(specs, []string{"all"}) {
		return specs
	}
	var out []string
	for _, p := range profile.WithSwitched(lib.All()) {
		out = append(out, p.Title())
	}
	return out
}

// validation is rules on their way through one profile after the other: a plan is let go as soon as it is printed.
type validation struct {
	*report.Input
	snap  rib.Snapshot
	index []int
	tally []tally    // of the profiles that are done
	deck  *plan.Deck // of several profiles
	// certificate is where to write proofs, "" for nowhere.
	certificate string

	near *review.Index // made when the table is looked at
}

// table is the index of the rules as a table.
func (v *validation) table() *review.Index {
	if v.near == nil {
		v.near = review.NewIndex(v.snap.Rules())
	}
	return v.near
}

// tally is what is kept of a profile.
type tally struct {
	spec                      string
	summary                   report.Summary
	entries, inexact, assumed int
	budget                    []report.Budget
}

// judged is the plan for one target.
type judged struct {
	target
	*report.Judged
}

// printer prints profile by profile, what all have in common before and behind them.
type printer interface {
	begin() error
	profile(j *judged) error
	end() error
}

func newValidation(in readInput) *validation {
	v := &validation{Input: report.Play(in.Items, in.Problems)}
	v.snap, v.index = v.Snapshot()
	return v
}

// judge plans the rules for one target.
func (v *validation) judge(t target, watch *progress) (*judged, error) {
	watch.set("planning %d rules for %s", len(v.Rules), t.spec)
	d, _ := dialectOf(t.profile)
	j, err := report.Judge(v.deck, v.snap, v.index, t.profile, t.opt, d)
	if err != nil {
		return nil, err
	}
	v.tally = append(v.tally, tally{spec: t.spec, summary: j.Summary, entries: j.Entries, inexact: j.Inexact, assumed: j.Assumed, budget: j.Budget(t.profile)})
	return &judged{t, j}, nil
}

// run plans and prints. quiet: what is printed goes where the progress is shown, so that this ends with the first plan.
func (v *validation) run(targets []target, p printer, watch *progress, quiet bool) error {
	for i, t := range targets {
		j, err := v.judge(t, watch)
		if err != nil {
			return err
		}
		watch.set("printing")
		if quiet {
			watch.end()
		}
		if i == 0 {
			err = p.begin()
		}
		if err = errors.Join(err, p.profile(j), v.certify(j, len(targets) > 1)); err != nil {
			return err
		}
	}
	return p.end()
}

// certify writes the proof of a plan where it was asked for. What could not be read is in no plan, and then there is no proof either.
func (v *validation) certify(j *judged, several bool) error {
	if v.certificate == "" || v.Errors() > 0 {
		return nil
	}
	return certify(certificateFile(v.certificate, j.spec, several), v.snap.Rules(), j.Plan, j.target)
}

// status returns how the command ends.
func (v *validation) status(strict bool) error {
	if v.Errors() > 0 {
		return silent(exitUsage)
	}
	for _, t := range v.tally {
		if t.inexact > 0 || strict && t.assumed > 0 {
			return silent(exitFailed)
		}
	}
	return nil
}

// jsonPrinter streams one object; each rule is on a line of its own.
type jsonPrinter struct {
	v    *validation
	w    *bufio.Writer
	enc  *encoder
	some bool
}

func (p *jsonPrinter) begin() error {
	_, err := io.WriteString(p.w, `{"profiles": [`)
	return err
}

func (p *jsonPrinter) profile(j *judged) error {
	if p.some {
		io.WriteString(p.w, ",\n")
	}
	p.some = true
	io.WriteString(p.w, `{"profile": `)
	p.enc.value(j.profile.Name)
	io.WriteString(p.w, `, "rules": [`)
	for i := range p.v.Rules {
		if i > 0 {
			io.WriteString(p.w, ",")
		}
		io.WriteString(p.w, "\n")
		p.enc.value(p.v.Rule(i, j.Verdicts[i], j.Filters.Of))
	}
	io.WriteString(p.w, `], "summary": `)
	p.enc.value(j.Summary)
	io.WriteString(p.w, `, "table": `)
	p.enc.value(j.OnDevice(p.v.Input, p.v.table(), p.v.index, j.profile))
	io.WriteString(p.w, "}")
	return p.enc.err
}

func (p *jsonPrinter) end() error {
	io.WriteString(p.w, `], "table": `)
	p.enc.value(p.v.Table(p.v.table(), p.v.index))
	io.WriteString(p.w, `, "errors": `)
	p.enc.value(report.Problems(p.v.Loose))
	io.WriteString(p.w, "}\n")
	return p.enc.err
}
