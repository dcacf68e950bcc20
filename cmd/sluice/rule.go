package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/sluice-gateway/sluice/core/api"
	"github.com/sluice-gateway/sluice/core/notation"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/reconcile"
	"github.com/sluice-gateway/sluice/core/report"
)

func ruleCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "rule", Short: "Rules of a running gateway: add, list, show, delete, watch, ended"}
	cmd.AddCommand(ruleAddCmd(), ruleListCmd(), ruleShowCmd(), ruleDeleteCmd(), ruleWatchCmd(), ruleEndedCmd())
	return cmd
}

func ruleAddCmd() *cobra.Command {
	var ttl, note string
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "add [RULE|-]",
		Short: "Create rules: one given as text, or those on standard input, in any notation",
		Long: `Create rules: one given as text, or, without RULE and for -, those on standard input, in any notation.
Each rule is judged by itself; what is printed with an ID is in force, and on disk.

Exit status: 0 all were taken, 1 some rule was not, 2 some rule could not be read.`,
		Example: `  sluice rule add 'flow route { match { destination 203.0.113.10/32; protocol =udp; source-port =53; } then { discard; } }' --ttl 10m
  sluice rule add --dry-run - < rules.exabgp`,
		Args: cobra.MaximumNArgs(1),
	}
	cmd.Flags().StringVar(&ttl, "ttl", "", "lifetime, such as 10m; default and ceiling are the gateway's")
	cmd.Flags().StringVar(&note, "note", "", "note for people")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "plan and prove on every device, and change nothing")
	return withClient(cmd, func(ctx context.Context, c *client, args []string) error {
		text, name := "", "-"
		if len(args) == 1 && args[0] != "-" {
			text, name = args[0], "RULE"
		} else {
			b, err := io.ReadAll(cmd.InOrStdin())
			if err != nil {
				return usage(err)
			}
			text = string(b)
		}
		path := "/v1/rules"
		if dryRun {
			path += "?dry_run=true"
		}
		var a api.Answer
		if _, err := c.call(ctx, http.MethodPost, path, api.Request{Rule: text, TTL: ttl, Note: note}, &a); err != nil {
			return err
		}
		if !c.json {
			c.printAnswer(a)
			printProblems(cmd.ErrOrStderr(), answered(a, name, text))
		}
		return answerStatus(a)
	})
}

// answerStatus is the exit status of an answer: a rule that could not be read is 2, one that was read and not taken 1.
func answerStatus(a api.Answer) error {
	switch {
	case slices.ContainsFunc(a.Errors, func(p api.Problem) bool { return p.Index < 0 }):
		return silent(exitUsage)
	case len(a.Errors) > 0:
		return silent(exitFailed)
	}
	return nil
}

// answered returns the problems of an answer at their places in the text that was sent, as validate shows them.
func answered(a api.Answer, name, text string) []notation.Problem {
	lines := strings.Split(text, "\n")
	var out []notation.Problem
	add := func(severity string, problems []api.Problem) {
		for _, p := range problems {
			at := notation.Problem{Pos: notation.Position{File: name, Line: p.Line, Column: p.Column}, Code: p.Code, Severity: severity, Message: p.Message, Hint: p.Hint, Length: 1}
			if p.Line > 0 && p.Line <= len(lines) {
				at.Source = strings.TrimRight(lines[p.Line-1], "\r")
			}
			out = append(out, at)
		}
	}
	add(notation.Note, a.Notes)
	add(notation.Error, a.Errors)
	return out
}

func (c *client) printAnswer(a api.Answer) {
	for _, r := range a.Rules {
		c.printRule(r)
	}
	for _, d := range a.Devices {
		c.printDeviceReport(d)
	}
}

// oneLine replaces what would move a terminal's cursor, or more: notes are whatever somebody wrote.
func oneLine(note string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, note)
}

func (c *client) printRule(r api.Rule) {
	about := r.Source + ", never expires"
	if r.Expires != nil {
		about = r.Source + ", until " + r.Expires.Local().Format(time.DateTime)
	}
	if isIdle(r) {
		about += "; " + activityText(*r.Activity)
	}
	if r.Note != "" {
		about += "; " + oneLine(r.Note)
	}
	fmt.Fprintf(c.out, "%s  %s  (%s)\n", r.ID, r.Rule, about)
}

// printDeviceReport shows how a device carries rules, what is to be typed there, and a summary of all its rules.
func (c *client) printDeviceReport(d api.DeviceReport) {
	t := textWriter{c.out, palette(wantsColor(c.out))}
	fmt.Fprintln(c.out, t.paint(bold, fmt.Sprintf("%s (%s)", d.Device, d.Profile)))
	c.printVerdicts(d)
	for _, w := range d.Warnings {
		t.reason(plan.Reason{Code: w.Code, Severity: w.Severity, Message: w.Message})
		if w.Hint != "" {
			fmt.Fprintf(c.out, "          %s\n", indented(w.Hint, "          "))
		}
	}
	for _, s := range d.Sends {
		fmt.Fprintf(c.out, "  %s\n", s)
	}
	for _, n := range d.Notes {
		fmt.Fprintf(c.out, "  note: %s\n", n)
	}
	fmt.Fprintf(c.out, "  %s\n", summaryText(d.Summary))
}

// printVerdicts shows how a device carries rules, and why.
func (c *client) printVerdicts(d api.DeviceReport) {
	t := textWriter{c.out, palette(wantsColor(c.out))}
	for _, r := range d.Rules {
		fmt.Fprintf(c.out, "  %s  %s  %s\n", t.paint(verdictColors[r.Carried], fmt.Sprintf("%-9s", r.Carried)), t.paint(bold, r.ID), r.Rule.Rule)
		for _, e := range r.Entries {
			if r.Carried != plan.Native { // native: it is the rule itself
				fmt.Fprintf(c.out, "  %s %s\n", t.paint(dim, "->"), indented(e.Text, "     "))
			}
		}
		for _, reason := range r.Reasons {
			t.reason(reason)
		}
		if r.Witness != nil {
			t.witness(r.Witness)
		}
	}
}

func summaryText(s report.Summary) string {
	return fmt.Sprintf("%s: %d native, %d rewritten, %d by filter, %d rejected", counted(s.Rules, "rule"), s.Native, s.Rewritten, s.Filter, s.Rejected)
}

// ruleList is the answer to GET /v1/rules.
type ruleList struct {
	Version uint64     `json:"version"`
	Rules   []api.Rule `json:"rules"`
}

func ruleListCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "list", Short: "Rules in force, in the order of evaluation, or by what they have matched", Args: cobra.NoArgs}
	order := cmd.Flags().String("sort", "order", "order (of evaluation), or hits: those that matched the most packets first, with what devices counted")
	onlyIdle := cmd.Flags().Bool("idle", false, "only those that have matched nothing for as long as the configuration says (idle)")
	return withClient(cmd, func(ctx context.Context, c *client, _ []string) error {
		if *order != "order" && *order != "hits" {
			return usage(fmt.Errorf("--sort %s: order or hits", *order))
		}
		var list ruleList
		asked := *c
		asked.json = c.json && *order == "order" && !*onlyIdle // what is sorted or chosen is printed here
		if _, err := asked.call(ctx, http.MethodGet, "/v1/rules", nil, &list); err != nil || asked.json {
			return err
		}
		if *order == "hits" {
			byHits(list.Rules)
		}
		if *onlyIdle {
			list.Rules = slices.DeleteFunc(list.Rules, func(r api.Rule) bool { return !isIdle(r) })
		}
		if c.json {
			enc := newEncoder(c.out)
			enc.value(list)
			return enc.err
		}
		for _, r := range list.Rules {
			c.printRule(r)
			if *order == "hits" && r.Count != nil {
				fmt.Fprintf(c.out, "  %s\n", countText(*r.Count))
			}
		}
		if *onlyIdle {
			fmt.Fprintf(c.out, "%s idle\n", counted(len(list.Rules), "rule"))
			return nil
		}
		fmt.Fprintf(c.out, "%s in force\n", counted(len(list.Rules), "rule"))
		return nil
	})
}

func ruleShowCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "show ID", Short: "One rule, and how each device carries it", Args: cobra.ExactArgs(1)}
	return withClient(cmd, func(ctx context.Context, c *client, args []string) error {
		var r struct {
			api.Rule
			Devices  []api.DeviceReport  `json:"devices"`
			Receipts []reconcile.Receipt `json:"receipts"`
		}
		if err := checkID(args[0]); err != nil {
			return err
		}
		if _, err := c.call(ctx, http.MethodGet, "/v1/rules/"+url.PathEscape(args[0]), nil, &r); err != nil || c.json {
			return err
		}
		c.printRule(r.Rule)
		if r.Count != nil {
			fmt.Fprintf(c.out, "  %s\n", countText(*r.Count))
		}
		if r.Activity != nil && r.Activity.State != reconcile.Idle { // printRule says that
			fmt.Fprintf(c.out, "  %s\n", activityText(*r.Activity))
		}
		for _, d := range r.Devices {
			fmt.Fprintf(c.out, "%s (%s)\n", d.Device, d.Profile)
			c.printVerdicts(d)
			c.printReceipt(d.Device, r.Receipts)
		}
		if len(r.Devices) == 0 {
			c.printOverdue(r.Receipts)
		}
		return nil
	})
}

// checkID refuses what is no rule's ID before the gateway is asked.
func checkID(id string) error {
	if n, err := strconv.ParseUint(id, 16, 64); err != nil || fmt.Sprintf("%016x", n) != id {
		return usage(fmt.Errorf("%q is no rule's ID: 16 hexadecimal digits, as `sluice rule list` shows them", id))
	}
	return nil
}

func ruleDeleteCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "delete ID...", Short: "Withdraw rules that came by API", Args: cobra.MinimumNArgs(1)}
	return withClient(cmd, func(ctx context.Context, c *client, args []string) error {
		for _, id := range args { // all of them, before the first is gone
			if err := checkID(id); err != nil {
				return err
			}
		}
		for _, id := range args {
			if _, err := c.call(ctx, http.MethodDelete, "/v1/rules/"+url.PathEscape(id), nil, nil); err != nil {
				return err
			}
			if !c.json {
				fmt.Fprintf(c.out, "%s withdrawn\n", id)
			}
		}
		return nil
	})
}

func ruleWatchCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use: "watch [ID...]", Short: "Rules as they come and go, or how far the named ones come on each device, until interrupted",
		Long: `Print rules as they come and go; with IDs, the receipts of these rules: how far each has come on each device (sent, held, counting, refused, ...), a line for each
change, until all of them are gone or somebody interrupts.`,
	}
	return withClient(cmd, func(ctx context.Context, c *client, ids []string) error {
		ctx, stop := untilSignal(ctx)
		defer stop()
		if len(ids) == 0 {
			return c.watch(ctx, cmd.ErrOrStderr())
		}
		for _, id := range ids {
			if err := checkID(id); err != nil {
				return err
			}
		}
		return c.watchReceipts(ctx, ids)
	})
}

// watchAgain is how long a watch waits before it asks a gateway that did not answer again.
const watchAgain = time.Second

// watch prints changes until ctx ends. A gateway that was there and is gone, as in a restart, is asked again until it is back; what changed meanwhile is
// printed then.
func (c *client) watch(ctx context.Context, notes io.Writer) error {
	quiet := &client{base: c.base, out: io.Discard}
	have := map[string]api.Rule{}
	seen, lost := false, false
	for version := uint64(0); ; {
		var next ruleList
		_, err := quiet.call(ctx, http.MethodGet, fmt.Sprintf("/v1/rules?after=%d&wait=60", version), nil, &next)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && !seen:
			return err
		case err != nil:
			if !lost {
				fmt.Fprintf(notes, "sluice: waiting for the gateway to come back: %v\n", err)
			}
			lost, version = true, 0 // the versions of another life count from the beginning
			select {
			case <-time.After(watchAgain):
			case <-ctx.Done():
			}
			continue
		}
		seen, lost, version = true, false, next.Version
		have = c.printChanges(have, next.Rules)
	}
}

// printChanges prints what came and went, a line each, and returns what is there now.
func (c *client) printChanges(have map[string]api.Rule, rules []api.Rule) map[string]api.Rule {
	now := make(map[string]api.Rule, len(rules))
	say := func(sign string, r api.Rule) {
		if c.json {
			b, _ := json.Marshal(map[string]any{"change": sign, "rule": r}) // plain data
			fmt.Fprintf(c.out, "%s\n", b)
			return
		}
		fmt.Fprintf(c.out, "%s ", sign)
		c.printRule(r)
	}
	for _, r := range rules {
		now[r.ID] = r
		if old, there := have[r.ID]; !there || old.Hex != r.Hex {
			say("+", r)
		}
		delete(have, r.ID)
	}
	for _, r := range have {
		say("-", r)
	}
	return now
}
