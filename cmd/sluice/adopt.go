package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"

	"github.com/spf13/cobra"

	"github.com/sluice-gateway/sluice/core/api"
	"github.com/sluice-gateway/sluice/core/reconcile"
)

func deviceAdoptCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use: "adopt NAME | --all", Args: cobra.MaximumNArgs(1),
		Short: "Give a device the plans of this version of the program, where they differ from those of the one before",
	}
	all := cmd.Flags().Bool("all", false, "every device for which something is proposed")
	return withClient(cmd, func(ctx context.Context, c *client, args []string) error {
		if *all == (len(args) == 1) {
			return usage(errors.New("name one device, or say --all"))
		}
		path, who := "/v1/adopt", "all devices are"
		if !*all {
			path, who = "/v1/devices/"+url.PathEscape(args[0])+"/adopt", args[0]+" is"
		}
		_, err := c.call(ctx, http.MethodPost, path, nil, nil)
		return c.say(err, "%s given the plans of this version", who)
	})
}

func planCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use: "plan --since", Args: cobra.NoArgs,
		Short: "What this version of the program, of profiles or of the configuration would change on the devices of a running gateway",
		Long: `What this version of the program, of profiles or of the configuration would change on every device, since the one that the devices have plans of. Nothing of it is done before somebody says so:
"sluice device adopt". "sluice device plan NAME" shows the plan that one device has.`,
	}
	since := cmd.Flags().Bool("since", false, "since the version that each device has plans of")
	return withClient(cmd, func(ctx context.Context, c *client, _ []string) error {
		if !*since {
			return usage(errors.New("say --since, or for the plan that a device has: sluice device plan NAME"))
		}
		return c.showAllProposals(ctx)
	})
}

// proposals is what the API answers about those of one device.
type proposals struct {
	Device    string         `json:"device"`
	Proposals []api.Proposal `json:"proposals"`
}

// showAllProposals prints what this version would change of what each device has.
func (c *client) showAllProposals(ctx context.Context) error {
	quiet := &client{base: c.base, out: c.out}
	var list struct {
		Devices []reconcile.Status `json:"devices"`
	}
	if _, err := quiet.call(ctx, http.MethodGet, "/v1/devices", nil, &list); err != nil {
		return err
	}
	all := []proposals{}
	for _, d := range list.Devices {
		if d.Proposed == 0 {
			continue
		}
		one := proposals{Device: d.Name}
		if _, err := quiet.call(ctx, http.MethodGet, "/v1/devices/"+url.PathEscape(d.Name)+"/proposals", nil, &one); err != nil {
			return err
		}
		all = append(all, one)
	}
	if c.json {
		return printJSON(c.out, map[string]any{"devices": all})
	}
	for _, one := range all {
		fmt.Fprintf(c.out, "%s\n", one.Device)
		c.printProposals(one)
	}
	if len(all) == 0 {
		fmt.Fprintln(c.out, "nothing: every device is given the plans of this version")
	}
	return nil
}

// showProposals prints what this version would change of what a device has.
func (c *client) showProposals(ctx context.Context, name string) error {
	one := proposals{Device: name}
	if _, err := c.call(ctx, http.MethodGet, "/v1/devices/"+url.PathEscape(name)+"/proposals", nil, &one); err != nil || c.json {
		return err
	}
	c.printProposals(one)
	return nil
}

func (c *client) printProposals(one proposals) {
	for _, p := range one.Proposals {
		fmt.Fprintf(c.out, "%s %s\n", p.ID, p.Rule)
		c.printForm("-", p.Was)
		c.printForm("+", p.Is)
	}
	if len(one.Proposals) == 0 {
		fmt.Fprintf(c.out, "nothing: %s is given the plans of this version\n", one.Device)
	} else {
		fmt.Fprintf(c.out, "%s would change: sluice device adopt %s\n", counted(len(one.Proposals), "rule"), one.Device)
	}
}

func (c *client) printForm(sign string, f api.Form) {
	fmt.Fprintf(c.out, "  %s %s", sign, f.Carried)
	if f.Entries > 0 {
		fmt.Fprintf(c.out, ", %s", counted(f.Entries, "filter entry"))
	}
	fmt.Fprintln(c.out)
	for _, r := range f.Routes {
		fmt.Fprintf(c.out, "  %s   %s\n", sign, r)
	}
}

// thisProgram says in short which program this is: two that could plan differently never say the same.
func thisProgram() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
