package main

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/reconcile"
)

func deviceHistoryCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "history NAME", Short: "What was tried at a device, and how it ended", Args: cobra.ExactArgs(1)}
	return withClient(cmd, func(ctx context.Context, c *client, args []string) error {
		var history struct {
			Attempts []device.Attempt `json:"attempts"`
		}
		if _, err := c.call(ctx, http.MethodGet, "/v1/devices/"+url.PathEscape(args[0])+"/history", nil, &history); err != nil || c.json {
			return err
		}
		for _, a := range history.Attempts {
			fmt.Fprintln(c.out, attemptText(a))
		}
		if len(history.Attempts) == 0 {
			fmt.Fprintln(c.out, "nothing was tried yet")
		}
		return nil
	})
}

// attemptText is an attempt in one line.
func attemptText(a device.Attempt) string {
	text := fmt.Sprintf("%s  %-9s  %s in %v", a.At.Local().Format(time.DateTime), a.Outcome, counted(len(a.Rules)+a.More, "rule"), a.Took.Round(time.Microsecond))
	if a.Times > 1 {
		text += fmt.Sprintf(", %d times until %s", a.Times, a.Last.Local().Format(time.DateTime))
	}
	for _, id := range a.Rules[:min(3, len(a.Rules))] {
		text += " " + string(id)
	}
	if len(a.Rules)+a.More > 3 {
		text += " ..."
	}
	if a.Words != "" {
		text += ": " + oneLine(a.Words)
	}
	return text
}

// printReceipt prints how far a rule has come on a device.
func (c *client) printReceipt(name string, receipts []reconcile.Receipt) {
	for _, r := range receipts {
		if r.Device != name {
			continue
		}
		text := string(r.State)
		if r.Standing != "" {
			text += ", " + string(r.Standing)
		}
		if !r.Until.IsZero() {
			text += ", until " + r.Until.Local().Format(time.DateTime)
		}
		if !r.Since.IsZero() {
			text += " since " + r.Since.Local().Format(time.DateTime)
		}
		if r.Error != "" {
			text += ": " + oneLine(r.Error)
		}
		if r.Error == "" && r.Shown != "" {
			text += ": " + oneLine(r.Shown)
		}
		if r.Count != nil {
			text += ": " + countText(*r.Count)
		}
		if r.Progress != nil {
			text += ": " + r.Progress.String()
		}
		fmt.Fprintf(c.out, "  %s\n", text)
		for _, a := range r.Attempts {
			if a.Outcome != device.Delivered {
				fmt.Fprintf(c.out, "    tried: %s\n", attemptText(a))
			}
		}
	}
}

// tallyText says how many rules are in which state.
func tallyText(tally map[reconcile.ReceiptState]int) string {
	var words []string
	for _, state := range slices.Sorted(maps.Keys(tally)) {
		words = append(words, fmt.Sprintf("%d %s", tally[state], state))
	}
	return strings.Join(words, ", ")
}

// printOverdue prints which devices still do what a rule says that has ended.
func (c *client) printOverdue(receipts []reconcile.Receipt) {
	for _, r := range receipts {
		if r.State == reconcile.RuleOverdue {
			fmt.Fprintf(c.out, "%s: it has ended, and the device, which is frozen by order, still does it: sluice device thaw %s\n", r.Device, r.Device)
		}
	}
}
