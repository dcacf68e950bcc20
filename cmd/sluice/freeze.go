package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluice-gateway/sluice/core/api"
	"github.com/sluice-gateway/sluice/core/reconcile"
)

func deviceFreezeCmd() *cobra.Command {
	var order api.FreezeOrder
	cmd := &cobra.Command{
		Use: "freeze NAME | --all", Args: cobra.MaximumNArgs(1),
		Short: "Change nothing on a device, or on any, until it is thawed",
		Long: `Change nothing on a device, or with --all on any, until it is thawed or --for is over; across restarts of the gateway. Nothing is added there and nothing taken
away: rules that end meanwhile go on filtering and are listed as overdue.`,
	}
	all := cmd.Flags().Bool("all", false, "every device, also those that are configured later")
	cmd.Flags().StringVar(&order.For, "for", "", "how long, such as 2h (default: until it is thawed)")
	cmd.Flags().StringVar(&order.Reason, "reason", "", "why; shown with the device")
	return withClient(cmd, func(ctx context.Context, c *client, args []string) error {
		path, who, err := freezePath(args, *all)
		if err != nil {
			return err
		}
		var answer api.FreezeAnswer
		if _, err := c.call(ctx, http.MethodPut, path, order, &answer); err != nil || c.json {
			return err
		}
		fmt.Fprintf(c.out, "%s frozen %s\n", who, lasts(answer.Freeze.Until))
		if len(answer.Busy) > 0 {
			fmt.Fprintf(c.out, "a change was under way and is ended first: %s\n", strings.Join(answer.Busy, ", "))
		}
		return nil
	})
}

func deviceThawCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use: "thaw NAME | --all", Args: cobra.MaximumNArgs(1),
		Short: "End a freeze: the device gets everything that was held back",
	}
	all := cmd.Flags().Bool("all", false, "the freeze of all devices; those that are frozen on their own stay so")
	return withClient(cmd, func(ctx context.Context, c *client, args []string) error {
		path, who, err := freezePath(args, *all)
		if err != nil {
			return err
		}
		if _, err := c.call(ctx, http.MethodDelete, path, nil, nil); err != nil || c.json {
			return err
		}
		fmt.Fprintf(c.out, "%s no longer frozen\n", who)
		return c.stillFrozen(ctx, args)
	})
}

// freezePath returns the address of a freeze, and whose it is.
func freezePath(args []string, all bool) (path, who string, err error) {
	if all == (len(args) == 1) {
		return "", "", usage(errors.New("name one device, or say --all"))
	}
	if all {
		return "/v1/freeze", "all devices are", nil
	}
	return "/v1/devices/" + url.PathEscape(args[0]) + "/freeze", args[0] + " is", nil
}

// stillFrozen says of a thawed device that it is frozen with all others.
func (c *client) stillFrozen(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var d reconcile.Status
	for end := time.Now().Add(2 * time.Second); ; { // the worker of the device learns of it a moment later
		d = reconcile.Status{}
		if _, err := c.call(ctx, http.MethodGet, "/v1/devices/"+url.PathEscape(args[0]), nil, &d); err != nil {
			return err
		}
		if d.Freeze == nil || d.Freeze.All || time.Now().After(end) {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if d.Freeze != nil && d.Freeze.All {
		fmt.Fprintln(c.out, "but all devices are, and this one with them: sluice device thaw --all")
	}
	return nil
}

// lasts says until when a freeze is.
func lasts(until time.Time) string {
	if until.IsZero() {
		return "until it is thawed"
	}
	return "until " + until.Local().Format(time.DateTime)
}

// printFreeze prints what there is to know of a frozen device.
func printFreeze(w io.Writer, d reconcile.Status) {
	f := d.Freeze
	if f == nil {
		return
	}
	whom := ""
	if f.All {
		whom = " with all devices"
	}
	fmt.Fprintf(w, "  frozen by order%s since %s, %s", whom, f.Since.Local().Format(time.DateTime), lasts(f.Until))
	if f.Reason != "" {
		fmt.Fprintf(w, ": %s", oneLine(f.Reason))
	}
	fmt.Fprintln(w)
	for _, o := range d.Overdue {
		fmt.Fprintf(w, "  overdue: %s %s\n", o.ID, o.Rule)
	}
	if more := d.Ended - len(d.Overdue); more > 0 {
		fmt.Fprintf(w, "  overdue: %d more\n", more)
	}
}
