package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluice-gateway/sluice/core/api"
	"github.com/sluice-gateway/sluice/core/reconcile"
)

func deviceCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "device", Short: "Devices of a running gateway: list, show, plan, adopt, history, sync, freeze, thaw, trust"}
	cmd.AddCommand(deviceListCmd(), deviceShowCmd(), devicePlanCmd(), deviceAdoptCmd(), deviceHistoryCmd(), deviceSyncCmd(), deviceFreezeCmd(), deviceThawCmd(), deviceTrustCmd())
	return cmd
}

func deviceListCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "list", Short: "Devices and their state", Args: cobra.NoArgs}
	return withClient(cmd, func(ctx context.Context, c *client, _ []string) error {
		var list struct {
			Devices []reconcile.Status `json:"devices"`
		}
		if _, err := c.call(ctx, http.MethodGet, "/v1/devices", nil, &list); err != nil || c.json {
			return err
		}
		w := tabwriter.NewWriter(c.out, 0, 8, 2, ' ', 0)
		fmt.Fprintln(w, "DEVICE\tPROFILE\tSTATE\tSINCE\tRULES\tREJECTED\tROUTES\tFILTER ENTRIES\tLAST COMMIT\tSESSION")
		for _, d := range list.Devices {
			session, _, _ := strings.Cut(d.Session, ":") // why it is down stands below
			if session == "" {
				session = "-" // a device without BGP
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%d\t%d\t%d\t%s\t%s\n", d.Name, d.Profile, d.State, d.Since.Local().Format(time.DateTime),
				d.Summary["rules"], d.Summary["rejected"], d.Routes, d.Entries, took(d.Commit), session)
		}
		if err := w.Flush(); err != nil {
			return err
		}
		for _, d := range list.Devices { // below the table: what a device says may be long
			if d.Error != "" {
				fmt.Fprintf(c.out, "%s: %s\n", d.Name, d.Error)
			}
			if d.Progress != nil {
				fmt.Fprintf(c.out, "%s: now %s\n", d.Name, progressText(*d.Progress))
			}
			if d.Freeze != nil {
				fmt.Fprintf(c.out, "%s: frozen by order %s; overdue: %d\n", d.Name, lasts(d.Freeze.Until), d.Ended)
			}
			if d.WaitsFor != "" {
				fmt.Fprintf(c.out, "%s: %s withheld: %s\n", d.Name, counted(d.Withheld, "rule"), oneLine(d.WaitsFor))
			}
			if d.Proposed > 0 {
				fmt.Fprintf(c.out, "%s: this version would change %s: sluice device plan %s --since\n", d.Name, counted(d.Proposed, "rule"), d.Name)
			}
		}
		return nil
	})
}

// progressText says where a call to a device is, and since when.
func progressText(p reconcile.Progress) string {
	text := fmt.Sprintf("%s, begun at %s", p, p.Began.Local().Format(time.TimeOnly))
	if p.Since.After(p.Began) {
		text += fmt.Sprintf(", %s since %s", p.Stage, p.Since.Local().Format(time.TimeOnly))
	}
	return text
}

// took says how long a commit took; "-" where there was none.
func took(d time.Duration) string {
	if d == 0 {
		return "-"
	}
	return d.Round(time.Millisecond).String()
}

func deviceShowCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "show NAME", Short: "One device: state, last error, what is attached where", Args: cobra.ExactArgs(1)}
	native := cmd.Flags().Bool("native", false, "the routes that its BGP session was sent instead, each with what its UPDATE carried")
	return withClient(cmd, func(ctx context.Context, c *client, args []string) error {
		if *native {
			return c.showNative(ctx, args[0])
		}
		var d api.DeviceStatus
		if _, err := c.call(ctx, http.MethodGet, "/v1/devices/"+url.PathEscape(args[0]), nil, &d); err != nil || c.json {
			return err
		}
		fmt.Fprintf(c.out, "%s (%s): %s since %s\n", d.Name, d.Profile, d.State, d.Since.Local().Format(time.DateTime))
		printFreeze(c.out, d.Status)
		printGroup(c.out, d.Status)
		if d.Error != "" {
			fmt.Fprintf(c.out, "  last error: %s\n", d.Error)
		}
		if !d.Retry.IsZero() {
			fmt.Fprintf(c.out, "  next attempt: %s\n", d.Retry.Local().Format(time.TimeOnly))
		}
		if p := d.Progress; p != nil {
			fmt.Fprintf(c.out, "  now: %s\n", progressText(*p))
		}
		if d.Session != "" {
			fmt.Fprintf(c.out, "  BGP session: %s\n", d.Session)
		}
		fmt.Fprintf(c.out, "  %s: %d native, %d rewritten, %d by filter, %d rejected\n", counted(d.Summary["rules"], "rule"), d.Summary["native"], d.Summary["rewritten"], d.Summary["filter"], d.Summary["rejected"])
		if n := d.Summary[string(reconcile.RuleLeftOut)]; n > 0 {
			fmt.Fprintf(c.out, "  %s left out: of sources that the device does not take\n", counted(n, "rule"))
		}
		if len(d.Receipts) > 0 {
			fmt.Fprintf(c.out, "  of them: %s\n", tallyText(d.Receipts))
			fmt.Fprintf(c.out, "  it has: %d sent, %d held\n", d.Sent, d.Held)
		}
		fmt.Fprintf(c.out, "  %s given to BGP, %s held\n", counted(d.Routes, "route"), counted(d.Entries, "filter entry"))
		if s := d.Shown; s != nil {
			fmt.Fprintf(c.out, "  it shows by BMP: %s held, %d otherwise, %d not shown\n", counted(s.Held, "route"), s.Otherwise, s.Unshown)
			if s.Words != "" && s.Otherwise == 0 {
				fmt.Fprintf(c.out, "    %s\n", s.Words)
			}
		}
		for _, s := range d.Sends {
			fmt.Fprintf(c.out, "  %s\n", s)
		}
		if d.Commit > 0 {
			fmt.Fprintf(c.out, "  the last commit took %v\n", took(d.Commit))
		}
		printWatched(c.out, d.Watched)
		for _, a := range d.Attached {
			fmt.Fprintf(c.out, "  attached: %s\n", a)
		}
		for _, n := range d.Notes {
			fmt.Fprintf(c.out, "  note: %s\n", n)
		}
		return nil
	})
}

// showNative prints the Adj-RIB-Out of a device: a line for people and one with the octets for each route.
func (c *client) showNative(ctx context.Context, name string) error {
	var sent struct {
		Session string          `json:"session"`
		Routes  []api.SentRoute `json:"routes"`
	}
	if _, err := c.call(ctx, http.MethodGet, "/v1/devices/"+url.PathEscape(name)+"/native", nil, &sent); err != nil || c.json {
		return err
	}
	for _, r := range sent.Routes {
		fmt.Fprintf(c.out, "%s\n  %s\n", r.Rule, r.Hex)
	}
	session := sent.Session
	if session == "" {
		session = "there is none"
	}
	fmt.Fprintf(c.out, "%s sent; BGP session: %s\n", counted(len(sent.Routes), "route"), session)
	return nil
}

func devicePlanCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "plan NAME", Short: "Every rule with its verdict on one device", Args: cobra.ExactArgs(1)}
	since := cmd.Flags().Bool("since", false, "what this version of the program, of a profile or of the configuration would change since the one that the device has plans of, instead")
	proof := certificateFlag(cmd, "; the gateway makes it, and it is checked here before it is written")
	return withClient(cmd, func(ctx context.Context, c *client, args []string) error {
		if *since {
			return c.showProposals(ctx, args[0])
		}
		if *proof != "" {
			if err := c.saveCertificate(ctx, args[0], *proof); err != nil {
				return err
			}
		}
		var d api.DeviceReport
		if _, err := c.call(ctx, http.MethodGet, "/v1/devices/"+url.PathEscape(args[0])+"/plan", nil, &d); err != nil || c.json {
			return err
		}
		c.printDeviceReport(d)
		return nil
	})
}

// saveCertificate fetches the certificate of a device's plan and writes it to file.
func (c *client) saveCertificate(ctx context.Context, device, file string) error {
	quiet := &client{base: c.base, out: c.out}
	var octets json.RawMessage
	if _, err := quiet.call(ctx, http.MethodGet, "/v1/devices/"+url.PathEscape(device)+"/certificate", nil, &octets); err != nil {
		return err
	}
	if err := saveCertificate(file, device, octets); err != nil {
		return failed(err)
	}
	return nil
}

func deviceSyncCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use: "sync NAME", Args: cobra.ExactArgs(1),
		Short: "Read a device again and deliver, even where the gateway had stopped",
	}
	return withClient(cmd, func(ctx context.Context, c *client, args []string) error {
		_, err := c.call(ctx, http.MethodPost, "/v1/devices/"+url.PathEscape(args[0])+"/sync", nil, nil)
		if err == nil && !c.json {
			fmt.Fprintf(c.out, "%s will be read again and brought to its plan\n", args[0])
		}
		return err
	})
}

// printWatched says whether the device tells of changes by itself.
func printWatched(w io.Writer, s *reconcile.Watched) {
	switch {
	case s == nil:
	case s.On:
		fmt.Fprintf(w, "  it tells of changes to its filters since %s\n", s.Since.Local().Format(time.DateTime))
	default:
		fmt.Fprintf(w, "  it does not tell of changes to its filters, and is read every %v: %s\n", auditEvery, s.Words)
	}
}
