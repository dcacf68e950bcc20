package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluice-gateway/sluice/core/api"
)

func ruleCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "rule", Short: "Rules of a running gateway: add, list, show, delete, watch"}
	cmd.AddCommand(ruleAddCmd(), ruleListCmd(), ruleShowCmd(), ruleDeleteCmd(), ruleWatchCmd())
	return cmd
}

func ruleAddCmd() *cobra.Command {
	var ttl, note string
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "add RULE | add - | add < FILE",
		Short: "Create rules: one given as text, or those on standard input, in any notation",
		Example: `  sluice rule add 'flow route { match { destination 203.0.113.10/32; protocol =udp; source-port =53; } then { discard; } }' --ttl 10m
  sluice rule add --dry-run - < rules.exabgp`,
		Args: cobra.MaximumNArgs(1),
	}
	cmd.Flags().StringVar(&ttl, "ttl", "", "lifetime, such as 10m; default and ceiling are the gateway's")
	cmd.Flags().StringVar(&note, "note", "", "note for people")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "plan and prove on every device, and change nothing")
	return withClient(cmd, func(ctx context.Context, c *client, args []string) error {
		text := ""
		if len(args) == 1 && args[0] != "-" {
			text = args[0]
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
		}
		if len(a.Errors) > 0 {
			return silent(exitFailed)
		}
		return nil
	})
}

func (c *client) printAnswer(a api.Answer) {
	for _, n := range a.Notes {
		fmt.Fprintf(c.out, "note: line %d: %s\n", n.Line, n.Message)
	}
	for _, r := range a.Rules {
		c.printRule(r)
	}
	for _, d := range a.Devices {
		c.printDeviceReport(d)
	}
	for _, e := range a.Errors {
		fmt.Fprintf(c.out, "refused: %s [%s]\n", e.Message, e.Code)
		if e.Hint != "" {
			fmt.Fprintf(c.out, "  %s\n", e.Hint)
		}
	}
}

func (c *client) printRule(r api.Rule) {
	until := "never expires"
	if r.Expires != nil {
		until = "until " + r.Expires.Local().Format("2006-01-02 15:04:05")
	}
	fmt.Fprintf(c.out, "%s  %s  (%s, %s)\n", r.ID, r.Rule, r.Source, until)
}

func (c *client) printDeviceReport(d api.DeviceReport) {
	fmt.Fprintf(c.out, "%s (%s)\n", d.Device, d.Profile)
	for _, r := range d.Rules {
		fmt.Fprintf(c.out, "  %s  %s  %s\n", r.ID, r.Carried, r.Rule.Rule)
		for _, e := range r.Entries {
			fmt.Fprintf(c.out, "    -> %s\n", strings.ReplaceAll(strings.TrimRight(e.Text, "\n"), "\n", "\n       "))
		}
		for _, reason := range r.Reasons {
			fmt.Fprintf(c.out, "    %s: %s [%s]\n", reason.Severity, reason.Message, reason.Code)
		}
		if w := r.Witness; w != nil {
			fmt.Fprintf(c.out, "    witness: %s: want %s, got %s\n", w.Packet, w.Want, w.Got)
		}
	}
	for _, w := range d.Warnings {
		fmt.Fprintf(c.out, "  %s: %s\n", w.Severity, w.Message)
		if w.Hint != "" {
			fmt.Fprintf(c.out, "    %s\n", w.Hint)
		}
	}
	s := d.Summary
	fmt.Fprintf(c.out, "  %d rules: %d native, %d rewritten, %d filter, %d rejected\n", s.Rules, s.Native, s.Rewritten, s.Filter, s.Rejected)
}

// ruleList is the answer to GET /v1/rules.
type ruleList struct {
	Version uint64     `json:"version"`
	Rules   []api.Rule `json:"rules"`
}

func ruleListCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "list", Short: "Rules in force, in the order of evaluation", Args: cobra.NoArgs}
	return withClient(cmd, func(ctx context.Context, c *client, _ []string) error {
		var list ruleList
		if _, err := c.call(ctx, http.MethodGet, "/v1/rules", nil, &list); err != nil || c.json {
			return err
		}
		for _, r := range list.Rules {
			c.printRule(r)
		}
		fmt.Fprintf(c.out, "%d rules in force\n", len(list.Rules))
		return nil
	})
}

func ruleShowCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "show ID", Short: "One rule, and how each device carries it", Args: cobra.ExactArgs(1)}
	return withClient(cmd, func(ctx context.Context, c *client, args []string) error {
		var r struct {
			api.Rule
			Devices []api.DeviceReport `json:"devices"`
		}
		if _, err := c.call(ctx, http.MethodGet, "/v1/rules/"+url.PathEscape(args[0]), nil, &r); err != nil || c.json {
			return err
		}
		c.printRule(r.Rule)
		for _, d := range r.Devices {
			c.printDeviceReport(d)
		}
		return nil
	})
}

func ruleDeleteCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "delete ID...", Short: "Withdraw rules that came by API", Args: cobra.MinimumNArgs(1)}
	return withClient(cmd, func(ctx context.Context, c *client, args []string) error {
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
	cmd := &cobra.Command{Use: "watch", Short: "Rules as they come and go, until interrupted", Args: cobra.NoArgs}
	return withClient(cmd, func(ctx context.Context, c *client, _ []string) error {
		quiet := &client{base: c.base, out: io.Discard}
		have := map[string]api.Rule{}
		var list ruleList
		for ctx.Err() == nil {
			path := fmt.Sprintf("/v1/rules?after=%d&wait=60", list.Version)
			var next ruleList
			if _, err := quiet.call(ctx, http.MethodGet, path, nil, &next); err != nil {
				if ctx.Err() != nil {
					return nil
				}
				return err
			}
			have = c.printChanges(have, next.Rules)
			list = next
		}
		return nil
	})
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
