package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluice-gateway/sluice/core/api"
	"github.com/sluice-gateway/sluice/core/reconcile"
)

func rolloutCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "rollout", Short: "Groups of devices of a running gateway, and what waits for their canaries: show, stop, resume, release"}
	cmd.AddCommand(rolloutShowCmd(), rolloutStopCmd(), rolloutResumeCmd(), rolloutReleaseCmd())
	return cmd
}

func rolloutShowCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "show [GROUP]", Short: "How far what is new has come in a group, or in all", Args: cobra.MaximumNArgs(1)}
	return withClient(cmd, func(ctx context.Context, c *client, args []string) error {
		var list struct {
			Rollouts []reconcile.RolloutStatus `json:"rollouts"`
		}
		if _, err := c.call(ctx, http.MethodGet, "/v1/rollouts", nil, &list); err != nil || c.json {
			return err
		}
		if len(args) > 0 {
			list.Rollouts = slices.DeleteFunc(list.Rollouts, func(r reconcile.RolloutStatus) bool { return r.Group != args[0] })
			if len(list.Rollouts) == 0 {
				return failed(fmt.Errorf("no group %q", args[0]))
			}
		}
		for _, r := range list.Rollouts {
			c.printRollout(r)
		}
		if len(list.Rollouts) == 0 {
			fmt.Fprintln(c.out, "no groups: every device gets everything at once")
		}
		return nil
	})
}

func (c *client) printRollout(r reconcile.RolloutStatus) {
	fmt.Fprintf(c.out, "%s: %s", r.Group, r.State)
	if r.Why != "" {
		fmt.Fprintf(c.out, ": %s", oneLine(r.Why))
	}
	fmt.Fprintf(c.out, "\n  canary: %s, watched for %v, with new plans for %v; others: %s\n", strings.Join(r.Canary, ", "), r.Watch, r.Soak,
		strings.Join(slices.DeleteFunc(slices.Clone(r.Devices), func(d string) bool { return slices.Contains(r.Canary, d) }), ", "))
	if r.Stop != nil {
		fmt.Fprintf(c.out, "  stopped since %s: sluice rollout resume %s\n", r.Stop.At.Local().Format(time.DateTime), r.Group)
	}
	if !r.Next.IsZero() {
		fmt.Fprintf(c.out, "  goes on at %s\n", r.Next.Local().Format(time.TimeOnly))
	}
	if r.Proposed > 0 {
		fmt.Fprintf(c.out, "  with plans of an earlier version: %s\n", counted(r.Proposed, "device"))
	}
	for _, n := range r.Rules {
		fmt.Fprintf(c.out, "  withheld: %s %s\n", n.ID, n.Rule)
	}
	if more := r.Withheld - len(r.Rules); more > 0 {
		fmt.Fprintf(c.out, "  withheld: %d more\n", more)
	}
}

func rolloutStopCmd() *cobra.Command {
	var order api.StopOrder
	cmd := &cobra.Command{
		Use: "stop GROUP", Args: cobra.ExactArgs(1),
		Short: "Keep what is new from the devices of a group that do not have it yet, canaries aside, until it is resumed",
	}
	cmd.Flags().StringVar(&order.Reason, "reason", "", "why; shown with the group")
	return withClient(cmd, func(ctx context.Context, c *client, args []string) error {
		_, err := c.call(ctx, http.MethodPut, "/v1/rollouts/"+url.PathEscape(args[0])+"/stop", order, nil)
		return c.say(err, "the roll-out to %s is stopped", args[0])
	})
}

func rolloutResumeCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use: "resume GROUP", Args: cobra.ExactArgs(1),
		Short: "Have a stopped roll-out go on: the canaries are watched anew, then the others get what was withheld",
	}
	return withClient(cmd, func(ctx context.Context, c *client, args []string) error {
		_, err := c.call(ctx, http.MethodDelete, "/v1/rollouts/"+url.PathEscape(args[0])+"/stop", nil, nil)
		return c.say(err, "the roll-out to %s goes on", args[0])
	})
}

func rolloutReleaseCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use: "release GROUP", Args: cobra.ExactArgs(1),
		Short: "Give all devices of a group what is in force, at once, whatever its canaries make of it",
	}
	return withClient(cmd, func(ctx context.Context, c *client, args []string) error {
		_, err := c.call(ctx, http.MethodPost, "/v1/rollouts/"+url.PathEscape(args[0])+"/release", nil, nil)
		return c.say(err, "all devices of %s get what is in force", args[0])
	})
}

// say tells people that what they asked for was done.
func (c *client) say(err error, format string, args ...any) error {
	if err == nil && !c.json {
		fmt.Fprintf(c.out, format+"\n", args...)
	}
	return err
}

// printGroup prints what there is to know of the group of a device.
func printGroup(w io.Writer, d reconcile.Status) {
	switch {
	case d.Group == "":
	case d.Canary:
		fmt.Fprintf(w, "  canary of group %s: it gets what is new first\n", d.Group)
	default:
		fmt.Fprintf(w, "  in group %s, after its canaries\n", d.Group)
	}
	if d.Proposed > 0 {
		fmt.Fprintf(w, "  this version would change %s of what it has: sluice device plan %s --since\n", counted(d.Proposed, "rule"), d.Name)
	}
	if d.WaitsFor != "" {
		fmt.Fprintf(w, "  %s withheld: %s\n", counted(d.Withheld, "rule"), oneLine(d.WaitsFor))
	}
}
