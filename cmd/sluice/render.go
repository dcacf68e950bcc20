package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/sluice-gateway/sluice/adapters/eos"
	"github.com/sluice-gateway/sluice/adapters/eosacl"
	"github.com/sluice-gateway/sluice/adapters/iosxe"
	"github.com/sluice-gateway/sluice/adapters/iosxepolicy"
	"github.com/sluice-gateway/sluice/adapters/iosxr"
	"github.com/sluice-gateway/sluice/adapters/junos"
	"github.com/sluice-gateway/sluice/adapters/neutral"
	"github.com/sluice-gateway/sluice/adapters/nftables"
	"github.com/sluice-gateway/sluice/adapters/openconfig"
	"github.com/sluice-gateway/sluice/adapters/slx"
	"github.com/sluice-gateway/sluice/adapters/sros"
	"github.com/sluice-gateway/sluice/adapters/vrp"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/notation"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/profile"
	"github.com/sluice-gateway/sluice/core/report"
)

// dialects are the vendors' languages of filters that this binary speaks.
var dialects = map[string]filter.Dialect{
	eos.Dialect{}.Name():         eos.Dialect{},
	eosacl.Dialect{}.Name():      eosacl.Dialect{},
	iosxe.Dialect{}.Name():       iosxe.Dialect{},
	iosxepolicy.Dialect{}.Name(): iosxepolicy.Dialect{},
	iosxr.Dialect{}.Name():       iosxr.Dialect{},
	junos.Dialect{}.Name():       junos.Dialect{},
	neutral.Dialect{}.Name():     neutral.Dialect{},
	nftables.Dialect{}.Name():    nftables.Dialect{},
	openconfig.Dialect{}.Name():  openconfig.Dialect{},
	slx.Dialect{}.Name():         slx.Dialect{},
	sros.Dialect{}.Name():        sros.Dialect{},
	vrp.Dialect{}.Name():         vrp.Dialect{},
}

// dialectOf returns the dialect that p's filters are written in, or false.
func dialectOf(p *profile.Profile) (filter.Dialect, bool) {
	if p.Filter == nil {
		return nil, false
	}
	d, ok := dialects[p.Filter.Dialect]
	return d, ok
}

// encoder writes JSON values without line breaks between them, and keeps the first error.
type encoder struct {
	w   io.Writer
	buf bytes.Buffer
	enc *json.Encoder
	err error
}

func newEncoder(w io.Writer) *encoder {
	e := &encoder{w: w}
	e.enc = json.NewEncoder(&e.buf)
	e.enc.SetEscapeHTML(false) // rules hold & and >
	return e
}

func (e *encoder) value(v any) {
	if e.err != nil {
		return
	}
	e.buf.Reset()
	if e.err = e.enc.Encode(v); e.err == nil {
		_, e.err = e.w.Write(bytes.TrimRight(e.buf.Bytes(), "\n"))
	}
}

func renderCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "render --profile PROFILE [FILE...]",
		Short: "Write rules as a platform's filter configuration, or as the NLRIs that it would be sent",
		Long: `Write every rule as the platform's own filter configuration, as if it had no native FlowSpec; with --native, the NLRIs of
the plan instead, one rule a line in the hex notation. What is printed is proven to do what the rules say. Where the platform's
language has comments, those in front say which rule each name is.

Exit status: 0 every rule is in it, 1 some rule is not or the platform has no filter language here, 2 something in the input could not be read.`,
		Example: `  sluice render --profile junos-mx rules.conf
  sluice render --profile asr9k --native rules.conf`,
	}
	specs := profileFlag(cmd)
	dir, placement, measured, instances := profilesFlag(cmd), placementFlag(cmd), measuredFlag(cmd), forInstances(instancesFlag(cmd))
	native := cmd.Flags().Bool("native", false, "the NLRIs of the plan, in the hex notation")
	read := rulesFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		targets, err := targetsOf(*specs, *dir, *placement)
		if err == nil {
			err = errors.Join(measured(targets), instances(targets))
		}
		if err != nil {
			return usage(err)
		}
		if len(targets) != 1 {
			return usage(errors.New("render takes one profile"))
		}
		t := targets[0]
		t.opt.NoNative = !*native
		if _, ok := dialectOf(t.profile); !ok && !*native {
			return failed(fmt.Errorf("there is no filter language for %s here; --native shows what it would be sent by BGP", t.profile.Name))
		}
		watch := startProgress(cmd.ErrOrStderr())
		defer watch.end()
		in, err := read(args)
		if err != nil {
			return usage(err)
		}
		return render(cmd, in, t, *native, watch)
	}
	return cmd
}

// render plans and prints. What could not be read, or not be rendered, goes to standard error; a rule file with an error yields nothing, for
// a configuration that lacks a rule is not what was asked for.
func render(cmd *cobra.Command, in readInput, t target, native bool, watch *progress) error {
	v := newValidation(in)
	j, err := v.judge(t, watch)
	if err != nil {
		return failed(err)
	}
	watch.end()
	errOut := bufio.NewWriter(cmd.ErrOrStderr())
	defer errOut.Flush()
	colors := palette(wantsColor(cmd.ErrOrStderr()))
	writeProblems(errOut, v.Loose, colors)
	if v.Errors() > 0 {
		return silent(exitUsage)
	}
	if j.Filters.Err != nil {
		return failed(j.Filters.Err)
	}
	out := bufio.NewWriterSize(cmd.OutOrStdout(), 1<<16)
	if native {
		writeNative(out, j)
	} else {
		if sign := commentSigns[t.profile.Filter.Dialect]; sign != "" {
			writeNames(out, v, j, sign)
		}
		for _, s := range j.Filters.Whole {
			fmt.Fprintln(out, trimNewline(s))
		}
	}
	if err := out.Flush(); err != nil {
		return failed(err)
	}
	return missing(errOut, v, j, native, colors)
}

// commentSigns are what a comment begins with, in languages that have some which stand alone on a line and which the router leaves out.
var commentSigns = map[string]string{
	eos.Dialect{}.Name(): "!", eosacl.Dialect{}.Name(): "!", iosxe.Dialect{}.Name(): "!", iosxepolicy.Dialect{}.Name(): "!", iosxr.Dialect{}.Name(): "!", slx.Dialect{}.Name(): "!",
	junos.Dialect{}.Name(): "#", nftables.Dialect{}.Name(): "#",
}

// writeNames prints, as comments, which rule the entries and counters of each name are of.
func writeNames(w io.Writer, v *validation, j *judged, sign string) {
	for i, one := range j.Verdicts {
		if len(one.Entries) == 0 {
			continue
		}
		s := v.Rules[i]
		text := fmt.Sprintf("r-%s is %s: %s %s", s.Rule.ID, report.Place(s.Pos.File, s.Pos.Line), s.Rule.Match, s.Rule.Action)
		fmt.Fprintln(w, sign, strings.Map(func(r rune) rune {
			if unicode.IsPrint(r) {
				return r
			}
			return '?' // the name of a file may hold a line break, and what stands behind it would be configuration
		}, text))
	}
}

// missing shows the rules that are not in what was printed, and is the error about them.
func missing(errOut *bufio.Writer, v *validation, j *judged, native bool, colors palette) error {
	show, inFilter := textWriter{w: errOut, palette: colors}, 0
	for i, one := range j.Verdicts {
		filtered := native && one.Carried == plan.InFilter
		if filtered {
			inFilter++
		}
		if filtered || one.Carried == plan.Rejected {
			show.rule(v, j, i)
		}
	}
	errOut.Flush()
	switch {
	case j.Summary.Rejected > 0:
		return failed(fmt.Errorf("%d of %s cannot be rendered for %s", j.Summary.Rejected, counted(j.Summary.Rules, "rule"), j.spec))
	case inFilter > 0:
		return failed(fmt.Errorf("%d of %s have no NLRI: the plan for %s carries them in a filter", inFilter, counted(j.Summary.Rules, "rule"), j.spec))
	}
	return nil
}

// writeNative prints the routes of the plan, a line each, in the order of the input.
func writeNative(w io.Writer, j *judged) {
	for _, verdict := range j.Verdicts {
		for _, e := range verdict.Entries {
			if e.Route != nil {
				fmt.Fprintln(w, notation.Hex(flowspec.Rule{Match: e.Route.Match, Action: e.Route.Action,
					Communities: e.Route.Communities, LargeCommunities: e.Route.LargeCommunities, Others: e.Route.Others}))
			}
		}
	}
}
